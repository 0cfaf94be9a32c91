//! Several reports on one image: the latest counts.

use std::collections::BTreeMap;

use cleanbill_core::report::ImageReport;
use cleanbill_report::SavedReport;
use jiff::Timestamp;

/// Images that are named one by one.
const NOTES_MAX: usize = 20;

/// Leaves the latest report on each image, and says in sentences without a final stop which are left
/// out. An image is the one with its id; without an id, as directories are, the one of its name. What
/// one report says of an image twice stays: whoever scanned it asked for both.
pub(in crate::commands) fn latest(
    mut reports: Vec<SavedReport>,
) -> (Vec<SavedReport>, Vec<String>) {
    let mut found: BTreeMap<String, (Option<Timestamp>, usize)> = BTreeMap::new();
    for (number, saved) in reports.iter().enumerate() {
        // A report without a time is older than any with one; of equal ones the last counts.
        let at = saved.report.created_at.parse::<Timestamp>().ok();
        for image in &saved.report.images {
            let known = found.entry(key(image)).or_insert((at, number));
            *known = (at, number).max(*known);
        }
    }
    let mut names: Vec<String> = Vec::new();
    for (number, saved) in reports.iter_mut().enumerate() {
        saved.report.images.retain(|image| {
            let is_latest = found.get(&key(image)).is_none_or(|(_, one)| *one == number);
            if !is_latest {
                names.push(image.artifact_name.clone());
            }
            is_latest
        });
    }
    if !names.is_empty() {
        reports.retain(|saved| !saved.report.images.is_empty());
    }
    let mut notes: Vec<String> = names
        .iter()
        .take(NOTES_MAX)
        .map(|name| format!("{name} is in several reports: the latest counts"))
        .collect();
    if names.len() > NOTES_MAX {
        let more = names.len() - NOTES_MAX;
        notes.push(format!("{more} more images are in several reports"));
    }
    (reports, notes)
}

fn key(image: &ImageReport) -> String {
    match image.metadata.image_id {
        Some(id) => id.to_string(),
        None => image.artifact_name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::image_reports;

    fn saved(created_at: &str, images: &[(&str, &[u8])]) -> SavedReport {
        let mut saved = SavedReport::default();
        created_at.clone_into(&mut saved.report.created_at);
        saved.report.images = image_reports(images);
        saved
    }

    #[track_caller]
    fn check(reports: Vec<SavedReport>, expected: &[(&str, &str)], notes: usize) {
        let (left, said) = latest(reports);
        let left: Vec<(String, String)> = left
            .iter()
            .flat_map(|saved| {
                let at = &saved.report.created_at;
                let images = saved.report.images.iter();
                images.map(move |image| (at.clone(), image.artifact_name.clone()))
            })
            .collect();
        let left: Vec<(&str, &str)> = left.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(left, expected);
        assert_eq!(said.len(), notes, "{said:?}");
    }

    const EARLY: &str = "2026-11-20T23:00:00+08:00";
    const LATE: &str = "2026-11-20T20:00:00Z";

    #[test]
    fn the_latest_report_on_an_image_counts() {
        check(
            vec![
                saved(LATE, &[("a", b"1")]),
                saved(EARLY, &[("a", b"1"), ("b", b"2")]),
            ],
            &[(LATE, "a"), (EARLY, "b")],
            1,
        );
        // The same file twice.
        check(
            vec![saved(LATE, &[("a", b"1")]), saved(LATE, &[("a", b"1")])],
            &[(LATE, "a")],
            1,
        );
        // Two names of one image, in two reports.
        check(
            vec![
                saved(EARLY, &[("a:1", b"1")]),
                saved(LATE, &[("a:2", b"1")]),
            ],
            &[(LATE, "a:2")],
            1,
        );
    }

    #[test]
    fn other_images_stay() {
        // Another platform, or built again: both are there.
        check(
            vec![saved(EARLY, &[("a", b"1")]), saved(LATE, &[("a", b"2")])],
            &[(EARLY, "a"), (LATE, "a")],
            0,
        );
        check(
            vec![saved(LATE, &[("a", b"1"), ("a", b"1")])],
            &[(LATE, "a"), (LATE, "a")],
            0,
        );
        // One that could not be opened has no id, and is not the one that could.
        check(
            vec![saved(EARLY, &[("a", b"1")]), saved(LATE, &[("a", b"")])],
            &[(EARLY, "a"), (LATE, "a")],
            0,
        );
        check(vec![saved("", &[]), saved("", &[])], &[], 0);
    }
}
