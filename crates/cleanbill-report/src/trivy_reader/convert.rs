//! From the members of Trivy's report to our model.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use cleanbill_core::Severity;
use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::image::{ImageMetadata, LayerMetadata};
use cleanbill_core::package::{
    BuildInfo, LayerId, Location, Package, PackageIdentifier, Relationship, RepositoryClass,
};
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::report::{
    ArtifactType, ExceptionTerms, ImageReport, OtherMembers, ResultClass, ResultSet, ScanReport,
    SuppressedFinding,
};
use cleanbill_core::vulnerability::{Finding, VulnerabilityDetails};

use super::TrivyReportError;
use super::model::{
    Assessment, Document, FindingMembers, Identifier, Layer, Metadata, Others, PackageMembers,
    ResultMembers, SuppressedMembers,
};

pub(super) fn report(document: Document) -> Result<ScanReport, TrivyReportError> {
    let mut image = ImageReport {
        artifact_name: document.artifact_name,
        artifact_type: artifact_type(&document.artifact_type)?,
        others: others(document.others),
        ..ImageReport::default()
    };
    if let Some(os) = &document.metadata.os {
        image.is_end_of_life = os.eosl;
        image.distro = Some(Distro {
            family: Family(os.family.clone()),
            name: os.name.clone(),
            extended: os.extended,
            supplier: os.supplier.clone(),
        });
    }
    image.metadata = metadata(document.metadata)?;
    if let Some(assessment) = document.cleanbill {
        (image.status, image.problems) = assessed(assessment)?;
    }
    for value in document.results {
        let class = value.get("Class").and_then(|class| class.as_str());
        match class.and_then(result_class) {
            Some(class) => {
                let members: ResultMembers = serde_json::from_value(value)?;
                image.results.push(result(class, members)?);
            }
            None => image.other_results.push(value.to_string()),
        }
    }
    Ok(ScanReport {
        created_at: document.created_at,
        duration_ms: None,
        database: None,
        left_out_severities: Vec::new(),
        images: vec![image],
        exceptions: Vec::new(),
    })
}

fn artifact_type(text: &str) -> Result<ArtifactType, TrivyReportError> {
    ArtifactType::ALL
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| invalid("ArtifactType", text, "this kind of artifact is not known"))
}

fn result_class(text: &str) -> Option<ResultClass> {
    [ResultClass::OsPackages, ResultClass::LanguagePackages]
        .into_iter()
        .find(|class| class.name() == text)
}

fn metadata(metadata: Metadata) -> Result<ImageMetadata, TrivyReportError> {
    // Releases before the list of layers have their diff ids only.
    let stated = if metadata.layers.is_empty() {
        let layer = |diff_id: &String| Layer {
            diff_id: diff_id.clone(),
            ..Layer::default()
        };
        metadata.diff_ids.iter().map(layer).collect()
    } else {
        metadata.layers
    };
    let history = metadata.image_config.layer_history(stated.len());
    let mut layers = Vec::with_capacity(stated.len());
    for (index, layer) in stated.iter().enumerate() {
        let Some(id) = layer_id(layer)? else { continue };
        let step = history.as_ref().and_then(|history| history.get(index));
        layers.push(LayerMetadata {
            id,
            size_bytes: layer.size,
            created_by: step.map(|step| step.created_by.clone()).unwrap_or_default(),
        });
    }
    Ok(ImageMetadata {
        image_id: parsed("ImageID", &metadata.image_id)?,
        repo_tags: metadata.repo_tags,
        repo_digests: metadata.repo_digests,
        layers,
        config: metadata.image_config,
    })
}

fn assessed(assessment: Assessment) -> Result<(AssessmentStatus, Vec<Problem>), TrivyReportError> {
    let status = AssessmentStatus::from_name(&assessment.status)
        .ok_or_else(|| invalid("Status", &assessment.status, "it is not known"))?;
    let problems = assessment.problems.into_iter().map(|problem| {
        let kind = ProblemKind::from_name(&problem.kind)
            .ok_or_else(|| invalid("Kind", &problem.kind, "it is not known"))?;
        Ok(Problem::at(kind, problem.path, problem.message))
    });
    Ok((status, problems.collect::<Result<_, TrivyReportError>>()?))
}

fn result(class: ResultClass, members: ResultMembers) -> Result<ResultSet, TrivyReportError> {
    let packages = collect(members.packages, package)?;
    let mut findings = collect(members.vulnerabilities.0, finding)?;
    let mut suppressed = collect(members.suppressed.0, suppressed)?;
    let all = suppressed.iter_mut().map(|one| &mut one.finding);
    name_sources(findings.iter_mut().chain(all), &packages);
    Ok(ResultSet {
        target: members.target,
        class,
        kind: members.kind,
        packages,
        findings,
        suppressed,
        unlisted_packages: 0,
        unlisted_suppressed: 0,
        others: others(members.others),
    })
}

