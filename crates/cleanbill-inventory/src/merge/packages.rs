//! The OS packages of an image.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use cleanbill_core::distro::Distro;
use cleanbill_core::package;
use cleanbill_core::{Package, TextList};

use super::Frame;
use super::distro::Detected;
use super::lists::{ListId, Lists};
use super::origin::Origins;
use super::purl;
use super::tree::Tree;

/// Says what becomes of the packages of all databases that are left.
pub(super) struct PackagesPlan {
    databases: Vec<(ListId, Vec<PackagePlan>)>,
    /// Licences by the name of the package.
    licenses: HashMap<String, Vec<String>>,
}

/// Says what becomes of a package.
struct PackagePlan {
    /// It belongs to the distribution, as far as is known.
    is_kept: bool,
    /// The layer that introduced it, and the files that it owned there. A package that names its
    /// layer already comes from an SBOM of an image and stays as it is.
    origin: Option<(u32, TextList)>,
}

impl PackagesPlan {
    /// Plans the packages. Source: spec 02 section 3, steps 1–5.
    pub(super) fn new(tree: &Tree<'_>, origins: &Origins<'_>, detected: &Detected) -> Self {
        let plan = |package: &Package| PackagePlan {
            is_kept: purl::fits(package, &detected.distro),
            origin: match package.layer {
                None => origins.of_package(package),
                Some(_) => None,
            },
        };
        let databases = tree.databases().map(|(id, database)| {
            let packages = database.packages.iter().map(plan).collect();
            (id, packages)
        });
        let licenses = tree
            .licenses()
            .map(|file| (file.package_name.clone(), file.licenses.clone()));
        Self {
            databases: databases.collect(),
            licenses: licenses.collect(),
        }
    }

    /// Returns the lists that are asked for.
    pub(super) fn lists(&self) -> impl Iterator<Item = ListId> + '_ {
        self.databases.iter().map(|(id, _)| *id)
    }

    /// Completes the packages, drops what belongs to another distribution or occurs twice, and
    /// sorts.
    pub(super) fn apply(
        self,
        lists: &mut Lists<'_>,
        frame: &Frame,
        distro: &Distro,
    ) -> Vec<Package> {
        let mut packages: Vec<Package> = Vec::new();
        for (id, plans) in self.databases {
            let is_kept = |number: usize| plans.get(number).is_some_and(|plan| plan.is_kept);
            let mut of_database = lists.take(id, is_kept);
            let kept = plans.into_iter().filter(|plan| plan.is_kept);
            for (package, plan) in of_database.iter_mut().zip(kept) {
                complete(package, plan, frame, distro);
                if let Some(licenses) = self.licenses.get(&package.name) {
                    package.licenses.clone_from(licenses);
                }
            }
            append(&mut packages, of_database);
        }
        without_repeated(&mut packages);
        package::sort(&mut packages);
        packages
    }
}

/// Appends packages. The first list is not copied. Of the others the end is moved first, as its place
/// can be given back before the rest is moved.
pub(super) fn append(packages: &mut Vec<Package>, mut more: Vec<Package>) {
    /// How many packages are there twice meanwhile.
    const STEP: usize = 1_000;
    if packages.is_empty() {
        *packages = more;
        return;
    }
    let begin = packages.len();
    packages.reserve(more.len());
    while !more.is_empty() {
        let rest = more.len().saturating_sub(STEP);
        packages.extend(more.drain(rest..).rev());
        more.shrink_to_fit();
    }
    if let Some(appended) = packages.get_mut(begin..) {
        appended.reverse();
    }
}

/// Adds what the layer that introduced a package says, and its URL.
fn complete(package: &mut Package, plan: PackagePlan, frame: &Frame, distro: &Distro) {
    if let Some((layer_index, files)) = plan.origin {
        let layer_index = layer_index as usize;
        package.layer = frame.layers.get(layer_index).copied();
        package.installed_files = files;
        if let Some(Some(build_info)) = frame.build_infos.get(layer_index) {
            package.build_info = Some(build_info.clone());
        }
    }
    if package.identifier.purl.is_none() && !distro.family.is_empty() {
        package.identifier.purl = purl::of_os_package(package, distro);
    }
}

/// Drops packages of which there is one already: a package manager's own database knows more than
/// an SBOM does.
fn without_repeated(packages: &mut Vec<Package>) {
    let is_of_sbom = |package: &Package| package.analyzed_by == "sbom";
    if !packages.is_sorted_by_key(is_of_sbom) {
        let mut order: Vec<u32> = (0_u32..).take(packages.len()).collect();
        order.sort_by_key(|number| packages.get(*number as usize).is_some_and(is_of_sbom));
        package::arrange(packages, order);
    }
    // The hashes of texts: nobody can foresee them, and they take less room than the texts.
    let hasher = RandomState::new();
    let mut seen: HashSet<u64> = HashSet::new();
    packages.retain(|package| seen.insert(hasher.hash_one(identity(package))));
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
