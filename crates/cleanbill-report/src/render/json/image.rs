//! One image and its results.

use std::rc::Rc;

use cleanbill_core::image::LayerMetadata;
use cleanbill_core::package::Package;
use cleanbill_core::problem::Problem;
use cleanbill_core::report::{
    ImageReport, ResultClass, ResultSet, SbomIdentity, SuppressedFinding,
};
use cleanbill_core::vulnerability as core;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::base::Base;
use super::finding::{Finding, Suppressed};
use super::package::InstalledPackage;
use super::{SeveritySummary, Status};
use crate::layers::Layers;
use crate::render::lazy::{List, Sublist};
use crate::render::trivy_json::{Config, Others, value};

/// Says which parts are printed.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) packages: bool,
    pub(super) suppressed: fn(&SuppressedFinding) -> bool,
}

/// The outcome for one image.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Image<'a> {
    /// The name as the user gave it.
    name: &'a str,
    /// What kind of artifact it is: `container_image` or `filesystem`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where it was read from (`docker`, `docker-archive`, `oci-layout` …); absent if it could not
    /// be opened.
    #[serde(skip_serializing_if = "str::is_empty")]
    source: &'a str,
    /// The digest of its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_id: Option<String>,
    /// The tag or digest that it is known by.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// The tags it was found under.
    repo_tags: &'a [String],
    /// The digests it is known by in registries.
    repo_digests: &'a [String],
    /// The distribution that it is built on; absent if none could be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    distro: Option<Distro<'a>>,
    /// Its layers, base first.
    layers: Vec<ImageLayer<'a>>,
    /// Its configuration, as in the OCI image specification; absent unless packages are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    config: Option<Config<'a>>,
    /// How far it could be assessed.
    status: Status,
    /// What could not be assessed, and what limits the assessment.
    problems: Vec<ProblemView<'a>>,
    /// Findings, without suppressed ones.
    total_vulnerabilities: u64,
    /// The same by severity.
    severity_summary: SeveritySummary,
    /// The image that it is built on; absent if none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Base<'a>>,
    /// OS packages first, then language packages by target.
    results: Vec<ResultView<'a>>,
    /// The bill of materials that was scanned, if it has a name of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    sbom: Option<Sbom<'a>>,
    /// Results of other kinds, as another engine wrote them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_results: Vec<Value>,
    /// What else another engine said of the image.
    #[serde(skip_serializing_if = "Others::is_empty")]
    #[schemars(with = "serde_json::Map<String, Value>")]
    others: Others<'a>,
}

impl<'a> Image<'a> {
    pub(super) fn of(image: &'a ImageReport, parts: Parts) -> Self {
        let layers = Rc::new(Layers::of(image));
        let counts = image.severity_counts();
        Self {
            name: &image.artifact_name,
            kind: image.artifact_type.name(),
            source: &image.source,
            image_id: image.metadata.image_id.map(|id| id.to_string()),
            reference: image.reference(),
            repo_tags: &image.metadata.repo_tags,
            repo_digests: &image.metadata.repo_digests,
            distro: image.distro.as_ref().map(|distro| Distro {
                family: distro.family.as_str(),
                name: distro.release(),
                end_of_life: image.is_end_of_life,
                extended: distro.extended,
                supplier: &distro.supplier,
            }),
            layers: image.metadata.layers.iter().map(ImageLayer::of).collect(),
            config: Config::of(&image.metadata.config).filter(|_| parts.packages),
            status: image.status.into(),
            problems: image.problems.iter().map(ProblemView::of).collect(),
            total_vulnerabilities: counts.total(),
            severity_summary: SeveritySummary::of(&counts),
            base: Base::of(image),
            results: image
                .results
                .iter()
                .map(|set| ResultView::of(set, &layers, parts))
                .collect(),
            sbom: image.sbom.as_ref().map(Sbom::of),
            other_results: image.other_results.iter().map(|text| value(text)).collect(),
            others: Others(&image.others),
        }
    }
}

/// A bill of materials, as links to it name it.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Sbom<'a> {
    /// The serial number of a CycloneDX document, `urn:uuid:…`.
    serial_number: &'a str,
    /// The version of the document, counted from 1.
    version: u64,
}

impl<'a> Sbom<'a> {
    fn of(sbom: &'a SbomIdentity) -> Self {
        Self {
            serial_number: &sbom.serial_number,
            version: sbom.version,
        }
    }
}

