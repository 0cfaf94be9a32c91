//! CSAF 2.0 advisories with a VEX profile.
//!
//! Source: spec 03 section 9; Trivy `pkg/vex/csaf.go`; CSAF 2.0 sections 3.2.2 and 3.2.3.

use std::collections::HashMap;

use cleanbill_core::purl::PackageUrl;
use serde::Deserialize;

use super::Product;

/// Holds what one advisory says, found by CVE. Of entries with the same CVE the first counts.
#[derive(Clone, Debug)]
pub(super) struct Csaf {
    by_cve: HashMap<String, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Products with their status, those that are not affected first.
    products: Vec<(&'static str, StatedProduct)>,
    statement: String,
}

/// Names a product, and combinations of a product with a part of it.
#[derive(Clone, Debug, Default)]
struct StatedProduct {
    purls: Vec<PackageUrl>,
    combinations: Vec<Combination>,
}

#[derive(Clone, Debug)]
struct Combination {
    products: Vec<PackageUrl>,
    sub_products: Vec<PackageUrl>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Csaf, serde_json::Error> {
    let raw: RawAdvisory = serde_json::from_slice(bytes)?;
    let products = stated_products(raw.product_tree.unwrap_or_default());
    let mut by_cve = HashMap::new();
    for vulnerability in raw.vulnerabilities.into_iter().flatten() {
        let Some(cve) = &vulnerability.cve else {
            continue;
        };
        by_cve
            .entry(cve.clone())
            .or_insert_with(|| Entry::new(&vulnerability, &products));
    }
    Ok(Csaf { by_cve })
}

impl Csaf {
    pub(super) fn knows(&self, vulnerability_id: &str) -> bool {
        self.by_cve.contains_key(vulnerability_id)
    }

    pub(super) fn decide(
        &self,
        vulnerability_id: &str,
        product: &Product,
        sub_product: Option<&Product>,
    ) -> Option<(&'static str, String)> {
        let entry = self.by_cve.get(vulnerability_id)?;
        let (status, _) = entry
            .products
            .iter()
            .find(|(_, stated)| stated.names(product, sub_product))?;
        Some((status, entry.statement.clone()))
    }
}

impl Entry {
    fn new(raw: &RawVulnerability, products: &HashMap<String, StatedProduct>) -> Self {
        let status = raw.product_status.as_ref();
        let lists = [
            (
                "not_affected",
                status.and_then(|status| status.known_not_affected.as_ref()),
            ),
            ("fixed", status.and_then(|status| status.fixed.as_ref())),
        ];
        let mut stated = Vec::new();
        for (status, ids) in lists {
            for id in ids.into_iter().flatten() {
                stated.extend(products.get(id).map(|product| (status, product.clone())));
            }
        }
        let impact = raw
            .threats
            .iter()
            .flatten()
            .find(|threat| threat.category.as_deref() == Some("impact"));
        Self {
            products: stated,
            statement: impact
                .and_then(|threat| threat.details.clone())
                .unwrap_or_default(),
        }
    }
}

impl StatedProduct {
    fn names(&self, product: &Product, sub_product: Option<&Product>) -> bool {
        is_covered(product, &self.purls)
            || sub_product.is_some_and(|sub_product| {
                self.combinations.iter().any(|combination| {
                    is_covered(product, &combination.products)
                        && is_covered(sub_product, &combination.sub_products)
                })
            })
    }
}

fn is_covered(product: &Product, stated: &[PackageUrl]) -> bool {
    stated
        .iter()
        .any(|stated| product.purl.is_covered_by(stated))
}

/// Collects the package URLs of every product id, from the flat list, the branches and the
/// relationships.
fn stated_products(tree: RawProductTree) -> HashMap<String, StatedProduct> {
    let mut products: HashMap<String, StatedProduct> = HashMap::new();
    let mut add = |product: &RawProduct| {
        if let Some(id) = &product.product_id {
            let stated = products.entry(id.clone()).or_default();
            stated.purls.extend(product.purl());
        }
    };
    tree.full_product_names.iter().flatten().for_each(&mut add);
    let mut branches: Vec<RawBranch> = tree.branches.unwrap_or_default();
    while let Some(branch) = branches.pop() {
        branch.product.iter().for_each(&mut add);
        branches.extend(branch.branches.unwrap_or_default());
    }
    let relationships = tree.relationships.unwrap_or_default();
    relationships
        .iter()
        .filter_map(|relationship| relationship.full_product_name.as_ref())
        .for_each(&mut add);
    for relationship in &relationships {
        add_combination(relationship, &mut products);
    }
    products
}

fn add_combination(relationship: &RawRelationship, products: &mut HashMap<String, StatedProduct>) {
    const CATEGORIES: [&str; 3] = ["default_component_of", "installed_on", "installed_with"];
    let purls = |id: &Option<String>| {
        id.as_ref()
            .and_then(|id| products.get(id))
            .map(|product| product.purls.clone())
            .unwrap_or_default()
    };
    let is_known = relationship
        .category
        .as_deref()
        .is_some_and(|category| CATEGORIES.contains(&category));
    let id = relationship
        .full_product_name
        .as_ref()
        .and_then(|product| product.product_id.as_ref());
    if let (true, Some(id)) = (is_known, id) {
        let combination = Combination {
            products: purls(&relationship.relates_to_product_reference),
            sub_products: purls(&relationship.product_reference),
        };
        products
            .entry(id.clone())
            .or_default()
            .combinations
            .push(combination);
    }
}

#[derive(Deserialize)]
struct RawAdvisory {
    product_tree: Option<RawProductTree>,
    vulnerabilities: Option<Vec<RawVulnerability>>,
}

#[derive(Default, Deserialize)]
struct RawProductTree {
    full_product_names: Option<Vec<RawProduct>>,
    branches: Option<Vec<RawBranch>>,
    relationships: Option<Vec<RawRelationship>>,
}

#[derive(Deserialize)]
struct RawBranch {
    product: Option<RawProduct>,
    branches: Option<Vec<RawBranch>>,
}

#[derive(Deserialize)]
struct RawProduct {
    product_id: Option<String>,
    product_identification_helper: Option<RawHelper>,
}

impl RawProduct {
    /// A malformed package URL names nothing, as in the reference.
    fn purl(&self) -> Option<PackageUrl> {
        let helper = self.product_identification_helper.as_ref()?;
        helper.purl.as_ref()?.parse().ok()
    }
}

#[derive(Deserialize)]
struct RawHelper {
    purl: Option<String>,
}

#[derive(Deserialize)]
struct RawRelationship {
    category: Option<String>,
    full_product_name: Option<RawProduct>,
    product_reference: Option<String>,
    relates_to_product_reference: Option<String>,
}

#[derive(Deserialize)]
struct RawVulnerability {
    cve: Option<String>,
    product_status: Option<RawProductStatus>,
    threats: Option<Vec<RawThreat>>,
}

#[derive(Deserialize)]
struct RawProductStatus {
    known_not_affected: Option<Vec<String>>,
    fixed: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct RawThreat {
    category: Option<String>,
    details: Option<String>,
}
