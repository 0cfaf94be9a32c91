//! What a change brings and what it mends.

use cleanbill_core::report::ScanReport;
use cleanbill_policy::gate::Known;
use cleanbill_report::Comparison;

/// Compares a report with that on the target branch, by vulnerability and package: the same rules
/// as those of the gate decide what is new, and with the two reports exchanged what is fixed.
pub(super) fn compare<'a>(before: &'a ScanReport, after: &ScanReport) -> Comparison<'a> {
    let (mut known_before, mut known_after) = (Known::default(), Known::default());
    known_before.add_report(before);
    known_after.add_report(after);
    let new = after.images.iter();
    let fixed = before.images.iter().flat_map(|image| {
        let mut gone: Vec<_> = known_after.new_findings(image).into_iter().collect();
        gone.sort_unstable();
        gone.into_iter().filter_map(move |(result, finding)| {
            let finding = image.results.get(result)?.findings.get(finding)?;
            Some((image, finding))
        })
    });
    Comparison {
        new: new.map(|image| known_before.new_findings(image)).collect(),
        fixed: fixed.collect(),
    }
}
