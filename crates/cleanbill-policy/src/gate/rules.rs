//! The rules of a gate.

use std::collections::BTreeMap;
use std::time::Duration;

use super::denied::DeniedPackage;
use crate::delta::SeverityFilter;
use crate::threshold::{Counted, Thresholds};

/// Holds every rule. Rules that are not set judge nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The severities that count at all; findings of others are left out of every rule.
    pub severities: SeverityFilter,
    /// Only findings that have a fix count.
    pub only_fixable: bool,
    /// Only findings that were not there before count.
    pub only_new: bool,
    /// How many findings pass.
    pub thresholds: Thresholds,
    /// How many findings pass that are likely to be exploited.
    pub epss: Option<EpssRule>,
    /// Packages that must not be there.
    pub denied_packages: Vec<DeniedPackage>,
    /// What becomes of a distribution that gets no security updates any more.
    pub end_of_life: Tolerance,
    /// The oldest advisory database that is trusted.
    pub database_age_max: Option<Duration>,
    /// What becomes of an image that was assessed in part. One that could not be opened at all
    /// always fails, unless nothing is asked for.
    pub incomplete: Tolerance,
    /// The exit code of a failed verdict; [`super::FAILED_EXIT_CODE`] unless it is set.
    pub exit_code: Option<u8>,
    /// The file that they were read from; empty for flags.
    pub source: String,
    /// The line of each rule, counted from 1.
    pub lines: BTreeMap<RuleKind, u64>,
}

/// Limits findings that are likely to be exploited.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EpssRule {
    /// Findings with a higher probability count, 0 to 1.
    pub above: f64,
    /// How many of them pass.
    pub allowed: u64,
}

/// Says what becomes of an image about which something is not as it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tolerance {
    /// It passes.
    Allow,
    /// It fails.
    #[default]
    Fail,
}

/// Names a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleKind {
    /// The number of findings of a kind.
    Threshold(Counted),
    /// The number of findings that are likely to be exploited.
    Epss,
    /// Packages that must not be there.
    DeniedPackages,
    /// Releases that get no security updates any more.
    EndOfLife,
    /// The age of the advisory database.
    DatabaseAge,
    /// What could not be assessed.
    Incomplete,
    /// Exceptions of which nobody can tell whether they still hold.
    Exceptions,
}

impl Rules {
    /// Returns rules that fail nothing: what holds without a file of rules.
    pub fn none() -> Self {
        Self {
            incomplete: Tolerance::Allow,
            ..Self::default()
        }
    }

    /// Says whether nothing but what could not be assessed can fail.
    pub fn is_empty(&self) -> bool {
        self.thresholds == Thresholds::default()
            && self.epss.is_none()
            && self.denied_packages.is_empty()
            && self.end_of_life == Tolerance::Allow
            && self.database_age_max.is_none()
    }
}

impl Default for Rules {
    /// Returns the rules of an empty file: only what could not be assessed fails.
    fn default() -> Self {
        Self {
            severities: SeverityFilter::ALL,
            only_fixable: false,
            only_new: false,
            thresholds: Thresholds::default(),
            epss: None,
            denied_packages: Vec::new(),
            end_of_life: Tolerance::Allow,
            database_age_max: None,
            incomplete: Tolerance::Fail,
            exit_code: None,
            source: String::new(),
            lines: BTreeMap::new(),
        }
    }
}

impl RuleKind {
    /// Returns the key of rules files, `thresholds.high`.
    pub const fn name(self) -> &'static str {
        use cleanbill_core::Severity;
        match self {
            RuleKind::Threshold(Counted::KnownExploited) => "thresholds.kev",
            RuleKind::Threshold(Counted::Total) => "thresholds.total",
            RuleKind::Threshold(Counted::Severity(severity)) => match severity {
                Severity::Critical => "thresholds.critical",
                Severity::High => "thresholds.high",
                Severity::Medium => "thresholds.medium",
                Severity::Low => "thresholds.low",
                Severity::Unknown => "thresholds.unknown",
            },
            RuleKind::Epss => "epss",
            RuleKind::DeniedPackages => "deny_packages",
            RuleKind::EndOfLife => "end_of_life",
            RuleKind::DatabaseAge => "max_db_age",
            RuleKind::Incomplete => "incomplete",
            RuleKind::Exceptions => "exceptions",
        }
    }
}
