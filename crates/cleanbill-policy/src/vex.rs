//! VEX documents: what suppliers say about vulnerabilities in their products.
//!
//! OpenVEX, CSAF and CycloneDX documents are read. A statement can name the vulnerable package, or any
//! product above it in the image (an application, the image itself) with the package as
//! sub-component; [`graph`] knows what is above what. Source: spec 03 section 9; Trivy `pkg/vex`.

mod csaf;
mod cyclonedx;
mod graph;
mod header;
mod openvex;

#[cfg(test)]
mod tests;

use cleanbill_core::purl::PackageUrl;
use cleanbill_core::report::{
    ExceptionTerms, ImageReport, ResultSet, SbomIdentity, SuppressedFinding,
};
use cleanbill_core::vulnerability::Finding;

use graph::Graph;
use header::Header;

/// Holds VEX documents in the order in which they are asked; the first that says "not affected"
/// or "fixed" decides.
#[derive(Clone, Debug, Default)]
pub struct Vex {
    documents: Vec<VexDocument>,
}

/// Holds one VEX document with the name of its source.
#[derive(Clone, Debug)]
pub struct VexDocument {
    source: String,
    statements: Statements,
}

#[derive(Clone, Debug)]
enum Statements {
    OpenVex(openvex::OpenVex),
    Csaf(csaf::Csaf),
    CycloneDx(cyclonedx::CycloneDx),
}

/// Says why a file is no VEX document that can be used.
#[derive(Debug, thiserror::Error)]
pub enum VexError {
    /// The bytes are no JSON object.
    #[error("{path} is not JSON")]
    Json {
        /// The file.
        path: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The document is of a known kind, but malformed.
    #[error("{path} is a malformed {kind} document")]
    Malformed {
        /// The file.
        path: String,
        /// What it seems to be.
        kind: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The document is of no known kind.
    #[error(
        "{0} is no VEX document (accepted are OpenVEX, which has '@context', CSAF, which has \
             'vulnerabilities', and CycloneDX, which has 'bomFormat')"
    )]
    UnknownKind(String),
}

/// Names a part of the image in the words of VEX documents.
#[derive(Clone, Debug)]
struct Product {
    text: String,
    /// As the package has it.
    purl: PackageUrl,
    /// Read back from the text, so in the form in which statements are read; `None` if that fails.
    normalized: Option<PackageUrl>,
    /// The reference in the document that was scanned; empty for images.
    bom_ref: String,
}

/// What takes a finding out of the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decision {
    status: &'static str,
    statement: String,
    source: String,
}

impl VexDocument {
    /// Reads a document. `source` is the file's name as it was given; reports print it.
    ///
    /// # Errors
    /// When the file is no JSON, or neither OpenVEX, CSAF nor CycloneDX.
    pub fn parse(bytes: &[u8], source: &str) -> Result<Self, VexError> {
        let path = || source.to_owned();
        let header: Header = serde_json::from_slice(bytes).map_err(|source| VexError::Json {
            path: path(),
            source,
        })?;
        let malformed = |kind| {
            move |source| VexError::Malformed {
                path: path(),
                kind,
                source,
            }
        };
        let statements = if header.bom_format.is_text("CycloneDX") {
            Statements::CycloneDx(cyclonedx::parse(bytes).map_err(malformed("CycloneDX"))?)
        } else if header.context.is_any_text() {
            Statements::OpenVex(openvex::parse(bytes).map_err(malformed("OpenVEX"))?)
        } else if header.vulnerabilities.is_list() {
            Statements::Csaf(csaf::parse(bytes).map_err(malformed("CSAF"))?)
        } else {
            return Err(VexError::UnknownKind(path()));
        };
        Ok(Self {
            source: path(),
            statements,
        })
    }

    /// Says whether the document takes the vulnerability away from the product, or from the
    /// sub-component as part of the product.
    fn decide(
        &self,
        vulnerability_id: &str,
        product: &Product,
        sub_product: Option<&Product>,
        sbom: Option<&SbomIdentity>,
    ) -> Option<Decision> {
        let (status, statement) = match &self.statements {
            Statements::OpenVex(openvex) => openvex.decide(vulnerability_id, product, sub_product),
            Statements::Csaf(csaf) => csaf.decide(vulnerability_id, product, sub_product),
            Statements::CycloneDx(cyclonedx) => cyclonedx.decide(vulnerability_id, product, sbom),
        }?;
        let source = match &self.statements {
            Statements::CycloneDx(_) => cyclonedx::SOURCE,
            _ => &self.source,
        };
        Some(Decision {
            status,
            statement,
            source: source.to_owned(),
        })
    }

    fn knows(&self, vulnerability_id: &str) -> bool {
        match &self.statements {
            Statements::OpenVex(openvex) => openvex.knows(vulnerability_id),
            Statements::Csaf(csaf) => csaf.knows(vulnerability_id),
            Statements::CycloneDx(cyclonedx) => cyclonedx.knows(vulnerability_id),
        }
    }
}

impl Vex {
    /// Takes documents over in the order in which they are asked.
    pub fn new(documents: Vec<VexDocument>) -> Self {
        Self { documents }
    }

    /// Moves what the documents say is not affected or fixed to the suppressed findings, in all
    /// results of an image. The order of the findings stays.
    ///
    /// With at least one document, packages without an id get one (`name@version`): the reference
    /// does so on the way, and prints it.
    pub fn apply(&self, image: &mut ImageReport) {
        if self.documents.is_empty() {
            return;
        }
        image.results.iter_mut().for_each(name_packages);
        let graph = Graph::build(image);
        let sbom = image.sbom.clone();
        for (index, result) in image.results.iter_mut().enumerate() {
            for finding in std::mem::take(&mut result.findings) {
                match self.decide(&graph, index, &finding, sbom.as_ref()) {
                    Some(decision) => result.suppressed.push(SuppressedFinding {
                        status: decision.status.to_owned(),
                        statement: decision.statement,
                        source: decision.source,
                        terms: ExceptionTerms::default(),
                        finding,
                    }),
                    None => result.findings.push(finding),
                }
            }
        }
    }

    fn decide(
        &self,
        graph: &Graph,
        result: usize,
        finding: &Finding,
        sbom: Option<&SbomIdentity>,
    ) -> Option<Decision> {
        let id = finding.vulnerability_id.as_str();
        if !self.documents.iter().any(|document| document.knows(id)) {
            return None;
        }
        let leaf = graph.find(result, &finding.package_identifier.uid)?;
        let leaf_product = graph.product(leaf);
        let ask = |product: &Product, sub_product: Option<&Product>| {
            self.documents
                .iter()
                .find_map(|document| document.decide(id, product, sub_product, sbom))
        };
        leaf_product
            .and_then(|product| ask(product, None))
            .or_else(|| graph.cut_off(leaf, |node| ask(graph.product(node)?, leaf_product)))
    }
}

impl Product {
    fn new(purl: &PackageUrl, bom_ref: &str) -> Self {
        let text = purl.to_string();
        Self {
            bom_ref: bom_ref.to_owned(),
            normalized: text.parse().ok(),
            purl: purl.clone(),
            text,
        }
    }
}

fn name_packages(result: &mut ResultSet) {
    for package in result
        .packages
        .iter_mut()
        .filter(|package| package.id.is_empty())
    {
        package.id = format!("{}@{}", package.name, package.version);
    }
}
