//! From the members of our schema to the model.

use std::collections::BTreeMap;
use std::str::FromStr;

use cleanbill_core::Digest;
use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::image::{ImageConfig, ImageMetadata, LayerMetadata};
use cleanbill_core::package::{
    self as core_package, LayerId, Location, Package, PackageIdentifier, Relationship,
    RepositoryClass,
};
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::report::{
    ArtifactType, DatabaseInfo, ExceptionOutcome, ExceptionReport, ExceptionTerms, ImageReport,
    OtherMembers, ResultClass, ResultSet, SbomIdentity, ScanReport, SuppressedFinding,
};
use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::{DataSource, Evidence, Finding, VulnerabilityDetails};
use cleanbill_version::VersionScheme;

use super::details::{Shared, cvss};
use super::model::Depth;
use super::{SavedReport, SavedReportError, base, model, totals};
use crate::assign_fingerprints;

pub(super) fn saved<K: Depth>(
    document: model::Document<K>,
) -> Result<SavedReport, SavedReportError> {
    let results = || document.images.iter().flat_map(|image| &image.results);
    let lists_packages = results().any(|result| result.packages.is_some());
    let lists_suppressed = results().all(|result| match result.suppressed_count {
        Some(_) => unlisted_suppressed(result) == 0,
        None => result.suppressed.is_some(),
    });
    let lacks_packages = results().any(|result| {
        result.packages.is_none() && result.package_count.is_none_or(|count| count > 0)
    });
    let left_out = document.left_out_severities.iter();
    let left_out = left_out.map(|name| parsed("left_out_severities", name));
    let images = document.images.into_iter().map(image);
    let saved = SavedReport {
        report: ScanReport {
            created_at: document.created_at,
            duration_ms: document.duration_ms,
            database: document.database.map(database),
            left_out_severities: left_out.collect::<Result<_, _>>()?,
            images: images.collect::<Result<_, _>>()?,
            exceptions: document.exceptions.into_iter().map(exception).collect(),
        },
        tool_version: document.tool.version,
        report_id: document.report_id,
        selection: document.selection,
        lists_packages,
        lists_suppressed,
        lacks_packages,
    };
    let counts = saved.report.severity_counts();
    totals::check(
        "the report",
        document.total_vulnerabilities,
        document.severity_summary.as_ref(),
        &counts,
    )?;
    Ok(saved)
}

fn exception(members: model::Exception) -> ExceptionReport {
    ExceptionReport {
        source: members.source,
        line: members.line,
        rule: members.rule,
        statement: members.statement,
        terms: terms(members.terms),
        lapsed_findings: members.lapsed_findings,
        outcome: match members.outcome {
            model::Outcome::Applied => ExceptionOutcome::Applied(members.findings),
            model::Outcome::Expired => ExceptionOutcome::Expired,
            model::Outcome::Unmatched => ExceptionOutcome::Unmatched,
            model::Outcome::NotUnderstood => ExceptionOutcome::NotUnderstood(members.reason),
        },
    }
}

fn terms(members: model::Terms) -> ExceptionTerms {
    ExceptionTerms {
        owner: members.owner,
        ticket: members.ticket,
        expires: members.expires,
    }
}

fn database(members: model::Database) -> DatabaseInfo {
    DatabaseInfo {
        schema_version: members.schema_version,
        updated_at: members.updated_at,
        next_update: members.next_update,
        downloaded_at: members.downloaded_at,
        age_hours: members.age_hours,
        epss_date: members.epss_date,
        kev_release: members.kev_release,
    }
}

