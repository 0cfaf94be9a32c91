//! The version in the symbols of an ELF program: where paths are trimmed, Go does not record the
//! linker's flags, but a variable that they set keeps a symbol for its text.

use std::ops::Range;

use object::Endianness;
use object::elf::{Sym32, Sym64};
use object::pod;
use object::read::elf::Sym;

use super::super::layout::{Layout, SymbolTable};
use super::super::source::{Mark, ReadError, Source};
use super::version::Candidates;

/// Names that are looked at. A program has a handful.
const NAMES_MAX: usize = 4_096;
/// Bytes of a name before its ending.
const NAME_SIZE_MAX: u64 = 507;
/// Bytes of a text that can be a version.
const TEXT_SIZE_MAX: u64 = 256;
/// Bytes of the table that are read at a time: a multiple of an entry's size in either class.
const CHUNK_SIZE: u64 = 48 * 1024;
/// Returns the version of the main module, or nothing.
///
/// # Errors
///
/// There is a symbol table that cannot be read.
pub(super) fn version(
    source: &Source<'_>,
    layout: &Layout,
    main_path: &str,
) -> Result<String, ReadError> {
    let Some(symbols) = &layout.symbols else {
        return Ok(String::new());
    };
    let names = names(source, symbols)?;
    if names.is_empty() {
        return Ok(String::new());
    }
    let mut candidates = Candidates::new(main_path);
    let found = if symbols.is_64 {
        texts::<Sym64<Endianness>>(source, symbols, &names)?
    } else {
        texts::<Sym32<Endianness>>(source, symbols, &names)?
    };
    for symbol in found {
        let Some(value) = read_text(source, layout, &symbol)? else {
            continue;
        };
        candidates.add(&symbol.variable, &value);
    }
    Ok(candidates.choose())
}

/// A name, or several of which one is the end of another.
struct Name {
    /// The offset in the table of names.
    start: u64,
    text: Vec<u8>,
}

/// A symbol whose text may be a version.
struct TextSymbol {
    variable: String,
    section_index: usize,
    address: u64,
    size_bytes: u64,
}

/// Finds the names of variables that may hold a version, in their order.
fn names(source: &Source<'_>, symbols: &SymbolTable) -> Result<Vec<Name>, ReadError> {
    let Range { start, end } = symbols.names;
    let found = source.find(Mark::TextSymbol, start..end, NAMES_MAX + 1, |_| true)?;
    if found.len() > NAMES_MAX {
        return Err(ReadError::TooLarge);
    }
    let mut names = Vec::new();
    for offset in found {
        let from = offset.saturating_sub(NAME_SIZE_MAX).max(start);
        // Of a program that passed by only the likely names were kept.
        let bytes = match source.read(from, offset - from) {
            Ok(bytes) => bytes,
            Err(ReadError::NotKept) => continue,
            Err(error) => return Err(error),
        };
        let text = bytes.rsplit(|byte| *byte == 0).next().unwrap_or_default();
        if Candidates::is_wanted(&String::from_utf8_lossy(text)) {
            names.push(Name {
                start: offset - text.len() as u64 - start,
                text: text.to_vec(),
            });
        }
    }
    Ok(names)
}

/// Finds the symbols that have one of the names.
fn texts<S: Sym<Endian = Endianness>>(
    source: &Source<'_>,
    symbols: &SymbolTable,
    names: &[Name],
) -> Result<Vec<TextSymbol>, ReadError> {
    let mut found = Vec::new();
    let Range { mut start, end } = symbols.table;
    while start < end {
        let bytes = source.read(start, CHUNK_SIZE.min(end - start))?;
        start += CHUNK_SIZE;
        let count = bytes.len() / size_of::<S>();
        let (entries, _) =
            pod::slice_from_bytes::<S>(&bytes, count).map_err(|()| ReadError::PastEnd)?;
        found.extend(
            entries
                .iter()
                .filter_map(|entry| text_symbol(entry, symbols.endian, names)),
        );
    }
    Ok(found)
}

fn text_symbol<S: Sym<Endian = Endianness>>(
    entry: &S,
    endian: Endianness,
    names: &[Name],
) -> Option<TextSymbol> {
    let at = u64::from(entry.st_name(endian));
    let after = names.partition_point(|name| name.start <= at);
    let name = names.get(after.checked_sub(1)?)?;
    let text = name.text.get(usize::try_from(at - name.start).ok()?..)?;
    let size_bytes = entry.st_size(endian).into();
    (1..=TEXT_SIZE_MAX)
        .contains(&size_bytes)
        .then(|| TextSymbol {
            variable: String::from_utf8_lossy(text).into_owned(),
            section_index: usize::from(entry.st_shndx(endian).0),
            address: entry.st_value(endian).into(),
            size_bytes,
        })
}

/// Reads the text of a symbol. `None` if it does not lie in a section.
fn read_text(
    source: &Source<'_>,
    layout: &Layout,
    symbol: &TextSymbol,
) -> Result<Option<String>, ReadError> {
    let Some(section) = layout.sections.get(symbol.section_index) else {
        return Ok(None);
    };
    let Some(inside) = symbol.address.checked_sub(section.address) else {
        return Ok(None);
    };
    if inside.saturating_add(symbol.size_bytes) > section.size_bytes {
        return Ok(None);
    }
    let offset = section.offset.saturating_add(inside);
    let bytes = source.read(offset, symbol.size_bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.trim_end_matches('\0').to_owned()))
}
