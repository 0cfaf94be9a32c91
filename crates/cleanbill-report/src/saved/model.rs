//! The members of our schema, as they are read: what may be absent has a default, what is not
//! known is left out. The writing side, with the documentation of every member, is
//! `render/json.rs`.

use std::collections::BTreeMap;

use cleanbill_core::image::ImageConfig;
use cleanbill_core::vulnerability::{Epss, KnownExploited};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::findings_max::Counted;

pub(super) type Others = BTreeMap<String, Value>;

/// Says how much of a finding is read.
pub(super) trait Depth {
    const IS_WHOLE: bool;
    type Text: DeserializeOwned + Default + Into<String>;
    type Texts: DeserializeOwned + Default + Into<Vec<String>>;
    type Scores: DeserializeOwned + Default + Into<BTreeMap<String, Cvss>>;
    type Ratings: DeserializeOwned + Default + Into<BTreeMap<String, String>>;
    type Source: DeserializeOwned + Default + Into<Option<DataSource>>;
    type Layer: DeserializeOwned + Default;
    type Others: DeserializeOwned + Default + Into<Others>;

    /// Returns the layer that a finding names, as far as it was read.
    fn layer(layer: &Self::Layer) -> Option<&Layer>;
}

/// Everything.
pub(super) enum Whole {}

impl Depth for Whole {
    const IS_WHOLE: bool = true;
    type Text = String;
    type Texts = Vec<String>;
    type Scores = BTreeMap<String, Cvss>;
    type Ratings = BTreeMap<String, String>;
    type Source = Option<DataSource>;
    type Layer = Option<Layer>;
    type Others = Others;

    fn layer(layer: &Self::Layer) -> Option<&Layer> {
        layer.as_ref()
    }
}

/// What a gate looks at: not what is said about the vulnerability, which is most of a report, and
/// not where the package lies or who says so.
pub(super) enum Outline {}

impl Depth for Outline {
    const IS_WHOLE: bool = false;
    type Text = Skipped;
    type Texts = Skipped;
    type Scores = Skipped;
    type Ratings = Skipped;
    type Source = Skipped;
    type Layer = Skipped;
    type Others = Skipped;

    fn layer(_: &Skipped) -> Option<&Layer> {
        None
    }
}

/// A value that is checked for being JSON, and not kept.
#[derive(Default)]
pub(super) struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Skipped)
    }
}

impl From<Skipped> for String {
    fn from(_: Skipped) -> Self {
        String::new()
    }
}

impl From<Skipped> for Option<DataSource> {
    fn from(_: Skipped) -> Self {
        None
    }
}

impl From<Skipped> for Vec<String> {
    fn from(_: Skipped) -> Self {
        Vec::new()
    }
}

impl<T> From<Skipped> for BTreeMap<String, T> {
    fn from(_: Skipped) -> Self {
        BTreeMap::new()
    }
}

#[derive(Deserialize)]
#[serde(bound = "")]
pub(super) struct Document<K: Depth> {
    #[serde(default)]
    pub(super) report_id: String,
    #[serde(default)]
    pub(super) created_at: String,
    pub(super) duration_ms: Option<u64>,
    pub(super) tool: Tool,
    pub(super) database: Option<Database>,
    #[serde(default)]
    pub(super) selection: String,
    #[serde(default)]
    pub(super) left_out_severities: Vec<String>,
    pub(super) images: Vec<Image<K>>,
    #[serde(default)]
    pub(super) exceptions: Vec<Exception>,
    pub(super) total_vulnerabilities: Option<u64>,
    pub(super) severity_summary: Option<BTreeMap<String, u64>>,
}

#[derive(Deserialize)]
pub(super) struct Exception {
    pub(super) source: String,
    pub(super) line: u64,
    pub(super) rule: String,
    #[serde(default)]
    pub(super) statement: String,
    pub(super) outcome: Outcome,
    #[serde(default)]
    pub(super) findings: u64,
    #[serde(default)]
    pub(super) lapsed_findings: u64,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(flatten)]
    pub(super) terms: Terms,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Terms {
    pub(super) owner: String,
    pub(super) ticket: String,
    pub(super) expires: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Applied,
    Expired,
    Unmatched,
    NotUnderstood,
}