fn image<K: Depth>(members: model::Image<K>) -> Result<ImageReport, SavedReportError> {
    let layers = match members.layers.is_empty() {
        true => layers_of_results(&members.results)?,
        false => members
            .layers
            .iter()
            .map(layer_metadata)
            .collect::<Result<_, _>>()?,
    };
    let is_end_of_life = members
        .distro
        .as_ref()
        .is_some_and(|distro| distro.end_of_life);
    let mut shared = Shared::default();
    let results = members.results.into_iter();
    let mut image = ImageReport {
        artifact_name: members.name,
        artifact_type: one_of("type", &members.kind, ArtifactType::ALL, ArtifactType::name)?,
        source: members.source,
        metadata: ImageMetadata {
            image_id: optional("image_id", &members.image_id)?,
            repo_tags: members.repo_tags,
            repo_digests: members.repo_digests,
            config: config(members.config),
            layers,
        },
        distro: members.distro.map(distro),
        is_end_of_life,
        results: results
            .map(|result| result_set(result, &mut shared))
            .collect::<Result<_, _>>()?,
        status: AssessmentStatus::from_name(&members.status)
            .ok_or_else(|| invalid("status", &members.status, "it is not known"))?,
        problems: members
            .problems
            .into_iter()
            .map(problem)
            .collect::<Result<_, _>>()?,
        other_results: members
            .other_results
            .iter()
            .map(ToString::to_string)
            .collect(),
        others: others(members.others),
        base: members.base.map(base::base).transpose()?,
        sbom: members.sbom.map(|sbom| SbomIdentity {
            serial_number: sbom.serial_number,
            version: sbom.version,
        }),
        ..ImageReport::default()
    };
    totals::check(
        &image.artifact_name,
        members.total_vulnerabilities,
        members.severity_summary.as_ref(),
        &image.severity_counts(),
    )?;
    if K::IS_WHOLE {
        assign_fingerprints(&mut image);
    }
    Ok(image)
}

/// Collects the layers that findings and packages name, with gaps where they name none.
fn layers_of_results<K: Depth>(
    results: &[model::ResultMembers<K>],
) -> Result<Vec<LayerMetadata>, SavedReportError> {
    let findings = results
        .iter()
        .flat_map(|result| &result.findings.0)
        .filter_map(|finding| K::layer(&finding.layer));
    let packages = results
        .iter()
        .flat_map(|result| result.packages.iter().flatten());
    let named = findings.chain(packages.filter_map(|package| package.layer.as_ref()));
    let mut by_index: BTreeMap<usize, &model::Layer> = BTreeMap::new();
    for layer in named {
        if let Some(index) = layer.index {
            by_index.entry(index).or_insert(layer);
        }
    }
    let unnamed = || LayerMetadata {
        id: LayerId {
            digest: None,
            diff_id: cleanbill_core::DiffId(Digest::of(b"a layer that no finding names")),
        },
        size_bytes: None,
        created_by: String::new(),
    };
    // The index is a number of a file's: it must not decide how much memory is taken.
    let count = by_index
        .keys()
        .next_back()
        .map_or(0, |last| last.saturating_add(1))
        .min(10_000);
    (0..count)
        .map(|index| {
            by_index
                .get(&index)
                .map_or_else(|| Ok(unnamed()), |layer| layer_metadata(layer))
        })
        .collect()
}

fn layer_metadata(layer: &model::Layer) -> Result<LayerMetadata, SavedReportError> {
    Ok(LayerMetadata {
        id: layer_id(layer)?,
        size_bytes: layer.size_bytes,
        created_by: layer.created_by.clone(),
    })
}

fn layer_id(layer: &model::Layer) -> Result<LayerId, SavedReportError> {
    Ok(LayerId {
        digest: optional("digest", &layer.digest)?,
        diff_id: parsed("diff_id", &layer.diff_id)?,
    })
}

/// Times that are not set are printed as Go prints them.
fn config(mut config: ImageConfig) -> ImageConfig {
    let steps = config.history.iter_mut().map(|step| &mut step.created);
    for time in steps.chain([&mut config.created]) {
        if time == crate::render::ZERO_TIME {
            time.clear();
        }
    }
    config
}

fn distro(members: model::Distro) -> Distro {
    let name = match members.name.strip_suffix("-ESM") {
        Some(name) if members.extended => name.to_owned(),
        _ => members.name,
    };
    Distro {
        family: Family(members.family),
        name,
        extended: members.extended,
        supplier: members.supplier,
    }
}

fn problem(members: model::Problem) -> Result<Problem, SavedReportError> {
    let kind = ProblemKind::from_name(&members.kind)
        .ok_or_else(|| invalid("kind", &members.kind, "this kind of problem is not known"))?;
    Ok(Problem::at(kind, members.path, members.message))
}

