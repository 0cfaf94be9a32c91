//! Sentences that several media share. What comes from outside is cleaned and clipped here; the
//! markup escapes it.

use cleanbill_core::Severity;
use cleanbill_core::count;
use cleanbill_report::text::clean;
use jiff::{Timestamp, tz::TimeZone};

use super::message::{
    Counts, ExpiringException, ImageLine, Notification, NotificationKind, Totals,
};

/// Makes a text fit for one line of at most `chars_max` characters.
pub(super) fn clip(text: &str, chars_max: usize) -> String {
    // Cleaning looks at what could be shown only: texts may be huge.
    let start: String = text.chars().take(chars_max.saturating_mul(4)).collect();
    let is_whole = start.len() == text.len();
    let cleaned = clean(&start);
    let words: Vec<&str> = cleaned.split_whitespace().collect();
    let line = words.join(" ");
    if is_whole && line.chars().count() <= chars_max {
        return line;
    }
    let mut line: String = line.chars().take(chars_max.saturating_sub(1)).collect();
    line.push('…');
    line
}

/// Says in one line what the message says.
pub(super) fn title(message: &Notification) -> String {
    format!("{}{}", decided(message), happened(message))
}

/// Says what the gate decided, in front of what else there is to say; empty if none judged.
pub(super) fn decided(message: &Notification) -> &'static str {
    match &message.gate {
        None => "",
        Some(gate) if gate.has_passed => "The gate passes: ",
        Some(_) => "The gate fails: ",
    }
}

/// Reasons of a gate that are shown, and characters of each.
const REASONS_SHOWN: usize = 5;
const REASON_CHARS_MAX: usize = 200;

/// Says why the gate fails, a line for each rule; nothing if it passes.
pub(super) fn gate_reasons(message: &Notification) -> Vec<String> {
    let Some(gate) = &message.gate else {
        return Vec::new();
    };
    let shown = gate.reasons.iter().take(REASONS_SHOWN);
    let mut lines: Vec<String> = shown.map(|reason| clip(reason, REASON_CHARS_MAX)).collect();
    let more = (gate.reasons.len() - lines.len()) as u64 + gate.reasons_left_out;
    if more > 0 {
        lines.push(format!("and {}", count(more, "more rule")));
    }
    lines
}

fn happened(message: &Notification) -> String {
    let totals = &message.totals;
    match message.kind {
        NotificationKind::Changes => changes_title(totals),
        NotificationKind::Digest => format!("Digest: {}", changes_title(totals)),
        NotificationKind::Errors => {
            format!(
                "{} could not be assessed completely",
                count(totals.assessment_lost, "image")
            )
        }
        NotificationKind::Heartbeat => heartbeat_title(message),
        NotificationKind::Test => "Test message: this channel works".to_owned(),
        NotificationKind::Summary => summary_title(totals),
    }
}

/// What nobody could look at comes first: few findings say nothing then.
fn summary_title(totals: &Totals) -> String {
    let found = vulnerabilities(&totals.findings);
    let images = count(totals.images, "image");
    let failed = match totals.errors {
        0 => return format!("{found} in {images}"),
        all if all == totals.images => images,
        some => format!("{some} of {images}"),
    };
    let failed = format!("{failed} could not be assessed completely");
    if totals.errors == totals.images && totals.findings.total() == 0 {
        return failed;
    }
    format!("{failed}; {found} found")
}

/// Says how many vulnerabilities there are, and how many findings where several packages have the
/// same: `47 vulnerabilities (63 findings)`.
fn vulnerabilities(counts: &Counts) -> String {
    let distinct = count(counts.distinct, "vulnerability");
    match counts.total() {
        findings if findings == counts.distinct => distinct,
        findings => format!("{distinct} ({})", count(findings, "finding")),
    }
}

/// Says which severities are told; empty if all are.
pub(super) fn told(message: &Notification) -> String {
    let names: Vec<String> = message
        .severities
        .iter()
        .take(Severity::ALL.len())
        .map(|name| clip(name, 20))
        .collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("Only these severities are told: {}.", names.join(", ")),
    }
}

