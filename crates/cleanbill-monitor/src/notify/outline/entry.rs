//! Failures, vulnerabilities and images as lines.

use cleanbill_core::Severity;
use cleanbill_core::count;
use cleanbill_report::escape::link::web_address;

use super::{Detail, Entry, Line, NAME_CHARS_MAX, PATH_CHARS_MAX, Piece, WORD_CHARS_MAX};
use crate::notify::message::{
    Failure, Happening, Hit, ImageLine, NotificationKind, VulnerabilityGroup,
};
use crate::notify::words::{self, clip};

/// Names of containers that are listed for an image.
const CONTAINERS_MAX: usize = 3;

/// Characters that say that a baseline could not be read: less than a line has.
pub(in crate::notify) const BASELINE_CHARS_MAX: usize = 480;

pub(super) fn failure(failure: &Failure, detail: Detail) -> Entry {
    let mut pieces = vec![name(&failure.image)];
    let is_partial = failure.status == "partial";
    pieces.push(text(": "));
    pieces.push(Piece::Strong(
        if is_partial {
            "NOT ASSESSED COMPLETELY"
        } else {
            "ERROR"
        }
        .to_owned(),
    ));
    if !failure.log_path.is_empty() {
        pieces.extend([text(" (see "), place(&failure.log_path), text(")")]);
    }
    if !failure.reason.is_empty() {
        pieces.push(text(": "));
        pieces.push(Piece::Text(clip(&failure.reason, detail.text_chars_max)));
    }
    Entry {
        severity: None,
        is_failure: true,
        lines: vec![Line::item(pieces)],
    }
}

pub(super) fn image(line: &ImageLine, kind: NotificationKind, detail: Detail) -> Entry {
    let mut pieces = vec![name(&line.image), text(": ")];
    if kind != NotificationKind::Summary {
        pieces.push(text(format!("{} | ", words::image_changes(line))));
    }
    pieces.push(text(words::counts(line, kind)));
    if !line.log_path.is_empty() && detail.images_max >= Detail::MAIL.images_max {
        pieces.extend([text("; details: "), place(&line.log_path)]);
    }
    let mut lines = vec![Line::item(pieces)];
    if !line.baseline.is_empty() {
        let baseline = clip(&line.baseline, BASELINE_CHARS_MAX);
        lines.push(Line::of(vec![Piece::Strong(baseline)]));
    }
    Entry {
        severity: None,
        is_failure: false,
        lines,
    }
}

pub(super) fn group(group: &VulnerabilityGroup, detail: Detail) -> Entry {
    let mut lines = vec![headline(group)];
    if !group.title.is_empty() {
        lines.push(Line::text(clip(&group.title, detail.text_chars_max)));
    }
    let clusters = clusters(&group.hits);
    for cluster in clusters.iter().take(detail.clusters_max) {
        lines.push(cluster_line(cluster, detail));
    }
    let hidden: usize = clusters
        .iter()
        .skip(detail.clusters_max)
        .map(Vec::len)
        .sum();
    let hidden = hidden as u64 + group.hits_left_out;
    if hidden > 0 {
        lines.push(Line::item(vec![text(format!(
            "and {} more, in {} altogether",
            count(hidden, "hit"),
            count(group.images, "image")
        ))]));
    }
    lines.extend(origin_lines(&clusters, detail));
    if detail.shows_origin {
        let command = group.hits.first().and_then(command);
        lines.extend(command.map(|command| Line::of(vec![Piece::Code(command)])));
    }
    Entry {
        severity: Some(group.severity),
        is_failure: false,
        lines,
    }
}

/// Returns the command that shows a hit again: whole or not at all, because it is pasted into
/// shells.
pub(in crate::notify) fn command(hit: &Hit) -> Option<String> {
    let command = clip(&hit.command, PATH_CHARS_MAX);
    (!command.is_empty() && command == hit.command).then_some(command)
}

/// Returns a mark that is seen at a glance; the word for the severity always stands beside it.
pub(in crate::notify) fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴",
        Severity::High => "🟠",
        Severity::Medium => "🟡",
        Severity::Low => "🔵",
        Severity::Unknown => "⚪",
    }
}

fn headline(group: &VulnerabilityGroup) -> Line {
    let id = clip(&group.id, WORD_CHARS_MAX);
    let mut pieces = Vec::new();
    if !group.is_bare() {
        pieces.push(Piece::Strong(group.severity.name().to_owned()));
        pieces.push(text(" "));
    }
    pieces.push(match web_address(&group.url) {
        Some(url) if url.len() <= PATH_CHARS_MAX => Piece::Link {
            text: id,
            url: url.to_owned(),
        },
        _ => Piece::Strong(id),
    });
    pieces.extend(tags(group).into_iter().flat_map(|(tag, is_strong)| {
        let tag = if is_strong {
            Piece::Strong(tag)
        } else {
            Piece::Text(tag)
        };
        [text(" · "), tag]
    }));
    Line::of(pieces)
}

/// Returns what else the headline says, and whether it stands out.
pub(in crate::notify) fn tags(group: &VulnerabilityGroup) -> Vec<(String, bool)> {
    let mut tags: Vec<(String, bool)> = group
        .happenings
        .iter()
        .filter(|happening| **happening != Happening::Present)
        .map(|happening| (happening.words().to_owned(), false))
        .collect();
    if group.is_known_exploited {
        tags.push(("KNOWN EXPLOITED".to_owned(), true));
    }
    if let Some(score) = group.epss_score {
        tags.push((format!("EPSS {}", words::percentage(score)), false));
    }
    tags
}

