//! The language applications of a layer while it is being read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cleanbill_core::Package;
use cleanbill_core::inventory::{ApplicationGroup, ApplicationView};

use super::Sourced;
use super::by_path::PackagesDraft;

/// Types of which reports join all applications into one; the packages keep their own paths.
/// Source: spec 03 section 4.
const JOINED: &[&str] = &["conda-pkg", "gemspec", "jar", "node-pkg", "python-pkg"];

/// Up to so many packages an application lies with others of its type.
const GROUPED_PACKAGES_MAX: usize = 8;

/// Says whether reports join all applications of a type into one.
pub(crate) fn is_joined(kind: &str) -> bool {
    JOINED.contains(&kind)
}

/// Holds applications by path and type, of which each is there once. A layer may have a hundred
/// thousand of one package each, so the path of an application, if it is that of the file, is held
/// once, and packages that reports join lie together.
#[derive(Default)]
pub(super) struct ApplicationsDraft {
    alone: BTreeMap<ApplicationKey, Sourced<Vec<Package>>>,
    groups: BTreeMap<Arc<str>, PackagesDraft>,
    /// The types of the applications.
    kinds: BTreeSet<Arc<str>>,
}

/// Names an application: by its path and its type.
pub(super) type ApplicationKey = (Arc<str>, Arc<str>);

impl ApplicationsDraft {
    /// Puts an application of a type at a path, in place of what was there.
    pub(super) fn insert(&mut self, key: ApplicationKey, source: Arc<str>, packages: Vec<Package>) {
        self.remove_if(&key, |_| true);
        let (path, kind) = key;
        if is_joined(&kind) && packages.len() <= GROUPED_PACKAGES_MAX {
            let group = self.groups.entry(kind).or_default();
            group.insert(path, source, packages);
        } else {
            let value = packages;
            self.alone.insert((path, kind), Sourced { source, value });
        }
    }

    /// Forgets what a file gave of types that reports join at its own path and, of `others`, what is
    /// still its.
    pub(super) fn forget(&mut self, source: &str, others: &[ApplicationKey]) {
        let path: Arc<str> = source.into();
        let own = JOINED
            .iter()
            .map(|kind| (Arc::clone(&path), Arc::from(*kind)));
        for key in own.chain(others.iter().cloned()) {
            self.remove_if(&key, |found| found == source);
        }
    }

    /// Removes an application if it is given by the right file.
    fn remove_if(&mut self, key: &ApplicationKey, is_right: impl Fn(&str) -> bool) {
        let (path, kind) = key;
        if self.alone.get(key).is_some_and(|one| is_right(&one.source)) {
            self.alone.remove(key);
        }
        if let Some(group) = self.groups.get_mut(kind)
            && group.source_of(path).is_some_and(is_right)
        {
            group.remove(path);
        }
    }

    /// Returns a type, as others hold it. There are a few dozen, unless an SBOM makes up more.
    pub(super) fn shared_kind(&mut self, kind: &str) -> Arc<str> {
        if let Some(known) = self.kinds.get(kind) {
            return Arc::clone(known);
        }
        let kind: Arc<str> = kind.into();
        self.kinds.insert(Arc::clone(&kind));
        kind
    }

    /// Iterates over the applications.
    pub(super) fn iter(&self) -> impl Iterator<Item = ApplicationView<'_>> {
        let alone = self
            .alone
            .iter()
            .map(|((path, kind), one)| ApplicationView {
                kind,
                path,
                packages: &one.value,
            });
        let grouped = self.groups.iter().flat_map(|(kind, group)| {
            group.iter().map(move |view| ApplicationView {
                kind,
                path: view.path,
                packages: view.packages,
            })
        });
        alone.chain(grouped)
    }

    /// Removes the applications that do not count.
    pub(super) fn retain(&mut self, counts: impl Fn(ApplicationView<'_>) -> bool) {
        let dropped: Vec<ApplicationKey> = self
            .iter()
            .filter(|view| !counts(*view))
            .map(|view| (view.path.into(), view.kind.into()))
            .collect();
        for key in &dropped {
            self.remove_if(key, |_| true);
        }
    }

    /// Takes the applications by themselves, sorted by path, then type, each with the file that
    /// gave it.
    pub(super) fn take_alone(&mut self) -> BTreeMap<ApplicationKey, Sourced<Vec<Package>>> {
        std::mem::take(&mut self.alone)
    }

    /// Takes the groups, sorted by type. `complete` is given the path of each application and its
    /// packages, which stay those.
    pub(super) fn take_groups(
        &mut self,
        mut complete: impl FnMut(&str, &mut [Package]),
    ) -> Vec<ApplicationGroup> {
        let groups = std::mem::take(&mut self.groups).into_iter();
        groups
            .map(|(kind, group)| ApplicationGroup::new(&kind, group.finish(&mut complete)))
            .filter(|group| !group.is_empty())
            .collect()
    }
}
