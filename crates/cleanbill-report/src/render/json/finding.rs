//! One finding, with everything that is known about it.

use std::collections::BTreeMap;

use cleanbill_core::base_image::Origin;
use cleanbill_core::package::LayerId;
use cleanbill_core::report::SuppressedFinding;
use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability as core;
use schemars::JsonSchema;
use serde::Serialize;

use super::fingerprint;
use crate::layers::Layers;
use crate::render::trivy_json::Others;

/// A package paired with an advisory that applies to it.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Finding<'a> {
    /// `CVE-…`, `GHSA-…` …
    id: &'a str,
    /// The supplier's own ids (DSA, RHSA …).
    vendor_ids: &'a [String],
    /// The package.
    package: Package<'a>,
    /// The version that was judged.
    installed_version: &'a str,
    /// The first version without the vulnerability; absent if there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    fixed_version: &'a str,
    /// `fixed`, `affected`, `will_not_fix`, `fix_deferred`, `end_of_life`, `under_investigation`,
    /// `not_affected` or `unknown`.
    status: &'static str,
    /// `CRITICAL`, `HIGH`, `MEDIUM`, `LOW` or `UNKNOWN`.
    severity: &'static str,
    /// Who rated the severity; absent if it is the merged rating.
    #[serde(skip_serializing_if = "str::is_empty")]
    severity_source: &'a str,
    /// What each source rated.
    severities: BTreeMap<&'a str, &'static str>,
    /// One line about it.
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    /// Several lines about it.
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    /// Where to read about it.
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'a str,
    /// Where the advisory comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_source: Option<DataSource<'a>>,
    /// Scores by source.
    cvss: BTreeMap<&'a str, Cvss<'a>>,
    /// Weakness classes, `CWE-787`.
    cwe: &'a [String],
    /// Addresses.
    references: &'a [String],
    /// When it was published, RFC 3339.
    #[serde(skip_serializing_if = "str::is_empty")]
    published: &'a str,
    /// When its record changed last, RFC 3339.
    #[serde(skip_serializing_if = "str::is_empty")]
    modified: &'a str,
    /// The stable identity of the finding: package, path and vulnerability. The same under every
    /// tag, in every image and for every version of the package.
    fingerprint: String,
    /// The layer that brought the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<Layer<'a>>,
    /// Whose that layer is: `base` (the base image's) or `own`; absent if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
    /// How likely it is to be exploited; absent if nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    epss: Option<Epss<'a>>,
    /// Where it is known to be exploited; absent if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_exploited: Option<KnownExploited<'a>>,
    /// The exception that covered it and does not any more, and why; absent if there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    lapsed_exception: &'a str,
    /// Why it was reported; absent if the engine does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence<'a>>,
    /// What else another engine said of it.
    #[serde(skip_serializing_if = "Others::is_empty")]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    others: Others<'a>,
}

impl<'a> Finding<'a> {
    /// Takes a finding of a result of this type.
    pub(super) fn of(result_kind: &str, finding: &'a core::Finding, layers: &Layers<'a>) -> Self {
        const NO_LIST: &[String] = &[];
        let details = finding.details.as_deref();
        let text = |part: fn(&core::VulnerabilityDetails) -> &String| {
            details
                .map(|details| part(details).as_str())
                .unwrap_or_default()
        };
        Self {
            id: &finding.vulnerability_id,
            vendor_ids: &finding.vendor_ids,
            package: Package::of(finding),
            installed_version: &finding.installed_version,
            fixed_version: &finding.fixed_version,
            status: finding.status.name(),
            severity: finding.severity.name(),
            severity_source: &finding.severity_source,
            severities: finding
                .vendor_severity
                .iter()
                .map(|(source, number)| (source.as_str(), Severity::from_number(*number).name()))
                .collect(),
            title: text(|details| &details.title),
            description: text(|details| &details.description),
            url: &finding.primary_url,
            data_source: finding.data_source.as_ref().map(DataSource::of),
            cvss: details
                .into_iter()
                .flat_map(|details| &details.cvss)
                .map(|(source, cvss)| (source.as_str(), Cvss::of(cvss)))
                .collect(),
            cwe: details.map_or(NO_LIST, |details| &details.cwe_ids),
            references: details.map_or(NO_LIST, |details| &details.references),
            published: text(|details| &details.published),
            modified: text(|details| &details.last_modified),
            fingerprint: fingerprint::of(result_kind, finding),
            layer: finding.layer.map(|layer| Layer::of(&layer, layers)),
            origin: finding.origin.map(Origin::name),
            epss: finding.epss.as_ref().map(Epss::of),
            known_exploited: finding.known_exploited.as_deref().map(KnownExploited::of),
            lapsed_exception: &finding.lapsed_exception,
            evidence: Evidence::of(&finding.evidence),
            others: Others(&finding.others),
        }
    }
}

