//! Root.io: patched packages of Debian, Ubuntu and Alpine.

use std::collections::BTreeMap;

use cleanbill_core::package::Package;
use cleanbill_version::VersionScheme;

use super::ranges::{Filed, OnError, RangeRule};
use super::rule::{bucket_name, source_or_binary};
use super::session::{Session, Shelf};
use super::{MatchError, Matcher, OsPackages};
use crate::{Advisory, release};

/// Source: spec 02 section 6.9, Trivy `pkg/detector/ospkg/rootio`, trivy-db
/// `pkg/vulnsrc/rootio`.
pub(super) struct RootIo;

/// Says whether a package bears the mark of Root.io in its version.
pub(super) fn is_present(input: &OsPackages<'_>) -> bool {
    let has_mark: fn(&str) -> bool = match input.distro.family.as_str() {
        "debian" | "ubuntu" => |version| version.contains(".root.io"),
        "alpine" => has_mark_of_alpine,
        _ => return false,
    };
    let mut packages = input.packages.iter();
    packages.any(|package| has_mark(&package.installed_version()))
}

/// Looks for `-r`, a digit, `007`, a digit (`-r10071`).
fn has_mark_of_alpine(version: &str) -> bool {
    version.as_bytes().windows(7).any(|window| {
        matches!(window, [b'-', b'r', a, b'0', b'0', b'7', b]
            if a.is_ascii_digit() && b.is_ascii_digit())
    })
}

impl Matcher for RootIo {
    fn maintains_ended_releases(&self) -> bool {
        true
    }

    fn judge(
        &self,
        input: &OsPackages<'_>,
        packages: &[&Package],
        session: &mut Session<'_>,
    ) -> Result<(), MatchError> {
        let family = input.distro.family.as_str();
        let stated = input.distro.release();
        let (scheme, release) = match family {
            "alpine" => (VersionScheme::Apk, release::minor(&stated)),
            "ubuntu" => (VersionScheme::Deb, release::minor(&stated)),
            _ => (VersionScheme::Deb, release::major(&stated)),
        };
        let rule = RangeRule {
            scheme,
            on_error: OnError::Stop,
            rated_by: |source| &source.id,
        };
        let base_bucket = bucket_name(family, release);
        let patched_bucket = format!("root.io {family} {release}");
        let mut base_shelf = Shelf::new();
        let mut patched_shelf = Shelf::new();
        for &package in packages {
            let name = source_or_binary(package);
            let base = base_shelf.rows(session, &base_bucket, name, as_ranges)?;
            let patched = patched_shelf.rows(session, &patched_bucket, name, |found| found)?;
            let advisories = overlaid(
                base.iter()
                    .map(|advisory| filed(&base_bucket, name, advisory)),
                patched
                    .iter()
                    .map(|advisory| filed(&patched_bucket, name, advisory)),
            );
            rule.judge(package, &package.source_version(), &advisories, session);
        }
        Ok(())
    }
}

fn filed<'a>(bucket: &'a str, name: &'a str, advisory: &'a Advisory) -> Filed<'a> {
    Filed {
        bucket,
        name,
        advisory,
    }
}

/// States the advisories of the distribution as Root.io states its own.
fn as_ranges(mut advisories: Vec<Advisory>) -> Vec<Advisory> {
    for advisory in &mut advisories {
        let fixed_version = std::mem::take(&mut advisory.fixed_version);
        if !fixed_version.is_empty() {
            advisory.vulnerable_versions = vec![format!("<{fixed_version}")];
            advisory.patched_versions = vec![fixed_version];
        }
    }
    advisories
}

/// What Root.io says about a vulnerability replaces what the distribution says.
fn overlaid<'a>(
    base: impl Iterator<Item = Filed<'a>>,
    patched: impl Iterator<Item = Filed<'a>>,
) -> Vec<Filed<'a>> {
    let by_id: BTreeMap<&str, Filed<'a>> = base
        .chain(patched)
        .map(|filed| (filed.advisory.vulnerability_id.as_str(), filed))
        .collect();
    by_id.into_values().collect()
}

#[cfg(test)]
mod tests {
    use cleanbill_core::severity::Severity;

    use super::*;
    use crate::end_of_life::Support;
    use crate::matchers::testing::{Case, apk, deb, fixed, ranged, unfixed};

