//! `--fail-on`: how many findings of each severity pass, how many in all, and how many that are
//! known to be exploited.

use std::str::FromStr;

use cleanbill_core::severity::{Severity, SeverityError};

/// Holds the highest number of findings of each severity that passes; a severity without one
/// never fails.
///
/// Written `critical=0,high=5,kev=0`; a bare `high` means 0 for it and for what is worse, except
/// where another entry says more. `kev` counts what CISA's catalogue knows to be exploited, `total`
/// everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds {
    allowed: [Option<u64>; 5],
    total: Option<u64>,
    known_exploited: Option<u64>,
}

/// Says why a text is no threshold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ThresholdError {
    /// The text has no entry.
    #[error("no threshold is given: expected for instance critical=0,high=5")]
    Empty,
    /// The entry names no severity.
    #[error("'{entry}' is no threshold")]
    Severity {
        /// The entry.
        entry: String,
        /// What is accepted.
        #[source]
        source: SeverityError,
    },
    /// The entry's number is none.
    #[error(
        "'{entry}' is no threshold: after '=' comes the highest number of findings that passes"
    )]
    Number {
        /// The entry.
        entry: String,
    },
    /// A severity, `total` or `kev` is given twice.
    #[error("'{0}' is given twice")]
    Twice(String),
}

/// What thresholds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// Findings of a severity.
    Severity(Severity),
    /// All findings.
    Total,
    /// Findings that are known to be exploited.
    KnownExploited,
}

impl Counted {
    /// Returns the word of `--fail-on` and of rules files.
    pub const fn name(self) -> &'static str {
        match self {
            Counted::Severity(severity) => severity.lower_name(),
            Counted::Total => "total",
            Counted::KnownExploited => "kev",
        }
    }
}

impl Thresholds {
    /// Everything that thresholds count, in the order in which they are judged.
    pub const COUNTED: [Counted; 7] = [
        Counted::KnownExploited,
        Counted::Severity(Severity::Critical),
        Counted::Severity(Severity::High),
        Counted::Severity(Severity::Medium),
        Counted::Severity(Severity::Low),
        Counted::Severity(Severity::Unknown),
        Counted::Total,
    ];

    /// Returns the highest number of findings that passes; `None` if any number does.
    pub fn allowed(&self, counted: Counted) -> Option<u64> {
        match counted {
            Counted::Severity(severity) => self
                .allowed
                .get(usize::from(severity.number()))
                .copied()
                .flatten(),
            Counted::Total => self.total,
            Counted::KnownExploited => self.known_exploited,
        }
    }

    /// Says whether it matters what is known to be exploited.
    pub fn counts_known_exploited(&self) -> bool {
        self.known_exploited.is_some()
    }

    /// Sets the highest number of findings that passes.
    pub fn set(&mut self, counted: Counted, allowed: u64) {
        match counted {
            Counted::Severity(severity) => {
                if let Some(place) = self.allowed.get_mut(usize::from(severity.number())) {
                    *place = Some(allowed);
                }
            }
            Counted::Total => self.total = Some(allowed),
            Counted::KnownExploited => self.known_exploited = Some(allowed),
        }
    }

    /// Returns these thresholds with those of `others` where these say nothing.
    #[must_use]
    pub fn or(mut self, others: &Thresholds) -> Thresholds {
        for counted in Self::COUNTED {
            if let (None, Some(allowed)) = (self.allowed(counted), others.allowed(counted)) {
                self.set(counted, allowed);
            }
        }
        self
    }
}

impl FromStr for Thresholds {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbered = Vec::new();
        let mut bare = Vec::new();
        let mut thresholds = Self::default();
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (counted, allowed) = parse_entry(entry)?;
            let Counted::Severity(severity) = counted else {
                if thresholds.allowed(counted).is_some() {
                    return Err(ThresholdError::Twice(counted.name().to_owned()));
                }
                thresholds.set(counted, allowed.unwrap_or(0));
                continue;
            };
            if numbered.iter().any(|(other, _)| *other == severity) || bare.contains(&severity) {
                return Err(ThresholdError::Twice(severity.to_string()));
            }
            match allowed {
                Some(allowed) => numbered.push((severity, allowed)),
                None => bare.push(severity),
            }
        }
        if numbered.is_empty() && bare.is_empty() && thresholds == Self::default() {
            return Err(ThresholdError::Empty);
        }
        for severity in Severity::ALL {
            if bare.iter().any(|bare| severity >= *bare) {
                thresholds.set(Counted::Severity(severity), 0);
            }
        }
        for (severity, allowed) in numbered {
            thresholds.set(Counted::Severity(severity), allowed);
        }
        Ok(thresholds)
    }
}

fn parse_entry(entry: &str) -> Result<(Counted, Option<u64>), ThresholdError> {
    let (name, number) = match entry.split_once('=') {
        Some((name, number)) => (name.trim(), Some(number.trim())),
        None => (entry, None),
    };
    let owned = || entry.to_owned();
    let allowed = match number {
        Some(number) if number.bytes().all(|b| b.is_ascii_digit()) => Some(
            number
                .parse()
                .map_err(|_| ThresholdError::Number { entry: owned() })?,
        ),
        Some(_) => return Err(ThresholdError::Number { entry: owned() }),
        None => None,
    };
    for counted in [Counted::KnownExploited, Counted::Total] {
        if name.eq_ignore_ascii_case(counted.name()) {
            return Ok((counted, allowed));
        }
    }
    let severity = name.parse().map_err(|source| ThresholdError::Severity {
        entry: owned(),
        source,
    })?;
    Ok((Counted::Severity(severity), allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: [Option<u64>; 5]) {
        let thresholds: Thresholds = text.parse().unwrap();
        assert_eq!(
            Severity::ALL.map(|severity| thresholds.allowed(Counted::Severity(severity))),
            expected
        );
    }

    #[test]
    fn reads_entries() {
        check("critical=0,high=5", [Some(0), Some(5), None, None, None]);
        check(" Medium ", [Some(0), Some(0), Some(0), None, None]);
        check("high,critical=2", [Some(2), Some(0), None, None, None]);
        check("unknown", [Some(0); 5]);
        check("low = 3,", [None, None, None, Some(3), None]);
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        let error = |text: &str| text.parse::<Thresholds>().unwrap_err();
        assert_eq!(error(" , "), ThresholdError::Empty);
        assert!(matches!(error("severe=1"), ThresholdError::Severity { .. }));
        for text in [
            "high=",
            "high=-1",
            "high=+1",
            "high=x",
            "high=99999999999999999999",
        ] {
            assert!(
                matches!(error(text), ThresholdError::Number { .. }),
                "{text}"
            );
        }
        for text in ["high=1,HIGH", "kev,KEV=2", "total=1,total=1"] {
            assert!(matches!(error(text), ThresholdError::Twice(_)), "{text}");
        }
    }
}
