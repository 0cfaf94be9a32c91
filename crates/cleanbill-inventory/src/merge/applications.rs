//! The language applications of an image.

use std::collections::BTreeMap;

use cleanbill_core::inventory::Application;
use cleanbill_core::{Package, package};

use super::Frame;
use super::lists::{ListId, Lists};
use super::origin::Origins;
use super::packages::append;
use super::purl;
use super::tree::{Rest, Tree};

/// Types of which reports join all applications into one; the packages keep their own paths.
/// Source: spec 03 section 4.
const JOINED: &[&str] = &["conda-pkg", "gemspec", "jar", "node-pkg", "python-pkg"];

/// Says what becomes of the applications that are left. There may be as many as packages: nothing is
/// allocated for one alone.
pub(super) struct ApplicationsPlan {
    applications: Vec<ApplicationPlan>,
    /// The packages of all of them, one application after the other.
    packages: Vec<PackagePlan>,
}

struct ApplicationPlan {
    id: ListId,
    package_count: usize,
}

/// Says what becomes of a package.
#[derive(Clone, Copy)]
struct PackagePlan {
    is_kept: bool,
    /// The layer that introduced it. One from an SBOM may state it itself.
    layer_index: Option<u32>,
}

impl ApplicationsPlan {
    /// Plans the applications. Packages that only development needs are left out. Source: spec 04
    /// section 0.5.
    pub(super) fn new(tree: &Tree<'_>, origins: &Origins<'_>) -> Self {
        let mut plan = Self {
            applications: Vec::new(),
            packages: Vec::new(),
        };
        for (id, rest) in tree.applications() {
            plan.applications.push(ApplicationPlan {
                id,
                package_count: rest.application.packages.len(),
            });
            plan.add_packages(rest, origins);
        }
        plan
    }

    fn add_packages(&mut self, rest: &Rest<'_>, origins: &Origins<'_>) {
        let Application { path, packages, .. } = rest.application;
        let left_out = PackagePlan {
            is_kept: false,
            layer_index: None,
        };
        let begin = self.packages.len();
        self.packages.resize(begin + packages.len(), left_out);
        for (number, package) in rest.packages().filter(|(_, package)| !package.dev) {
            if let Some(plan) = self.packages.get_mut(begin + number) {
                plan.is_kept = true;
                if package.layer.is_none() {
                    plan.layer_index = origins.of_application_package(path, package);
                }
            }
        }
    }

    /// Returns the lists that are asked for.
    pub(super) fn lists(&self) -> impl Iterator<Item = ListId> + '_ {
        self.applications.iter().map(|plan| plan.id)
    }

    /// Completes the applications, joins those that reports join, and sorts by type and path.
    /// Applications without a package are left out. Source: spec 04 section 0.4.
    pub(super) fn apply(self, lists: &mut Lists<'_>, frame: &Frame) -> Vec<Application> {
        let mut joined: BTreeMap<(String, String), Vec<Package>> = BTreeMap::new();
        let mut plans = self.packages.into_iter();
        for ApplicationPlan { id, package_count } in self.applications {
            let (kind, path) = lists.name_of_application(id);
            let mut packages = lists.take(id);
            let mut plans = plans.by_ref().take(package_count);
            packages.retain_mut(|package| match plans.next() {
                Some(of_package) if of_package.is_kept => {
                    complete(package, &kind, of_package, frame);
                    true
                }
                _ => false,
            });
            plans.for_each(drop);
            let is_joined = JOINED.contains(&kind.as_str());
            let shown_path = if is_joined { String::new() } else { path };
            append(joined.entry((kind, shown_path)).or_default(), packages);
        }
        joined
            .into_iter()
            .filter(|(_, packages)| !packages.is_empty())
            .map(|((kind, path), mut packages)| {
                package::sort(&mut packages);
                Application {
                    kind,
                    path,
                    packages,
                }
            })
            .collect()
    }
}

/// Adds the layer that introduced a package, and its URL. One from an SBOM may state either itself.
fn complete(package: &mut Package, kind: &str, plan: PackagePlan, frame: &Frame) {
    if package.layer.is_none() {
        let layer = plan
            .layer_index
            .map(|index| frame.layers.get(index as usize));
        package.layer = layer.flatten().copied();
    }
    if package.identifier.purl.is_none() {
        package.identifier.purl = purl::of_application_package(kind, package);
    }
}
