//! The OS packages of an image.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use cleanbill_core::distro::Distro;
use cleanbill_core::inventory::LicenseFiles;
use cleanbill_core::package;
use cleanbill_core::{Package, TextList};

use super::Frame;
use super::distro::Detected;
use super::lists::{ListId, Lists};
use super::origin::Origins;
use super::plan::{Joined, ListsPlan, PackagePlan};
use super::purl;
use super::tree::Tree;

/// Says what becomes of the packages of all databases that are left.
pub(super) struct PackagesPlan {
    packages: ListsPlan<OsPackage>,
    /// Licences by the name of the package.
    licenses: HashMap<String, Vec<String>>,
}

/// Says what becomes of a package.
#[derive(Clone, Default)]
struct OsPackage {
    /// Where its database comes among all; `None` if it belongs to another distribution, as far as is
    /// known.
    rank: Option<u32>,
    /// The layer that introduced it, and the files that it owned there. A package that names its
    /// layer already comes from an SBOM of an image and stays as it is.
    origin: Option<(u32, TextList)>,
}

impl PackagePlan for OsPackage {
    fn rank(&self) -> Option<u32> {
        self.rank
    }
}

impl PackagesPlan {
    /// Plans the packages. Source: spec 02 section 3, steps 1–5.
    pub(super) fn new(tree: &Tree<'_>, origins: &Origins<'_>, detected: &Detected) -> Self {
        let stated: HashMap<&str, (&LicenseFiles, usize)> = tree
            .license_files()
            .filter_map(|(files, number)| Some((files.package_name(number)?, (files, number))))
            .collect();
        let mut packages = ListsPlan::<OsPackage>::default();
        let mut licenses: HashMap<String, Vec<String>> = HashMap::new();
        for (rank, database) in (0..).zip(tree.databases()) {
            let plans = packages.plans_of(&database.placed);
            for (package, plan) in database.view.packages.iter().zip(plans) {
                if !purl::fits(package, &detected.distro) {
                    continue;
                }
                plan.rank = Some(rank);
                if package.layer.is_none() {
                    plan.origin = origins.of_package(package);
                }
                if let Some((files, number)) = stated.get(package.name.as_str())
                    && !licenses.contains_key(&package.name)
                    && let Some(file) = files.get(*number)
                {
                    let names = file.licenses.into_iter().map(str::to_owned);
                    licenses.insert(package.name.clone(), names.collect());
                }
            }
        }
        Self { packages, licenses }
    }

    /// Returns the lists that are asked for.
    pub(super) fn lists(&self) -> impl Iterator<Item = ListId> + '_ {
        self.packages.lists()
    }

    /// Completes the packages, drops what belongs to another distribution or occurs twice, and
    /// sorts.
    pub(super) fn apply(
        self,
        lists: &mut Lists<'_>,
        frame: &Frame,
        distro: &Distro,
    ) -> Vec<Package> {
        let mut joined = Joined::default();
        for (id, plans) in self.packages.iter() {
            let is_kept = |number: usize| plans.get(number).is_some_and(|plan| plan.rank.is_some());
            let mut packages = lists.take(id, is_kept);
            let kept = plans.iter().filter(|plan| plan.rank.is_some());
            for (package, plan) in packages.iter_mut().zip(kept) {
                complete(package, plan, frame, distro);
                if let Some(licenses) = self.licenses.get(&package.name) {
                    package.licenses.clone_from(licenses);
                }
            }
            joined.append(packages, plans);
        }
        let mut packages = joined.by_rank();
        without_repeated(&mut packages);
        package::sort(&mut packages);
        packages
    }
}

/// Adds what the layer that introduced a package says, and its URL.
fn complete(package: &mut Package, plan: &OsPackage, frame: &Frame, distro: &Distro) {
    if let Some((layer_index, files)) = &plan.origin {
        let layer_index = *layer_index as usize;
        package.layer = frame.layers.get(layer_index).copied();
        package.installed_files = files.clone();
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
