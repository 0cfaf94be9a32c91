//! The sections of a WebAssembly module: there is no table of them, each says where the next one
//! begins.

use std::ops::Range;

use super::super::layout::wasm;
use super::super::source::Source;

/// Bytes that the beginning of a section is kept of: more than the reader asks for.
const HEAD_SIZE: usize = 128;

/// Follows sections as they pass.
pub(super) struct Sections {
    /// Where the next one begins.
    next: u64,
    left: usize,
}

impl Sections {
    /// Begins behind the header of a module; `None` if it is something else.
    pub(super) fn of(front: &[u8]) -> Option<Self> {
        front.starts_with(wasm::MAGIC).then_some(Self {
            next: wasm::HEADER_SIZE,
            left: wasm::SECTIONS_MAX,
        })
    }

    /// Adds to `wanted` the beginnings of the sections that begin in the bytes at hand. One that is
    /// not at hand for the most part follows later, unless these are the last.
    pub(super) fn find(
        &mut self,
        window: &[u8],
        window_offset: u64,
        is_end: bool,
        wanted: &mut Vec<Range<u64>>,
    ) {
        while self.left > 0 {
            let at = usize::try_from(self.next.saturating_sub(window_offset));
            let head = at.ok().and_then(|at| window.get(at..)).unwrap_or_default();
            if head.is_empty() || head.len() < HEAD_SIZE && !is_end {
                return;
            }
            wanted.push(self.next..self.next + HEAD_SIZE as u64);
            self.left -= 1;
            let Ok((end, _)) = wasm::read_section(&Source::Whole(head), 0) else {
                self.left = 0;
                return;
            };
            self.next = self.next.saturating_add(end);
        }
    }
}
