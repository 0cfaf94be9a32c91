//! What the layers hold, by the path of the file that a container would find it in.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::rc::Rc;

use cleanbill_core::Package;
use cleanbill_core::inventory::{
    Application, LayerInventory, LicenseFile, PackageDatabase, PathKind, PathSet,
};

use super::lists::{InventoryId, ListId, ListKind};
use super::view::View;
use super::{MergeOptions, Part};

/// Holds the findings of the layers applied so far. Keys are real paths with NUL between the
/// components, so that what lies below a directory is one range, right after the directory.
#[derive(Default)]
pub(super) struct Tree<'a> {
    nodes: BTreeMap<String, Vec<Item<'a>>>,
    /// The applications of every layer as they were put, for finding the layer of origin.
    applications: Vec<Vec<Rest<'a>>>,
}

/// Is an application, or what the distribution leaves of it.
#[derive(Clone)]
pub(super) struct Rest<'a> {
    pub(super) application: &'a Application,
    /// The numbers of the packages that the distribution owns, sorted.
    owned: Rc<[usize]>,
}

impl<'a> Rest<'a> {
    /// Iterates over the packages that are left, with their numbers in the application.
    pub(super) fn packages(&self) -> impl Iterator<Item = (usize, &'a Package)> + '_ {
        let packages = self.application.packages.iter().enumerate();
        packages.filter(|(number, _)| self.owned.binary_search(number).is_err())
    }
}

/// Is one finding. Of those with equal place and kind the last put counts.
pub(super) struct Item<'a> {
    /// The path that reports show: the link's, where the file was found behind one.
    shown_path: &'a str,
    content: Content<'a>,
}

enum Content<'a> {
    Database(ListId, &'a PackageDatabase),
    Application(ListId, Rest<'a>),
    License(&'a LicenseFile),
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
        self.applications.resize_with(layer_index + 1, Vec::new);
        let id = InventoryId::Layer(layer_index);
        self.put_inventory((id, part.own), &owned, options, |path| path.to_owned());
        for (id, shown) in part.shown.iter().copied() {
            let inventory = shown.inventory.as_ref();
            self.put_inventory((id, inventory), &owned, options, |path| {
                shown.real_path(path)
            });
        }
    }

    /// Iterates over the package databases, in the order of their real paths.
    pub(super) fn databases(&self) -> impl Iterator<Item = (ListId, &'a PackageDatabase)> + '_ {
        self.nodes
            .values()
            .flatten()
            .filter_map(|item| match item.content {
                Content::Database(id, database) => Some((id, database)),
                _ => None,
            })
    }

    /// Iterates over the applications, in the order of their real paths.
    pub(super) fn applications(&self) -> impl Iterator<Item = (ListId, &Rest<'a>)> {
        self.nodes
            .values()
            .flatten()
            .filter_map(|item| match &item.content {
                Content::Application(id, application) => Some((*id, application)),
                _ => None,
            })
    }

    /// Iterates over the licence files, in the order of their paths.
    pub(super) fn licenses(&self) -> impl Iterator<Item = &'a LicenseFile> + '_ {
        self.nodes
            .values()
            .flatten()
            .filter_map(|item| match item.content {
                Content::License(file) => Some(file),
                _ => None,
            })
    }

    /// Iterates over the layers' applications as they were put, base first.
    pub(super) fn applications_by_layer(&self) -> impl Iterator<Item = &[Rest<'a>]> {
        self.applications.iter().map(Vec::as_slice)
    }

    fn put_inventory(
        &mut self,
        (inventory_id, inventory): (InventoryId, &'a LayerInventory),
        owned: &Owned<'a>,
        options: &MergeOptions,
        real_path: impl Fn(&str) -> String,
    ) {
        let id = |kind, index| ListId {
            inventory: inventory_id,
            kind,
            index,
        };
        for (index, database) in inventory.package_databases.iter().enumerate() {
            if options.includes_applications || !is_from_sbom(database) {
                self.put(
                    &real_path(&database.path),
                    &database.path,
                    Content::Database(id(ListKind::Database, index), database),
                );
            }
        }
        if options.includes_applications {
            for (index, application) in inventory.applications.iter().enumerate() {
                // A file that names nothing leaves what a lower layer had there, as in the
                // reference: spec 04 section 0.4.
                if application.packages.is_empty() {
                    continue;
                }
                let Some(rest) = owned.without_owned(application) else {
                    continue;
                };
                if let Some(layer) = self.applications.last_mut() {
                    layer.push(rest.clone());
                }
                self.put(
                    &real_path(&application.path),
                    &application.path,
                    Content::Application(id(ListKind::Application, index), rest),
                );
            }
        }
        for file in &inventory.license_files {
            self.put(&real_path(&file.path), &file.path, Content::License(file));
        }
    }

    fn put(&mut self, real_path: &str, shown_path: &'a str, content: Content<'a>) {
        // Nearly every path has one finding.
        let items = self.nodes.entry(to_key(real_path));
        let items = items.or_insert_with(|| Vec::with_capacity(1));
        items.retain(|item| !(item.shown_path == shown_path && item.content.is_like(&content)));
        items.push(Item {
            shown_path,
            content,
        });
    }

    fn remove_subtree(&mut self, key: &str) {
        self.nodes.remove(key);
        let (first, end) = (format!("{key}\0"), format!("{key}\u{1}"));
        let below = self.nodes.range::<str, _>((
            Bound::Included(first.as_str()),
            Bound::Excluded(end.as_str()),
        ));
        let keys: Vec<String> = below.map(|(key, _)| key.clone()).collect();
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
                key.clone()
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

impl Content<'_> {
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Content::Database(..), Content::Database(..))
            | (Content::License(_), Content::License(_)) => true,
            (Content::Application(_, a), Content::Application(_, b)) => {
                a.application.kind == b.application.kind
            }
            _ => false,
        }
    }
}

/// Knows the files that packages of the distribution own in one layer: language packages found in
/// those are the distribution's. Source: spec 02 section 3.
struct Owned<'a> {
    files: HashSet<&'a str>,
    /// Is the empty list, shared by all applications of which nothing is owned.
    nothing: Rc<[usize]>,
}

