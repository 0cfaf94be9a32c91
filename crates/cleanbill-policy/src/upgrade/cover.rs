//! The fewest groups that meet several needs at once.
//!
//! That is a covering problem, hard in general and easy where it matters: a need that takes
//! everything there is leaves no choice, and for a single need the largest groups are the fewest.
//! What is left is searched with a bound on the steps, so that no report takes long; a set that was
//! not proven to be the smallest says so.

use std::collections::BinaryHeap;

/// Steps of the search, some 30 ms of it: a pipeline waits. Ten groups never need as many.
const STEPS_MAX: u32 = 3_000;

/// Groups that are searched; more are only chosen greedily.
const SEARCHED_MAX: usize = 200;

/// Holds the groups that were chosen, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) chosen: Vec<usize>,
    pub(super) is_smallest: bool,
}

/// Chooses among `candidates` so that for each need the weights of the chosen reach it. `weights`
/// has a row for each group and a column for each need; the candidates reach every need.
pub(super) fn cover(weights: &[Vec<u64>], needs: &[u64], candidates: Vec<usize>) -> Cover {
    let mut problem = Problem {
        weights,
        needs: needs.to_vec(),
        candidates,
    };
    let mut chosen = problem.take_forced();
    let greedy = problem.greedy();
    let bound = problem.bound(&problem.needs, 0);
    let (rest, is_smallest) = if greedy.len() <= bound {
        (greedy, true)
    } else if problem.candidates.len() <= SEARCHED_MAX {
        problem.search(greedy)
    } else {
        (greedy, false)
    };
    chosen.extend(rest);
    chosen.sort_unstable();
    Cover {
        chosen,
        is_smallest,
    }
}

struct Problem<'a> {
    weights: &'a [Vec<u64>],
    needs: Vec<u64>,
    candidates: Vec<usize>,
}

impl Problem<'_> {
    fn weight(&self, group: usize, need: usize) -> u64 {
        let row = self.weights.get(group);
        row.and_then(|row| row.get(need)).copied().unwrap_or(0)
    }

    /// Takes the groups without which a need cannot be reached, and leaves those that still help.
    fn take_forced(&mut self) -> Vec<usize> {
        let mut forced = Vec::new();
        for need in 0..self.needs.len() {
            let wanted = self.needs.get(need).copied().unwrap_or(0);
            let all: u64 = self
                .candidates
                .iter()
                .map(|one| self.weight(*one, need))
                .sum();
            if wanted == 0 {
                continue;
            }
            let is_forced = |group: &usize| {
                let weight = self.weight(*group, need);
                weight > 0 && all.saturating_sub(weight) < wanted
            };
            forced.extend(self.candidates.iter().copied().filter(is_forced));
        }
        forced.sort_unstable();
        forced.dedup();
        let mut needs = std::mem::take(&mut self.needs);
        forced
            .iter()
            .for_each(|group| self.meet(&mut needs, *group));
        self.needs = needs;
        let candidates = std::mem::take(&mut self.candidates);
        self.candidates = candidates
            .into_iter()
            .filter(|group| {
                forced.binary_search(group).is_err() && self.gain(&self.needs, *group) > 0
            })
            .collect();
        forced
    }

    fn meet(&self, needs: &mut [u64], group: usize) {
        for (number, need) in needs.iter_mut().enumerate() {
            *need = need.saturating_sub(self.weight(group, number));
        }
    }

    /// Returns how much of the needs a group meets.
    fn gain(&self, needs: &[u64], group: usize) -> u64 {
        let needs = needs.iter().enumerate();
        needs
            .map(|(number, need)| self.weight(group, number).min(*need))
            .sum()
    }

    /// Takes the group that gains the most until every need is met, then drops what became
    /// superfluous. What a group gains only shrinks, so an old figure bounds the new one.
    fn greedy(&self) -> Vec<usize> {
        let mut needs = self.needs.clone();
        let entry = |gain: u64, group: usize| (gain, std::cmp::Reverse(group));
        let mut heap: BinaryHeap<_> = self
            .candidates
            .iter()
            .map(|group| entry(self.gain(&needs, *group), *group))
            .collect();
        let mut chosen = Vec::new();
        while needs.iter().any(|need| *need > 0) {
            let Some((gain, std::cmp::Reverse(group))) = heap.pop() else {
                break;
            };
            let now = self.gain(&needs, group);
            if now == 0 {
                continue;
            }
            if now < gain {
                heap.push(entry(now, group));
                continue;
            }
            self.meet(&mut needs, group);
            chosen.push(group);
        }
        self.without_superfluous(&chosen)
    }

    fn without_superfluous(&self, chosen: &[usize]) -> Vec<usize> {
        let sum = |need: usize| chosen.iter().map(|group| self.weight(*group, need)).sum();
        let mut sums: Vec<u64> = (0..self.needs.len()).map(sum).collect();
        let mut kept = Vec::new();
        // The last ones gained the least.
        for group in chosen.iter().rev() {
            let is_superfluous =
                self.needs
                    .iter()
                    .zip(&sums)
                    .enumerate()
                    .all(|(number, (need, sum))| {
                        sum.saturating_sub(self.weight(*group, number)) >= *need
                    });
            if is_superfluous {
                for (number, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.saturating_sub(self.weight(*group, number));
                }
            } else {
                kept.push(*group);
            }
        }
        kept
    }

    /// Returns how many of the candidates from a place on are needed at least.
    fn bound(&self, needs: &[u64], from: usize) -> usize {
        let rest = self.candidates.get(from..).unwrap_or_default();
        let for_need = |(number, need): (usize, &u64)| {
            if *need == 0 {
                return 0;
            }
            let mut weights: Vec<u64> = rest.iter().map(|one| self.weight(*one, number)).collect();
            weights.sort_unstable_by(|a, b| b.cmp(a));
            let mut met = 0_u64;
            let enough = weights.iter().position(|weight| {
                met = met.saturating_add(*weight);
                met >= *need
            });
            enough.map_or(usize::MAX, |last| last + 1)
        };
        needs.iter().enumerate().map(for_need).max().unwrap_or(0)
    }

    /// Looks for fewer groups than were found, by taking or leaving each candidate, the heaviest
    /// first. Says whether every way was tried.
    fn search(&mut self, best: Vec<usize>) -> (Vec<usize>, bool) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort_by_key(|group| std::cmp::Reverse(self.gain(&self.needs, *group)));
        self.candidates = candidates;
        let mut best = best;
        let mut steps = 0;
        // A place in the candidates, the groups taken before it, and the needs that are left.
        let mut open: Vec<(usize, Vec<usize>, Vec<u64>)> =
            vec![(0, Vec::new(), self.needs.clone())];
        while let Some((place, taken, needs)) = open.pop() {
            steps += 1;
            if steps > STEPS_MAX {
                return (best, false);
            }
            if needs.iter().all(|need| *need == 0) {
                if taken.len() < best.len() {
                    best = taken;
                }
                continue;
            }
            if taken.len().saturating_add(self.bound(&needs, place)) >= best.len() {
                continue;
            }
            let Some(group) = self.candidates.get(place).copied() else {
                continue;
            };
            open.push((place + 1, taken.clone(), needs.clone()));
            let (mut with, mut left) = (taken, needs);
            with.push(group);
            self.meet(&mut left, group);
            open.push((place + 1, with, left));
        }
        (best, true)
    }
}