fn result_set<K: Depth>(
    members: model::ResultMembers<K>,
    shared: &mut Shared,
) -> Result<ResultSet, SavedReportError> {
    let classes = [ResultClass::OsPackages, ResultClass::LanguagePackages];
    let unlisted_suppressed = unlisted_suppressed(&members);
    let findings = members
        .findings
        .0
        .into_iter()
        .map(|one| finding(one, shared));
    let findings = findings.collect::<Result<_, _>>()?;
    let suppressed = members.suppressed.unwrap_or_default().0.into_iter();
    let suppressed = suppressed.map(|one| suppressed_finding(one, shared));
    let suppressed = suppressed.collect::<Result<_, _>>()?;
    let packages: Vec<Package> = match members.packages {
        None => Vec::new(),
        Some(packages) => packages
            .into_iter()
            .map(package)
            .collect::<Result<_, _>>()?,
    };
    Ok(ResultSet {
        target: members.target,
        class: one_of("class", &members.class, classes, ResultClass::name)?,
        kind: members.kind,
        unlisted_packages: members
            .package_count
            .unwrap_or(0)
            .saturating_sub(packages.len() as u64),
        packages,
        findings,
        suppressed,
        unlisted_suppressed,
        others: others(members.others),
    })
}

fn unlisted_suppressed<K: Depth>(members: &model::ResultMembers<K>) -> u64 {
    let listed = members.suppressed.as_ref().map_or(0, |list| list.0.len()) as u64;
    members.suppressed_count.unwrap_or(0).saturating_sub(listed)
}

fn suppressed_finding<K: Depth>(
    members: model::Suppressed<K>,
    shared: &mut Shared,
) -> Result<SuppressedFinding, SavedReportError> {
    Ok(SuppressedFinding {
        status: members.status,
        statement: members.statement,
        source: members.source,
        terms: terms(members.terms),
        finding: finding(members.finding, shared)?,
    })
}

fn finding<K: Depth>(
    members: model::Finding<K>,
    shared: &mut Shared,
) -> Result<Finding, SavedReportError> {
    let ratings: BTreeMap<String, String> = members.severities.into();
    let severities = ratings.into_iter().map(|(source, name)| {
        let severity: Severity = parsed("severities", &name)?;
        Ok((source, i64::from(severity.number())))
    });
    let package = members.package;
    let details = VulnerabilityDetails {
        title: members.title.into(),
        description: members.description.into(),
        cwe_ids: members.cwe.into(),
        cvss: cvss(members.cvss.into()),
        references: members.references.into(),
        published: members.published.into(),
        last_modified: members.modified.into(),
        ..VulnerabilityDetails::default()
    };
    Ok(Finding {
        details: shared.of(&members.id, details),
        vulnerability_id: members.id,
        vendor_ids: members.vendor_ids,
        package_id: package.id,
        package_name: package.name,
        source_name: package.source_name,
        package_path: package.path,
        package_identifier: identifier(package.uid, package.purl, package.bom_ref)?,
        installed_version: members.installed_version,
        fixed_version: members.fixed_version,
        status: optional("status", &members.status)?.unwrap_or_default(),
        layer: K::layer(&members.layer).map(layer_id).transpose()?,
        origin: base::origin(&members.origin)?,
        severity_source: members.severity_source.into(),
        primary_url: members.url.into(),
        data_source: members.data_source.into().map(data_source),
        severity: parsed("severity", &members.severity)?,
        vendor_severity: severities.collect::<Result<_, SavedReportError>>()?,
        epss: members.epss,
        known_exploited: members.known_exploited,
        lapsed_exception: members.lapsed_exception,
        evidence: members.evidence.map(evidence).unwrap_or_default(),
        others: others(members.others.into()),
        ..Finding::default()
    })
}

fn data_source(members: model::DataSource) -> DataSource {
    DataSource {
        id: members.id,
        name: members.name,
        url: members.url,
        base_id: members.base_id,
    }
}

