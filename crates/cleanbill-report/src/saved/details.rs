//! Details of vulnerabilities, each held once: a report repeats them with every finding.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cleanbill_core::vulnerability::{Cvss, VulnerabilityDetails};

use super::model;

/// Hands out equal details as one.
#[derive(Default)]
pub(super) struct Shared(HashMap<String, Vec<Arc<VulnerabilityDetails>>>);

impl Shared {
    pub(super) fn of(
        &mut self,
        id: &str,
        details: VulnerabilityDetails,
    ) -> Option<Arc<VulnerabilityDetails>> {
        if details == VulnerabilityDetails::default() {
            return None;
        }
        let known = self.0.entry(id.to_owned()).or_default();
        if let Some(same) = known.iter().find(|known| ***known == details) {
            return Some(Arc::clone(same));
        }
        let details = Arc::new(details);
        known.push(Arc::clone(&details));
        Some(details)
    }
}

pub(super) fn cvss(members: BTreeMap<String, model::Cvss>) -> BTreeMap<String, Cvss> {
    let scores = members.into_iter();
    scores
        .map(|(source, cvss)| (source, scores_of(cvss)))
        .collect()
}

fn scores_of(cvss: model::Cvss) -> Cvss {
    let pair =
        |score: Option<model::Score>| score.map(|one| (one.vector, one.score)).unwrap_or_default();
    let (v2_vector, v2_score) = pair(cvss.v2);
    let (v3_vector, v3_score) = pair(cvss.v3);
    let (v40_vector, v40_score) = pair(cvss.v4);
    Cvss {
        v2_vector,
        v3_vector,
        v40_vector,
        v2_score,
        v3_score,
        v40_score,
    }
}
