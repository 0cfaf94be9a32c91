//! Taking packages out of inventories, by their place: copied where somebody else needs them.

use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_core::Package;
use cleanbill_core::inventory::{Application, ApplicationGroup, LayerInventory};

use super::{GrownLayer, LayerInput, OwnedLayer};
use crate::java::ResolvedArchives;

/// Names an inventory of those that are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum InventoryId {
    /// That of a layer.
    Layer(u32),
    /// One that links asked for.
    Grown(u32),
    /// One that lies behind a link under another name, by the number of the link.
    Renamed(u32),
}

/// Names a list of packages in an inventory. Lists of a kind of which there is one have the index 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ListId {
    pub(super) inventory: InventoryId,
    pub(super) kind: ListKind,
    pub(super) index: u32,
}

/// Says which lists of an inventory are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ListKind {
    /// The package databases: there is one list of all.
    Databases,
    Application,
    Group,
    /// The resolved Java archives of the layer: there is one such list.
    Archives,
}

impl ListKind {
    /// Says whether the list has the packages of several databases or applications.
    pub(super) const fn is_shared(self) -> bool {
        !matches!(self, Self::Application)
    }
}

/// Holds the inventories that are merged.
pub(super) struct Lists<'a> {
    pub(super) source: Source<'a>,
    /// Those behind links under other names; `None` where a link shows what was read for it.
    pub(super) renamed: Vec<Option<LayerInventory>>,
    /// How often the lists are asked for that are asked for more than once.
    pub(super) repeated: HashMap<ListId, usize>,
}

/// Says whose the inventories are.
pub(super) enum Source<'a> {
    /// The caller's.
    Borrowed(&'a [LayerInput<'a>], &'a [GrownLayer]),
    /// Nobody's after the merge.
    Owned(Vec<OwnedLayer>, Vec<GrownLayer>),
}

impl Lists<'_> {
    /// Returns those packages of a list of which `is_kept` says so by their number. All are gone from
    /// it if it will not be asked for again and nobody else holds it.
    pub(super) fn take(&mut self, id: ListId, is_kept: impl Fn(usize) -> bool) -> Vec<Package> {
        if let Some(uses) = self.repeated.get_mut(&id).filter(|uses| **uses > 1) {
            *uses -= 1;
            return copy(self.list(id), is_kept);
        }
        let Some(mut packages) = self.take_owned(id) else {
            return copy(self.list(id), is_kept);
        };
        let mut numbers = 0..packages.len();
        packages.retain(|_| numbers.next().is_some_and(&is_kept));
        packages.shrink_to_fit();
        packages
    }

    /// Takes a list if nobody else holds it.
    fn take_owned(&mut self, id: ListId) -> Option<Vec<Package>> {
        if id.kind == ListKind::Archives {
            let archives = self.owned_layer(id.inventory)?.archives.as_mut()?;
            return Some(Arc::get_mut(archives)?.take_packages());
        }
        let inventory = self.owned(id.inventory)?;
        let index = id.index as usize;
        Some(match id.kind {
            ListKind::Databases => inventory.package_databases.take_packages(),
            ListKind::Application => {
                let application = inventory.applications.alone.get_mut(index)?;
                std::mem::take(&mut application.packages)
            }
            ListKind::Archives => return None,
            ListKind::Group => {
                let group = inventory.applications.groups.get_mut(index)?;
                group.packages_mut().take_packages()
            }
        })
    }

    /// Returns an inventory if nobody else holds it.
    fn owned(&mut self, id: InventoryId) -> Option<&mut LayerInventory> {
        match (&mut self.source, id) {
            (_, InventoryId::Renamed(number)) => self.renamed.get_mut(number as usize)?.as_mut(),
            (Source::Borrowed(..), _) => None,
            (Source::Owned(layers, _), InventoryId::Layer(number)) => {
                Arc::get_mut(&mut layers.get_mut(number as usize)?.inventory)
            }
            (Source::Owned(_, grown), InventoryId::Grown(number)) => {
                Arc::get_mut(&mut grown.get_mut(number as usize)?.inventory)
            }
        }
    }

    /// Returns a layer unless the caller keeps it.
    fn owned_layer(&mut self, id: InventoryId) -> Option<&mut OwnedLayer> {
        match (&mut self.source, id) {
            (Source::Owned(layers, _), InventoryId::Layer(number)) => {
                layers.get_mut(number as usize)
            }
            _ => None,
        }
    }

    /// Returns the type and the path of an application; of several in one list the type alone.
    pub(super) fn name_of(&self, id: ListId) -> (String, String) {
        let name = match id.kind {
            ListKind::Databases => None,
            ListKind::Application => self
                .application(id)
                .map(|application| (application.kind.clone(), application.path.clone())),
            ListKind::Group | ListKind::Archives => self
                .group(id)
                .map(|group| (group.kind().to_owned(), String::new())),
        };
        name.unwrap_or_default()
    }

    fn list(&self, id: ListId) -> &[Package] {
        let list = match id.kind {
            ListKind::Databases => {
                let inventory = self.inventory(id.inventory);
                inventory.map(|inventory| inventory.package_databases.packages())
            }
            ListKind::Application => {
                let application = self.application(id);
                application.map(|application| application.packages.as_slice())
            }
            ListKind::Group | ListKind::Archives => {
                self.group(id).map(|group| group.packages().packages())
            }
        };
        list.unwrap_or_default()
    }

    fn application(&self, id: ListId) -> Option<&Application> {
        let inventory = self.inventory(id.inventory)?;
        inventory.applications.alone.get(id.index as usize)
    }

    fn group(&self, id: ListId) -> Option<&ApplicationGroup> {
        if id.kind == ListKind::Archives {
            return self.archives(id.inventory).map(ResolvedArchives::group);
        }
        let inventory = self.inventory(id.inventory)?;
        inventory.applications.groups.get(id.index as usize)
    }

    fn archives(&self, id: InventoryId) -> Option<&ResolvedArchives> {
        let InventoryId::Layer(number) = id else {
            return None;
        };
        match &self.source {
            Source::Borrowed(layers, _) => layers.get(number as usize)?.archives,
            Source::Owned(layers, _) => layers.get(number as usize)?.archives.as_deref(),
        }
    }

    fn inventory(&self, id: InventoryId) -> Option<&LayerInventory> {
        match (&self.source, id) {
            (_, InventoryId::Renamed(number)) => {
                self.renamed.get(number as usize).and_then(Option::as_ref)
            }
            (Source::Borrowed(layers, _), InventoryId::Layer(number)) => {
                layers.get(number as usize).map(|layer| layer.inventory)
            }
            (Source::Owned(layers, _), InventoryId::Layer(number)) => layers
                .get(number as usize)
                .map(|layer| layer.inventory.as_ref()),
            (Source::Borrowed(_, grown), InventoryId::Grown(number)) => grown
                .get(number as usize)
                .map(|grown| grown.inventory.as_ref()),
            (Source::Owned(_, grown), InventoryId::Grown(number)) => grown
                .get(number as usize)
                .map(|grown| grown.inventory.as_ref()),
        }
    }
}

fn copy(packages: &[Package], is_kept: impl Fn(usize) -> bool) -> Vec<Package> {
    let packages = packages.iter().enumerate();
    let kept = packages.filter(|(number, _)| is_kept(*number));
    kept.map(|(_, package)| package.clone()).collect()
}
