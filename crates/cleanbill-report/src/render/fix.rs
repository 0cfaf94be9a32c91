//! The lowest version that fixes everything fixable.

use cleanbill_core::vulnerability::Finding;

/// Returns the lowest version that fixes all findings, which are of one installed package; empty
/// if none has a fix. See [`cleanbill_version::lowest_fix`].
pub(super) fn lowest_fix(installed: &str, findings: &[&Finding]) -> String {
    let fixes = findings
        .iter()
        .map(|finding| (finding.fixed_version.as_str(), finding.evidence.scheme));
    cleanbill_version::lowest_fix(installed, fixes)
}