/// A finding that does not count, and what takes it out.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Suppressed<'a> {
    /// `ignored`, `not_affected` or `fixed`.
    status: &'a str,
    /// The reason that was given; may be empty.
    statement: &'a str,
    /// The file that says so, for `exceptions.yaml` with the line.
    source: &'a str,
    /// Who answers for the exception; absent if it does not say.
    #[serde(skip_serializing_if = "str::is_empty")]
    owner: &'a str,
    /// Where it was discussed; absent if it does not say.
    #[serde(skip_serializing_if = "str::is_empty")]
    ticket: &'a str,
    /// The last day on which it holds, or a time; absent if it has no end.
    #[serde(skip_serializing_if = "str::is_empty")]
    expires: &'a str,
    /// The finding.
    finding: Finding<'a>,
}

impl<'a> Suppressed<'a> {
    pub(super) fn of(
        result_kind: &str,
        suppressed: &'a SuppressedFinding,
        layers: &Layers<'a>,
    ) -> Self {
        Self {
            status: &suppressed.status,
            statement: &suppressed.statement,
            source: &suppressed.source,
            owner: &suppressed.terms.owner,
            ticket: &suppressed.terms.ticket,
            expires: &suppressed.terms.expires,
            finding: Finding::of(result_kind, &suppressed.finding, layers),
        }
    }
}

/// The package of a finding.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Package<'a> {
    /// Its name.
    name: &'a str,
    /// The id that dependencies refer to.
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    /// The source package that it was built from; absent if that is not known, or there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    source_name: &'a str,
    /// Its package URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    /// The file that it was found in (language packages).
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    /// Its identity inside the image.
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: &'a str,
    /// Its reference inside the bill of materials that it was read from.
    #[serde(skip_serializing_if = "str::is_empty")]
    bom_ref: &'a str,
}

impl<'a> Package<'a> {
    fn of(finding: &'a core::Finding) -> Self {
        let identifier = &finding.package_identifier;
        Self {
            name: &finding.package_name,
            id: &finding.package_id,
            source_name: &finding.source_name,
            purl: identifier.purl.as_ref().map(|purl| purl.to_string()),
            path: &finding.package_path,
            uid: &identifier.uid,
            bom_ref: &identifier.bom_ref,
        }
    }
}

/// A layer of the image.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Layer<'a> {
    /// The digest of its uncompressed tar stream.
    diff_id: String,
    /// The digest of its blob; absent if it is stored uncompressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// Its position, counted from 0 at the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    /// The history line that made it.
    #[serde(skip_serializing_if = "str::is_empty")]
    created_by: &'a str,
}

impl<'a> Layer<'a> {
    pub(super) fn of(layer: &LayerId, layers: &Layers<'a>) -> Self {
        let place = layers.find(layer);
        Self {
            diff_id: layer.diff_id.to_string(),
            digest: layer.digest.map(|digest| digest.to_string()),
            index: place.map(|(index, _)| index),
            created_by: place.map(|(_, created_by)| created_by).unwrap_or_default(),
        }
    }
}

