//! Baseline files: the vulnerabilities of an image that are known and accepted.
//!
//! The form is that of the older script, and its files are read as they are: `<image>.json` with
//! the members `image`, `timestamp` and `vulnerabilities` (ids, sorted). Where two images would
//! have the same file, the later one gets another name, and the member `image` tells whose a file
//! is.

mod directory;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::file_names::timestamp_text;

pub use directory::{BaselineDirectory, BaselineFileError, ListedBaseline, WrittenBaseline};

/// Holds what a baseline file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineFile {
    /// The image's name; empty if the file does not say.
    #[serde(default)]
    pub image: String,
    /// When it was written, `2026-11-22T06-30-00Z`; empty if the file does not say.
    #[serde(default)]
    pub timestamp: String,
    /// The ids that the severity filter of then let through.
    pub vulnerabilities: BTreeSet<String>,
}

/// Says what is different from a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaselineDelta {
    /// What passes the filter and is not in the baseline.
    pub new: BTreeSet<String>,
    /// What is in the baseline and was not found, whatever its severity.
    pub resolved: BTreeSet<String>,
    /// What is in the baseline and was found, but does not pass the filter any more.
    pub below_filter: BTreeSet<String>,
}

impl BaselineFile {
    /// Makes a baseline.
    pub fn new(
        image: impl Into<String>,
        time: Timestamp,
        vulnerabilities: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            image: image.into(),
            timestamp: timestamp_text(time),
            vulnerabilities: vulnerabilities.into_iter().collect(),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// It is no baseline; the text says why.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let baseline: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if baseline.vulnerabilities.contains("") {
            return Err("an id is empty".to_owned());
        }
        Ok(baseline)
    }

    /// Writes it as the older script did: two blanks of indentation.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("texts and a set of texts are JSON");
        json + "\n"
    }

    /// Compares it with what was found: `passing` is what the severity filter in force lets
    /// through, `found` is everything. A baseline holds only what the filter of then let through,
    /// so what it does not have is new only within the filter of now.
    pub fn compare(&self, found: &BTreeSet<&str>, passing: &BTreeSet<&str>) -> BaselineDelta {
        let known = &self.vulnerabilities;
        let pick = |is_wanted: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
            let wanted = known.iter().filter(|id| is_wanted(id));
            wanted.cloned().collect()
        };
        BaselineDelta {
            new: passing
                .iter()
                .filter(|id| !known.contains(**id))
                .map(|id| (*id).to_owned())
                .collect(),
            resolved: pick(&|id| !found.contains(id)),
            below_filter: pick(&|id| found.contains(id) && !passing.contains(id)),
        }
    }
}

impl BaselineDelta {
    /// Says whether anything is to be told: what merely fell below the filter is not.
    pub fn is_changed(&self) -> bool {
        !self.new.is_empty() || !self.resolved.is_empty()
    }
}

#[cfg(test)]
mod tests;
