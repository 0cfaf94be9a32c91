//! What the layers of an image put in, by numbers.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use cleanbill_core::Package;
use cleanbill_core::inventory::{
    ApplicationGroup, ApplicationView, LayerInventory, LicenseFiles, PackagesView,
};

use super::lists::{InventoryId, ListId, ListKind};
use super::owned::Owned;
use super::plan::Placed;
use crate::java::{ResolvedArchive, ResolvedArchives};

/// Holds what was put in by all layers, base first, whatever became of it. There may be as many
/// applications as packages: each takes sixteen bytes.
#[derive(Default)]
pub(super) struct Put<'a> {
    inventories: Vec<PutInventory<'a>>,
    /// By the inventory that was put in, and their number there.
    databases: Vec<(u32, u32)>,
    license_files: Vec<(u32, u32)>,
    applications: Vec<PutApplication>,
    /// The numbers of the packages of an application that the distribution owns, sorted.
    owned: HashMap<u32, Vec<usize>>,
    /// The paths of the unidentified Java archives of an application that it owns.
    owned_archives: HashMap<u32, HashSet<Cow<'a, str>>>,
}

/// Is an inventory that was put in, with what its Java archives are.
#[derive(Clone, Copy)]
pub(super) struct PutInventory<'a> {
    pub(super) layer_index: u32,
    pub(super) id: InventoryId,
    pub(super) inventory: &'a LayerInventory,
    pub(super) archives: Option<&'a ResolvedArchives>,
}

/// Names an application: by the inventory that was put in, and its place there.
#[derive(Clone, Copy)]
struct PutApplication {
    inventory: u32,
    place: Place,
}

/// Says where the packages of an application are.
#[derive(Clone, Copy)]
pub(super) enum Place {
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
    pub(super) placed: Placed,
    /// The numbers of the packages that the distribution owns, sorted.
    owned: &'t [usize],
}

impl<'a> Rest<'_, 'a> {
    /// Iterates over the packages that are left, with their numbers in the application.
    pub(super) fn packages(&self) -> impl Iterator<Item = (usize, &'a Package)> + '_ {
        let packages = self.application.packages.iter().enumerate();
        packages.filter(|(number, _)| self.owned.binary_search(number).is_err())
    }
}

/// Is a package database.
pub(super) struct Database<'a> {
    pub(super) placed: Placed,
    pub(super) view: PackagesView<'a>,
}

/// Is one finding. Of those with equal path (that reports show: the link's, where the file was found
/// behind one) and kind the last put counts.
/// Each is named by its number among those that were put in.
#[derive(Clone, Copy)]
pub(super) enum Item {
    Database(u32),
    Application(u32),
    License(u32),
}

impl<'a> PutInventory<'a> {
    /// Names a list of packages.
    pub(super) fn list(&self, kind: ListKind, index: u32) -> ListId {
        ListId {
            inventory: self.id,
            kind,
            index,
        }
    }

    /// Iterates over all applications.
    pub(super) fn applications(&self) -> impl Iterator<Item = (Place, ApplicationView<'a>)> {
        let applications = &self.inventory.applications;
        let alone = (0..).zip(&applications.alone);
        let alone = alone.map(|(index, one)| (Place::Alone(index), one.view()));
        let groups = (0..).zip(&applications.groups);
        let grouped = groups.flat_map(|(group, applications)| {
            (0..).zip(applications.iter()).map(move |(number, one)| {
                let place = Place::Grouped {
                    group,
                    place_in_group: number,
                };
                (place, one)
            })
        });
        let archives = self.archives.into_iter();
        let archives = (0..).zip(archives.flat_map(|archives| archives.group().iter()));
        let archives = archives.map(|(number, one)| (Place::Archive(number), one));
        alone.chain(grouped).chain(archives)
    }
}

impl<'a> Put<'a> {
    /// Puts in an inventory.
    pub(super) fn add_inventory(&mut self, inventory: PutInventory<'a>) {
        self.inventories.push(inventory);
    }

    /// Puts in a package database of the inventory that was put in last. Returns its number.
    pub(super) fn add_database(&mut self, number: u32) -> u32 {
        self.databases.push((last_of(&self.inventories), number));
        last_of(&self.databases)
    }

    /// Puts in a file with licences of the inventory that was put in last. Returns its number.
    pub(super) fn add_license_file(&mut self, number: u32) -> u32 {
        self.license_files
            .push((last_of(&self.inventories), number));
        last_of(&self.license_files)
    }

