//! The rows of one package before their JSON is read.

use std::collections::BTreeMap;

use super::{LookupError, text};
use crate::boltdb::{Bucket, Content};

/// Bytes of keys and values of one package that are read. The Linux kernel, the largest by far, has
/// a few megabytes in the Red Hat bucket. What is parsed of them takes up to 50 times the memory.
pub(super) const ROWS_SIZE_BYTES_MAX: usize = 64 << 20;

/// Collects the rows of a package from one or several top-level buckets, in the byte order of their
/// keys.
pub(super) struct Rows<'a> {
    pub(super) package: &'a str,
    pub(super) by_key: BTreeMap<&'a [u8], Row<'a>>,
    size_bytes: usize,
}

/// Holds the value of one row and the top-level bucket it is from.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) bucket: &'a [u8],
    pub(super) value: &'a [u8],
}

impl<'a> Rows<'a> {
    pub(super) fn new(package: &'a str) -> Self {
        Self {
            package,
            by_key: BTreeMap::new(),
            size_bytes: 0,
        }
    }

    /// Adds the package's rows of a top-level bucket, but for empty ones; they take the place of
    /// rows of earlier buckets with the same key. Source: spec 01 section 5.
    pub(super) fn add_bucket(
        &mut self,
        name: &'a [u8],
        bucket: &Bucket<'a>,
    ) -> Result<(), LookupError> {
        let nested = bucket
            .bucket(self.package.as_bytes())
            .map_err(LookupError::damaged(name))?;
        for entry in nested.iter().flat_map(Bucket::entries) {
            let entry = entry.map_err(LookupError::damaged(name))?;
            let Content::Value(value) = entry.content else {
                continue;
            };
            self.check_size(name, entry.key.len() + value.len())?;
            if !value.is_empty() {
                self.by_key.insert(
                    entry.key,
                    Row {
                        bucket: name,
                        value,
                    },
                );
            }
        }
        Ok(())
    }

    fn check_size(&mut self, bucket: &[u8], added_bytes: usize) -> Result<(), LookupError> {
        self.size_bytes += added_bytes;
        if self.size_bytes > ROWS_SIZE_BYTES_MAX {
            return Err(LookupError::TooLarge {
                bucket: text(bucket),
                package: self.package.to_owned(),
            });
        }
        Ok(())
    }
}
