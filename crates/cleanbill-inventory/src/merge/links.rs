//! Following links: which files lie behind the places that extractors want, and where they have
//! been read.

mod rename;
mod resolve;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::count;
use cleanbill_core::inventory::{Alias, Applications, LayerInventory, Link, PathKind};
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Limits, Problem, path};

use super::view::View;
use super::{AliasRequest, GrownLayer};
use crate::extractor::LinkRule;
use crate::java;
use crate::walk;
use resolve::{Named, Resolution, Step};

/// Holds what following the links of an image established.
#[derive(Default)]
pub(super) struct FollowedLinks<'a> {
    /// What was found behind links.
    pub(super) shown: Vec<Shown<'a>>,
    /// What has not been read yet, sorted.
    pub(super) wanted: Vec<AliasRequest>,
    pub(super) problems: Vec<Problem>,
}

/// Is what lies behind one link in one layer.
pub(crate) struct Shown<'a> {
    /// The layer at whose turn the findings are put into the tree.
    pub(super) layer_index: usize,
    /// The findings, under the link's path.
    pub(super) inventory: Cow<'a, LayerInventory>,
    /// The link's path.
    shown_root: String,
    /// The path whose fate the findings share: the target of a symbolic link, the hard link
    /// itself.
    real_root: String,
}

impl Shown<'_> {
    /// Converts a shown path to the path whose fate it shares.
    pub(super) fn real_path(&self, shown: &str) -> String {
        match shown.strip_prefix(self.shown_root.as_str()) {
            Some(rest) => path::clean(&format!("{}{rest}", self.real_root)),
            None => shown.to_owned(),
        }
    }
}

/// Follows every link that matters.
pub(super) fn follow<'a>(
    view: &View<'a>,
    grown: &'a [GrownLayer],
    limits: &Limits,
) -> FollowedLinks<'a> {
    let mut follower = Follower {
        view,
        grown: grown
            .iter()
            .map(|grown| ((grown.layer_index, &grown.alias), grown.inventory.as_ref()))
            .collect(),
        depth_max: limits.link_depth_max,
        aliases_max: limits.aliases_per_image_max,
        components_left: limits.link_components_max,
        names: Vec::new(),
        named_packages_max: limits.packages_per_layer_max,
        named_packages: 0,
        names_left_out: 0,
        needed: BTreeSet::new(),
        problems: Vec::new(),
    };
    for (layer_index, link) in second_names(view) {
        follower.second_name(layer_index, layer_index, &link.path, &link.target);
    }
    for candidate in candidates(view, grown) {
        follower.follow(&candidate);
    }
    if follower.components_left == 0 {
        follower.problems.push(Problem::new(
            ProblemKind::LimitExceeded,
            format!(
                "following links takes more than {} steps (link_components_max)",
                limits.link_components_max
            ),
        ));
    }
    follower.finish()
}

/// Is a path that an extractor wants, or a directory of such paths, where there may be a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// The path that extractors are shown.
    shown: String,
    /// Where resolving begins: the same, or behind a link that was followed already.
    start: String,
}

/// Collects the places at or below links, and the links that extractors want for their name.
fn candidates(view: &View<'_>, grown: &[GrownLayer]) -> BTreeSet<Candidate> {
    let mut candidates = BTreeSet::new();
    for (layer_index, layer) in view.layers().iter().enumerate() {
        for link in &layer.inventory.links {
            if is_in_effect(view, layer_index, link) && !is_second_name(view, layer_index, link) {
                add_candidates(&link.path, &link.path, &mut candidates);
            }
        }
    }
    for grown in grown {
        for link in &grown.inventory.links {
            if link.path == grown.alias.target {
                continue;
            }
            let Some(shown) = grown.alias.shown_path(&link.path) else {
                continue;
            };
            if is_in_effect(view, grown.layer_index, link) {
                add_candidates(&shown, &link.path, &mut candidates);
            }
        }
    }
    candidates
}

