//! Branch and leaf pages: headers, element arrays, keys and values.

use std::fmt;

use super::{BoltError, Defect, slice, u16_at, u32_at, u64_at};

const HEADER: usize = 16;
const ELEMENT: usize = 16;
const FLAG_BRANCH: u16 = 0x01;
const FLAG_LEAF: u16 = 0x02;
const FLAG_BUCKET: u32 = 0x01;

/// Finds pages in the file.
#[derive(Clone, Copy)]
pub(super) struct Pages<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) page_size: u64,
    pub(super) high_water: u64,
}

/// Leaves the file's bytes out.
impl fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pages of {}", self.high_water, self.page_size)
    }
}

impl<'a> Pages<'a> {
    /// Returns a page of a tree after checking its header.
    pub(super) fn page(&self, id: u64) -> Result<Page<'a>, BoltError> {
        let bytes = self.page_bytes(id).map_err(|defect| at(id, defect))?;
        Page::parse(bytes, id, id)
    }

    fn page_bytes(&self, id: u64) -> Result<&'a [u8], Defect> {
        let beyond = Defect::BeyondHighWater {
            high_water: self.high_water,
        };
        if id >= self.high_water {
            return Err(beyond);
        }
        let start = id.checked_mul(self.page_size).ok_or(Defect::ShortHeader)?;
        let header = slice(self.bytes, start, HEADER as u64).ok_or(Defect::ShortHeader)?;
        let overflow = u64::from(u32_at(header, 12).ok_or(Defect::ShortHeader)?);
        let pages = overflow + 1;
        if pages > self.high_water - id {
            return Err(beyond);
        }
        let length = pages.checked_mul(self.page_size).ok_or(beyond.clone())?;
        slice(self.bytes, start, length).ok_or(beyond)
    }
}

/// Holds a branch or leaf page whose header was checked and whose element array fits.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    /// The page's id; for an inline bucket that of the page that holds it.
    pub(super) id: u64,
    pub(super) is_leaf: bool,
    pub(super) count: usize,
    pub(super) bytes: &'a [u8],
}

/// Holds one element of a leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeafElement<'a> {
    pub(super) is_bucket: bool,
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

/// Leaves the page's bytes out.
impl fmt::Debug for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {} with {} elements", self.id, self.count)
    }
}

impl<'a> Page<'a> {
    /// Parses a page that must call itself `header_id`; errors name the page `id`.
    pub(super) fn parse(bytes: &'a [u8], id: u64, header_id: u64) -> Result<Self, BoltError> {
        Self::parse_header(bytes, id, header_id).map_err(|defect| at(id, defect))
    }

    fn parse_header(bytes: &'a [u8], id: u64, header_id: u64) -> Result<Self, Defect> {
        let found = u64_at(bytes, 0).ok_or(Defect::ShortHeader)?;
        let flags = u16_at(bytes, 8).ok_or(Defect::ShortHeader)?;
        let count = usize::from(u16_at(bytes, 10).ok_or(Defect::ShortHeader)?);
        if bytes.len() < HEADER {
            return Err(Defect::ShortHeader);
        }
        if found != header_id {
            return Err(Defect::OtherPage { found });
        }
        let is_leaf = match flags {
            FLAG_LEAF => true,
            FLAG_BRANCH => false,
            _ => return Err(Defect::UnexpectedFlags { flags }),
        };
        if HEADER + count * ELEMENT > bytes.len() {
            return Err(Defect::ElementsOutside { count });
        }
        if count == 0 && !is_leaf {
            return Err(Defect::EmptyBranch);
        }
        Ok(Self {
            id,
            is_leaf,
            count,
            bytes,
        })
    }

    /// Returns the key of an element of either kind.
    pub(super) fn key(&self, index: usize) -> Result<&'a [u8], BoltError> {
        let key = if self.is_leaf {
            self.leaf_element(index)?.key
        } else {
            self.branch_element(index)?.0
        };
        Ok(key)
    }

    /// Returns the smallest key below a child of a branch, and the child's page id.
    pub(super) fn branch_element(&self, index: usize) -> Result<(&'a [u8], u64), BoltError> {
        self.try_branch_element(index)
            .ok_or_else(|| self.error(Defect::DataOutside { index }))
    }

    /// Returns an element of a leaf.
    pub(super) fn leaf_element(&self, index: usize) -> Result<LeafElement<'a>, BoltError> {
        self.try_leaf_element(index)
            .ok_or_else(|| self.error(Defect::DataOutside { index }))
    }

    /// Returns the number of leading elements whose key is less than `key`, or not greater than it
    /// if `or_equal` is set.
    pub(super) fn partition(&self, key: &[u8], or_equal: bool) -> Result<usize, BoltError> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.key(middle)?;
            if found < key || (or_equal && found == key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    pub(super) fn error(&self, defect: Defect) -> BoltError {
        at(self.id, defect)
    }

    fn try_branch_element(&self, index: usize) -> Option<(&'a [u8], u64)> {
        let offset = HEADER + index * ELEMENT;
        let position = u64::from(u32_at(self.bytes, offset)?);
        let key_length = u64::from(u32_at(self.bytes, offset + 4)?);
        let child = u64_at(self.bytes, offset + 8)?;
        let key = slice(self.bytes, offset as u64 + position, key_length)?;
        Some((key, child))
    }

    fn try_leaf_element(&self, index: usize) -> Option<LeafElement<'a>> {
        let offset = HEADER + index * ELEMENT;
        let flags = u32_at(self.bytes, offset)?;
        let position = u64::from(u32_at(self.bytes, offset + 4)?);
        let key_length = u64::from(u32_at(self.bytes, offset + 8)?);
        let value_length = u64::from(u32_at(self.bytes, offset + 12)?);
        let key_start = offset as u64 + position;
        Some(LeafElement {
            is_bucket: flags & FLAG_BUCKET != 0,
            key: slice(self.bytes, key_start, key_length)?,
            value: slice(self.bytes, key_start + key_length, value_length)?,
        })
    }
}

fn at(page: u64, defect: Defect) -> BoltError {
    BoltError::Page { page, defect }
}
