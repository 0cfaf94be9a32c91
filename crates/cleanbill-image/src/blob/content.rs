//! The content of a blob, on its way to the one who reads it.

use std::io::{self, BufRead, Read};

use cleanbill_core::Digest;
use cleanbill_core::layer::LayerError;
use sha2::Digest as _;
use sha2::Sha256;

use super::fault::FaultSlot;
use super::{BlobSpec, Compression};
use crate::ReadContext;

/// Hashes, counts and bounds content buffer by buffer.
pub(super) struct Content<'a, B> {
    reader: B,
    /// Bytes of the reader's buffer that have been hashed and not yet consumed.
    hashed: usize,
    size: u64,
    size_max: u64,
    /// `None` where the content is what is stored, and hashed there.
    hasher: Option<Sha256>,
    spec: &'a BlobSpec,
    faults: &'a FaultSlot,
}

impl<'a, B: BufRead> Content<'a, B> {
    pub(super) fn new(
        reader: B,
        spec: &'a BlobSpec,
        compression: Compression,
        context: &ReadContext,
        faults: &'a FaultSlot,
    ) -> Self {
        let is_hashed = compression != Compression::None && !spec.is_unhashed;
        Self {
            reader,
            hashed: 0,
            size: 0,
            size_max: context.limits.layer_size_bytes_max,
            hasher: is_hashed.then(Sha256::new),
            spec,
            faults,
        }
    }

    /// Returns the digest, if the content was hashed here, and the size of what has been read.
    pub(super) fn summary(self) -> (Option<Digest>, u64) {
        let digest = self
            .hasher
            .map(|hasher| Digest::from_bytes(hasher.finalize().into()));
        (digest, self.size)
    }

    fn too_large(&self) -> io::Error {
        let what = self.spec.what.as_str();
        self.faults.raise(LayerError::exceeded(
            what,
            "layer_size_bytes_max",
            self.size_max,
        ))
    }
}

impl<B: BufRead> BufRead for Content<'_, B> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let fresh = self
            .reader
            .fill_buf()?
            .get(self.hashed..)
            .unwrap_or_default();
        if !fresh.is_empty() {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(fresh);
            }
            self.hashed += fresh.len();
            self.size += fresh.len() as u64;
            if self.size > self.size_max {
                return Err(self.too_large());
            }
        }
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.hashed = self.hashed.saturating_sub(count);
        self.reader.consume(count);
    }
}

impl<B: BufRead> Read for Content<'_, B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