fn add_candidates(shown: &str, start: &str, candidates: &mut BTreeSet<Candidate>) {
    for place in walk::places_below(shown) {
        let rest = place.strip_prefix(shown).unwrap_or_default();
        candidates.insert(Candidate {
            shown: (*place).to_owned(),
            start: format!("{start}{rest}"),
        });
    }
    if walk::link_rule_at(shown).is_some() {
        candidates.insert(Candidate {
            shown: shown.to_owned(),
            start: start.to_owned(),
        });
    }
}

fn is_in_effect(view: &View<'_>, layer_index: usize, link: &Link) -> bool {
    view.holder(&link.path)
        .is_some_and(|holder| holder.layer_index == layer_index)
}

/// Collects the hard links that are second names of files of their own layer. Package managers
/// that link their store into every project leave tens of thousands of these, which is why none of
/// them takes a step to follow.
fn second_names<'a>(view: &View<'a>) -> Vec<(usize, &'a Link)> {
    let mut names = Vec::new();
    for (layer_index, layer) in view.layers().iter().enumerate() {
        let links = layer.inventory.links.iter();
        let second = links.filter(|link| {
            is_second_name(view, layer_index, link) && is_in_effect(view, layer_index, link)
        });
        names.extend(second.map(|link| (layer_index, link)));
    }
    names
}

fn is_second_name(view: &View<'_>, layer_index: usize, link: &Link) -> bool {
    link.is_hard
        && is_known_by_name(&link.path, &link.target)
        && view.link(layer_index, &link.target).is_none()
        && view
            .holder(&link.target)
            .is_some_and(|holder| holder.layer_index == layer_index)
}

/// Says whether extractors that go by file name want a file under both names: what they found
/// under the one, they would find under the other.
fn is_known_by_name(path: &str, target: &str) -> bool {
    walk::places_below(path).is_empty()
        && walk::link_rule_at(path).is_some()
        && walk::is_read_anyway(path, target, PathKind::NonDirectory)
}

struct Follower<'v, 'a> {
    view: &'v View<'a>,
    grown: BTreeMap<(usize, &'a Alias), &'a LayerInventory>,
    depth_max: u32,
    aliases_max: u64,
    components_left: u64,
    /// Second names that are given to what was found under the first.
    names: Vec<Shown<'a>>,
    /// Packages that were given second names, and how many may be.
    named_packages: u64,
    named_packages_max: u64,
    names_left_out: u64,
    needed: BTreeSet<Needed>,
    problems: Vec<Problem>,
}

/// Is a reading that the inventory is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Needed {
    request: AliasRequest,
    /// The layer at whose turn it counts.
    turn: usize,
    /// The path whose fate it shares.
    real_root: String,
}

