//! What the layers hold, by the path of the file that a container would find it in.

use std::collections::BTreeMap;
use std::ops::Bound;

use cleanbill_core::inventory::{LayerInventory, LicenseFiles, PackagesView, PathKind, PathSet};
use smallvec::SmallVec;

use super::lists::InventoryId;
use super::owned::Owned;
use super::put::{Database, Item, Put, PutInventory, Rest};
use super::view::View;
use super::{MergeOptions, Part};
use crate::java::UnidentifiedArchives;

/// Holds the findings of the layers applied so far. Keys are real paths with NUL between the
/// components, so that what lies below a directory is one range, right after the directory.
#[derive(Default)]
pub(super) struct Tree<'a> {
    /// Nearly every path has one finding.
    nodes: BTreeMap<Box<str>, SmallVec<[Item; 1]>>,
    put: Put<'a>,
}

impl<'a> Tree<'a> {
    /// Removes what a layer hides of lower ones.
    pub(super) fn hide(&mut self, view: &View<'a>, layer_index: usize) {
        let Some(layer) = view.layers().get(layer_index).map(|layer| layer.inventory) else {
            return;
        };
        for replaced in self.replaced(view, layer_index, layer) {
            self.remove_subtree(&replaced);
        }
    }

    /// Puts in what a layer holds, and what lies behind links in it.
    pub(super) fn put_layer(
        &mut self,
        layer_index: usize,
        part: &Part<'a>,
        options: &MergeOptions,
    ) {
        let owned = Owned::new(part, options);
        let layer_index = u32::try_from(layer_index).unwrap_or(u32::MAX);
        let own = PutInventory {
            layer_index,
            id: InventoryId::Layer(layer_index),
            inventory: part.own,
            archives: part.archives,
        };
        self.put_inventory(own, &owned, options, &str::to_owned);
        for (id, shown) in part.shown.iter().copied() {
            let shown_inventory = PutInventory {
                layer_index,
                id,
                inventory: shown.inventory.as_ref(),
                archives: None,
            };
            let real_path = |path: &str| shown.real_path(path);
            self.put_inventory(shown_inventory, &owned, options, &real_path);
        }
    }

