//! The walk of a layer: one pass in which every extractor sees every entry.
//!
//! Beside the files for the extractors the walk records what merging needs: whiteouts, opaque
//! directories, links that may lead an extractor elsewhere, and which paths exist. Of several
//! entries of one path the last counts, as for a container runtime (spec 03 section 2).

mod alias;
mod interest;
mod open;
mod paths;
mod skip;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod version_tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use cleanbill_core::inventory::{LayerInventory, Link, PathKind};
use cleanbill_core::layer::{
    EntryBody, EntryHeader, EntryKind, EntryVisitor, LayerError, LayerReader,
};
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Limits, Problem, path};

use crate::draft::{LayerDraft, LayerFrame};
use crate::subtree::keys_below;
use paths::{MarkerCollector, PathCollector};

pub use alias::extract_aliases;
#[cfg(test)]
pub(crate) use interest::wanted;
pub(crate) use interest::{is_read_anyway, link_rule_at, places_below, reports_dangling};
pub(crate) use open::settle;
pub use skip::SkipRules;

/// Numbers what the extractors find. A stored layer inventory of another number is read anew.
pub const EXTRACTORS_VERSION: u32 = 7;

/// Says how layers are read.
#[derive(Clone, Debug, Default)]
pub struct ExtractOptions {
    /// The bounds in force.
    pub limits: Arc<Limits>,
    /// What is not looked at.
    pub skip: SkipRules,
}

/// Reads a layer once and returns everything that the extractors found in it.
///
/// # Errors
///
/// The layer could not be read to its end. Content that makes no sense is no error: it is among
/// the problems of the inventory.
pub fn extract_layer(
    layer: &mut dyn LayerReader,
    options: &ExtractOptions,
) -> Result<LayerInventory, LayerError> {
    let mut walk = LayerWalk::new(options);
    let summary = layer.walk(&mut walk)?;
    Ok(walk.finish(summary.size_bytes))
}

/// Looks at the entries of one layer.
struct LayerWalk<'a> {
    options: &'a ExtractOptions,
    skip: skip::SkipState<'a>,
    draft: LayerDraft,
    paths: PathCollector,
    opaque_directories: MarkerCollector,
    whiteouts: MarkerCollector,
    links: LinkSet,
    /// Whiteouts and opaque directories.
    marker_count: u64,
    /// Whiteouts, opaque directories and links that went beyond the limit.
    markers_left_out: u64,
}

impl EntryVisitor for LayerWalk<'_> {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        match entry.kind {
            EntryKind::Whiteout => self.mark(entry, |walk| &mut walk.whiteouts),
            EntryKind::OpaqueDirectory => self.mark(entry, |walk| &mut walk.opaque_directories),
            EntryKind::Directory => {
                self.replace(entry.path, PathKind::Directory)?;
                self.skip.enter(entry.path);
            }
            EntryKind::Symlink | EntryKind::HardLink => {
                self.replace(entry.path, PathKind::NonDirectory)?;
                self.link(entry);
            }
            EntryKind::File => {
                self.replace(entry.path, PathKind::NonDirectory)?;
                self.file(entry, body)?;
            }
            EntryKind::Other => self.replace(entry.path, PathKind::NonDirectory)?,
        }
        Ok(())
    }

    /// Records what may not be read; what else goes wrong stops the walk.
    fn unreadable(&mut self, path: &str, error: io::Error) -> io::Result<()> {
        if error.kind() != io::ErrorKind::PermissionDenied {
            return Err(error);
        }
        let message = error.to_string();
        self.draft
            .add_problem(Problem::at(ProblemKind::UnreadableFile, path, message));
        Ok(())
    }
}

impl<'a> LayerWalk<'a> {
    fn new(options: &'a ExtractOptions) -> Self {
        Self {
            options,
            skip: skip::SkipState::new(&options.skip),
            draft: LayerDraft::new(Arc::clone(&options.limits)),
            paths: PathCollector::default(),
            opaque_directories: MarkerCollector::default(),
            whiteouts: MarkerCollector::default(),
            links: LinkSet::default(),
            marker_count: 0,
            markers_left_out: 0,
        }
    }

