//! Other settings while the program runs: they are tried out before they take the place of those
//! in force, and what is wrong with them is said in the log and by `status`.

use std::sync::Arc;

use cleanbill_core::error_chain;
use cleanbill_monitor::notes::{self, RefusedSettings};
use cleanbill_store::state::StateStore;

use super::host::EngineHost;
use super::pushing::Target;
use super::{arguments, now};
use crate::channels;
use crate::commands::Setting;
use crate::error::CommandError;
use crate::settings::{Reloader, WatchSettings};

/// Finds out whether settings can be used: opens the channels and the way to the Pushgateway, reads
/// the files that they name, looks for the Trivy that they ask for. Nothing of it is kept.
///
/// # Errors
///
/// What stands in the way.
pub(super) fn try_out(setting: &Setting, settings: &WatchSettings) -> Result<(), CommandError> {
    check_addresses(setting, settings)?;
    arguments::monitor_settings(settings, &setting.environment)?;
    EngineHost::try_out(setting, &arguments::scan_arguments(settings))
}

/// Finds out whether watch would use the addresses of the settings: opens the channels and the way
/// to the Pushgateway. Nothing is connected, and nothing is kept.
///
/// # Errors
///
/// An address is refused, or a file of certificates cannot be read.
pub(in crate::commands) fn check_addresses(
    setting: &Setting,
    settings: &WatchSettings,
) -> Result<(), CommandError> {
    channels::open(settings, &setting.environment, &Arc::default())?;
    channels::routes(settings)?;
    Target::of(setting, settings)?;
    Ok(())
}

/// Loads the settings again and says what is different. Returns whether there is anything that
/// takes effect now. What is wrong is said, and the settings stay.
pub(super) fn takes_other_settings(
    setting: &Setting,
    store: &StateStore,
    reloader: &mut Reloader,
) -> bool {
    let try_out =
        |settings: &WatchSettings| try_out(setting, settings).map_err(|error| error.one_line());
    match reloader.reload(try_out) {
        Ok(changes) => {
            note_refusal(store, None);
            for warning in &reloader.current().warnings {
                tracing::warn!("{warning}");
            }
            for change in &changes {
                tracing::info!(
                    from = change.from,
                    to = change.to,
                    "setting {} changed{}",
                    change.key,
                    if change.needs_restart {
                        "; it takes effect when watch is started again"
                    } else {
                        ""
                    }
                );
            }
            changes.iter().any(|change| !change.needs_restart)
        }
        Err(error) => {
            refuse(store, &error.to_string());
            false
        }
    }
}

/// Says that new settings are not taken, and why.
pub(super) fn refuse(store: &StateStore, reason: &str) {
    tracing::error!("the new settings are not taken, the old ones stay: {reason}");
    note_refusal(store, Some(reason));
}

/// Notes for `status` that settings were refused; `None` if those in force are what was asked for.
pub(super) fn note_refusal(store: &StateStore, reason: Option<&str>) {
    let refused = reason.map(|reason| RefusedSettings {
        at: now(),
        reason: reason.to_owned(),
    });
    if let Err(error) = notes::set_refused_settings(store, refused.as_ref()) {
        tracing::warn!("{}", error_chain(&error));
    }
}
