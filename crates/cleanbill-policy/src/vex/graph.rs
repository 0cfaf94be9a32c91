//! Which part of an image contains or needs which package.
//!
//! The image is the root. Below it lie the operating system, applications, and the packages of
//! languages that have no application; packages that others need hang under those. A finding
//! counts as long as one way from its package up to the root is left that no statement cuts.
//! Source: spec 03 section 9; Trivy `pkg/sbom/io/encode.go` and `pkg/vex/vex.go`.

mod dead_end;

use std::collections::{HashMap, HashSet};

use cleanbill_core::package::Package;
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::report::{ImageReport, ResultSet};

use super::Product;
use dead_end::DeadEnds;

const ROOT: usize = 0;

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
        builder.add_node(image.package_url().as_ref(), "");
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
    fn add_node(&mut self, purl: Option<&PackageUrl>, bom_ref: &str) -> usize {
        self.products
            .push(purl.map(|purl| Product::new(purl, bom_ref)));
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
        if result.is_aggregated() {
            return ROOT;
        }
        let node = self.add_node(None, "");
        self.add_edge(ROOT, node);
        node
    }

    fn add_packages(&mut self, index: usize, result: &ResultSet, parent: usize) {
        let nodes: Vec<usize> = result
            .packages
            .iter()
            .map(|package| self.add_package(index, package))
            .collect();
        for edge in result.edges() {
            let above = edge.parent.map_or(Some(&parent), |index| nodes.get(index));
            if let (Some(&above), Some(&below)) = (above, nodes.get(edge.child)) {
                self.add_edge(above, below);
            }
        }
    }

    /// Packages with the same UID are one node.
    fn add_package(&mut self, index: usize, package: &Package) -> usize {
        let key = (index, package.identifier.uid.clone());
        if let Some(&node) = self.packages.get(&key) {
            return node;
        }
        let node = self.add_node(
            package.identifier.purl.as_ref(),
            &package.identifier.bom_ref,
        );
        self.packages.insert(key, node);
        node
    }
}
