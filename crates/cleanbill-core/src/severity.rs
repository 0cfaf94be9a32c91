//! The severity scale and the state of a fix.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Orders findings by how bad they are. The numbers are those of the advisory database.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Severity {
    /// Nobody has rated it.
    #[default]
    Unknown,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Every severity, worst first: the order in which they are printed.
    pub const ALL: [Severity; 5] = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Unknown,
    ];

    /// Converts the number of the advisory database; anything outside 0…4 is unknown.
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Severity::Low,
            2 => Severity::Medium,
            3 => Severity::High,
            4 => Severity::Critical,
            _ => Severity::Unknown,
        }
    }

    /// Returns the number of the advisory database, 0…4.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns how much a finding of this severity weighs where findings are added up; CVSS has its
    /// bounds there.
    pub const fn weight(self) -> u8 {
        match self {
            Severity::Critical => 10,
            Severity::High => 7,
            Severity::Medium => 4,
            Severity::Low | Severity::Unknown => 1,
        }
    }

    /// Returns the name in upper case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Unknown => "UNKNOWN",
            Severity::Low => "LOW",
            Severity::Medium => "MEDIUM",
            Severity::High => "HIGH",
            Severity::Critical => "CRITICAL",
        }
    }

    /// Returns the name in lower case, as sentences, rules and labels of metrics have it.
    pub const fn lower_name(self) -> &'static str {
        match self {
            Severity::Unknown => "unknown",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Says that a text names no severity.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is no severity: accepted are UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL")]
pub struct SeverityError(pub String);

impl FromStr for Severity {
    type Err = SeverityError;

    /// Parses a name in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Severity::ALL
            .into_iter()
            .find(|severity| severity.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| SeverityError(text.to_owned()))
    }
}

/// Says whether a fix exists, and if not, what the supplier means to do.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum FixStatus {
    /// The source says nothing.
    #[default]
    Unknown,
    /// The supplier says that the package is not affected.
    NotAffected,
    /// Affected, no fix yet.
    Affected,
    /// A fixed version exists.
    Fixed,
    /// The supplier is looking.
    UnderInvestigation,
    /// The supplier will not fix it.
    WillNotFix,
    /// The supplier has put the fix off.
    FixDeferred,
    /// The release is out of support.
    EndOfLife,
}

impl FixStatus {
    /// Every status in the order of its number.
    pub const ALL: [FixStatus; 8] = [
        FixStatus::Unknown,
        FixStatus::NotAffected,
        FixStatus::Affected,
        FixStatus::Fixed,
        FixStatus::UnderInvestigation,
        FixStatus::WillNotFix,
        FixStatus::FixDeferred,
        FixStatus::EndOfLife,
    ];

    /// Converts the number of the advisory database; anything outside 0…7 is unknown.
    pub fn from_number(number: i64) -> Self {
        usize::try_from(number)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
            .unwrap_or_default()
    }

    /// Returns the name as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            FixStatus::Unknown => "unknown",
            FixStatus::NotAffected => "not_affected",
            FixStatus::Affected => "affected",
            FixStatus::Fixed => "fixed",
            FixStatus::UnderInvestigation => "under_investigation",
            FixStatus::WillNotFix => "will_not_fix",
            FixStatus::FixDeferred => "fix_deferred",
            FixStatus::EndOfLife => "end_of_life",
        }
    }
}

impl fmt::Display for FixStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Says that a text names no status.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "'{0}' is no status: accepted are unknown, not_affected, affected, fixed, \
     under_investigation, will_not_fix, fix_deferred, end_of_life"
)]
pub struct FixStatusError(pub String);

impl FromStr for FixStatus {
    type Err = FixStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        FixStatus::ALL
            .into_iter()
            .find(|status| status.name() == text)
            .ok_or_else(|| FixStatusError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_agree() {
        for severity in Severity::ALL {
            assert_eq!(
                Severity::from_number(i64::from(severity.number())),
                severity
            );
            assert_eq!(severity.name().parse(), Ok(severity));
        }
        assert_eq!("high".parse(), Ok(Severity::High));
        assert_eq!(Severity::from_number(99), Severity::Unknown);
        for (number, status) in FixStatus::ALL.into_iter().enumerate() {
            assert_eq!(FixStatus::from_number(number as i64), status);
            assert_eq!(status.name().parse(), Ok(status));
        }
        assert_eq!(FixStatus::from_number(-1), FixStatus::Unknown);
    }
}
