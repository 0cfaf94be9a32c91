//! The verdict in each format.

mod github;
mod json;
mod junit;
mod markdown;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use cleanbill_core::report::ScanReport;
use cleanbill_policy::gate::Verdict;
use cleanbill_report::listing::Listing;

use crate::error::CommandError;
use crate::runner::{Document, harmless};

/// What is printed of a verdict.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) verdict: &'a Verdict,
    pub(super) report: &'a ScanReport,
    /// The file of the rules; empty without one.
    pub(super) rules: &'a str,
    /// What limits the verdict, and what has expired.
    pub(super) notes: &'a [String],
}

/// Names a format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum VerdictFormat {
    /// For people.
    #[default]
    Text,
    /// For programs, with a versioned schema.
    Json,
    /// A test case per rule.
    Junit,
    /// Annotations of a GitHub workflow.
    Github,
    /// For job summaries and pull requests.
    Markdown,
}

impl VerdictFormat {
    const ALL: [VerdictFormat; 5] = [
        VerdictFormat::Text,
        VerdictFormat::Json,
        VerdictFormat::Junit,
        VerdictFormat::Github,
        VerdictFormat::Markdown,
    ];

    const fn name(self) -> &'static str {
        match self {
            VerdictFormat::Text => "text",
            VerdictFormat::Json => "json",
            VerdictFormat::Junit => "junit",
            VerdictFormat::Github => "github",
            VerdictFormat::Markdown => "markdown",
        }
    }

    /// Renders the verdict. `listing` says how wide and colourful a text may be.
    ///
    /// # Errors
    ///
    /// It cannot be written as JSON.
    pub(super) fn render(self, view: &View<'_>, listing: Listing) -> Result<String, CommandError> {
        match self {
            VerdictFormat::Text => Ok(text::render(view, listing)),
            VerdictFormat::Json => json::render(view)
                .map(|json| harmless(&json, Document::Json))
                .map_err(CommandError::usage),
            VerdictFormat::Junit => Ok(harmless(&junit::render(view), Document::Xml)),
            VerdictFormat::Github => Ok(github::render(view)),
            VerdictFormat::Markdown => Ok(harmless(&markdown::render(view), Document::Text)),
        }
    }
}

impl fmt::Display for VerdictFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for VerdictFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(VerdictFormat::name);
            format!(
                "'{text}' is no format of a verdict: accepted are {}",
                names.join(", ")
            )
        })
    }
}