    #[test]
    fn the_mark_is_recognised() {
        for (family, version, is_marked) in [
            ("debian", "1.2-3.root.io.4", true),
            ("ubuntu", "1.2-3.root.io", true),
            ("debian", "1.2-3rootXio", false),
            ("alpine", "1.2-r10071", true),
            ("alpine", "1.2-r20072_p1", true),
            ("alpine", "1.2-r1007", false),
            ("alpine", "1.2-r0071", false),
            ("alpine", "1.2.root.io-r1", false),
            ("rocky", "1.2.root.io-r10071", false),
        ] {
            let case = Case::new(family, "1").package(deb("a", version));
            assert_eq!(case.with_input(is_present), is_marked, "{family} {version}");
        }
    }

    fn debian() -> Case {
        Case::new("debian", "12.5")
            .package(deb("openssl", "3.0-1.root.io.1"))
            .advisory("debian 12", "openssl", "CVE-1", fixed("3.0-2"))
            .advisory("debian 12", "openssl", "CVE-2", fixed("2.0-2"))
            .advisory("debian 12", "openssl", "CVE-3", unfixed())
    }

    #[test]
    fn the_distribution_counts_where_root_io_is_silent() {
        let found = debian().found();
        assert_eq!(
            found,
            [
                "CVE-1 openssl 3.0-1.root.io.1 -> 3.0-2",
                "CVE-3 openssl 3.0-1.root.io.1 -> ",
            ]
        );
    }

    #[test]
    fn root_io_replaces_the_distribution() {
        let case = debian()
            .advisory(
                "root.io debian 12",
                "openssl",
                "CVE-1",
                ranged(&["<3.0-1.root.io.1"], &["3.0-1.root.io.1"]),
            )
            .advisory(
                "root.io debian 12",
                "openssl",
                "CVE-3",
                Advisory {
                    severity: 3,
                    ..ranged(&["<3.0-1.root.io.2"], &["3.0-1.root.io.2", "3.1"])
                },
            )
            .source("root.io debian 12", "rootio", "debian");
        assert_eq!(
            case.found(),
            ["CVE-3 openssl 3.0-1.root.io.1 -> 3.0-1.root.io.2, 3.1"]
        );
        let matched = case.run();
        assert_eq!(matched.findings[0].severity, Severity::High);
        assert_eq!(matched.findings[0].severity_source, "rootio");
        assert_eq!(matched.findings[0].evidence.bucket, "root.io debian 12");
        assert_eq!(matched.findings[0].evidence.constraint, "<3.0-1.root.io.2");
    }

    /// The severity of a Debian advisory stays Debian's.
    #[test]
    fn a_severity_of_the_distribution_keeps_its_source() {
        let rated = Advisory {
            severity: 1,
            status: 5,
            vendor_ids: vec!["DSA-1".to_owned()],
            ..unfixed()
        };
        let matched = debian()
            .advisory("debian 12", "openssl", "CVE-0", rated)
            .source("debian 12", "debian", "")
            .run();
        assert_eq!(matched.findings[0].vulnerability_id, "CVE-0");
        assert_eq!(matched.findings[0].severity_source, "debian");
        assert!(matched.findings[0].vendor_ids.is_empty());
        assert_eq!(matched.findings[0].status, Default::default());
    }

    #[test]
    fn a_range_that_cannot_be_read_ends_the_search() {
        let found = debian()
            .advisory(
                "root.io debian 12",
                "openssl",
                "CVE-1",
                ranged(&[">= 1", "<9"], &["9"]),
            )
            .advisory(
                "root.io debian 12",
                "openssl",
                "CVE-3",
                ranged(&[">9", "<9"], &["9"]),
            )
            .found();
        assert_eq!(found, ["CVE-3 openssl 3.0-1.root.io.1 -> 9"]);
    }

    #[test]
    fn ended_releases_are_maintained() {
        let matched = Case::new("alpine", "3.1.4")
            .package(apk("busybox", "1.2-r10071"))
            .advisory("alpine 3.1", "busybox", "CVE-1", fixed("1.2-r10072"))
            .run();
        assert_eq!(matched.support, Support::Supported);
        assert_eq!(matched.findings.len(), 1);
    }
}