#[derive(Deserialize)]
pub(super) struct Tool {
    pub(super) version: String,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Database {
    pub(super) schema_version: i64,
    pub(super) updated_at: String,
    pub(super) next_update: String,
    pub(super) downloaded_at: String,
    pub(super) age_hours: i64,
    #[serde(default)]
    pub(super) epss_date: String,
    #[serde(default)]
    pub(super) kev_release: String,
}

#[derive(Deserialize)]
#[serde(bound = "")]
pub(super) struct Image<K: Depth> {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) source: String,
    #[serde(default)]
    pub(super) image_id: String,
    #[serde(default)]
    pub(super) repo_tags: Vec<String>,
    #[serde(default)]
    pub(super) repo_digests: Vec<String>,
    pub(super) distro: Option<Distro>,
    /// Absent before 1.1: then the layers that findings and packages name stand in.
    #[serde(default)]
    pub(super) layers: Vec<Layer>,
    #[serde(default)]
    pub(super) config: ImageConfig,
    pub(super) status: String,
    #[serde(default)]
    pub(super) problems: Vec<Problem>,
    pub(super) results: Vec<ResultMembers<K>>,
    pub(super) total_vulnerabilities: Option<u64>,
    pub(super) severity_summary: Option<BTreeMap<String, u64>>,
    pub(super) base: Option<super::base::Base>,
    /// Absent before 1.2.
    pub(super) sbom: Option<Sbom>,
    #[serde(default)]
    pub(super) other_results: Vec<Value>,
    #[serde(default)]
    pub(super) others: Others,
}

#[derive(Deserialize)]
pub(super) struct Sbom {
    pub(super) serial_number: String,
    pub(super) version: u64,
}

#[derive(Deserialize)]
pub(super) struct Distro {
    pub(super) family: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) end_of_life: bool,
    #[serde(default)]
    pub(super) extended: bool,
    #[serde(default)]
    pub(super) supplier: String,
}

#[derive(Deserialize)]
pub(super) struct Layer {
    pub(super) diff_id: String,
    #[serde(default)]
    pub(super) digest: String,
    pub(super) size_bytes: Option<u64>,
    pub(super) index: Option<usize>,
    #[serde(default)]
    pub(super) created_by: String,
}

#[derive(Deserialize)]
pub(super) struct Problem {
    pub(super) kind: String,
    #[serde(default)]
    pub(super) path: String,
    pub(super) message: String,
}

#[derive(Deserialize)]
#[serde(bound = "")]
pub(super) struct ResultMembers<K: Depth> {
    pub(super) target: String,
    pub(super) class: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) package_count: Option<u64>,
    pub(super) findings: Counted<Finding<K>>,
    pub(super) suppressed: Option<Counted<Suppressed<K>>>,
    pub(super) suppressed_count: Option<u64>,
    pub(super) packages: Option<Vec<Package>>,
    #[serde(default)]
    pub(super) others: Others,
}

#[derive(Deserialize)]
#[serde(bound = "")]
pub(super) struct Suppressed<K: Depth> {
    pub(super) status: String,
    #[serde(default)]
    pub(super) statement: String,
    #[serde(default)]
    pub(super) source: String,
    #[serde(flatten)]
    pub(super) terms: Terms,
    pub(super) finding: Finding<K>,
}

