//! Language applications: each by itself, or with others of its type in one list.

use serde::{Deserialize, Serialize};

use super::by_path::{PackagesByPath, PackagesView};
use crate::package::Package;

/// Holds the language applications of a layer. A path has one of each type at most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Applications {
    /// Those with a list of their own, sorted by path, then type.
    pub alone: Vec<Application>,
    /// Those of types that reports join, as far as they have few packages or are Java archives that
    /// the index has named.
    pub groups: Vec<ApplicationGroup>,
}

impl Applications {
    /// Iterates over all applications, those with a list of their own first.
    pub fn iter(&self) -> impl Iterator<Item = ApplicationView<'_>> {
        let grouped = self.groups.iter().flat_map(ApplicationGroup::iter);
        self.alone.iter().map(Application::view).chain(grouped)
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.alone.is_empty() && self.groups.iter().all(ApplicationGroup::is_empty)
    }

    /// Returns the applications at a path, of several types at most.
    pub fn at_path<'a>(&'a self, path: &'a str) -> impl Iterator<Item = ApplicationView<'a>> {
        let first = self.alone.partition_point(|one| one.path.as_str() < path);
        let alone = self.alone.iter().skip(first).map(Application::view);
        let alone = alone.take_while(move |one| one.path == path);
        let groups = self.groups.iter();
        alone.chain(groups.filter_map(move |group| group.at_path(path)))
    }
}

/// Holds the packages of one language application (or one SBOM).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// The type that reports print (`node-pkg`, `jar`, `bitnami` …).
    pub kind: String,
    /// The file or directory.
    pub path: String,
    /// The packages.
    pub packages: Vec<Package>,
}

impl Application {
    /// Shows the application.
    pub fn view(&self) -> ApplicationView<'_> {
        ApplicationView {
            kind: &self.kind,
            path: &self.path,
            packages: &self.packages,
        }
    }
}

/// Shows an application, wherever its packages are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ApplicationView<'a> {
    /// The type.
    pub kind: &'a str,
    /// The file or directory.
    pub path: &'a str,
    /// The packages.
    pub packages: &'a [Package],
}

/// Holds applications of one type, with their packages in one list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApplicationGroup {
    kind: String,
    packages: PackagesByPath,
}

impl ApplicationGroup {
    /// Makes a group of a type.
    pub fn new(kind: &str, packages: PackagesByPath) -> Self {
        Self {
            kind: kind.to_owned(),
            packages,
        }
    }

    /// Returns the type that reports print.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the packages of all applications.
    pub fn packages(&self) -> &PackagesByPath {
        &self.packages
    }

    /// Returns the packages of all applications, to add some or to take them away.
    pub fn packages_mut(&mut self) -> &mut PackagesByPath {
        &mut self.packages
    }

    /// Returns an application by its number.
    pub fn get(&self, number: usize) -> Option<ApplicationView<'_>> {
        self.packages.get(number).map(|view| self.view(view))
    }

    /// Returns the number of applications.
    pub fn len(&self) -> usize {
        self.packages.len()
    }

    /// Says whether there is no application.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// Iterates over the applications.
    pub fn iter(&self) -> impl Iterator<Item = ApplicationView<'_>> {
        self.packages.iter().map(|view| self.view(view))
    }

    /// Returns the application at a path.
    pub fn at_path(&self, path: &str) -> Option<ApplicationView<'_>> {
        self.packages.at_path(path).map(|view| self.view(view))
    }

    fn view<'a>(&'a self, view: PackagesView<'a>) -> ApplicationView<'a> {
        let PackagesView { path, packages } = view;
        ApplicationView {
            kind: &self.kind,
            path,
            packages,
        }
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

    fn group() -> ApplicationGroup {
        let packages = ["x", "y", "z"].map(package).to_vec();
        let packages = PackagesByPath::new([("a", 1), ("a/b", 0), ("c", 2)], packages);
        ApplicationGroup::new("node-pkg", packages)
    }

    #[test]
    fn applications_are_found_by_path_wherever_they_are() {
        let alone = |path: &str, kind: &str| Application {
            kind: kind.to_owned(),
            path: path.to_owned(),
            packages: Vec::new(),
        };
        let applications = Applications {
            alone: vec![
                alone("a", "x"),
                alone("c", "x"),
                alone("c", "y"),
                alone("d", "x"),
            ],
            groups: vec![group()],
        };
        let kinds = |path| -> Vec<_> {
            let found = applications.at_path(path);
            found.map(|one| one.kind.to_owned()).collect()
        };
        assert_eq!(kinds("c"), ["x", "y", "node-pkg"]);
        assert_eq!(kinds("a/b"), ["node-pkg"]);
        assert_eq!(kinds("d"), ["x"]);
        assert!(kinds("b").is_empty());
        assert_eq!(applications.iter().count(), 7);
    }
}
