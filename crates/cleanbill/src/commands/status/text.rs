//! The status for people.

use cleanbill_core::Severity;
use cleanbill_core::count;
use cleanbill_report::listing::{Heading, Listing, Text, Tone};
use indicatif::HumanBytes;

use super::facts::{Findings, Images, Pass, Queue, Status};
use super::words::{distance, duration, minute, when};

/// Columns of the names of facts.
const NAMES: usize = 10;

/// Writes the status.
pub(super) fn write(status: &Status, listing: &mut Listing) {
    let mut fact = |name: &str, text: Text| listing.fact(name, NAMES, &text);
    fact("State", place(status));
    fact("Images", images(&status.images));
    fact("Containers", Text::plain(&status.containers.to_string()));
    fact("Findings", findings(status));
    fact("Database", database(status));
    fact("Last pass", last_pass(status));
    fact("Next pass", next_pass(status));
    fact("Messages", queue(&status.queue, status));
    incomplete(status, listing);
    messages(status, listing);
    problems(status, listing);
}

fn place(status: &Status) -> Text {
    let size = HumanBytes(status.state.size_bytes);
    Text::plain(&status.state.directory).and(Text::new(&format!("({size})"), Tone::Dim))
}

fn images(images: &Images) -> Text {
    let mut text = Text::plain(&format!("{} watched", images.watched));
    for (number, words, tone) in [
        (images.complete, "assessed", Tone::Good),
        (images.partial, "PARTIAL", Tone::Alarm),
        (images.failed, "NOT ASSESSED", Tone::Alarm),
        (images.not_assessed, "not looked at yet", Tone::Notice),
        (images.gone, "gone", Tone::Dim),
    ] {
        if number > 0 {
            text = text
                .and(Text::new("·", Tone::Dim))
                .and(Text::new(&format!("{number} {words}"), tone));
        }
    }
    text
}

fn findings(status: &Status) -> Text {
    let is_known = status.images.complete + status.images.partial > 0;
    match is_known {
        true => severity_counts(status.findings),
        false => Text::plain("none known: no image was assessed"),
    }
}

/// Lists the severities that occur, worst first.
pub(in crate::commands) fn severity_counts(findings: Findings) -> Text {
    let of_severity = |severity: Severity| {
        let number = findings.get(severity);
        let words = format!("{number} {}", severity.lower_name());
        (number > 0).then(|| Text::new(&words, Tone::Severity(severity)))
    };
    Severity::ALL
        .into_iter()
        .filter_map(of_severity)
        .reduce(|text, more| text.and(Text::new("·", Tone::Dim)).and(more))
        .unwrap_or_else(|| Text::new("no findings", Tone::Good))
}

fn database(status: &Status) -> Text {
    match &status.database {
        Some(database) => {
            let age = distance(database.updated_at_ms, status.now);
            let built = minute(database.updated_at_ms);
            Text::plain(&format!("built {built} ({age})"))
        }
        None => Text::new("none was used yet", Tone::Notice),
    }
}

fn last_pass(status: &Status) -> Text {
    let passes = &status.passes;
    let Some(last) = &passes.last else {
        return Text::new("none yet", Tone::Notice);
    };
    if let Some(finished_at) = last.finished_at_ms {
        return finished(last, finished_at, status);
    }
    let begun = format!("begun {}", when(last.started_at_ms, status.now));
    let text = Text::new(&begun, Tone::Notice).and(Text::plain("and not finished;"));
    match &passes.last_finished {
        Some(before) => {
            let finished_at = before.finished_at_ms.unwrap_or(before.started_at_ms);
            text.and(Text::plain("the one before: "))
                .and(finished(before, finished_at, status))
        }
        None => text.and(Text::plain("none was finished yet")),
    }
}

fn finished(pass: &Pass, finished_at: i64, status: &Status) -> Text {
    let took = finished_at.saturating_sub(pass.started_at_ms);
    let text = Text::plain(&format!(
        "{}, {}, took {}",
        when(finished_at, status.now),
        count(pass.images, "image"),
        duration(took.unsigned_abs())
    ));
    match pass.incomplete {
        0 => text,
        incomplete => text.and(Text::new(
            &format!("· {incomplete} not assessed completely"),
            Tone::Alarm,
        )),
    }
}

