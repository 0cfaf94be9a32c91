//! Findings as they are read: for a key that is flattened into them serde keeps every member of the
//! text for a while, and there are hundreds of findings in each of many images.

use cleanbill_core::Severity;
use cleanbill_core::change::{FindingKey, KnownFinding};
use cleanbill_core::package::LayerId;
use cleanbill_core::severity::FixStatus;
use serde::Deserialize;

/// Is a [`KnownFinding`] as its JSON has it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct FindingRecord {
    vulnerability_id: String,
    kind: String,
    package_name: String,
    package_path: String,
    installed_version: String,
    fixed_version: String,
    fix_status: FixStatus,
    severity: Severity,
    is_known_exploited: bool,
    known_exploited_since: String,
    epss_score: Option<f64>,
    title: String,
    primary_url: String,
    advisory_source: String,
    published: String,
    layer: Option<LayerId>,
    created_by: String,
    covered_by: String,
    lapsed_exception: String,
}

impl From<FindingRecord> for KnownFinding {
    fn from(record: FindingRecord) -> Self {
        Self {
            key: FindingKey {
                vulnerability_id: record.vulnerability_id,
                kind: record.kind,
                package_name: record.package_name,
                package_path: record.package_path,
            },
            installed_version: record.installed_version,
            fixed_version: record.fixed_version,
            fix_status: record.fix_status,
            severity: record.severity,
            is_known_exploited: record.is_known_exploited,
            known_exploited_since: record.known_exploited_since,
            epss_score: record.epss_score,
            title: record.title,
            primary_url: record.primary_url,
            advisory_source: record.advisory_source,
            published: record.published,
            layer: record.layer,
            created_by: record.created_by,
            covered_by: record.covered_by,
            lapsed_exception: record.lapsed_exception,
        }
    }
}
