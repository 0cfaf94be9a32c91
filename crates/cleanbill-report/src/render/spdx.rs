//! SPDX 2.3 as JSON: packages and their relationships.
//!
//! SPDX 2.3 has no place for vulnerabilities: the advisories of findings that count are external
//! references of their packages. Source: SPDX 2.3 and its `spdx-schema.json`; the annotations
//! (`PkgID: …`) and the prefixes of the ids are Trivy's (`pkg/sbom/spdx/marshal.go`), since its
//! reader takes the distribution and the packages from them. What was not assessed stands in the
//! document's comment.

mod license;
mod package;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{self, Write};

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport};
use serde::Serialize;

use super::json::escape::Escaping;
use super::lazy::Lazy;
use super::sbom::{Bom, Part, ROOT, document_uuid};
use super::{RenderOptions, words};
use crate::escape::link::web_address;
use license::ExtractedLicenses;
use package::Packages;

/// The id of the document itself.
const DOCUMENT: &str = "SPDXRef-DOCUMENT";

pub(super) fn render(
    report: &ScanReport,
    image: &ImageReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let bom = Bom::of(image);
    let creator = format!("Tool: cleanbill-{}", options.tool_version);
    let created = words::timestamp(&report.created_at);
    let packages = Packages {
        ids: bom.components().iter().map(package::id).collect(),
        advisories: advisories(image, &bom),
        annotator: &creator,
        created: &created,
    };
    let licenses = ExtractedLicenses::of(&bom);
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: name(image),
        document_namespace: format!("urn:uuid:{}", document_uuid("spdx", report, image, options)),
        comment: assessment(image),
        creation_info: CreationInfo {
            creators: [&creator],
            created: &created,
        },
        extracted_licenses: licenses.views(),
        packages: Lazy(|| {
            let components = bom.components().iter().enumerate();
            components.map(|(index, component)| packages.view(index, component))
        }),
        relationships: Lazy(|| relationships(&bom, &packages)),
    };
    serde_json::to_writer_pretty(Escaping(&mut *out), &document)?;
    out.write_all(b"\n")
}

/// Names the document; it must not be empty.
fn name(image: &ImageReport) -> &str {
    match image.artifact_name.as_str() {
        "" => "unnamed",
        name => name,
    }
}

/// Says how far the image could be assessed, if not completely and without remarks.
fn assessment(image: &ImageReport) -> String {
    if image.status == AssessmentStatus::Complete && image.problems.is_empty() {
        return String::new();
    }
    let mut lines = vec![format!("assessment: {}", image.status.name())];
    lines.extend(words::problems(image).map(words::problem));
    lines.join("\n")
}

/// Collects the addresses of what is known about each package, in the order of the findings.
fn advisories<'a>(image: &'a ImageReport, bom: &Bom<'_>) -> HashMap<usize, Vec<&'a str>> {
    let mut advisories: HashMap<usize, Vec<&str>> = HashMap::new();
    for (result, set) in image.results.iter().enumerate() {
        for finding in &set.findings {
            let url = web_address(&finding.primary_url);
            if let (Some(index), Some(url)) = (bom.package_of(result, finding), url) {
                advisories.entry(index).or_default().push(url);
            }
        }
    }
    advisories
}

fn relationships<'a>(
    bom: &'a Bom<'_>,
    packages: &'a Packages<'_>,
) -> impl Iterator<Item = Relationship<'a>> {
    let describes = packages.ids.get(ROOT).map(|root| Relationship {
        element: DOCUMENT,
        kind: "DESCRIBES",
        related: root,
    });
    let edges = bom.components().iter().enumerate();
    let edges = edges.flat_map(move |(index, component)| {
        let kind = match component.part {
            Part::Package(..) | Part::Unlisted(..) => "DEPENDS_ON",
            _ => "CONTAINS",
        };
        component.children.iter().filter_map(move |child| {
            Some(Relationship {
                element: packages.ids.get(index)?,
                kind,
                related: packages.ids.get(*child)?,
            })
        })
    });
    describes.into_iter().chain(edges)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, P, R> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: &'a str,
    document_namespace: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
    creation_info: CreationInfo<'a>,
    #[serde(
        rename = "hasExtractedLicensingInfos",
        skip_serializing_if = "Vec::is_empty"
    )]
    extracted_licenses: Vec<license::View<'a>>,
    packages: P,
    relationships: R,
}

#[derive(Serialize)]
struct CreationInfo<'a> {
    creators: [&'a str; 1],
    created: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship<'a> {
    #[serde(rename = "spdxElementId")]
    element: &'a str,
    #[serde(rename = "relationshipType")]
    kind: &'static str,
    #[serde(rename = "relatedSpdxElement")]
    related: &'a str,
}
