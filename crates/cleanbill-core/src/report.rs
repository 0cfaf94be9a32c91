//! The outcome of a scan, before it is rendered.

mod tree;

use std::borrow::Cow;

use crate::base_image::BaseImage;
use crate::distro::{Distro, RepositoryHint};
use crate::image::ImageMetadata;
use crate::package::Package;
use crate::problem::{AssessmentStatus, Problem};
use crate::reference::ImageReference;
use crate::severity::Severity;
use crate::vulnerability::Finding;
use crate::{Digest, reference};

pub use tree::Edge;

/// Holds the outcome of one scan over any number of images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScanReport {
    /// When the scan ran, RFC 3339.
    pub created_at: String,
    /// How long the scan took until everything was judged; `None` if that is not known.
    pub duration_ms: Option<u64>,
    /// The advisory database that was used, if any was.
    pub database: Option<DatabaseInfo>,
    /// The severities whose findings a filter left out; nobody knows how many there are.
    pub left_out_severities: Vec<Severity>,
    /// One entry per image, in the order asked for.
    pub images: Vec<ImageReport>,
    /// What became of each rule of the ignore files, in their order.
    pub exceptions: Vec<ExceptionReport>,
}

/// Says what became of one rule of an ignore file, over all images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionReport {
    /// The file.
    pub source: String,
    /// The line of the rule, counted from 1.
    pub line: u64,
    /// What it is about: a vulnerability id, or its conditions in short.
    pub rule: String,
    /// The reason that it gives; may be empty.
    pub statement: String,
    /// Who answers for it, and until when it holds, as far as it says so.
    pub terms: ExceptionTerms,
    /// Findings that it would cover, had its time not come: it has expired, or ended for them.
    pub lapsed_findings: u64,
    /// What became of it.
    pub outcome: ExceptionOutcome,
}

/// Tells rules apart that do something from those that can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExceptionOutcome {
    /// It covered this many findings.
    Applied(u64),
    /// Its time is over; it covers nothing.
    Expired,
    /// It covered nothing.
    Unmatched,
    /// It cannot be honoured; the text says why.
    NotUnderstood(String),
}

/// Identifies an advisory database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// The schema, 2.
    pub schema_version: i64,
    /// When it was built, RFC 3339.
    pub updated_at: String,
    /// When the next build is due, RFC 3339.
    pub next_update: String,
    /// When it was fetched, RFC 3339.
    pub downloaded_at: String,
    /// Hours since it was built, at the time of the scan.
    pub age_hours: i64,
    /// The day of the EPSS scores that were used; empty if there were none.
    pub epss_date: String,
    /// The release of the KEV catalogue that was used; empty if there was none.
    pub kev_release: String,
}

/// Holds the outcome for one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageReport {
    /// The name as the user gave it.
    pub artifact_name: String,
    /// What kind of artifact it is.
    pub artifact_type: ArtifactType,
    /// The source it was read from, `docker`, `docker-archive`, `oci-layout` …; empty if none
    /// could be opened.
    pub source: String,
    /// What it says about itself.
    pub metadata: ImageMetadata,
    /// The distribution, if one could be named.
    pub distro: Option<Distro>,
    /// What its package repositories say of the release. Saved reports do not have it.
    pub repository_hint: Option<RepositoryHint>,
    /// The release is past its end of life.
    pub is_end_of_life: bool,
    /// What was found: OS packages first, then language packages by target.
    pub results: Vec<ResultSet>,
    /// How far it could be assessed.
    pub status: AssessmentStatus,
    /// What could not be assessed, and what limits the assessment.
    pub problems: Vec<Problem>,
    /// Results of other kinds (secrets, misconfiguration, licences) that another engine reported,
    /// as JSON texts.
    pub other_results: Vec<String>,
    /// What else another engine said of the image.
    pub others: OtherMembers,
    /// The document that was scanned, where it was a bill of materials with a name of its own.
    pub sbom: Option<SbomIdentity>,
    /// The image that it is built on, if one is known.
    pub base: Option<BaseImage>,
}

/// Identifies a CycloneDX document, as BOM-Links do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SbomIdentity {
    /// The serial number, `urn:uuid:…`.
    pub serial_number: String,
    /// The version of the document, counted from 1.
    pub version: u64,
}

