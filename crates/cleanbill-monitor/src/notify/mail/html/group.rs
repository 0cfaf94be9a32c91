//! One vulnerability as a card.

use std::fmt::Write as _;

use cleanbill_core::count;
use cleanbill_report::escape::markup::Line as Escaped;

use super::{CARD, DETAIL, MUTED, code, colours, link, muted};
use crate::notify::message::{Happening, Hit, VulnerabilityGroup};
use crate::notify::outline::{
    NAME_CHARS_MAX, PATH_CHARS_MAX, WORD_CHARS_MAX, are_in_several_images, clusters, command, tags,
};
use crate::notify::words::clip;

/// The edge of what is gone or accepted.
const SETTLED: &str = "#2e7d4f";

/// Names of containers that are listed for an image.
const CONTAINERS_MAX: usize = 5;

pub(super) fn write(group: &VulnerabilityGroup, out: &mut String) {
    let (background, colour) = colours(group.severity);
    let edge = if group.is_settled() {
        SETTLED
    } else {
        background
    };
    let id = clip(&group.id, WORD_CHARS_MAX);
    let _ = write!(
        out,
        "<div class=\"card\" style=\"margin:0 0 10px;padding:10px 12px;{CARD};\
         border-left:4px solid {edge}\"><div style=\"margin:0 0 2px\">"
    );
    if !group.is_bare() {
        let _ = write!(
            out,
            "<span style=\"display:inline-block;margin-right:6px;padding:0 7px;border-radius:4px;\
         background:{background};color:{colour};font-size:12px;line-height:20px;font-weight:700\">\
         {}</span>",
            group.severity.name(),
        );
    }
    let _ = write!(out, "<strong>{}</strong>", link(&group.url, &id));
    for (tag, is_strong) in tags(group) {
        let _ = match is_strong {
            true => write!(
                out,
                " <span class=\"exploited\" style=\"display:inline-block;padding:0 6px;border-radius:4px;\
                 background:#1f2933;color:#ffffff;font-size:12px;line-height:20px;\
                 font-weight:700\">{tag}</span>"
            ),
            false => write!(
                out,
                " <span class=\"muted\" style=\"{MUTED}\">· {tag}</span>"
            ),
        };
    }
    out.push_str("</div>\n");
    if !group.title.is_empty() {
        let title = clip(&group.title, DETAIL.text_chars_max);
        let _ = writeln!(
            out,
            "<div class=\"wrap\" style=\"margin:0 0 6px\">{}</div>",
            Escaped(&title)
        );
    }
    write_hits(group, out);
    out.push_str("</div>\n");
}

fn write_hits(group: &VulnerabilityGroup, out: &mut String) {
    let clusters = clusters(&group.hits);
    for cluster in clusters.iter().take(DETAIL.clusters_max) {
        write_cluster(cluster, out);
    }
    let hidden: usize = clusters
        .iter()
        .skip(DETAIL.clusters_max)
        .map(Vec::len)
        .sum();
    let hidden = hidden as u64 + group.hits_left_out;
    if hidden > 0 {
        let text = format!(
            "and {} more, in {} altogether",
            count(hidden, "hit"),
            count(group.images, "image")
        );
        muted("", &text, out);
    }
    let Some(first) = group.hits.first() else {
        return;
    };
    if !first.because.is_empty() {
        let because = clip(&first.because, DETAIL.text_chars_max);
        muted("Why: ", &Escaped(&because).to_string(), out);
    }
    let layer = match first.created_by.as_str() {
        "" if first.layer.is_empty() => None,
        "" => Some(code(&first.layer, WORD_CHARS_MAX)),
        created_by => Some(code(created_by, DETAIL.text_chars_max)),
    };
    if let Some(layer) = layer {
        // One stands for all where there are several.
        let label = match are_in_several_images(&group.hits) {
            true => format!("Layer of {}: ", code(&first.image, NAME_CHARS_MAX)),
            false => "Layer: ".to_owned(),
        };
        muted(&label, &layer, out);
    }
    if let Some(command) = command(first) {
        muted("", &code(&command, PATH_CHARS_MAX), out);
    }
}

/// Shows the package with what to do in one line, and the images in the next.
fn write_cluster(cluster: &[&Hit], out: &mut String) {
    let Some(first) = cluster.first() else { return };
    let _ = write!(
        out,
        "<div class=\"wrap hit\" style=\"margin:4px 0;padding:5px 8px;background:#f5f7fa;\
         border-radius:4px\">"
    );
    if first.package.is_empty() {
        out.push_str("resolved ");
    } else {
        let _ = write!(
            out,
            "<strong>{}</strong> {}{}<br>",
            code(&first.package, NAME_CHARS_MAX),
            code(&first.installed_version, WORD_CHARS_MAX),
            what_to_do(first),
        );
    }
    for (index, hit) in cluster.iter().take(DETAIL.images_max).enumerate() {
        let _ = write!(
            out,
            "{}{}{}",
            if index > 0 { ", " } else { "in " },
            code(&hit.image, NAME_CHARS_MAX),
            containers(&hit.containers)
        );
    }
    let hidden = cluster.len().saturating_sub(DETAIL.images_max);
    if hidden > 0 {
        let _ = write!(out, " and {hidden} more");
    }
    out.push_str("</div>\n");
}

fn what_to_do(hit: &Hit) -> String {
    if let Happening::Resolved | Happening::Accepted = hit.happening {
        return format!(" – {}", hit.happening.words());
    }
    let mut text = String::new();
    if hit.happening == Happening::SeverityChanged {
        let before = clip(&hit.severity_before, WORD_CHARS_MAX);
        let _ = write!(text, " – was {}", Escaped(&before));
    }
    if hit.fixed_version.is_empty() {
        let status = match hit.fix_status.as_str() {
            "" => "no fix known".to_owned(),
            status => clip(status, WORD_CHARS_MAX),
        };
        let _ = write!(text, " – {}", Escaped(&status));
    } else {
        let _ = write!(
            text,
            " → <strong>{}</strong>",
            code(&hit.fixed_version, WORD_CHARS_MAX)
        );
    }
    text
}

pub(super) fn containers(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = names
        .iter()
        .take(CONTAINERS_MAX)
        .map(|name| Escaped(&clip(name, WORD_CHARS_MAX)).to_string())
        .collect();
    let hidden = names.len().saturating_sub(CONTAINERS_MAX);
    let more = if hidden > 0 {
        format!(" and {hidden} more")
    } else {
        String::new()
    };
    format!(
        " <span class=\"muted\" style=\"{MUTED}\">(runs as {}{more})</span>",
        shown.join(", ")
    )
}
