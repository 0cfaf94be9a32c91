//! What a gate says.

use cleanbill_core::package::Package;
use cleanbill_core::report::{ImageReport, ResultSet, ScanReport, SeverityCounts};
use cleanbill_core::vulnerability::Finding;

use super::rules::RuleKind;
use crate::upgrade::UpgradePlan;

/// Says whether a scan passes, and if not, why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The scan fails.
    pub failed: bool,
    /// Sentences without a final stop, one per rule that failed; empty if it passes.
    pub reasons: Vec<String>,
    /// 0, or the code of a failed verdict.
    pub exit_code: u8,
    /// What kind of failure decides the exit code; `None` if it passes.
    pub failure: Option<FailureKind>,
    /// What became of each rule that is set, in the order in which they are judged.
    pub rules: Vec<RuleOutcome>,
    /// The findings that counted.
    pub counts: SeverityCounts,
    /// What limits the verdict: sentences without a final stop.
    pub notes: Vec<String>,
    /// What would make it pass; `None` if it does, or if no rule that failed counts packages.
    pub plan: Option<UpgradePlan>,
}

/// Tells failures apart by their exit code. Of several the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// A rule could not be judged, because the report lacks what it asks for.
    NotJudged,
    /// The advisory database is too old.
    Database,
    /// A rule failed.
    Gate,
    /// Nothing but this failed: an image was not assessed completely.
    Incomplete,
}

/// Says what became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOutcome {
    /// The rule.
    pub kind: RuleKind,
    /// Its line in the file of rules, counted from 1; `None` if it comes from a flag, or holds
    /// without being written.
    pub line: Option<u64>,
    /// Whether it passed.
    pub status: RuleStatus,
    /// A sentence without a final stop.
    pub message: String,
    /// What to do about a failure that no upgrade of a package mends; may be empty.
    pub advice: String,
    /// What it failed on, in the order of the report. A threshold that is passed names all that it
    /// counted.
    pub hits: Vec<Hit>,
}

/// Says whether a rule passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleStatus {
    /// Nothing stands against it.
    Passed,
    /// It failed.
    Failed,
    /// The report lacks what it asks for: it fails too.
    NotJudged,
}

/// Points at what a rule failed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hit {
    /// A finding.
    Finding(FindingPlace),
    /// A package.
    Package(PackagePlace),
    /// A whole image, by its number.
    Image(usize),
}

/// Is the place of a finding in a report: numbers of the image, the result and the finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FindingPlace {
    /// The image.
    pub image: usize,
    /// The result.
    pub result: usize,
    /// The finding.
    pub finding: usize,
}

/// Is the place of a package in a report: numbers of the image, the result and the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackagePlace {
    /// The image.
    pub image: usize,
    /// The result.
    pub result: usize,
    /// The package.
    pub package: usize,
}

impl FindingPlace {
    /// Looks the finding up; `None` in another report.
    pub fn find<'a>(
        &self,
        report: &'a ScanReport,
    ) -> Option<(&'a ImageReport, &'a ResultSet, &'a Finding)> {
        let image = report.images.get(self.image)?;
        let result = image.results.get(self.result)?;
        Some((image, result, result.findings.get(self.finding)?))
    }
}

impl PackagePlace {
    /// Looks the package up; `None` in another report.
    pub fn find<'a>(
        &self,
        report: &'a ScanReport,
    ) -> Option<(&'a ImageReport, &'a ResultSet, &'a Package)> {
        let image = report.images.get(self.image)?;
        let result = image.results.get(self.result)?;
        Some((image, result, result.packages.get(self.package)?))
    }
}

impl Hit {
    /// Returns the number of the image.
    pub const fn image(&self) -> usize {
        match self {
            Hit::Finding(place) => place.image,
            Hit::Package(place) => place.image,
            Hit::Image(image) => *image,
        }
    }
}

impl RuleStatus {
    /// Returns the word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            RuleStatus::Passed => "passed",
            RuleStatus::Failed => "failed",
            RuleStatus::NotJudged => "not_judged",
        }
    }
}

impl RuleOutcome {
    /// Says whether it stands against the scan.
    pub fn fails(&self) -> bool {
        self.status != RuleStatus::Passed
    }

    /// Returns what kind of failure it is; `None` if it passed.
    pub fn failure(&self) -> Option<FailureKind> {
        match (self.status, self.kind) {
            (RuleStatus::Passed, _) => None,
            (RuleStatus::NotJudged, _) => Some(FailureKind::NotJudged),
            (RuleStatus::Failed, RuleKind::DatabaseAge) => Some(FailureKind::Database),
            (RuleStatus::Failed, RuleKind::Incomplete) => Some(FailureKind::Incomplete),
            (RuleStatus::Failed, _) => Some(FailureKind::Gate),
        }
    }
}

impl FailureKind {
    /// Returns the exit code, `gate` being that of a failed rule.
    pub const fn exit_code(self, gate: u8) -> u8 {
        match self {
            FailureKind::NotJudged => 2,
            FailureKind::Database => 4,
            FailureKind::Gate => gate,
            FailureKind::Incomplete => 3,
        }
    }
}
