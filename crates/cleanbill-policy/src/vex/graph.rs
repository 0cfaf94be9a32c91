//! Which part of an image contains or needs which package.
//!
//! The image is the root. Below it lie the operating system, applications, and the packages of
//! languages that have no application; packages that others need hang under those. A finding
//! counts as long as one way from its package up to the root is left that no statement cuts.
//! Source: spec 03 section 9; Trivy `pkg/sbom/io/encode.go` and `pkg/vex/vex.go`.

mod dead_end;

use std::collections::{HashMap, HashSet};

use cleanbill_core::package::{Package, Relationship};
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::reference::ImageReference;
use cleanbill_core::report::{ArtifactType, ImageReport, ResultClass, ResultSet};

use super::Product;
use dead_end::DeadEnds;

const ROOT: usize = 0;

/// Languages whose packages of a whole image are one result: they hang directly under the root.
const AGGREGATED: [&str; 5] = ["python-pkg", "conda-pkg", "gemspec", "node-pkg", "jar"];

/// Knows the parents of each node; nodes are numbered.
pub(super) struct Graph {
    products: Vec<Option<Product>>,
    parents: Vec<Vec<usize>>,
    packages: HashMap<(usize, String), usize>,
    dead_ends: DeadEnds,
}

impl Graph {
    pub(super) fn build(image: &ImageReport) -> Self {
        let mut builder = Builder::default();
        builder.add_node(image_purl(image).as_ref());
        for (index, result) in image.results.iter().enumerate() {
            let parent = builder.add_result(result);
            builder.add_packages(index, result, parent);
        }
        let Builder {
            products,
            parents,
            packages,
        } = builder;
        let dead_ends = DeadEnds::find(&parents, ROOT);
        Self {
            products,
            parents,
            packages,
            dead_ends,
        }
    }

    /// Finds a package of a result by its UID.
    pub(super) fn find(&self, result: usize, uid: &str) -> Option<usize> {
        self.packages.get(&(result, uid.to_owned())).copied()
    }

    pub(super) fn product(&self, node: usize) -> Option<&Product> {
        self.products.get(node).and_then(Option::as_ref)
    }

    /// Walks up from a package. If every way to the root is cut at some node, returns what cut the
    /// last one; `cut` says what cuts at a node, if anything does.
    ///
    /// A way that ends elsewhere than at the root counts as reaching it, so that no finding gets
    /// lost in a graph with holes.
    pub(super) fn cut_off<T>(&self, leaf: usize, cut: impl Fn(usize) -> Option<T>) -> Option<T> {
        let mut reached = HashSet::from([leaf]);
        let mut pending = vec![leaf];
        let mut uncut = HashSet::new();
        let mut edges = Vec::new();
        while let Some(node) = pending.pop() {
            if cut(node).is_some() {
                continue;
            }
            if node == ROOT {
                return None;
            }
            uncut.insert(node);
            for &parent in self.parents_of(node) {
                edges.push((node, parent));
                if reached.insert(parent) {
                    pending.push(parent);
                }
            }
        }
        if self.dead_ends.are_met(&self.parents, leaf, &uncut, &edges) {
            return None;
        }
        self.last_cut(leaf, cut)
    }

    /// Follows the last way that a depth-first walk takes, whose statement is the one to print.
    fn last_cut<T>(&self, leaf: usize, cut: impl Fn(usize) -> Option<T>) -> Option<T> {
        let mut path = HashSet::new();
        let mut node = leaf;
        loop {
            if let Some(cut) = cut(node) {
                return Some(cut);
            }
            path.insert(node);
            let mut parents = self.parents_of(node).iter().rev();
            node = *parents.find(|parent| !path.contains(parent))?;
        }
    }

    fn parents_of(&self, node: usize) -> &[usize] {
        self.parents
            .get(node)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

#[derive(Default)]
struct Builder {
    products: Vec<Option<Product>>,
    parents: Vec<Vec<usize>>,
    packages: HashMap<(usize, String), usize>,
}

impl Builder {
    fn add_node(&mut self, purl: Option<&PackageUrl>) -> usize {
        self.products.push(purl.map(Product::new));
        self.parents.push(Vec::new());
        self.parents.len() - 1
    }

    fn add_edge(&mut self, parent: usize, child: usize) {
        if parent == child {
            return;
        }
        if let Some(parents) = self.parents.get_mut(child) {
            parents.push(parent);
        }
    }

    /// Adds the operating system or the application, and returns what packages hang under.
    fn add_result(&mut self, result: &ResultSet) -> usize {
        let is_aggregated = AGGREGATED.contains(&result.kind.as_str());
        if result.class == ResultClass::LanguagePackages && is_aggregated {
            return ROOT;
        }
        let node = self.add_node(None);
        self.add_edge(ROOT, node);
        node
    }

    fn add_packages(&mut self, index: usize, result: &ResultSet, parent: usize) {
        let packages = &result.packages;
        let needed: HashSet<&str> = packages
            .iter()
            .flat_map(|package| &package.depends_on)
            .map(String::as_str)
            .collect();
        let has_root = packages
            .iter()
            .any(|p| p.relationship == Relationship::Root);
        let mut nodes = Vec::with_capacity(packages.len());
        let mut by_id = HashMap::new();
        for package in packages {
            let node = self.add_package(index, package);
            by_id.insert(package.id.as_str(), node);
            nodes.push(node);
        }
        for (package, node) in packages.iter().zip(nodes) {
            let hangs_under_parent = match package.relationship {
                Relationship::Direct => !has_root,
                _ => !needed.contains(package.id.as_str()),
            };
            if hangs_under_parent {
                self.add_edge(parent, node);
            }
            for dependency in &package.depends_on {
                if let Some(&dependency) = by_id.get(dependency.as_str()) {
                    self.add_edge(node, dependency);
                }
            }
        }
    }

    /// Packages with the same UID are one node.
    fn add_package(&mut self, index: usize, package: &Package) -> usize {
        let key = (index, package.identifier.uid.clone());
        if let Some(&node) = self.packages.get(&key) {
            return node;
        }
        let node = self.add_node(package.identifier.purl.as_ref());
        self.packages.insert(key, node);
        node
    }
}

/// Returns the package URL of an image that is known by a registry's digest.
fn image_purl(image: &ImageReport) -> Option<PackageUrl> {
    if image.artifact_type != ArtifactType::ContainerImage {
        return None;
    }
    let reference: ImageReference = image.metadata.repo_digests.first()?.parse().ok()?;
    let name = reference.repository.rsplit('/').next()?.to_owned();
    let version = reference.digest?.to_string();
    let qualifiers = vec![
        ("repository_url".to_owned(), reference.context()),
        (
            "arch".to_owned(),
            image.metadata.config.architecture.clone(),
        ),
    ];
    Some(PackageUrl {
        kind: "oci".to_owned(),
        name,
        version,
        qualifiers,
        ..PackageUrl::default()
    })
}
