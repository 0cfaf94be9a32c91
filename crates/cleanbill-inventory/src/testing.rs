//! Layers made of text, for tests.

use std::sync::Arc;

use cleanbill_core::Limits;
use cleanbill_core::inventory::{Alias, ApplicationView, LayerInventory};
use cleanbill_core::layer::{
    EntryHeader, EntryKind, EntryVisitor, LayerError, LayerReader, LayerSummary,
};
use cleanbill_core::problem::ProblemKind;

use crate::draft::{LayerDraft, LayerFrame};
use crate::extractor::{Extractor, FileInput};
use crate::walk::{ExtractOptions, extract_aliases, extract_layer};

/// Lets one extractor read one file.
pub(crate) fn extract(extractor: &dyn Extractor, path: &str, content: &[u8]) -> LayerInventory {
    extract_with_limits(extractor, path, content, Limits::default())
}

/// Lets one extractor read one file under other limits.
pub(crate) fn extract_with_limits(
    extractor: &dyn Extractor,
    path: &str,
    content: &[u8],
    limits: Limits,
) -> LayerInventory {
    let limits = Arc::new(limits);
    let mut draft = LayerDraft::new(Arc::clone(&limits));
    draft.begin(path, extractor.name());
    let mut body = content;
    let mut file = FileInput {
        path,
        size_bytes: content.len() as u64,
        body: &mut body,
        limits: &limits,
    };
    if let Err(error) = extractor.extract(&mut file, &mut draft) {
        crate::walk::settle(error, path, &mut draft).expect("memory can be read");
    }
    draft.finish(LayerFrame::default())
}

/// Lists the applications of a layer, sorted by path, then type.
pub(crate) fn applications_of(inventory: &LayerInventory) -> Vec<ApplicationView<'_>> {
    let mut applications: Vec<_> = inventory.applications.iter().collect();
    applications.sort_by_key(|application| (application.path, application.kind));
    applications
}

/// Limits under which what packages need may take 200,000 bytes.
pub(crate) fn little_room() -> Limits {
    Limits {
        packages_size_bytes_max: 400_000,
        ..Limits::default()
    }
}

/// Checks that all packages are there, what they need and own is bounded, and that it is told.
#[track_caller]
pub(crate) fn check_bounded(inventory: &LayerInventory, package_count: usize) {
    let of_databases = inventory.package_databases.iter();
    let of_databases = of_databases.map(|one| one.packages);
    let of_applications = inventory.applications.iter().map(|one| one.packages);
    let packages: Vec<_> = of_databases.chain(of_applications).flatten().collect();
    assert_eq!(packages.len(), package_count);
    let lists = packages.iter().flat_map(|package| {
        let needed = package.depends_on.iter().map(String::as_str);
        needed.chain(package.installed_files.iter())
    });
    let size_bytes: usize = lists.map(str::len).sum();
    assert!((1..200_000).contains(&size_bytes), "{size_bytes}");
    let [problem] = inventory.problems.as_slice() else {
        panic!("{:?}", inventory.problems);
    };
    assert_eq!(problem.kind, ProblemKind::LimitExceeded);
    assert!(
        problem.message.contains("packages_size_bytes_max"),
        "{problem:?}"
    );
}

/// A layer in memory, entry by entry.
#[derive(Clone, Default)]
pub(crate) struct FakeLayer {
    entries: Vec<FakeEntry>,
}

#[derive(Clone)]
struct FakeEntry {
    path: String,
    kind: EntryKind,
    content: Vec<u8>,
    link_target: String,
    is_lossy: bool,
    mode: u32,
}

impl FakeLayer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn file(self, path: &str, content: &[u8]) -> Self {
        self.entry(path, EntryKind::File, content, "")
    }

    pub(crate) fn directory(self, path: &str) -> Self {
        self.entry(path, EntryKind::Directory, b"", "")
    }

    pub(crate) fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(path, EntryKind::Symlink, b"", target)
    }

    pub(crate) fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(path, EntryKind::HardLink, b"", target)
    }

    pub(crate) fn whiteout(self, path: &str) -> Self {
        self.entry(path, EntryKind::Whiteout, b"", "")
    }

    pub(crate) fn opaque(self, path: &str) -> Self {
        self.entry(path, EntryKind::OpaqueDirectory, b"", "")
    }

    /// Marks the last entry's path as one that was not UTF-8.
    pub(crate) fn lossy(mut self) -> Self {
        if let Some(entry) = self.entries.last_mut() {
            entry.is_lossy = true;
        }
        self
    }

    /// Gives the last entry permission bits other than `0o644`.
    pub(crate) fn mode(mut self, mode: u32) -> Self {
        if let Some(entry) = self.entries.last_mut() {
            entry.mode = mode;
        }
        self
    }

    pub(crate) fn entry(
        mut self,
        path: &str,
        kind: EntryKind,
        content: &[u8],
        link_target: &str,
    ) -> Self {
        self.entries.push(FakeEntry {
            path: path.to_owned(),
            kind,
            content: content.to_vec(),
            link_target: link_target.to_owned(),
            is_lossy: false,
            mode: 0o644,
        });
        self
    }

    /// Walks the layer with all extractors.
    pub(crate) fn inventory(mut self) -> LayerInventory {
        extract_layer(&mut self, &ExtractOptions::default()).expect("memory can be read")
    }

    /// Walks the layer with all extractors, under other limits.
    pub(crate) fn inventory_within(mut self, limits: Limits) -> LayerInventory {
        let options = ExtractOptions {
            limits: Arc::new(limits),
            ..ExtractOptions::default()
        };
        extract_layer(&mut self, &options).expect("memory can be read")
    }

    /// Walks the layer for one alias.
    pub(crate) fn alias_inventory(mut self, alias: &Alias) -> LayerInventory {
        let aliases = std::slice::from_ref(alias);
        let inventories = extract_aliases(&mut self, aliases, &ExtractOptions::default());
        inventories
            .expect("memory can be read")
            .pop()
            .expect("one per alias")
    }
}

impl LayerReader for FakeLayer {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        for entry in &self.entries {
            let header = EntryHeader {
                path: &entry.path,
                path_is_lossy: entry.is_lossy,
                kind: entry.kind,
                size_bytes: entry.content.len() as u64,
                mode: entry.mode,
                link_target: &entry.link_target,
            };
            visitor
                .visit(&header, &mut entry.content.as_slice())
                .map_err(|source| LayerError::Read {
                    what: entry.path.clone(),
                    source,
                })?;
        }
        Ok(LayerSummary::default())
    }
}
