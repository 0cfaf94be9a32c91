//! CSAF 2.0 advisories with a VEX profile.
//!
//! Source: spec 03 section 9; Trivy `pkg/vex/csaf.go`; CSAF 2.0 sections 3.2.2 and 3.2.3.

use std::collections::{HashMap, HashSet};

use cleanbill_core::purl::PackageUrl;
use serde::Deserialize;

use super::Product;

/// Holds what one advisory says, found by CVE. Of entries with the same CVE the first counts.
///
/// Products are numbered and kept once: an advisory may mention each of them for every
/// vulnerability.
#[derive(Clone, Debug)]
pub(super) struct Csaf {
    products: Vec<StatedProduct>,
    by_cve: HashMap<String, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// The numbers of products with their status, those that are not affected first, each once.
    products: Vec<(Status, usize)>,
    statement: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    NotAffected,
    Fixed,
}

/// Names a product, and combinations of a product with a part of it.
#[derive(Clone, Debug, Default)]
struct StatedProduct {
    purls: Vec<PackageUrl>,
    combinations: Vec<Combination>,
}

/// The numbers of a product and of its part, whose own package URLs count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Combination {
    product: usize,
    sub_product: usize,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Csaf, serde_json::Error> {
    let raw: RawAdvisory = serde_json::from_slice(bytes)?;
    let Products { by_id, products } = Products::of(raw.product_tree.unwrap_or_default());
    let mut by_cve = HashMap::new();
    for vulnerability in raw.vulnerabilities.into_iter().flatten() {
        let Some(cve) = &vulnerability.cve else {
            continue;
        };
        by_cve
            .entry(cve.clone())
            .or_insert_with(|| Entry::new(&vulnerability, &by_id));
    }
    Ok(Csaf { products, by_cve })
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
        let mut question = Question {
            products: &self.products,
            whole: Covered::new(product),
            part: sub_product.map(Covered::new),
        };
        let (status, _) = entry
            .products
            .iter()
            .find(|(_, stated)| question.is_about(*stated))?;
        Some((status.word(), entry.statement.clone()))
    }
}

impl Entry {
    fn new(raw: &RawVulnerability, by_id: &HashMap<String, usize>) -> Self {
        let status = raw.product_status.as_ref();
        let lists = [
            (
                Status::NotAffected,
                status.and_then(|status| status.known_not_affected.as_ref()),
            ),
            (
                Status::Fixed,
                status.and_then(|status| status.fixed.as_ref()),
            ),
        ];
        let mut stated = Vec::new();
        let mut seen = HashSet::new();
        for (status, ids) in lists {
            let numbers = ids.into_iter().flatten().filter_map(|id| by_id.get(id));
            let new = numbers.filter(|number| seen.insert(**number));
            stated.extend(new.map(|number| (status, *number)));
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

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Fixed => "fixed",
        }
    }
}

/// Asks whether statements are about a product, or about a part of it. What was found out about a
/// stated product is remembered, so that a question takes no longer than reading the advisory.
struct Question<'a> {
    products: &'a [StatedProduct],
    whole: Covered<'a>,
    part: Option<Covered<'a>>,
}

impl Question<'_> {
    fn is_about(&mut self, stated: usize) -> bool {
        if self.whole.is_by(stated, self.products) {
            return true;
        }
        let (Some(part), Some(stated)) = (&mut self.part, self.products.get(stated)) else {
            return false;
        };
        stated.combinations.iter().any(|combination| {
            self.whole.is_by(combination.product, self.products)
                && part.is_by(combination.sub_product, self.products)
        })
    }
}

/// Remembers by which stated products a product is covered.
struct Covered<'a> {
    product: &'a Product,
    by: HashMap<usize, bool>,
}

impl<'a> Covered<'a> {
    fn new(product: &'a Product) -> Self {
        Self {
            product,
            by: HashMap::new(),
        }
    }

    fn is_by(&mut self, stated: usize, products: &[StatedProduct]) -> bool {
        *self.by.entry(stated).or_insert_with(|| {
            let mut purls = products.get(stated).into_iter().flat_map(|one| &one.purls);
            purls.any(|purl| self.product.purl.is_covered_by(purl))
        })
    }
}

/// Numbers products by their ids.
#[derive(Default)]
struct Products {
    by_id: HashMap<String, usize>,
    products: Vec<StatedProduct>,
}

impl Products {
    /// Collects the package URLs of every product id, from the flat list, the branches and the
    /// relationships.
    fn of(tree: RawProductTree) -> Self {
        let mut all = Self::default();
        for product in tree.full_product_names.iter().flatten() {
            all.add(product);
        }
        let mut branches: Vec<RawBranch> = tree.branches.unwrap_or_default();
        while let Some(branch) = branches.pop() {
            branch.product.iter().for_each(|product| all.add(product));
            branches.extend(branch.branches.unwrap_or_default());
        }
        let relationships = tree.relationships.unwrap_or_default();
        relationships
            .iter()
            .filter_map(|relationship| relationship.full_product_name.as_ref())
            .for_each(|product| all.add(product));
        for relationship in &relationships {
            all.combine(relationship);
        }
        all
    }

    fn add(&mut self, product: &RawProduct) {
        if let Some(stated) = product.product_id.as_ref().and_then(|id| self.entry(id)) {
            stated.purls.extend(product.purl());
        }
    }

    fn entry(&mut self, id: &str) -> Option<&mut StatedProduct> {
        let number = match self.by_id.get(id) {
            Some(number) => *number,
            None => {
                self.products.push(StatedProduct::default());
                let number = self.products.len() - 1;
                self.by_id.insert(id.to_owned(), number);
                number
            }
        };
        self.products.get_mut(number)
    }

    fn combine(&mut self, relationship: &RawRelationship) {
        const CATEGORIES: [&str; 3] = ["default_component_of", "installed_on", "installed_with"];
        let category = relationship.category.as_deref();
        if !category.is_some_and(|category| CATEGORIES.contains(&category)) {
            return;
        }
        let number = |id: &Option<String>| self.by_id.get(id.as_ref()?).copied();
        let combination = number(&relationship.relates_to_product_reference)
            .zip(number(&relationship.product_reference));
        let id = relationship
            .full_product_name
            .as_ref()
            .and_then(|product| product.product_id.as_ref());
        if let (Some(id), Some((product, sub_product))) = (id, combination)
            && let Some(stated) = self.entry(id)
        {
            stated.combinations.push(Combination {
                product,
                sub_product,
            });
        }
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
