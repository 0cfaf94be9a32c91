//! The second reading of a layer, for what links made interesting.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::ops::Bound;
use std::sync::Arc;

use cleanbill_core::inventory::{Alias, LayerInventory, PathKind};
use cleanbill_core::layer::{
    EntryBody, EntryHeader, EntryKind, EntryVisitor, LayerError, LayerReader,
};
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Problem, path};

use super::{ExtractOptions, LinkSet, interest, open, skip};
use crate::archive::LayerSpending;
use crate::draft::{LayerDraft, LayerFrame};
use crate::extractor::{Extractor, LinkRule};

/// Reads the files at or below the aliases' targets as if they lay at the aliases' paths, in one
/// pass. Returns one inventory per alias, in their order.
///
/// Files that an extractor wants under their own path are left out, as [`super::extract_layer`]
/// has read them; hard links are the exception, as they are files of their own. Links at or below
/// a target are recorded under their own path, so that a chain of links can be followed step by
/// step. Whiteouts and the set of paths stay empty.
///
/// # Errors
///
/// As [`super::extract_layer`].
pub fn extract_aliases(
    layer: &mut dyn LayerReader,
    aliases: &[Alias],
    options: &ExtractOptions,
) -> Result<Vec<LayerInventory>, LayerError> {
    let mut by_target: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, alias) in aliases.iter().enumerate() {
        by_target.entry(&alias.target).or_default().push(index);
    }
    let archives = Arc::<LayerSpending>::default();
    let draft = || {
        let mut draft = LayerDraft::new(Arc::clone(&options.limits));
        draft.archives = Arc::clone(&archives);
        draft
    };
    let mut walk = AliasWalk {
        by_target,
        options,
        skip: skip::SkipState::new(&options.skip),
        readings: aliases
            .iter()
            .map(|alias| Reading {
                alias,
                draft: draft(),
                links: LinkSet::default(),
            })
            .collect(),
    };
    layer.walk(&mut walk)?;
    Ok(walk.readings.into_iter().map(Reading::finish).collect())
}

struct AliasWalk<'a> {
    options: &'a ExtractOptions,
    skip: skip::SkipState<'a>,
    readings: Vec<Reading<'a>>,
    /// The readings by what they show, so that an entry costs its depth, not all readings.
    by_target: BTreeMap<&'a str, Vec<usize>>,
}

/// Holds what one alias has shown.
struct Reading<'a> {
    alias: &'a Alias,
    draft: LayerDraft,
    links: LinkSet,
}

impl EntryVisitor for AliasWalk<'_> {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        let kind = match entry.kind {
            EntryKind::Whiteout | EntryKind::OpaqueDirectory => return Ok(()),
            EntryKind::Directory => {
                self.skip.enter(entry.path);
                PathKind::Directory
            }
            _ => PathKind::NonDirectory,
        };
        let showing = self.showing(entry.path);
        self.forget(entry.path, kind, &showing);
        match entry.kind {
            EntryKind::Symlink | EntryKind::HardLink if !self.skip.skips(entry.path) => {
                for index in showing {
                    if let Some(reading) = self.readings.get_mut(index) {
                        reading.link(entry);
                    }
                }
                Ok(())
            }
            EntryKind::File if !self.skip.skips(entry.path) => self.file(entry, body, &showing),
            _ => Ok(()),
        }
    }
}

