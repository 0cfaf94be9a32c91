//! Opens the channels that the settings name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cleanbill_core::ImagePattern;
use cleanbill_image::{HttpOptions, ProxySettings, ReadContext, Secret};
use cleanbill_monitor::Channels;
use cleanbill_monitor::notify::{
    ChannelSettings, ComposeSettings, Digest, DiscordSettings, GotifySettings, MattermostSettings,
    NtfySettings, QuietHours, Route, RouteRules, SlackSettings, SmtpEncryption, SmtpMechanism,
    SmtpSettings, Surroundings, TeamsSettings, Timing, WebhookSettings, open_channel,
};

use crate::environment::Environment;
use crate::error::CommandError;
use crate::settings::{
    ChannelTarget, SmtpEncryption as Encryption, SmtpSettings as SmtpTarget, WatchSettings,
};

/// Opens every channel of the settings. Nothing is connected yet. `cut_off` ends deliveries that are
/// under way.
///
/// # Errors
///
/// A channel lacks something, or what it has makes no sense.
pub(crate) fn open(
    settings: &WatchSettings,
    environment: &Environment,
    cut_off: &Arc<AtomicBool>,
) -> Result<Channels, CommandError> {
    let mut channels = Channels::new();
    for channel in &settings.notify.channels {
        let surroundings = surroundings(settings, environment, &channel.target, cut_off);
        let opened = open_channel(&target(&channel.target), &surroundings).map_err(|error| {
            CommandError::usage(
                anyhow::Error::new(error).context(format!("channel {}", channel.name)),
            )
        })?;
        channels.insert(channel.name.clone(), opened);
    }
    Ok(channels)
}

/// Returns what the channels need of this process.
fn surroundings(
    settings: &WatchSettings,
    environment: &Environment,
    target: &ChannelTarget,
    cut_off: &Arc<AtomicBool>,
) -> Surroundings {
    let mut ca_files = settings.ca_certs.clone();
    if let ChannelTarget::Smtp(smtp) = target {
        ca_files.extend(smtp.ca_cert.clone());
    }
    Surroundings {
        http: HttpOptions {
            ca_files,
            proxies: ProxySettings::from_environment(|name| {
                environment.get(name).map(str::to_owned)
            }),
            offline: settings.database.is_offline,
            ..HttpOptions::default()
        },
        context: ReadContext {
            cancelled: Arc::clone(cut_off),
            ..ReadContext::default()
        },
    }
}

fn target(target: &ChannelTarget) -> ChannelSettings {
    match target {
        ChannelTarget::Smtp(target) => ChannelSettings::Smtp(smtp(target)),
        ChannelTarget::Slack { webhook_url } => ChannelSettings::Slack(SlackSettings {
            webhook_url: webhook_url.clone(),
            ..SlackSettings::default()
        }),
        ChannelTarget::Webhook {
            url,
            signing_key,
            authorization,
        } => ChannelSettings::Webhook(WebhookSettings {
            url: url.clone(),
            signing_secret: or_empty(signing_key),
            headers: authorization
                .iter()
                .map(|value| ("Authorization".to_owned(), value.clone()))
                .collect(),
            ..WebhookSettings::default()
        }),
        ChannelTarget::Teams { webhook_url } => ChannelSettings::Teams(TeamsSettings {
            webhook_url: webhook_url.clone(),
            ..TeamsSettings::default()
        }),
        ChannelTarget::Discord { webhook_url } => ChannelSettings::Discord(DiscordSettings {
            webhook_url: webhook_url.clone(),
            ..DiscordSettings::default()
        }),
        ChannelTarget::Mattermost { webhook_url } => {
            ChannelSettings::Mattermost(MattermostSettings {
                webhook_url: webhook_url.clone(),
                ..MattermostSettings::default()
            })
        }
        ChannelTarget::Ntfy { url, topic, token } => ChannelSettings::Ntfy(NtfySettings {
            server: url.clone(),
            topic: topic.clone(),
            token: or_empty(token),
            ..NtfySettings::default()
        }),
        ChannelTarget::Gotify { url, token } => ChannelSettings::Gotify(GotifySettings {
            server: url.clone(),
            token: token.clone(),
            ..GotifySettings::default()
        }),
    }
}

