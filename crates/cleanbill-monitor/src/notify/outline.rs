//! A message as lines of marked pieces: what the renderers for chat services and plain text have
//! in common. Every text in it is cleaned and clipped; the markup of a service escapes it.

mod entry;
mod markup;
#[cfg(test)]
mod tests;

use cleanbill_core::Severity;

use super::message::{Notification, NotificationKind};
use super::split::lengths;
use super::words::{self, clip};

pub(super) use entry::{BASELINE_CHARS_MAX, are_in_several_images, clusters, command, mark, tags};
pub(super) use markup::{Markdown, Markup, PlainText, SlackText, write_line};

/// What a service gets, and how many entries of the message it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) body: String,
    pub(super) shown: usize,
}

/// Says how much of each entry is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detail {
    /// Groups of hits of a vulnerability that have the same package, version and cause.
    pub(super) clusters_max: usize,
    /// Images that are named for each of them.
    pub(super) images_max: usize,
    /// Characters of a title, a reason, a line of an image's history.
    pub(super) text_chars_max: usize,
    /// The layer and the command that explains are shown too.
    pub(super) shows_origin: bool,
}

impl Detail {
    /// What fits on a telephone.
    pub(super) const BRIEF: Self = Self {
        clusters_max: 3,
        images_max: 3,
        text_chars_max: 120,
        shows_origin: false,
    };

    /// What fits into a window beside the work.
    pub(super) const CHAT: Self = Self {
        clusters_max: 4,
        images_max: 5,
        text_chars_max: 160,
        shows_origin: true,
    };

    /// What somebody who opened a mail wants to read.
    pub(super) const MAIL: Self = Self {
        clusters_max: 10,
        images_max: 10,
        text_chars_max: 240,
        shows_origin: true,
    };
}

/// Characters of a name: of an image, a package, a container, a host. Names of images have at
/// most 255 and a tag of 128.
pub(super) const NAME_CHARS_MAX: usize = 200;

/// Characters of a version, an id, a status.
pub(super) const WORD_CHARS_MAX: usize = 80;

/// Characters of a path or an address.
pub(super) const PATH_CHARS_MAX: usize = 300;

/// Characters of a line before it is escaped. No service needs more than five for one, and none
/// takes fewer than 2,900 in one piece.
const LINE_CHARS_MAX: usize = 500;

/// Part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Words.
    Text(String),
    /// Words that stand out.
    Strong(String),
    /// A name, a version, a path, a command.
    Code(String),
    /// Words that lead to a web address.
    Link {
        /// The words.
        text: String,
        /// The address, checked.
        url: String,
    },
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// It is an item of a list.
    pub(super) is_item: bool,
    /// Its pieces.
    pub(super) pieces: Vec<Piece>,
}

/// One failure, vulnerability or image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// How bad it is; `None` if that is not what it is about.
    pub(super) severity: Option<Severity>,
    /// It is about an image that could not be assessed completely.
    pub(super) is_failure: bool,
    /// What there is to say, most important first.
    pub(super) lines: Vec<Line>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outline {
    /// What it says, in one line.
    pub(super) title: String,
    /// The lines below.
    pub(super) summary: Vec<Line>,
    /// What is shown.
    pub(super) entries: Vec<Entry>,
    /// The lines at the end: what was left out, where the rest is, who speaks.
    pub(super) footer: Vec<Line>,
}

impl Outline {
    /// Lays out a message with its first `shown` entries.
    pub(super) fn new(message: &Notification, shown: usize, detail: Detail) -> Self {
        let failures = message
            .failures
            .iter()
            .map(|failure| entry::failure(failure, detail));
        let groups = message
            .vulnerabilities
            .iter()
            .map(|group| entry::group(group, detail));
        let images = message
            .images
            .iter()
            .map(|image| entry::image(image, message.kind, detail));
        let entries = failures.chain(groups).chain(images).take(shown);
        Self {
            title: words::title(message) + &words::part(message),
            summary: summary(message),
            entries: entries.map(Entry::bounded).collect(),
            footer: footer(message, shown),
        }
    }
}

impl Entry {
    /// Shortens each line to [`LINE_CHARS_MAX`] by leaving out whole pieces.
    fn bounded(mut self) -> Self {
        for line in &mut self.lines {
            let mut left = LINE_CHARS_MAX;
            let count = line.pieces.len();
            line.pieces.retain(|piece| {
                left = left.saturating_sub(piece.char_count());
                left > 0
            });
            if line.pieces.len() < count {
                line.pieces.push(Piece::Text(" …".to_owned()));
            }
        }
        self
    }
}