    /// Iterates over the package databases, in the order of their real paths.
    pub(super) fn databases(&self) -> impl Iterator<Item = Database<'a>> {
        self.items().filter_map(|item| match item {
            Item::Database(number) => self.put.database(number),
            _ => None,
        })
    }

    /// Iterates over the applications, in the order of their real paths.
    pub(super) fn applications(&self) -> impl Iterator<Item = Rest<'_, 'a>> {
        self.items().filter_map(|item| match item {
            Item::Application(number) => self.put.application(number),
            _ => None,
        })
    }

    /// Counts the Java archives that nobody has identified.
    pub(super) fn unidentified(&self) -> Option<UnidentifiedArchives> {
        let paths = self.items().flat_map(|item| match item {
            Item::Application(number) => Some(self.put.unidentified(number)),
            _ => None,
        });
        UnidentifiedArchives::of(paths.flatten())
    }

    /// Iterates over the files with licences, in the order of their paths: the list of each, and its
    /// number there.
    pub(super) fn license_files(&self) -> impl Iterator<Item = (&'a LicenseFiles, usize)> {
        self.items().filter_map(|item| match item {
            Item::License(number) => self.put.license_file(number),
            _ => None,
        })
    }

    /// Iterates over all applications that were put in, base first.
    pub(super) fn all_applications(&self) -> impl Iterator<Item = Rest<'_, 'a>> {
        self.put.applications()
    }

    fn items(&self) -> impl Iterator<Item = Item> {
        self.nodes.values().flatten().copied()
    }

    fn put_inventory(
        &mut self,
        put: PutInventory<'a>,
        owned: &Owned<'a>,
        options: &MergeOptions,
        real_path: &dyn Fn(&str) -> String,
    ) {
        let inventory = put.inventory;
        self.put.add_inventory(put);
        for (number, database) in (0..).zip(inventory.package_databases.iter()) {
            if options.includes_applications || !is_from_sbom(database) {
                let number = self.put.add_database(number);
                self.put(&real_path(database.path), Item::Database(number));
            }
        }
        if options.includes_applications {
            for (place, application) in put.applications() {
                let number = self.put.add_application(place, application, owned);
                if let Some(number) = number {
                    self.put(&real_path(application.path), Item::Application(number));
                }
            }
        }
        for place in 0..inventory.license_files.len() {
            let number = self
                .put
                .add_license_file(u32::try_from(place).unwrap_or(u32::MAX));
            let path = inventory.license_files.path(place).unwrap_or_default();
            self.put(&real_path(path), Item::License(number));
        }
    }

    fn put(&mut self, real_path: &str, item: Item) {
        let items = self.nodes.entry(to_key(real_path)).or_default();
        items.retain(|other| !self.put.are_alike(*other, item));
        items.push(item);
    }

    fn remove_subtree(&mut self, key: &str) {
        self.nodes.remove(key);
        let (first, end) = (format!("{key}\0"), format!("{key}\u{1}"));
        let below = self.nodes.range::<str, _>((
            Bound::Included(first.as_str()),
            Bound::Excluded(end.as_str()),
        ));
        let keys: Vec<Box<str>> = below.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.nodes.remove(&key);
        }
    }

    /// Finds the places that the layer hides by a mark, or where it has something of another kind:
    /// something other than a directory above a finding, or a directory or a link in place of one.
    ///
    /// The search skips every directory that the layer neither has nor has marks in, so it costs
    /// what the layer touches, not what the tree holds.
    fn replaced(&self, view: &View<'_>, layer_index: usize, layer: &LayerInventory) -> Vec<String> {
        let mut replaced = Vec::new();
        let mut after = String::new();
        while let Some((key, _)) = self
            .nodes
            .range::<str, _>((Bound::Excluded(after.as_str()), Bound::Unbounded))
            .next()
        {
            let (end, is_replaced) = first_difference(view, layer_index, layer, key);
            let prefix = key.get(..end).unwrap_or(key);
            if is_replaced {
                replaced.push(prefix.to_owned());
            }
            after = if is_replaced || end < key.len() {
                format!("{prefix}\u{1}")
            } else {
                key.to_string()
            };
        }
        replaced
    }
}

/// Walks down to a finding as far as the layer has directories. Returns where the walk ended in
/// the key, and whether the layer replaces what is there.
fn first_difference(
    view: &View<'_>,
    layer_index: usize,
    layer: &LayerInventory,
    key: &str,
) -> (usize, bool) {
    let path = key.replace('\0', "/");
    let marks = [&layer.opaque_directories, &layer.whiteouts];
    let ends = path
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([path.len()]);
    for end in ends {
        let prefix = path.get(..end).unwrap_or(&path);
        let is_finding = end == path.len();
        let key = PathSet::key(prefix, PathKind::Directory);
        if marks.iter().any(|marks| marks.has_key(key)) {
            return (end, true);
        }
        match layer.paths.get_by_key(key) {
            None if marks.iter().any(|marks| marks.has_below_key(key)) => {}
            None => return (end, false),
            Some(PathKind::Directory) if !is_finding => {}
            Some(PathKind::Directory) => return (end, true),
            Some(PathKind::NonDirectory) => {
                let is_link = view.link(layer_index, prefix).is_some();
                return (end, !is_finding || is_link);
            }
        }
    }
    (path.len(), false)
}

fn is_from_sbom(database: PackagesView<'_>) -> bool {
    let first = database.packages.first();
    first.is_some_and(|package| package.analyzed_by == "sbom")
}

fn to_key(path: &str) -> Box<str> {
    path.replace('/', "\0").into()
}