fn evidence<K: Depth>(members: model::Evidence<K>) -> Evidence {
    let scheme = VersionScheme::ALL
        .into_iter()
        .map(VersionScheme::name)
        .find(|name| *name == members.scheme);
    Evidence {
        bucket: members.bucket.into(),
        looked_up_name: members.looked_up_name,
        compared_version: members.compared_version,
        scheme: scheme.unwrap_or_default(),
        constraint: members.constraint.into(),
    }
}

fn package(members: model::Package) -> Result<Package, SavedReportError> {
    let classes = [
        RepositoryClass::Unknown,
        RepositoryClass::Official,
        RepositoryClass::ThirdParty,
    ];
    let relationships = [
        Relationship::Unknown,
        Relationship::Root,
        Relationship::Workspace,
        Relationship::Direct,
        Relationship::Indirect,
    ];
    let build_info = members
        .build_info
        .map(|build_info| core_package::BuildInfo {
            content_sets: build_info.content_sets,
            nvr: build_info.nvr,
            arch: build_info.arch,
        });
    let locations = members.locations.iter().map(|lines| Location {
        start_line: lines.start_line,
        end_line: lines.end_line,
    });
    Ok(Package {
        id: members.id,
        name: members.name,
        identifier: identifier(members.uid, members.purl, members.bom_ref)?,
        version: upstream(&members.version, members.epoch, &members.release)?,
        release: members.release,
        epoch: members.epoch,
        arch: members.arch,
        dev: members.dev,
        src_name: members.source_name,
        src_version: upstream(
            &members.source_version,
            members.source_epoch,
            &members.source_release,
        )?,
        src_release: members.source_release,
        src_epoch: members.source_epoch,
        licenses: members.licenses,
        maintainer: members.maintainer,
        modularity_label: members.modularity_label,
        build_info,
        repository_class: one_of(
            "repository",
            &members.repository,
            classes,
            RepositoryClass::name,
        )?,
        indirect: members.indirect,
        relationship: one_of(
            "relationship",
            &members.relationship,
            relationships,
            Relationship::name,
        )?,
        depends_on: members.depends_on,
        layer: members.layer.as_ref().map(layer_id).transpose()?,
        file_path: members.path,
        digest: members.digest,
        locations: locations.collect(),
        installed_files: members.installed_files.into(),
        analyzed_by: members.analyzed_by,
    })
}

/// Takes epoch and release off a version.
fn upstream(version: &str, epoch: i64, release: &str) -> Result<String, SavedReportError> {
    let prefix = match epoch {
        0 => String::new(),
        epoch => format!("{epoch}:"),
    };
    let suffix = match release {
        "" => String::new(),
        release => format!("-{release}"),
    };
    version
        .strip_prefix(&prefix)
        .and_then(|rest| rest.strip_suffix(&suffix))
        .map(str::to_owned)
        .ok_or_else(|| invalid("version", version, "it lacks its epoch or release"))
}

fn identifier(
    uid: String,
    purl: Option<String>,
    bom_ref: String,
) -> Result<PackageIdentifier, SavedReportError> {
    let purl = purl
        .map(|text| PackageUrl::from_printed(&text).map_err(|error| invalid("purl", &text, error)));
    Ok(PackageIdentifier {
        uid,
        purl: purl.transpose()?,
        bom_ref,
    })
}

fn others(members: model::Others) -> OtherMembers {
    members
        .into_iter()
        .map(|(name, value)| (name, value.to_string()))
        .collect()
}

pub(super) fn one_of<T: Copy, const N: usize>(
    field: &'static str,
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, SavedReportError> {
    all.into_iter()
        .find(|one| name(*one) == text)
        .ok_or_else(|| invalid(field, text, "it is not known"))
}

/// Parses a text that may be empty.
pub(super) fn optional<T: FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<Option<T>, SavedReportError> {
    match text {
        "" => Ok(None),
        text => parsed(field, text).map(Some),
    }
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, SavedReportError> {
    text.parse().map_err(|error| invalid(field, text, error))
}

fn invalid(field: &'static str, value: &str, reason: impl std::fmt::Display) -> SavedReportError {
    SavedReportError::Value {
        field,
        value: value.chars().take(100).collect(),
        reason: reason.to_string(),
    }
}
