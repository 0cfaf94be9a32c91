//! The language applications of an image.

use std::collections::BTreeMap;

use cleanbill_core::inventory::Application;
use cleanbill_core::{Package, package};

use super::Frame;
use super::lists::{ListId, Lists};
use super::origin::Origins;
use super::plan::{Joined, ListsPlan, PackagePlan};
use super::purl;
use super::tree::Tree;
use crate::draft::is_joined;

/// Says what becomes of the applications that are left.
pub(super) struct ApplicationsPlan(ListsPlan<ApplicationPackage>);

/// Says what becomes of a package.
#[derive(Clone, Copy, Default)]
struct ApplicationPackage {
    /// Where its application comes among all; `None` if the package is left out.
    rank: Option<u32>,
    /// The layer that introduced it. One from an SBOM may state it itself.
    layer_index: Option<u32>,
}

impl PackagePlan for ApplicationPackage {
    fn rank(&self) -> Option<u32> {
        self.rank
    }
}

impl ApplicationsPlan {
    /// Plans the applications. Packages that only development needs are left out. Source: spec 04
    /// section 0.5.
    pub(super) fn new(tree: &Tree<'_>, origins: &Origins<'_>) -> Self {
        let mut plan = ListsPlan::<ApplicationPackage>::default();
        for (rank, rest) in (0..).zip(tree.applications()) {
            let plans = plan.plans_of(&rest.placed);
            for (number, package) in rest.packages().filter(|(_, package)| !package.dev) {
                if let Some(of_package) = plans.get_mut(number) {
                    of_package.rank = Some(rank);
                    if package.layer.is_none() {
                        let path = rest.application.path;
                        of_package.layer_index = origins.of_application_package(path, package);
                    }
                }
            }
        }
        Self(plan)
    }

    /// Returns the lists that are asked for.
    pub(super) fn lists(&self) -> impl Iterator<Item = ListId> + '_ {
        self.0.lists()
    }

    /// Completes the applications, joins those that reports join, and sorts by type and path.
    /// Applications without a package are left out. Source: spec 04 section 0.4.
    pub(super) fn apply(self, lists: &mut Lists<'_>, frame: &Frame) -> Vec<Application> {
        let mut joined: BTreeMap<String, Joined> = BTreeMap::new();
        let mut applications: Vec<(u32, Application)> = Vec::new();
        for (id, plans) in self.0.iter() {
            let is_kept = |number: usize| plans.get(number).is_some_and(|plan| plan.rank.is_some());
            let (kind, path) = lists.name_of(id);
            let mut packages = lists.take(id, is_kept);
            let kept = plans.iter().filter(|of_package| of_package.rank.is_some());
            for (package, of_package) in packages.iter_mut().zip(kept) {
                complete(package, &kind, of_package.layer_index, frame);
            }
            if is_joined(&kind) {
                joined.entry(kind).or_default().append(packages, plans);
            } else if let Some(rank) = plans.iter().find_map(PackagePlan::rank) {
                let application = Application {
                    kind,
                    path,
                    packages,
                };
                applications.push((rank, application));
            }
        }
        let joined = joined.into_iter().filter(|(_, joined)| !joined.is_empty());
        applications.extend(joined.map(|(kind, joined)| {
            let application = Application {
                kind,
                path: String::new(),
                packages: joined.by_rank(),
            };
            (0, application)
        }));
        sorted(applications)
    }
}

/// Sorts applications, each with its rank, by type and path. Those of one type and path become one.
fn sorted(mut applications: Vec<(u32, Application)>) -> Vec<Application> {
    applications.sort_by(|(a_rank, a), (b_rank, b)| {
        (&a.kind, &a.path, a_rank).cmp(&(&b.kind, &b.path, b_rank))
    });
    applications.dedup_by(|(_, next), (_, kept)| {
        let is_same = (&next.kind, &next.path) == (&kept.kind, &kept.path);
        if is_same {
            package::append(&mut kept.packages, std::mem::take(&mut next.packages));
        }
        is_same
    });
    for (_, application) in &mut applications {
        package::sort(&mut application.packages);
    }
    applications.into_iter().map(|(_, one)| one).collect()
}

/// Adds the layer that introduced a package, and its URL. One from an SBOM may state either itself.
fn complete(package: &mut Package, kind: &str, layer_index: Option<u32>, frame: &Frame) {
    if package.layer.is_none() {
        let layer = layer_index.map(|index| frame.layers.get(index as usize));
        package.layer = layer.flatten().copied();
    }
    if package.identifier.purl.is_none() {
        package.identifier.purl = purl::of_application_package(kind, package);
    }
}