impl AliasWalk<'_> {
    /// Returns the readings that show a real path: their target is the path or above it.
    fn showing(&self, real: &str) -> Vec<usize> {
        let root = (!real.is_empty()).then_some("");
        std::iter::once(real)
            .chain(path::ancestors(real))
            .chain(root)
            .filter_map(|target| self.by_target.get(target))
            .flatten()
            .copied()
            .collect()
    }

    /// Forgets what earlier entries gave that a later one replaces.
    fn forget(&mut self, real: &str, kind: PathKind, showing: &[usize]) {
        let mut touched = showing.to_vec();
        if kind == PathKind::NonDirectory {
            let prefix = format!("{real}/");
            let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
            let below = self.by_target.range::<str, _>(from);
            let below = below.take_while(|(target, _)| target.starts_with(&prefix));
            touched.extend(below.flat_map(|(_, readings)| readings));
        }
        for index in touched {
            if let Some(reading) = self.readings.get_mut(index) {
                reading.forget(real, kind);
            }
        }
    }

    /// Shows a file to the extractors of every alias that it lies at or below.
    fn file(
        &mut self,
        entry: &EntryHeader<'_>,
        body: &mut dyn EntryBody,
        showing: &[usize],
    ) -> io::Result<()> {
        if showing.is_empty() {
            return Ok(());
        }
        let showing: HashSet<usize> = showing.iter().copied().collect();
        let limits = &self.options.limits;
        let size_bytes = entry.size_bytes;
        let mut readers: Vec<_> = self
            .readings
            .iter_mut()
            .enumerate()
            .filter_map(|(index, reading)| {
                if !showing.contains(&index) {
                    return None;
                }
                let shown = reading.alias.shown_path(entry.path)?;
                let extractors = extractors_for(reading.alias, &shown, entry);
                (!extractors.is_empty()).then_some((shown, extractors, &mut reading.draft))
            })
            .collect();
        if let [(shown, extractors, draft)] = readers.as_mut_slice() {
            open::extract(extractors, shown, size_bytes, body, limits, draft)?;
            report_lossy(entry, shown, draft);
            return Ok(());
        }
        if readers.is_empty() {
            return Ok(());
        }
        // Several links lead here; the content passes once.
        let max = limits
            .file_size_bytes_max
            .max(limits.rpm_database_size_bytes_max);
        let mut content = Vec::new();
        body.take(max.saturating_add(1)).read_to_end(&mut content)?;
        for (shown, extractors, draft) in readers {
            let body = &mut content.as_slice();
            open::extract(&extractors, &shown, size_bytes, body, limits, draft)?;
            report_lossy(entry, &shown, draft);
        }
        Ok(())
    }
}

/// Returns the extractors that want a file for its shown path. Below a directory alias those that
/// want it under its own path have had it.
fn extractors_for(
    alias: &Alias,
    shown: &str,
    entry: &EntryHeader<'_>,
) -> Vec<&'static dyn Extractor> {
    let mut extractors = interest::wanted(shown, entry.size_bytes);
    extractors.retain(|extractor| {
        let has_had_it =
            entry.path != alias.target && extractor.wants(entry.path, entry.size_bytes);
        extractor.link_rule() != LinkRule::Ignore && !has_had_it
    });
    extractors
}

/// Reports a file behind a link that cannot be told from others.
fn report_lossy(entry: &EntryHeader<'_>, shown: &str, draft: &mut LayerDraft) {
    if entry.path_is_lossy {
        draft.add_problem(Problem::at(
            ProblemKind::UnreadableFile,
            shown,
            "the path behind a link holds bytes that are not UTF-8",
        ));
    }
}

impl Reading<'_> {
    fn forget(&mut self, real: &str, kind: PathKind) {
        self.links.forget(real, kind);
        if let Some(shown) = self.alias.shown_path(real) {
            self.draft.forget(&shown, kind == PathKind::Directory);
        } else if kind == PathKind::NonDirectory && path::is_at_or_below(&self.alias.target, real) {
            self.draft.forget(&self.alias.path, false);
        }
    }

    fn link(&mut self, entry: &EntryHeader<'_>) {
        let Some(shown) = self.alias.shown_path(entry.path) else {
            return;
        };
        if entry.path == self.alias.target || interest::link_matters(&shown) {
            if entry.path_is_lossy {
                report_lossy(entry, &shown, &mut self.draft);
            } else {
                self.links.insert(entry);
            }
        }
    }

    fn finish(self) -> LayerInventory {
        self.draft.finish(LayerFrame {
            links: self.links.into_sorted(),
            ..LayerFrame::default()
        })
    }
}
