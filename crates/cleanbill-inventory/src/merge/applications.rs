//! The language applications of an image.

use std::collections::{BTreeMap, HashMap};

use cleanbill_core::inventory::Application;
use cleanbill_core::{Package, package};

use super::Frame;
use super::lists::{ListId, Lists};
use super::origin::Origins;
use super::packages::append;
use super::purl;
use super::put::Rest;
use super::tree::Tree;
use crate::draft::is_joined;

/// Says what becomes of the applications that are left. There may be as many as packages: nothing is
/// allocated for one alone.
pub(super) struct ApplicationsPlan {
    lists: Vec<ListPlan>,
    /// The packages of all of them, one list after the other.
    packages: Vec<PackagePlan>,
}

/// Is the list of an application, or of those of a group.
struct ListPlan {
    id: ListId,
    package_count: usize,
}

/// Says what becomes of a package.
#[derive(Clone, Copy, Default)]
struct PackagePlan {
    /// Where its application comes among all; `None` if the package is left out.
    rank: Option<u32>,
    /// The layer that introduced it. One from an SBOM may state it itself.
    layer_index: Option<u32>,
}

impl PackagePlan {
    const fn is_kept(&self) -> bool {
        self.rank.is_some()
    }
}

/// Holds the packages of an application of the image, or of several that are joined.
#[derive(Default)]
struct Joined {
    packages: Vec<Package>,
    /// Where the application of each comes among all.
    ranks: Vec<u32>,
}

impl ApplicationsPlan {
    /// Plans the applications. Packages that only development needs are left out. Source: spec 04
    /// section 0.5.
    pub(super) fn new(tree: &Tree<'_>, origins: &Origins<'_>) -> Self {
        let mut plan = Self {
            lists: Vec::new(),
            packages: Vec::new(),
        };
        // Where the plans of each group begin.
        let mut groups: HashMap<ListId, usize> = HashMap::new();
        for (rank, rest) in (0..).zip(tree.applications()) {
            let known = groups.get(&rest.list).copied();
            let begin = known.filter(|begin| !plan.keeps_any(*begin, &rest));
            let begin = begin.unwrap_or_else(|| plan.add_list(&rest));
            if rest.list.kind.is_shared() {
                groups.insert(rest.list, begin);
            }
            for (number, package) in rest.packages().filter(|(_, package)| !package.dev) {
                if let Some(of_package) = plan.packages.get_mut(begin + number) {
                    of_package.rank = Some(rank);
                    if package.layer.is_none() {
                        let path = rest.application.path;
                        of_package.layer_index = origins.of_application_package(path, package);
                    }
                }
            }
        }
        plan
    }

    /// Says whether an application is planned already: what lies behind a link may be shown twice.
    fn keeps_any(&self, begin: usize, rest: &Rest<'_, '_>) -> bool {
        let span = &rest.span;
        let plans = self.packages.get(begin + span.start..begin + span.end);
        let mut plans = plans.into_iter().flatten();
        plans.any(PackagePlan::is_kept)
    }

    /// Leaves all packages of a list out, for now. Returns where their plans begin.
    fn add_list(&mut self, rest: &Rest<'_, '_>) -> usize {
        let (begin, package_count) = (self.packages.len(), rest.list_length);
        let id = rest.list;
        self.lists.push(ListPlan { id, package_count });
        self.packages
            .resize(begin + package_count, PackagePlan::default());
        begin
    }

    /// Returns the lists that are asked for.
    pub(super) fn lists(&self) -> impl Iterator<Item = ListId> + '_ {
        self.lists.iter().map(|plan| plan.id)
    }

    /// Completes the applications, joins those that reports join, and sorts by type and path.
    /// Applications without a package are left out. Source: spec 04 section 0.4.
    pub(super) fn apply(self, lists: &mut Lists<'_>, frame: &Frame) -> Vec<Application> {
        let mut joined: BTreeMap<(String, String), Joined> = BTreeMap::new();
        let mut left = self.packages.as_slice();
        for ListPlan { id, package_count } in self.lists {
            let plans;
            (plans, left) = left.split_at(package_count.min(left.len()));
            let is_kept = |number| plans.get(number).is_some_and(PackagePlan::is_kept);
            let (kind, path) = lists.name_of(id);
            let mut packages = lists.take(id, is_kept);
            let kept = plans.iter().filter(|of_package| of_package.is_kept());
            for (package, of_package) in packages.iter_mut().zip(kept.clone()) {
                complete(package, &kind, of_package.layer_index, frame);
            }
            let shown_path = if is_joined(&kind) {
                String::new()
            } else {
                path
            };
            let joined = joined.entry((kind, shown_path)).or_default();
            append(&mut joined.packages, packages);
            joined
                .ranks
                .extend(kept.filter_map(|of_package| of_package.rank));
        }
        joined
            .into_iter()
            .filter(|(_, joined)| !joined.packages.is_empty())
            .map(|((kind, path), joined)| Application {
                kind,
                path,
                packages: joined.sorted(),
            })
            .collect()
    }
}

impl Joined {
    /// Sorts the packages; equal ones stay in the order of their applications.
    fn sorted(mut self) -> Vec<Package> {
        if self.ranks.is_sorted() {
            package::sort(&mut self.packages);
        } else {
            let mut order: Vec<u32> = (0_u32..).take(self.packages.len()).collect();
            order.sort_by_key(|number| self.ranks.get(*number as usize));
            package::sort_from(&mut self.packages, order);
        }
        self.packages
    }
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
