//! Berkeley DB: the hash file `Packages` of rpm up to 4.15.
//!
//! The file is a row of pages. Hash pages hold keys and values; the header of a package never
//! fits, so its value only names the first of a chain of overflow pages.
//!
//! Source: Berkeley DB 5.3 `dbinc/db_page.h`, spec 02 section 2.3.

use super::bytes::{Endian, slice, u16_at, u32_at};
use super::error::DatabaseError;

const MAGIC: u32 = 0x0006_1561;
const METADATA_SIZE: usize = 512;
const PAGE_HEADER_SIZE: usize = 26;
const PAGE_SIZES: std::ops::RangeInclusive<u32> = 512..=65_536;

const TYPE_HASH_UNSORTED: u8 = 2;
const TYPE_OVERFLOW: u8 = 7;
const TYPE_HASH_METADATA: u8 = 8;
const TYPE_HASH: u8 = 13;

/// The first byte of a value that is kept in overflow pages.
const OFF_PAGE: u8 = 3;

/// Hands every header blob of the file to `visit`, in the order of the pages.
///
/// # Errors
///
/// The file is no readable Berkeley DB hash, or `visit` failed.
pub(super) fn for_each_header(
    file: &[u8],
    visit: &mut dyn FnMut(&[u8]) -> Result<(), DatabaseError>,
) -> Result<(), DatabaseError> {
    let mut database = Database::open(file)?;
    let mut value = Vec::new();
    for number in 0..=database.page_number_max {
        let page = database.page(number)?;
        if !matches!(page.kind(), TYPE_HASH | TYPE_HASH_UNSORTED) {
            continue;
        }
        for first in database.off_page_values(page)? {
            database.read_chain(first, &mut value)?;
            visit(&value)?;
        }
    }
    Ok(())
}

struct Database<'a> {
    file: &'a [u8],
    endian: Endian,
    page_size: u32,
    page_number_max: u32,
    /// Overflow pages that may still be read. Each belongs to one value: a file that refers to
    /// more of them than it has pages holds a cycle or refers to one page many times.
    overflow_pages_left: usize,
}

#[derive(Clone, Copy)]
struct Page<'a> {
    number: u32,
    bytes: &'a [u8],
}

impl<'a> Database<'a> {
    fn open(file: &'a [u8]) -> Result<Self, DatabaseError> {
        let malformed = |reason: String| DatabaseError::malformed("Berkeley DB metadata", reason);
        let metadata = slice(file, 0, METADATA_SIZE as u64, "Berkeley DB metadata")?;
        let endian = match u32_at(metadata, 12, Endian::Little) {
            Some(MAGIC) => Endian::Little,
            Some(magic) if magic.swap_bytes() == MAGIC => Endian::Big,
            _ => return Err(malformed("it is no Berkeley DB hash file".to_owned())),
        };
        let field = |offset| u32_at(metadata, offset, endian).unwrap_or(0);
        let byte = |offset| metadata.get(offset).copied().unwrap_or(0);
        if byte(24) != 0 {
            return Err(malformed(format!("encrypted by algorithm {}", byte(24))));
        }
        if byte(25) != TYPE_HASH_METADATA {
            return Err(malformed(format!("page type {}", byte(25))));
        }
        let page_size = field(20);
        if !PAGE_SIZES.contains(&page_size) || !page_size.is_power_of_two() {
            return Err(malformed(format!("page size {page_size}")));
        }
        Ok(Self {
            file,
            endian,
            page_size,
            page_number_max: field(32),
            overflow_pages_left: file.len() / page_size as usize,
        })
    }

    fn page(&self, number: u32) -> Result<Page<'a>, DatabaseError> {
        let size = u64::from(self.page_size);
        let bytes = slice(self.file, u64::from(number) * size, size, "a page")?;
        Ok(Page { number, bytes })
    }

    /// Returns the first overflow pages of the values on a hash page. Keys and values take turns;
    /// values on the page itself hold no package.
    fn off_page_values(&self, page: Page<'a>) -> Result<Vec<u32>, DatabaseError> {
        let entries = page.field(20, self.endian);
        if !entries.is_multiple_of(2) {
            return Err(page.malformed("it has a key without a value"));
        }
        let mut chains = Vec::new();
        for value in (1..usize::from(entries)).step_by(2) {
            let offset = u16_at(page.bytes, PAGE_HEADER_SIZE + 2 * value, self.endian)
                .map(usize::from)
                .ok_or_else(|| page.malformed("its index is longer than the page"))?;
            let outside = || page.malformed("a value lies outside the page");
            if *page.bytes.get(offset).ok_or_else(outside)? != OFF_PAGE {
                continue;
            }
            let first = u32_at(page.bytes, offset + 4, self.endian);
            let length = u32_at(page.bytes, offset + 8, self.endian);
            chains.push(
                first
                    .and_then(|first| length.map(|_| first))
                    .ok_or_else(outside)?,
            );
        }
        Ok(chains)
    }

    /// Puts the content of a chain of overflow pages into `value`.
    fn read_chain(&mut self, first: u32, value: &mut Vec<u8>) -> Result<(), DatabaseError> {
        value.clear();
        let mut next = first;
        while next != 0 {
            let page = self.page(next)?;
            if page.kind() != TYPE_OVERFLOW {
                return Err(page.malformed("it is no overflow page but part of a value"));
            }
            self.overflow_pages_left = self
                .overflow_pages_left
                .checked_sub(1)
                .ok_or_else(|| page.malformed("it is part of several values or of a cycle"))?;
            next = u32_at(page.bytes, 16, self.endian).unwrap_or(0);
            let content = page.bytes.get(PAGE_HEADER_SIZE..).unwrap_or_default();
            let content = if next == 0 {
                let length = usize::from(page.field(22, self.endian));
                content
                    .get(..length)
                    .ok_or_else(|| page.malformed("its content is longer than the page"))?
            } else {
                content
            };
            value.extend_from_slice(content);
        }
        Ok(())
    }
}

impl Page<'_> {
    fn kind(self) -> u8 {
        self.bytes.get(25).copied().unwrap_or(0)
    }

    fn field(self, offset: usize, endian: Endian) -> u16 {
        u16_at(self.bytes, offset, endian).unwrap_or(0)
    }

    fn malformed(self, reason: &str) -> DatabaseError {
        DatabaseError::malformed(format!("page {}", self.number), reason)
    }
}
