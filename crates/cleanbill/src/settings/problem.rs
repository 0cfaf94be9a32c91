//! What is wrong with settings, and where it stands.

use std::fmt;

use super::origin::Origin;

/// Says what is wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where it stands: a file with its line and column, a variable, a flag.
    pub(crate) place: String,
    /// The sentence; secrets are never quoted in it.
    pub(crate) text: String,
}

impl Problem {
    /// Says what is wrong at a place.
    pub(crate) fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            text: text.into(),
        }
    }

    /// Says what is wrong with a value that came from somewhere.
    pub(crate) fn of(origin: &Origin, key: &str, text: &str) -> Self {
        // A file is to be mended at its key; elsewhere the name says which setting it is.
        match origin {
            Origin::File { .. } => Self::new(origin.to_string(), format!("{key}: {text}")),
            _ => Self::new(origin.to_string(), text),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Ends the loading of settings: everything that is wrong: the form of files
/// first, then values in the order of the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct SettingsError {
    /// At least one.
    pub(crate) problems: Vec<Problem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(Problem::to_string).collect();
        match lines.as_slice() {
            [one] => f.write_str(one),
            lines => write!(
                f,
                "{} settings are wrong\n{}",
                lines.len(),
                lines.join("\n")
            ),
        }
    }
}