fn smtp(target: &SmtpTarget) -> SmtpSettings {
    SmtpSettings {
        host: target.host.clone(),
        port: target.port,
        encryption: match target.encryption {
            Encryption::None => SmtpEncryption::None,
            Encryption::StartTls => SmtpEncryption::StartTls,
            Encryption::Implicit => SmtpEncryption::Tls,
        },
        user: target.user.clone().unwrap_or_default(),
        password: or_empty(&target.password),
        mechanism: match target.auth.as_str() {
            "plain" => SmtpMechanism::Plain,
            "login" => SmtpMechanism::Login,
            "xoauth2" => SmtpMechanism::Xoauth2,
            _ => SmtpMechanism::Automatic,
        },
        from: target.from.clone(),
        to: target.to.clone(),
        hello_name: target.hello_name.clone().unwrap_or_default(),
    }
}

fn or_empty(secret: &Option<Secret>) -> Secret {
    secret.clone().unwrap_or_default()
}

/// Returns who hears of what.
///
/// # Errors
///
/// A pattern makes no sense.
pub(crate) fn routes(settings: &WatchSettings) -> Result<RouteRules, CommandError> {
    let notify = &settings.notify;
    let route = |route: &crate::settings::Route| -> Result<Route, CommandError> {
        Ok(Route {
            channels: route.channels.clone(),
            severities: route.severities.clone(),
            images: patterns(&route.images)?,
            labels: route.labels.clone().into_iter().collect(),
        })
    };
    Ok(RouteRules {
        channels: notify
            .channels
            .iter()
            .map(|channel| channel.name.clone())
            .collect(),
        routes: notify.routes.iter().map(route).collect::<Result<_, _>>()?,
    })
}

/// Reads patterns of image names.
///
/// # Errors
///
/// One of them is empty.
pub(crate) fn patterns(texts: &[String]) -> Result<Vec<ImagePattern>, CommandError> {
    texts
        .iter()
        .map(|text| text.parse().map_err(CommandError::usage))
        .collect()
}

/// Returns when people are told.
pub(crate) fn timing(settings: &WatchSettings) -> Timing {
    let notify = &settings.notify;
    Timing {
        time_zone: settings.schedule.time_zone.clone(),
        digest: notify.digest_at.map(Digest::Daily),
        quiet: notify.quiet_hours.map(|hours| QuietHours {
            from: hours.from,
            to: hours.to,
        }),
        ..Timing::default()
    }
}

/// Returns how messages are composed.
pub(crate) fn composing(settings: &WatchSettings) -> ComposeSettings {
    let notify = &settings.notify;
    ComposeSettings {
        host: notify.host_name.clone(),
        report: notify
            .report_url
            .clone()
            .unwrap_or_else(|| settings.log_directory.display().to_string()),
        database: database(settings),
        vulnerabilities_max: notify.list_max,
        ..ComposeSettings::default()
    }
}

/// Returns the directory of the advisory database if a setting names it; a command that is pasted
/// is run from anywhere.
fn database(settings: &WatchSettings) -> String {
    let path = settings.database.path.as_deref();
    let path = path.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    path.map_or_else(String::new, |path| path.display().to_string())
}

/// Returns what goes in front of the subject of each channel's messages.
pub(crate) fn subject_prefixes(settings: &WatchSettings) -> BTreeMap<String, String> {
    let channels = settings.notify.channels.iter();
    channels
        .filter_map(|channel| match &channel.target {
            ChannelTarget::Smtp(smtp) => Some((channel.name.clone(), smtp.subject_prefix.clone())),
            _ => None,
        })
        .collect()
}