/// Says how many images were looked at, and how many of them not completely.
pub(super) fn looked_at(totals: &Totals) -> String {
    let images = count(totals.images, "image");
    match totals.errors {
        0 => format!("{images} looked at"),
        errors => format!("{images} looked at, {errors} not assessed completely"),
    }
}

fn changes_title(totals: &Totals) -> String {
    let mut parts = happenings(totals);
    if totals.errors > 0 {
        parts.push(format!("{} not assessed", totals.errors));
    }
    parts.extend(baselines_lost(totals));
    let images = count(totals.images_changed, "image");
    match parts.is_empty() {
        true => format!("{images} changed"),
        false => format!("{images} changed: {}", parts.join(", ")),
    }
}

/// Says how many baselines could not be read; nothing if all could.
pub(super) fn baselines_lost(totals: &Totals) -> Option<String> {
    let lost = totals.baselines_lost;
    (lost > 0).then(|| format!("{} not readable", count(lost, "baseline")))
}

/// Says why a baseline could not be read, what the image is compared with instead, and what to do.
pub(super) fn baseline_lost(reason: &str, is_beginning: bool) -> String {
    let instead = match is_beginning {
        true => "what is found now is the beginning, and none of it is told as new",
        false => "the image is compared with the look before",
    };
    format!(
        "its baseline could not be read: {instead}; restore the file, or accept what is found with \
         cleanbill baseline save ({reason})"
    )
}

/// Says what happened how often; what did not happen is not named.
fn happenings(totals: &Totals) -> Vec<String> {
    [
        (totals.known_exploited, "now exploited"),
        (totals.new, "new"),
        (totals.severity_changed, "rated anew"),
        (totals.fix_available, "fixable now"),
        (totals.accepted, "accepted"),
        (totals.resolved, "resolved"),
        (totals.assessment_regained, "assessed again"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, words)| format!("{number} {words}"))
    .collect()
}

fn heartbeat_title(message: &Notification) -> String {
    let totals = &message.totals;
    let assessed = totals.images.saturating_sub(totals.errors);
    let database = database_age(message);
    if totals.errors > 0 {
        return format!(
            "No change, but {} not assessed completely: {assessed} of {} assessed, {database}",
            count(totals.errors, "image"),
            totals.images,
        );
    }
    let images = count(totals.images, "image");
    if is_database_stale(message) {
        return format!("No change, but look at this: {images} assessed, {database}");
    }
    format!("All quiet: {images} assessed, {database}")
}

/// Hours after which a database says too little for quiet to mean anything. It is built every six
/// hours, so this is not a matter of a weekend without network.
const DATABASE_AGE_HOURS_MAX: i64 = 4 * 24;

/// Says whether the advisory database is missing or old.
pub(super) fn is_database_stale(message: &Notification) -> bool {
    message.database_updated_at.is_none_or(|updated_at| {
        message.time.duration_since(updated_at).as_hours() > DATABASE_AGE_HOURS_MAX
    })
}

/// Says how old the advisory database is.
pub(super) fn database_age(message: &Notification) -> String {
    let Some(updated_at) = message.database_updated_at else {
        return "no advisory database".to_owned();
    };
    let hours = message.time.duration_since(updated_at).as_hours().max(0);
    match hours {
        0..48 => format!("database {hours} h old"),
        _ => format!("database {} days old", hours / 24),
    }
}

/// Names the part, where there are several.
pub(super) fn part(message: &Notification) -> String {
    match message.part.of {
        0 | 1 => String::new(),
        of => format!(" ({} of {of})", message.part.number),
    }
}

/// Writes a time to the minute.
pub(super) fn minute(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M UTC")
        .to_string()
}

/// Writes a probability as a percentage.
pub(super) fn percentage(score: f64) -> String {
    match score * 100.0 {
        percent if percent >= 99.95 => "100 %".to_owned(),
        percent if percent >= 10.0 => format!("{percent:.0} %"),
        percent => format!("{percent:.1} %"),
    }
}

