//! Which layer introduced a package.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use cleanbill_core::inventory::PackagesByPath;
use cleanbill_core::package::BuildInfo;
use cleanbill_core::{Package, TextList};

use super::Part;
use super::put::Rest;
use super::tree::Tree;

/// Finds the lowest layer that has a package of the same name, version and release, whatever
/// became of the file it was in. Epoch and architecture are not compared, as in the reference
/// implementation. Source: spec 03 section 4.
///
/// Packages are told apart by the hashes of these texts: nobody can foresee them, and they take less
/// room than the texts' places.
pub(super) struct Origins<'a> {
    packages: HashMap<u64, (u32, &'a Package)>,
    /// By the path of the application too.
    applications: HashMap<u64, u32>,
    hasher: RandomState,
}

impl<'a> Origins<'a> {
    pub(super) fn new(parts: &[Part<'a>], tree: &Tree<'a>) -> Self {
        let mut origins = Self {
            packages: HashMap::new(),
            applications: HashMap::new(),
            hasher: RandomState::new(),
        };
        for (layer_index, part) in (0..).zip(parts) {
            origins.add_packages(layer_index, part);
        }
        for rest in tree.all_applications() {
            origins.add_application(&rest);
        }
        origins
    }

    /// Returns the layer that introduced an OS package, and the files that it owned there.
    pub(super) fn of_package(&self, package: &Package) -> Option<(u32, TextList)> {
        let (layer_index, first) = self.packages.get(&self.hash_of("", package))?;
        Some((*layer_index, first.installed_files.clone()))
    }

    /// Returns the layer that introduced a package of the application at a path.
    pub(super) fn of_application_package(&self, path: &str, package: &Package) -> Option<u32> {
        self.applications.get(&self.hash_of(path, package)).copied()
    }

    fn add_packages(&mut self, layer_index: u32, part: &Part<'a>) {
        let databases = part.inventories().map(|one| &one.package_databases);
        for package in databases.flat_map(PackagesByPath::packages) {
            let hash = self.hash_of("", package);
            self.packages.entry(hash).or_insert((layer_index, package));
        }
    }

    fn add_application(&mut self, rest: &Rest<'_, 'a>) {
        for (_, package) in rest.packages() {
            let hash = self.hash_of(rest.application.path, package);
            self.applications.entry(hash).or_insert(rest.layer_index);
        }
    }

    fn hash_of(&self, path: &str, package: &Package) -> u64 {
        let Package {
            name,
            version,
            release,
            ..
        } = package;
        self.hasher.hash_one((path, name, version, release))
    }
}

/// Gives each layer its build information: its own; the base layer that of the next, which Red
/// Hat leaves without one; any other that of the nearest below.
pub(super) fn build_infos<'a>(parts: &[Part<'a>]) -> Vec<Option<&'a BuildInfo>> {
    let own: Vec<Option<&BuildInfo>> = parts
        .iter()
        .map(|part| {
            part.inventories()
                .find_map(|inventory| inventory.build_info.as_ref())
        })
        .collect();
    let mut nearest = None;
    own.iter()
        .enumerate()
        .map(|(layer_index, info)| {
            let inherited = if layer_index == 0 {
                own.get(1).copied().flatten()
            } else {
                nearest
            };
            nearest = info.or(nearest);
            info.or(inherited)
        })
        .collect()
}
