//! Go programs: the modules that the linker has recorded.
//!
//! Source: spec 04 section 1.8; Go's `debug/buildinfo` for the places, `runtime/debug` for the
//! text.

mod link_flags;
mod module_text;
mod semver;
mod symbols;
mod version;
mod words;

use std::ops::Range;

use cleanbill_core::Package;
use cleanbill_core::package::Relationship;

use super::super::package_id;
use super::layout::Layout;
use super::source::{Mark, ReadError, Source};
use crate::extractor::ExtractError;
use crate::room::Room;
use module_text::{Module, ModuleText};

/// The type that reports print.
pub(super) const KIND: &str = "gobinary";

const SECTIONS: &[&[u8]] = &[b".go.buildinfo", b"__go_buildinfo"];
const HEADER_SIZE: u64 = 32;
const ALIGNMENT: u64 = 16;
/// The largest variable-length number.
const VARINT_SIZE_MAX: u64 = 10;
/// What brackets the module text takes on either side.
const BRACKET_SIZE: usize = 16;

/// Holds the two texts of the build information.
struct BuildInfo {
    go_version: String,
    module_text: String,
}

/// What a Go program says about itself.
pub(super) struct GoProgram {
    pub(super) packages: Vec<Package>,
    /// Why the version of the main module is perhaps not known.
    pub(super) problem: Option<ExtractError>,
}

/// Reads the modules. `None` if it is no Go program.
///
/// # Errors
///
/// It has build information that cannot be read.
pub(super) fn read(
    source: &Source<'_>,
    layout: &Layout,
    room: &mut Room,
) -> Result<Option<GoProgram>, ExtractError> {
    let found = read_build_info(source, layout);
    let Some(info) = found.map_err(|error| error.reading("Go's build information"))? else {
        return Ok(None);
    };
    let text = ModuleText::parse(&info.module_text).map_err(|error| {
        ExtractError::Malformed(format!("Go's build information makes no sense: {error}"))
    })?;
    let mut packages = vec![standard_library(&info.go_version)];
    packages.extend(text.dependencies.iter().filter_map(dependency));
    let mut problem = None;
    if !text.main.path.is_empty() {
        let main = &text.main;
        let version = version::of_main(main, &text.link_flags, || {
            symbols::version(source, layout, &main.path).unwrap_or_else(|error| {
                problem = Some(error.reading("the symbol table, for the main module's version,"));
                String::new()
            })
        });
        add_main(&mut packages, &main.path, &version, room);
    }
    Ok(Some(GoProgram { packages, problem }))
}

fn standard_library(go_version: &str) -> Package {
    let version = format!("v{}", version::of_standard_library(go_version));
    Package {
        relationship: Relationship::Direct,
        ..package("stdlib", &version)
    }
}

/// Returns a dependency, or what replaces it. Old releases wrote some without a path.
fn dependency(module: &Module) -> Option<Package> {
    if module.path.is_empty() {
        return None;
    }
    let (path, version) = match &module.replacement {
        Some((path, version)) => (path, version),
        None => (&module.path, &module.version),
    };
    Some(package(path, version::known(version)))
}

/// Adds the main module, which needs all others. So do those that have its id.
fn add_main(packages: &mut Vec<Package>, path: &str, version: &str, room: &mut Room) {
    let mut depends_on: Vec<_> = packages.iter().map(|package| package.id.clone()).collect();
    depends_on.sort();
    let main = Package {
        relationship: Relationship::Root,
        ..package(path, version)
    };
    let id = main.id.clone();
    packages.push(main);
    for package in packages.iter_mut().filter(|package| package.id == id) {
        package.depends_on = room.copy(depends_on.iter().map(String::as_str));
    }
}

fn package(name: &str, version: &str) -> Package {
    Package {
        id: package_id(KIND, name, version),
        name: name.to_owned(),
        version: version.to_owned(),
        analyzed_by: KIND.to_owned(),
        ..Package::default()
    }
}

fn read_build_info(source: &Source<'_>, layout: &Layout) -> Result<Option<BuildInfo>, ReadError> {
    let Some(place) = find_header(source, layout)? else {
        return Ok(None);
    };
    let header = source.read(place.start, HEADER_SIZE)?;
    let (go_version, module_text) = if is_inline(&header) {
        let (go_version, next) = read_inline(source, place.start + HEADER_SIZE..place.end)?;
        let (module_text, _) = read_inline(source, next..place.end)?;
        (go_version, module_text)
    } else {
        let [go_version, module_text] = header_pointers(&header)[..] else {
            return Ok(None);
        };
        let go_version = read_pointed(source, layout, &header, go_version)?;
        let module_text = read_pointed(source, layout, &header, module_text)?;
        (go_version, module_text)
    };
    if go_version.is_empty() {
        return Ok(None);
    }
    Ok(Some(BuildInfo {
        go_version: String::from_utf8_lossy(&go_version).into_owned(),
        module_text: String::from_utf8_lossy(without_brackets(&module_text)).into_owned(),
    }))
}

