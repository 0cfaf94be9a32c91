//! Advisories that state ranges of affected versions (Root.io, Seal, RapidFort).

use cleanbill_core::package::Package;
use cleanbill_core::vulnerability::Finding;
use cleanbill_version::{VersionScheme, range};

use super::debian::rate;
use super::rule::Place;
use super::session::finding;
use super::version::{ParsedVersion, UNCOMPARABLE};
use crate::Advisory;

/// Says what an alternative that cannot be read or compared means for the ones after it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum OnError {
    /// They count.
    Skip,
    /// They do not: the package counts as not vulnerable.
    Stop,
}

/// Says why a version cannot be held against the ranges of advisories, if there are any.
pub(super) fn obstacle<'a>(
    scheme: VersionScheme,
    version: &str,
    mut advisories: impl Iterator<Item = &'a Advisory>,
) -> Option<&'static str> {
    let reason = if version.is_empty() {
        "they have no version"
    } else if ParsedVersion::parse(scheme, version).is_none() {
        UNCOMPARABLE
    } else {
        return None;
    };
    advisories
        .any(|advisory| !advisory.vulnerable_versions.is_empty())
        .then_some(reason)
}

/// Returns the range that a version is in: `Some("")` if the advisory states none and so means
/// every version, `None` if it is in none of them.
///
/// Source: spec 02 section 4.5.
pub(super) fn matching_range<'a>(
    scheme: VersionScheme,
    version: &str,
    advisory: &'a Advisory,
    on_error: OnError,
) -> Option<&'a str> {
    let ranges = &advisory.vulnerable_versions;
    if ranges.is_empty() {
        return Some("");
    }
    if version.is_empty() {
        return None;
    }
    for range in ranges {
        match range::satisfies(scheme, version, range) {
            Ok(true) => return Some(range),
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(
                    advisory.id = advisory.vulnerability_id,
                    version,
                    range,
                    %error,
                    "a range was not compared"
                );
                if on_error == OnError::Stop {
                    return None;
                }
            }
        }
    }
    None
}

/// Builds the finding of an advisory with ranges: every patched version is printed.
pub(super) fn range_finding(
    package: &Package,
    advisory: &Advisory,
    place: Place<'_>,
    scheme: VersionScheme,
    range: &str,
    severity_source: &str,
) -> Finding {
    let data_source = advisory.data_source.as_deref();
    let mut finding = Finding {
        fixed_version: advisory.patched_versions.join(", "),
        evidence: place.evidence_of(scheme, range),
        ..finding(package, &advisory.vulnerability_id, data_source)
    };
    rate(&mut finding, advisory.severity, severity_source);
    finding
}
