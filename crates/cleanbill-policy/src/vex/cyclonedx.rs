//! CycloneDX documents whose vulnerabilities have an analysis.
//!
//! What is affected is named by BOM-Link (`urn:cdx:SERIAL/VERSION#REF`) or by a reference into the
//! document itself. A link counts for the document that was scanned, if one was; for an image only
//! what it names: a package URL, or a component of the VEX document that has one. Source: spec 03
//! section 9; Trivy `pkg/vex/cyclonedx.go`, which refuses images; cyclonedx-go `link.go`.

use std::collections::HashMap;

use cleanbill_core::purl::{PackageUrl, unescape};
use cleanbill_core::report::SbomIdentity;
use serde::Deserialize;

use super::Product;

/// What reports print as the source of such a statement.
pub(super) const SOURCE: &str = "CycloneDX VEX";

/// Holds what a document says, found by vulnerability id. Several entries may be about one.
#[derive(Clone, Debug)]
pub(super) struct CycloneDx {
    by_id: HashMap<String, Vec<Statement>>,
}

#[derive(Clone, Debug)]
struct Statement {
    status: &'static str,
    reason: String,
    affected: Vec<Reference>,
}

/// Names a component, here or in another document.
#[derive(Clone, Debug, Default)]
struct Reference {
    /// The other document: serial number and version.
    document: Option<(String, u64)>,
    /// What the reference may mean, package URLs in their usual form. Empty for the document as a
    /// whole.
    names: Vec<String>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<CycloneDx, serde_json::Error> {
    let raw: RawDocument = serde_json::from_slice(bytes)?;
    let purls = purls_by_reference(raw.components.unwrap_or_default());
    let mut by_id: HashMap<String, Vec<Statement>> = HashMap::new();
    for vulnerability in raw.vulnerabilities.into_iter().flatten() {
        let analysis = vulnerability.analysis.unwrap_or_default();
        let Some(status) = status(&analysis.state.unwrap_or_default()) else {
            continue;
        };
        let affected = vulnerability.affects.into_iter().flatten();
        let affected = affected.filter_map(|affects| Reference::parse(&affects.reference?, &purls));
        let reason = [analysis.justification, analysis.detail];
        by_id
            .entry(vulnerability.id.unwrap_or_default())
            .or_default()
            .push(Statement {
                status,
                reason: reason
                    .into_iter()
                    .flatten()
                    .find(|reason| !reason.is_empty())
                    .unwrap_or_default(),
                affected: affected.collect(),
            });
    }
    Ok(CycloneDx { by_id })
}

/// Returns the status of a state that takes findings out.
fn status(state: &str) -> Option<&'static str> {
    match state {
        "resolved" | "resolved_with_pedigree" => Some("fixed"),
        "false_positive" | "not_affected" => Some("not_affected"),
        _ => None,
    }
}

impl CycloneDx {
    pub(super) fn knows(&self, vulnerability_id: &str) -> bool {
        self.by_id.contains_key(vulnerability_id)
    }

    /// `sbom` is the document that was scanned, if it was one.
    pub(super) fn decide(
        &self,
        vulnerability_id: &str,
        product: &Product,
        sbom: Option<&SbomIdentity>,
    ) -> Option<(&'static str, String)> {
        let statement = self.by_id.get(vulnerability_id)?.iter().find(|statement| {
            let mut affected = statement.affected.iter();
            affected.any(|reference| reference.names(product, sbom))
        })?;
        Some((statement.status, statement.reason.clone()))
    }
}

impl Reference {
    /// A reference that is malformed names nothing.
    fn parse(text: &str, purls: &HashMap<String, String>) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let Some(link) = text.strip_prefix("urn:cdx:") else {
            let mut names = vec![normalize(text)];
            names.extend(purls.get(text).map(|purl| normalize(purl)));
            return Some(Self {
                document: None,
                names,
            });
        };
        let (document, reference) = link.split_once('#').unwrap_or((link, ""));
        let (serial, version) = document.split_once('/')?;
        let mut names = Vec::new();
        if !reference.is_empty() {
            // Query strings have a plus for a blank; most writers escape both.
            for reference in [reference.replace('+', " "), reference.to_owned()] {
                let name = normalize(&unescape(&reference)?);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Some(Self {
            document: Some((format!("urn:uuid:{serial}"), version.parse().ok()?)),
            names,
        })
    }

    fn names(&self, product: &Product, sbom: Option<&SbomIdentity>) -> bool {
        let is_of_document = match (&self.document, sbom) {
            (Some((serial, version)), Some(sbom)) => {
                *serial == sbom.serial_number && *version == sbom.version
            }
            // A link to the whole of another document says nothing of this image.
            (Some(_), None) => !self.names.is_empty(),
            (None, _) => true,
        };
        let is_named =
            |name: &String| *name == product.text || (!name.is_empty() && *name == product.bom_ref);
        is_of_document && (self.names.is_empty() || self.names.iter().any(is_named))
    }
}

/// Reprints a package URL; other texts stay.
fn normalize(text: &str) -> String {
    match text.parse::<PackageUrl>() {
        Ok(purl) if text.starts_with("pkg:") => purl.to_string(),
        _ => text.to_owned(),
    }
}

fn purls_by_reference(mut components: Vec<RawComponent>) -> HashMap<String, String> {
    let mut purls = HashMap::new();
    while let Some(component) = components.pop() {
        if let (Some(reference), Some(purl)) = (component.reference, component.purl) {
            purls.insert(reference, purl);
        }
        components.extend(component.components.unwrap_or_default());
    }
    purls
}

#[derive(Deserialize)]
struct RawDocument {
    vulnerabilities: Option<Vec<RawVulnerability>>,
    components: Option<Vec<RawComponent>>,
}

#[derive(Deserialize)]
struct RawVulnerability {
    id: Option<String>,
    analysis: Option<RawAnalysis>,
    affects: Option<Vec<RawAffects>>,
}

#[derive(Default, Deserialize)]
struct RawAnalysis {
    state: Option<String>,
    justification: Option<String>,
    detail: Option<String>,
}

#[derive(Deserialize)]
struct RawAffects {
    #[serde(rename = "ref")]
    reference: Option<String>,
}

#[derive(Deserialize)]
struct RawComponent {
    #[serde(rename = "bom-ref")]
    reference: Option<String>,
    purl: Option<String>,
    components: Option<Vec<RawComponent>>,
}
