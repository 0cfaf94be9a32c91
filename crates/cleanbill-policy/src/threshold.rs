//! `--fail-on`: how many findings of each severity pass, and how many that are known to be exploited.

use std::str::FromStr;

use cleanbill_core::report::SeverityCounts;
use cleanbill_core::severity::{Severity, SeverityError};

/// Holds the highest number of findings of each severity that passes; a severity without one
/// never fails.
///
/// Written `critical=0,high=5,kev=0`; a bare `high` means 0 for it and for what is worse, except
/// where another entry says more. `kev` counts what CISA's catalogue knows to be exploited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds {
    allowed: [Option<u64>; 5],
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
    /// A severity, or `kev`, is given twice.
    #[error("'{0}' is given twice")]
    Twice(String),
}

/// What thresholds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Findings of a severity.
    Severity(Severity),
    /// Findings that are known to be exploited.
    KnownExploited,
}

/// Something of which there is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What is counted.
    pub counted: Counted,
    /// How many findings there are.
    pub count: u64,
    /// How many would pass.
    pub allowed: u64,
}

impl Thresholds {
    /// Returns the highest number of findings that passes; `None` if any number does.
    pub fn allowed(&self, severity: Severity) -> Option<u64> {
        self.allowed
            .get(usize::from(severity.number()))
            .copied()
            .flatten()
    }

    /// Says whether it matters what is known to be exploited.
    pub fn counts_known_exploited(&self) -> bool {
        self.known_exploited.is_some()
    }

    /// Lists what there is too much of: known exploited vulnerabilities first, then severities,
    /// worst first.
    pub fn excesses(&self, counts: &SeverityCounts, known_exploited: u64) -> Vec<Excess> {
        let severities = Severity::ALL.into_iter().map(|severity| {
            let counted = Counted::Severity(severity);
            (counted, counts.get(severity), self.allowed(severity))
        });
        let exploited = (
            Counted::KnownExploited,
            known_exploited,
            self.known_exploited,
        );
        std::iter::once(exploited)
            .chain(severities)
            .filter_map(|(counted, count, allowed)| {
                let allowed = allowed?;
                (count > allowed).then_some(Excess {
                    counted,
                    count,
                    allowed,
                })
            })
            .collect()
    }

    fn set(&mut self, severity: Severity, allowed: u64) {
        if let Some(place) = self.allowed.get_mut(usize::from(severity.number())) {
            *place = Some(allowed);
        }
    }
}

impl FromStr for Thresholds {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbered = Vec::new();
        let mut bare = Vec::new();
        let mut known_exploited = None;
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (counted, allowed) = parse_entry(entry)?;
            let Counted::Severity(severity) = counted else {
                if known_exploited.replace(allowed.unwrap_or(0)).is_some() {
                    return Err(ThresholdError::Twice("kev".to_owned()));
                }
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
        if numbered.is_empty() && bare.is_empty() && known_exploited.is_none() {
            return Err(ThresholdError::Empty);
        }
        let mut thresholds = Self {
            known_exploited,
            ..Self::default()
        };
        for severity in Severity::ALL {
            if bare.iter().any(|bare| severity >= *bare) {
                thresholds.set(severity, 0);
            }
        }
        for (severity, allowed) in numbered {
            thresholds.set(severity, allowed);
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
    if name.eq_ignore_ascii_case("kev") {
        return Ok((Counted::KnownExploited, allowed));
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
            Severity::ALL.map(|severity| thresholds.allowed(severity)),
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
        for text in ["high=1,HIGH", "kev,KEV=2"] {
            assert!(matches!(error(text), ThresholdError::Twice(_)), "{text}");
        }
    }

    #[test]
    fn more_than_allowed_is_too_much() {
        let counts: SeverityCounts = [Severity::High, Severity::High, Severity::Low]
            .into_iter()
            .collect();
        let excesses = |text: &str| text.parse::<Thresholds>().unwrap().excesses(&counts, 2);
        assert_eq!(excesses("high=2,kev=2"), []);
        let exploited = Excess {
            counted: Counted::KnownExploited,
            count: 2,
            allowed: 0,
        };
        assert_eq!(excesses("kev"), [exploited]);
        assert_eq!(
            excesses("high=1,low"),
            [
                Excess {
                    counted: Counted::Severity(Severity::High),
                    count: 2,
                    allowed: 1
                },
                Excess {
                    counted: Counted::Severity(Severity::Low),
                    count: 1,
                    allowed: 0
                },
            ]
        );
    }
}