impl<'a> Follower<'_, 'a> {
    /// Follows one path.
    fn follow(&mut self, candidate: &Candidate) {
        let resolution = self.resolve(&candidate.start);
        self.take(candidate, resolution, 0);
    }

    fn resolve(&mut self, path: &str) -> Resolution<'a> {
        resolve::resolve(self.view, path, self.depth_max, &mut self.components_left)
    }

    fn resolve_target(&mut self, target: &str) -> Resolution<'a> {
        resolve::resolve_target(self.view, target, self.depth_max, &mut self.components_left)
    }

    /// Takes what a path leads to; `hops` counts hard links that were names of symbolic ones.
    fn take(&mut self, candidate: &Candidate, resolution: Resolution<'a>, hops: u32) {
        match resolution {
            Resolution::Unlinked | Resolution::Exhausted => {}
            Resolution::Found(step) => self.found(candidate, &step),
            Resolution::HardLink { layer_index, link } => {
                self.hard_link(candidate, layer_index, link, hops);
            }
            Resolution::Unclear {
                layer_index,
                step,
                below_link,
            } => {
                self.unclear(candidate, layer_index, &step, below_link);
            }
            Resolution::Missing { below_link } => {
                if let Some(below) = below_link {
                    self.dangling(candidate, below);
                }
            }
            Resolution::Lossy => self.lossy(candidate),
        }
    }

    /// Takes what symbolic links lead to, unless the same extractors read it under its own path.
    fn found(&mut self, candidate: &Candidate, step: &Step) {
        // Below a directory in place of a file there is nothing to find.
        let is_useless =
            step.kind == PathKind::Directory && walk::places_below(&candidate.shown).is_empty();
        if is_useless || walk::is_read_anyway(&candidate.shown, &step.real, step.kind) {
            return;
        }
        let (path, target) = step.roots(&candidate.shown);
        let alias = Alias { path, target };
        for layer_index in self.view.showing(&alias.target) {
            self.need(layer_index, &alias, layer_index, alias.target.clone());
        }
    }

    /// Takes the file that a hard link is a name of, from its own layer or the nearest below that
    /// has it.
    fn hard_link(&mut self, candidate: &Candidate, turn: usize, link: &'a Link, hops: u32) {
        let links_max = self.depth_max.saturating_sub(hops);
        let left = &mut self.components_left;
        match resolve::behind_hard_link(self.view, turn, link, links_max, left) {
            None => self.dangling_hard_link(candidate),
            Some(Named {
                symlink: Some(next),
                ..
            }) => {
                let resolution = self.resolve_target(&next.target);
                self.take(candidate, resolution, hops + 1);
            }
            Some(named) if resolve::is_lossy(named.path) => self.lossy(candidate),
            Some(named) => self.hard_linked_file(candidate, turn, &named),
        }
    }

    fn hard_linked_file(&mut self, candidate: &Candidate, turn: usize, named: &Named<'a>) {
        if self.counts_under_other_name(candidate, named.layer_index, named.path) {
            return;
        }
        if is_known_by_name(&candidate.shown, named.path) {
            self.second_name(turn, named.layer_index, &candidate.shown, named.path);
            return;
        }
        let alias = Alias {
            path: candidate.shown.clone(),
            target: named.path.to_owned(),
        };
        self.need(named.layer_index, &alias, turn, candidate.start.clone());
    }

    /// Gives what was found under the first name of a file its second one.
    fn second_name(&mut self, turn: usize, layer_index: usize, path: &str, target: &str) {
        let Some(layer) = self.view.layers().get(layer_index) else {
            return;
        };
        // Java archives have no second names: those that wait for the index are not here at all.
        let found = layer.inventory.applications.at_path(target);
        let found: Vec<_> = found.filter(|one| one.kind != java::KIND).collect();
        if found.is_empty() {
            return;
        }
        let packages: usize = found.iter().map(|found| found.packages.len()).sum();
        let total = self.named_packages.saturating_add(packages as u64);
        if total > self.named_packages_max {
            self.names_left_out += 1;
            return;
        }
        self.named_packages = total;
        let applications = Applications {
            alone: rename::applications(&found, target, path),
            ..Applications::default()
        };
        self.names.push(Shown {
            layer_index: turn,
            inventory: Cow::Owned(LayerInventory {
                applications,
                ..LayerInventory::default()
            }),
            shown_root: path.to_owned(),
            real_root: path.to_owned(),
        });
    }

    /// Says whether the file behind a hard link is in the inventory under its other name, and
    /// that is enough: for package databases, whose path is not printed, and for facts.
    fn counts_under_other_name(
        &self,
        candidate: &Candidate,
        layer_index: usize,
        target: &str,
    ) -> bool {
        let is_fact = walk::link_rule_at(&candidate.shown) == Some(LinkRule::Follow)
            && !walk::places_below(&candidate.shown).is_empty();
        let layer = self.view.layers().get(layer_index);
        let is_database = layer.is_some_and(|layer| {
            let databases = &layer.inventory.package_databases;
            databases.at_path(target).is_some()
        });
        let is_read = (is_database || is_fact)
            && walk::is_read_anyway(&candidate.shown, target, PathKind::NonDirectory);
        let holder = self.view.holder(target);
        is_read && holder.is_some_and(|holder| holder.layer_index == layer_index)
    }

    /// Asks what stands where a directory should be: it may be a link that no extractor cared
    /// for so far.
    fn unclear(
        &mut self,
        candidate: &Candidate,
        layer_index: usize,
        step: &Step,
        below_link: Option<usize>,
    ) {
        let (path, _) = step.roots(&candidate.shown);
        let alias = Alias {
            path,
            target: step.real.clone(),
        };
        if !self.grown.contains_key(&(layer_index, &alias)) {
            self.need(layer_index, &alias, layer_index, alias.target.clone());
        } else if let Some(below) = below_link {
            // It has been looked at, and is no link: the path leads nowhere.
            self.dangling(candidate, below);
        }
    }

    fn need(&mut self, layer_index: usize, alias: &Alias, turn: usize, real_root: String) {
        self.needed.insert(Needed {
            request: AliasRequest {
                layer_index,
                alias: alias.clone(),
            },
            turn,
            real_root,
        });
    }

    /// Reports a link that leads nowhere; `below` components of the candidate follow it.
    fn dangling(&mut self, candidate: &Candidate, below: usize) {
        if walk::reports_dangling(&candidate.shown, below) {
            self.problems.push(Problem::at(
                ProblemKind::DanglingLink,
                resolve::cut(&candidate.shown, below),
                "the link leads to no file of the image",
            ));
        }
    }

    /// Reports a hard link to a file that no layer has: the archive is not whole, so whatever an
    /// extractor would have found there is unknown.
    fn dangling_hard_link(&mut self, candidate: &Candidate) {
        if walk::places_below(&candidate.shown).is_empty() {
            self.problems.push(Problem::at(
                ProblemKind::DanglingLink,
                &candidate.shown,
                "the link leads to no file of the image",
            ));
        } else {
            self.dangling(candidate, 0);
        }
    }

    fn lossy(&mut self, candidate: &Candidate) {
        self.problems.push(Problem::at(
            ProblemKind::UnreadableFile,
            &candidate.shown,
            "the link leads to a path that holds bytes that are not UTF-8",
        ));
    }

    fn finish(mut self) -> FollowedLinks<'a> {
        let mut found = FollowedLinks {
            shown: std::mem::take(&mut self.names),
            ..FollowedLinks::default()
        };
        let mut left_out = 0_u64;
        let mut room = self.aliases_max.saturating_sub(self.grown.len() as u64);
        for Needed {
            request,
            turn,
            real_root,
        } in self.needed
        {
            match self.grown.get(&(request.layer_index, &request.alias)) {
                Some(inventory) => found.shown.push(Shown {
                    layer_index: turn,
                    inventory: Cow::Borrowed(inventory),
                    shown_root: request.alias.path,
                    real_root,
                }),
                None if found.wanted.last() == Some(&request) => {}
                None if room == 0 => left_out += 1,
                None => {
                    room -= 1;
                    self.problems.push(Problem::at(
                        ProblemKind::DanglingLink,
                        &request.alias.path,
                        format!(
                            "the link leads to '{}', which was not read",
                            request.alias.target
                        ),
                    ));
                    found.wanted.push(request);
                }
            }
        }
        if left_out > 0 {
            self.problems.push(Problem::new(
                ProblemKind::LimitExceeded,
                format!(
                    "{} behind links beyond {} (aliases_per_image_max)",
                    count(left_out, "file"),
                    self.aliases_max
                ),
            ));
        }
        if self.names_left_out > 0 {
            self.problems.push(Problem::new(
                ProblemKind::LimitExceeded,
                format!(
                    "{} to files with packages beyond {} packages (packages_per_layer_max)",
                    count(self.names_left_out, "hard link"),
                    self.named_packages_max
                ),
            ));
        }
        found.problems = self.problems;
        found
    }
}