/// A distribution.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Distro<'a> {
    /// `debian`, `alpine`, `redhat` …
    family: &'a str,
    /// The release, with `-ESM` where extended maintenance is switched on.
    name: String,
    /// The release no longer gets security updates.
    end_of_life: bool,
    /// Extended security maintenance is switched on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    extended: bool,
    /// Who rebuilt its packages, if somebody did.
    #[serde(skip_serializing_if = "str::is_empty")]
    supplier: &'a str,
}

/// A layer of the image.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ImageLayer<'a> {
    /// The digest of its uncompressed tar stream.
    diff_id: String,
    /// The digest of its blob; absent if it is stored uncompressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// Bytes of its uncompressed tar stream, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    /// The history line that made it.
    #[serde(skip_serializing_if = "str::is_empty")]
    created_by: &'a str,
}

impl<'a> ImageLayer<'a> {
    fn of(layer: &'a LayerMetadata) -> Self {
        Self {
            diff_id: layer.id.diff_id.to_string(),
            digest: layer.id.digest.map(|digest| digest.to_string()),
            size_bytes: layer.size_bytes,
            created_by: &layer.created_by,
        }
    }
}

/// Something that could not be assessed, or limits the assessment.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ProblemView<'a> {
    /// `unknown-distro`, `unreadable-file`, `end-of-life` …
    kind: &'static str,
    /// The file inside the image, if it is about one.
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    /// What happened.
    message: &'a str,
}

impl<'a> ProblemView<'a> {
    fn of(problem: &'a Problem) -> Self {
        Self {
            kind: problem.kind.name(),
            path: &problem.path,
            message: &problem.message,
        }
    }
}

/// What was found in one part of an image.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ResultView<'a> {
    /// `debian:12 (debian 12.5)`, `Python`, `app/bin/tool` …
    target: &'a str,
    /// What kind of packages it is about.
    class: Class,
    /// The family of the distribution or the type of language packages.
    #[serde(rename = "type")]
    kind: &'a str,
    /// How many packages there are, listed or not.
    package_count: u64,
    /// The findings that count: by package, then worst first.
    #[schemars(with = "Vec<Finding<'static>>")]
    findings: List<'a, core::Finding, Finding<'a>, Within<'a>>,
    /// How many findings exceptions, VEX statements and ignore files take out, listed or not.
    suppressed_count: u64,
    /// The findings that an exception covers; where asked for, those that a VEX statement or an
    /// ignore file takes out too.
    #[schemars(with = "Vec<Suppressed<'static>>")]
    suppressed: Sublist<'a, SuppressedFinding, Suppressed<'a>, Within<'a>>,
    /// Every package; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<InstalledPackage<'static>>>")]
    packages: Option<List<'a, Package, InstalledPackage<'a>, Within<'a>>>,
    /// What else another engine said of this part.
    #[serde(skip_serializing_if = "Others::is_empty")]
    #[schemars(with = "serde_json::Map<String, Value>")]
    others: Others<'a>,
}

/// A kind of packages.
#[derive(Serialize, JsonSchema)]
enum Class {
    /// Packages of the distribution.
    #[serde(rename = "os-pkgs")]
    Os,
    /// Packages of programming languages.
    #[serde(rename = "lang-pkgs")]
    Language,
}

/// What views of findings and packages need beside them.
struct Within<'a> {
    kind: &'a str,
    layers: Rc<Layers<'a>>,
}

impl<'a> ResultView<'a> {
    fn of(set: &'a ResultSet, layers: &Rc<Layers<'a>>, parts: Parts) -> Self {
        let within = || Within {
            kind: &set.kind,
            layers: Rc::clone(layers),
        };
        Self {
            target: &set.target,
            class: match set.class {
                ResultClass::OsPackages => Class::Os,
                ResultClass::LanguagePackages => Class::Language,
            },
            kind: &set.kind,
            package_count: set.package_count(),
            findings: List {
                items: &set.findings,
                context: within(),
                view: |within, finding| Finding::of(within.kind, finding, &within.layers),
            },
            suppressed_count: set.suppressed_count(),
            suppressed: Sublist {
                list: List {
                    items: &set.suppressed,
                    context: within(),
                    view: |within, finding| Suppressed::of(within.kind, finding, &within.layers),
                },
                is_wanted: parts.suppressed,
            },
            packages: parts.packages.then(|| List {
                items: &set.packages,
                context: within(),
                view: |within, package| InstalledPackage::of(package, &within.layers),
            }),
            others: Others(&set.others),
        }
    }
}