/// Names the source packages of findings, which only the list of packages has.
fn name_sources<'a>(findings: impl Iterator<Item = &'a mut Finding>, packages: &[Package]) {
    let sources: HashMap<&str, &str> = packages
        .iter()
        .filter(|package| !package.identifier.uid.is_empty())
        .map(|package| (package.identifier.uid.as_str(), package.src_name.as_str()))
        .collect();
    for finding in findings {
        let source = sources.get(finding.package_identifier.uid.as_str());
        finding.source_name = source.copied().unwrap_or_default().into();
    }
}

fn suppressed(members: SuppressedMembers) -> Result<SuppressedFinding, TrivyReportError> {
    Ok(SuppressedFinding {
        status: members.status,
        statement: members.statement,
        source: members.source,
        terms: ExceptionTerms::default(),
        finding: finding(members.finding)?,
    })
}

fn package(members: PackageMembers) -> Result<Package, TrivyReportError> {
    let repository_class = [RepositoryClass::Official, RepositoryClass::ThirdParty]
        .into_iter()
        .find(|class| class.name() == members.repository.class)
        .unwrap_or_default();
    let relationship = [
        Relationship::Root,
        Relationship::Workspace,
        Relationship::Direct,
        Relationship::Indirect,
    ]
    .into_iter()
    .find(|relationship| relationship.name() == members.relationship)
    .unwrap_or_default();
    let build_info = members.build_info.map(|build_info| BuildInfo {
        content_sets: build_info.content_sets,
        nvr: build_info.nvr,
        arch: build_info.arch,
    });
    let locations = members.locations.iter().map(|location| Location {
        start_line: location.start_line,
        end_line: location.end_line,
    });
    Ok(Package {
        id: members.id,
        name: members.name,
        identifier: identifier(members.identifier)?,
        version: members.version,
        release: members.release,
        epoch: members.epoch,
        arch: members.arch,
        dev: members.dev,
        src_name: members.src_name,
        src_version: members.src_version,
        src_release: members.src_release,
        src_epoch: members.src_epoch,
        licenses: members.licenses,
        maintainer: members.maintainer,
        modularity_label: members.modularity_label,
        build_info,
        repository_class,
        indirect: members.indirect,
        relationship,
        depends_on: members.depends_on,
        layer: layer_id(&members.layer)?,
        file_path: members.file_path,
        digest: members.digest,
        locations: locations.collect(),
        installed_files: members.installed_files.into(),
        analyzed_by: members.analyzed_by,
    })
}

fn finding(members: FindingMembers) -> Result<Finding, TrivyReportError> {
    let details = VulnerabilityDetails {
        title: members.title,
        description: members.description,
        cwe_ids: members.cwe_ids,
        cvss: members.cvss,
        references: members.references,
        published: members.published_date,
        last_modified: members.last_modified_date,
        ..VulnerabilityDetails::default()
    };
    Ok(Finding {
        vulnerability_id: members.vulnerability_id,
        vendor_ids: members.vendor_ids,
        package_id: members.pkg_id,
        package_name: members.pkg_name,
        package_path: members.pkg_path,
        package_identifier: identifier(members.pkg_identifier)?,
        installed_version: members.installed_version,
        fixed_version: members.fixed_version,
        status: parsed("Status", &members.status)?.unwrap_or_default(),
        layer: layer_id(&members.layer)?,
        severity_source: members.severity_source,
        primary_url: members.primary_url,
        data_source: members.data_source,
        fingerprint: members.fingerprint,
        severity: parsed("Severity", &members.severity)?.unwrap_or(Severity::Unknown),
        details: Some(Arc::new(details)),
        vendor_severity: members.vendor_severity,
        others: others(members.others),
        ..Finding::default()
    })
}

fn identifier(members: Identifier) -> Result<PackageIdentifier, TrivyReportError> {
    let purl = match members.purl.as_str() {
        "" => None,
        text => {
            let purl = PackageUrl::from_printed(text);
            Some(purl.map_err(|error| invalid("PURL", text, error))?)
        }
    };
    Ok(PackageIdentifier {
        uid: members.uid,
        purl,
        bom_ref: members.bom_ref,
    })
}

fn layer_id(layer: &Layer) -> Result<Option<LayerId>, TrivyReportError> {
    let Some(diff_id) = parsed("DiffID", &layer.diff_id)? else {
        return Ok(None);
    };
    let digest = parsed("Digest", &layer.digest)?;
    Ok(Some(LayerId { digest, diff_id }))
}

/// Parses a text that may be empty.
fn parsed<T: FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<Option<T>, TrivyReportError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|error| invalid(field, text, error))
}

fn invalid(field: &'static str, value: &str, reason: impl std::fmt::Display) -> TrivyReportError {
    TrivyReportError::Value {
        field,
        value: value.chars().take(100).collect(),
        reason: reason.to_string(),
    }
}

fn others(members: Others) -> OtherMembers {
    members
        .into_iter()
        .map(|(name, value)| (name, value.to_string()))
        .collect()
}

fn collect<A, B>(
    items: Vec<A>,
    convert: impl Fn(A) -> Result<B, TrivyReportError>,
) -> Result<Vec<B>, TrivyReportError> {
    items.into_iter().map(convert).collect()
}
