//! A read-only reader of BoltDB files, safe on hostile and truncated ones.
//!
//! The file is one array of pages. Two meta pages at its start name the root of a B+ tree; a leaf
//! holds keys with values or nested buckets, and each bucket is a tree of its own. Nothing is
//! checked or copied at start beyond the meta pages: every page is checked when it is visited.
//!
//! It is a crate because two others read such files, the advisory database and what containerd
//! knows about its images, and neither may depend on the other. It opens no file itself: bytes
//! come in, whoever mapped or read them. It deliberately cannot write.
//!
//! ```text
//! BoltDb::open(bytes)?.root().bucket(b"v1")?   the bucket, if there is one
//! ```
//!
//! Source: spec 01 section 2; bbolt 1.5 `internal/common/page.go`, `bucket.go`, `cursor.go`.
#![deny(clippy::indexing_slicing)]

mod bucket;
mod entries;
mod error;
mod meta;
mod page;
#[cfg(test)]
mod tests;

pub use bucket::Bucket;
pub use entries::{Content, Entries, Entry};
pub use error::{BoltError, Defect};

use meta::Meta;
use page::Pages;

/// Levels of one tree. A tree of two keys a page has fewer with any file that fits a disk.
const DEPTH_MAX: usize = 64;

/// Holds an opened file: its bytes and what its valid meta page says.
#[derive(Clone, Debug)]
pub struct BoltDb<B> {
    bytes: B,
    meta: Meta,
}

impl<B: AsRef<[u8]>> BoltDb<B> {
    /// Opens a file by its meta pages, in constant time.
    ///
    /// # Errors
    ///
    /// No valid meta page, or a file shorter than the valid one says.
    pub fn open(bytes: B) -> Result<Self, BoltError> {
        let meta = Meta::select(bytes.as_ref())?;
        Ok(Self { bytes, meta })
    }

    /// Returns the bucket that holds the top-level buckets.
    pub fn root(&self) -> Bucket<'_> {
        Bucket::at_page(self.pages(), self.meta.root)
    }

    /// Returns the size of a page in bytes.
    pub fn page_size(&self) -> u64 {
        self.meta.page_size
    }

    /// Returns the file.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Returns the transaction that wrote the state that is read.
    pub fn transaction(&self) -> u64 {
        self.meta.transaction
    }

    fn pages(&self) -> Pages<'_> {
        Pages {
            bytes: self.bytes.as_ref(),
            page_size: self.meta.page_size,
            high_water: self.meta.high_water,
        }
    }
}

/// Opens arbitrary bytes as a file and visits everything in it, `entry_count_max` entries at most.
/// Returns the number of entries seen.
///
/// The entry point of the fuzz target, and of whoever wants a whole file checked.
///
/// # Errors
///
/// The first defect found.
pub fn visit_all(bytes: &[u8], entry_count_max: u64) -> Result<u64, BoltError> {
    let db = BoltDb::open(bytes)?;
    let mut pending = vec![db.root().entries()];
    let mut seen = 0;
    while let Some(entries) = pending.last_mut() {
        let Some(entry) = entries.next().transpose()? else {
            pending.pop();
            continue;
        };
        seen += 1;
        if seen >= entry_count_max {
            break;
        }
        if let Content::Bucket(bucket) = entry.content {
            if pending.len() >= DEPTH_MAX {
                return Err(BoltError::BucketsTooDeep);
            }
            pending.push(bucket?.entries());
        }
    }
    Ok(seen)
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    array_at(bytes, offset).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    array_at(bytes, offset).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    array_at(bytes, offset).map(u64::from_le_bytes)
}

fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// Returns `length` bytes from `start` on, if they exist. Sums of 64-bit numbers, so that forged
/// 32-bit ones cannot wrap round on any machine.
fn slice(bytes: &[u8], start: u64, length: u64) -> Option<&[u8]> {
    let end = usize::try_from(start.checked_add(length)?).ok()?;
    bytes.get(usize::try_from(start).ok()?..end)
}
