//! What dpkg states about packages in files beside its status file.

use std::collections::{BTreeMap, HashMap};

use cleanbill_core::package::RepositoryClass;
use cleanbill_core::{Limits, Package, TextList, path};

use crate::room::Room;

/// Holds owned files and digests until the packages of the layer are known: the files that state
/// them may stand before or after the status file.
#[derive(Default)]
pub(crate) struct DpkgDraft {
    /// The owned files by the path of the `md5sums` file that lists them.
    owned_files: BTreeMap<String, TextList>,
    /// Digests of packages by `name@version`, from `available`.
    digests: HashMap<String, String>,
    digests_source: String,
    /// What is left for all of that.
    room: Option<Room>,
}

impl DpkgDraft {
    /// Returns what is left for the texts that are recorded here.
    pub(crate) fn room(&mut self, limits: &Limits) -> &mut Room {
        self.room.get_or_insert_with(|| Room::new(limits))
    }

    /// Records the sorted files that an `md5sums` file lists, each with a leading slash.
    pub(crate) fn add_owned_files(&mut self, path: &str, files: TextList) {
        self.owned_files.insert(path.to_owned(), files);
    }

    /// Records the digests (`sha256:…`) that `available` states, by `name@version`.
    pub(crate) fn set_digests(&mut self, path: &str, digests: HashMap<String, String>) {
        path.clone_into(&mut self.digests_source);
        self.digests = digests;
    }

    /// Forgets what a file gave.
    pub(super) fn forget(&mut self, source: &str) {
        self.owned_files.remove(source);
        if self.digests_source == source {
            self.digests.clear();
        }
    }

    /// Prepares looking up packages. A list in `status.d` wins over one in `info`, as its path
    /// sorts later.
    pub(super) fn index(&self) -> DpkgIndex<'_> {
        let owned_files = self
            .owned_files
            .iter()
            .filter_map(|(file, files)| {
                Some((path::base_name(file).strip_suffix(".md5sums")?, files))
            })
            .collect();
        DpkgIndex {
            owned_files,
            digests: &self.digests,
        }
    }
}

/// Finds owned files and digests by package.
pub(super) struct DpkgIndex<'a> {
    owned_files: HashMap<&'a str, &'a TextList>,
    digests: &'a HashMap<String, String>,
}

impl DpkgIndex<'_> {
    /// Gives the dpkg packages of a database their digests and, to those of the distribution,
    /// their files as long as there is room. Source: spec 02 section 2.2.
    pub(super) fn complete(&self, packages: &mut [Package], room: &mut Room) {
        for package in packages
            .iter_mut()
            .filter(|package| package.analyzed_by == "dpkg")
        {
            if let Some(digest) = self.digests.get(&package.id) {
                package.digest.clone_from(digest);
            }
            if package.repository_class == RepositoryClass::Official {
                package.installed_files = self.files_of(package, room);
            }
        }
    }

    /// Returns the files that a package owns, as many as there is room for.
    fn files_of(&self, package: &Package, room: &mut Room) -> TextList {
        let by_name = self.owned_files.get(package.name.as_str());
        let files = by_name.or_else(|| {
            let name = format!("{}:{}", package.name, package.arch);
            self.owned_files.get(name.as_str())
        });
        let Some(files) = files else {
            return TextList::default();
        };
        // Several packages may share the list, but a report writes it out for each.
        let fitting = files
            .iter()
            .take_while(|file| room.take(file.len()))
            .count();
        match fitting == files.len() {
            true => TextList::clone(files),
            false => files.iter().take(fitting).collect(),
        }
    }
}
