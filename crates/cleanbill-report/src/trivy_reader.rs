//! Reads Trivy's JSON reports.
//!
//! Members that the model has no place for are kept as text and written out again as `trivy-json`,
//! and so are results of other kinds (secrets, misconfiguration, licences). What contradicts the
//! schema is an error that names the place; a report is never read in part.

mod convert;
mod model;
#[cfg(test)]
mod tests;

use cleanbill_core::report::ScanReport;

use model::Document;

/// The schema that is understood.
const SCHEMA_VERSION: u64 = 2;

/// Says why a report of Trivy's could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TrivyReportError {
    /// It is no JSON, or not of the schema.
    #[error("this is no report of Trivy's")]
    Json(#[from] serde_json::Error),
    /// It is of another schema.
    #[error("SchemaVersion {found} is not supported, expected {SCHEMA_VERSION}")]
    Schema {
        /// The version that it states.
        found: u64,
    },
    /// A value makes no sense.
    #[error("{field} '{value}': {reason}")]
    Value {
        /// The member.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads a report. It has one image.
///
/// # Errors
///
/// See [`TrivyReportError`].
pub fn read_trivy_report(bytes: &[u8]) -> Result<ScanReport, TrivyReportError> {
    let document: Document = serde_json::from_slice(bytes)?;
    if document.schema_version != SCHEMA_VERSION {
        return Err(TrivyReportError::Schema {
            found: document.schema_version,
        });
    }
    convert::report(document)
}

/// Reads a report that is known to be sound, for tests that render it again.
#[cfg(test)]
pub(crate) fn read(report: &serde_json::Value) -> ScanReport {
    let mut report = read_trivy_report(report.to_string().as_bytes()).unwrap();
    "docker-archive".clone_into(&mut report.images[0].source);
    report
}
