//! Packages by the path of what they were found in, while a layer is being read.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use cleanbill_core::Package;
use cleanbill_core::inventory::{PackagesByPath, PackagesView};
use cleanbill_core::package;

/// Holds packages in one list. A path has one span of it.
#[derive(Default)]
pub(super) struct PackagesDraft {
    packages: Vec<Package>,
    /// Where the packages of each path begin and end.
    spans: BTreeMap<Arc<str>, Span>,
    /// The files that gave packages at other paths than their own, by these paths.
    sources: BTreeMap<Arc<str>, Arc<str>>,
}

type Span = (u32, u32);

impl PackagesDraft {
    /// Puts packages at a path, in place of what was there.
    pub(super) fn insert(&mut self, path: Arc<str>, source: Arc<str>, packages: Vec<Package>) {
        self.remove(&path);
        // A layer has no more packages than `packages_per_layer_max`.
        let place = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let begin = place(self.packages.len());
        package::append(&mut self.packages, packages);
        if path != source {
            self.sources.insert(Arc::clone(&path), source);
        }
        self.spans.insert(path, (begin, place(self.packages.len())));
    }

    /// Returns the file that gave what is at a path, `None` if there is nothing.
    pub(super) fn source_of<'a>(&'a self, path: &'a str) -> Option<&'a str> {
        let (path, _) = self.spans.get_key_value(path)?;
        Some(self.sources.get(path).unwrap_or(path))
    }

    /// Removes what is at a path.
    pub(super) fn remove(&mut self, path: &str) {
        self.sources.remove(path);
        let Some((begin, end)) = self.spans.remove(path) else {
            return;
        };
        if places((begin, end)).end == self.packages.len() {
            self.packages.truncate(begin as usize);
        } else if let Some(packages) = self.packages.get_mut(places((begin, end))) {
            packages.fill_with(Package::default);
        }
    }

    /// Iterates over what is there, by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = PackagesView<'_>> {
        self.spans.iter().map(|(path, span)| PackagesView {
            path,
            packages: self.packages.get(places(*span)).unwrap_or_default(),
        })
    }

    /// Sorts the packages by path. `complete` is given each path and its packages, which stay those.
    pub(super) fn finish(
        mut self,
        complete: &mut impl FnMut(&str, &mut [Package]),
    ) -> PackagesByPath {
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
        let spans = self.spans.into_iter();
        let spans = spans.map(|(path, span)| (path, places(span).len()));
        PackagesByPath::new(spans, self.packages)
    }
}

fn places((begin, end): Span) -> Range<usize> {
    begin as usize..end as usize
}
