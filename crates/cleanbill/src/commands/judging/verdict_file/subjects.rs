//! Which images a verdict is about.

use std::collections::BTreeSet;

use cleanbill_core::report::ScanReport;

use super::Document;

/// Names of images that an error lists.
const NAMES_MAX: usize = 3;

/// Says how the images of a verdict differ from those of a report, after "the verdict is"; `None` if
/// they are the same. An image is known by its name, and by the digest of its configuration where
/// both say it.
pub(super) fn difference(document: &Document, report: &ScanReport) -> Option<String> {
    let judged: BTreeSet<&str> = document.images.iter().map(String::as_str).collect();
    let images = report.images.iter();
    let reported: BTreeSet<&str> = images.map(|image| image.artifact_name.as_str()).collect();
    if judged != reported {
        return Some(format!(
            "about {}, and the report about {}",
            names(&judged),
            names(&reported)
        ));
    }
    let other = report.images.iter().find_map(|image| {
        let id = image.metadata.image_id?.to_string();
        let ids = document.judged.iter();
        let mut ids = ids
            .filter(|one| one.image == image.artifact_name && !one.image_id.is_empty())
            .map(|one| one.image_id.as_str())
            .peekable();
        let judged = (*ids.peek()?).to_owned();
        ids.all(|one| one != id).then_some((image, id, judged))
    });
    let (image, id, judged) = other?;
    Some(format!(
        "about another image of the name {}: {judged}, and the report about {id}",
        image.artifact_name
    ))
}

fn names(names: &BTreeSet<&str>) -> String {
    let shown: Vec<&str> = names.iter().copied().take(NAMES_MAX).collect();
    match (shown.as_slice(), names.len() - shown.len()) {
        ([], _) => "no image".to_owned(),
        (shown, 0) => shown.join(", "),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::Digest;

    use super::*;
    use crate::commands::testing::image_reports;

    fn report(images: &[(&str, &[u8])]) -> ScanReport {
        ScanReport {
            images: image_reports(images),
            ..ScanReport::default()
        }
    }

    fn verdict(images: &[(&str, &[u8])]) -> Document {
        let judged = images.iter().map(|(name, content)| match content {
            [] => serde_json::json!({"image": name}),
            content => {
                serde_json::json!({"image": name, "image_id": Digest::of(content).to_string()})
            }
        });
        let judged: Vec<serde_json::Value> = judged.collect();
        let names: Vec<&str> = images.iter().map(|(name, _)| *name).collect();
        let document = serde_json::json!({
            "schema_version": 1, "verdict": "passed", "images": names, "judged": judged,
        });
        serde_json::from_value(document).unwrap()
    }

    #[track_caller]
    fn check(judged: &[(&str, &[u8])], reported: &[(&str, &[u8])], expected: Option<&str>) {
        let difference = difference(&verdict(judged), &report(reported));
        match expected {
            None => assert_eq!(difference, None),
            Some(begin) => assert!(
                difference
                    .as_ref()
                    .is_some_and(|one| one.starts_with(begin)),
                "{difference:?}"
            ),
        }
    }

    #[test]
    fn a_verdict_about_other_images_is_told() {
        check(&[("a", b"1")], &[("a", b"1")], None);
        check(
            &[("a", b"1"), ("b", b"2")],
            &[("b", b"2"), ("a", b"1")],
            None,
        );
        // What one of them does not know does not differ.
        check(&[("a", b"")], &[("a", b"1")], None);
        check(&[("a", b"1")], &[("a", b"")], None);
        check(&[], &[], None);
        check(
            &[("a", b"1")],
            &[("b", b"1")],
            Some("about a, and the report about b"),
        );
        check(
            &[("a", b"1"), ("b", b"2")],
            &[("a", b"1")],
            Some("about a, b, and the report about a"),
        );
        check(&[], &[("a", b"1")], Some("about no image"));
        check(
            &[("a", b"1")],
            &[("a", b"2")],
            Some("about another image of the name a: sha256:"),
        );
    }
}
