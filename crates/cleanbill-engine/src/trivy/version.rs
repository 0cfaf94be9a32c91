//! The version of an installed Trivy.

use std::fmt;

use serde_json::Value;

/// Holds what `trivy --version` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrivyVersion {
    text: String,
    numbers: Option<[u64; 3]>,
}

impl TrivyVersion {
    /// The oldest release that has every flag that is passed.
    pub const OLDEST: &'static str = "0.57.0";
    const OLDEST_NUMBERS: [u64; 3] = [0, 57, 0];

    /// Reads the output of `trivy --version --format json`. Programs built from the source say
    /// `dev` in place of numbers.
    pub(super) fn from_output(output: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(output).ok()?;
        let text = value.get("Version")?.as_str()?.to_owned();
        let is_plausible = !text.is_empty()
            && text.len() <= 64
            && text.chars().all(|char| char.is_ascii_graphic());
        is_plausible.then(|| Self {
            numbers: numbers(&text),
            text,
        })
    }

    /// Says whether flags are missing. A version without numbers is taken for a new one.
    pub(super) fn is_too_old(&self) -> bool {
        self.numbers
            .is_some_and(|numbers| numbers < Self::OLDEST_NUMBERS)
    }
}

fn numbers(text: &str) -> Option<[u64; 3]> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let release = text.split(['-', '+']).next()?;
    let mut parts = release.split('.').map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

impl fmt::Display for TrivyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
