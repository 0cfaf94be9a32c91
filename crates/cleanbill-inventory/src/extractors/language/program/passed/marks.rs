//! The marks of what may be asked for later.

use std::io::Read as _;
use std::ops::Range;

use memchr::memmem::Finder;

use super::super::layout::Segment;
use super::super::source::Mark;
use crate::inflate::{Wrapping, inflate};

/// Occurrences of a mark that are noted.
const MARKS_MAX: usize = 4_096;
/// Places with build information, audit data or module texts of which bytes are kept, each kind.
const PLACES_MAX: usize = 2;
/// Bytes that are kept of each.
const PLACE_SIZE_BYTES: u64 = 1 << 20;
/// Texts that look like a version which are kept.
const VERSIONS_MAX: usize = 16_384;
/// Bytes of a version on either side of its first dot.
const VERSION_HALF: usize = 64;

/// What brackets the module text of Go programs. Source: Go `cmd/go/internal/modload/build.go`.
const MODULE_TEXT_START: &[u8] =
    b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";

/// Holds where marks were seen, and how much was kept for them.
#[derive(Default)]
pub(super) struct Marks {
    build_infos: Vec<u64>,
    text_symbols: Vec<u64>,
    is_incomplete: bool,
    build_info_count: usize,
    module_text_count: usize,
    audit_data_count: usize,
    version_count: usize,
}

/// The part of a program in which marks are looked for.
pub(super) struct Zone<'a> {
    /// The bytes at hand.
    pub(super) window: &'a [u8],
    /// The offset of their first.
    pub(super) window_offset: u64,
    /// The offsets at which marks may begin.
    pub(super) range: Range<u64>,
}

impl Zone<'_> {
    fn offset(&self, index: usize) -> u64 {
        self.window_offset + index as u64
    }

    /// Returns where a pattern begins in the zone, as indexes of the window.
    fn find(&self, pattern: &[u8]) -> Vec<usize> {
        let finder = Finder::new(pattern);
        let first = self.index(self.range.start);
        let found = finder.find_iter(self.window.get(first..).unwrap_or_default());
        found
            .map(|at| first + at)
            .take_while(|at| self.offset(*at) < self.range.end)
            .collect()
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.window_offset)).unwrap_or(usize::MAX)
    }

    fn after(&self, index: usize) -> &[u8] {
        self.window.get(index..).unwrap_or_default()
    }
}

impl Marks {
    /// Returns where a mark lies. `None` if there were too many to note.
    pub(super) fn of(&self, mark: Mark) -> Option<&[u64]> {
        if self.is_incomplete {
            return None;
        }
        Some(match mark {
            Mark::BuildInfo => &self.build_infos,
            Mark::TextSymbol => &self.text_symbols,
        })
    }

    /// Looks for marks, and adds to `wanted` what is to be kept for them.
    pub(super) fn find(
        &mut self,
        zone: &Zone<'_>,
        segments: &[Segment],
        wanted: &mut Vec<Range<u64>>,
    ) {
        self.find_build_infos(zone, segments, wanted);
        self.find_text_symbols(zone, wanted);
        self.find_module_texts(zone, wanted);
        self.find_audit_data(zone, wanted);
        self.find_versions(zone, wanted);
    }

    fn find_build_infos(
        &mut self,
        zone: &Zone<'_>,
        segments: &[Segment],
        wanted: &mut Vec<Range<u64>>,
    ) {
        for index in zone.find(Mark::BuildInfo.bytes()) {
            let offset = zone.offset(index);
            note(&mut self.build_infos, offset, &mut self.is_incomplete);
            if self.build_info_count >= PLACES_MAX || !offset.is_multiple_of(16) {
                continue;
            }
            self.build_info_count += 1;
            wanted.push(offset..offset + PLACE_SIZE_BYTES);
            for (address, size) in super::super::go::header_pointers(zone.after(index)) {
                let place = segments
                    .iter()
                    .find_map(|segment| segment.offset_of(address));
                if let Some(at) = place.filter(|at| *at > offset) {
                    wanted.push(at..at.saturating_add(size));
                }
            }
        }
    }

