//! What could not be assessed. Not assessed is a state of its own, never an empty result.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Tells kinds of problems apart, for exit codes, metrics and people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProblemKind {
    /// No distribution could be named although the image holds OS packages.
    UnknownDistro,
    /// The distribution is known, but no advisories exist for it.
    UnsupportedDistro,
    /// The release no longer gets security updates. A notice: the assessment stays complete.
    EndOfLife,
    /// The advisory database is older than it should be. A notice.
    StaleDatabase,
    /// The advisory database holds no bucket for this release: nothing was compared.
    NoAdvisories,
    /// A file that holds packages could not be read or parsed.
    UnreadableFile,
    /// A file is of a kind that is not supported (yet).
    UnsupportedFormat,
    /// Files that should describe language packages make no sense, and were ignored. A notice:
    /// packages carry such files as test data.
    IgnoredFile,
    /// Java archives that only the Java index could name, which there is none of.
    UnidentifiedArchives,
    /// A bound of [`crate::Limits`] was exceeded.
    LimitExceeded,
    /// A link points at a file that the image does not have.
    DanglingLink,
    /// The advisories of the packages could not be looked up.
    MatchingFailed,
    /// Packages were listed but not held against advisories: there are none for their type, or
    /// their versions cannot be compared. A notice: nobody can say more about them.
    UnjudgedPackages,
    /// No packages are listed, or none of the distribution that the image names. A notice: a
    /// program that was copied into an empty image has none.
    NoPackages,
    /// The image could not be opened at all.
    ImageFailed,
    /// Another engine reported things of a kind that only its own form of report has. A notice.
    OtherResults,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: &[ProblemKind] = &[
        ProblemKind::UnknownDistro,
        ProblemKind::UnsupportedDistro,
        ProblemKind::EndOfLife,
        ProblemKind::StaleDatabase,
        ProblemKind::NoAdvisories,
        ProblemKind::UnreadableFile,
        ProblemKind::UnsupportedFormat,
        ProblemKind::IgnoredFile,
        ProblemKind::UnidentifiedArchives,
        ProblemKind::LimitExceeded,
        ProblemKind::DanglingLink,
        ProblemKind::MatchingFailed,
        ProblemKind::UnjudgedPackages,
        ProblemKind::NoPackages,
        ProblemKind::ImageFailed,
        ProblemKind::OtherResults,
    ];

    /// Returns the kind that reports print a word for.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Says whether the problem leaves something unassessed. Notices do not.
    pub const fn is_gap(self) -> bool {
        !matches!(
            self,
            ProblemKind::EndOfLife
                | ProblemKind::StaleDatabase
                | ProblemKind::IgnoredFile
                | ProblemKind::UnjudgedPackages
                | ProblemKind::NoPackages
                | ProblemKind::OtherResults
        )
    }

    /// Returns the word that machine-readable reports print.
    pub const fn name(self) -> &'static str {
        match self {
            ProblemKind::UnknownDistro => "unknown-distro",
            ProblemKind::UnsupportedDistro => "unsupported-distro",
            ProblemKind::EndOfLife => "end-of-life",
            ProblemKind::StaleDatabase => "stale-database",
            ProblemKind::NoAdvisories => "no-advisories",
            ProblemKind::UnreadableFile => "unreadable-file",
            ProblemKind::UnsupportedFormat => "unsupported-format",
            ProblemKind::IgnoredFile => "ignored-file",
            ProblemKind::UnidentifiedArchives => "unidentified-archives",
            ProblemKind::LimitExceeded => "limit-exceeded",
            ProblemKind::DanglingLink => "dangling-link",
            ProblemKind::MatchingFailed => "matching-failed",
            ProblemKind::UnjudgedPackages => "unjudged-packages",
            ProblemKind::NoPackages => "no-packages",
            ProblemKind::ImageFailed => "image-failed",
            ProblemKind::OtherResults => "other-results",
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Records one thing that could not be assessed, or that limits what an assessment is worth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// The file inside the image, or empty.
    pub path: String,
    /// What happened, as a sentence without a final stop. May hold text of the image's: escape it.
    pub message: String,
}

impl Problem {
    /// Builds a problem of the image as a whole.
    pub fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            path: String::new(),
            message: message.into(),
        }
    }

    /// Builds a problem of one file.
    pub fn at(kind: ProblemKind, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            path: path.into(),
            message: message.into(),
        }
    }
}

/// Sums up how far an image could be assessed.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum AssessmentStatus {
    /// Everything that is supported was read and judged.
    #[default]
    Complete,
    /// Something was left out; the problems say what.
    Partial,
    /// The image could not be opened or judged at all.
    Failed,
}

impl AssessmentStatus {
    /// Every status.
    pub const ALL: [AssessmentStatus; 3] = [
        AssessmentStatus::Complete,
        AssessmentStatus::Partial,
        AssessmentStatus::Failed,
    ];

    /// Returns the status that reports print a word for.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Returns the word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            AssessmentStatus::Complete => "complete",
            AssessmentStatus::Partial => "partial",
            AssessmentStatus::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind that is missing here could be written and not read.
    #[test]
    fn every_kind_is_listed_in_its_order() {
        for (index, kind) in ProblemKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, index, "{kind}");
            assert_eq!(ProblemKind::from_name(kind.name()), Some(*kind));
        }
        let last = ProblemKind::OtherResults as usize;
        assert_eq!(ProblemKind::ALL.len(), last + 1);
    }
}
