//! Merging the layers of an image: what a container would see.
//!
//! The inventory of an image is a pure function of its layers' inventories. Layers are applied
//! from the base up to a tree of what was found ([`tree`]): opaque directories and whiteouts
//! remove, then the layer's own findings are put in, each in place of what had its path. Facts
//! about the distribution are no part of the tree ([`distro`]): deleting a file does not undo
//! them. Source: spec 02 sections 1.4, 1.5 and 3, spec 03 section 4; Trivy 0.74.0
//! `pkg/fanal/applier`.
//!
//! What becomes of every package is planned first, by its place in the inventories. Then the packages
//! are taken out of inventories that nobody else needs, and copied from the others.
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
mod lists;
mod origin;
mod owned;
mod packages;
mod plan;
mod purl;
mod put;
#[cfg(test)]
mod tests;
mod tree;
mod view;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_core::distro::Distro;
use cleanbill_core::inventory::{Alias, ImageInventory, LayerInventory};
use cleanbill_core::package::{BuildInfo, LayerId};
use cleanbill_core::{Limits, Problem};

use applications::ApplicationsPlan;
use distro::Detected;
use links::Shown;
use lists::{InventoryId, ListId, Lists, Source};
use packages::PackagesPlan;
use tree::Tree;
use view::View;

use crate::java::{ResolvedArchives, UnidentifiedArchives};

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

/// Is a layer to be merged, base first in a slice of these.
#[derive(Clone, Copy, Debug)]
pub struct LayerInput<'a> {
    /// The layer.
    pub id: LayerId,
    /// What it holds.
    pub inventory: &'a LayerInventory,
    /// What its Java archives are. Of a layer that has some and states nothing here they are left out.
    pub archives: Option<&'a ResolvedArchives>,
}

/// Is a layer to be merged whose packages may be taken, unless somebody else holds it.
#[derive(Clone, Debug)]
pub struct OwnedLayer {
    /// The layer.
    pub id: LayerId,
    /// What it holds.
    pub inventory: Arc<LayerInventory>,
    /// What its Java archives are, as in [`LayerInput`].
    pub archives: Option<Arc<ResolvedArchives>>,
}

impl<'a> LayerInput<'a> {
    /// Builds a layer without resolved Java archives.
    pub fn new(id: LayerId, inventory: &'a LayerInventory) -> Self {
        Self {
            id,
            inventory,
            archives: None,
        }
    }
}

impl OwnedLayer {
    /// Builds a layer without resolved Java archives.
    pub fn new(id: LayerId, inventory: Arc<LayerInventory>) -> Self {
        Self {
            id,
            inventory,
            archives: None,
        }
    }

