//! Words about exceptions: what they cover, and what they covered until their time was over.

use std::collections::BTreeMap;

use cleanbill_core::count;
use cleanbill_core::report::{ImageReport, SuppressedFinding};
use cleanbill_core::vulnerability::Finding;

use super::words;

/// Notes of an image in formats that have a list of messages. Their readers take a bounded number,
/// or show the first few.
const NOTES_MAX: usize = 1_000;
/// Characters of a reason in a note, since one exception may cover thousands of findings.
const REASON_CHARS_MAX: usize = 500;
/// Exceptions whose end is said in one place, and vulnerabilities that each of them names.
const LAPSES_MAX: usize = 10;
const IDS_MAX: usize = 5;

/// Lists what exceptions cover in an image, worst first.
pub(super) fn findings(image: &ImageReport) -> Vec<&SuppressedFinding> {
    let suppressed = image.results.iter().flat_map(|result| &result.suppressed);
    let mut excepted: Vec<_> = suppressed.filter(|one| one.is_excepted()).collect();
    excepted.sort_by(|a, b| place_in_list(a).cmp(&place_in_list(b)));
    excepted
}

fn place_in_list(suppressed: &SuppressedFinding) -> impl Ord {
    let finding = &suppressed.finding;
    let names = (&finding.vulnerability_id, &finding.package_name);
    (words::worst_first(finding), names, &suppressed.source)
}

/// Says whether two lines would be the same: one vulnerability of one package, found in several
/// places.
pub(super) fn is_same(a: &SuppressedFinding, b: &SuppressedFinding) -> bool {
    a.source == b.source
        && a.finding.vulnerability_id == b.finding.vulnerability_id
        && a.finding.package_name == b.finding.package_name
}

/// Notes each excepted finding of an image, a bounded number of them, and how many more there are.
pub(super) fn notes(image: &ImageReport) -> impl Iterator<Item = String> {
    let excepted = findings(image);
    let more = excepted.len().saturating_sub(NOTES_MAX) as u64;
    let rest = (more > 0).then(|| {
        format!(
            "{} excepted (--show-suppressed lists all)",
            count(more, "more finding")
        )
    });
    let noted = excepted.into_iter().take(NOTES_MAX).map(sentence);
    noted.chain(rest)
}

/// Names an excepted finding and says why it is: `CVE-2024-1 in xz-utils 5.6.0 is excepted: reason
/// (owner payments, until 2026-12-31), exceptions.yaml:3`.
fn sentence(suppressed: &SuppressedFinding) -> String {
    let finding = &suppressed.finding;
    format!(
        "{} in {} {} is excepted: {}, {}",
        finding.vulnerability_id,
        finding.package_name,
        finding.installed_version,
        words::cut(&suppressed.reason(), REASON_CHARS_MAX),
        suppressed.source,
    )
}

/// Says which exceptions cover findings of an image no more, and which these are, a sentence for
/// each: `exceptions.yaml:3 has expired on 2026-11-01: CVE-2024-1 counts again`.
pub(super) fn lapses(image: &ImageReport) -> Vec<String> {
    let mut lapsed: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in image.findings() {
        if !finding.lapsed_exception.is_empty() {
            let of_exception = lapsed.entry(&finding.lapsed_exception).or_default();
            of_exception.push(finding);
        }
    }
    let more = lapsed.len().saturating_sub(LAPSES_MAX) as u64;
    let rest = (more > 0).then(|| {
        let exceptions = count(more, "more exception");
        format!("{exceptions} expired or ended, and what they covered counts again")
    });
    let shown = lapsed.into_iter().take(LAPSES_MAX);
    shown
        .map(|(exception, findings)| lapse(exception, &findings))
        .chain(rest)
        .collect()
}

fn lapse(exception: &str, findings: &[&Finding]) -> String {
    let mut ids: Vec<&str> = Vec::new();
    for finding in findings {
        let id = finding.vulnerability_id.as_str();
        if ids.len() <= IDS_MAX && !ids.contains(&id) {
            ids.push(id);
        }
    }
    let is_cut = ids.len() > IDS_MAX;
    ids.truncate(IDS_MAX);
    let verb = match findings {
        [_] => "counts",
        _ => "count",
    };
    format!(
        "{}: {}{} {verb} again",
        words::cut(exception, REASON_CHARS_MAX),
        ids.join(", "),
        if is_cut { ", …" } else { "" },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn excepted(number: usize) -> ImageReport {
        let mut image = sample::many(number, 1);
        let result = &mut image.results[0];
        for finding in result.findings.drain(..) {
            result.suppressed.push(SuppressedFinding {
                statement: "why ".repeat(1_000),
                source: "exceptions.yaml:3".to_owned(),
                finding,
                ..SuppressedFinding::default()
            });
        }
        image
    }

    #[test]
    fn thousands_of_notes_are_bounded() {
        let notes: Vec<String> = notes(&excepted(2_500)).collect();
        assert_eq!(notes.len(), NOTES_MAX + 1);
        assert!(notes.iter().all(|note| note.len() < 700));
        let last = notes.last().unwrap();
        assert_eq!(
            last,
            "1500 more findings excepted (--show-suppressed lists all)"
        );
        assert!(
            notes[0].contains("package-00000 1.0-r0 is excepted: why why"),
            "{}",
            notes[0]
        );
    }

    #[test]
    fn what_counts_again_is_said_once_for_each_exception() {
        let mut image = sample::many(40, 1);
        for (number, finding) in image.results[0].findings.iter_mut().enumerate() {
            finding.vulnerability_id = format!("CVE-2026-{}", number % 8);
            let words = format!("exceptions.yaml:{:02} has expired", 10 + number.min(11));
            finding.lapsed_exception = words.into();
        }
        let said = lapses(&image);
        assert_eq!(said.len(), LAPSES_MAX + 1);
        assert_eq!(
            said[1],
            "exceptions.yaml:11 has expired: CVE-2026-1 counts again"
        );
        let rest = "2 more exceptions expired or ended, and what they covered counts again";
        assert_eq!(said[LAPSES_MAX], rest);
        let findings: Vec<&Finding> = image.findings().collect();
        assert_eq!(
            lapse("e", &findings),
            "e: CVE-2026-0, CVE-2026-1, CVE-2026-2, CVE-2026-3, CVE-2026-4, … count again"
        );
    }
}
