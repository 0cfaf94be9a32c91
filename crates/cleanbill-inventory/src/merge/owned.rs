//! The files that the distribution owns.

use std::collections::HashSet;

use cleanbill_core::inventory::{ApplicationView, PackagesByPath};

use super::{MergeOptions, Part};

/// Knows the files that packages of the distribution own in one layer: language packages found in
/// those are the distribution's. Source: spec 02 section 3.
pub(super) struct Owned<'a> {
    files: HashSet<&'a str>,
}

/// Files that distroless images own without a list that says so.
const OWNED_ALWAYS: &[&str] = &[
    "usr/lib/python2.7/argparse.egg-info",
    "usr/lib/python2.7/lib-dynload/Python-2.7.egg-info",
    "usr/lib/python2.7/wsgiref.egg-info",
];

impl<'a> Owned<'a> {
    pub(super) fn new(part: &Part<'a>, options: &MergeOptions) -> Self {
        let mut files = HashSet::new();
        let has_applications = part
            .inventories()
            .any(|inventory| !inventory.applications.is_empty())
            || part.archives.is_some();
        if has_applications && options.includes_applications && !options.is_comprehensive {
            files.extend(OWNED_ALWAYS);
            let databases = part.inventories().map(|one| &one.package_databases);
            for package in databases.flat_map(PackagesByPath::packages) {
                let installed = package.installed_files.iter();
                files.extend(installed.map(|file| file.strip_prefix('/').unwrap_or(file)));
            }
            files.remove("");
        }
        Self { files }
    }

    /// Says whether it owns a file.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    /// Returns the numbers of an application's packages that the distribution owns.
    pub(super) fn packages_of(&self, application: ApplicationView<'_>) -> Vec<usize> {
        let packages = application.packages.iter().enumerate();
        let owned = packages.filter(|(_, package)| self.has(&package.file_path));
        owned.map(|(number, _)| number).collect()
    }
}