/// Files that distroless images own without a list that says so.
const OWNED_ALWAYS: &[&str] = &[
    "usr/lib/python2.7/argparse.egg-info",
    "usr/lib/python2.7/lib-dynload/Python-2.7.egg-info",
    "usr/lib/python2.7/wsgiref.egg-info",
];

impl<'a> Owned<'a> {
    fn new(part: &Part<'a>, options: &MergeOptions) -> Self {
        let mut files = HashSet::new();
        let has_applications = part
            .inventories()
            .any(|inventory| !inventory.applications.is_empty());
        if has_applications && options.includes_applications && !options.is_comprehensive {
            files.extend(OWNED_ALWAYS);
            let databases = part
                .inventories()
                .flat_map(|inventory| &inventory.package_databases);
            for package in databases.flat_map(|database| &database.packages) {
                let installed = package.installed_files.iter();
                files.extend(installed.map(|file| file.strip_prefix('/').unwrap_or(file)));
            }
            files.remove("");
        }
        Self {
            files,
            nothing: Rc::default(),
        }
    }

    /// Returns an application without packages that the distribution owns; `None` if it owns the
    /// application itself.
    fn without_owned(&self, application: &'a Application) -> Option<Rest<'a>> {
        let is_owned = |path: &str| self.files.contains(path);
        if is_owned(&application.path) {
            return None;
        }
        let packages = application.packages.iter().enumerate();
        let owned = packages.filter(|(_, package)| is_owned(&package.file_path));
        let mut owned = owned.map(|(number, _)| number).peekable();
        Some(Rest {
            application,
            owned: match owned.peek() {
                None => Rc::clone(&self.nothing),
                Some(_) => owned.collect(),
            },
        })
    }
}

fn is_from_sbom(database: &PackageDatabase) -> bool {
    database
        .packages
        .first()
        .is_some_and(|package| package.analyzed_by == "sbom")
}

fn to_key(path: &str) -> String {
    path.replace('/', "\0")
}