    fn find_text_symbols(&mut self, zone: &Zone<'_>, wanted: &mut Vec<Range<u64>>) {
        for index in zone.find(Mark::TextSymbol.bytes()) {
            // The names that count end in `.ver` or `.version`.
            let before = index.checked_sub(1).and_then(|at| zone.window.get(at));
            if matches!(before, Some(b'r' | b'R' | b'n' | b'N')) {
                let offset = zone.offset(index);
                note(&mut self.text_symbols, offset, &mut self.is_incomplete);
                let end = offset + Mark::TextSymbol.bytes().len() as u64;
                wanted.push(offset.saturating_sub(super::LOOK_BACK)..end);
            }
        }
    }

    fn find_module_texts(&mut self, zone: &Zone<'_>, wanted: &mut Vec<Range<u64>>) {
        for index in zone.find(MODULE_TEXT_START) {
            if self.module_text_count < PLACES_MAX {
                self.module_text_count += 1;
                let offset = zone.offset(index);
                wanted.push(offset..offset + PLACE_SIZE_BYTES);
            }
        }
    }

    fn find_audit_data(&mut self, zone: &Zone<'_>, wanted: &mut Vec<Range<u64>>) {
        for level in [0x01, 0x5e, 0x9c, 0xda] {
            for index in zone.find(&[0x78, level]) {
                if self.audit_data_count < PLACES_MAX && is_compressed_object(zone.after(index)) {
                    self.audit_data_count += 1;
                    let offset = zone.offset(index);
                    wanted.push(offset..offset + PLACE_SIZE_BYTES);
                }
            }
        }
    }

    /// Versions that were set when a program was linked end in a NUL; those of the Go release
    /// begin with `go1.`.
    fn find_versions(&mut self, zone: &Zone<'_>, wanted: &mut Vec<Range<u64>>) {
        for index in zone.find(b".") {
            if self.version_count >= VERSIONS_MAX {
                return;
            }
            if let Some(range) = version_around(zone.window, index) {
                self.version_count += 1;
                wanted.push(zone.offset(range.start)..zone.offset(range.end));
            }
        }
    }
}

fn note(offsets: &mut Vec<u64>, offset: u64, is_incomplete: &mut bool) {
    if offsets.len() < MARKS_MAX {
        offsets.push(offset);
    } else {
        *is_incomplete = true;
    }
}

/// Says whether a zlib stream begins here that holds a JSON object.
fn is_compressed_object(bytes: &[u8]) -> bool {
    let input = bytes.get(..bytes.len().min(256)).unwrap_or_default();
    let mut output = [0; 32];
    let count = inflate(input, Wrapping::Zlib).read(&mut output);
    let text = count.ok().and_then(|count| output.get(..count));
    text.is_some_and(|text| text.trim_ascii_start().first() == Some(&b'{'))
}

/// Returns the bytes around a dot if they look like a version that may be asked for.
fn version_around(window: &[u8], dot: usize) -> Option<Range<usize>> {
    let is_digit = |at: usize| window.get(at).is_some_and(u8::is_ascii_digit);
    if !is_digit(dot.checked_sub(1)?) || !is_digit(dot + 1) {
        return None;
    }
    let is_version = |byte: &u8| byte.is_ascii_alphanumeric() || b".+-_".contains(byte);
    let before = window.get(dot.saturating_sub(VERSION_HALF)..dot)?;
    let after = window.get(dot..window.len().min(dot + VERSION_HALF))?;
    let tail = after.iter().take_while(|byte| is_version(byte)).count();
    let head = before
        .iter()
        .rev()
        .take_while(|byte| is_version(byte))
        .count();
    let is_terminated = after.get(tail) == Some(&0);
    let is_release = before.ends_with(b"go1");
    (is_terminated || is_release).then_some(dot - head..dot + after.len())
}