/// Says how many findings of each severity an image has: in the news as the older script did, and
/// in a summary, which nobody parses, with the nouns.
/// `counts: 3 | CRITICAL: 1, HIGH: 2, MEDIUM: 0, LOW: 0, UNKNOWN: 0`.
pub(super) fn counts(line: &ImageLine, kind: NotificationKind) -> String {
    let by_severity = line.counts.by_severity();
    match kind {
        NotificationKind::Summary => format!("{}: {by_severity}", vulnerabilities(&line.counts)),
        _ => format!(
            "counts: {} | {by_severity}{}",
            line.counts.distinct,
            nouns(&line.counts)
        ),
    }
}

/// Says what the two sorts of numbers count, where they differ: severities count findings.
fn nouns(counts: &Counts) -> String {
    match counts.total() {
        findings if findings == counts.distinct => String::new(),
        findings => format!(
            " ({}, {})",
            count(counts.distinct, "vulnerability"),
            count(findings, "finding")
        ),
    }
}

/// Says what was found. A severity without findings is not named: it may be one that nobody looked
/// for.
pub(super) fn found(counts: &Counts) -> String {
    let found: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, counts.of(severity)))
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| format!("{}: {number}", severity.name()))
        .collect();
    match found.is_empty() {
        true => "no findings".to_owned(),
        false => format!(
            "{} ({})",
            count(counts.total(), "finding"),
            found.join(", ")
        ),
    }
}

/// Says why a message comes that no change is behind; empty for the others.
pub(super) const fn purpose(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::Test => {
            "Somebody asked Cleanbill for a test message. Nothing else happened."
        }
        NotificationKind::Heartbeat => {
            "This message proves that silence means quiet. It comes when nothing else has come \
             for a while."
        }
        NotificationKind::Summary
        | NotificationKind::Changes
        | NotificationKind::Digest
        | NotificationKind::Errors => "",
    }
}

/// Says what happened to an image, as the older script did.
pub(super) fn image_changes(line: &ImageLine) -> String {
    let mut text = format!("new {}; resolved {}", line.new, line.resolved);
    if line.accepted > 0 {
        text = format!("{text}; accepted {}", line.accepted);
    }
    if line.other > 0 {
        text = format!("{text}; changed {}", line.other);
    }
    if line.is_regained {
        text.push_str("; assessed again");
    }
    text
}

/// Says how many images could not be assessed before either; empty if none.
pub(super) fn known_failures(message: &Notification) -> String {
    match message.failures_known {
        0 => String::new(),
        number => format!(
            "Still not assessed completely: {}; cleanbill status names {}.",
            count(number, "image"),
            if number == 1 { "it" } else { "them" }
        ),
    }
}

/// Exceptions that are named.
const EXPIRING_SHOWN: usize = 5;

/// Says which exceptions expire soon; empty if none.
pub(super) fn expiring(message: &Notification) -> String {
    let all = &message.exceptions_expiring;
    if all.is_empty() {
        return String::new();
    }
    let name = |one: &ExpiringException| {
        let owner = match one.owner.as_str() {
            "" => String::new(),
            owner => format!(" ({})", clip(owner, 40)),
        };
        format!(
            "{}{owner} on {}",
            clip(&one.rule, 60),
            clip(&one.expires, 30)
        )
    };
    let named: Vec<String> = all.iter().take(EXPIRING_SHOWN).map(name).collect();
    let more = match all.len().saturating_sub(EXPIRING_SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("Exceptions that expire soon: {}{more}.", named.join("; "))
}

/// Counts what a message leaves out.
pub(super) fn left_out(message: &Notification, shown: usize) -> String {
    let [failures, groups, images] = super::split::lengths(message);
    let hidden = |before: usize, length: usize, more: u64| {
        let shown_here = shown.saturating_sub(before).min(length);
        (length - shown_here) as u64 + more
    };
    let image = match message.kind {
        NotificationKind::Summary => "image",
        _ => "changed image",
    };
    let parts: Vec<String> = [
        (hidden(0, failures, message.failures_left_out), "failure"),
        (
            hidden(failures, groups, message.vulnerabilities_left_out),
            "vulnerability",
        ),
        (
            hidden(failures + groups, images, message.images_left_out),
            image,
        ),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, noun)| count(number, noun))
    .collect();
    parts.join(", ")
}
