//! Headers and parts of a mail.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use sha2::{Digest as _, Sha256};

use crate::notify::channel::DeliveryError;
use crate::notify::mail::Mail;
use crate::notify::message::Notification;

/// Builds the bytes of a mail: the same for the same message, so that a copy is recognised.
pub(super) fn build(
    from: &Mailbox,
    to: &[Mailbox],
    mail: &Mail,
    message: &Notification,
) -> Result<Vec<u8>, DeliveryError> {
    let domain = from.email.domain();
    let mut builder = Message::builder()
        .from(from.clone())
        .subject(&mail.subject)
        .date(sent_at(message))
        .message_id(Some(message_id(&message.id, domain)))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"));
    for mailbox in to {
        builder = builder.to(mailbox.clone());
    }
    if let Some(last) = message.references.last() {
        let references: Vec<String> = message
            .references
            .iter()
            .map(|id| message_id(id, domain))
            .collect();
        builder = builder
            .in_reply_to(message_id(last, domain))
            .references(references.join(" "));
    }
    let parts = MultiPart::alternative()
        .boundary(format!("cleanbill-{}", digest(&message.id)))
        .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
        .singlepart(part(ContentType::TEXT_HTML, &mail.html));
    let built = builder.multipart(parts).map_err(|error| {
        DeliveryError::permanent(format!("the mail cannot be written: {error}"))
    })?;
    Ok(built.formatted())
}

/// Names the mail that a message becomes: nobody has to remember it.
fn message_id(id: &str, domain: &str) -> String {
    format!("<{}@{domain}>", digest(id))
}

fn digest(id: &str) -> String {
    hex::encode(Sha256::digest(id.as_bytes()))
        .chars()
        .take(32)
        .collect()
}

fn sent_at(message: &Notification) -> SystemTime {
    let seconds = u64::try_from(message.time.as_second()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Everything is encoded so that lines are short and ASCII, whatever the server can do.
fn part(kind: ContentType, body: &str) -> SinglePart {
    SinglePart::builder()
        .header(kind)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(body.to_owned())
}
