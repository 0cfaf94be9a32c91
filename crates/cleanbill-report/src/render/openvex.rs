//! OpenVEX 0.2: what exceptions say, for others to apply.
//!
//! Only suppressed findings are in it. What an ignore file accepts is `affected` with the action
//! statement that the risk is accepted: such a rule does not say that the vulnerability does no
//! harm. If its reason begins with one of the five justifications of OpenVEX, it does, and is
//! `not_affected`. Source: OpenVEX specification 0.2.0.

mod statement;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use cleanbill_core::Digest;
use cleanbill_core::report::ScanReport;
use cleanbill_core::vulnerability::Finding;
use serde::Serialize;

use super::json::escape::Escaping;
use super::{RenderOptions, words};
use statement::Claim;

pub(super) fn render(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let statements = statements(report);
    let identity = Digest::of(&serde_json::to_vec(&statements)?).to_hex();
    let document = Document {
        context: "https://openvex.dev/ns/v0.2.0",
        id: format!("https://openvex.dev/docs/public/vex-{identity}"),
        author: "cleanbill",
        timestamp: words::timestamp(&report.created_at),
        version: 1,
        tooling: format!("cleanbill {}", options.tool_version),
        statements,
    };
    serde_json::to_writer_pretty(Escaping(&mut *out), &document)?;
    out.write_all(b"\n")
}

/// Gathers what is said in the same words about the same vulnerability.
fn statements(report: &ScanReport) -> Vec<Statement<'_>> {
    let mut gathered: BTreeMap<(&str, Claim), Products> = BTreeMap::new();
    for image in &report.images {
        let image_purl = image.package_url().map(|purl| purl.to_string());
        for suppressed in image.results.iter().flat_map(|set| &set.suppressed) {
            let key = (
                suppressed.finding.vulnerability_id.as_str(),
                Claim::of(suppressed),
            );
            let products = gathered.entry(key).or_default();
            let package = package_name(&suppressed.finding);
            match &image_purl {
                Some(image) => products
                    .parts
                    .entry(image.clone())
                    .or_default()
                    .insert(package),
                None => products.whole.insert(package),
            };
        }
    }
    gathered
        .into_iter()
        .map(|((id, claim), products)| Statement {
            vulnerability: Vulnerability { name: id },
            products: products.views(),
            claim,
        })
        .collect()
}

/// Names a package by its package URL. One without gets a name that no package of an image has.
fn package_name(finding: &Finding) -> String {
    match &finding.package_identifier.purl {
        Some(purl) => purl.to_string(),
        None => cleanbill_core::purl::PackageUrl {
            kind: "generic".to_owned(),
            name: finding.package_name.clone(),
            version: finding.installed_version.clone(),
            ..Default::default()
        }
        .to_string(),
    }
}

/// What a statement is about: packages as parts of an image that a registry's digest names, and
/// packages of images that nothing names, wherever they are.
#[derive(Default)]
struct Products {
    parts: BTreeMap<String, BTreeSet<String>>,
    whole: BTreeSet<String>,
}

impl Products {
    fn views(self) -> Vec<Product> {
        let parts = self.parts.into_iter().map(|(image, packages)| Product {
            id: image,
            subcomponents: packages.into_iter().map(|id| Component { id }).collect(),
        });
        let whole = self.whole.into_iter().map(|id| Product {
            id,
            subcomponents: Vec::new(),
        });
        parts.chain(whole).collect()
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: String,
    author: &'static str,
    timestamp: String,
    version: u8,
    tooling: String,
    statements: Vec<Statement<'a>>,
}

#[derive(Serialize)]
struct Statement<'a> {
    vulnerability: Vulnerability<'a>,
    products: Vec<Product>,
    #[serde(flatten)]
    claim: Claim,
}

#[derive(Serialize)]
struct Vulnerability<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Product {
    #[serde(rename = "@id")]
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcomponents: Vec<Component>,
}

#[derive(Serialize)]
struct Component {
    #[serde(rename = "@id")]
    id: String,
}
