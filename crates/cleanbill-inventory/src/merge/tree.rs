//! What the layers hold, by the path of the file that a container would find it in.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::{Bound, Range};

use cleanbill_core::Package;
use cleanbill_core::inventory::{
    ApplicationGroup, ApplicationView, LayerInventory, LicenseFile, PackageDatabase, PathKind,
    PathSet,
};
use smallvec::SmallVec;

use super::lists::{InventoryId, ListId, ListKind};
use super::view::View;
use super::{MergeOptions, Part};
use crate::java::{ResolvedArchive, ResolvedArchives, UnidentifiedArchives};

/// Holds the findings of the layers applied so far. Keys are real paths with NUL between the
/// components, so that what lies below a directory is one range, right after the directory.
#[derive(Default)]
pub(super) struct Tree<'a> {
    /// Nearly every path has one finding.
    nodes: BTreeMap<Box<str>, SmallVec<[Item<'a>; 1]>>,
    put: Put<'a>,
}

/// Holds what was put in by all layers, base first, whatever became of it. There may be as many
/// applications as packages: each takes sixteen bytes.
#[derive(Default)]
struct Put<'a> {
    inventories: Vec<PutInventory<'a>>,
    databases: Vec<(ListId, &'a PackageDatabase)>,
    applications: Vec<PutApplication>,
    /// The numbers of the packages of an application that the distribution owns, sorted.
    owned: HashMap<u32, Vec<usize>>,
    /// The paths of the unidentified Java archives of an application that it owns.
    owned_archives: HashMap<u32, HashSet<Cow<'a, str>>>,
}

struct PutInventory<'a> {
    layer_index: u32,
    id: InventoryId,
    inventory: &'a LayerInventory,
    archives: Option<&'a ResolvedArchives>,
}

/// Names an application: by the inventory that was put in, and its place there.
#[derive(Clone, Copy)]
struct PutApplication {
    inventory: u32,
    place: Place,
}

/// Says where the packages of an application are.
#[derive(Clone, Copy)]
enum Place {
    Alone(u32),
    /// In a group, by the number of the application in it.
    Grouped {
        group: u32,
        place_in_group: u32,
    },
    /// Among the resolved Java archives.
    Archive(u32),
}

/// Is an application, or what the distribution leaves of it.
pub(super) struct Rest<'t, 'a> {
    pub(super) layer_index: u32,
    pub(super) application: ApplicationView<'a>,
    /// The list that its packages are in, how many that has, and where they are there.
    pub(super) list: ListId,
    pub(super) list_length: usize,
    pub(super) span: Range<usize>,
    /// The numbers of the packages that the distribution owns, sorted.
    owned: &'t [usize],
}

impl<'a> Rest<'_, 'a> {
    /// Iterates over the packages that are left, with their numbers in the list.
    pub(super) fn packages(&self) -> impl Iterator<Item = (usize, &'a Package)> + '_ {
        let packages = self.application.packages.iter().enumerate();
        let left = packages.filter(|(number, _)| self.owned.binary_search(number).is_err());
        left.map(|(number, package)| (self.span.start + number, package))
    }
}

/// Is one finding. Of those with equal path (that reports show: the link's, where the file was found
/// behind one) and kind the last put counts.
#[derive(Clone, Copy)]
enum Item<'a> {
    /// By its number among those that were put.
    Database(u32),
    Application(u32),
    License(&'a LicenseFile),
}

impl<'a> Put<'a> {
    fn database(&self, number: u32) -> Option<(ListId, &'a PackageDatabase)> {
        self.databases.get(number as usize).copied()
    }

