//! The language applications of an image.

use std::collections::BTreeMap;

use cleanbill_core::inventory::Application;
use cleanbill_core::{Package, package};

use super::origin::Origins;
use super::purl;
use super::tree::Tree;

/// Types of which reports join all applications into one; the packages keep their own paths.
/// Source: spec 03 section 4.
const JOINED: &[&str] = &["conda-pkg", "gemspec", "jar", "node-pkg", "python-pkg"];

/// Completes the applications that are left, joins those that reports join, and sorts by type
/// and path. Packages that only development needs, and applications without a package, are
/// left out. Source: spec 04 sections 0.4 and 0.5.
pub(super) fn complete(tree: &Tree<'_>, origins: &Origins<'_>) -> Vec<Application> {
    let mut joined: BTreeMap<(&str, &str), Vec<Package>> = BTreeMap::new();
    for application in tree.applications() {
        let Application { kind, path, .. } = application;
        let is_joined = JOINED.contains(&kind.as_str());
        let shown_path = if is_joined { "" } else { path };
        let packages = joined.entry((kind, shown_path)).or_default();
        let kept = application.packages.iter().filter(|package| !package.dev);
        packages.extend(kept.map(|package| complete_package(application, package, origins)));
    }
    joined
        .into_iter()
        .filter(|(_, packages)| !packages.is_empty())
        .map(|((kind, path), mut packages)| {
            package::sort(&mut packages);
            Application {
                kind: kind.to_owned(),
                path: path.to_owned(),
                packages,
            }
        })
        .collect()
}

/// Copies a package and adds the layer that introduced it, and its URL. One from an SBOM may
/// state either itself.
fn complete_package(
    application: &Application,
    package: &Package,
    origins: &Origins<'_>,
) -> Package {
    let mut package = package.clone();
    if package.layer.is_none() {
        package.layer = origins.of_application_package(&application.path, &package);
    }
    if package.identifier.purl.is_none() {
        package.identifier.purl = purl::of_application_package(&application.kind, &package);
    }
    package
}
