//! Plan 9. Source: a.out(6); what counts is what Go's `debug/plan9obj` reads, for which addresses
//! are offsets.

use super::super::source::{ReadError, Source};
use super::{Layout, Segment};

/// The marks of 386, amd64 and arm.
pub(super) const MAGICS: [[u8; 4]; 3] = [[0, 0, 1, 0xeb], [0, 0, 0x8a, 0x97], [0, 0, 6, 0x47]];
const HEADER_SIZE: u64 = 32;
/// Bytes by which the header of a 64-bit program is longer.
const ENTRY_SIZE: u64 = 8;

pub(super) fn read(source: &Source<'_>) -> Result<Layout, ReadError> {
    let mut layout = Layout::default();
    let header = source.read_up_to(0, HEADER_SIZE)?;
    let [_, _, flags, _, a, b, c, d, e, f, g, h, ..] = header[..] else {
        return Ok(layout);
    };
    let text_size = u64::from(u32::from_be_bytes([a, b, c, d]));
    let size_bytes = u64::from(u32::from_be_bytes([e, f, g, h]));
    let entry_size = if flags & 0x80 == 0 { 0 } else { ENTRY_SIZE };
    let offset = HEADER_SIZE + entry_size + text_size;
    layout.segments.push(Segment {
        address: offset,
        offset,
        size_bytes,
    });
    layout.data = Some(offset..offset + size_bytes);
    Ok(layout)
}
