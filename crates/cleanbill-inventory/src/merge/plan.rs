//! Planning what becomes of packages, by their places in lists.

use std::collections::HashMap;
use std::ops::Range;

use cleanbill_core::{Package, package};

use super::lists::ListId;

/// Says where packages are: in which list, how many that has, and where there.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) list: ListId,
    pub(super) list_length: usize,
    pub(super) span: Range<usize>,
}

/// Says what becomes of a package; by default it is left out.
pub(super) trait PackagePlan: Clone + Default {
    /// Returns where that of which the package is part comes among all; `None` if it is left out.
    fn rank(&self) -> Option<u32>;
}

/// Says what becomes of the packages of lists. There may be as many files as packages: nothing is
/// allocated for one alone.
pub(super) struct ListsPlan<P> {
    lists: Vec<PlannedList>,
    /// The packages of all of them, one list after the other.
    packages: Vec<P>,
    /// Where those of each shared list begin.
    begins: HashMap<ListId, usize>,
}

struct PlannedList {
    id: ListId,
    package_count: usize,
}

/// Holds packages of several lists, and where that of which each is part comes among all.
#[derive(Default)]
pub(super) struct Joined {
    packages: Vec<Package>,
    ranks: Vec<u32>,
}

impl<P> Default for ListsPlan<P> {
    fn default() -> Self {
        Self {
            lists: Vec::new(),
            packages: Vec::new(),
            begins: HashMap::new(),
        }
    }
}

impl<P: PackagePlan> ListsPlan<P> {
    /// Returns the plans of some packages, to be made.
    pub(super) fn plans_of(&mut self, placed: &Placed) -> &mut [P] {
        let span = &placed.span;
        let known = self.begins.get(&placed.list).copied();
        let known = known.filter(|begin| !self.keeps_any(begin + span.start..begin + span.end));
        let begin = known.unwrap_or_else(|| self.add_list(placed));
        let plans = self.packages.get_mut(begin + span.start..begin + span.end);
        plans.unwrap_or_default()
    }

    /// Says whether packages are planned already: what lies behind a link may be shown twice.
    fn keeps_any(&self, places: Range<usize>) -> bool {
        let mut plans = self.packages.get(places).into_iter().flatten();
        plans.any(|plan| plan.rank().is_some())
    }

    /// Leaves all packages of a list out, for now. Returns where their plans begin.
    fn add_list(&mut self, placed: &Placed) -> usize {
        let (begin, package_count) = (self.packages.len(), placed.list_length);
        let id = placed.list;
        self.lists.push(PlannedList { id, package_count });
        self.packages.resize(begin + package_count, P::default());
        if id.kind.is_shared() {
            self.begins.insert(id, begin);
        }
        begin
    }

    /// Returns the lists that are asked for.
    pub(super) fn lists(&self) -> impl Iterator<Item = ListId> + '_ {
        self.lists.iter().map(|list| list.id)
    }

    /// Iterates over the lists, each with the plans of its packages.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ListId, &[P])> {
        let mut left = self.packages.as_slice();
        self.lists.iter().map(move |list| {
            let plans;
            (plans, left) = left.split_at(list.package_count.min(left.len()));
            (list.id, plans)
        })
    }
}

impl Joined {
    /// Appends the packages of a list that are kept, with the plans of all its packages.
    pub(super) fn append<P: PackagePlan>(&mut self, packages: Vec<Package>, plans: &[P]) {
        package::append(&mut self.packages, packages);
        self.ranks
            .extend(plans.iter().filter_map(PackagePlan::rank));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// Returns the packages by rank.
    pub(super) fn by_rank(mut self) -> Vec<Package> {
        if let Some(order) = self.order() {
            package::arrange(&mut self.packages, order);
        }
        self.packages
    }

    /// Returns the numbers of the packages by rank, `None` if that is how they stand.
    fn order(&self) -> Option<Vec<u32>> {
        if self.ranks.is_sorted() {
            return None;
        }
        let mut order: Vec<u32> = (0_u32..).take(self.packages.len()).collect();
        order.sort_by_key(|number| self.ranks.get(*number as usize));
        Some(order)
    }
}