impl Piece {
    fn char_count(&self) -> usize {
        match self {
            Piece::Text(text) | Piece::Strong(text) | Piece::Code(text) => text.chars().count(),
            Piece::Link { text, url } => text.chars().count() + url.len(),
        }
    }
}

/// Joins lines, as many from the start as fit: a line is never cut. Each line alone fits, so the
/// first is always there.
pub(super) fn join_lines(lines: &[String], size_max: usize, size: fn(&str) -> usize) -> String {
    const MORE: &str = "\n…";
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let is_last = index + 1 == lines.len();
        let reserve = if is_last { 0 } else { size(MORE) };
        if index > 0 && size(&text) + 1 + size(line) + reserve > size_max {
            text.push_str(MORE);
            return text;
        }
        if index > 0 {
            text.push('\n');
        }
        text.push_str(line);
    }
    text
}

/// Measures a text as services do that count characters: none counts
/// more than this.
pub(super) fn utf16_units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Shows as many entries as fit. `build` lays out a number of them; nothing but the frame always
/// fits.
pub(super) fn render_fitting(
    message: &Notification,
    build: impl Fn(usize) -> String,
    fits: impl Fn(&str) -> bool,
) -> Rendered {
    let all: usize = lengths(message).iter().sum();
    let body = build(all);
    if fits(&body) {
        return Rendered { body, shown: all };
    }
    let (mut shown, mut too_many) = (0, all);
    while shown + 1 < too_many {
        let middle = shown.midpoint(too_many);
        if fits(&build(middle)) {
            shown = middle;
        } else {
            too_many = middle;
        }
    }
    Rendered {
        body: build(shown),
        shown,
    }
}

impl Line {
    pub(super) fn of(pieces: Vec<Piece>) -> Self {
        Self {
            is_item: false,
            pieces,
        }
    }

    pub(super) fn item(pieces: Vec<Piece>) -> Self {
        Self {
            is_item: true,
            pieces,
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::of(vec![Piece::Text(text.into())])
    }
}

fn summary(message: &Notification) -> Vec<Line> {
    let mut lines = Vec::new();
    let totals = &message.totals;
    let purpose = words::purpose(message.kind);
    if !purpose.is_empty() {
        lines.push(Line::text(purpose));
    }
    if let Some(since) = message.since {
        lines.push(Line::text(format!(
            "From {} to {}.",
            words::minute(since),
            words::minute(message.time)
        )));
    }
    if message.part.number == 1 {
        lines.extend(gate(message));
    }
    let told = words::told(message);
    if !told.is_empty() {
        lines.push(Line::text(told));
    }
    if totals.images > 0 && message.part.number == 1 {
        lines.push(Line::text(format!(
            "{}: {}",
            words::looked_at(totals),
            words::found(&totals.findings)
        )));
    }
    lines
}

/// Says why the gate fails; nothing if it passes, which the title says.
fn gate(message: &Notification) -> Vec<Line> {
    let reasons = words::gate_reasons(message);
    let heading = (!reasons.is_empty()).then(|| Piece::Strong("Why the gate fails:".to_owned()));
    let items = reasons
        .into_iter()
        .map(|reason| Line::item(vec![Piece::Text(reason)]));
    heading
        .map(|piece| Line::of(vec![piece]))
        .into_iter()
        .chain(items)
        .collect()
}

fn footer(message: &Notification, shown: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let left_out = words::left_out(message, shown);
    if !left_out.is_empty() {
        lines.push(Line::of(vec![Piece::Strong(format!(
            "Not shown: {left_out}."
        ))]));
    }
    let known = words::known_failures(message);
    if !known.is_empty() {
        lines.push(Line::text(known));
    }
    let expiring = words::expiring(message);
    if !expiring.is_empty() {
        lines.push(Line::text(expiring));
    }
    if !message.report.is_empty() {
        lines.push(Line::of(vec![
            Piece::Text("Full report: ".to_owned()),
            entry::place(&message.report),
        ]));
    }
    let mut signature = format!("Cleanbill · {}", words::minute(message.time));
    if message.kind != NotificationKind::Test {
        signature = format!("{signature} · {}", words::database_age(message));
    }
    let mut pieces = vec![Piece::Text(signature)];
    if !message.host.is_empty() {
        pieces.push(Piece::Text(" · ".to_owned()));
        pieces.push(Piece::Code(clip(&message.host, WORD_CHARS_MAX)));
    }
    lines.push(Line::of(pieces));
    lines
}
