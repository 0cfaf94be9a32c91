//! The numbers that a report states of its findings, against the findings that it lists.
//!
//! A report lists every finding that counts, whatever was filtered when it was made, so that numbers
//! that differ are those of another report: somebody has cut it, and judging it would let through
//! what was cut away.

use std::collections::BTreeMap;

use cleanbill_core::report::SeverityCounts;
use cleanbill_core::severity::Severity;

use super::SavedReportError;
use crate::text;

/// Checks what a report states of an image, or of all.
///
/// # Errors
///
/// It states another number than it lists.
pub(super) fn check(
    of: &str,
    total: Option<u64>,
    summary: Option<&BTreeMap<String, u64>>,
    listed: &SeverityCounts,
) -> Result<(), SavedReportError> {
    let fits = |what: &str, stated: u64, listed: u64| match stated == listed {
        true => Ok(()),
        false => Err(SavedReportError::Contradiction {
            of: text::clean(of).chars().take(100).collect(),
            what: what.to_owned(),
            stated,
            listed,
        }),
    };
    for severity in Severity::ALL {
        let name = severity.name();
        if let Some(stated) = summary.and_then(|summary| summary.get(name)) {
            fits(&format!("{name} findings"), *stated, listed.get(severity))?;
        }
    }
    match total {
        Some(total) => fits("findings", total, listed.total()),
        None => Ok(()),
    }
}
