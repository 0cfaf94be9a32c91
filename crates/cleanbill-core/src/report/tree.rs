//! What contains and needs what: the tree of an image that VEX statements and SBOMs speak of.
//!
//! The image is the root. Below it lie the operating system, applications, and the packages of
//! languages that have no application; packages that others need hang under those. Source: spec
//! 03 section 9; Trivy `pkg/sbom/io/encode.go`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::{ArtifactType, ImageReport, ResultClass, ResultSet};
use crate::package::{Package, Relationship};
use crate::purl::PackageUrl;
use crate::reference::ImageReference;

/// Languages whose packages of a whole image are one result: they hang directly under the image.
const AGGREGATED: [&str; 5] = ["python-pkg", "conda-pkg", "gemspec", "node-pkg", "jar"];

/// Says that a package lies under another one, or directly under the component of its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The package above, by its index; `None` for the component of the result.
    pub parent: Option<usize>,
    /// The package below, by its index.
    pub child: usize,
}

impl ResultSet {
    /// Says whether the packages have no application of their own but belong to the image.
    pub fn is_aggregated(&self) -> bool {
        self.class == ResultClass::LanguagePackages && AGGREGATED.contains(&self.kind.as_str())
    }

    /// Lists what hangs under what, package by package. Packages with the same UID are one, under
    /// the index of the first.
    pub fn edges(&self) -> Vec<Edge> {
        let packages = &self.packages;
        let needed: HashSet<&str> = packages
            .iter()
            .flat_map(|package| &package.depends_on)
            .map(String::as_str)
            .collect();
        let has_root = packages
            .iter()
            .any(|package| package.relationship == Relationship::Root);
        let first = self.first_indices();
        let by_id: HashMap<Cow<'_, str>, usize> = packages
            .iter()
            .zip(&first)
            .map(|(package, index)| (id_of(package), *index))
            .collect();
        let mut edges = Vec::new();
        for (package, &index) in packages.iter().zip(&first) {
            let hangs_under_component = match package.relationship {
                Relationship::Direct => !has_root,
                _ => !needed.contains(id_of(package).as_ref()),
            };
            if hangs_under_component {
                edges.push(Edge {
                    parent: None,
                    child: index,
                });
            }
            let children = package.depends_on.iter();
            let children = children.filter_map(|id| by_id.get(id.as_str()));
            edges.extend(children.filter(|child| **child != index).map(|child| Edge {
                parent: Some(index),
                child: *child,
            }));
        }
        edges
    }

    /// Returns for each package the index of the first one with the same UID.
    pub fn first_indices(&self) -> Vec<usize> {
        let mut by_uid = HashMap::new();
        self.packages
            .iter()
            .enumerate()
            .map(|(index, package)| match package.identifier.uid.as_str() {
                "" => index,
                uid => *by_uid.entry(uid).or_insert(index),
            })
            .collect()
    }
}

/// Returns the id that others refer to; a package without one goes by name and version.
fn id_of(package: &Package) -> Cow<'_, str> {
    if package.id.is_empty() {
        Cow::Owned(format!("{}@{}", package.name, package.version))
    } else {
        Cow::Borrowed(&package.id)
    }
}

impl ImageReport {
    /// Returns the package URL of an image that is known by a registry's digest.
    ///
    /// Source: spec 03 section 9; Trivy `pkg/purl/purl.go` (`parseOCI`).
    pub fn package_url(&self) -> Option<PackageUrl> {
        if self.artifact_type != ArtifactType::ContainerImage {
            return None;
        }
        let reference: ImageReference = self.metadata.repo_digests.first()?.parse().ok()?;
        let name = reference.repository.rsplit('/').next()?.to_owned();
        let version = reference.digest?.to_string();
        let qualifiers = vec![
            ("repository_url".to_owned(), reference.context()),
            ("arch".to_owned(), self.metadata.config.architecture.clone()),
        ];
        Some(PackageUrl {
            kind: "oci".to_owned(),
            name,
            version,
            qualifiers,
            ..PackageUrl::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(uid: &str, id: &str, depends_on: &[&str], relationship: Relationship) -> Package {
        let mut package = Package {
            id: id.to_owned(),
            name: "n".to_owned(),
            version: "1".to_owned(),
            depends_on: depends_on.iter().map(|id| (*id).to_owned()).collect(),
            relationship,
            ..Package::default()
        };
        package.identifier.uid = uid.to_owned();
        package
    }

    #[track_caller]
    fn check(packages: Vec<Package>, expected: &[(Option<usize>, usize)]) {
        let set = ResultSet {
            packages,
            ..ResultSet::default()
        };
        let edges: Vec<_> = set
            .edges()
            .iter()
            .map(|edge| (edge.parent, edge.child))
            .collect();
        assert_eq!(edges, expected);
    }

    #[test]
    fn what_others_need_hangs_under_those() {
        use Relationship::{Direct, Root, Unknown};
        check(
            vec![
                package("a", "a", &["b", "absent"], Unknown),
                package("b", "b", &[], Unknown),
            ],
            &[(None, 0), (Some(0), 1)],
        );
        check(vec![package("a", "a", &["a"], Unknown)], &[]);
        check(
            vec![
                package("a", "a", &["b"], Unknown),
                package("b", "b", &[], Direct),
            ],
            &[(None, 0), (Some(0), 1), (None, 1)],
        );
        check(
            vec![
                package("r", "r", &["b"], Root),
                package("b", "b", &[], Direct),
            ],
            &[(None, 0), (Some(0), 1)],
        );
    }

    #[test]
    fn packages_with_one_uid_are_one() {
        use Relationship::Unknown;
        check(
            vec![
                package("a", "a", &["n@1"], Unknown),
                package("b", "", &[], Unknown),
                package("b", "", &[], Unknown),
            ],
            &[(None, 0), (Some(0), 1)],
        );
    }
}
