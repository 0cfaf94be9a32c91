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
    /// CycloneDX 1.6, as JSON.
    CycloneDx,
    /// SPDX 2.3, as JSON.
    Spdx,
    /// OpenVEX 0.2: what exceptions say.
    OpenVex,
    /// Static Analysis Results Interchange Format, for code scanning.
    Sarif,
    /// GitLab's container scanning report.
    Gitlab,
    /// Test results, for CI servers.
    Junit,
    /// One row per finding, for spreadsheets.
    Csv,
    /// For pull requests and job summaries.
    Markdown,
    /// A page of its own, for people.
    Html,
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
    FormatInfo {
        format: Format::CycloneDx,
        name: "cyclonedx",
        description: "bill of materials with vulnerabilities, CycloneDX 1.6 as JSON",
        media_type: "application/vnd.cyclonedx+json; version=1.6",
        holds_several_images: false,
        lists_packages: true,
    },
    FormatInfo {
        format: Format::Spdx,
        name: "spdx",
        description: "bill of materials, SPDX 2.3 as JSON",
        media_type: "application/spdx+json; version=2.3",
        holds_several_images: false,
        lists_packages: true,
    },
    FormatInfo {
        format: Format::OpenVex,
        name: "openvex",
        description: "what ignore files and VEX documents say about findings, OpenVEX 0.2",
        media_type: "application/vex+json",
        holds_several_images: true,
        lists_packages: false,
    },
    FormatInfo {
        format: Format::Sarif,
        name: "sarif",
        description: "SARIF 2.1.0 for code scanning, one run per image",
        media_type: "application/sarif+json",
        holds_several_images: true,
        lists_packages: false,
    },
    FormatInfo {
        format: Format::Gitlab,
        name: "gitlab",
        description: "GitLab's container scanning report, schema 15.0.7",
        media_type: "application/json",
        holds_several_images: false,
        lists_packages: false,
    },
    FormatInfo {
        format: Format::Junit,
        name: "junit",
        description: "JUnit XML for CI servers, one suite per image",
        media_type: "application/xml",
        holds_several_images: true,
        lists_packages: false,
    },
    FormatInfo {
        format: Format::Csv,
        name: "csv",
        description: "one row per finding, for spreadsheets",
        media_type: "text/csv; charset=utf-8; header=present",
        holds_several_images: true,
        lists_packages: false,
    },
    FormatInfo {
        format: Format::Markdown,
        name: "markdown",
        description: "for pull requests and job summaries",
        media_type: "text/markdown; charset=utf-8",
        holds_several_images: true,
        lists_packages: false,
    },
    FormatInfo {
        format: Format::Html,
        name: "html",
        description: "one page of its own, for people",
        media_type: "text/html; charset=utf-8",
        holds_several_images: true,
        lists_packages: false,
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

impl Format {
    /// Returns the end of a file's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Format::Table => "txt",
            Format::Junit => "xml",
            Format::Csv => "csv",
            Format::Markdown => "md",
            Format::Html => "html",
            Format::Sarif => "sarif",
            _ => "json",
        }
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

    /// Reads a name of the table. Trivy's `spdx-json` is `spdx` too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = match text {
            "spdx-json" => "spdx",
            name => name,
        };
        FORMATS
            .iter()
            .find(|info| info.name == name)
            .map(|info| info.format)
            .ok_or_else(|| FormatError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_printed() {
        for info in FORMATS {
            assert_eq!(info.name.parse(), Ok(info.format));
            assert_eq!(info.format.to_string(), info.name);
        }
        assert_eq!("spdx-json".parse(), Ok(Format::Spdx));
        let error = "xml".parse::<Format>().unwrap_err().to_string();
        assert!(
            error.starts_with("'xml' is no format: accepted are table, json, trivy-json,"),
            "{error}"
        );
    }
}
