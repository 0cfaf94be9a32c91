//! What a rule demands of a finding.

use std::fmt;

use cleanbill_core::ImagePattern;
use cleanbill_core::glob::Pattern;
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::report::ExceptionTerms;
use cleanbill_core::severity::FixStatus;
use cleanbill_core::vulnerability::Finding;
use jiff::Timestamp;
use regex::{Regex, RegexBuilder};

use super::name_pattern::NamePattern;
use super::version_range::VersionRange;

/// One entry of a file: a rule, or why it is none that can be honoured.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The line, counted from 1.
    pub(crate) line: u64,
    /// What it is about: the id, or the conditions in short.
    pub(crate) title: String,
    pub(crate) rule: Result<Rule, String>,
}

/// Accepts findings that meet all of its demands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    /// The vulnerabilities; empty for any.
    pub(crate) ids: Vec<String>,
    /// The id may be one of the supplier's ids (`GHSA-…`) instead.
    pub(crate) knows_aliases: bool,
    /// The target or the package's file.
    pub(crate) paths: Vec<Pattern>,
    /// The package; any of them.
    pub(crate) purls: Vec<PackageUrl>,
    /// Further demands; all of them.
    pub(crate) conditions: Vec<Condition>,
    /// The images; any of them. Empty for every image.
    pub(crate) images: Vec<ImagePattern>,
    pub(crate) expires_at: Option<Timestamp>,
    /// What ends it for a finding besides; any of them.
    pub(crate) ends: Vec<End>,
    /// The reason that is given.
    pub(crate) statement: String,
    /// Who answers for it, and until when.
    pub(crate) terms: ExceptionTerms,
}

/// What ends an exception for a finding that it would cover.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// A fixed version is available.
    Fixed,
    /// The vulnerability is known to be exploited.
    KnownExploited,
    /// Its EPSS score is above this.
    EpssAbove(f64),
}

/// A demand on the package or on the state of its fix.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// The name fits whole.
    NameFits(Regex),
    /// The package or its source package is called so.
    NameIs(String),
    /// The installed version, as it is printed.
    VersionIs(String),
    /// The package URL is of one of these types.
    PurlTypes(&'static [&'static str]),
    /// The package is of a distribution: type and namespace of its package URL, and the release,
    /// which may be longer.
    Distro {
        kind: &'static str,
        namespace: &'static str,
        release: String,
    },
    /// The source package is called so.
    SourceNameIs(String),
    /// The file that the package was found in.
    Location(Pattern),
    /// The state of the fix is one of these.
    Statuses(&'static [FixStatus]),
    /// The package is one of these.
    Packages(Vec<PackagePattern>),
    /// The installed version is in a range.
    VersionIn(VersionRange),
}

/// Names packages as exceptions do.
#[derive(Clone, Debug)]
pub(crate) enum PackagePattern {
    /// The package or its source package is called so.
    Name(NamePattern),
    /// The package URL is one that this names.
    Purl(PackageUrl),
}

impl PackagePattern {
    fn purl_type(&self) -> Option<&str> {
        match self {
            Self::Purl(purl) => Some(&purl.kind),
            Self::Name(_) => None,
        }
    }

    fn fits(&self, candidate: &Candidate<'_>) -> bool {
        let (finding, source_name) = (candidate.finding, candidate.source_name);
        match self {
            Self::Name(pattern) => {
                pattern.matches(&finding.package_name)
                    || (!source_name.is_empty() && pattern.matches(source_name))
            }
            Self::Purl(pattern) => {
                let purl = finding.package_identifier.purl.as_ref();
                purl.is_some_and(|purl| purl.is_covered_by(pattern))
            }
        }
    }
}

/// A finding with what rules ask for besides.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) target: &'a str,
    pub(crate) finding: &'a Finding,
    /// The name of the source package; empty unless a rule asks for it.
    pub(crate) source_name: &'a str,
}

