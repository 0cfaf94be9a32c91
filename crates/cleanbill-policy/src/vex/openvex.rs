//! OpenVEX 0.2 documents.
//!
//! Source: spec 03 section 9; openvex/go-vex 0.2.7 (`Statement.Matches`, `SortStatements`).

use std::collections::{BTreeMap, HashMap};

use cleanbill_core::purl::PackageUrl;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::Product;

/// Holds the statements of one document, found by vulnerability id.
#[derive(Clone, Debug)]
pub(super) struct OpenVex {
    statements: Vec<Statement>,
    by_id: HashMap<String, Vec<usize>>,
}

#[derive(Clone, Debug)]
struct Statement {
    /// Statements are ordered by this before time, as in the reference.
    name: String,
    timestamp: Option<Timestamp>,
    products: Vec<StatedProduct>,
    status: String,
    justification: String,
}

#[derive(Clone, Debug)]
struct StatedProduct {
    component: StatedComponent,
    sub_components: Vec<StatedComponent>,
}

/// Names one thing in several ways: texts that must be equal, and package URLs that must cover.
#[derive(Clone, Debug)]
struct StatedComponent {
    texts: Vec<String>,
    purls: Vec<PackageUrl>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<OpenVex, serde_json::Error> {
    let raw: RawDocument = serde_json::from_slice(bytes)?;
    let mut statements = Vec::new();
    let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, raw_statement) in raw.statements.unwrap_or_default().into_iter().enumerate() {
        let vulnerability = raw_statement.vulnerability;
        let ids = [&vulnerability.id, &vulnerability.name];
        for id in ids.into_iter().chain(&vulnerability.aliases) {
            let indices = by_id.entry(id.clone()).or_default();
            if indices.last() != Some(&index) {
                indices.push(index);
            }
        }
        statements.push(Statement {
            name: vulnerability.name,
            timestamp: raw_statement.timestamp.or(raw.timestamp),
            products: raw_statement
                .products
                .into_iter()
                .map(StatedProduct::new)
                .collect(),
            status: raw_statement.status,
            justification: raw_statement.justification,
        });
    }
    Ok(OpenVex { statements, by_id })
}

impl OpenVex {
    pub(super) fn knows(&self, vulnerability_id: &str) -> bool {
        self.by_id.contains_key(vulnerability_id)
    }

    /// Lets the latest statement that fits decide. Of statements of the same time the first in the
    /// document is the latest, as in the reference.
    pub(super) fn decide(
        &self,
        vulnerability_id: &str,
        product: &Product,
        sub_product: Option<&Product>,
    ) -> Option<(&'static str, String)> {
        let latest = self
            .by_id
            .get(vulnerability_id)?
            .iter()
            .rev()
            .filter_map(|index| self.statements.get(*index))
            .filter(|statement| statement.fits(product, sub_product))
            .max_by(|a, b| (&a.name, a.timestamp).cmp(&(&b.name, b.timestamp)))?;
        let status = match latest.status.as_str() {
            "not_affected" => "not_affected",
            "fixed" => "fixed",
            _ => return None,
        };
        Some((status, latest.justification.clone()))
    }
}

impl Statement {
    fn fits(&self, product: &Product, sub_product: Option<&Product>) -> bool {
        self.products.iter().any(|stated| {
            stated.component.names(product)
                && match sub_product {
                    Some(sub_product) if !stated.sub_components.is_empty() => stated
                        .sub_components
                        .iter()
                        .any(|stated| stated.names(sub_product)),
                    _ => true,
                }
        })
    }
}

impl StatedProduct {
    fn new(raw: RawProduct) -> Self {
        Self {
            component: StatedComponent::new(raw.component),
            sub_components: raw
                .subcomponents
                .into_iter()
                .map(StatedComponent::new)
                .collect(),
        }
    }
}

impl StatedComponent {
    /// Identifiers and hashes are compared as texts; the id, if it is a package URL, and the
    /// identifier of type `purl` cover more specific package URLs too.
    fn new(raw: RawComponent) -> Self {
        let id_purl = raw.id.starts_with("pkg:").then_some(&raw.id);
        let purls = id_purl
            .into_iter()
            .chain(raw.identifiers.get("purl"))
            .filter_map(|text| text.parse().ok())
            .collect();
        let texts = std::iter::once(raw.id)
            .chain(raw.identifiers.into_values())
            .chain(raw.hashes.into_values())
            .filter(|text| !text.is_empty())
            .collect();
        Self { texts, purls }
    }

    fn names(&self, product: &Product) -> bool {
        self.texts.contains(&product.text)
            || product
                .normalized
                .as_ref()
                .is_some_and(|purl| self.purls.iter().any(|stated| covers(stated, purl)))
    }
}

/// As [`PackageUrl::is_covered_by`], but the subpath does not matter.
fn covers(stated: &PackageUrl, purl: &PackageUrl) -> bool {
    stated.kind == purl.kind
        && stated.namespace == purl.namespace
        && stated.name == purl.name
        && (stated.version.is_empty() || stated.version == purl.version)
        && stated
            .qualifiers
            .iter()
            .all(|(key, value)| purl.qualifier(key) == Some(value.as_str()))
}

#[derive(Deserialize)]
struct RawDocument {
    #[serde(default, deserialize_with = "rfc3339")]
    timestamp: Option<Timestamp>,
    statements: Option<Vec<RawStatement>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawStatement {
    vulnerability: RawVulnerability,
    #[serde(deserialize_with = "rfc3339")]
    timestamp: Option<Timestamp>,
    products: Vec<RawProduct>,
    status: String,
    justification: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawVulnerability {
    #[serde(rename = "@id")]
    id: String,
    name: String,
    aliases: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawProduct {
    #[serde(flatten)]
    component: RawComponent,
    subcomponents: Vec<RawComponent>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawComponent {
    #[serde(rename = "@id")]
    id: String,
    hashes: BTreeMap<String, String>,
    identifiers: BTreeMap<String, String>,
}

fn rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom))
        .transpose()
}
