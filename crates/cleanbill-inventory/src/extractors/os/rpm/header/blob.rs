//! The bytes of a header: index, data area and region.

use super::{Field, Header, HeaderError, kind, tag};
use crate::extractors::os::rpm::bytes::{Endian, u32_at};

/// Bytes of an index entry, and of the trailer that closes a region.
const ENTRY_SIZE: usize = 16;
/// Bytes of a header that rpm itself refuses.
const HEADER_SIZE_MAX: u64 = 256 << 20;

/// A header whose index and data area are known to lie inside the bytes.
pub(super) struct Blob<'a> {
    index: &'a [[u8; ENTRY_SIZE]],
    data: &'a [u8],
    region: Option<Region>,
}

/// The extent of the signed entries.
#[derive(Clone, Copy)]
struct Region {
    /// Entries of the region, its own one included.
    entries: usize,
}

/// One entry of the index.
#[derive(Clone, Copy)]
struct Entry {
    tag: u32,
    kind: u32,
    offset: u32,
    count: u32,
}

impl Entry {
    fn decode(bytes: &[u8; ENTRY_SIZE]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *bytes;
        Self {
            tag: u32::from_be_bytes([a, b, c, d]),
            kind: u32::from_be_bytes([e, f, g, h]),
            offset: u32::from_be_bytes([i, j, k, l]),
            count: u32::from_be_bytes([m, n, o, p]),
        }
    }

    /// Returns bytes per element and the alignment of the data; strings have no fixed size.
    fn layout(self) -> Option<(usize, u32)> {
        match self.kind {
            0 => Some((0, 1)),
            1 | 2 | kind::BIN => Some((1, 1)),
            3 => Some((2, 2)),
            kind::INT32 => Some((4, 4)),
            5 => Some((8, 8)),
            _ => None,
        }
    }

    fn is_text(self) -> bool {
        (kind::STRING..=kind::I18N_STRING).contains(&self.kind) && self.kind != kind::BIN
    }

    fn alignment(self) -> u32 {
        self.layout().map_or(1, |(_, alignment)| alignment)
    }
}

impl<'a> Blob<'a> {
    /// Finds the parts of a header and checks that they lie inside the bytes.
    ///
    /// # Errors
    ///
    /// See [`HeaderError`].
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, HeaderError> {
        let entries = u32_at(bytes, 0, Endian::Big).unwrap_or(0);
        let data_length = u32_at(bytes, 4, Endian::Big).unwrap_or(0);
        let truncated = HeaderError::Truncated {
            length: bytes.len(),
            entries,
            data_length,
        };
        let index_size = u64::from(entries) * ENTRY_SIZE as u64;
        if entries == 0 || 8 + index_size + u64::from(data_length) >= HEADER_SIZE_MAX {
            return Err(truncated);
        }
        let parts = || {
            let (index, rest) = bytes.get(8..)?.split_at_checked(index_size as usize)?;
            let data = rest.get(..data_length as usize)?;
            Some((index.as_chunks().0, data))
        };
        let (index, data) = parts().ok_or(truncated)?;
        let mut blob = Self {
            index,
            data,
            region: None,
        };
        blob.region = blob.verify_region()?;
        blob.verify_entries()?;
        Ok(blob)
    }

    /// Finds the region by the first entry and the trailer that it points at.
    fn verify_region(&self) -> Result<Option<Region>, HeaderError> {
        let Some(first) = self.index.first().map(Entry::decode) else {
            return Ok(None);
        };
        if !tag::REGIONS.contains(&first.tag) {
            return Ok(None);
        }
        if first.kind != kind::BIN || first.count != ENTRY_SIZE as u32 {
            return Err(HeaderError::Region("its entry has another type or count"));
        }
        let trailer = self
            .data
            .get(first.offset as usize..)
            .and_then(|rest| rest.first_chunk())
            .map(Entry::decode)
            .ok_or(HeaderError::Region("its trailer lies outside the data"))?;
        let size = trailer.offset.wrapping_neg() as usize;
        let entries = size / ENTRY_SIZE;
        if !size.is_multiple_of(ENTRY_SIZE) || entries > self.index.len() {
            return Err(HeaderError::Region("its trailer states an impossible size"));
        }
        Ok(Some(Region { entries }))
    }

