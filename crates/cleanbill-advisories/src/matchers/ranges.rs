//! Advisories that state ranges of affected versions (Root.io, Seal, RapidFort).

use cleanbill_core::package::Package;
use cleanbill_core::vulnerability::{DataSource, Finding};
use cleanbill_version::{Version, VersionScheme, range};

use super::debian::rate;
use super::rule::Place;
use super::session::{NO_VERSION, Session, UNCOMPARABLE, finding};
use crate::Advisory;

/// Says how a supplier's ranges are judged. Source: spec 02 sections 4.5 and 6.9 to 6.11.
pub(super) struct RangeRule {
    /// The rules by which versions are compared.
    pub(super) scheme: VersionScheme,
    /// What an alternative that cannot be read or compared means for the ones after it.
    pub(super) on_error: OnError,
    /// Who rated the severity that an advisory states.
    pub(super) rated_by: fn(&DataSource) -> &str,
}

/// Says what follows a range that cannot be read or compared.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum OnError {
    /// The other ranges count.
    Skip,
    /// They do not: the package counts as not vulnerable.
    Stop,
}

/// An advisory with the place where it was found.
#[derive(Clone, Copy)]
pub(super) struct Filed<'a> {
    pub(super) bucket: &'a str,
    pub(super) name: &'a str,
    pub(super) advisory: &'a Advisory,
}

impl RangeRule {
    /// Reports the advisories that a version of a package is in.
    pub(super) fn judge(
        &self,
        package: &Package,
        version: &str,
        advisories: &[Filed<'_>],
        session: &mut Session<'_>,
    ) {
        let has_ranges = |filed: &Filed<'_>| !filed.advisory.vulnerable_versions.is_empty();
        if let Some(obstacle) = self.obstacle(version)
            && advisories.iter().any(has_ranges)
        {
            session.could_not_judge(package, obstacle);
        }
        for filed in advisories {
            if let Some(range) = self.matching_range(version, filed.advisory) {
                session.report(self.finding(package, version, *filed, range));
            }
        }
    }

    /// Says why a version cannot be held against ranges.
    fn obstacle(&self, version: &str) -> Option<&'static str> {
        if version.is_empty() {
            Some(NO_VERSION)
        } else if Version::parse(self.scheme, version).is_none() {
            Some(UNCOMPARABLE)
        } else {
            None
        }
    }

    /// Returns the first range that a version is in: an empty one if the advisory states none and
    /// so means every version, `None` if it is in none of them.
    fn matching_range<'a>(&self, version: &str, advisory: &'a Advisory) -> Option<&'a str> {
        let ranges = &advisory.vulnerable_versions;
        if ranges.is_empty() {
            return Some("");
        }
        for range in ranges {
            match range::satisfies(self.scheme, version, range) {
                Ok(true) => return Some(range),
                Ok(false) => {}
                Err(error) => {
                    let advisory_id = &advisory.vulnerability_id;
                    tracing::debug!(advisory.id = advisory_id, %error, "range not compared");
                    if self.on_error == OnError::Stop {
                        return None;
                    }
                }
            }
        }
        None
    }

    /// Builds the finding; every patched version is printed.
    fn finding(&self, package: &Package, version: &str, filed: Filed<'_>, range: &str) -> Finding {
        let advisory = filed.advisory;
        let data_source = advisory.data_source.as_deref();
        let place = Place {
            bucket: filed.bucket,
            name: filed.name,
            version,
        };
        let mut finding = Finding {
            fixed_version: advisory.patched_versions.join(", "),
            evidence: place.evidence_of(self.scheme, range),
            ..finding(package, &advisory.vulnerability_id, data_source)
        };
        let rated_by = data_source.map_or("", self.rated_by);
        rate(&mut finding, advisory.severity, rated_by);
        finding
    }
}
