//! The names of the members of every value in the database. Source: spec 01 section 4.

use cleanbill_core::Severity;
use cleanbill_core::vulnerability::{Cvss, DataSource, VulnerabilityDetails};
use serde::Deserializer;

use super::json::{Lax, object};
use crate::advisory::{Advisory, AdvisoryEntry, EntryCve};

object!(DataSource {
    "ID" => id,
    "Name" => name,
    "URL" => url,
    "BaseID" => base_id,
});

object!(VulnerabilityDetails {
    "Title" => title,
    "Description" => description,
    "Severity" => severity,
    "CweIDs" => cwe_ids,
    "VendorSeverity" => vendor_severity,
    "CVSS" => cvss,
    "References" => references,
    "PublishedDate" => published,
    "LastModifiedDate" => last_modified,
});

object!(Cvss {
    "V2Vector" => v2_vector,
    "V3Vector" => v3_vector,
    "V40Vector" => v40_vector,
    "V2Score" => v2_score,
    "V3Score" => v3_score,
    "V40Score" => v40_score,
});

object!(Advisory {
    "FixedVersion" => fixed_version,
    "AffectedVersion" => affected_version,
    "VulnerableVersions" => vulnerable_versions,
    "PatchedVersions" => patched_versions,
    "UnaffectedVersions" => unaffected_versions,
    "VendorIDs" => vendor_ids,
    "Severity" => severity,
    "Status" => status,
    "Entries" => entries,
});

object!(AdvisoryEntry {
    "FixedVersion" => fixed_version,
    "Arches" => arches,
    "VendorIDs" => vendor_ids,
    "Cves" => cves,
    "Affected" => affected,
    "Status" => status,
});

object!(EntryCve {
    "ID" => id,
    "Severity" => severity,
});

/// A severity by its name in upper case; any other text is unknown, as in trivy-db.
impl Lax for Severity {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::read(deserializer)?;
        let known = Severity::ALL
            .into_iter()
            .find(|severity| severity.name() == name);
        Ok(known.unwrap_or_default())
    }
}
