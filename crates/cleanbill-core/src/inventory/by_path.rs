//! Packages by the path of what they were found in, in one list.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::ends::Ends;
use crate::package::Package;
use crate::text_list::TextList;

/// Holds packages by path, sorted by path. A path occurs once.
///
/// A layer may have a hundred thousand files that describe one package. If each had a list, moving
/// the packages on would leave as many holes in the memory as there are packages. Here they are in
/// one piece, which becomes the list of the image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPackages")]
pub struct PackagesByPath {
    paths: TextList,
    /// Where the packages of each path end.
    ends: Ends,
    packages: Vec<Package>,
}

/// Shows what was found at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PackagesView<'a> {
    /// The file or directory.
    pub path: &'a str,
    /// The packages.
    pub packages: &'a [Package],
}

/// Is a list as it was written out.
#[derive(Deserialize)]
struct RawPackages {
    paths: TextList,
    ends: Ends,
    packages: Vec<Package>,
}

impl TryFrom<RawPackages> for PackagesByPath {
    type Error = &'static str;

    fn try_from(raw: RawPackages) -> Result<Self, Self::Error> {
        let RawPackages {
            paths,
            ends,
            packages,
        } = raw;
        if !ends.divide(packages.len(), paths.len()) {
            return Err("the ends of packages by path do not fit the packages");
        }
        Ok(Self {
            paths,
            ends,
            packages,
        })
    }
}

impl PackagesByPath {
    /// Joins packages. `spans` says the path of each span and how many packages it has, sorted by path;
    /// the packages are in the same order.
    pub fn new<T: AsRef<str>>(
        spans: impl IntoIterator<Item = (T, usize)>,
        packages: Vec<Package>,
    ) -> Self {
        let mut joined = Self {
            packages,
            ..Self::default()
        };
        let mut end = 0_usize;
        for (path, count) in spans {
            end = end.saturating_add(count);
            joined.end_span(path.as_ref(), end);
        }
        joined.shrink();
        joined
    }

    /// Appends what was found at a path, which sorts after all others.
    pub fn push(&mut self, path: &str, packages: Vec<Package>) {
        self.packages.extend(packages);
        self.end_span(path, self.packages.len());
    }

    fn end_span(&mut self, path: &str, end: usize) {
        self.paths.push(path);
        self.ends.push(end);
    }

    /// Gives memory back that more packages would need.
    pub fn shrink(&mut self) {
        self.paths.shrink();
        self.ends.shrink();
        self.packages.shrink_to_fit();
    }

    /// Returns the packages of all paths.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Takes the packages of all paths away; none is left.
    pub fn take_packages(&mut self) -> Vec<Package> {
        std::mem::take(&mut self.packages)
    }

    /// Says which of all packages are those of a path, by its number.
    pub fn span(&self, number: usize) -> Range<usize> {
        self.ends.span(number)
    }

    /// Returns what was found at a path, by its number.
    pub fn get(&self, number: usize) -> Option<PackagesView<'_>> {
        Some(PackagesView {
            path: self.paths.get(number)?,
            packages: self.packages.get(self.span(number)).unwrap_or_default(),
        })
    }

    /// Returns the number of paths.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Says whether there is no path.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Iterates over what was found, by path.
    pub fn iter(&self) -> impl Iterator<Item = PackagesView<'_>> {
        (0..self.len()).filter_map(|number| self.get(number))
    }

    /// Returns what was found at a path.
    pub fn at_path(&self, path: &str) -> Option<PackagesView<'_>> {
        self.get(self.paths.binary_search(path).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        Package {
            name: name.to_owned(),
            ..Package::default()
        }
    }

    fn packages() -> PackagesByPath {
        let packages = ["x", "y", "z"].map(package).to_vec();
        PackagesByPath::new([("a", 1), ("a/b", 0), ("c", 2)], packages)
    }

    #[test]
    fn paths_have_their_packages() {
        let names = |view: PackagesView<'_>| -> (String, Vec<String>) {
            let packages = view.packages.iter().map(|package| package.name.clone());
            (view.path.to_owned(), packages.collect())
        };
        let text = str::to_owned;
        let expected = [
            (text("a"), vec![text("x")]),
            (text("a/b"), vec![]),
            (text("c"), vec![text("y"), text("z")]),
        ];
        assert!(packages().iter().map(names).eq(expected));
        let at_path = |path| packages().at_path(path).map(|view| view.packages.len());
        assert_eq!(at_path("a"), Some(1));
        assert_eq!(at_path("b"), None);
        assert_eq!(packages().get(3), None);
    }

    #[test]
    fn paths_may_be_added_one_by_one() {
        let mut joined = PackagesByPath::default();
        joined.push("a", vec![package("x")]);
        joined.push("a/b", Vec::new());
        joined.push("c", vec![package("y"), package("z")]);
        assert_eq!(joined, packages());
    }

    #[test]
    fn paths_stay_when_their_packages_are_taken() {
        let mut packages = packages();
        assert_eq!(packages.take_packages().len(), 3);
        assert!(packages.iter().all(|view| view.packages.is_empty()));
        assert_eq!(packages.iter().count(), 3);
    }

    #[test]
    fn ends_that_lie_are_refused() {
        let mut written = serde_json::to_value(packages()).unwrap();
        assert_eq!(
            serde_json::from_value(written.clone()).ok(),
            Some(packages())
        );
        for ends in [
            &[1, 1][..],
            &[1, 0, 3],
            &[1, 1, 2],
            &[1, 1, 4],
            &[1, 1, 3, 3],
        ] {
            written["ends"] = ends.into();
            let read = serde_json::from_value::<PackagesByPath>(written.clone());
            assert!(read.is_err(), "{ends:?}");
        }
    }
}