    fn application(&self, number: u32) -> Option<Rest<'_, 'a>> {
        let PutApplication { inventory, place } = *self.applications.get(number as usize)?;
        let put = self.inventories.get(inventory as usize)?;
        let applications = &put.inventory.applications;
        let list = |kind, index| ListId {
            inventory: put.id,
            kind,
            index,
        };
        let grouped = |list, group: &'a ApplicationGroup, place_in_group: u32| {
            let place_in_group = place_in_group as usize;
            Some(Rest {
                layer_index: put.layer_index,
                application: group.get(place_in_group)?,
                list,
                list_length: group.packages().len(),
                span: group.span(place_in_group),
                owned: self.owned_of(number),
            })
        };
        match place {
            Place::Alone(index) => {
                let application = applications.alone.get(index as usize)?.view();
                let list_length = application.packages.len();
                Some(Rest {
                    layer_index: put.layer_index,
                    application,
                    list: list(ListKind::Application, index),
                    list_length,
                    span: 0..list_length,
                    owned: self.owned_of(number),
                })
            }
            Place::Grouped {
                group: index,
                place_in_group,
            } => {
                let group = applications.groups.get(index as usize)?;
                grouped(list(ListKind::Group, index), group, place_in_group)
            }
            Place::Archive(place) => {
                let group = put.archives?.group();
                grouped(list(ListKind::Archives, 0), group, place)
            }
        }
    }

    fn owned_of(&self, number: u32) -> &[usize] {
        self.owned.get(&number).map_or(&[][..], Vec::as_slice)
    }

    /// Iterates over the paths of the Java archives of an application that nobody has identified,
    /// unless the distribution owns them.
    fn unidentified(&self, number: u32) -> impl Iterator<Item = Cow<'a, str>> {
        let archive = self.applications.get(number as usize).and_then(|put| {
            let inventory = self.inventories.get(put.inventory as usize)?;
            match put.place {
                Place::Archive(place) => inventory.archives?.get(place as usize),
                _ => None,
            }
        });
        let paths = archive.into_iter().flat_map(|one| one.unidentified());
        let owned = self.owned_archives.get(&number);
        paths.filter(move |path| owned.is_none_or(|owned| !owned.contains(&**path)))
    }

    /// Says whether a finding takes the place of another.
    fn are_alike(&self, a: Item<'a>, b: Item<'a>) -> bool {
        match (a, b) {
            (Item::Database(a), Item::Database(b)) => {
                let path = |number| self.database(number).map(|(_, database)| &database.path);
                path(a) == path(b)
            }
            (Item::Application(a), Item::Application(b)) => {
                let name = |number| {
                    let rest = self.application(number);
                    rest.map(|rest| (rest.application.kind, rest.application.path))
                };
                name(a) == name(b)
            }
            (Item::License(a), Item::License(b)) => a.path == b.path,
            _ => false,
        }
    }
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
        let id = InventoryId::Layer(layer_index);
        let mut put = |(id, inventory, archives), real_path: &dyn Fn(&str) -> String| {
            let put = PutInventory {
                layer_index,
                id,
                inventory,
                archives,
            };
            self.put_inventory(put, &owned, options, real_path);
        };
        put((id, part.own, part.archives), &str::to_owned);
        for (id, shown) in part.shown.iter().copied() {
            let found = (id, shown.inventory.as_ref(), None);
            put(found, &|path| shown.real_path(path));
        }
    }

    /// Iterates over the package databases, in the order of their real paths.
    pub(super) fn databases(&self) -> impl Iterator<Item = (ListId, &'a PackageDatabase)> + '_ {
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

    /// Iterates over the licence files, in the order of their paths.
    pub(super) fn licenses(&self) -> impl Iterator<Item = &'a LicenseFile> + '_ {
        self.items().filter_map(|item| match item {
            Item::License(file) => Some(file),
            _ => None,
        })
    }

    /// Iterates over all applications that were put in, base first.
    pub(super) fn all_applications(&self) -> impl Iterator<Item = Rest<'_, 'a>> {
        let numbers = 0..number_of(&self.put.applications);
        numbers.filter_map(|number| self.put.application(number))
    }

    fn items(&self) -> impl Iterator<Item = Item<'a>> + '_ {
        self.nodes.values().flatten().copied()
    }

    fn put_inventory(
        &mut self,
        put: PutInventory<'a>,
        owned: &Owned<'a>,
        options: &MergeOptions,
        real_path: &dyn Fn(&str) -> String,
    ) {
        let (inventory, archives) = (put.inventory, put.archives);
        let id = |kind, index| ListId {
            inventory: put.id,
            kind,
            index,
        };
        for (index, database) in (0..).zip(&inventory.package_databases) {
            if options.includes_applications || !is_from_sbom(database) {
                let item = Item::Database(number_of(&self.put.databases));
                let list = id(ListKind::Database, index);
                self.put.databases.push((list, database));
                self.put(&real_path(&database.path), item);
            }
        }
        if options.includes_applications {
            self.put.inventories.push(put);
            for (index, application) in (0..).zip(&inventory.applications.alone) {
                self.put_application(Place::Alone(index), application.view(), owned, real_path);
            }
            for (group, applications) in (0..).zip(&inventory.applications.groups) {
                for (place_in_group, application) in (0..).zip(applications.iter()) {
                    let place = Place::Grouped {
                        group,
                        place_in_group,
                    };
                    self.put_application(place, application, owned, real_path);
                }
            }
            let archives = archives.into_iter().flat_map(ResolvedArchives::iter);
            for (number, archive) in (0..).zip(archives) {
                self.put_archive(number, &archive, owned);
            }
        }
        for file in &inventory.license_files {
            self.put(&real_path(&file.path), Item::License(file));
        }
    }

    /// Puts in an application of the inventory that was put in last.
    fn put_application(
        &mut self,
        place: Place,
        application: ApplicationView<'a>,
        owned: &Owned<'a>,
        real_path: &dyn Fn(&str) -> String,
    ) {
        // A file that names nothing leaves what a lower layer had there, as in the reference: spec 04
        // section 0.4.
        if !application.packages.is_empty() {
            self.put_counting(place, application, owned, real_path);
        }
    }

    /// Puts in a Java archive. One that nobody has identified may be a package, and counts as if it
    /// were.
    fn put_archive(&mut self, number: u32, archive: &ResolvedArchive<'a>, owned: &Owned<'a>) {
        let application = archive.application;
        let place = Place::Archive(number);
        let Some(number) = self.put_counting(place, application, owned, &str::to_owned) else {
            return;
        };
        let paths = archive.unidentified();
        let owned = paths.filter(|path| owned.files.contains(&**path));
        let owned: HashSet<_> = owned.collect();
        if !owned.is_empty() {
            self.put.owned_archives.insert(number, owned);
        }
    }

    /// Puts in an application unless the distribution owns its file. Returns its number.
    fn put_counting(
        &mut self,
        place: Place,
        application: ApplicationView<'a>,
        owned: &Owned<'a>,
        real_path: &dyn Fn(&str) -> String,
    ) -> Option<u32> {
        if owned.files.contains(application.path) {
            return None;
        }
        let number = number_of(&self.put.applications);
        let owned = owned.packages_of(application);
        if !owned.is_empty() {
            self.put.owned.insert(number, owned);
        }
        let inventory = number_of(&self.put.inventories).saturating_sub(1);
        self.put
            .applications
            .push(PutApplication { inventory, place });
        self.put(&real_path(application.path), Item::Application(number));
        Some(number)
    }

    fn put(&mut self, real_path: &str, item: Item<'a>) {
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

/// Returns the number that the next item of a list will have.
fn number_of<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
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
            .any(|inventory| !inventory.applications.is_empty())
            || part.archives.is_some();
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

    /// Returns the numbers of an application's packages that the distribution owns.
    fn packages_of(&self, application: ApplicationView<'_>) -> Vec<usize> {
        let packages = application.packages.iter().enumerate();
        let owned = packages.filter(|(_, package)| self.files.contains(package.file_path.as_str()));
        owned.map(|(number, _)| number).collect()
    }
}

fn is_from_sbom(database: &PackageDatabase) -> bool {
    database
        .packages
        .first()
        .is_some_and(|package| package.analyzed_by == "sbom")
}

fn to_key(path: &str) -> Box<str> {
    path.replace('/', "\0").into()
}
