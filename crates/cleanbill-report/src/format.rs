//! The table of formats.

use std::fmt;
use std::str::FromStr;

/// Names a format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// Our own schema.
    Json,
    /// Trivy's schema.
    TrivyJson,
}

/// Describes a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatInfo {
    /// The format.
    pub format: Format,
    /// The name, as in `--format` and `-o NAME=FILE`.
    pub name: &'static str,
    /// What it is, for help texts.
    pub description: &'static str,
    /// The media type.
    pub media_type: &'static str,
    /// Several images fit into one document.
    pub holds_several_images: bool,
    /// Packages are listed unless [`crate::RenderOptions::list_all_packages`] says otherwise.
    pub lists_packages: bool,
}

/// Every format, in the order of the documentation.
pub const FORMATS: &[FormatInfo] = &[
    FormatInfo {
        format: Format::Table,
        name: "table",
        description: "what to upgrade, for people",
        media_type: "text/plain; charset=utf-8",
        holds_several_images: true,
        lists_packages: false,
    },
    FormatInfo {
        format: Format::Json,
        name: "json",
        description: "everything that is known, with a versioned schema",
        media_type: "application/json",
        holds_several_images: true,
        lists_packages: false,
    },
    FormatInfo {
        format: Format::TrivyJson,
        name: "trivy-json",
        description: "what Trivy writes with --format json",
        media_type: "application/json",
        holds_several_images: false,
        lists_packages: true,
    },
];

impl Format {
    /// Returns the row of [`FORMATS`].
    pub fn info(self) -> &'static FormatInfo {
        FORMATS
            .iter()
            .find(|info| info.format == self)
            .expect("every format has a row, which a test checks")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.info().name)
    }
}

/// Says that a text names no format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is no format: accepted are {names}", names = names())]
pub struct FormatError(pub String);

fn names() -> String {
    let names: Vec<_> = FORMATS.iter().map(|info| info.name).collect();
    names.join(", ")
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        FORMATS
            .iter()
            .find(|info| info.name == text)
            .map(|info| info.format)
            .ok_or_else(|| FormatError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_printed() {
        for format in [Format::Table, Format::Json, Format::TrivyJson] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!(
            "xml".parse::<Format>().unwrap_err().to_string(),
            "'xml' is no format: accepted are table, json, trivy-json"
        );
    }
}
