//! XCOFF of 64 bits, the programs of AIX. Source: AIX "XCOFF Object File Format"; what counts is
//! what Go's `internal/xcoff` looks at.

use super::super::source::{ReadError, Source};
use super::{Layout, Segment};

pub(super) const MAGIC: [u8; 2] = [1, 0xf7];
const FILE_HEADER_SIZE: u64 = 24;
const SECTION_HEADER_SIZE: u64 = 72;
/// The flag of initialised data.
const DATA: u32 = 0x40;

pub(super) fn read(source: &Source<'_>) -> Result<Layout, ReadError> {
    let mut layout = Layout::default();
    let header = source.read_up_to(0, FILE_HEADER_SIZE)?;
    let [_, _, high, low, ..] = header[..] else {
        return Ok(layout);
    };
    let Some(optional_size) = header.get(16..18).and_then(|size| size.first_chunk()) else {
        return Ok(layout);
    };
    let start = FILE_HEADER_SIZE + u64::from(u16::from_be_bytes(*optional_size));
    let count = u64::from(u16::from_be_bytes([high, low]));
    let table = source.read_up_to(start, count * SECTION_HEADER_SIZE)?;
    let size = usize::try_from(SECTION_HEADER_SIZE).unwrap_or(usize::MAX);
    for section in table.chunks_exact(size) {
        let number = |at: usize| {
            let bytes = section.get(at..).and_then(|bytes| bytes.first_chunk());
            bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes))
        };
        let (address, size_bytes, offset) = (number(16), number(24), number(32));
        layout.segments.push(Segment {
            address,
            offset,
            size_bytes,
        });
        // Flags and padding are the last eight bytes.
        let flags = u32::try_from(number(64) >> 32).unwrap_or(0);
        if flags & 0xffff == DATA && layout.data.is_none() {
            layout.data = Some(address..address.saturating_add(size_bytes));
        }
    }
    Ok(layout)
}
