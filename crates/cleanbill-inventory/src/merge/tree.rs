//! What the layers hold, by the path of the file that a container would find it in.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;

use cleanbill_core::inventory::{
    Application, LayerInventory, LicenseFile, PackageDatabase, PathKind, PathSet,
};

use super::view::View;
use super::{MergeOptions, Part};

/// Holds the findings of the layers applied so far. Keys are real paths with NUL between the
/// components, so that what lies below a directory is one range, right after the directory.
#[derive(Default)]
pub(super) struct Tree<'a> {
    nodes: BTreeMap<String, Vec<Item<'a>>>,
    /// The applications of every layer as they were put, for finding the layer of origin.
    applications: Vec<Vec<Cow<'a, Application>>>,
}

/// Is one finding. Of those with equal place and kind the last put counts.
pub(super) struct Item<'a> {
    /// The path that reports show: the link's, where the file was found behind one.
    shown_path: &'a str,
    content: Content<'a>,
}

enum Content<'a> {
    Database(&'a PackageDatabase),
    Application(Cow<'a, Application>),
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
        self.put_inventory(part.own, &owned, options, |path| path.to_owned());
        for shown in part.shown.iter().copied() {
            self.put_inventory(shown.inventory.as_ref(), &owned, options, |path| {
                shown.real_path(path)
            });
        }
    }

    /// Iterates over the package databases, in the order of their real paths.
    pub(super) fn databases(&self) -> impl Iterator<Item = &'a PackageDatabase> + '_ {
        self.nodes
            .values()
            .flatten()
            .filter_map(|item| match item.content {
                Content::Database(database) => Some(database),
                _ => None,
            })
    }

    /// Iterates over the applications, in the order of their real paths.
    pub(super) fn applications(&self) -> impl Iterator<Item = &Application> {
        self.nodes
            .values()
            .flatten()
            .filter_map(|item| match &item.content {
                Content::Application(application) => Some(application.as_ref()),
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
    pub(super) fn applications_by_layer(&self) -> impl Iterator<Item = &[Cow<'a, Application>]> {
        self.applications.iter().map(Vec::as_slice)
    }

    fn put_inventory(
        &mut self,
        inventory: &'a LayerInventory,
        owned: &Owned<'a>,
        options: &MergeOptions,
        real_path: impl Fn(&str) -> String,
    ) {
        for database in &inventory.package_databases {
            if options.includes_applications || !is_from_sbom(database) {
                self.put(
                    &real_path(&database.path),
                    &database.path,
                    Content::Database(database),
                );
            }
        }
        if options.includes_applications {
            for application in &inventory.applications {
                let Some(application) = owned.without_owned(application) else {
                    continue;
                };
                if let Some(layer) = self.applications.last_mut() {
                    layer.push(application.1.clone());
                }
                self.put(
                    &real_path(application.0),
                    application.0,
                    Content::Application(application.1),
                );
            }
        }
        for file in &inventory.license_files {
            self.put(&real_path(&file.path), &file.path, Content::License(file));
        }
    }

    fn put(&mut self, real_path: &str, shown_path: &'a str, content: Content<'a>) {
        let items = self.nodes.entry(to_key(real_path)).or_default();
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
            (Content::Database(_), Content::Database(_))
            | (Content::License(_), Content::License(_)) => true,
            (Content::Application(a), Content::Application(b)) => a.kind == b.kind,
            _ => false,
        }
    }
}

/// Knows the files that packages of the distribution own in one layer: language packages found in
/// those are the distribution's. Source: spec 02 section 3.
struct Owned<'a> {
    files: HashSet<&'a str>,
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
        Self { files }
    }

    /// Returns an application, under its path, without packages that the distribution owns;
    /// `None` if it owns the application itself.
    fn without_owned(
        &self,
        application: &'a Application,
    ) -> Option<(&'a str, Cow<'a, Application>)> {
        let is_owned = |path: &str| self.files.contains(path);
        if is_owned(&application.path) {
            return None;
        }
        let has_owned = application
            .packages
            .iter()
            .any(|package| is_owned(&package.file_path));
        if !has_owned {
            return Some((&application.path, Cow::Borrowed(application)));
        }
        let mut rest = application.clone();
        rest.packages
            .retain(|package| !is_owned(&package.file_path));
        Some((&application.path, Cow::Owned(rest)))
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