/// Puts together the hits that differ in the image only.
pub(in crate::notify) fn clusters(hits: &[Hit]) -> Vec<Vec<&Hit>> {
    let mut clusters: Vec<Vec<&Hit>> = Vec::new();
    for hit in hits {
        let is_alike = |cluster: &&mut Vec<&Hit>| {
            cluster.first().is_some_and(|first| {
                first.happening == hit.happening
                    && first.package == hit.package
                    && first.installed_version == hit.installed_version
                    && first.fixed_version == hit.fixed_version
                    && first.fix_status == hit.fix_status
                    && first.severity_before == hit.severity_before
                    && first.because == hit.because
            })
        };
        match clusters.iter_mut().find(is_alike) {
            Some(cluster) => cluster.push(hit),
            None => clusters.push(vec![hit]),
        }
    }
    clusters
}

fn cluster_line(cluster: &[&Hit], detail: Detail) -> Line {
    let Some(first) = cluster.first() else {
        return Line::default();
    };
    let mut pieces = Vec::new();
    if !first.package.is_empty() {
        pieces.extend([name(&first.package), text(" ")]);
        pieces.extend([word(&first.installed_version), text(": ")]);
    }
    pieces.extend(what_to_do(first));
    pieces.push(text(" – in "));
    for (index, hit) in cluster.iter().take(detail.images_max).enumerate() {
        if index > 0 {
            pieces.push(text(", "));
        }
        pieces.push(name(&hit.image));
        pieces.extend(containers(&hit.containers));
    }
    let hidden = cluster.len().saturating_sub(detail.images_max);
    if hidden > 0 {
        pieces.push(text(format!(" and {hidden} more")));
    }
    Line::item(pieces)
}

/// Says what a hit asks for.
fn what_to_do(hit: &Hit) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if let Happening::Resolved | Happening::Accepted = hit.happening {
        return vec![text(hit.happening.words())];
    }
    if hit.happening == Happening::SeverityChanged {
        let before = clip(&hit.severity_before, WORD_CHARS_MAX);
        pieces.push(text(format!("was {before}, ")));
    }
    if hit.fixed_version.is_empty() {
        let status = match hit.fix_status.as_str() {
            "" => "no fix known".to_owned(),
            status => clip(status, WORD_CHARS_MAX),
        };
        pieces.push(Piece::Text(status));
    } else {
        pieces.push(text("upgrade to "));
        pieces.push(word(&hit.fixed_version));
    }
    pieces
}

fn containers(names: &[String]) -> Vec<Piece> {
    if names.is_empty() {
        return Vec::new();
    }
    let mut pieces = vec![text(" (runs as ")];
    for (index, container) in names.iter().take(CONTAINERS_MAX).enumerate() {
        if index > 0 {
            pieces.push(text(", "));
        }
        pieces.push(word(container));
    }
    let hidden = names.len().saturating_sub(CONTAINERS_MAX);
    if hidden > 0 {
        pieces.push(text(format!(" and {hidden} more")));
    }
    pieces.push(text(")"));
    pieces
}

/// Says why it happened, and in which layer: the first hit stands for the others, and where they
/// are in several images, its image is named.
fn origin_lines(clusters: &[Vec<&Hit>], detail: Detail) -> Vec<Line> {
    let mut lines = Vec::new();
    let Some(first) = clusters.first().and_then(|cluster| cluster.first()) else {
        return lines;
    };
    if !first.because.is_empty() {
        let because = clip(&first.because, detail.text_chars_max);
        lines.push(Line::text(format!("Why: {because}")));
    }
    if !detail.shows_origin {
        return lines;
    }
    if !first.created_by.is_empty() {
        let created_by = Piece::Code(clip(&first.created_by, detail.text_chars_max));
        lines.push(layer_line(clusters, first, created_by));
    } else if !first.layer.is_empty() {
        lines.push(layer_line(clusters, first, word(&first.layer)));
    }
    lines
}

fn layer_line(clusters: &[Vec<&Hit>], first: &Hit, layer: Piece) -> Line {
    let mut pieces = vec![text("Layer")];
    if are_in_several_images(clusters.iter().flatten().copied()) {
        pieces.extend([text(" of "), name(&first.image)]);
    }
    pieces.extend([text(": "), layer]);
    Line::of(pieces)
}

/// Says whether hits are in several images, of which only one can be shown in detail.
pub(in crate::notify) fn are_in_several_images<'a>(
    hits: impl IntoIterator<Item = &'a Hit>,
) -> bool {
    let mut images = hits.into_iter().map(|hit| &hit.image);
    let first = images.next();
    images.any(|image| Some(image) != first)
}

/// Shows where something is: as a link if it is a web address.
pub(super) fn place(text: &str) -> Piece {
    match web_address(text) {
        Some(url) if url.len() <= PATH_CHARS_MAX => Piece::Link {
            text: url.to_owned(),
            url: url.to_owned(),
        },
        _ => Piece::Code(clip(text, PATH_CHARS_MAX)),
    }
}

fn name(text: &str) -> Piece {
    Piece::Code(clip(text, NAME_CHARS_MAX))
}

fn word(text: &str) -> Piece {
    Piece::Code(clip(text, WORD_CHARS_MAX))
}

fn text(text: impl Into<String>) -> Piece {
    Piece::Text(text.into())
}
