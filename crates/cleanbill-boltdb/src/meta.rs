//! The two meta pages: which of them is valid and what it says.

use super::{BoltError, slice, u32_at, u64_at};

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Bytes of the page header before a meta structure.
const PAGE_HEADER: u64 = 16;
/// Bytes of a meta structure before its checksum.
const CHECKED_LENGTH: usize = 56;
/// Holds what a valid meta page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    /// Bytes of a page, a power of two.
    pub(super) page_size: u64,
    /// The root page of the root bucket.
    pub(super) root: u64,
    /// The first page id that is not in use.
    pub(super) high_water: u64,
    /// The transaction that wrote it; the greater one is current.
    pub(super) transaction: u64,
}

impl Meta {
    /// Takes the valid meta page with the greater transaction id.
    pub(super) fn select(bytes: &[u8]) -> Result<Meta, BoltError> {
        let first = Meta::parse(bytes, 0);
        let second = match first {
            Some(first) => Meta::parse(bytes, first.page_size),
            None => page_sizes().find_map(|size| Meta::parse(bytes, size)),
        };
        let length_bytes = bytes.len() as u64;
        let meta = first
            .into_iter()
            .chain(second)
            .max_by_key(|meta| meta.transaction)
            .ok_or(BoltError::NoMeta { length_bytes })?;
        meta.check_length(length_bytes)?;
        Ok(meta)
    }

    /// Parses the meta page at a byte offset. The second page must lie where its own page size
    /// puts it. The page header is not looked at, as in bbolt: the checksum does not cover it.
    fn parse(bytes: &[u8], page_offset: u64) -> Option<Meta> {
        let start = page_offset.checked_add(PAGE_HEADER)?;
        let fields = slice(bytes, start, CHECKED_LENGTH as u64 + 8)?;
        let valid = u32_at(fields, 0)? == MAGIC
            && u32_at(fields, 4)? == VERSION
            && u64_at(fields, CHECKED_LENGTH)? == fnv1a(fields.get(..CHECKED_LENGTH)?);
        let meta = Meta {
            page_size: u64::from(u32_at(fields, 8)?),
            root: u64_at(fields, 16)?,
            high_water: u64_at(fields, 40)?,
            transaction: u64_at(fields, 48)?,
        };
        let plausible = page_sizes().any(|size| size == meta.page_size)
            && (page_offset == 0 || page_offset == meta.page_size);
        (valid && plausible).then_some(meta)
    }

    /// Rejects a file that ends before its last page: that a page is missing would otherwise show
    /// only when somebody looks up what was there.
    fn check_length(&self, length_bytes: u64) -> Result<(), BoltError> {
        let promised_bytes = self.high_water.max(2).saturating_mul(self.page_size);
        if promised_bytes > length_bytes {
            return Err(BoltError::Truncated {
                length_bytes,
                promised_bytes,
            });
        }
        Ok(())
    }
}

/// Returns the sizes that a page may have, 1 KiB to 16 MiB: those that bbolt tries when the first
/// meta page is damaged.
fn page_sizes() -> impl Iterator<Item = u64> {
    (10..=24).map(|bits| 1 << bits)
}

/// Computes the 64-bit FNV-1a hash.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
