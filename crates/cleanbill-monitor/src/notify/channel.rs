//! Channels: how a message gets to people.

mod http;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use cleanbill_image::http::{HttpError, TlsSetupError};
use cleanbill_image::{HttpOptions, ReadContext};
use jiff::Timestamp;

use super::message::Notification;
use super::{discord, gotify, mattermost, ntfy, slack, smtp, teams, webhook};

pub(super) use http::{HttpChannel, Service};
pub use settings::{
    ChannelSettings, DiscordSettings, GotifySettings, MattermostSettings, NtfySettings,
    SlackSettings, SmtpEncryption, SmtpMechanism, SmtpSettings, TeamsSettings, WebhookSettings,
};

/// Every kind of channel, in the order in which the documentation has them.
pub const CHANNELS: &[ChannelInfo] = &[
    smtp::INFO,
    slack::INFO,
    webhook::INFO,
    teams::INFO,
    discord::INFO,
    mattermost::INFO,
    ntfy::INFO,
    gotify::INFO,
];

/// Describes a kind of channel.
#[derive(Clone, Copy)]
pub struct ChannelInfo {
    /// The word for it in settings and on the command line.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Opens a channel if the settings are for this kind.
    pub open: OpenChannel,
}

/// Opens a channel; `None` if the settings are for another kind.
pub type OpenChannel =
    fn(&ChannelSettings, &Surroundings) -> Option<Result<Box<dyn Channel>, ChannelError>>;

impl fmt::Debug for ChannelInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Holds what every channel needs from the process around it.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Proxies, own certificate authorities, timeouts, and whether connections may be opened at
    /// all.
    pub http: HttpOptions,
    /// Stops a delivery that is under way.
    pub context: ReadContext,
}

/// Takes messages to people.
pub trait Channel: fmt::Debug + Send + Sync {
    /// Returns which kind it is.
    fn info(&self) -> &'static ChannelInfo;

    /// Splits a message into those that are delivered on their own, because the service takes
    /// only short ones or because each recipient may fail alone. Each has a
    /// [key](Notification::key) of its own, and the same message is always split the same way.
    fn split(&self, message: Notification) -> Vec<Notification>;

    /// Returns what would be sent, for a person to read. No secret is in it.
    ///
    /// # Errors
    ///
    /// The message cannot be sent at all.
    fn preview(&self, message: &Notification) -> Result<String, DeliveryError>;

    /// Delivers a message as it is; blocks until the service has taken it, or a timeout. `now` is
    /// what receivers check signatures against.
    ///
    /// # Errors
    ///
    /// The service has not taken it, or did not say so. It may have it all the same.
    fn deliver(&self, message: &Notification, now: Timestamp) -> Result<Receipt, DeliveryError>;
}

/// Says that a service has taken a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// What it answered, in one line, for the delivery log.
    pub text: String,
}

/// Says why a message was not delivered. No secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct DeliveryError {
    /// The same message will never be taken.
    pub is_permanent: bool,
    /// How long the service wants to be left alone.
    pub retry_after: Option<Duration>,
    /// What happened, in one line.
    pub text: String,
}

impl DeliveryError {
    pub(super) fn permanent(text: impl Into<String>) -> Self {
        Self {
            is_permanent: true,
            retry_after: None,
            text: text.into(),
        }
    }

    pub(super) fn temporary(text: impl Into<String>) -> Self {
        Self {
            is_permanent: false,
            ..Self::permanent(text)
        }
    }
}

/// Says why a channel cannot be opened. No secret is in it.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// A setting is missing.
    #[error("{channel}: {setting} is not set")]
    Missing {
        /// The kind of channel.
        channel: &'static str,
        /// The setting.
        setting: &'static str,
    },
    /// A setting makes no sense.
    #[error("{channel}: {setting} {reason}")]
    Invalid {
        /// The kind of channel.
        channel: &'static str,
        /// The setting.
        setting: &'static str,
        /// What is wrong with it; the value is named only where it is no secret.
        reason: String,
    },
    /// The address cannot be posted to.
    #[error("{channel}: the address cannot be used")]
    Address {
        /// The kind of channel.
        channel: &'static str,
        /// Why not.
        #[source]
        source: HttpError,
    },
    /// The certificates to trust cannot be loaded.
    #[error("{channel}: TLS cannot be set up")]
    Tls {
        /// The kind of channel.
        channel: &'static str,
        /// Why not.
        #[source]
        source: TlsSetupError,
    },
    /// No kind of channel takes these settings.
    #[error("there is no such kind of channel")]
    Unknown,
}

/// Opens a channel: checks its settings; nothing is connected yet.
///
/// # Errors
///
/// The settings make no sense.
pub fn open_channel(
    settings: &ChannelSettings,
    surroundings: &Surroundings,
) -> Result<Box<dyn Channel>, ChannelError> {
    CHANNELS
        .iter()
        .find_map(|info| (info.open)(settings, surroundings))
        .unwrap_or(Err(ChannelError::Unknown))
}

/// Returns a setting that must not be empty.
pub(super) fn require<'a>(
    info: &ChannelInfo,
    setting: &'static str,
    value: &'a str,
) -> Result<&'a str, ChannelError> {
    match value.trim() {
        "" => Err(ChannelError::Missing {
            channel: info.name,
            setting,
        }),
        value => Ok(value),
    }
}

/// Makes a text of a service fit for one line of a log.
pub(super) fn one_line(text: &str, chars_max: usize) -> String {
    let cleaned = cleanbill_report::text::clean(text.trim());
    let words: Vec<&str> = cleaned.split_whitespace().collect();
    cleanbill_report::text::truncate(&words.join(" "), chars_max).into_owned()
}
