//! `cleanbill notify list`: the outbox and the delivery log.

use cleanbill_monitor::notify::Notification;
use cleanbill_report::listing::{Heading, Listing, Text, Tone};
use cleanbill_store::state::{DeliveryRow, MessageState, OutboxRow};
use jiff::Timestamp;
use serde::Serialize;

use super::super::{Setting, print};
use crate::cli::ListFormat;
use crate::commands::status::words::{distance, rfc3339};
use crate::commands::status::{SCHEMA_VERSION, json, open, state_directory, unreadable};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;
use crate::settings::Call;

pub(super) fn run(
    setting: &Setting,
    limit: usize,
    format: ListFormat,
    call: Call,
) -> Result<Exit, CommandError> {
    let state = open(&state_directory(setting, call)?)?;
    let messages = state.outbox_list(None, limit).map_err(unreadable)?;
    let deliveries = state.delivery_list(limit).map_err(unreadable)?;
    let text = match format {
        ListFormat::Json => json(&Log::of(&messages, &deliveries))?,
        ListFormat::Table => {
            let mut listing = output::listing(setting.global.color, &setting.environment);
            write(&messages, &deliveries, Timestamp::now(), &mut listing);
            listing.finish()
        }
    };
    print(text.as_bytes())
}

/// What is printed for programs.
#[derive(Debug, Serialize)]
pub(super) struct Log<'a> {
    schema_version: u32,
    /// The latest first.
    messages: Vec<MessageEntry<'a>>,
    /// The latest first.
    deliveries: Vec<DeliveryEntry<'a>>,
}

#[derive(Debug, Serialize)]
struct MessageEntry<'a> {
    number: i64,
    channel: &'a str,
    /// The idempotency key.
    id: &'a str,
    /// `pending`, `delivered` or `dead`.
    state: &'static str,
    /// `changes`, `digest`, `errors`, `heartbeat` …; empty if the message is damaged.
    kind: &'static str,
    created_at: String,
    attempts: u32,
    next_attempt_at: Option<String>,
    finished_at: Option<String>,
    last_error: &'a str,
}

#[derive(Debug, Serialize)]
struct DeliveryEntry<'a> {
    message: i64,
    channel: &'a str,
    at: String,
    /// `delivered`, `retry` or `dead`.
    outcome: &'a str,
    /// What the other side said.
    text: &'a str,
}

impl<'a> Log<'a> {
    pub(super) fn of(messages: &'a [OutboxRow], deliveries: &'a [DeliveryRow]) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            messages: messages.iter().map(MessageEntry::of).collect(),
            deliveries: deliveries
                .iter()
                .map(|row| DeliveryEntry {
                    message: row.message.0,
                    channel: &row.channel,
                    at: rfc3339(row.at),
                    outcome: &row.outcome,
                    text: &row.text,
                })
                .collect(),
        }
    }
}

impl<'a> MessageEntry<'a> {
    fn of(row: &'a OutboxRow) -> Self {
        let is_pending = row.state == MessageState::Pending;
        Self {
            number: row.number.0,
            channel: &row.channel,
            id: &row.message_id,
            state: row.state.name(),
            kind: kind(row),
            created_at: rfc3339(row.created_at),
            attempts: row.attempts,
            next_attempt_at: is_pending.then(|| rfc3339(row.next_attempt_at)),
            finished_at: row.finished_at.map(rfc3339),
            last_error: &row.last_error,
        }
    }
}

fn kind(row: &OutboxRow) -> &'static str {
    serde_json::from_slice::<Notification>(&row.payload).map_or("", |message| message.kind.name())
}

/// Writes both lists for people.
pub(super) fn write(
    messages: &[OutboxRow],
    deliveries: &[DeliveryRow],
    now: Timestamp,
    listing: &mut Listing,
) {
    if messages.is_empty() {
        listing.paragraph("", &Text::plain("No message was made yet."));
        return;
    }
    listing.title("Messages");
    let headings = [
        Heading::number("NO"),
        Heading::text("CHANNEL", 7, 20),
        Heading::text("STATE", 9, 10),
        Heading::text("ABOUT", 7, 10),
        Heading::text("MADE", 8, 14),
        Heading::text("NEXT", 8, 14),
        Heading::number("TRIED"),
        Heading::rest("LAST ERROR"),
    ];
    let rows: Vec<Vec<Text>> = messages.iter().map(|row| message(row, now)).collect();
    listing.table(&headings, &rows);
    if deliveries.is_empty() {
        return;
    }
    listing.gap();
    listing.title("Attempts to deliver");
    let headings = [
        Heading::text("WHEN", 8, 14),
        Heading::number("NO"),
        Heading::text("CHANNEL", 7, 20),
        Heading::text("OUTCOME", 9, 10),
        Heading::rest("ANSWER"),
    ];
    let rows: Vec<Vec<Text>> = deliveries.iter().map(|row| delivery(row, now)).collect();
    listing.table(&headings, &rows);
}

fn message(row: &OutboxRow, now: Timestamp) -> Vec<Text> {
    let (state, next) = match row.state {
        MessageState::Pending => (
            Text::new("to be sent", Tone::Notice),
            distance(row.next_attempt_at, now),
        ),
        MessageState::Delivered => (Text::new("delivered", Tone::Good), String::new()),
        MessageState::Dead => (Text::new("given up", Tone::Alarm), String::new()),
    };
    vec![
        Text::plain(&row.number.to_string()),
        Text::plain(&row.channel),
        state,
        Text::plain(kind(row)),
        Text::plain(&distance(row.created_at, now)),
        Text::plain(&next),
        Text::plain(&row.attempts.to_string()),
        Text::plain(&row.last_error),
    ]
}

fn delivery(row: &DeliveryRow, now: Timestamp) -> Vec<Text> {
    let outcome = match row.outcome.as_str() {
        "delivered" => Text::new("delivered", Tone::Good),
        "dead" => Text::new("given up", Tone::Alarm),
        _ => Text::new("put off", Tone::Notice),
    };
    vec![
        Text::plain(&distance(row.at, now)),
        Text::plain(&row.message.0.to_string()),
        Text::plain(&row.channel),
        outcome,
        Text::plain(&row.text),
    ]
}