    /// Shows the layer.
    pub fn input(&self) -> LayerInput<'_> {
        LayerInput {
            id: self.id,
            inventory: &self.inventory,
            archives: self.archives.as_deref(),
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
    /// The Java archives of the image that nobody has identified.
    pub unidentified: Option<UnidentifiedArchives>,
}

/// Merges the inventories of an image's layers, base first. `grown` holds what was wanted by
/// earlier calls.
pub fn merge(layers: &[LayerInput<'_>], grown: &[GrownLayer], options: &MergeOptions) -> Merged {
    let plan = MergePlan::new(layers, grown, options);
    plan.apply(Source::Borrowed(layers, grown), options)
}

/// Merges as [`merge`] does. Packages of inventories that nobody else holds are not copied: an image
/// of many packages takes half the memory.
pub fn merge_owned(
    layers: Vec<OwnedLayer>,
    grown: Vec<GrownLayer>,
    options: &MergeOptions,
) -> Merged {
    MergePlan::of_owned(&layers, &grown, options).carry_out(layers, grown, options)
}

/// Says what has to be read for a merge to be complete, sorted: [`Merged::wanted`].
pub fn wanted(
    layers: &[LayerInput<'_>],
    grown: &[GrownLayer],
    limits: &Limits,
) -> Vec<AliasRequest> {
    links::follow(&View::new(layers, grown), grown, limits).wanted
}

/// Says what becomes of the packages of all inventories, by their places, and holds all the rest. It
/// is small beside the packages, but for those that links give a second name.
pub struct MergePlan {
    detected: Detected,
    packages: PackagesPlan,
    applications: ApplicationsPlan,
    frame: Frame,
    /// Inventories behind links under other names.
    renamed: Vec<Option<LayerInventory>>,
    problems: Vec<Problem>,
    wanted: Vec<AliasRequest>,
    unidentified: Option<UnidentifiedArchives>,
}

/// Holds what layers say about the packages that they introduced, base first.
struct Frame {
    layers: Vec<LayerId>,
    /// Where each was built (Red Hat).
    build_infos: Vec<Option<BuildInfo>>,
}

impl MergePlan {
    /// Plans what [`merge_owned`] does.
    pub fn of_owned(layers: &[OwnedLayer], grown: &[GrownLayer], options: &MergeOptions) -> Self {
        let inputs: Vec<_> = layers.iter().map(OwnedLayer::input).collect();
        Self::new(&inputs, grown, options)
    }

    /// Returns the Java archives of the image that nobody has identified.
    pub fn unidentified(&self) -> Option<&UnidentifiedArchives> {
        self.unidentified.as_ref()
    }

    /// Merges what was planned for. The layers, what was grown and the options are the same.
    pub fn carry_out(
        self,
        layers: Vec<OwnedLayer>,
        grown: Vec<GrownLayer>,
        options: &MergeOptions,
    ) -> Merged {
        self.apply(Source::Owned(layers, grown), options)
    }

    fn new(layers: &[LayerInput<'_>], grown: &[GrownLayer], options: &MergeOptions) -> Self {
        let view = View::new(layers, grown);
        let links = links::follow(&view, grown, &options.limits);
        let parts = parts_of(layers, grown, &links.shown);
        let detected = distro::detect(&parts);
        let tree = build_tree(&view, &parts, options);
        let origins = origin::Origins::new(&parts, &tree);
        let mut problems = view.problems();
        for part in &parts {
            let shown = part.shown.iter();
            problems.extend(shown.flat_map(|(_, shown)| shown.inventory.problems.iter().cloned()));
        }
        let packages = PackagesPlan::new(&tree, &origins, &detected);
        let applications = ApplicationsPlan::new(&tree, &origins);
        let unidentified = tree.unidentified();
        let build_infos = origin::build_infos(&parts).into_iter();
        let frame = Frame {
            layers: layers.iter().map(|layer| layer.id).collect(),
            build_infos: build_infos.map(|info| info.cloned()).collect(),
        };
        drop((origins, tree, parts));
        problems.extend(links.problems);
        let renamed = links.shown.into_iter().map(|shown| match shown.inventory {
            Cow::Owned(inventory) => Some(inventory),
            Cow::Borrowed(_) => None,
        });
        Self {
            renamed: renamed.collect(),
            detected,
            packages,
            applications,
            frame,
            problems,
            wanted: links.wanted,
            unidentified,
        }
    }

    fn apply(self, source: Source<'_>, options: &MergeOptions) -> Merged {
        let mut uses: Vec<ListId> = self.packages.lists().collect();
        uses.extend(self.applications.lists());
        let mut lists = Lists {
            source,
            renamed: self.renamed,
            repeated: repeated(uses),
        };
        let mut problems = self.problems;
        let distro = &self.detected.distro;
        let mut packages = self.packages.apply(&mut lists, &self.frame, distro);
        let applications = self.applications.apply(&mut lists, &self.frame);
        drop(lists);
        let assumed = distro::assume(self.detected, packages.is_empty(), options.distro.as_ref());
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
                applications,
                problems: tidy(problems),
            },
            wanted: self.wanted,
            unidentified: self.unidentified,
        }
    }
}

/// Counts the lists that occur more than once.
fn repeated(mut ids: Vec<ListId>) -> HashMap<ListId, usize> {
    ids.sort_unstable();
    ids.chunk_by(|a, b| a == b)
        .filter_map(|equal| equal.first().map(|id| (*id, equal.len())))
        .filter(|(_, count)| *count > 1)
        .collect()
}

/// Joins what a layer's own reading and the readings behind links gave.
pub(crate) struct Part<'a> {
    /// The layer's own inventory.
    own: &'a LayerInventory,
    /// What its Java archives are.
    archives: Option<&'a ResolvedArchives>,
    /// What lies behind links, in the order of the links.
    shown: Vec<(InventoryId, &'a Shown<'a>)>,
}

impl<'a> Part<'a> {
    /// Iterates over the inventories, the layer's own first.
    fn inventories(&self) -> impl Iterator<Item = &'a LayerInventory> + '_ {
        let shown = self.shown.iter().copied();
        let behind_links = shown.map(|(_, shown): (_, &'a Shown<'a>)| shown.inventory.as_ref());
        std::iter::once(self.own).chain(behind_links)
    }
}

fn parts_of<'a>(
    layers: &[LayerInput<'a>],
    grown: &[GrownLayer],
    shown: &'a [Shown<'a>],
) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = layers
        .iter()
        .map(|layer| Part {
            own: layer.inventory,
            archives: layer.archives,
            shown: Vec::new(),
        })
        .collect();
    let places: HashMap<*const LayerInventory, u32> = (0..)
        .zip(grown)
        .map(|(number, grown)| (Arc::as_ptr(&grown.inventory), number))
        .collect();
    for (number, shown) in (0..).zip(shown) {
        let place = places.get(&std::ptr::from_ref(shown.inventory.as_ref()));
        let id = place.map_or(InventoryId::Renamed(number), |place| {
            InventoryId::Grown(*place)
        });
        if let Some(part) = parts.get_mut(shown.layer_index) {
            part.shown.push((id, shown));
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
