//! The OS packages of an image.

use std::collections::{BTreeMap, HashSet};

use cleanbill_core::Package;
use cleanbill_core::distro::Distro;
use cleanbill_core::package;

use super::distro::Detected;
use super::origin::Origins;
use super::purl;
use super::tree::Tree;

/// Completes the packages of all databases that are left, drops what belongs to another
/// distribution or occurs twice, and sorts. Source: spec 02 section 3, steps 1–5.
pub(super) fn complete(
    tree: &Tree<'_>,
    origins: &Origins<'_>,
    detected: &Detected,
) -> Vec<Package> {
    let distro = &detected.distro;
    let licenses: BTreeMap<&str, &Vec<String>> = tree
        .licenses()
        .map(|file| (file.package_name.as_str(), &file.licenses))
        .collect();
    let mut packages: Vec<Package> = tree
        .databases()
        .flat_map(|database| &database.packages)
        .filter(|package| purl::fits(package, distro))
        .map(|package| {
            let mut package = with_origin(package, origins);
            if package.identifier.purl.is_none() && !distro.family.is_empty() {
                package.identifier.purl = purl::of_os_package(&package, distro);
            }
            if let Some(licenses) = licenses.get(package.name.as_str()) {
                package.licenses.clone_from(licenses);
            }
            package
        })
        .collect();
    // A package manager's own database knows more than an SBOM does.
    packages.sort_by_key(|package| package.analyzed_by == "sbom");
    let mut seen = HashSet::new();
    packages.retain(|package| seen.insert(identity(package)));
    package::sort(&mut packages);
    packages
}

/// Makes the package URLs anew for a distribution that the user named.
pub(super) fn rewrite_purls(packages: &mut [Package], distro: Option<&Distro>) {
    let Some(distro) = distro else {
        return;
    };
    for package in packages {
        if let Some(purl) = purl::of_os_package(package, distro) {
            package.identifier.purl = Some(purl);
        }
    }
}

/// Copies a package and adds what the layer that introduced it says. One that names its layer
/// already comes from an SBOM of an image and stays as it is.
fn with_origin(package: &Package, origins: &Origins<'_>) -> Package {
    let mut package = package.clone();
    if package.layer.is_none()
        && let Some(origin) = origins.of_package(&package)
    {
        package.layer = Some(origin.layer);
        package
            .installed_files
            .clone_from(&origin.package.installed_files);
        if let Some(build_info) = origin.build_info {
            package.build_info = Some(build_info.clone());
        }
    }
    package
}

/// Two packages with this in common are one, found in two places.
fn identity(package: &Package) -> String {
    if package.id.is_empty() {
        format!(
            "{}@{}/{}",
            package.name,
            package.installed_version(),
            package.file_path
        )
    } else {
        format!("{}/{}", package.id, package.file_path)
    }
}