    fn verify_entries(&self) -> Result<(), HeaderError> {
        let skipped = usize::from(self.region.is_some());
        let mut total = 0;
        for (index, raw) in self.index.iter().enumerate().skip(skipped) {
            let entry = Entry::decode(raw);
            let fail = |reason| HeaderError::Entry {
                index,
                tag: entry.tag,
                reason,
            };
            if entry.tag < tag::FIRST || entry.tag > i32::MAX as u32 {
                return Err(fail("no tag has this number"));
            }
            if entry.kind > kind::I18N_STRING {
                return Err(fail("no type has this number"));
            }
            if !entry.offset.is_multiple_of(entry.alignment()) {
                return Err(fail("its data is not aligned"));
            }
            let length = self.length_of(entry).filter(|&length| length > 0);
            // Entries that share data would make reading them all quadratic; the exact sum is
            // compared later, so nothing valid is refused here.
            total += length.ok_or_else(|| fail("its data lies outside the header"))?;
            if total > self.data.len() {
                return Err(fail("it shares its data with another entry"));
            }
        }
        Ok(())
    }

    /// Measures the data of an entry, `None` if it does not end inside the data area.
    fn length_of(&self, entry: Entry) -> Option<usize> {
        let data = self.data.get(entry.offset as usize..)?;
        let length = match (entry.layout(), entry.kind) {
            (Some((size, _)), _) => size.checked_mul(entry.count as usize)?,
            (None, kind::STRING) if entry.count != 1 => return None,
            (None, _) => length_of_strings(data, entry.count)?,
        };
        (length <= data.len()).then_some(length)
    }

    /// Keeps the fields that are of interest.
    ///
    /// # Errors
    ///
    /// The entries do not add up to the data area.
    pub(super) fn import(&self) -> Result<Header<'a>, HeaderError> {
        let mut header = Header { fields: Vec::new() };
        let first = self.index.first().map(Entry::decode);
        let length = match self.region {
            // Version 3 of the format: there is no region.
            None => self.collect(0, self.index.len(), 0, &mut header)?,
            Some(region) => {
                // Version 3 upgraded: a region entry at offset 0 covers everything.
                let is_upgraded = first.is_some_and(|entry| entry.offset == 0);
                let entries = if is_upgraded {
                    self.index.len()
                } else {
                    region.entries
                };
                let length = self.collect(1, entries, 0, &mut header)?;
                let length = self.collect(entries, self.index.len(), length, &mut header)?;
                length + ENTRY_SIZE as u64
            }
        };
        let expected = self.data.len() as u64;
        if length != expected {
            return Err(HeaderError::Length {
                actual: length,
                expected,
            });
        }
        Ok(header)
    }

    /// Keeps the entries from `start` to `end`, and returns `length` plus the bytes that they
    /// take.
    fn collect(
        &self,
        start: usize,
        end: usize,
        mut length: u64,
        header: &mut Header<'a>,
    ) -> Result<u64, HeaderError> {
        let entries = self
            .index
            .get(start..end)
            .ok_or(HeaderError::Region("it holds no entry of its own"))?;
        for (at, raw) in entries.iter().enumerate() {
            let entry = Entry::decode(raw);
            let next = entries.get(at + 1).map(Entry::decode);
            let data = self.data_of(entry, next).ok_or(HeaderError::Entry {
                index: start + at,
                tag: entry.tag,
                reason: "its data overlaps that of the next entry",
            })?;
            length = length.next_multiple_of(u64::from(entry.alignment())) + data.len() as u64;
            if tag::KEPT.contains(&entry.tag) {
                header.keep(Field {
                    tag: entry.tag,
                    kind: entry.kind,
                    data,
                });
            }
        }
        Ok(length)
    }

    /// Returns the data of an entry; text reaches to the next entry, its padding included.
    fn data_of(&self, entry: Entry, next: Option<Entry>) -> Option<&'a [u8]> {
        let length = match next {
            Some(next) if entry.is_text() => next.offset.checked_sub(entry.offset)? as usize,
            _ => self.length_of(entry)?,
        };
        self.data.get(entry.offset as usize..)?.get(..length)
    }
}

/// Measures `count` strings, each with its closing NUL.
fn length_of_strings(data: &[u8], count: u32) -> Option<usize> {
    let mut length = 0;
    for _ in 0..count {
        length += data.get(length..)?.iter().position(|&byte| byte == 0)? + 1;
    }
    Some(length)
}
