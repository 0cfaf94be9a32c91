//! Bounds-checked numbers in foreign bytes.

use super::error::DatabaseError;

/// Tells byte orders apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

/// Reads two bytes at an offset, `None` beyond the end.
pub(super) fn u16_at(bytes: &[u8], offset: usize, endian: Endian) -> Option<u16> {
    let raw = *bytes.get(offset..)?.first_chunk()?;
    Some(match endian {
        Endian::Little => u16::from_le_bytes(raw),
        Endian::Big => u16::from_be_bytes(raw),
    })
}

/// Reads four bytes at an offset, `None` beyond the end.
pub(super) fn u32_at(bytes: &[u8], offset: usize, endian: Endian) -> Option<u32> {
    let raw = *bytes.get(offset..)?.first_chunk()?;
    Some(match endian {
        Endian::Little => u32::from_le_bytes(raw),
        Endian::Big => u32::from_be_bytes(raw),
    })
}

/// Returns `length` bytes of a file from `offset` on.
///
/// # Errors
///
/// [`DatabaseError::Truncated`], naming `what`.
pub(super) fn slice<'a>(
    file: &'a [u8],
    offset: u64,
    length: u64,
    what: &'static str,
) -> Result<&'a [u8], DatabaseError> {
    let range = || {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        file.get(start..end)
    };
    range().ok_or(DatabaseError::Truncated {
        what,
        offset,
        size_bytes: file.len() as u64,
    })
}
