//! Metrics for a Pushgateway: what `/metrics` serves, pushed when a pass is over.
//!
//! A thread of its own pushes, so a gateway that does not answer delays nothing. What could not be
//! pushed is said in the log; the next pass pushes again.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use cleanbill_core::error_chain;
use cleanbill_image::http::ApiCredential;
use cleanbill_image::{HttpOptions, ProxySettings, Secret};
use cleanbill_web::{MetricsSettings, Scraper};

use crate::api;
use crate::commands::Setting;
use crate::commands::metrics::gateway::{Group, Mode, Pushgateway};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::settings::WatchSettings;

/// The job that metrics are grouped under; the host is the instance.
const JOB: &str = "cleanbill";

/// How long one push may take, attempts that fail included.
const PUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// Where metrics are pushed to, and for whom.
pub(super) struct Target {
    gateway: Pushgateway,
    instance: String,
}

impl Target {
    /// Opens what the settings ask for; `None` if they name no gateway.
    ///
    /// # Errors
    ///
    /// The address makes no sense, or a credential would be sent in plain text.
    pub(super) fn of(
        setting: &Setting,
        settings: &WatchSettings,
    ) -> Result<Option<Self>, CommandError> {
        let Some(address) = &settings.pushgateway else {
            return Ok(None);
        };
        let environment = &setting.environment;
        let options = HttpOptions {
            ca_files: settings.ca_certs.clone(),
            proxies: ProxySettings::from_environment(|name| {
                environment.get(name).map(str::to_owned)
            }),
            offline: settings.database.is_offline,
            ..HttpOptions::default()
        };
        let gateway = Pushgateway::open(options, address, credential(environment), false)
            .map_err(|error| CommandError::usage(error).hint("see docs/metrics.md"))?;
        Ok(Some(Self {
            gateway,
            instance: settings.notify.host_name.clone(),
        }))
    }
}

/// What who pushes is told.
pub(super) enum News {
    PassOver,
    /// The settings are others.
    Target(Target),
}

/// Pushes to one gateway.
pub(super) struct Pusher {
    target: Target,
    scraper: Scraper,
}

impl Pusher {
    /// Makes one. Counters begin now.
    pub(super) fn new(target: Target, served: MetricsSettings) -> Self {
        Self {
            target,
            scraper: Scraper::new(served),
        }
    }

    /// Pushes whenever a pass is over, until nobody says so any more.
    pub(super) fn run(mut self, news: &Receiver<News>) {
        while let Ok(first) = news.recv() {
            let mut is_due = false;
            // A gateway that hangs makes passes wait: one push says the same of all of them.
            for one in std::iter::once(first).chain(news.try_iter()) {
                match one {
                    News::PassOver => is_due = true,
                    News::Target(target) => self.target = target,
                }
            }
            if is_due {
                self.push();
            }
        }
    }

    /// Replaces what the gateway has of this host.
    pub(super) fn push(&self) {
        let Target { gateway, instance } = &self.target;
        let group = Group::of_job(JOB).with("instance", Some(instance.as_str()));
        let text = self.scraper.metrics_now();
        match gateway.push(&group, text, Mode::Replace, PUSH_TIMEOUT, &api::context()) {
            Ok(()) => tracing::debug!("pushed metrics to {}", gateway.place()),
            Err(error) => tracing::warn!("metrics were not pushed: {}", error_chain(&error)),
        }
    }
}

/// Returns what the gateway wants to be shown, as `metrics push` takes it from the environment.
fn credential(environment: &Environment) -> ApiCredential {
    let secret = |name: &str| environment.get(name).map(Secret::new);
    if let Some(user) = environment.get("CLEANBILL_PUSHGATEWAY_USER") {
        let password = secret("CLEANBILL_PUSHGATEWAY_PASSWORD").unwrap_or_default();
        return ApiCredential::Basic(user.to_owned(), password);
    }
    secret("CLEANBILL_PUSHGATEWAY_TOKEN").map_or(ApiCredential::None, ApiCredential::Bearer)
}
