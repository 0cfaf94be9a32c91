//! Channels and routes: who is told.
//!
//! The fields of a channel are the settings below `notify.KIND`: set there, by flag or by the
//! environment, they make one channel that is called by its kind. `notify.channels` in the
//! configuration file makes more, each with a name, a `kind` and the same fields.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cleanbill_core::Severity;
use cleanbill_image::Secret;

use super::resolve::{Resolved, Values};
use super::table::{SETTINGS, Setting};

/// Kinds of channels, and the fields that each needs.
pub(crate) const CHANNEL_KINDS: &[(&str, &[&str])] = &[
    ("smtp", &["host", "to"]),
    ("slack", &["webhook_url"]),
    ("webhook", &["url"]),
    ("teams", &["webhook_url"]),
    ("discord", &["webhook_url"]),
    ("mattermost", &["webhook_url"]),
    ("ntfy", &["topic"]),
    ("gotify", &["url", "token"]),
];

/// A place that messages go to.
#[derive(Clone, Debug)]
pub(crate) struct ChannelSettings {
    /// What routes call it.
    pub(crate) name: String,
    /// How it is reached.
    pub(crate) target: ChannelTarget,
}

/// Says how a channel is reached.
#[derive(Clone, Debug)]
pub(crate) enum ChannelTarget {
    Smtp(SmtpSettings),
    Slack {
        webhook_url: Secret,
    },
    Webhook {
        url: Secret,
        signing_key: Option<Secret>,
        authorization: Option<Secret>,
    },
    Teams {
        webhook_url: Secret,
    },
    Discord {
        webhook_url: Secret,
    },
    Mattermost {
        webhook_url: Secret,
    },
    Ntfy {
        url: String,
        topic: Secret,
        token: Option<Secret>,
    },
    Gotify {
        url: String,
        token: Secret,
    },
}

/// Holds what mail needs.
#[derive(Clone, Debug)]
pub(crate) struct SmtpSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Without one there is no authentication.
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// `auto`, `plain`, `login` or `xoauth2`.
    pub(crate) auth: String,
    pub(crate) from: String,
    /// At least one.
    pub(crate) to: Vec<String>,
    pub(crate) encryption: SmtpEncryption,
    pub(crate) ca_cert: Option<PathBuf>,
    pub(crate) hello_name: Option<String>,
    pub(crate) subject_prefix: String,
}

/// Says how mail is encrypted on its way; none falls back to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SmtpEncryption {
    /// Not at all.
    None,
    /// By STARTTLS, which the server must offer.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// Says what goes where. A change goes to the channels of every route that it fits; with no route
/// at all, to every channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// Severities that it takes; all if empty.
    pub(crate) severities: Vec<Severity>,
    /// Patterns of image names; all if empty.
    pub(crate) images: Vec<String>,
    /// Labels that a container of the image must have.
    pub(crate) labels: BTreeMap<String, String>,
    /// Names of channels; at least one.
    pub(crate) channels: Vec<String>,
}

/// Returns the settings that are the fields of a kind of channel.
pub(crate) fn fields(kind: &str) -> impl Iterator<Item = &'static Setting> {
    let prefix = format!("notify.{kind}.");
    SETTINGS
        .iter()
        .filter(move |setting| setting.key.starts_with(&prefix))
}

/// Returns the fields that a channel needs and does not have.
pub(crate) fn missing(kind: &str, values: &BTreeMap<&'static str, Resolved>) -> Vec<&'static str> {
    let required = CHANNEL_KINDS
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or(&[][..], |(_, required)| *required);
    let is_missing = |field: &&str| {
        values
            .get(format!("notify.{kind}.{field}").as_str())
            .is_none_or(|resolved| resolved.is_empty())
    };
    required.iter().copied().filter(|f| is_missing(f)).collect()
}

/// Makes a channel of its fields, none of which is missing.
pub(crate) fn channel(
    name: &str,
    kind: &'static str,
    values: &BTreeMap<&'static str, Resolved>,
) -> ChannelSettings {
    let values = Values(values);
    let key = |field: &str| format!("notify.{kind}.{field}");
    let text = |field: &str| values.text(&key(field)).unwrap_or_default();
    let secret = |field: &str| values.secret(&key(field)).unwrap_or_default();
    let target = match kind {
        "slack" => ChannelTarget::Slack {
            webhook_url: secret("webhook_url"),
        },
        "webhook" => ChannelTarget::Webhook {
            url: secret("url"),
            signing_key: values.secret(&key("signing_key")),
            authorization: values.secret(&key("authorization")),
        },
        "teams" => ChannelTarget::Teams {
            webhook_url: secret("webhook_url"),
        },
        "discord" => ChannelTarget::Discord {
            webhook_url: secret("webhook_url"),
        },
        "mattermost" => ChannelTarget::Mattermost {
            webhook_url: secret("webhook_url"),
        },
        "ntfy" => ChannelTarget::Ntfy {
            url: text("url"),
            topic: secret("topic"),
            token: values.secret(&key("token")),
        },
        "gotify" => ChannelTarget::Gotify {
            url: text("url"),
            token: secret("token"),
        },
        _ => ChannelTarget::Smtp(smtp(&values)),
    };
    ChannelSettings {
        name: name.to_owned(),
        target,
    }
}

fn smtp(values: &Values<'_>) -> SmtpSettings {
    let encryption = match (
        values.boolean("notify.smtp.tls"),
        values.boolean("notify.smtp.starttls"),
    ) {
        (false, _) => SmtpEncryption::None,
        (true, true) => SmtpEncryption::StartTls,
        (true, false) => SmtpEncryption::Implicit,
    };
    SmtpSettings {
        host: values.text("notify.smtp.host").unwrap_or_default(),
        port: u16::try_from(values.number("notify.smtp.port").unwrap_or(587)).unwrap_or(587),
        user: values.text("notify.smtp.user"),
        password: values.secret("notify.smtp.password"),
        auth: values.text("notify.smtp.auth").unwrap_or_default(),
        from: values.text("notify.smtp.from").unwrap_or_default(),
        to: values.list("notify.smtp.to"),
        encryption,
        ca_cert: values.path("notify.smtp.ca_cert"),
        hello_name: values.text("notify.smtp.hello_name"),
        subject_prefix: values
            .text("notify.smtp.subject_prefix")
            .unwrap_or_default(),
    }
}