/// The source of an advisory.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct DataSource<'a> {
    /// Its id, `debian`.
    id: &'a str,
    /// Its name.
    name: &'a str,
    /// Its address.
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'a str,
    /// The source that it builds on.
    #[serde(skip_serializing_if = "str::is_empty")]
    base_id: &'a str,
}

impl<'a> DataSource<'a> {
    fn of(source: &'a core::DataSource) -> Self {
        Self {
            id: &source.id,
            name: &source.name,
            url: &source.url,
            base_id: &source.base_id,
        }
    }
}

/// CVSS vectors and scores of one source, by version of CVSS.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Cvss<'a> {
    /// CVSS 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    v2: Option<Score<'a>>,
    /// CVSS 3.0 or 3.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    v3: Option<Score<'a>>,
    /// CVSS 4.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    v4: Option<Score<'a>>,
}

/// A CVSS vector and its score.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Score<'a> {
    /// The vector.
    #[serde(skip_serializing_if = "str::is_empty")]
    vector: &'a str,
    /// The score, 0 to 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

impl<'a> Cvss<'a> {
    fn of(cvss: &'a core::Cvss) -> Self {
        Self {
            v2: Score::of(&cvss.v2_vector, cvss.v2_score),
            v3: Score::of(&cvss.v3_vector, cvss.v3_score),
            v4: Score::of(&cvss.v40_vector, cvss.v40_score),
        }
    }
}

impl<'a> Score<'a> {
    fn of(vector: &'a str, score: f64) -> Option<Self> {
        let score = Some(score).filter(|score| *score != 0.0);
        (!vector.is_empty() || score.is_some()).then_some(Self { vector, score })
    }
}

/// What EPSS says, the Exploit Prediction Scoring System.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Epss<'a> {
    /// The probability of exploitation within 30 days, 0 to 1.
    score: f64,
    /// The share of vulnerabilities with the same or a lower score, 0 to 1.
    percentile: f64,
    /// The day of the score.
    date: &'a str,
}

impl<'a> Epss<'a> {
    fn of(epss: &'a core::Epss) -> Self {
        Self {
            score: epss.score,
            percentile: epss.percentile,
            date: &epss.date,
        }
    }
}

/// What the catalogue of Known Exploited Vulnerabilities says.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct KnownExploited<'a> {
    /// The day on which the catalogue took it in.
    date_added: &'a str,
    /// The day by which it must be fixed, for those who must follow the catalogue.
    due_date: &'a str,
    /// Ransomware is known to use it.
    is_used_by_ransomware: bool,
}

impl<'a> KnownExploited<'a> {
    fn of(known: &'a core::KnownExploited) -> Self {
        Self {
            date_added: &known.date_added,
            due_date: &known.due_date,
            is_used_by_ransomware: known.is_used_by_ransomware,
        }
    }
}

/// What was looked up and compared.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Evidence<'a> {
    /// The part of the advisory database, `debian 12`.
    bucket: &'a str,
    /// The name that was looked up there.
    looked_up_name: &'a str,
    /// The version that was compared.
    compared_version: &'a str,
    /// The scheme that compared, `deb`; absent if no comparison was needed.
    #[serde(skip_serializing_if = "str::is_empty")]
    scheme: &'static str,
    /// What the advisory demands, `< 1.2.3`; absent if every version is affected.
    #[serde(skip_serializing_if = "str::is_empty")]
    constraint: &'a str,
}

impl<'a> Evidence<'a> {
    fn of(evidence: &'a core::Evidence) -> Option<Self> {
        (*evidence != core::Evidence::default()).then(|| Self {
            bucket: &evidence.bucket,
            looked_up_name: &evidence.looked_up_name,
            compared_version: &evidence.compared_version,
            scheme: evidence.scheme,
            constraint: &evidence.constraint,
        })
    }
}