    /// Puts in an application of the inventory that was put in last. Returns its number; `None` if it
    /// does not count.
    pub(super) fn add_application(
        &mut self,
        place: Place,
        application: ApplicationView<'a>,
        owned: &Owned<'a>,
    ) -> Option<u32> {
        // A file that names nothing leaves what a lower layer had there, as in the reference: spec 04
        // section 0.4. An archive that nobody has identified may be a package, and counts.
        let is_archive = matches!(place, Place::Archive(_));
        if (application.packages.is_empty() && !is_archive) || owned.has(application.path) {
            return None;
        }
        let inventory = last_of(&self.inventories);
        self.applications.push(PutApplication { inventory, place });
        let number = last_of(&self.applications);
        let packages = owned.packages_of(application);
        if !packages.is_empty() {
            self.owned.insert(number, packages);
        }
        let archives = self.archive(number).into_iter();
        let archives = archives.flat_map(|archive| archive.unidentified());
        let archives: HashSet<_> = archives.filter(|path| owned.has(path)).collect();
        if !archives.is_empty() {
            self.owned_archives.insert(number, archives);
        }
        Some(number)
    }

    pub(super) fn database(&self, number: u32) -> Option<Database<'a>> {
        let (inventory, number) = *self.databases.get(number as usize)?;
        let put = self.inventories.get(inventory as usize)?;
        let databases = &put.inventory.package_databases;
        Some(Database {
            placed: Placed {
                list: put.list(ListKind::Databases, 0),
                list_length: databases.packages().len(),
                span: databases.span(number as usize),
            },
            view: databases.get(number as usize)?,
        })
    }

    /// Returns the list that has a file with licences, and the file's number in it.
    pub(super) fn license_file(&self, number: u32) -> Option<(&'a LicenseFiles, usize)> {
        let (inventory, number) = *self.license_files.get(number as usize)?;
        let put = self.inventories.get(inventory as usize)?;
        Some((&put.inventory.license_files, number as usize))
    }

    /// Iterates over all applications, base first.
    pub(super) fn applications(&self) -> impl Iterator<Item = Rest<'_, 'a>> {
        let numbers = (0..).take(self.applications.len());
        numbers.filter_map(|number| self.application(number))
    }

    pub(super) fn application(&self, number: u32) -> Option<Rest<'_, 'a>> {
        let PutApplication { inventory, place } = *self.applications.get(number as usize)?;
        let put = self.inventories.get(inventory as usize)?;
        let applications = &put.inventory.applications;
        let grouped = |list, group: &'a ApplicationGroup, place_in_group: u32| {
            let place_in_group = place_in_group as usize;
            Some(Rest {
                layer_index: put.layer_index,
                application: group.get(place_in_group)?,
                placed: Placed {
                    list,
                    list_length: group.packages().packages().len(),
                    span: group.packages().span(place_in_group),
                },
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
                    placed: Placed {
                        list: put.list(ListKind::Application, index),
                        list_length,
                        span: 0..list_length,
                    },
                    owned: self.owned_of(number),
                })
            }
            Place::Grouped {
                group: index,
                place_in_group,
            } => {
                let group = applications.groups.get(index as usize)?;
                grouped(put.list(ListKind::Group, index), group, place_in_group)
            }
            Place::Archive(place) => {
                let group = put.archives?.group();
                grouped(put.list(ListKind::Archives, 0), group, place)
            }
        }
    }

    fn owned_of(&self, number: u32) -> &[usize] {
        self.owned.get(&number).map_or(&[][..], Vec::as_slice)
    }

    /// Iterates over the paths of the Java archives of an application that nobody has identified,
    /// unless the distribution owns them.
    pub(super) fn unidentified(&self, number: u32) -> impl Iterator<Item = Cow<'a, str>> {
        let archive = self.archive(number).into_iter();
        let owned = self.owned_archives.get(&number);
        let is_owned = move |path: &str| owned.is_some_and(|owned| owned.contains(path));
        let paths = archive.flat_map(|archive| archive.unidentified());
        paths.filter(move |path| !is_owned(path))
    }

    fn archive(&self, number: u32) -> Option<ResolvedArchive<'a>> {
        let PutApplication { inventory, place } = *self.applications.get(number as usize)?;
        let put = self.inventories.get(inventory as usize)?;
        match place {
            Place::Archive(place) => put.archives?.get(place as usize),
            Place::Alone(_) | Place::Grouped { .. } => None,
        }
    }

    /// Says whether a finding takes the place of another.
    pub(super) fn are_alike(&self, a: Item, b: Item) -> bool {
        match (a, b) {
            (Item::Database(a), Item::Database(b)) => {
                let path = |number| self.database(number).map(|database| database.view.path);
                path(a) == path(b)
            }
            (Item::Application(a), Item::Application(b)) => {
                let name = |number| {
                    let rest = self.application(number);
                    rest.map(|rest| (rest.application.kind, rest.application.path))
                };
                name(a) == name(b)
            }
            (Item::License(a), Item::License(b)) => {
                let path = |number| {
                    let (files, number) = self.license_file(number)?;
                    files.path(number)
                };
                path(a) == path(b)
            }
            _ => false,
        }
    }
}

/// Returns the number of the last item of a list.
fn last_of<T>(items: &[T]) -> u32 {
    u32::try_from(items.len().saturating_sub(1)).unwrap_or(u32::MAX)
}