/// Tells kinds of artifacts apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArtifactType {
    /// A container image.
    #[default]
    ContainerImage,
    /// A root file system on disk.
    Filesystem,
    /// An SBOM in a form of CycloneDX.
    CycloneDx,
    /// An SBOM in a form of SPDX.
    Spdx,
}

/// Members of a foreign report that the model has no place for: name and JSON text.
pub type OtherMembers = std::collections::BTreeMap<String, String>;

impl ArtifactType {
    /// Every kind.
    pub const ALL: [ArtifactType; 4] = [
        ArtifactType::ContainerImage,
        ArtifactType::Filesystem,
        ArtifactType::CycloneDx,
        ArtifactType::Spdx,
    ];

    /// Says whether it is an SBOM, which has no layers of its own: those that it names belong to
    /// the image that it describes.
    pub const fn is_sbom(self) -> bool {
        matches!(self, ArtifactType::CycloneDx | ArtifactType::Spdx)
    }

    /// Returns the word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            ArtifactType::ContainerImage => "container_image",
            ArtifactType::Filesystem => "filesystem",
            ArtifactType::CycloneDx => "cyclonedx",
            ArtifactType::Spdx => "spdx",
        }
    }
}

/// Holds what was found in one part of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResultSet {
    /// `debian:12 (debian 12.5)`, `Python`, `app/bin/tool` …
    pub target: String,
    /// OS packages or language packages.
    pub class: ResultClass,
    /// The family or the language type.
    pub kind: String,
    /// Every package, sorted.
    pub packages: Vec<Package>,
    /// Packages that are known to be there but are not listed: a report that was saved without
    /// its packages says only how many there were.
    pub unlisted_packages: u64,
    /// The findings that count, sorted.
    pub findings: Vec<Finding>,
    /// The findings that an exception or a VEX statement covers.
    pub suppressed: Vec<SuppressedFinding>,
    /// Suppressed findings that are known to be there but are not listed: a report that was saved
    /// without what VEX statements and ignore files take out says only how many there were.
    pub unlisted_suppressed: u64,
    /// What else another engine said of this part.
    pub others: OtherMembers,
}

/// Tells parts of an image apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResultClass {
    /// OS packages.
    #[default]
    OsPackages,
    /// Language packages.
    LanguagePackages,
}

impl ResultClass {
    /// Returns the word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            ResultClass::OsPackages => "os-pkgs",
            ResultClass::LanguagePackages => "lang-pkgs",
        }
    }
}

/// Pairs a finding with what took it out of the verdict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SuppressedFinding {
    /// `ignored`, `not_affected` or `fixed`.
    pub status: String,
    /// The reason that was given.
    pub statement: String,
    /// The file that says so, for `exceptions.yaml` with the line.
    pub source: String,
    /// Who answers for the exception and until when it holds, as far as it says so.
    pub terms: ExceptionTerms,
    /// The finding.
    pub finding: Finding,
}

impl SuppressedFinding {
    /// Says whether an exception covers it, and neither a VEX statement nor a rule of an ignore
    /// file: such a finding is shown without being asked for.
    pub fn is_excepted(&self) -> bool {
        self.exception_place().is_some()
    }

    /// Returns the file of exceptions that covers it, and the line; `None` if it is none. Only
    /// exceptions name their line.
    pub fn exception_place(&self) -> Option<(&str, u64)> {
        let (file, line) = self.source.rsplit_once(':')?;
        let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
        is_line.then(|| Some((file, line.parse().ok()?))).flatten()
    }

    /// Says why it is suppressed, with who answers for it and until when: `reason (owner payments,
    /// until 2026-12-31)`; empty if nothing is stated.
    pub fn reason(&self) -> Cow<'_, str> {
        let terms = self.terms.words();
        match (self.statement.as_str(), terms.is_empty()) {
            (statement, true) => Cow::Borrowed(statement),
            ("", false) => Cow::Owned(terms),
            (statement, false) => Cow::Owned(format!("{statement} ({terms})")),
        }
    }
}

/// Says who answers for an exception, and until when it holds. Empty texts were not stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExceptionTerms {
    /// Who decided it, or is asked about it.
    pub owner: String,
    /// Where it was discussed: the key or address of a ticket.
    pub ticket: String,
    /// The last day on which it holds (`2026-12-31`), or a time, RFC 3339.
    pub expires: String,
}

