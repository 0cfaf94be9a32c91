//! CycloneDX 1.6 as JSON: components, what needs what, vulnerabilities and what VEX says of them.
//!
//! Source: CycloneDX 1.6 `bom-1.6.schema.json`; the properties `aquasecurity:trivy:…` are Trivy's
//! (`pkg/sbom/cyclonedx/marshal.go`), since those are what other tools read. What was not assessed
//! stands in `metadata.properties` as `cleanbill:status` and `cleanbill:problem`.

mod component;
mod rating;
#[cfg(test)]
mod tests;
mod vulnerability;

use std::io::{self, Write};

use cleanbill_core::report::{ImageReport, ScanReport};
use serde::Serialize;

use super::json::escape::Escaping;
use super::lazy::Lazy;
use super::sbom::{Bom, document_uuid};
use super::{RenderOptions, words};
use component::{Property, View};
use vulnerability::Vulnerabilities;

pub(super) fn render(
    report: &ScanReport,
    image: &ImageReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let bom = Bom::of(image);
    let components = || bom.components().iter().skip(1).map(View::of);
    let dependencies = || {
        bom.components().iter().map(|component| Dependency {
            reference: &component.reference,
            depends_on: bom.children(component).collect(),
        })
    };
    let vulnerabilities = Vulnerabilities::of(image, &bom, words::listed(options));
    let document = Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!(
            "urn:uuid:{}",
            document_uuid("cyclonedx", report, image, options)
        ),
        version: 1,
        metadata: Metadata {
            timestamp: words::timestamp(&report.created_at),
            tools: Tools {
                components: [Tool {
                    kind: "application",
                    name: "cleanbill",
                    version: &options.tool_version,
                }],
            },
            component: bom.components().first().map(View::of),
            properties: assessment(image),
        },
        components: Lazy(components),
        dependencies: Lazy(dependencies),
        vulnerabilities: Lazy(|| vulnerabilities.views()),
    };
    serde_json::to_writer_pretty(Escaping(&mut *out), &document)?;
    out.write_all(b"\n")
}

/// Says how far the image could be assessed, and what not.
fn assessment(image: &ImageReport) -> Vec<Property> {
    let status = Property {
        name: "cleanbill:status".to_owned(),
        value: image.status.name().to_owned(),
    };
    let problems = words::problems(image).map(|problem| Property {
        name: "cleanbill:problem".to_owned(),
        value: words::problem(problem),
    });
    std::iter::once(status).chain(problems).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, C, D, V> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u8,
    metadata: Metadata<'a>,
    components: C,
    dependencies: D,
    vulnerabilities: V,
}

#[derive(Serialize)]
struct Metadata<'a> {
    timestamp: String,
    tools: Tools<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<View<'a>>,
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Tools<'a> {
    components: [Tool<'a>; 1],
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    depends_on: Vec<&'a str>,
}