impl Rule {
    /// Returns the types of package URLs that it is limited to; none if that is not known.
    pub(crate) fn purl_types(&self) -> Vec<&str> {
        let mut types = Vec::new();
        for condition in &self.conditions {
            match condition {
                Condition::PurlTypes(kinds) => types.extend_from_slice(kinds),
                Condition::Distro { kind, .. } => types.push(*kind),
                Condition::Packages(patterns) => {
                    types.extend(patterns.iter().filter_map(PackagePattern::purl_type));
                }
                _ => {}
            }
        }
        types
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at < now)
    }

    /// Says whether the rule is about an image with these names.
    pub(crate) fn is_about(&self, names: &[&str]) -> bool {
        let fits = |pattern: &ImagePattern| names.iter().any(|name| pattern.matches(name));
        self.images.is_empty() || self.images.iter().any(fits)
    }

    pub(crate) fn asks_for_source_package(&self) -> bool {
        self.conditions
            .iter()
            .any(Condition::asks_for_source_package)
    }

    pub(crate) fn covers(&self, path: &str, candidate: &Candidate<'_>) -> bool {
        let package = candidate.finding.package_identifier.purl.as_ref();
        let path_fits = self.paths.is_empty() || self.paths.iter().any(|p| p.matches(path));
        let package_fits = self.purls.is_empty()
            || package.is_none_or(|package| self.purls.iter().any(|p| package.is_covered_by(p)));
        path_fits && package_fits && self.conditions.iter().all(|c| c.holds(candidate))
    }

    /// Says why the rule does not cover a finding any more that it fits; `None` if it does.
    pub(crate) fn end(&self, finding: &Finding) -> Option<End> {
        self.ends.iter().copied().find(|end| end.has_come(finding))
    }
}

impl End {
    fn has_come(self, finding: &Finding) -> bool {
        match self {
            End::Fixed => finding.status == FixStatus::Fixed || !finding.fixed_version.is_empty(),
            End::KnownExploited => finding.known_exploited.is_some(),
            End::EpssAbove(limit) => finding.epss.as_ref().is_some_and(|epss| epss.score > limit),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Fixed => f.write_str("a fix is available"),
            End::KnownExploited => f.write_str("it is known to be exploited"),
            End::EpssAbove(limit) => write!(f, "its EPSS score is above {limit}"),
        }
    }
}

/// What a compiled name pattern may take, in bytes.
const PATTERN_SIZE_BYTES_MAX: usize = 1 << 20;

impl Condition {
    /// Demands that the whole name fits a regular expression; `None` if it is none, or too large.
    pub(crate) fn name_fits(pattern: &str) -> Option<Self> {
        let whole = RegexBuilder::new(&format!("^(?:{pattern})$"))
            .size_limit(PATTERN_SIZE_BYTES_MAX)
            .build();
        whole.ok().map(Self::NameFits)
    }

    fn asks_for_source_package(&self) -> bool {
        matches!(
            self,
            Condition::SourceNameIs(_) | Condition::NameIs(_) | Condition::Packages(_)
        )
    }

    fn holds(&self, candidate: &Candidate<'_>) -> bool {
        let finding = candidate.finding;
        let purl = finding.package_identifier.purl.as_ref();
        match self {
            Condition::NameFits(pattern) => pattern.is_match(&finding.package_name),
            Condition::NameIs(name) => {
                *name == finding.package_name || name == candidate.source_name
            }
            Condition::VersionIs(version) => *version == finding.installed_version,
            Condition::PurlTypes(kinds) => {
                purl.is_some_and(|purl| kinds.contains(&purl.kind.as_str()))
            }
            Condition::Distro {
                kind,
                namespace,
                release,
            } => purl.is_some_and(|purl| {
                purl.kind == *kind && purl.namespace == *namespace && is_of_release(purl, release)
            }),
            Condition::SourceNameIs(name) => name == candidate.source_name,
            Condition::Location(pattern) => {
                !finding.package_path.is_empty() && pattern.matches(&finding.package_path)
            }
            Condition::Statuses(statuses) => statuses.contains(&finding.status),
            Condition::Packages(patterns) => patterns.iter().any(|one| one.fits(candidate)),
            Condition::VersionIn(range) => range.holds(finding),
        }
    }
}

/// Compares with the qualifier `distro=debian-12.5`: `12` and `12.5` fit, `1` does not.
fn is_of_release(purl: &PackageUrl, release: &str) -> bool {
    if release.is_empty() {
        return true;
    }
    let distro = purl.qualifier("distro").unwrap_or_default();
    let actual = distro.rsplit_once('-').map_or(distro, |(_, tail)| tail);
    actual
        .strip_prefix(release)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
