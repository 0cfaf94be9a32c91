//! NDB: the file `Packages.db` of rpm on SUSE.
//!
//! Slot pages of 4,096 bytes name the packages and where their blobs lie; the first two slots are
//! the file's header.
//!
//! Source: rpm 4.17 `lib/backend/ndb/rpmpkg.c`, spec 02 section 2.3.

use super::bytes::{Endian, slice, u32_at};
use super::error::DatabaseError;

/// The first four bytes of the file.
pub(super) const MAGIC: &[u8; 4] = b"RpmP";

const SLOT_MAGIC: &[u8; 4] = b"Slot";
const BLOB_MAGIC: &[u8; 4] = b"BlbS";
const HEADER_SIZE: u64 = 32;
const PAGE_SIZE: u64 = 4096;
/// Bytes of a slot, of a blob's header, and the unit in which blobs are placed.
const UNIT: u64 = 16;
/// Slot pages that the reference reader accepts.
const SLOT_PAGES_MAX: u32 = 2048;

/// Hands every header blob of the file to `visit`, in the order of the slots.
///
/// # Errors
///
/// The file is no readable NDB, or `visit` failed.
pub(super) fn for_each_header(
    file: &[u8],
    visit: &mut dyn FnMut(&[u8]) -> Result<(), DatabaseError>,
) -> Result<(), DatabaseError> {
    let header = slice(file, 0, HEADER_SIZE, "the NDB header")?;
    let version = u32_at(header, 4, Endian::Little).unwrap_or(0);
    let pages = u32_at(header, 12, Endian::Little).unwrap_or(0);
    if version != 0 || !(1..=SLOT_PAGES_MAX).contains(&pages) {
        return Err(DatabaseError::malformed(
            "the NDB header",
            format!("version {version}, {pages} slot pages"),
        ));
    }
    let size = u64::from(pages) * PAGE_SIZE - HEADER_SIZE;
    let slots = slice(file, HEADER_SIZE, size, "the NDB slots")?;
    // Blobs do not share bytes; a file whose slots say so would be read many times over.
    let mut bytes_left = file.len() as u64;
    for (index, slot) in slots.as_chunks::<16>().0.iter().enumerate() {
        if let Some(blob) = read_slot(file, slot, index)? {
            bytes_left = bytes_left
                .checked_sub(blob.len() as u64)
                .ok_or_else(|| malformed_slot(index, "its blob overlaps others"))?;
            visit(blob)?;
        }
    }
    Ok(())
}

/// Returns the blob that a slot names, `None` for a free slot.
fn read_slot<'a>(
    file: &'a [u8],
    slot: &[u8; 16],
    index: usize,
) -> Result<Option<&'a [u8]>, DatabaseError> {
    if !slot.starts_with(SLOT_MAGIC) {
        return Err(malformed_slot(index, "it does not begin with 'Slot'"));
    }
    let field = |bytes: &[u8], offset| u32_at(bytes, offset, Endian::Little).unwrap_or(0);
    let package = field(slot, 4);
    if package == 0 {
        return Ok(None);
    }
    let offset = u64::from(field(slot, 8)) * UNIT;
    let header = slice(file, offset, UNIT, "a blob's header")?;
    if !header.starts_with(BLOB_MAGIC) || field(header, 4) != package {
        return Err(malformed_slot(index, "it points at no blob of its package"));
    }
    let length = u64::from(field(header, 12));
    slice(file, offset + UNIT, length, "a blob").map(Some)
}

fn malformed_slot(index: usize, reason: &str) -> DatabaseError {
    DatabaseError::malformed(format!("slot {index}"), reason)
}
