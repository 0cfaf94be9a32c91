//! Changes: what is different about an image since it was last looked at, and why.
//!
//! Between two looks only [`ImageState`] is remembered. Comparing two of them gives [`Change`]s,
//! and those are what people are told of. The types are kept by the store and leave the process
//! in notifications; both write them as JSON, so a field is added, never renamed.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::package::LayerId;
use crate::problem::AssessmentStatus;
use crate::severity::{FixStatus, Severity};

/// Holds what is remembered of an image between two looks at it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageState {
    /// The name that it is watched by, `registry/app:1`.
    pub name: String,
    /// The image that the name meant; `None` if it was never opened.
    pub image_id: Option<Digest>,
    /// The distribution, `debian 12.5`; empty if none could be named.
    pub distro: String,
    /// How far it could be assessed.
    pub status: AssessmentStatus,
    /// Why it was not assessed completely; empty if it was.
    pub reason: String,
    /// When the advisory database that it was judged against was built, RFC 3339; empty if it was
    /// not judged.
    pub database_updated_at: String,
    /// What determines the findings beside image and database: filters, exceptions, the version
    /// of the extractors. Equal texts mean equal rules.
    pub rules: String,
    /// The packages that were judged, sorted; how a change of the image is told from one of the
    /// advisories.
    pub packages: Vec<KnownPackage>,
    /// The findings of every severity, sorted by key, one for each key.
    pub findings: Vec<KnownFinding>,
}

/// Names an installed package.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownPackage {
    /// The family (`debian`) or the language type (`npm`).
    pub kind: String,
    /// The name.
    pub name: String,
    /// The file that lists it; empty for packages of the distribution.
    pub path: String,
    /// The version, as reports print it.
    pub version: String,
}

/// Identifies a finding from one look to the next: neither the tag nor the installed version is
/// part of it, so an upgrade that does not help is no news.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingKey {
    /// `CVE-…`, `GHSA-…` …
    pub vulnerability_id: String,
    /// The family or the language type.
    pub kind: String,
    /// The package.
    pub package_name: String,
    /// The file that lists it; empty for packages of the distribution.
    pub package_path: String,
}

/// Holds what is remembered of a finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownFinding {
    /// What it is.
    #[serde(flatten)]
    pub key: FindingKey,
    /// The installed version.
    pub installed_version: String,
    /// The first version without the vulnerability; empty if there is none.
    pub fixed_version: String,
    /// Whether it is fixed, and if not, what the supplier means to do.
    pub fix_status: FixStatus,
    /// How bad it is.
    pub severity: Severity,
    /// It is in a catalogue of exploited vulnerabilities.
    pub is_known_exploited: bool,
    /// The day on which that catalogue took it in, `2024-04-01`; empty if unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub known_exploited_since: String,
    /// How likely it is to be exploited within 30 days, 0 to 1; `None` if nobody has rated it.
    pub epss_score: Option<f64>,
    /// One line about the vulnerability; empty if the database has none.
    pub title: String,
    /// Where to read about it; empty if there is no such page.
    pub primary_url: String,
    /// Who says so: the id of the advisory source, `debian`; empty if unknown.
    pub advisory_source: String,
    /// When the vulnerability was published, RFC 3339; empty if unknown.
    pub published: String,
    /// The layer that introduced the package.
    pub layer: Option<LayerId>,
    /// The history line of that layer; empty if unknown.
    pub created_by: String,
    /// The exception or statement that covers it; empty if it counts.
    pub covered_by: String,
    /// The exception that covered it and does not any more, with the reason; empty if there is
    /// none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lapsed_exception: String,
}

/// Says what is different about one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The image's name.
    pub image: String,
    /// What happened.
    pub kind: ChangeKind,
    /// Why.
    pub cause: Cause,
    /// The finding as it is now, or as it was if it is gone; `None` where the change is about the
    /// assessment itself.
    pub finding: Option<KnownFinding>,
}

/// Tells changes apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangeKind {
    /// A finding that was not there.
    New,
    /// A finding that is gone, in an image that was assessed completely.
    Resolved,
    /// A finding that is still there, and that an exception covers now.
    Accepted,
    /// The severity is another one; a finding that fell below the filter is told this way too.
    SeverityChanged {
        /// What it was.
        from: Severity,
    },
    /// There is a fixed version now.
    FixAvailable,
    /// It is known to be exploited now.
    KnownExploited,
    /// The image could be assessed completely, and cannot any more.
    AssessmentLost {
        /// How far it can be assessed now.
        status: AssessmentStatus,
        /// Why not completely.
        reason: String,
    },
    /// The image can be assessed completely again.
    AssessmentRegained,
    /// The image has a baseline that cannot be read.
    BaselineLost {
        /// Why, and where the file is kept.
        reason: String,
        /// There is no earlier look to compare with either: what was found is the beginning.
        is_beginning: bool,
    },
}

impl ChangeKind {
    /// Returns the word for it that machines read: in JSON, in the store, as label of a metric.
    pub const fn name(&self) -> &'static str {
        match self {
            ChangeKind::New => "new",
            ChangeKind::Resolved => "resolved",
            ChangeKind::Accepted => "accepted",
            ChangeKind::SeverityChanged { .. } => "severity_changed",
            ChangeKind::FixAvailable => "fix_available",
            ChangeKind::KnownExploited => "known_exploited",
            ChangeKind::AssessmentLost { .. } => "assessment_lost",
            ChangeKind::AssessmentRegained => "assessment_regained",
            ChangeKind::BaselineLost { .. } => "baseline_lost",
        }
    }
}

/// Says why something changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The image is looked at for the first time.
    FirstSeen,
    /// The name means another image, and the package came, went or changed with it.
    ImageChanged {
        /// What the name meant before; `None` if it was never opened.
        from: Option<Digest>,
        /// What it means now.
        to: Option<Digest>,
    },
    /// The package is the same; the advisory database says something else of it.
    AdvisoryChanged {
        /// When the database before was built, RFC 3339.
        from: String,
        /// When the one of now was built, RFC 3339.
        to: String,
    },
    /// The catalogue of exploited vulnerabilities lists it now, whatever else is different.
    CatalogueChanged {
        /// The day on which the catalogue took it in, `2024-04-01`; empty if unknown.
        since: String,
    },
    /// An exception covered the finding and does not any more, or begins to.
    ExceptionChanged {
        /// The exception.
        exception: String,
    },
    /// An exception covered the finding, and its time is over: it has expired, a fix is available,
    /// or the vulnerability is exploited now.
    ExceptionExpired {
        /// The exception, and what ended it.
        exception: String,
    },
    /// The rules changed: filters, exceptions, or the version of the extractors.
    RulesChanged,
    /// The image could not be read or judged, or can be again.
    Assessment,
}

impl Cause {
    /// Returns the word for it that machines read.
    pub const fn name(&self) -> &'static str {
        match self {
            Cause::FirstSeen => "first_seen",
            Cause::ImageChanged { .. } => "image_changed",
            Cause::AdvisoryChanged { .. } => "advisory_changed",
            Cause::CatalogueChanged { .. } => "catalogue_changed",
            Cause::ExceptionChanged { .. } => "exception_changed",
            Cause::ExceptionExpired { .. } => "exception_expired",
            Cause::RulesChanged => "rules_changed",
            Cause::Assessment => "assessment",
        }
    }
}

impl KnownFinding {
    /// Says whether it counts: no exception covers it.
    pub fn counts(&self) -> bool {
        self.covered_by.is_empty()
    }
}
