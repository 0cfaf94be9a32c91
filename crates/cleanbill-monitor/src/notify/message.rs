//! What is said, as a value: kept by the outbox, rendered for each service, and sent as it is by
//! the generic webhook.
//!
//! It leaves the process and outlives it, so it has a version: members are added, never renamed.

mod forms;

use cleanbill_core::Severity;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the form of [`Notification`]. Additions do not change it.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Reasons of a gate that a message keeps. A gate has few rules.
const REASONS_MAX: usize = 50;

/// Says something to people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Notification {
    /// The version of this form, 1. Members may be added without a new one.
    pub version: u32,
    /// Identifies the message. Its parts, and its copies for several recipients, have the same.
    pub id: String,
    /// What it is about.
    pub kind: NotificationKind,
    /// Which part of the message this is, where a service takes only short ones.
    pub part: Part,
    /// The id of the first message of the conversation; the own one if this is the first.
    pub thread: String,
    /// The ids of the messages that announced what this one follows up, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// When it was composed.
    #[serde(with = "forms::rfc3339")]
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// From when on it collects changes, where it is a digest.
    #[serde(
        with = "forms::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// The host that speaks.
    pub host: String,
    /// Goes in front of the subject of a mail.
    pub subject_prefix: String,
    /// What a gate says of the reports that are summed up; absent if none judged them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateVerdict>,
    /// The severities that are told, where somebody chose; empty if all are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<String>,
    /// Sums over everything, also over what was left out below.
    pub totals: Totals,
    /// When the advisory database was built; absent if there is none.
    #[serde(
        with = "forms::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<String>")]
    pub database_updated_at: Option<Timestamp>,
    /// The images that cannot be assessed completely any more, or could not at the first look; all
    /// that could not in messages of the kinds `heartbeat` and `summary`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// How many more of them there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub failures_left_out: u64,
    /// How many images could not be assessed completely before either, and were told of then.
    #[serde(skip_serializing_if = "is_zero")]
    pub failures_known: u64,
    /// The exceptions that expire soon, the first to expire first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions_expiring: Vec<ExpiringException>,
    /// What changed, by vulnerability, most urgent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vulnerabilities: Vec<VulnerabilityGroup>,
    /// How many more vulnerabilities there are, all less urgent.
    #[serde(skip_serializing_if = "is_zero")]
    pub vulnerabilities_left_out: u64,
    /// The images that changed, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageLine>,
    /// How many more changed.
    #[serde(skip_serializing_if = "is_zero")]
    pub images_left_out: u64,
    /// Where the full report is: a path or an address; empty if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub report: String,
    /// The only recipient that is meant, where a message to several was split; empty otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub recipient: String,
}

/// Tells messages apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// Something changed.
    #[default]
    Changes,
    /// Nothing changed, but images could not be assessed.
    Errors,
    /// Nothing happened, and that is the news.
    Heartbeat,
    /// What changed over a longer time.
    Digest,
    /// Somebody asked whether messages arrive.
    Test,
    /// What a saved report says.
    Summary,
}

impl NotificationKind {
    /// Returns the word for it that machines read.
    pub const fn name(self) -> &'static str {
        match self {
            NotificationKind::Changes => "changes",
            NotificationKind::Errors => "errors",
            NotificationKind::Heartbeat => "heartbeat",
            NotificationKind::Digest => "digest",
            NotificationKind::Test => "test",
            NotificationKind::Summary => "summary",
        }
    }
}

/// Numbers the parts of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Which part this is, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

/// What a gate decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GateVerdict {
    /// It lets pass what it judged.
    pub has_passed: bool,
    /// Why not: a sentence for each rule that fails.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// How many more there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasons_left_out: u64,
}

impl GateVerdict {
    /// Makes a verdict of the rules that fail, a sentence for each.
    pub fn of(reasons: &[String]) -> Self {
        let kept = reasons.len().min(REASONS_MAX);
        Self {
            has_passed: reasons.is_empty(),
            reasons: reasons.iter().take(kept).cloned().collect(),
            reasons_left_out: (reasons.len() - kept) as u64,
        }
    }
}

/// An exception that expires soon: what it covers counts again then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExpiringException {
    /// The file and the line, `exceptions.yaml:3`.
    pub source: String,
    /// Its vulnerabilities, or how many there are beside the first.
    pub rule: String,
    /// Who answers for it; empty if nobody is named.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// The last day on which it counts.
    pub expires: String,
}

/// Sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Totals {
    /// Images that were looked at.
    pub images: u64,
    /// Images with a change.
    pub images_changed: u64,
    /// Images that could not be assessed completely.
    pub errors: u64,
    /// Vulnerabilities that were not there, each counted once an image, however many packages have
    /// it. So are the next ones.
    pub new: u64,
    /// Vulnerabilities that are gone, from all packages or some.
    pub resolved: u64,
    /// Vulnerabilities that are still there and that an exception covers now.
    #[serde(skip_serializing_if = "is_zero")]
    pub accepted: u64,
    /// Vulnerabilities with another severity.
    pub severity_changed: u64,
    /// Vulnerabilities that have a fix now.
    pub fix_available: u64,
    /// Vulnerabilities that are known to be exploited now.
    pub known_exploited: u64,
    /// Images that could be assessed and cannot any more.
    pub assessment_lost: u64,
    /// Images that can be assessed again.
    pub assessment_regained: u64,
    /// Images with a baseline that could not be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub baselines_lost: u64,
    /// What is found in the images that were looked at.
    pub findings: Counts,
}

/// Counts findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "UPPERCASE")]
pub struct Counts {
    /// Distinct vulnerabilities.
    #[serde(rename = "vulnerabilities")]
    pub distinct: u64,
    /// Critical findings.
    pub critical: u64,
    /// High findings.
    pub high: u64,
    /// Medium findings.
    pub medium: u64,
    /// Low findings.
    pub low: u64,
    /// Findings that nobody has rated.
    pub unknown: u64,
}

impl Counts {
    /// Returns the number of findings of a severity.
    pub const fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Unknown => self.unknown,
        }
    }

    /// Counts one more finding.
    pub const fn add(&mut self, severity: Severity) {
        let count = match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Unknown => &mut self.unknown,
        };
        *count = count.saturating_add(1);
    }

    /// Returns the number of findings.
    pub fn total(&self) -> u64 {
        Severity::ALL
            .into_iter()
            .map(|severity| self.of(severity))
            .sum()
    }

    /// Returns the counts by severity as the older script printed them:
    /// `CRITICAL: 1, HIGH: 2, MEDIUM: 0, LOW: 0, UNKNOWN: 0`.
    pub fn by_severity(&self) -> String {
        Severity::ALL
            .map(|severity| format!("{}: {}", severity.name(), self.of(severity)))
            .join(", ")
    }
}

/// Names an image that could not be assessed completely.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Failure {
    /// The image.
    pub image: String,
    /// The containers that run it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
    /// `failed`, or `partial` if something was found all the same.
    pub status: String,
    /// Why.
    pub reason: String,
    /// Where its log is; empty if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub log_path: String,
}

/// Holds what happened to one vulnerability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VulnerabilityGroup {
    /// `CVE-…`, `GHSA-…` …
    pub id: String,
    /// How bad it is: the worst of the hits.
    #[serde(with = "forms::severity_name")]
    #[schemars(with = "String")]
    pub severity: Severity,
    /// What it is, in one line; may be empty.
    pub title: String,
    /// Where to read about it; empty if there is no such page.
    pub url: String,
    /// It is known to be exploited.
    pub is_known_exploited: bool,
    /// How likely it is to be exploited within 30 days, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epss_score: Option<f64>,
    /// What happened to it, each kind once.
    pub happenings: Vec<Happening>,
    /// How many images it hits.
    pub images: u64,
    /// Where.
    pub hits: Vec<Hit>,
    /// How many more hits there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub hits_left_out: u64,
}

/// Tells apart what happens to findings.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It is known to be exploited now.
    KnownExploited,
    /// It was not there.
    #[default]
    New,
    /// Its severity changed.
    SeverityChanged,
    /// There is a fix now.
    FixAvailable,
    /// It is still there, and an exception covers it now.
    Accepted,
    /// It is gone.
    Resolved,
    /// It is there; a summary does not know since when.
    Present,
}

impl Happening {
    /// Returns the word that people read.
    pub const fn words(self) -> &'static str {
        match self {
            Happening::KnownExploited => "now exploited",
            Happening::New => "new",
            Happening::SeverityChanged => "severity changed",
            Happening::FixAvailable => "fix available",
            Happening::Accepted => "accepted",
            Happening::Resolved => "resolved",
            Happening::Present => "present",
        }
    }
}

