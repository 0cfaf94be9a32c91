//! The order of findings by risk.
//!
//! The risk of a finding is the weight of its severity times the probability that the vulnerability
//! is exploited within 30 days:
//!
//! - weight: 10 critical, 7 high, 4 medium, 1 low and unknown (where CVSS has its bounds);
//! - probability: 1 if it is known to be exploited, else the EPSS score, else 0.01 where there is
//!   none, about what an average vulnerability has.

use cleanbill_core::report::ImageReport;
use cleanbill_core::vulnerability::Finding;

/// The probability that stands for an unknown one.
const UNKNOWN_PROBABILITY: f64 = 0.01;

/// Orders the findings of every part of an image, the greatest risk first; equal ones keep their
/// order.
pub fn sort_by_risk(image: &mut ImageReport) {
    for result in &mut image.results {
        result.findings.sort_by(|a, b| risk(b).total_cmp(&risk(a)));
    }
}

/// Returns the risk of a finding, 0 to 10.
pub fn risk(finding: &Finding) -> f64 {
    let weight = f64::from(finding.severity.weight());
    let probability = match (&finding.known_exploited, &finding.epss) {
        (Some(_), _) => 1.0,
        (None, Some(epss)) => epss.score,
        (None, None) => UNKNOWN_PROBABILITY,
    };
    weight * probability
}

#[cfg(test)]
mod tests {
    use cleanbill_core::report::ResultSet;
    use cleanbill_core::severity::Severity;
    use cleanbill_core::vulnerability::Epss;

    use super::*;

    #[test]
    fn exploitation_counts_more_than_severity() {
        let finding = |id: &str, severity, score: Option<f64>, is_known: bool| Finding {
            vulnerability_id: id.to_owned(),
            severity,
            epss: score.map(|score| Epss {
                score,
                ..Epss::default()
            }),
            known_exploited: is_known.then(Box::default),
            ..Finding::default()
        };
        let mut image = ImageReport {
            results: vec![ResultSet {
                findings: vec![
                    finding("unscored", Severity::Critical, None, false),
                    finding("unlikely", Severity::Critical, Some(0.001), false),
                    finding("likely", Severity::Medium, Some(0.9), false),
                    finding("exploited", Severity::Medium, Some(0.001), true),
                    finding("unscored too", Severity::Critical, None, false),
                ],
                ..ResultSet::default()
            }],
            ..ImageReport::default()
        };
        sort_by_risk(&mut image);
        let ids: Vec<_> = image
            .findings()
            .map(|f| f.vulnerability_id.as_str())
            .collect();
        assert_eq!(
            ids,
            [
                "exploited",
                "likely",
                "unscored",
                "unscored too",
                "unlikely"
            ]
        );
    }
}