impl ExceptionTerms {
    /// Says them in a few words: `owner payments, ticket SEC-1, until 2026-12-31`; empty without
    /// any.
    pub fn words(&self) -> String {
        let parts = [
            ("owner", &self.owner),
            ("ticket", &self.ticket),
            ("until", &self.expires),
        ];
        let stated = parts.into_iter().filter(|(_, text)| !text.is_empty());
        let stated: Vec<String> = stated
            .map(|(name, text)| format!("{name} {text}"))
            .collect();
        stated.join(", ")
    }
}

/// Counts findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeverityCounts {
    counts: [u64; 5],
}

impl SeverityCounts {
    /// Counts one finding.
    pub fn add(&mut self, severity: Severity) {
        if let Some(count) = self.counts.get_mut(usize::from(severity.number())) {
            *count += 1;
        }
    }

    /// Returns the sum of the severities' weights, see [`Severity::weight`].
    pub fn weight(&self) -> u64 {
        Severity::ALL
            .into_iter()
            .map(|severity| {
                self.get(severity)
                    .saturating_mul(u64::from(severity.weight()))
            })
            .fold(0, u64::saturating_add)
    }

    /// Returns how many findings have the severity.
    pub fn get(&self, severity: Severity) -> u64 {
        self.counts
            .get(usize::from(severity.number()))
            .copied()
            .unwrap_or(0)
    }

    /// Sets how many findings have the severity.
    pub fn set(&mut self, severity: Severity, count: u64) {
        if let Some(slot) = self.counts.get_mut(usize::from(severity.number())) {
            *slot = count;
        }
    }

    /// Returns how many findings there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().copied().fold(0, u64::saturating_add)
    }
}

impl std::iter::FromIterator<Severity> for SeverityCounts {
    fn from_iter<I: IntoIterator<Item = Severity>>(severities: I) -> Self {
        let mut counts = Self::default();
        severities
            .into_iter()
            .for_each(|severity| counts.add(severity));
        counts
    }
}

impl ResultSet {
    /// Returns how many packages there are, listed or not.
    pub fn package_count(&self) -> u64 {
        self.unlisted_packages
            .saturating_add(self.packages.len() as u64)
    }

    /// Returns how many findings are suppressed, listed or not.
    pub fn suppressed_count(&self) -> u64 {
        self.unlisted_suppressed
            .saturating_add(self.suppressed.len() as u64)
    }
}

impl ImageReport {
    /// Makes the report of an image of which nothing is known but its findings.
    pub fn of_findings(name: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self {
            artifact_name: name.into(),
            results: vec![ResultSet {
                findings,
                ..ResultSet::default()
            }],
            ..Self::default()
        }
    }

    /// Iterates over the findings that count.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.results.iter().flat_map(|result| &result.findings)
    }

    /// Counts the findings that count.
    pub fn severity_counts(&self) -> SeverityCounts {
        self.findings().map(|finding| finding.severity).collect()
    }

    /// Returns the reference that the image is known by: the tag or digest that matches its name,
    /// or the first one. Source: spec 03 section 3.
    pub fn reference(&self) -> Option<&str> {
        reference::choose(
            &self.artifact_name,
            self.metadata
                .repo_tags
                .iter()
                .chain(&self.metadata.repo_digests),
        )
    }

    /// Returns the identity that fingerprints are built on; empty without an image id.
    /// Source: spec 03 section 3.
    pub fn artifact_id(&self) -> String {
        // The image that an SBOM describes is not the artifact.
        if self.artifact_type.is_sbom() {
            return String::new();
        }
        let Some(image_id) = self.metadata.image_id else {
            return String::new();
        };
        match self.reference().and_then(ImageReference::parse_reported) {
            Some(reference) => {
                Digest::of(format!("{image_id}:{}", reference.context()).as_bytes()).to_string()
            }
            None => image_id.to_string(),
        }
    }
}

impl ScanReport {
    /// Counts the findings of all images.
    pub fn severity_counts(&self) -> SeverityCounts {
        self.images
            .iter()
            .flat_map(ImageReport::findings)
            .map(|finding| finding.severity)
            .collect()
    }
}
