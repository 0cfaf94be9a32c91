//! The generic webhook: the message itself as JSON, signed.
//!
//! The signature is HMAC-SHA256 of the time of sending (Unix seconds), a full stop and the body,
//! in the form that Stripe and others have made common. The time is signed so that nobody can
//! send an old message again; who repeats one within the minutes that a receiver allows is
//! recognised by `idempotency-key`.

#[cfg(test)]
mod tests;

use cleanbill_image::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use super::channel::{
    Channel, ChannelError, ChannelInfo, ChannelSettings, HttpChannel, Service, Surroundings,
    WebhookSettings, require,
};
use super::message::Notification;
use super::outline::Rendered;
use super::split::lengths;

pub(super) const INFO: ChannelInfo = ChannelInfo {
    name: "webhook",
    title: "Webhook",
    open,
};

/// Headers of the transport and of our own, which settings must not touch.
const OWN_HEADERS: [&str; 7] = [
    "content-type",
    "content-length",
    "transfer-encoding",
    "host",
    "idempotency-key",
    "x-cleanbill-timestamp",
    "x-cleanbill-signature",
];

#[derive(Clone, Debug)]
struct Webhook {
    signing_secret: Secret,
    headers: Vec<(String, Secret)>,
}

fn open(
    settings: &ChannelSettings,
    surroundings: &Surroundings,
) -> Option<Result<Box<dyn Channel>, ChannelError>> {
    let ChannelSettings::Webhook(settings) = settings else {
        return None;
    };
    Some(open_settings(settings, surroundings))
}

fn open_settings(
    settings: &WebhookSettings,
    surroundings: &Surroundings,
) -> Result<Box<dyn Channel>, ChannelError> {
    let url = require(&INFO, "url", settings.url.expose())?;
    for (name, value) in &settings.headers {
        check_header(name, value)?;
    }
    let service = Webhook {
        signing_secret: settings.signing_secret.clone(),
        headers: settings.headers.clone(),
    };
    HttpChannel::open(&INFO, url, settings.allow_plain_http, surroundings, service)
}

/// Refuses headers that would be refused when there is something to tell.
fn check_header(name: &str, value: &Secret) -> Result<(), ChannelError> {
    let invalid = |reason: &str| ChannelError::Invalid {
        channel: INFO.name,
        setting: "headers",
        reason: format!("has '{}', {reason}", super::words::clip(name, 80)),
    };
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(invalid("which is no name of a header"));
    }
    if OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        return Err(invalid("which is set by itself"));
    }
    let is_visible = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    if !value.expose().bytes().all(is_visible) {
        return Err(invalid(
            "whose value has characters that no header may have",
        ));
    }
    Ok(())
}

impl Service for Webhook {
    fn render(&self, message: &Notification) -> Rendered {
        // Maps with keys that are no texts do not occur, and nothing else can fail.
        let body = serde_json::to_string(message).unwrap_or_default();
        Rendered {
            body,
            shown: lengths(message).iter().sum(),
        }
    }

    fn headers(&self, message: &Notification, body: &str, now: Timestamp) -> Vec<(String, String)> {
        let timestamp = now.as_second().to_string();
        let mut headers: Vec<(String, String)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.expose().to_owned()))
            .collect();
        headers.push(("idempotency-key".to_owned(), header_safe(&message.key())));
        if let Some(signature) = signature(self.signing_secret.expose(), &timestamp, body) {
            headers.push((
                "x-cleanbill-signature".to_owned(),
                format!("v1={signature}"),
            ));
        }
        headers.push(("x-cleanbill-timestamp".to_owned(), timestamp));
        headers
    }

    fn secrets(&self) -> Vec<&str> {
        let values = self.headers.iter().map(|(_, value)| value.expose());
        values.chain([self.signing_secret.expose()]).collect()
    }

    fn is_acknowledged(&self, _: &str) -> bool {
        true
    }
}

/// Signs a body; `None` without a secret.
fn signature(secret: &str, timestamp: &str, body: &str) -> Option<String> {
    if secret.is_empty() {
        return None;
    }
    // A key of any length is one.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// Keys are ours and plain; one that is not must not break the request.
fn header_safe(key: &str) -> String {
    let is_safe = |char: &char| char.is_ascii_graphic();
    key.chars().filter(is_safe).take(200).collect()
}
