//! The language applications of a layer while it is being read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cleanbill_core::Package;
use cleanbill_core::inventory::{ApplicationGroup, ApplicationView};
use cleanbill_core::package;

use super::Sourced;

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
    groups: BTreeMap<Arc<str>, Group>,
    /// The types of the applications.
    kinds: BTreeSet<Arc<str>>,
}

/// Names an application: by its path and its type.
pub(super) type ApplicationKey = (Arc<str>, Arc<str>);

/// Holds the applications of one type that have few packages.
#[derive(Default)]
struct Group {
    packages: Vec<Package>,
    /// Where the packages of each path begin and end.
    spans: BTreeMap<Arc<str>, Span>,
    /// The files that gave applications at other paths than their own, by these paths.
    sources: BTreeMap<Arc<str>, Arc<str>>,
}

type Span = (u32, u32);

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
            let spans = group.spans.iter();
            spans.map(move |(path, span)| ApplicationView {
                kind,
                path,
                packages: group.packages_of(*span),
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
            .map(|(kind, group)| group.finish(&kind, &mut complete))
            .filter(|group| !group.is_empty())
            .collect()
    }
}

impl Group {
    fn insert(&mut self, path: Arc<str>, source: Arc<str>, packages: Vec<Package>) {
        // A layer has no more packages than `packages_per_layer_max`.
        let place = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let begin = place(self.packages.len());
        self.packages.extend(packages);
        if path != source {
            self.sources.insert(Arc::clone(&path), source);
        }
        self.spans.insert(path, (begin, place(self.packages.len())));
    }

    /// Returns the file that gave the application at a path, `None` if there is no application.
    fn source_of<'a>(&'a self, path: &'a str) -> Option<&'a str> {
        let (path, _) = self.spans.get_key_value(path)?;
        Some(self.sources.get(path).unwrap_or(path))
    }

    fn remove(&mut self, path: &str) {
        self.sources.remove(path);
        let span = self.spans.remove(path).map(places);
        if let Some(packages) = span.and_then(|span| self.packages.get_mut(span)) {
            packages.fill_with(Package::default);
        }
    }

    fn packages_of(&self, span: Span) -> &[Package] {
        self.packages.get(places(span)).unwrap_or_default()
    }

    /// Completes the applications, and sorts their packages by the paths of the applications.
    fn finish(
        mut self,
        kind: &str,
        complete: &mut impl FnMut(&str, &mut [Package]),
    ) -> ApplicationGroup {
        let mut order: Vec<u32> = Vec::with_capacity(self.packages.len());
        let mut is_left = vec![false; self.packages.len()];
        for (path, span) in &self.spans {
            if let Some(packages) = self.packages.get_mut(places(*span)) {
                complete(path, packages);
            }
            order.extend(span.0..span.1);
            if let Some(is_left) = is_left.get_mut(places(*span)) {
                is_left.fill(true);
            }
        }
        let count = order.len();
        let removed = (0..).zip(is_left).filter(|(_, is_left)| !is_left);
        order.extend(removed.map(|(number, _)| number));
        package::arrange(&mut self.packages, order);
        self.packages.truncate(count);
        let names = self.spans.into_iter();
        let names = names.map(|(path, span)| (path, places(span).len()));
        ApplicationGroup::new(kind, names, self.packages)
    }
}

fn places((begin, end): Span) -> std::ops::Range<usize> {
    begin as usize..end as usize
}
