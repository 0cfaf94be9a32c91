//! The answer for people.

use cleanbill_core::count;
use cleanbill_report::listing::{Heading, Listing, Text, Tone};

use super::super::status::words::distance;
use super::{Answer, Hit, Query};

/// Writes the answer.
pub(super) fn write(answer: &Answer, listing: &mut Listing) {
    for (index, query) in answer.queries.iter().enumerate() {
        if index > 0 {
            listing.gap();
        }
        write_query(query, answer, listing);
    }
    if !answer.notes.is_empty() {
        listing.gap();
    }
    for note in &answer.notes {
        listing.paragraph("", &Text::new(&format!("! {note}"), Tone::Notice));
    }
}

fn write_query(query: &Query, answer: &Answer, listing: &mut Listing) {
    if query.hits.is_empty() {
        let text = Text::new(&format!("{}:", query.name), Tone::Bold).and(Text::plain(&format!(
            "not found in {}",
            count(answer.images, "image")
        )));
        listing.paragraph("", &text);
        return;
    }
    let mut images: Vec<&str> = query.hits.iter().map(|hit| hit.image.as_str()).collect();
    images.sort_unstable();
    images.dedup();
    let summary = format!(
        "{}: {} of {}",
        query.name,
        images.len(),
        count(answer.images, "image")
    );
    listing.title(&summary);
    let rows: Vec<Vec<Text>> = query.hits.iter().map(|hit| row(hit, answer)).collect();
    let headings = [
        Heading::text("IMAGE", 12, 50),
        Heading::text("CONTAINERS", 10, 30),
        Heading::text("VULNERABILITY", 13, 24),
        Heading::text("SEVERITY", 8, 8),
        Heading::text("PACKAGE", 8, 40),
        Heading::text("INSTALLED", 9, 30),
        Heading::text("FIXED IN", 8, 30),
        Heading::text("SINCE", 8, 14),
        Heading::text("COVERED BY", 10, 40),
    ];
    listing.table(&headings, &rows);
}

fn row(hit: &Hit, answer: &Answer) -> Vec<Text> {
    let mut package = Text::plain(&hit.package);
    if !hit.path.is_empty() {
        package = package.and(Text::new(&hit.path, Tone::Dim));
    }
    vec![
        Text::plain(&hit.image),
        match hit.containers.is_empty() {
            true => Text::new("none runs", Tone::Dim),
            false => Text::plain(&hit.containers.join(" ")),
        },
        Text::plain(&hit.vulnerability_id),
        Text::severity(hit.row.severity),
        package,
        Text::plain(&hit.installed_version),
        match hit.fixed_version.is_empty() {
            true => Text::new("no fix", Tone::Dim),
            false => Text::plain(&hit.fixed_version),
        },
        Text::plain(&distance(hit.row.first_seen_at, answer.now)),
        Text::plain(&hit.covered_by),
    ]
}
