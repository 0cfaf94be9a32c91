//! What is known about a vulnerability, whoever has it.

mod severity;
mod time;

use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_core::severity::FixStatus;
use cleanbill_core::vulnerability::{DataSource, Finding, VulnerabilityDetails};

use crate::database::LookupError;
use crate::matchers::AdvisorySource;

pub use severity::{SeveritySources, SeveritySourcesError};

/// Fills in status, severity, record and primary URL of findings. Findings of one vulnerability
/// share its record.
///
/// Source: spec 02 section 7, Trivy `pkg/vulnerability/vulnerability.go`.
///
/// # Errors
/// The database is corrupt; the findings up to that point are filled in.
pub fn fill_details(
    source: &dyn AdvisorySource,
    findings: &mut [Finding],
    sources: &SeveritySources,
) -> Result<(), LookupError> {
    let mut records: HashMap<String, Option<Arc<VulnerabilityDetails>>> = HashMap::new();
    for finding in findings {
        finding.status = status(finding);
        let id = &finding.vulnerability_id;
        let record = match records.get(id) {
            Some(record) => record.clone(),
            None => {
                let record = source.details(id)?;
                records.insert(id.clone(), record.clone());
                record
            }
        };
        // Without a record the severity stays what the advisory says.
        if let Some(record) = record {
            fill(finding, record, sources);
        }
    }
    Ok(())
}

/// Brings a record into the form that reports print.
pub(crate) fn tidied(record: VulnerabilityDetails) -> VulnerabilityDetails {
    VulnerabilityDetails {
        published: time::reprinted(&record.published),
        last_modified: time::reprinted(&record.last_modified),
        ..record
    }
}

fn status(finding: &Finding) -> FixStatus {
    if !finding.fixed_version.is_empty() {
        FixStatus::Fixed
    } else if finding.status == FixStatus::Unknown {
        FixStatus::Affected
    } else {
        finding.status
    }
}

fn fill(finding: &mut Finding, record: Arc<VulnerabilityDetails>, sources: &SeveritySources) {
    finding.vendor_severity.clone_from(&record.vendor_severity);
    if finding.severity_source.is_empty() {
        let (severity, source) = sources.select(finding, &record);
        finding.severity = severity;
        finding.severity_source = source;
    } else {
        // The source rated the vulnerability for this package; that is better than its general
        // rating.
        finding.vendor_severity.insert(
            finding.severity_source.clone(),
            finding.severity.number().into(),
        );
    }
    finding.primary_url = primary_url(finding, &record.references);
    finding.details = Some(record);
}

/// The first pages of sources, by the id of the source, in order of preference.
const PAGES: &[(&str, &[&str])] = &[
    (
        "debian",
        &["http://www.debian.org", "https://www.debian.org"],
    ),
    (
        "ubuntu",
        &["http://www.ubuntu.com", "https://usn.ubuntu.com"],
    ),
    ("redhat", &["https://access.redhat.com"]),
    (
        "suse-cvrf",
        &["http://lists.opensuse.org", "https://lists.opensuse.org"],
    ),
    (
        "oracle-oval",
        &[
            "http://linux.oracle.com/errata",
            "https://linux.oracle.com/errata",
        ],
    ),
    (
        "nodejs-security-wg",
        &["https://www.npmjs.com", "https://hackerone.com"],
    ),
    ("ruby-advisory-db", &["https://groups.google.com"]),
];

fn primary_url(finding: &Finding, references: &[String]) -> String {
    let id = finding.vulnerability_id.as_str();
    if id.starts_with("CVE-") {
        return format!("https://avd.aquasec.com/nvd/{}", id.to_lowercase());
    }
    for (prefix, address) in [
        ("RUSTSEC-", "https://osv.dev/vulnerability/"),
        ("GHSA-", "https://github.com/advisories/"),
        ("TEMP-", "https://security-tracker.debian.org/tracker/"),
    ] {
        if id.starts_with(prefix) {
            return format!("{address}{id}");
        }
    }
    page_of_source(finding.data_source.as_ref(), references)
        .cloned()
        .unwrap_or_default()
}

fn page_of_source<'a>(
    data_source: Option<&DataSource>,
    references: &'a [String],
) -> Option<&'a String> {
    let id = &data_source?.id;
    let (_, prefixes) = PAGES.iter().find(|(source, _)| source == id)?;
    prefixes
        .iter()
        .find_map(|prefix| references.iter().find(|page| page.starts_with(prefix)))
}

#[cfg(test)]
mod tests;
