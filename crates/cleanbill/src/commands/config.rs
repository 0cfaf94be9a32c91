//! `cleanbill config`: which settings are in force, and where each came from.

use std::path::Path;

use cleanbill_core::count;

use super::watch::check_addresses;
use super::{Setting, print};
use crate::cli::{ConfigCommand, ConfigFormat};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::{self, Loaded, Loader, SettingsError, WatchSettings};

pub(crate) fn run(setting: &Setting, command: ConfigCommand) -> Result<Exit, CommandError> {
    match command {
        ConfigCommand::Show { format, settings } => {
            let loader = Loader::new(settings.call, setting.environment.clone());
            let loaded = load(&loader)?;
            match format {
                ConfigFormat::Text => print(settings::as_text(&loaded).as_bytes()),
                ConfigFormat::Json => {
                    print(format!("{:#}\n", settings::as_json(&loaded)).as_bytes())
                }
            }
        }
        ConfigCommand::Check { file } => check(setting, &file),
        ConfigCommand::Schema => print(settings::json_schema().as_bytes()),
    }
}

/// Loads settings and logs what is odd about them.
pub(super) fn load(loader: &Loader) -> Result<Loaded, CommandError> {
    let loaded = loader.load().map_err(wrong)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(loaded)
}

fn check(setting: &Setting, file: &Path) -> Result<Exit, CommandError> {
    let loaded = load(&Loader::of_file(file.to_owned()))?;
    check_addresses(setting, &loaded.settings)?;
    if let Some(warning) = without_trivy(setting, &loaded.settings) {
        tracing::warn!("{warning}");
    }
    let of_file = loaded
        .resolved
        .values()
        .filter(|one| one.origin.kind() != "default")
        .count();
    let text = format!(
        "{} is right: {}, {}.\n",
        file.display(),
        count(of_file as u64, "setting"),
        count(loaded.channels.len() as u64, "channel"),
    );
    print(text.as_bytes())
}

/// Says that settings ask for a Trivy that is not on this host. It may be where `watch` runs.
fn without_trivy(setting: &Setting, settings: &WatchSettings) -> Option<String> {
    let trivy = settings.scan.trivy.as_ref()?;
    let search_path = setting.environment.get("PATH").unwrap_or_default();
    let is_there = match &trivy.path {
        Some(path) => path.exists(),
        None => std::env::split_paths(search_path).any(|place| place.join("trivy").is_file()),
    };
    (!is_there).then(|| {
        format!(
            "{} asks for Trivy, and there is none here: watch does not start without one; without \
             this setting the native engine is used, which finds the same",
            trivy.asked_by
        )
    })
}

/// Says what is wrong with settings: exit code 2.
pub(super) fn wrong(error: SettingsError) -> CommandError {
    CommandError::usage(error).hint("every setting is described in docs/settings.md; a file is checked by: cleanbill config check FILE")
}
