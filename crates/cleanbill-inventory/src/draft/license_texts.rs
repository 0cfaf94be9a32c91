//! Texts of licences that packages of the same layer name by file.

use std::collections::BTreeMap;

use cleanbill_core::path;

use crate::licenses;

/// Licences are no findings: of more texts than this the rest goes unnamed.
const TEXTS_MAX: usize = 100_000;

/// Knows the licences that files hold, by path.
#[derive(Default)]
pub(crate) struct LicenseTexts(BTreeMap<String, Vec<String>>);

impl LicenseTexts {
    /// Records the names of the licences whose text a file holds.
    pub(crate) fn add(&mut self, path: &str, names: Vec<String>) {
        if !names.is_empty() && self.0.len() < TEXTS_MAX {
            self.0.insert(path.to_owned(), names);
        }
    }

    /// Forgets what a file gave.
    pub(super) fn forget(&mut self, path: &str) {
        self.0.remove(path);
    }

    /// Puts the names of licences in place of the files that hold their texts: of each only the
    /// last component counts, which lies beside the package's own file.
    pub(super) fn resolve(&self, package_path: &str, licenses: &mut Vec<String>) {
        if !licenses.iter().any(|name| is_file(name)) {
            return;
        }
        let directory = path::parent(package_path).unwrap_or_default();
        let named = std::mem::take(licenses);
        licenses.extend(named.into_iter().flat_map(|name| {
            match name.strip_prefix(licenses::FILE_PREFIX) {
                Some(file) => self.names_in(directory, file),
                None => vec![name],
            }
        }));
    }

    fn names_in(&self, directory: &str, file: &str) -> Vec<String> {
        let file = path::clean(&format!("{directory}/{}", path::base_name(file)));
        self.0.get(&file).cloned().unwrap_or_default()
    }
}

fn is_file(name: &str) -> bool {
    name.starts_with(licenses::FILE_PREFIX)
}
