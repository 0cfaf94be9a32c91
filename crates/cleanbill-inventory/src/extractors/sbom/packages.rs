//! Which packages a document lists, and what they belong to.
//!
//! Packages below the operating system are the distribution's; those below an application are
//! that application's; the rest is grouped by type. A package belongs to the first that claims
//! it, so cycles end by themselves.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::package::arrange;
use cleanbill_core::{Limits, Package};

use super::bom::{Bom, ImageFacts, Node};
use super::error::SbomError;
use super::package::{self, Class};
use crate::room::Room;

/// Holds what a document lists.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The distribution, by its name and release, if a component is one.
    pub(crate) distro: Option<(String, String)>,
    /// What the document says about the image that it describes.
    pub(crate) image: ImageFacts,
    /// The packages of the distribution; `None` if there are none.
    pub(super) os_packages: Option<Vec<Package>>,
    /// The packages of applications, by type and path. The path may be empty.
    pub(super) applications: BTreeMap<(String, String), Vec<Package>>,
    /// Package URLs that could not be read.
    pub(super) malformed_urls: u64,
    /// The document ends within a package.
    pub(super) is_cut: bool,
    /// Why packages, or what they need, were left out, if any were.
    pub(super) left_out: Option<String>,
}

/// Collects the packages of a document.
///
/// # Errors
///
/// Packages of several package managers belong to nothing.
pub(super) fn collect(mut bom: Bom, limits: &Limits) -> Result<Contents, SbomError> {
    let mut room = Room::new(limits);
    bom.seal();
    link(&mut bom, &mut room);
    let mut contents = Contents {
        malformed_urls: bom.malformed_urls,
        is_cut: bom.is_cut,
        image: std::mem::take(&mut bom.image),
        left_out: bom.left_out.take().or(room.exceeded()),
        ..Contents::default()
    };
    let groups = Groups::of(&bom)?;
    contents.distro = bom.system.take();
    for (group, packages) in groups.split(bom.packages) {
        match group {
            Group::Os => contents.os_packages = Some(packages),
            Group::Application(key) => {
                contents.applications.insert(key, packages);
            }
        }
    }
    Ok(contents)
}

/// Gives each package the ids of those that it needs.
fn link(bom: &mut Bom, room: &mut Room) {
    for number in 0..bom.packages.len() {
        let node = Node::Package(u32::try_from(number).unwrap_or(u32::MAX));
        let children = bom.children(node);
        let children = children.filter_map(|child| bom.packages.get(child as usize));
        let depends_on = room.copy(children.map(|child| child.id.as_str()));
        if let Some(package) = bom.packages.get_mut(number) {
            package.depends_on = depends_on;
        }
    }
}

/// Is what packages are reported as parts of.
enum Group {
    Os,
    Application((String, String)),
}

/// Says which package belongs to which group, and in which order.
struct Groups {
    /// By type and path; the packages of the distribution are group 0.
    numbers: BTreeMap<(String, String), u32>,
    /// The group of each package and the place in it.
    places: Vec<Option<(u32, u32)>>,
    /// Packages that have a place.
    count: u32,
}

const OS: u32 = 0;

impl Groups {
    fn of(bom: &Bom) -> Result<Self, SbomError> {
        let mut groups = Self {
            numbers: BTreeMap::new(),
            places: vec![None; bom.packages.len()],
            count: 0,
        };
        if bom.system.is_some() {
            groups.take_below(bom, Node::System, OS);
        }
        for (number, key) in bom.applications.iter().enumerate() {
            let group = groups.number(key.clone());
            let node = Node::Application(u32::try_from(number).unwrap_or(u32::MAX));
            groups.take_below(bom, node, group);
        }
        groups.take_orphans(bom)?;
        Ok(groups)
    }

    fn number(&mut self, key: (String, String)) -> u32 {
        let next = u32::try_from(self.numbers.len() + 1).unwrap_or(u32::MAX);
        *self.numbers.entry(key).or_insert(next)
    }

    /// Takes a package for a group, unless it was taken. Says whether it was not.
    fn take(&mut self, package: u32, group: u32) -> bool {
        let Some(place @ None) = self.places.get_mut(package as usize) else {
            return false;
        };
        *place = Some((group, self.count));
        self.count += 1;
        true
    }

    /// Takes the packages that a component needs or contains, directly or through packages.
    fn take_below(&mut self, bom: &Bom, root: Node, group: u32) {
        // Each component on the way with the place of the next of its children.
        let mut stack = vec![(root, bom.first_child(root))];
        while let Some((parent, place)) = stack.last_mut() {
            let Some(child) = bom.child_at(*parent, *place) else {
                stack.pop();
                continue;
            };
            *place += 1;
            if self.take(child, group) {
                let node = Node::Package(child);
                stack.push((node, bom.first_child(node)));
            }
        }
    }

    /// Groups the packages that nothing has claimed.
    fn take_orphans(&mut self, bom: &Bom) -> Result<(), SbomError> {
        let mut os_kinds = BTreeSet::new();
        for (number, package) in (0..).zip(&bom.packages) {
            let is_taken = |place: &Option<(u32, u32)>| place.is_some();
            if self.places.get(number as usize).is_none_or(is_taken) {
                continue;
            }
            let Some(purl) = package.identifier.purl.as_ref() else {
                continue;
            };
            match package::class_of(purl) {
                Some(Class::Os) => {
                    os_kinds.insert(purl.kind.as_str());
                    self.take(number, OS);
                }
                Some(Class::Language(kind)) => {
                    let group = self.number((kind.to_owned(), String::new()));
                    self.take(number, group);
                }
                None => {}
            }
        }
        if os_kinds.len() > 1 {
            let kinds: Vec<&str> = os_kinds.into_iter().collect();
            return Err(SbomError::SeveralOsTypes {
                kinds: kinds.join(", "),
            });
        }
        Ok(())
    }

    /// Puts the packages into their groups. They are not copied: the first group stays where the
    /// packages are, and the others are cut off.
    fn split(self, mut packages: Vec<Package>) -> Vec<(Group, Vec<Package>)> {
        let mut order: Vec<u32> = (0_u32..).take(packages.len()).collect();
        let place = |number: &u32| self.places.get(*number as usize).copied().flatten();
        // What has no place comes last.
        order.sort_unstable_by_key(|number| (place(number).is_none(), place(number)));
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for (group, _) in self.places.iter().flatten() {
            *counts.entry(*group).or_default() += 1;
        }
        arrange(&mut packages, order);
        packages.truncate(self.count as usize);
        let mut keys: BTreeMap<u32, Group> = self
            .numbers
            .into_iter()
            .map(|(key, number)| (number, Group::Application(key)))
            .collect();
        keys.insert(OS, Group::Os);
        let mut split = Vec::with_capacity(counts.len());
        for (number, count) in counts.into_iter().rev() {
            let begin = packages.len().saturating_sub(count);
            let of_group = match begin {
                0 => std::mem::take(&mut packages),
                _ => packages.split_off(begin),
            };
            packages.shrink_to_fit();
            split.extend(keys.remove(&number).map(|group| (group, of_group)));
        }
        // Applications without packages are listed too.
        keys.remove(&OS);
        split.extend(keys.into_values().map(|group| (group, Vec::new())));
        split
    }
}

/// Adds packages to an application.
pub(super) fn add_to(
    applications: &mut BTreeMap<(String, String), Vec<Package>>,
    key: (String, String),
    packages: Vec<Package>,
) {
    match applications.entry(key) {
        Entry::Vacant(place) => {
            place.insert(packages);
        }
        Entry::Occupied(mut place) => place.get_mut().extend(packages),
    }
}