/// Returns the offsets of the header and what may follow it: at an address that is a multiple of
/// 16, in the section that is made for it, else in the first data that may be written.
fn find_header(source: &Source<'_>, layout: &Layout) -> Result<Option<Range<u64>>, ReadError> {
    let section = layout.section(SECTIONS);
    let addresses = match (section, &layout.data) {
        (Some(section), _) => section.address..section.address.saturating_add(section.size_bytes),
        (None, Some(data)) => data.clone(),
        (None, None) => return Ok(None),
    };
    let Some(segment) = layout.segment_of(addresses.start) else {
        return Ok(None);
    };
    let delta = segment.offset.wrapping_sub(segment.address);
    let start = addresses.start.wrapping_add(delta);
    let size = addresses.end.saturating_sub(addresses.start);
    let end = start.saturating_add(size).min(segment.end_offset());
    let is_aligned = |offset: u64| offset.wrapping_sub(delta).is_multiple_of(ALIGNMENT);
    let found = source.find(Mark::BuildInfo, start..end, 1, is_aligned)?;
    let has_room = |offset: &u64| end - offset >= HEADER_SIZE;
    let header = found.first().copied().filter(has_room);
    Ok(header.map(|offset| offset..segment.end_offset()))
}

/// Says whether the texts follow the header, as since Go 1.18.
fn is_inline(header: &[u8]) -> bool {
    header.get(15).is_some_and(|flags| flags & 2 != 0)
}

/// Returns the addresses of the two strings' headers with the size of these, where the header of
/// the build information has pointers: before Go 1.18.
pub(super) fn header_pointers(header: &[u8]) -> Vec<(u64, u64)> {
    if is_inline(header) {
        return Vec::new();
    }
    let Some(&size @ (4 | 8)) = header.get(14) else {
        return Vec::new();
    };
    let size = usize::from(size);
    let pointers = [BRACKET_SIZE, BRACKET_SIZE + size].map(|at| pointer(header, header, at));
    pointers
        .into_iter()
        .flatten()
        .map(|address| (address, 2 * size as u64))
        .collect()
}

/// Decodes the pointer at an index of `bytes`; the header says how wide it is and in which order
/// its bytes are.
fn pointer(header: &[u8], bytes: &[u8], at: usize) -> Option<u64> {
    let size = usize::from(*header.get(14)?);
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if header.get(15)? & 1 != 0 {
        Some(bytes.iter().fold(0, fold))
    } else {
        Some(bytes.iter().rev().fold(0, fold))
    }
}

/// Reads a text that follows its length, both within a range of offsets. Returns it with the
/// offset behind it.
fn read_inline(source: &Source<'_>, range: Range<u64>) -> Result<(Vec<u8>, u64), ReadError> {
    let rest = range.end.saturating_sub(range.start);
    let number = source.read_up_to(range.start, VARINT_SIZE_MAX.min(rest))?;
    let mut length: u64 = 0;
    for (index, byte) in (0_u32..).zip(number) {
        // The tenth byte has one bit to give.
        length |= u64::from(byte & 0x7f).checked_shl(7 * index).unwrap_or(0);
        if byte & 0x80 == 0 {
            let start = range.start + u64::from(index) + 1;
            let end = start.checked_add(length).ok_or(ReadError::PastEnd)?;
            if end > range.end {
                return Err(ReadError::PastEnd);
            }
            return Ok((source.read(start, length)?, end));
        }
    }
    Err(ReadError::PastEnd)
}

/// Reads the text of a Go string of which the header lies at an address. Empty if it is not in
/// the file, as in the reference implementation.
fn read_pointed(
    source: &Source<'_>,
    layout: &Layout,
    header: &[u8],
    (address, size): (u64, u64),
) -> Result<Vec<u8>, ReadError> {
    let Some(string) = read_mapped(source, layout, address, size)? else {
        return Ok(Vec::new());
    };
    let width = string.len() / 2;
    let (Some(address), Some(length)) =
        (pointer(header, &string, 0), pointer(header, &string, width))
    else {
        return Ok(Vec::new());
    };
    Ok(read_mapped(source, layout, address, length)?.unwrap_or_default())
}

/// Reads the bytes at an address. `None` if no segment has them all.
fn read_mapped(
    source: &Source<'_>,
    layout: &Layout,
    address: u64,
    size: u64,
) -> Result<Option<Vec<u8>>, ReadError> {
    let Some(segment) = layout.segment_of(address) else {
        return Ok(None);
    };
    match segment.offset_of(address) {
        Some(offset) if segment.end_offset() - offset >= size => {
            source.read(offset, size).map(Some)
        }
        _ => Ok(None),
    }
}

/// Cuts off what brackets the module text; a text without is none.
fn without_brackets(text: &[u8]) -> &[u8] {
    let is_bracketed = text.len() > 2 * BRACKET_SIZE
        && text
            .len()
            .checked_sub(BRACKET_SIZE + 1)
            .and_then(|at| text.get(at))
            == Some(&b'\n');
    if !is_bracketed {
        return &[];
    }
    text.get(BRACKET_SIZE..text.len() - BRACKET_SIZE)
        .unwrap_or_default()
}
