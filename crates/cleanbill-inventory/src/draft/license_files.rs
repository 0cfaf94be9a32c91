//! Licences of dpkg packages, while a layer is being read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cleanbill_core::inventory::LicenseFiles;

/// Holds licences by the file that states them. Most files state the same few.
#[derive(Default)]
pub(super) struct LicenseFilesDraft {
    files: BTreeMap<Arc<str>, File>,
    names: BTreeSet<Arc<str>>,
}

struct File {
    package_name: Box<str>,
    licenses: Box<[Arc<str>]>,
}

impl LicenseFilesDraft {
    /// Records what a file states, in place of what was known of it.
    pub(super) fn insert(&mut self, path: Arc<str>, package_name: &str, licenses: &[String]) {
        let licenses = licenses.iter().map(|name| self.shared(name));
        let licenses = licenses.collect();
        let file = File {
            package_name: package_name.into(),
            licenses,
        };
        self.files.insert(path, file);
    }

    /// Forgets a file.
    pub(super) fn remove(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// Completes the list.
    pub(super) fn finish(self) -> LicenseFiles {
        let mut finished = LicenseFiles::default();
        for (path, file) in self.files {
            finished.push(&path, &file.package_name, &file.licenses);
        }
        finished.shrink();
        finished
    }

    /// Returns a name, as others hold it.
    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name));
        name
    }
}
