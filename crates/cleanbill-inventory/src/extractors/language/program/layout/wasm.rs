//! WebAssembly modules. Source: the core specification 1.0, sections 5.5.2 and 5.5.3.

use super::super::source::{ReadError, Source};
use super::{Layout, Section};

/// How a module begins: the magic number and the version.
pub(in super::super) const MAGIC: &[u8] = b"\0asm\x01\0\0\0";
pub(in super::super) const HEADER_SIZE: u64 = MAGIC.len() as u64;
/// Sections that are looked at; compilers write twelve and a few custom ones.
pub(in super::super) const SECTIONS_MAX: usize = 4_096;
/// Bytes of a custom section's name that are looked at.
const NAME_SIZE_MAX: u64 = 64;

/// Reads the custom sections.
pub(super) fn read(source: &Source<'_>) -> Result<Layout, ReadError> {
    let mut layout = Layout::default();
    let mut offset = HEADER_SIZE;
    for _ in 0..SECTIONS_MAX {
        if offset >= source.size_bytes() {
            break;
        }
        let (end, section) = read_section(source, offset)?;
        layout.sections.extend(section);
        offset = end;
    }
    Ok(layout)
}

/// Reads what stands at the beginning of a section. Returns the offset of its end, and the section
/// if it is a custom one.
pub(in super::super) fn read_section(
    source: &Source<'_>,
    offset: u64,
) -> Result<(u64, Option<Section>), ReadError> {
    let id = source.read(offset, 1)?;
    let (content, size) = read_size(source, offset + 1)?;
    let end = content.saturating_add(size);
    if id != [0] {
        return Ok((end, None));
    }
    let (name, name_size) = read_size(source, content)?;
    let data = name.saturating_add(name_size);
    let section = Section {
        name: source.read(name, name_size.min(NAME_SIZE_MAX))?,
        address: 0,
        offset: data,
        size_bytes: end.saturating_sub(data),
    };
    Ok((end, Some(section)))
}

/// Reads an unsigned LEB128 number of up to 32 bits. Returns the offset behind it, and the number.
fn read_size(source: &Source<'_>, offset: u64) -> Result<(u64, u64), ReadError> {
    let mut size = 0;
    for (index, byte) in (0_u64..).zip(source.read_up_to(offset, 5)?) {
        size |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((offset + index + 1, size));
        }
    }
    Err(ReadError::PastEnd)
}
