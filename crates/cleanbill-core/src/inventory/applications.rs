//! Language applications: each by itself, or with others of its type in one list.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::package::Package;
use crate::text_list::TextList;

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

/// Holds applications of one type, sorted by path, with their packages in one list.
///
/// A layer may have a hundred thousand files that describe one package. If each had a list, moving
/// the packages on would leave as many holes in the memory as there are packages. Here they are in
/// one piece, which becomes the list of the image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawGroup")]
pub struct ApplicationGroup {
    kind: String,
    paths: TextList,
    /// The number of packages of the applications up to and with each.
    ends: Vec<u32>,
    packages: Vec<Package>,
}

/// Is a group as it was written out.
#[derive(Deserialize)]
struct RawGroup {
    kind: String,
    paths: TextList,
    ends: Vec<u32>,
    packages: Vec<Package>,
}

impl TryFrom<RawGroup> for ApplicationGroup {
    type Error = &'static str;

    fn try_from(raw: RawGroup) -> Result<Self, Self::Error> {
        let RawGroup {
            kind,
            paths,
            ends,
            packages,
        } = raw;
        let end = ends.last().map_or(0, |end| *end as usize);
        if ends.len() != paths.len() || !ends.is_sorted() || end != packages.len() {
            return Err("the ends of a group of applications do not fit its packages");
        }
        Ok(Self {
            kind,
            paths,
            ends,
            packages,
        })
    }
}

impl ApplicationGroup {
    /// Makes a group of a type. `applications` says the path of each and how many packages it has,
    /// sorted by path; the packages are in the same order.
    pub fn new<T: AsRef<str>>(
        kind: &str,
        applications: impl IntoIterator<Item = (T, usize)>,
        packages: Vec<Package>,
    ) -> Self {
        let mut group = Self {
            kind: kind.to_owned(),
            packages,
            ..Self::default()
        };
        let mut end = 0_usize;
        for (path, count) in applications {
            end = end.saturating_add(count);
            group.paths.push(path.as_ref());
            group.ends.push(u32::try_from(end).unwrap_or(u32::MAX));
        }
        group.shrink();
        group
    }

    /// Appends an application. Its path sorts after those that the group has.
    pub fn push(&mut self, path: &str, packages: Vec<Package>) {
        self.packages.extend(packages);
        self.paths.push(path);
        let end = u32::try_from(self.packages.len());
        self.ends.push(end.unwrap_or(u32::MAX));
    }

    /// Gives memory back that more applications would need.
    pub fn shrink(&mut self) {
        self.paths.shrink();
        self.ends.shrink_to_fit();
        self.packages.shrink_to_fit();
    }

    /// Returns the type that reports print.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the packages of all applications.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Takes the packages of all applications away; none is left.
    pub fn take_packages(&mut self) -> Vec<Package> {
        std::mem::take(&mut self.packages)
    }

    /// Says which packages of the group are those of an application, by its number.
    pub fn span(&self, number: usize) -> Range<usize> {
        let end = |number: usize| self.ends.get(number).map_or(0, |end| *end as usize);
        number.checked_sub(1).map_or(0, end)..end(number)
    }

    /// Returns an application by its number.
    pub fn get(&self, number: usize) -> Option<ApplicationView<'_>> {
        let path = self.paths.get(number)?;
        Some(ApplicationView {
            kind: &self.kind,
            path,
            packages: self.packages.get(self.span(number)).unwrap_or_default(),
        })
    }

    /// Returns the number of applications.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Says whether there is no application.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Iterates over the applications.
    pub fn iter(&self) -> impl Iterator<Item = ApplicationView<'_>> {
        (0..self.len()).filter_map(|number| self.get(number))
    }

    /// Returns the application at a path.
    pub fn at_path(&self, path: &str) -> Option<ApplicationView<'_>> {
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

    fn group() -> ApplicationGroup {
        let packages = ["x", "y", "z"].map(package).to_vec();
        ApplicationGroup::new("node-pkg", [("a", 1), ("a/b", 0), ("c", 2)], packages)
    }

    #[test]
    fn applications_have_their_packages() {
        let names = |view: ApplicationView<'_>| -> (String, Vec<String>) {
            let packages = view.packages.iter().map(|package| package.name.clone());
            (view.path.to_owned(), packages.collect())
        };
        let text = str::to_owned;
        let expected = [
            (text("a"), vec![text("x")]),
            (text("a/b"), vec![]),
            (text("c"), vec![text("y"), text("z")]),
        ];
        assert!(group().iter().map(names).eq(expected));
        assert_eq!(
            group().at_path("a").map(|view| view.packages.len()),
            Some(1)
        );
        assert_eq!(group().at_path("b"), None);
        assert_eq!(group().get(3), None);
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

    #[test]
    fn applications_stay_when_their_packages_are_taken() {
        let mut group = group();
        assert_eq!(group.take_packages().len(), 3);
        assert!(group.iter().all(|view| view.packages.is_empty()));
        assert_eq!(group.iter().count(), 3);
    }

    #[test]
    fn ends_that_lie_are_refused() {
        let mut written = serde_json::to_value(group()).unwrap();
        assert_eq!(serde_json::from_value(written.clone()).ok(), Some(group()));
        for ends in [
            &[1, 1][..],
            &[1, 0, 3],
            &[1, 1, 2],
            &[1, 1, 4],
            &[1, 1, 3, 3],
        ] {
            written["ends"] = ends.into();
            let read = serde_json::from_value::<ApplicationGroup>(written.clone());
            assert!(read.is_err(), "{ends:?}");
        }
    }
}