/// Says what happened to a vulnerability in one package of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Hit {
    /// The image.
    pub image: String,
    /// The containers that run it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
    /// What happened.
    pub happening: Happening,
    /// How bad it is here.
    #[serde(with = "forms::severity_name")]
    #[schemars(with = "String")]
    pub severity: Severity,
    /// What the severity was, if that is what changed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub severity_before: String,
    /// The package.
    pub package: String,
    /// The file that lists it; empty for packages of the distribution.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The installed version.
    pub installed_version: String,
    /// The first version without the vulnerability; empty if there is none.
    pub fixed_version: String,
    /// What the supplier means to do, where there is no fix; empty if that is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fix_status: String,
    /// The machine's word for the cause: `image_changed`, `advisory_changed` …
    pub cause: String,
    /// The cause in words.
    pub because: String,
    /// The layer that introduced the package, `sha256:…`; empty if unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub layer: String,
    /// What made that layer; empty if unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    /// The command that shows it again.
    pub command: String,
}

/// Sums up one image that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageLine {
    /// The image.
    pub image: String,
    /// The containers that run it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
    /// Vulnerabilities that were not there, each counted once, however many packages have it. So
    /// are the next ones.
    pub new: u64,
    /// Vulnerabilities that are gone, from all packages or some.
    pub resolved: u64,
    /// Vulnerabilities that an exception covers now.
    #[serde(skip_serializing_if = "is_zero")]
    pub accepted: u64,
    /// Vulnerabilities that changed in another way.
    #[serde(skip_serializing_if = "is_zero")]
    pub other: u64,
    /// What is found in it now.
    pub counts: Counts,
    /// It can be assessed completely again.
    #[serde(skip_serializing_if = "is_false")]
    pub is_regained: bool,
    /// Why its baseline could not be read, and what to do about it; empty if it could.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub baseline: String,
    /// Where its log is; empty if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub log_path: String,
}

impl Default for Part {
    fn default() -> Self {
        Self { number: 1, of: 1 }
    }
}

impl Default for Notification {
    fn default() -> Self {
        Self {
            version: SCHEMA_VERSION,
            id: String::new(),
            kind: NotificationKind::default(),
            part: Part::default(),
            thread: String::new(),
            references: Vec::new(),
            time: Timestamp::UNIX_EPOCH,
            since: None,
            host: String::new(),
            subject_prefix: String::new(),
            gate: None,
            severities: Vec::new(),
            totals: Totals::default(),
            database_updated_at: None,
            failures: Vec::new(),
            failures_left_out: 0,
            failures_known: 0,
            exceptions_expiring: Vec::new(),
            vulnerabilities: Vec::new(),
            vulnerabilities_left_out: 0,
            images: Vec::new(),
            images_left_out: 0,
            report: String::new(),
            recipient: String::new(),
        }
    }
}

impl Notification {
    /// Returns the idempotency key: whoever gets the same twice has got the same thing twice.
    pub fn key(&self) -> String {
        let mut key = self.id.clone();
        if self.part.of > 1 {
            key = format!("{key}/{}", self.part.number);
        }
        if !self.recipient.is_empty() {
            key = format!("{key}/{}", self.recipient);
        }
        key
    }

    /// Returns how bad the worst is that needs somebody to act; `None` if nothing does.
    pub fn worst(&self) -> Option<Severity> {
        self.open_groups().map(|group| group.severity).max()
    }

    /// Says whether something that is known to be exploited needs somebody to act.
    pub fn is_exploited(&self) -> bool {
        self.open_groups().any(|group| group.is_known_exploited)
    }

    fn open_groups(&self) -> impl Iterator<Item = &VulnerabilityGroup> {
        self.vulnerabilities
            .iter()
            .filter(|group| !group.is_settled())
    }
}

impl VulnerabilityGroup {
    /// Says whether nothing but its id is known, as of what only a baseline names.
    pub fn is_bare(&self) -> bool {
        !self.hits.is_empty() && self.hits.iter().all(|hit| hit.package.is_empty())
    }

    /// Says whether nobody has to act any more: it is gone, or an exception covers it.
    pub fn is_settled(&self) -> bool {
        let is_settled = |one: &Happening| matches!(one, Happening::Resolved | Happening::Accepted);
        !self.happenings.is_empty() && self.happenings.iter().all(is_settled)
    }
}

/// Returns the JSON Schema of [`Notification`], as it is published.
pub fn json_schema() -> String {
    let mut schema = schemars::schema_for!(Notification);
    schema.insert("title".to_owned(), "Cleanbill notification".into());
    let mut text = format!("{:#}", serde_json::Value::from(schema));
    text.push('\n');
    text
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !*flag
}
