//! Licences of packages that other files state.

use serde::{Deserialize, Serialize};

use super::ends::Ends;
use crate::text_list::TextList;

/// Holds the licences of dpkg packages by the files that state them, sorted by path.
///
/// A layer may have a hundred thousand such files, whether it has the packages or not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawLicenseFiles")]
pub struct LicenseFiles {
    paths: TextList,
    package_names: TextList,
    licenses: TextList,
    /// Where the licences of each file end.
    ends: Ends,
}

/// States the licences of one dpkg package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseFile<'a> {
    /// The file.
    pub path: &'a str,
    /// The package.
    pub package_name: &'a str,
    /// The licence names, normalised.
    pub licenses: Vec<&'a str>,
}

/// Is a list as it was written out.
#[derive(Deserialize)]
struct RawLicenseFiles {
    paths: TextList,
    package_names: TextList,
    licenses: TextList,
    ends: Ends,
}

impl TryFrom<RawLicenseFiles> for LicenseFiles {
    type Error = &'static str;

    fn try_from(raw: RawLicenseFiles) -> Result<Self, Self::Error> {
        let RawLicenseFiles {
            paths,
            package_names,
            licenses,
            ends,
        } = raw;
        if package_names.len() != paths.len() || !ends.divide(licenses.len(), paths.len()) {
            return Err("the parts of a list of licence files do not fit each other");
        }
        Ok(Self {
            paths,
            package_names,
            licenses,
            ends,
        })
    }
}

impl LicenseFiles {
    /// Appends a file. Its path sorts after those that the list has.
    pub fn push<T: AsRef<str>>(
        &mut self,
        path: &str,
        package_name: &str,
        licenses: impl IntoIterator<Item = T>,
    ) {
        self.paths.push(path);
        self.package_names.push(package_name);
        for license in licenses {
            self.licenses.push(license.as_ref());
        }
        self.ends.push(self.licenses.len());
    }

    /// Gives memory back that more files would need.
    pub fn shrink(&mut self) {
        self.paths.shrink();
        self.package_names.shrink();
        self.licenses.shrink();
        self.ends.shrink();
    }

    /// Returns the path of a file by its number.
    pub fn path(&self, number: usize) -> Option<&str> {
        self.paths.get(number)
    }

    /// Returns the name of the package of a file by the file's number.
    pub fn package_name(&self, number: usize) -> Option<&str> {
        self.package_names.get(number)
    }

    /// Returns a file by its number.
    pub fn get(&self, number: usize) -> Option<LicenseFile<'_>> {
        let numbers = self.ends.span(number);
        Some(LicenseFile {
            path: self.paths.get(number)?,
            package_name: self.package_names.get(number)?,
            licenses: numbers
                .filter_map(|number| self.licenses.get(number))
                .collect(),
        })
    }

    /// Returns the number of files.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Says whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Iterates over the files.
    pub fn iter(&self) -> impl Iterator<Item = LicenseFile<'_>> {
        (0..self.len()).filter_map(|number| self.get(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> LicenseFiles {
        let mut files = LicenseFiles::default();
        files.push("a", "x", ["MIT", "GPL-2.0-only"]);
        files.push("b", "y", [""; 0]);
        files.push("c", "z", ["MIT"]);
        files.shrink();
        files
    }

    #[test]
    fn files_have_their_licences() {
        let files = files();
        let shown: Vec<_> = files.iter().collect();
        let file = |path, package_name, licenses: &[&'static str]| LicenseFile {
            path,
            package_name,
            licenses: licenses.to_vec(),
        };
        let expected = [
            file("a", "x", &["MIT", "GPL-2.0-only"]),
            file("b", "y", &[]),
            file("c", "z", &["MIT"]),
        ];
        assert_eq!(shown, expected);
        assert_eq!(files.path(1), Some("b"));
        assert_eq!(files.package_name(2), Some("z"));
        assert_eq!(files.get(3), None);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let written = serde_json::to_value(files()).unwrap();
        assert_eq!(serde_json::from_value(written.clone()).ok(), Some(files()));
        for (part, value) in [
            ("ends", serde_json::json!([2, 2])),
            ("ends", serde_json::json!([2, 2, 4])),
            ("ends", serde_json::json!([3, 2, 3])),
            ("package_names", serde_json::json!(["x"])),
            ("licenses", serde_json::json!([])),
        ] {
            let mut forged = written.clone();
            forged[part] = value;
            assert!(serde_json::from_value::<LicenseFiles>(forged).is_err());
        }
    }
}
