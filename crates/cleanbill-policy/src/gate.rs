//! The verdict over a scan, and the exit code that it asks for.

use cleanbill_core::report::{ImageReport, ScanReport};

use crate::threshold::{Counted, Excess, Thresholds};

/// The exit code of a failed verdict unless another one is asked for.
pub const FAILED_EXIT_CODE: u8 = 1;

/// Holds what `--fail-on` and `--exit-code` say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// How many findings pass. Without thresholds none passes if an exit code is given, else any
    /// number does.
    pub thresholds: Option<Thresholds>,
    /// The exit code of a failed verdict; 0 is the same as none.
    pub exit_code: Option<u8>,
}

/// Says whether a scan passes, and if not, why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The scan fails.
    pub failed: bool,
    /// Sentences without a final stop, one per reason; empty if it passes.
    pub reasons: Vec<String>,
    /// 0, or the code of a failed verdict.
    pub exit_code: u8,
}

impl Gate {
    /// Judges all images of a report together, after filters and VEX.
    ///
    /// Source: spec 03 section 10 for `--exit-code` alone (any finding that is left).
    pub fn verdict(&self, report: &ScanReport) -> Verdict {
        let counts = report.severity_counts();
        let exit_code = self.exit_code.filter(|code| *code != 0);
        let reasons: Vec<String> = match (&self.thresholds, exit_code) {
            (Some(thresholds), _) => thresholds
                .excesses(&counts, known_exploited(report))
                .into_iter()
                .map(describe)
                .collect(),
            (None, Some(_)) if counts.total() > 0 => {
                vec![format!("{} found, none allowed", findings(counts.total()))]
            }
            (None, _) => Vec::new(),
        };
        let failed = !reasons.is_empty();
        Verdict {
            failed,
            reasons,
            exit_code: if failed {
                exit_code.unwrap_or(FAILED_EXIT_CODE)
            } else {
                0
            },
        }
    }
}

fn describe(excess: Excess) -> String {
    let Excess {
        counted,
        count,
        allowed,
    } = excess;
    let allowed = match allowed {
        0 => "none".to_owned(),
        number => number.to_string(),
    };
    let found = findings(count);
    match counted {
        Counted::Severity(severity) => format!("{found} of severity {severity}, {allowed} allowed"),
        Counted::KnownExploited => {
            format!("{found} of what is known to be exploited, {allowed} allowed")
        }
    }
}

/// Counts the findings that are known to be exploited.
fn known_exploited(report: &ScanReport) -> u64 {
    let findings = report.images.iter().flat_map(ImageReport::findings);
    findings
        .filter(|finding| finding.known_exploited.is_some())
        .count() as u64
}

fn findings(count: u64) -> String {
    match count {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::Severity;
    use cleanbill_core::report::ResultSet;
    use cleanbill_core::vulnerability::Finding;

    use super::*;

    fn report(severities: &[&[Severity]]) -> ScanReport {
        let image = |severities: &&[Severity]| ImageReport {
            results: vec![ResultSet {
                findings: severities
                    .iter()
                    .map(|severity| Finding {
                        severity: *severity,
                        ..Finding::default()
                    })
                    .collect(),
                ..ResultSet::default()
            }],
            ..ImageReport::default()
        };
        ScanReport {
            images: severities.iter().map(image).collect(),
            ..ScanReport::default()
        }
    }

    #[track_caller]
    fn check(fail_on: Option<&str>, exit_code: Option<u8>, code: u8, reasons: &[&str]) {
        let report = report(&[&[Severity::High, Severity::Low], &[Severity::High]]);
        let gate = Gate {
            thresholds: fail_on.map(|text| text.parse().unwrap()),
            exit_code,
        };
        let verdict = gate.verdict(&report);
        assert_eq!(verdict.exit_code, code);
        assert_eq!(verdict.failed, code != 0);
        assert_eq!(verdict.reasons, reasons);
    }

    #[test]
    fn all_images_count_together() {
        check(None, None, 0, &[]);
        check(None, Some(0), 0, &[]);
        check(None, Some(5), 5, &["3 findings found, none allowed"]);
        check(
            Some("high=1"),
            None,
            1,
            &["2 findings of severity HIGH, 1 allowed"],
        );
        check(
            Some("high=1"),
            Some(7),
            7,
            &["2 findings of severity HIGH, 1 allowed"],
        );
        check(Some("high=2"), Some(7), 0, &[]);
        check(
            Some("low"),
            None,
            1,
            &[
                "2 findings of severity HIGH, none allowed",
                "1 finding of severity LOW, none allowed",
            ],
        );
        let clean = Gate {
            thresholds: None,
            exit_code: Some(5),
        }
        .verdict(&ScanReport::default());
        assert_eq!(clean, Verdict::default());
    }
}
