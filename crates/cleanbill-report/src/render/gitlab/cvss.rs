//! CVSS vectors: GitLab refuses a whole report for one that is malformed.

use cleanbill_core::vulnerability::{Cvss, Finding};
use serde::Serialize;

/// Vectors of one entry, by the schema.
const VECTORS_MAX: usize = 10;

#[derive(Serialize)]
pub(super) struct Vector<'a> {
    vendor: &'a str,
    vector: &'a str,
}

/// Metrics and their values in a vector of version 2.
const METRICS_2: &[(&str, &[&str])] = &[
    ("AV", &["N", "A", "L"]),
    ("AC", &["L", "M", "H"]),
    ("Au", &["M", "S", "N"]),
    ("C", &["N", "P", "C"]),
    ("I", &["N", "P", "C"]),
    ("A", &["N", "P", "C"]),
];

/// Metrics and their values in a vector of versions 3.0 and 3.1.
const METRICS_3: &[(&str, &[&str])] = &[
    ("AV", &["N", "A", "L", "P"]),
    ("AC", &["L", "H"]),
    ("PR", &["N", "L", "H"]),
    ("UI", &["N", "R"]),
    ("S", &["U", "C"]),
    ("C", &["N", "L", "H"]),
    ("I", &["N", "L", "H"]),
    ("A", &["N", "L", "H"]),
    ("E", &["X", "U", "P", "F", "H"]),
    ("RL", &["X", "O", "T", "W", "U"]),
    ("RC", &["X", "U", "R", "C"]),
];

/// Lists the vectors that the schema accepts: the newest version of each source. Version 4 came
/// to the schema later.
pub(super) fn vectors(finding: &Finding) -> Vec<Vector<'_>> {
    let scores = finding.details.iter().flat_map(|details| &details.cvss);
    scores
        .filter_map(|(vendor, cvss)| Some((vendor.as_str(), accepted(cvss)?)))
        .filter(|(vendor, _)| !vendor.is_empty())
        .map(|(vendor, vector)| Vector { vendor, vector })
        .take(VECTORS_MAX)
        .collect()
}

fn accepted(cvss: &Cvss) -> Option<&str> {
    let three = ["CVSS:3.1/", "CVSS:3.0/"]
        .iter()
        .find_map(|prefix| cvss.v3_vector.strip_prefix(prefix))
        .filter(|metrics| is_made_of(metrics, METRICS_3) && cvss.v3_vector.len() >= 32);
    let two = || {
        let vector = cvss.v2_vector.as_str();
        (is_made_of(vector, METRICS_2) && vector.len() >= 16).then_some(vector)
    };
    three.map(|_| cvss.v3_vector.as_str()).or_else(two)
}

fn is_made_of(metrics: &str, known: &[(&str, &[&str])]) -> bool {
    metrics.len() <= 119
        && metrics.split('/').all(|metric| {
            metric.split_once(':').is_some_and(|(name, value)| {
                known
                    .iter()
                    .any(|(metric, values)| *metric == name && values.contains(&value))
            })
        })
}
