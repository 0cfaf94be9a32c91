//! The shape of an advisory in the database.

use std::sync::Arc;

use cleanbill_core::vulnerability::DataSource;

/// States that versions of a package are affected by a vulnerability.
///
/// One type for every shape of value that trivy-db has; absent members are empty. The names of the
/// members in JSON are in `database/values.rs`. Source: spec 01 sections 4.3 to 4.5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advisory {
    /// The key of the row: a vulnerability id, or an erratum id in the Red Hat bucket.
    pub vulnerability_id: String,
    /// The first version without the vulnerability; empty if there is none.
    pub fixed_version: String,
    /// The first affected version.
    pub affected_version: String,
    /// Alternatives, each a conjunction of bounds.
    pub vulnerable_versions: Vec<String>,
    /// Versions, or requirements (Ruby), without the vulnerability.
    pub patched_versions: Vec<String>,
    /// Requirements of versions that never had it (Ruby).
    pub unaffected_versions: Vec<String>,
    /// The supplier's own ids.
    pub vendor_ids: Vec<String>,
    /// The severity for this package, 0…4; 0 is not stated.
    pub severity: i64,
    /// The state of the fix, 0…7.
    pub status: i64,
    /// Rows that hold for some architectures or platforms only (Oracle, Rocky, Red Hat).
    pub entries: Vec<AdvisoryEntry>,
    /// The bucket that holds the row.
    pub bucket: Arc<str>,
    /// The source of the bucket.
    pub data_source: Option<Arc<DataSource>>,
}

/// Holds what an advisory says for some architectures or platforms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdvisoryEntry {
    /// The first version without the vulnerability; empty if there is none.
    pub fixed_version: String,
    /// The architectures; empty means all in the Red Hat bucket, none elsewhere.
    pub arches: Vec<String>,
    /// The supplier's own ids.
    pub vendor_ids: Vec<String>,
    /// The vulnerabilities of the erratum (Red Hat).
    pub cves: Vec<EntryCve>,
    /// Indices into the CPE list (Red Hat).
    pub affected: Vec<i64>,
    /// The state of the fix, 0…7.
    pub status: i64,
}

/// Names one vulnerability of an erratum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryCve {
    /// The id; empty in rows that are keyed by it.
    pub id: String,
    /// The severity on these platforms, 0…4.
    pub severity: i64,
}
