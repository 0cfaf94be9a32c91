//! Whose severity counts.

use std::str::FromStr;

use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::{Finding, VulnerabilityDetails};

/// Chooses by the source of the advisory; see [`SeveritySources::select`].
const AUTO: &str = "auto";

/// Every source of severities, in the reference's order of precedence.
///
/// Source: spec 01 section 4.8, trivy-db `pkg/vulnsrc/vulnerability/const.go`.
const SOURCES: &[&str] = &[
    "nvd",
    "redhat",
    "redhat-oval",
    "debian",
    "ubuntu",
    "alpine",
    "amazon",
    "oracle-oval",
    "suse-cvrf",
    "photon",
    "arch-linux",
    "alma",
    "rocky",
    "cbl-mariner",
    "azure",
    "ruby-advisory-db",
    "php-security-advisories",
    "nodejs-security-wg",
    "ghsa",
    "glad",
    "aqua",
    "osv",
    "k8s",
    "wolfi",
    "chainguard",
    "bitnami",
    "govulndb",
    "julia",
    "bottlerocket",
    "echo",
    "minimos",
    "rootio",
    "rapidfort",
];

/// Lists the sources whose severity is taken, the first that has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeveritySources(Vec<String>);

/// Says that a text names no source of severities.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is no severity source: accepted are {list}, auto", list = SOURCES.join(", "))]
pub struct SeveritySourcesError(pub String);

impl Default for SeveritySources {
    /// Chooses by the source of the advisory.
    fn default() -> Self {
        Self(vec![AUTO.to_owned()])
    }
}

impl FromStr for SeveritySources {
    type Err = SeveritySourcesError;

    /// Parses names separated by commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(|name| {
                let name = name.trim();
                if name == AUTO || SOURCES.contains(&name) {
                    Ok(name.to_owned())
                } else {
                    Err(SeveritySourcesError(name.chars().take(100).collect()))
                }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl SeveritySources {
    /// Returns the names in order.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Chooses a severity from a record, and names its source.
    ///
    /// `auto` ends the list: what stands after it is never asked, because it always answers.
    /// Source: spec 02 section 7 item 4.
    pub(super) fn select(
        &self,
        finding: &Finding,
        record: &VulnerabilityDetails,
    ) -> (Severity, String) {
        for source in &self.0 {
            if source == AUTO {
                return automatic(finding, record);
            }
            if let Some(severity) = rated_by(record, source) {
                return (severity, source.clone());
            }
        }
        (Severity::Unknown, String::new())
    }
}

/// Prefers who published the advisory, then GitHub for its own ids, then NVD, then the severity
/// that was merged when the database was built, whose source nobody knows any more.
fn automatic(finding: &Finding, record: &VulnerabilityDetails) -> (Severity, String) {
    let publisher = finding.data_source.as_ref().map_or("", |source| {
        if source.base_id.is_empty() {
            &source.id
        } else {
            &source.base_id
        }
    });
    if let Some(severity) = rated_by(record, publisher) {
        return (severity, publisher.to_owned());
    }
    let fallbacks: &[&str] = if finding.vulnerability_id.starts_with("GHSA-") {
        &["ghsa", "nvd"]
    } else {
        &["nvd"]
    };
    // Only the first that has a rating is asked, even if its rating is "unknown".
    let first = fallbacks
        .iter()
        .find_map(|source| rated_by(record, source).map(|severity| (severity, *source)));
    match first {
        Some((severity, source)) if severity != Severity::Unknown => (severity, source.to_owned()),
        _ => (record.severity, String::new()),
    }
}

fn rated_by(record: &VulnerabilityDetails, source: &str) -> Option<Severity> {
    let number = record.vendor_severity.get(source)?;
    Some(Severity::from_number(*number))
}
