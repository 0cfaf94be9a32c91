//! The metrics of saved reports, in the order in which they are shown and documented.
//!
//! Every one has the label `image`: what many pipelines push or write side by side can never be
//! the same series twice, and a sum over them counts each image once. No metric is an age or a
//! window: who pushes once cannot grow old, so points in time are shown and the reader subtracts.

use super::super::families::families;

families! {
    /// Images behind the series: 1, or how many there are where image is (others)
    IMAGES = Gauge "cleanbill_report_images" ["image"];
    /// Findings: fixable (open, and a newer version of the package is without), unfixed (open, and
    /// there is none yet), excepted (an exception or a VEX statement covers it)
    FINDINGS = Gauge "cleanbill_report_findings" ["image", "severity", "state"];
    /// Distinct vulnerabilities with an open finding
    VULNERABILITIES = Gauge "cleanbill_report_vulnerabilities" ["image"];
    /// Open findings of what is known to be exploited; missing if nobody had the catalogue (KEV)
    EXPLOITED = Gauge "cleanbill_report_known_exploited_findings" ["image"];
    /// 1 if the image was assessed completely; 0: no finding does not mean clean
    ASSESSED = Gauge "cleanbill_report_image_assessed" ["image"];
    /// 1 if the distribution is past its end of life
    END_OF_LIFE = Gauge "cleanbill_report_image_end_of_life" ["image"];
    /// 1 if the report that the image stands in passes the gate, 0 if it fails; missing if no gate
    /// judged it
    GATE_PASSED = Gauge "cleanbill_report_gate_passed" ["image"];
    /// Rules of the gate that fail; missing if no gate judged it
    GATE_RULES = Gauge "cleanbill_report_gate_failed_rules" ["image"];
    /// Excepted findings whose exception ends within 7 days of the scan
    EXPIRING = Gauge "cleanbill_report_exceptions_expiring" ["image"];
    /// When the first of the exceptions ends that cover a finding; missing if none ends
    NEXT_EXPIRY = Gauge "cleanbill_report_exceptions_next_expiry_timestamp_seconds" ["image"];
    /// When the image was scanned; missing if the report does not say
    SCANNED = Gauge "cleanbill_report_scan_timestamp_seconds" ["image"];
    /// How long the scan took that the image was part of; missing if the report does not say
    DURATION = Gauge "cleanbill_report_scan_duration_seconds" ["image"];
    /// When the advisory database was built that the image was judged with; missing if there was
    /// none
    DATABASE_UPDATED = Gauge "cleanbill_report_database_updated_timestamp_seconds" ["image"];
}
