//! Ways up a dependency graph that end before the root.
//!
//! The reference walks every simple way up; where all parents of a node lie on the way already,
//! it takes the way for one that reaches the root. Packages that need each other in a circle lead
//! there. Walking every way takes forever on a graph with many diamonds, so this module looks only
//! where such an end is possible: at nodes all of whose parents lie in the same circle.

use std::collections::{BTreeSet, HashSet};

/// Steps that are spent on one circle of packages; then the finding stays.
const STEPS_MAX: usize = 10_000;

/// Holds where ways can end.
pub(super) struct DeadEnds {
    /// The strongly connected component of each node.
    circle_of: Vec<usize>,
    /// Nodes that have no parents, or only parents of their own circle.
    candidates: Vec<usize>,
}

impl DeadEnds {
    pub(super) fn find(parents: &[Vec<usize>], root: usize) -> Self {
        let circle_of = circles(parents);
        let candidates = (0..parents.len())
            .filter(|&node| {
                let mut above = at(parents, node).iter();
                node != root && above.all(|&p| circle_of.get(p) == circle_of.get(node))
            })
            .collect();
        Self {
            circle_of,
            candidates,
        }
    }

    /// Says whether some simple way up from `leaf` through the nodes of `uncut` ends at a node all
    /// of whose parents lie on the way. `edges` are the (child, parent) pairs above them.
    pub(super) fn are_met(
        &self,
        parents: &[Vec<usize>],
        leaf: usize,
        uncut: &HashSet<usize>,
        edges: &[(usize, usize)],
    ) -> bool {
        let mut searched = HashSet::new();
        for &candidate in &self.candidates {
            let above = at(parents, candidate);
            if !uncut.contains(&candidate) || !above.iter().all(|p| uncut.contains(p)) {
                continue;
            }
            let circle = self.circle(candidate);
            if above.is_empty() {
                return true;
            }
            if searched.insert(circle) {
                let entries = edges
                    .iter()
                    .filter(|(child, _)| self.circle(*child) != circle)
                    .map(|(_, parent)| *parent)
                    .chain([leaf])
                    .filter(|node| self.circle(*node) == circle && uncut.contains(node));
                let inside = |node: &usize| self.circle(*node) == circle && uncut.contains(node);
                if ends_inside(parents, entries.collect(), inside) {
                    return true;
                }
            }
        }
        false
    }

    fn circle(&self, node: usize) -> usize {
        self.circle_of.get(node).copied().unwrap_or(usize::MAX)
    }
}

/// Walks every simple way inside a circle from the given entries.
fn ends_inside(
    parents: &[Vec<usize>],
    entries: BTreeSet<usize>,
    inside: impl Fn(&usize) -> bool,
) -> bool {
    let mut steps = 0;
    for entry in entries {
        let mut on_way = HashSet::new();
        let mut way: Vec<(usize, usize)> = Vec::new();
        let mut next = Some(entry);
        loop {
            if let Some(node) = next.take() {
                steps += 1;
                if steps > STEPS_MAX || at(parents, node).iter().all(|p| on_way.contains(p)) {
                    return true;
                }
                on_way.insert(node);
                way.push((node, 0));
            }
            let Some((node, tried)) = way.last_mut() else {
                break;
            };
            match at(parents, *node).get(*tried) {
                Some(parent) => {
                    *tried += 1;
                    next = Some(*parent).filter(|p| inside(p) && !on_way.contains(p));
                }
                None => {
                    on_way.remove(node);
                    way.pop();
                }
            }
        }
    }
    false
}

/// Numbers the strongly connected components (Kosaraju's algorithm, without recursion).
fn circles(parents: &[Vec<usize>]) -> Vec<usize> {
    let mut children = vec![Vec::new(); parents.len()];
    for (child, above) in parents.iter().enumerate() {
        for &parent in above {
            if let Some(below) = children.get_mut(parent) {
                below.push(child);
            }
        }
    }
    const NONE: usize = usize::MAX;
    let mut circle_of = vec![NONE; parents.len()];
    for start in finishing_order(parents).into_iter().rev() {
        let mut pending = vec![start];
        while let Some(node) = pending.pop() {
            if let Some(circle) = circle_of.get_mut(node)
                && *circle == NONE
            {
                *circle = start;
                pending.extend(at(&children, node));
            }
        }
    }
    circle_of
}

fn finishing_order(parents: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(parents.len());
    let mut seen = HashSet::new();
    for start in 0..parents.len() {
        let mut way = Vec::new();
        if seen.insert(start) {
            way.push((start, 0));
        }
        while let Some((node, tried)) = way.last_mut() {
            match at(parents, *node).get(*tried) {
                Some(&parent) => {
                    *tried += 1;
                    if seen.insert(parent) {
                        way.push((parent, 0));
                    }
                }
                None => {
                    order.push(*node);
                    way.pop();
                }
            }
        }
    }
    order
}

fn at(lists: &[Vec<usize>], index: usize) -> &[usize] {
    lists.get(index).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests;
