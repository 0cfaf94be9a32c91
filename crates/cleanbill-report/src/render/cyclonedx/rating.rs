//! `ratings`: what each source says about how bad a vulnerability is.
//!
//! Source: Trivy `pkg/sbom/cyclonedx/marshal.go` (`ratings`).

use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::{Epss, Finding, VulnerabilityDetails};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Rating<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    vector: &'a str,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
}

/// Lists the sources by name, each with every version of CVSS that it scored. Where no source is
/// known, the severity of the finding stands alone. The probability of EPSS comes last: a score of
/// another kind, 0 to 1, and no severity.
pub(super) fn of<'a>(
    finding: &'a Finding,
    details: &'a VulnerabilityDetails,
    epss: Option<&Epss>,
) -> Vec<Rating<'a>> {
    let mut ratings = Vec::new();
    for (source, number) in &finding.vendor_severity {
        let severity = Severity::from_number(*number);
        let rating = |severity: Severity, score, method, vector| Rating {
            source: Some(Source { name: source }),
            score,
            severity: Some(severity.lower_name()),
            method,
            vector,
        };
        let Some(cvss) = details.cvss.get(source) else {
            ratings.push(rating(severity, None, None, ""));
            continue;
        };
        let v3 = if cvss.v3_vector.starts_with("CVSS:3.1") {
            "CVSSv31"
        } else {
            "CVSSv3"
        };
        // NVD's own severity is that of version 3.
        let severity_v2 = match source.as_str() {
            "nvd" => severity_v2(cvss.v2_score),
            _ => severity,
        };
        let scores = [
            (severity_v2, cvss.v2_score, "CVSSv2", &cvss.v2_vector),
            (severity, cvss.v3_score, v3, &cvss.v3_vector),
            (severity, cvss.v40_score, "CVSSv4", &cvss.v40_vector),
        ];
        for (severity, score, method, vector) in scores {
            if score != 0.0 || !vector.is_empty() {
                ratings.push(rating(severity, Some(score), Some(method), vector));
            }
        }
    }
    if ratings.is_empty() {
        ratings.push(Rating {
            source: None,
            score: None,
            severity: Some(finding.severity.lower_name()),
            method: None,
            vector: "",
        });
    }
    ratings.extend(epss.map(|epss| Rating {
        source: Some(Source { name: "EPSS" }),
        score: Some(epss.score),
        severity: None,
        method: Some("other"),
        vector: "",
    }));
    ratings
}

/// Source: NVD, "Vulnerability Metrics" (CVSS 2 ratings).
fn severity_v2(score: f64) -> Severity {
    if score < 4.0 {
        Severity::Low
    } else if score < 7.0 {
        Severity::Medium
    } else {
        Severity::High
    }
}