#[derive(Deserialize)]
#[serde(bound = "")]
pub(super) struct Finding<K: Depth> {
    pub(super) id: String,
    #[serde(default)]
    pub(super) vendor_ids: Vec<String>,
    pub(super) package: FindingPackage,
    #[serde(default)]
    pub(super) installed_version: String,
    #[serde(default)]
    pub(super) fixed_version: String,
    #[serde(default)]
    pub(super) status: String,
    pub(super) severity: String,
    #[serde(default)]
    pub(super) severity_source: K::Text,
    #[serde(default)]
    pub(super) severities: K::Ratings,
    #[serde(default)]
    pub(super) url: K::Text,
    #[serde(default)]
    pub(super) data_source: K::Source,
    #[serde(default)]
    pub(super) title: K::Text,
    #[serde(default)]
    pub(super) description: K::Text,
    #[serde(default)]
    pub(super) cvss: K::Scores,
    #[serde(default)]
    pub(super) cwe: K::Texts,
    #[serde(default)]
    pub(super) references: K::Texts,
    #[serde(default)]
    pub(super) published: K::Text,
    #[serde(default)]
    pub(super) modified: K::Text,
    #[serde(default)]
    pub(super) layer: K::Layer,
    #[serde(default)]
    pub(super) origin: String,
    pub(super) epss: Option<Epss>,
    pub(super) known_exploited: Option<Box<KnownExploited>>,
    #[serde(default)]
    pub(super) lapsed_exception: Box<str>,
    pub(super) evidence: Option<Evidence<K>>,
    #[serde(default)]
    pub(super) others: K::Others,
}

#[derive(Deserialize)]
pub(super) struct FindingPackage {
    pub(super) name: String,
    #[serde(default)]
    pub(super) id: String,
    /// Absent before 1.4.
    #[serde(default)]
    pub(super) source_name: Box<str>,
    pub(super) purl: Option<String>,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) uid: String,
    #[serde(default)]
    pub(super) bom_ref: String,
}

#[derive(Deserialize)]
pub(super) struct DataSource {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) url: String,
    #[serde(default)]
    pub(super) base_id: String,
}

#[derive(Deserialize)]
pub(super) struct Cvss {
    pub(super) v2: Option<Score>,
    pub(super) v3: Option<Score>,
    pub(super) v4: Option<Score>,
}

#[derive(Deserialize)]
pub(super) struct Score {
    #[serde(default)]
    pub(super) vector: String,
    #[serde(default)]
    pub(super) score: f64,
}

#[derive(Deserialize)]
#[serde(bound = "")]
pub(super) struct Evidence<K: Depth> {
    #[serde(default)]
    pub(super) bucket: K::Text,
    #[serde(default)]
    pub(super) looked_up_name: String,
    #[serde(default)]
    pub(super) compared_version: String,
    #[serde(default)]
    pub(super) scheme: String,
    #[serde(default)]
    pub(super) constraint: K::Text,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    #[serde(default)]
    pub(super) epoch: i64,
    #[serde(default)]
    pub(super) release: String,
    #[serde(default)]
    pub(super) id: String,
    pub(super) purl: Option<String>,
    #[serde(default)]
    pub(super) uid: String,
    #[serde(default)]
    pub(super) bom_ref: String,
    #[serde(default)]
    pub(super) arch: String,
    #[serde(default)]
    pub(super) source_name: String,
    #[serde(default)]
    pub(super) source_version: String,
    #[serde(default)]
    pub(super) source_epoch: i64,
    #[serde(default)]
    pub(super) source_release: String,
    #[serde(default)]
    pub(super) licenses: Vec<String>,
    #[serde(default)]
    pub(super) maintainer: String,
    #[serde(default)]
    pub(super) modularity_label: String,
    pub(super) build_info: Option<BuildInfo>,
    #[serde(default)]
    pub(super) repository: String,
    #[serde(default)]
    pub(super) dev: bool,
    #[serde(default)]
    pub(super) indirect: bool,
    #[serde(default)]
    pub(super) relationship: String,
    #[serde(default)]
    pub(super) depends_on: Vec<String>,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) digest: String,
    #[serde(default)]
    pub(super) locations: Vec<Lines>,
    #[serde(default)]
    pub(super) installed_files: Vec<String>,
    #[serde(default)]
    pub(super) analyzed_by: String,
    pub(super) layer: Option<Layer>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct BuildInfo {
    pub(super) content_sets: Vec<String>,
    pub(super) nvr: String,
    pub(super) arch: String,
}

#[derive(Deserialize)]
pub(super) struct Lines {
    pub(super) start_line: u64,
    pub(super) end_line: u64,
}
