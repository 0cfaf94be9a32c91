//! Sending one message now, without the outbox.

use std::fmt::Write as _;
use std::time::Duration;

use cleanbill_monitor::Channels;
use cleanbill_monitor::notify::{
    CHANNELS, Channel, DeliveryError, Notification, Receipt, Redelivery, RedeliveryPolicy,
    test_message,
};
use cleanbill_report::text::clean;
use jiff::Timestamp;

use super::super::{Setting, print};
use crate::channels;
use crate::commands::status::settings;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::{Call, WatchSettings, nearest};
use crate::stop;

/// Other words for kinds of channels.
const ALIASES: &[(&str, &str)] = &[("email", "smtp"), ("mail", "smtp"), ("msteams", "teams")];

/// Sends a test message to each of some channels, to all if none is named.
pub(super) fn test(
    setting: &Setting,
    names: &[String],
    is_dry_run: bool,
    call: Call,
) -> Result<Exit, CommandError> {
    let settings = settings(setting, call)?;
    let open = channels::open(&settings, &setting.environment, &stop::flag())?;
    let mut chosen: Vec<(&str, &dyn Channel)> = Vec::new();
    for name in names {
        let (name, channel) = choose(&open, name)?;
        if !chosen.iter().any(|(other, _)| *other == name) {
            chosen.push((name, channel));
        }
    }
    if names.is_empty() {
        let all = open.iter();
        chosen.extend(all.map(|(name, channel)| (name.as_str(), channel.as_ref())));
    }
    if chosen.is_empty() {
        return Err(none_is_set_up());
    }
    let send = |name: &str, channel: &dyn Channel| {
        let id = uuid::Uuid::now_v7().to_string();
        let composing = composing(&settings, name);
        let message = test_message(&id, Timestamp::now(), &composing);
        let mut outcome = Outcome::new(is_dry_run, &settings);
        outcome.send(name, channel, message);
        outcome
    };
    // All at the same time: one that does not answer must not use up the time of the others.
    let outcome = std::thread::scope(|scope| {
        let send = &send;
        let workers: Vec<_> = chosen
            .into_iter()
            .map(|(name, channel)| scope.spawn(move || send(name, channel)))
            .collect();
        let mut all = Outcome::new(is_dry_run, &settings);
        for worker in workers {
            let outcome = worker.join();
            all.add(&outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    outcome.print()
}

/// Returns how messages to a channel are composed.
pub(super) fn composing(
    settings: &WatchSettings,
    channel: &str,
) -> cleanbill_monitor::notify::ComposeSettings {
    let mut composing = channels::composing(settings);
    if let Some(prefix) = channels::subject_prefixes(settings).remove(channel) {
        composing.subject_prefix = prefix;
    }
    // The logs are those of watch, which says nothing here.
    composing.report = settings.notify.report_url.clone().unwrap_or_default();
    composing
}

/// Returns the kind that a word means, if it means one.
pub(super) fn kind(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let meant = ALIASES
        .iter()
        .find(|(alias, _)| *alias == lower)
        .map_or(lower.as_str(), |(_, kind)| kind);
    CHANNELS
        .iter()
        .map(|info| info.name)
        .find(|name| *name == meant)
}

/// Finds a channel by its name, or by its kind if that is set up.
pub(super) fn choose<'a>(
    open: &'a Channels,
    name: &str,
) -> Result<(&'a str, &'a dyn Channel), CommandError> {
    let found = open
        .get_key_value(name)
        .or_else(|| open.get_key_value(kind(name)?));
    if let Some((name, channel)) = found {
        return Ok((name, channel.as_ref()));
    }
    if let Some(kind) = kind(name) {
        let error = CommandError::usage_text(format!("no channel of kind {kind} is set up"));
        return Err(error.hint(needs(kind)));
    }
    let of_settings: Vec<&str> = open.keys().map(String::as_str).collect();
    Err(unknown(name, &of_settings))
}

/// Says that there is no such channel, and which there are beside those of the settings.
fn unknown(name: &str, of_settings: &[&str]) -> CommandError {
    let error = CommandError::usage_text(format!("there is no channel '{name}'"));
    let kinds = CHANNELS.iter().map(|info| info.name);
    let mut known: Vec<&str> = of_settings.to_vec();
    known.extend(kinds.filter(|kind| !of_settings.contains(kind)));
    let error = match nearest(name, known.iter().copied()) {
        Some(meant) => error.hint(format!("did you mean {meant}?")),
        None => error,
    };
    error.hint(format!("there are {}", known.join(", ")))
}

/// Says what sets a kind of channel up.
fn needs(kind: &str) -> String {
    let fields = match kind {
        "smtp" => "SMTP_HOST and SMTP_TO",
        "slack" => "SLACK_WEBHOOK_URL, or --webhook-url",
        "webhook" => "CLEANBILL_WEBHOOK_URL, or --webhook-url",
        "ntfy" => "CLEANBILL_NTFY_TOPIC",
        "gotify" => "CLEANBILL_GOTIFY_URL and CLEANBILL_GOTIFY_TOKEN",
        kind => {
            return format!(
                "set CLEANBILL_{}_WEBHOOK_URL, or --webhook-url; see docs/notifications.md",
                kind.to_ascii_uppercase()
            );
        }
    };
    format!("set {fields} (a .env file counts with --env-file .env); see docs/notifications.md")
}

fn none_is_set_up() -> CommandError {
    CommandError::usage_text("no channel is set up")
        .hint("docs/notifications.md says what each needs; a .env file counts with --env-file .env")
}

/// Attempts to send a message; nobody keeps it for later, so a short disturbance is waited for.
const ATTEMPTS: RedeliveryPolicy = RedeliveryPolicy {
    attempts_max: 4,
    delay_first: Duration::from_secs(2),
    delay_max: Duration::from_secs(10),
    // Whoever asks for more is not waited for.
    retry_after_max: Duration::from_secs(30),
};

/// How often it is tried where no connection may be opened.
const ATTEMPTS_OFFLINE: RedeliveryPolicy = RedeliveryPolicy {
    attempts_max: 1,
    ..ATTEMPTS
};

/// Sends to the channel of this name until it is done, given up, or tried often enough. Ctrl-C and `--timeout` end the waiting.
fn patiently(
    name: &str,
    policy: RedeliveryPolicy,
    mut send: impl FnMut() -> Result<Receipt, DeliveryError>,
) -> Result<Receipt, DeliveryError> {
    let mut attempt = 1;
    let mut last = None;
    loop {
        let error = match send() {
            Ok(receipt) => return Ok(receipt),
            // What was cut off says nothing.
            Err(_) if stop::is_requested() => return Err(cut_off(last)),
            Err(error) => error,
        };
        let is_too_long = error
            .retry_after
            .is_some_and(|wanted| wanted > policy.retry_after_max);
        match policy.decide(attempt, &error, 1.0) {
            Redelivery::After(pause) if !is_too_long => {
                tracing::warn!(
                    "{}: {}; trying again in {} s",
                    clean(name),
                    clean(&error.text),
                    pause.as_secs()
                );
                if !stop::sleep(pause) {
                    return Err(cut_off(Some(error)));
                }
            }
            _ => return Err(error),
        }
        last = Some(error);
        attempt += 1;
    }
}

/// Says why nothing is attempted any more; `last` is what became of the attempt before.
fn cut_off(last: Option<DeliveryError>) -> DeliveryError {
    let why = if stop::has_timed_out() {
        "no answer before --timeout"
    } else {
        "stopped"
    };
    DeliveryError {
        is_permanent: false,
        retry_after: None,
        text: match last {
            Some(last) => format!("{why}; before: {}", last.text),
            None => why.to_owned(),
        },
    }
}

/// Collects what came of sending.
pub(super) struct Outcome {
    text: String,
    is_dry_run: bool,
    policy: RedeliveryPolicy,
    exit: Exit,
}

impl Outcome {
    pub(super) fn new(is_dry_run: bool, settings: &WatchSettings) -> Self {
        let policy = match settings.database.is_offline {
            true => ATTEMPTS_OFFLINE,
            false => ATTEMPTS,
        };
        Self {
            text: String::new(),
            is_dry_run,
            policy,
            exit: Exit::Clean,
        }
    }

    /// Adds what came of sending elsewhere.
    fn add(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.exit = self.exit.and(other.exit);
    }

    /// Sends a message, part by part, or shows what would be sent.
    pub(super) fn send(&mut self, name: &str, channel: &dyn Channel, message: Notification) {
        for part in channel.split(message) {
            let name = match part.recipient.as_str() {
                "" => name.to_owned(),
                recipient => format!("{name} ({recipient})"),
            };
            if self.is_dry_run {
                self.show(&name, channel, &part);
            } else {
                self.deliver(&name, channel, &part);
            }
        }
    }

    fn show(&mut self, name: &str, channel: &dyn Channel, part: &Notification) {
        match channel.preview(part) {
            Ok(preview) => {
                self.line(&format!("--- {name}: would be sent"));
                for line in preview.lines() {
                    self.line(line);
                }
            }
            Err(error) => self.fail(name, &error.text),
        }
    }

    fn deliver(&mut self, name: &str, channel: &dyn Channel, part: &Notification) {
        match patiently(name, self.policy, || {
            channel.deliver(part, Timestamp::now())
        }) {
            Ok(receipt) if receipt.text.is_empty() => self.line(&format!("{name}: delivered")),
            Ok(receipt) => self.line(&format!("{name}: delivered ({})", receipt.text)),
            Err(error) => self.fail(name, &error.text),
        }
    }

    fn fail(&mut self, name: &str, why: &str) {
        self.line(&format!("{name}: NOT DELIVERED: {why}"));
        let is_stopped = stop::is_requested() && !stop::has_timed_out();
        self.exit = self.exit.and(if is_stopped {
            Exit::Interrupted
        } else {
            Exit::Incomplete
        });
    }

    fn line(&mut self, line: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{}", clean(line));
    }

    /// Prints it. What was not delivered makes the exit code 3, or 130 if it was stopped.
    pub(super) fn print(self) -> Result<Exit, CommandError> {
        print(self.text.as_bytes()).map(|printed| self.exit.and(printed))
    }
}