    /// Notes that a path exists, and forgets what an earlier entry of that path gave.
    ///
    /// # Errors
    ///
    /// The layer has too many paths. Entries are counted by the reader; but a few entries deep
    /// down can name any number of directories.
    fn replace(&mut self, path: &str, kind: PathKind) -> io::Result<()> {
        self.paths.add(path, kind);
        let max = self.options.limits.entries_per_layer_max;
        if self.paths.len() > max {
            return Err(io::Error::other(format!(
                "the layer has more than {max} paths (entries_per_layer_max)"
            )));
        }
        self.links.forget(path, kind);
        self.draft.forget(path, kind == PathKind::Directory);
        Ok(())
    }

    fn mark(&mut self, entry: &EntryHeader<'_>, set: impl Fn(&mut Self) -> &mut MarkerCollector) {
        if entry.path_is_lossy {
            self.report_lossy(entry.path);
        } else if self.has_room_for_marker() {
            self.marker_count += 1;
            set(self).add(entry.path);
        }
    }

    fn link(&mut self, entry: &EntryHeader<'_>) {
        if !interest::link_matters(entry.path) || self.skip.skips(entry.path) {
            return;
        }
        if entry.path_is_lossy {
            self.report_lossy(entry.path);
        } else if self.has_room_for_marker() {
            self.links.insert(entry);
        }
    }

    fn file(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        let extractors = interest::wanted_entry(entry);
        if extractors.is_empty() || self.skip.skips(entry.path) {
            return Ok(());
        }
        open::extract(
            &extractors,
            entry.path,
            entry.size_bytes,
            body,
            &self.options.limits,
            &mut self.draft,
        )?;
        if entry.path_is_lossy {
            self.report_lossy(entry.path);
        }
        Ok(())
    }

    /// Reports a path that cannot be told from others, if an extractor might have cared.
    fn report_lossy(&mut self, path: &str) {
        if interest::link_matters(path) {
            self.draft.add_problem(Problem::at(
                ProblemKind::UnreadableFile,
                path,
                "the path holds bytes that are not UTF-8",
            ));
        }
    }

    fn has_room_for_marker(&mut self) -> bool {
        let limits = &self.options.limits;
        let count = self.marker_count + self.links.0.len() as u64;
        // Few marks deep down have many directories above them.
        let key_count = self.opaque_directories.len() + self.whiteouts.len();
        let has_room =
            count < limits.markers_per_layer_max && key_count <= limits.entries_per_layer_max;
        self.markers_left_out += u64::from(!has_room);
        has_room
    }

    fn finish(mut self, size_bytes: Option<u64>) -> LayerInventory {
        if self.markers_left_out > 0 {
            self.draft.add_problem(Problem::new(
                ProblemKind::LimitExceeded,
                format!(
                    "{} whiteouts and links beyond {} (markers_per_layer_max)",
                    self.markers_left_out, self.options.limits.markers_per_layer_max
                ),
            ));
        }
        let paths = self.paths.finish();
        self.draft.finish(LayerFrame {
            size_bytes,
            opaque_directories: self.opaque_directories.finish(),
            whiteouts: self.whiteouts.finish(),
            links: self.links.into_sorted(),
            paths,
        })
    }
}

/// Holds the links of a layer by their path.
#[derive(Default)]
struct LinkSet(BTreeMap<String, Link>);

impl LinkSet {
    fn insert(&mut self, entry: &EntryHeader<'_>) {
        let is_hard = entry.kind == EntryKind::HardLink;
        let target = if is_hard {
            path::clean(entry.link_target)
        } else {
            path::join_link(entry.path, entry.link_target)
        };
        let link = Link {
            path: entry.path.to_owned(),
            target,
            is_hard,
        };
        self.0.insert(link.path.clone(), link);
    }

    /// Forgets the link at a path that a later entry takes, and those below it unless that entry
    /// is a directory.
    fn forget(&mut self, path: &str, kind: PathKind) {
        if self.0.is_empty() {
            return;
        }
        self.0.remove(path);
        if kind == PathKind::NonDirectory {
            for path in keys_below(&self.0, path) {
                self.0.remove(&path);
            }
        }
    }

    fn into_sorted(self) -> Vec<Link> {
        self.0.into_values().collect()
    }
}
