//! The merged view of an image's layers: which layer gives a path, and what it is there.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use cleanbill_core::inventory::{LayerInventory, Link, PathKind, PathSet};
use cleanbill_core::{Problem, path};

use super::{GrownLayer, LayerInput};

/// Looks paths up in all layers.
pub(super) struct View<'a> {
    layers: &'a [LayerInput<'a>],
    /// Links that second readings found, by layer and path.
    grown_links: BTreeMap<(usize, &'a str), &'a Link>,
    /// Directories that were looked up.
    floors: RefCell<HashMap<String, Option<Floor>>>,
}

/// Says where a path comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) layer_index: usize,
    pub(super) kind: PathKind,
}

/// Is the lowest layer whose content of a directory shows.
type Floor = usize;

impl<'a> View<'a> {
    pub(super) fn new(layers: &'a [LayerInput<'a>], grown: &'a [GrownLayer]) -> Self {
        let grown_links = grown
            .iter()
            .flat_map(|grown| {
                let links = grown.inventory.links.iter();
                links.map(|link| ((grown.layer_index, link.path.as_str()), link))
            })
            .collect();
        Self {
            layers,
            grown_links,
            floors: RefCell::default(),
        }
    }

    pub(super) fn layers(&self) -> &'a [LayerInput<'a>] {
        self.layers
    }

    /// Returns the topmost layer that has a path and shows it.
    pub(super) fn holder(&self, path: &str) -> Option<Holder> {
        if path.is_empty() {
            // Every layer has the root, whether it says so or not.
            return Some(Holder {
                layer_index: self.layers.len().checked_sub(1)?,
                kind: PathKind::Directory,
            });
        }
        let floor = match path::parent(path) {
            Some(directory) => self.floor(directory)?,
            None => 0,
        };
        self.holder_between(path, floor, self.layers.len())
    }

    /// Returns the layers whose content shows at a path, topmost first: one for a file, all that
    /// have it for a directory.
    pub(super) fn showing(&self, path: &str) -> Vec<usize> {
        let Some(holder) = self.holder(path) else {
            return Vec::new();
        };
        if holder.kind == PathKind::NonDirectory {
            return vec![holder.layer_index];
        }
        if path.is_empty() {
            return (0..self.layers.len()).rev().collect();
        }
        let floor = self.floor(path).unwrap_or(holder.layer_index);
        let key = PathSet::key(path, PathKind::Directory);
        (floor..=holder.layer_index)
            .rev()
            .filter(|layer_index| {
                self.layer(*layer_index)
                    .is_some_and(|layer| layer.paths.get_by_key(key) == Some(PathKind::Directory))
            })
            .collect()
    }

    /// Returns the topmost layer below `end` that has a path, whatever `end` and the layers above
    /// it do.
    pub(super) fn holder_below(&self, path: &str, end: usize) -> Option<Holder> {
        let lower = View {
            layers: self.layers.get(..end)?,
            grown_links: BTreeMap::new(),
            floors: RefCell::default(),
        };
        lower.holder(path)
    }

    /// Returns the link that a layer has at a path, as far as is known.
    pub(super) fn link(&self, layer_index: usize, path: &str) -> Option<&'a Link> {
        let own = self.layer(layer_index).and_then(|layer| {
            let at = layer
                .links
                .binary_search_by(|link| link.path.as_str().cmp(path))
                .ok()?;
            layer.links.get(at)
        });
        own.or_else(|| self.grown_links.get(&(layer_index, path)).copied())
    }

    /// Collects the problems of files that a container would see.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (layer_index, layer) in self.layers.iter().enumerate() {
            let found = layer.inventory.problems.iter();
            problems.extend(
                found
                    .filter(|problem| self.is_visible(layer_index, &problem.path))
                    .cloned(),
            );
        }
        problems
    }

    /// Says whether a path of a layer has not been deleted or replaced. Paths that the layer does
    /// not know by that name count as visible.
    fn is_visible(&self, layer_index: usize, path: &str) -> bool {
        let is_known = self
            .layer(layer_index)
            .is_some_and(|layer| layer.paths.get(path).is_some());
        !is_known
            || self
                .holder(path)
                .is_some_and(|holder| holder.layer_index == layer_index)
    }

    fn layer(&self, layer_index: usize) -> Option<&'a LayerInventory> {
        self.layers.get(layer_index).map(|layer| layer.inventory)
    }

    /// Returns the floor of a path, `None` if it is no directory. Works down from the nearest
    /// directory that was looked up before.
    fn floor(&self, path: &str) -> Option<Floor> {
        let known = |path: &str| self.floors.borrow().get(path).copied();
        let mut unknown = Vec::new();
        let mut floor = Some(0);
        for directory in std::iter::once(path).chain(path::ancestors(path)) {
            if let Some(known) = known(directory) {
                floor = known;
                break;
            }
            unknown.push(directory);
        }
        for directory in unknown.into_iter().rev() {
            floor = floor.and_then(|above| self.floor_in(directory, above));
            self.floors.borrow_mut().insert(directory.to_owned(), floor);
        }
        floor
    }

    /// Returns the floor of a path in a directory with a known one.
    fn floor_in(&self, path: &str, above: Floor) -> Option<Floor> {
        let holder = self.holder_between(path, above, self.layers.len())?;
        if holder.kind == PathKind::NonDirectory {
            return None;
        }
        let key = PathSet::key(path, PathKind::Directory);
        for layer_index in (above..=holder.layer_index).rev() {
            let Some(layer) = self.layer(layer_index) else {
                continue;
            };
            if layer.paths.get_by_key(key) == Some(PathKind::NonDirectory) {
                return Some(layer_index + 1);
            }
            if layer.opaque_directories.has_key(key) || layer.whiteouts.has_key(key) {
                return Some(layer_index);
            }
        }
        Some(above)
    }

    fn holder_between(&self, path: &str, floor: Floor, end: usize) -> Option<Holder> {
        let key = PathSet::key(path, PathKind::Directory);
        for layer_index in (floor..end).rev() {
            let layer = self.layer(layer_index)?;
            if let Some(kind) = layer.paths.get_by_key(key) {
                return Some(Holder { layer_index, kind });
            }
            if layer.whiteouts.has_key(key) {
                return None;
            }
        }
        None
    }
}
