//! The rule about packages that must not be there.

use std::collections::HashSet;

use cleanbill_core::count;

use super::{Judging, listed};
use crate::gate::rules::RuleKind;
use crate::gate::verdict::{Hit, PackagePlace, RuleOutcome, RuleStatus};

impl Judging<'_> {
    pub(super) fn denied_packages(&self) -> Option<RuleOutcome> {
        if self.rules.denied_packages.is_empty() {
            return None;
        }
        let kind = RuleKind::DeniedPackages;
        let images = self.subject.report.images.iter();
        let mut results = images.flat_map(|image| &image.results);
        if self.subject.lacks_packages || results.any(|result| result.unlisted_packages > 0) {
            let message =
                "deny_packages cannot be judged: the report was saved without its packages";
            return Some(RuleOutcome {
                advice: "scan again with --list-all-pkgs".to_owned(),
                ..self.outcome(kind, RuleStatus::NotJudged, message.to_owned())
            });
        }
        let (hits, named) = self.packages_denied();
        if hits.is_empty() {
            let message = "no denied package".to_owned();
            return Some(self.outcome(kind, RuleStatus::Passed, message));
        }
        let denied = count(hits.len() as u64, "denied package");
        let message = format!("{denied}: {}", listed(&named));
        Some(RuleOutcome {
            hits,
            advice: "remove them from the image".to_owned(),
            ..self.outcome(kind, RuleStatus::Failed, message)
        })
    }

    /// Finds the packages that are denied. Returns their places, and each name, with the reason, once.
    fn packages_denied(&self) -> (Vec<Hit>, Vec<String>) {
        let mut hits = Vec::new();
        let (mut named, mut is_named) = (Vec::new(), HashSet::new());
        for (image, image_report) in self.subject.report.images.iter().enumerate() {
            for (result, result_set) in image_report.results.iter().enumerate() {
                for (package, found) in result_set.packages.iter().enumerate() {
                    let mut denied = self.rules.denied_packages.iter();
                    let Some(denied) = denied.find(|denied| denied.pattern.matches(found)) else {
                        continue;
                    };
                    hits.push(Hit::Package(PackagePlace {
                        image,
                        result,
                        package,
                    }));
                    let reason = match denied.reason.as_str() {
                        "" => String::new(),
                        reason => format!(" ({reason})"),
                    };
                    let name = format!("{} {}{reason}", found.name, found.version);
                    if is_named.insert(name.clone()) {
                        named.push(name);
                    }
                }
            }
        }
        (hits, named)
    }
}
