//! Merging the layers of an image: what a container would see.
//!
//! The inventory of an image is a pure function of its layers' inventories. Layers are applied
//! from the base up to a tree of what was found ([`tree`]): opaque directories and whiteouts
//! remove, then the layer's own findings are put in, each in place of what had its path. Facts
//! about the distribution are no part of the tree ([`distro`]): deleting a file does not undo
//! them. Source: spec 02 sections 1.4, 1.5 and 3, spec 03 section 4; Trivy 0.74.0
//! `pkg/fanal/applier`.
//!
//! # Where the file tree is followed and Trivy is not
//!
//! - What lies below a path goes when an upper layer puts something other than a directory there;
//!   so does a file whose path becomes a directory or a link.
//! - Links are followed ([`links`]). Layers record links at or above the places that extractors
//!   name, and links whose own path an extractor wants. Each is resolved in the merged view of
//!   all layers ([`view`]): component by component, inside the root, a bounded number of times. A
//!   target that an extractor wants under its own path has been read, and counts once: the usual
//!   `lib -> usr/lib` costs nothing. For any other target [`Merged::wanted`] asks for the layers
//!   that hold it to be read again ([`crate::extract_aliases`]) as if it lay where the link is.
//!   The caller does so and merges again with the answers ([`GrownLayer`]), until nothing is
//!   wanted: a target may turn out to be, or to hold, the next link. A hard link is a name of its
//!   own for a file of its layer or of a lower one, whatever becomes of the other name.
//! - A link in place of a package database or manifest that leads nowhere is a problem, as is one
//!   whose target was not read. Other links may dangle: a missing release file or documentation
//!   hides no package.

mod applications;
mod distro;
mod links;
mod origin;
mod packages;
mod purl;
#[cfg(test)]
mod tests;
mod tree;
mod view;

use std::sync::Arc;

use cleanbill_core::distro::Distro;
use cleanbill_core::inventory::{Alias, ImageInventory, LayerInput, LayerInventory};
use cleanbill_core::{Limits, Problem};

use links::Shown;
use tree::Tree;
use view::View;

/// Says how layers are merged.
#[derive(Clone, Debug)]
pub struct MergeOptions {
    /// The distribution to assume in place of a detected one (`--distro`).
    pub distro: Option<Distro>,
    /// OS packages are wanted (`--pkg-types os`).
    pub includes_os_packages: bool,
    /// Language packages and SBOM files are wanted (`--pkg-types library`).
    pub includes_applications: bool,
    /// Language packages are kept although a package of the distribution owns their files
    /// (`--detection-priority comprehensive`).
    pub is_comprehensive: bool,
    /// The bounds in force.
    pub limits: Arc<Limits>,
}

impl Default for MergeOptions {
    fn default() -> Self {
        Self {
            distro: None,
            includes_os_packages: true,
            includes_applications: true,
            is_comprehensive: false,
            limits: Arc::default(),
        }
    }
}

/// Holds what a second reading of a layer showed, see [`crate::extract_aliases`].
#[derive(Clone, Debug)]
pub struct GrownLayer {
    /// The layer, counted from the base.
    pub layer_index: usize,
    /// What was asked for.
    pub alias: Alias,
    /// What was found.
    pub inventory: Arc<LayerInventory>,
}

/// Asks for a layer to be read again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasRequest {
    /// The layer, counted from the base.
    pub layer_index: usize,
    /// What to read, and as what.
    pub alias: Alias,
}

/// Holds the merged inventory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// What is installed in the image, as far as its layers have been read.
    pub inventory: ImageInventory,
    /// What has to be read for the inventory to be complete, sorted. Each is also a problem of
    /// the inventory, so that giving up is not silent.
    pub wanted: Vec<AliasRequest>,
}

/// Merges the inventories of an image's layers, base first. `grown` holds what was wanted by
/// earlier calls.
pub fn merge(layers: &[LayerInput<'_>], grown: &[GrownLayer], options: &MergeOptions) -> Merged {
    let view = View::new(layers, grown);
    let links = links::follow(&view, grown, &options.limits);
    let parts = parts_of(layers, &links.shown);
    let detected = distro::detect(&parts);
    let tree = build_tree(&view, &parts, options);

    let origins = origin::Origins::new(layers, &parts, &tree);
    let mut packages = packages::complete(&tree, &origins, &detected);
    let mut problems = view.problems();
    problems.extend(links.problems);
    for part in &parts {
        problems.extend(
            part.shown
                .iter()
                .flat_map(|shown| shown.inventory.problems.iter().cloned()),
        );
    }
    let assumed = distro::assume(detected, packages.is_empty(), options.distro.as_ref());
    if assumed.is_override {
        packages::rewrite_purls(&mut packages, assumed.distro.as_ref());
    }
    if options.includes_os_packages {
        problems.extend(distro::problem(assumed.distro.as_ref(), packages.len()));
    } else {
        packages.clear();
    }
    Merged {
        inventory: ImageInventory {
            distro: assumed.distro,
            repository_hint: assumed.repository_hint,
            packages,
            applications: applications::complete(&tree, &origins),
            problems: tidy(problems),
        },
        wanted: links.wanted,
    }
}

/// Joins what a layer's own reading and the readings behind links gave.
pub(crate) struct Part<'a> {
    /// The layer's own inventory.
    own: &'a LayerInventory,
    /// What lies behind links, in the order of the links.
    shown: Vec<&'a Shown<'a>>,
}

impl<'a> Part<'a> {
    /// Iterates over the inventories, the layer's own first.
    fn inventories(&self) -> impl Iterator<Item = &'a LayerInventory> + '_ {
        let shown = self.shown.iter().copied();
        std::iter::once(self.own).chain(shown.map(|shown: &'a Shown<'a>| shown.inventory.as_ref()))
    }
}

fn parts_of<'a>(layers: &[LayerInput<'a>], shown: &'a [Shown<'a>]) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = layers
        .iter()
        .map(|layer| Part {
            own: layer.inventory,
            shown: Vec::new(),
        })
        .collect();
    for shown in shown {
        if let Some(part) = parts.get_mut(shown.layer_index) {
            part.shown.push(shown);
        }
    }
    parts
}

fn build_tree<'a>(view: &View<'a>, parts: &[Part<'a>], options: &MergeOptions) -> Tree<'a> {
    let mut tree = Tree::default();
    for (layer_index, part) in parts.iter().enumerate() {
        tree.hide(view, layer_index);
        tree.put_layer(layer_index, part, options);
    }
    tree
}

/// Sorts problems and drops repeated ones: layers of one content have the same.
fn tidy(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort();
    problems.dedup();
    problems
}
