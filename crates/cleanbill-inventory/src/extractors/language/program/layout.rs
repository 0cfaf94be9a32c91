//! Where the parts of a program lie: what Go's and Rust's readers ask for, of each format.

mod elf;
mod mach_o;
mod pe;
mod plan9;
pub(super) mod wasm;
mod xcoff;

use std::ops::Range;

use object::Endianness;

use super::source::{ReadError, Source};

/// Bytes that are enough to know the format.
pub(super) const MAGIC_SIZE: usize = 16;

/// The number of architectures from which on a file with the magic number of a universal Mach-O
/// program is a Java class, whose version stands in that place.
const JAVA_CLASS_VERSION_MIN: u32 = 45;

/// Says where the parts of a program lie.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// What is mapped into memory, in the order of the tables.
    pub(super) segments: Vec<Segment>,
    /// The addresses of the first data that may be written, where Go's linkers put the build
    /// information if it has no section of its own.
    pub(super) data: Option<Range<u64>>,
    /// The named parts. Names are empty where they could not be read.
    pub(super) sections: Vec<Section>,
    /// Where the names of symbols can be looked up.
    pub(super) symbols: Option<SymbolTable>,
    /// Why the table of sections is missing or incomplete, although the program has one.
    pub(super) damage: Option<ReadError>,
}

/// A part of the file that is mapped into memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) address: u64,
    pub(super) offset: u64,
    /// Bytes in the file.
    pub(super) size_bytes: u64,
}

/// A named part.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) name: Vec<u8>,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size_bytes: u64,
}

/// The symbol table of an ELF program.
#[derive(Clone, Debug)]
pub(super) struct SymbolTable {
    pub(super) is_64: bool,
    pub(super) endian: Endianness,
    /// The offsets of its entries.
    pub(super) table: Range<u64>,
    /// The offsets of their names.
    pub(super) names: Range<u64>,
}

impl Segment {
    /// Returns the offset of an address, if the segment has it.
    pub(super) fn offset_of(&self, address: u64) -> Option<u64> {
        let inside = address.checked_sub(self.address)?;
        (inside < self.size_bytes).then(|| self.offset.checked_add(inside))?
    }

    /// Returns the offset of the first byte after it.
    pub(super) fn end_offset(&self) -> u64 {
        self.offset.saturating_add(self.size_bytes)
    }
}

impl Section {
    /// Returns its offsets.
    pub(super) fn range(&self) -> Range<u64> {
        self.offset..self.offset.saturating_add(self.size_bytes)
    }
}

/// Names the formats of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Elf,
    Pe,
    MachO,
    UniversalMachO,
    Wasm,
    Plan9,
    Xcoff,
}

/// Says from the first bytes of a file whether it may be a program.
pub(super) fn is_program(first: &[u8]) -> bool {
    format_of(first).is_some()
}

fn format_of(first: &[u8]) -> Option<Format> {
    Some(match first {
        [0x7f, b'E', b'L', b'F', ..] => Format::Elf,
        [b'M', b'Z', ..] => Format::Pe,
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => Format::MachO,
        [0xca, 0xfe, 0xba, 0xbe, a, b, c, d, ..]
            if u32::from_be_bytes([*a, *b, *c, *d]) < JAVA_CLASS_VERSION_MIN =>
        {
            Format::UniversalMachO
        }
        _ if first.starts_with(wasm::MAGIC) => Format::Wasm,
        [a, b, c, d, ..] if plan9::MAGICS.contains(&[*a, *b, *c, *d]) => Format::Plan9,
        [a, b, ..] if xcoff::MAGIC == [*a, *b] => Format::Xcoff,
        _ => return None,
    })
}

impl Layout {
    /// Reads the tables of a program. What has the magic number of a format and breaks its rules
    /// otherwise is no program, and has an empty layout.
    ///
    /// # Errors
    ///
    /// The tables that say what is loaded could not be had. An unreadable table of sections is no
    /// error, see [`Layout::damage`]: the program can be run without.
    pub(super) fn read(source: &Source<'_>) -> Result<Self, ReadError> {
        let first = source.read_up_to(0, MAGIC_SIZE as u64)?;
        match format_of(&first) {
            Some(Format::Elf) => elf::read(source),
            Some(Format::Pe) => pe::read(source),
            Some(Format::MachO) => mach_o::read(source, 0),
            Some(Format::UniversalMachO) => mach_o::read_universal(source),
            Some(Format::Wasm) => wasm::read(source),
            Some(Format::Plan9) => plan9::read(source),
            Some(Format::Xcoff) => xcoff::read(source),
            None => Ok(Self::default()),
        }
    }

    /// Returns the first section with one of the names.
    pub(super) fn section(&self, names: &[&[u8]]) -> Option<&Section> {
        names
            .iter()
            .find_map(|name| self.sections.iter().find(|section| section.name == *name))
    }

    /// Returns the segment that has an address.
    pub(super) fn segment_of(&self, address: u64) -> Option<&Segment> {
        self.segments
            .iter()
            .find(|segment| segment.offset_of(address).is_some())
    }
}

/// Returns the bytes before the first NUL.
fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
