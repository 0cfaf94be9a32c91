//! Exceptions that say what another one says already.

use std::collections::HashMap;
use std::time::SystemTime;

use super::{Exception, Exceptions};

/// Exceptions about one vulnerability that are compared with each other.
const COMPARED_MAX: usize = 500;

/// The number of a file, and that of an exception in its list.
type Place = (usize, usize);

/// Says that one exception covers all that another one does, for a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overlap {
    /// The file and the place in its list of the one that says nothing more.
    pub redundant: (usize, usize),
    /// The file and the place in its list of the one that covers the same, or more.
    pub by: (usize, usize),
    /// The vulnerability.
    pub id: String,
}

/// Finds the exceptions that say nothing more than another one of the same files. Those that have
/// expired are not asked.
pub fn overlaps(files: &[Exceptions], now: SystemTime) -> Vec<Overlap> {
    let mut by_id: HashMap<&str, Vec<(Place, &Exception)>> = HashMap::new();
    for (file, exceptions) in files.iter().enumerate() {
        for (index, one) in exceptions.list().iter().enumerate() {
            if one.has_expired(now) {
                continue;
            }
            for id in &one.ids {
                by_id.entry(id).or_default().push(((file, index), one));
            }
        }
    }
    let mut found = Vec::new();
    for (id, group) in by_id {
        let group = group.get(..COMPARED_MAX).unwrap_or(&group);
        for (number, (later, one)) in group.iter().enumerate() {
            let earlier = group.get(..number).unwrap_or_default();
            let pair = earlier.iter().find_map(|(place, other)| {
                if other.covers_all_of(one) {
                    Some((*later, *place))
                } else if one.covers_all_of(other) {
                    Some((*place, *later))
                } else {
                    None
                }
            });
            found.extend(pair.map(|(redundant, by)| Overlap {
                redundant,
                by,
                id: id.to_owned(),
            }));
        }
    }
    found.sort();
    found.dedup_by_key(|overlap| (overlap.redundant, overlap.by));
    found
}

impl Exception {
    /// Says whether whatever the other one covers is covered by this one too, as long as both
    /// count. Only what is sure: patterns are compared as texts.
    pub(super) fn covers_all_of(&self, other: &Self) -> bool {
        let any = |ours: &[String], theirs: &[String]| {
            ours.is_empty() || (!theirs.is_empty() && theirs.iter().all(|one| ours.contains(one)))
        };
        let one = |ours: &str, theirs: &str| ours.is_empty() || ours == theirs;
        let ends = (!self.until_fixed || other.until_fixed)
            && self.unless.iter().all(|end| other.unless.contains(end));
        any(&self.images, &other.images)
            && any(&self.packages, &other.packages)
            && any(&self.paths, &other.paths)
            && one(&self.version, &other.version)
            && one(&self.ecosystem, &other.ecosystem)
            && ends
            && self.outlasts(other)
    }

    /// Says whether it counts as long as the other one does.
    fn outlasts(&self, other: &Self) -> bool {
        match (self.expires_at, other.expires_at) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(ours), Some(theirs)) => ours >= theirs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: &[(usize, usize)]) {
        let text: String = lines
            .iter()
            .map(|line| format!("- {{reason: r, {line}}}\n"))
            .collect();
        let files = [Exceptions::parse(&text, "f").unwrap()];
        let found = overlaps(&files, SystemTime::UNIX_EPOCH);
        let found: Vec<(usize, usize)> = found
            .iter()
            .map(|overlap| (overlap.redundant.1, overlap.by.1))
            .collect();
        assert_eq!(found, expected, "{lines:?}");
    }

    #[test]
    fn an_exception_that_says_nothing_more_is_found() {
        check(&["id: CVE-2024-0001", "id: CVE-2024-0001"], &[(1, 0)]);
        check(
            &["id: CVE-2024-0001, package: a", "id: CVE-2024-0001"],
            &[(0, 1)],
        );
        check(
            &[
                "id: CVE-2024-0001, package: a",
                "id: CVE-2024-0001, package: b",
            ],
            &[],
        );
        check(
            &[
                "id: CVE-2024-0001, package: [a, b]",
                "id: CVE-2024-0001, package: b",
            ],
            &[(1, 0)],
        );
        check(&["id: CVE-2024-0001", "id: CVE-2024-0002"], &[]);
        check(
            &[
                "ids: [CVE-2024-0001, CVE-2024-0002]",
                "ids: [CVE-2024-0002, CVE-2024-0001]",
            ],
            &[(1, 0)],
        );
        check(
            &[
                "id: CVE-2024-0001, expires: 2027-01-01",
                "id: CVE-2024-0001",
            ],
            &[(0, 1)],
        );
        check(
            &[
                "id: CVE-2024-0001, expires: 2027-01-01",
                "id: CVE-2024-0001, package: a",
            ],
            &[],
        );
        check(
            &[
                "id: CVE-2024-0001, until: fixed",
                "id: CVE-2024-0001, package: a",
            ],
            &[],
        );
        check(
            &["id: '*', package: a", "id: '*', package: a, version: '1'"],
            &[(1, 0)],
        );
    }

    #[test]
    fn what_has_expired_overlaps_with_nothing() {
        let text = "- {id: CVE-2024-0001, reason: r, expires: 2020-01-01}\n\
                    - {id: CVE-2024-0001, reason: r}\n";
        let files = [Exceptions::parse(text, "f").unwrap()];
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_795_305_600);
        assert_eq!(overlaps(&files, now), []);
    }
}