fn next_pass(status: &Status) -> Text {
    let text = match status.passes.next_at_ms {
        Some(at) if at < status.now.as_millisecond() => {
            Text::new(&format!("due since {}", when(at, status.now)), Tone::Notice)
        }
        Some(at) => Text::plain(&when(at, status.now)),
        None => return Text::plain("when cleanbill watch starts"),
    };
    match &status.passes.schedule {
        Some(schedule) => text.and(Text::new(&format!("· {schedule}"), Tone::Dim)),
        None => text,
    }
}

fn queue(queue: &Queue, status: &Status) -> Text {
    let changes = count(queue.changes_untold, "change");
    let mut text = Text::plain(&format!("{changes} to be told ·"))
        .and(Text::count(queue.messages_pending, Tone::Notice))
        .and(Text::plain("to be sent ·"))
        .and(Text::count(queue.messages_dead, Tone::Alarm))
        .and(Text::plain("given up"));
    if let Some(at) = queue.oldest_pending_at_ms {
        let waits = format!("· the oldest waits since {}", when(at, status.now));
        text = text.and(Text::new(&waits, Tone::Notice));
    }
    let delivered = match queue.last_delivered_at_ms {
        Some(at) => format!("· last delivered {}", when(at, status.now)),
        None => "· none was delivered yet".to_owned(),
    };
    text.and(Text::plain(&delivered))
}

fn incomplete(status: &Status, listing: &mut Listing) {
    if status.incomplete.is_empty() {
        return;
    }
    listing.gap();
    listing.title("Not assessed completely");
    let rows: Vec<Vec<Text>> = status
        .incomplete
        .iter()
        .map(|image| {
            let (word, tone) = match image.status {
                "partial" => ("PARTIAL", Tone::Alarm),
                "failed" => ("NOT ASSESSED", Tone::Alarm),
                _ => ("not yet", Tone::Notice),
            };
            let reason = Text::plain(&image.reason);
            let reason = match image.next_look_at_ms {
                Some(at) => reason.and(Text::new(
                    &format!("(looked at again {})", distance(at, status.now)),
                    Tone::Dim,
                )),
                None => reason,
            };
            vec![Text::plain(&image.image), Text::new(word, tone), reason]
        })
        .collect();
    let headings = [
        Heading::text("IMAGE", 12, 60),
        Heading::text("STATUS", 8, 12),
        Heading::rest("WHY"),
    ];
    listing.table(&headings, &rows);
}

fn messages(status: &Status, listing: &mut Listing) {
    if status.queue.messages.is_empty() {
        return;
    }
    listing.gap();
    listing.title("Messages on their way");
    let rows: Vec<Vec<Text>> = status
        .queue
        .messages
        .iter()
        .map(|message| {
            let state = match message.state {
                "dead" => Text::new("given up", Tone::Alarm),
                _ => Text::new("to be sent", Tone::Notice),
            };
            vec![
                Text::plain(&message.number.to_string()),
                Text::plain(&message.channel),
                state,
                Text::plain(&distance(message.created_at_ms, status.now)),
                Text::plain(&message.attempts.to_string()),
                Text::plain(&message.last_error),
            ]
        })
        .collect();
    let headings = [
        Heading::number("NO"),
        Heading::text("CHANNEL", 7, 20),
        Heading::text("STATE", 8, 10),
        Heading::text("MADE", 8, 14),
        Heading::number("TRIED"),
        Heading::rest("LAST ERROR"),
    ];
    listing.table(&headings, &rows);
}

fn problems(status: &Status, listing: &mut Listing) {
    if status.problems.is_empty() {
        return;
    }
    listing.gap();
    for problem in &status.problems {
        let text =
            Text::new(&format!("! {}:", problem.text), Tone::Alarm).and(Text::plain(problem.hint));
        listing.paragraph("", &text);
    }
}
