//! What is kept of a large program that passes by once.
//!
//! The tables of a program lie at its front and at its end; what they point at lies between them.
//! A pass keeps both ends, and from between what has the marks of build information, of audit
//! data, and of the texts that they refer to. The tables, once complete, say which of these count.
//! What they ask for and was not kept is an error, so nothing is overlooked silently.

mod marks;
mod sections;

use std::io::{self, Read};
use std::ops::Range;

use super::layout::Layout;
use super::source::{Mark, Source};
use marks::{Marks, Zone};
use sections::Sections;

/// Bytes that are kept of the end: names and the table of sections, and the symbol tables of all
/// but the largest programs.
const END_SIZE_BYTES: u64 = 6 << 20;
/// Bytes of a symbol table that are kept where it is known beforehand.
const SYMBOLS_SIZE_BYTES_MAX: u64 = 6 << 20;
/// Bytes that are read at a time, and that are kept of the front.
const WINDOW_SIZE: usize = 256 * 1024;
/// Bytes before a mark that may be wanted with it.
const LOOK_BACK: u64 = 512;
/// Bytes after the beginning of a mark that must be at hand to judge it.
const LOOK_AHEAD: u64 = 512;

/// Holds what was kept.
pub(super) struct Passed {
    size_bytes: u64,
    /// Pieces by their offset, in order, none touching the next.
    pieces: Vec<(u64, Vec<u8>)>,
    marks: Marks,
}

impl Passed {
    /// Lets a program pass. `size_bytes` is what its header states.
    ///
    /// # Errors
    ///
    /// Reading failed.
    pub(super) fn read(stream: &mut dyn Read, size_bytes: u64) -> io::Result<Self> {
        let end = size_bytes.saturating_sub(END_SIZE_BYTES)..size_bytes;
        let mut pass = Pass {
            window: Vec::with_capacity(2 * WINDOW_SIZE),
            window_offset: 0,
            judged: 0,
            emitted: 0,
            wanted: vec![0..WINDOW_SIZE as u64, end],
            layout: None,
            sections: None,
            passed: Self {
                size_bytes: 0,
                pieces: Vec::new(),
                marks: Marks::default(),
            },
        };
        while pass.advance(stream)? {}
        Ok(pass.passed)
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Returns the bytes of a range of offsets, if all were kept.
    pub(super) fn get(&self, range: Range<u64>) -> Option<&[u8]> {
        let after = self.pieces.partition_point(|(at, _)| *at <= range.start);
        let (offset, bytes) = self.pieces.get(after.checked_sub(1)?)?;
        let start = usize::try_from(range.start - offset).ok()?;
        let end = usize::try_from(range.end - offset).ok()?;
        bytes.get(start..end)
    }

    /// Returns where a mark lies, in order. `None` if there were too many to note.
    pub(super) fn marks(&self, mark: Mark) -> Option<&[u64]> {
        self.marks.of(mark)
    }
}

/// A program while it passes.
struct Pass {
    /// The bytes at hand: new ones, and enough older ones to look back.
    window: Vec<u8>,
    window_offset: u64,
    /// The offset up to which marks have been looked for.
    judged: u64,
    /// The offset up to which pieces are complete.
    emitted: u64,
    /// What is to be kept, in no order. May lie ahead.
    wanted: Vec<Range<u64>>,
    /// What the front says, from the first window on.
    layout: Option<Layout>,
    /// The sections of a module of WebAssembly, which have no table.
    sections: Option<Sections>,
    passed: Passed,
}

impl Pass {
    /// Takes the next bytes. Returns whether there may be more.
    fn advance(&mut self, stream: &mut dyn Read) -> io::Result<bool> {
        let before = self.window.len();
        let mut piece = stream.take(WINDOW_SIZE as u64);
        let count = piece.read_to_end(&mut self.window)?;
        debug_assert_eq!(before + count, self.window.len());
        let is_end = count < WINDOW_SIZE;
        let end = self.window_offset + self.window.len() as u64;
        self.plan_from_front();
        if let Some(sections) = &mut self.sections {
            sections.find(&self.window, self.window_offset, is_end, &mut self.wanted);
        }
        let judged_end = if is_end {
            end
        } else {
            end.saturating_sub(LOOK_AHEAD)
        };
        self.judge(judged_end);
        self.emit(if is_end {
            end
        } else {
            judged_end.saturating_sub(LOOK_BACK)
        });
        self.passed.size_bytes = end;
        Ok(!is_end)
    }

    /// Reads the tables at the front, and plans to keep what they point at.
    fn plan_from_front(&mut self) {
        if self.layout.is_some() || self.sections.is_some() {
            return;
        }
        self.sections = Sections::of(&self.window);
        let Ok(layout) = Layout::read(&Source::Whole(&self.window)) else {
            return;
        };
        if let Some(symbols) = &layout.symbols {
            let table = symbols.table.clone();
            if table.end.saturating_sub(table.start) <= SYMBOLS_SIZE_BYTES_MAX {
                self.wanted.push(table);
            }
        }
        self.layout = Some(layout);
    }

    /// Looks for marks that begin before `end`.
    fn judge(&mut self, end: u64) {
        let zone = Zone {
            window: &self.window,
            window_offset: self.window_offset,
            range: self.judged..end,
        };
        let segments = self
            .layout
            .as_ref()
            .map_or(&[][..], |layout| &layout.segments);
        self.passed.marks.find(&zone, segments, &mut self.wanted);
        self.judged = end;
    }

    /// Keeps what is wanted before `end`, and forgets the rest of it.
    fn emit(&mut self, end: u64) {
        self.wanted.sort_unstable_by_key(|range| range.start);
        for range in &self.wanted {
            let start = range.start.max(self.emitted);
            let stop = range.end.min(end);
            let from = usize::try_from(start.saturating_sub(self.window_offset)).unwrap_or(0);
            let to = usize::try_from(stop.saturating_sub(self.window_offset)).unwrap_or(0);
            if let Some(bytes) = self.window.get(from..to).filter(|bytes| !bytes.is_empty()) {
                keep(&mut self.passed.pieces, start, bytes);
                self.emitted = stop;
            }
        }
        self.emitted = self.emitted.max(end);
        self.wanted.retain(|range| range.end > end);
        let forgotten = usize::try_from(end - self.window_offset).unwrap_or(0);
        // Marks are judged with what lies before them.
        let forgotten = forgotten.saturating_sub(usize::try_from(LOOK_BACK).unwrap_or(0));
        self.window.drain(..forgotten.min(self.window.len()));
        self.window_offset += forgotten as u64;
    }
}

fn keep(pieces: &mut Vec<(u64, Vec<u8>)>, offset: u64, bytes: &[u8]) {
    if let Some((start, last)) = pieces.last_mut()
        && *start + last.len() as u64 == offset
    {
        last.extend_from_slice(bytes);
    } else {
        pieces.push((offset, bytes.to_vec()));
    }
}
