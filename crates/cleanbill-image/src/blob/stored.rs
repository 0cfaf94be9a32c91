//! The bytes of a blob as they are stored.

use std::io::{self, Cursor, Read};

use cleanbill_core::Digest;
use cleanbill_core::layer::LayerError;
use sha2::Digest as _;
use sha2::Sha256;

use super::compression::MAGIC_SIZE;
use super::fault::{self, FaultSlot};
use super::{BlobSpec, Compression};
use crate::ReadContext;

/// Bytes that are read at once where nobody wants them but the hasher.
const DRAIN_SIZE: usize = 64 * 1024;

/// Hashes, counts and checks what is stored while it is read.
pub(super) struct Stored<R> {
    /// What was read to see the compression, then the rest.
    reader: io::Chain<Cursor<Vec<u8>>, R>,
    compression: Compression,
    hasher: Option<Sha256>,
    size: u64,
    spec: BlobSpec,
    faults: FaultSlot,
    context: ReadContext,
}

impl<R: Read> Stored<R> {
    /// Reads the first bytes and tells from them how the blob is compressed.
    pub(super) fn open(
        mut source: R,
        spec: &BlobSpec,
        context: &ReadContext,
        faults: &FaultSlot,
    ) -> Result<Self, LayerError> {
        context
            .check()
            .map_err(|source| fault::read_error(spec, source))?;
        let mut magic = Vec::new();
        (&mut source)
            .take(MAGIC_SIZE)
            .read_to_end(&mut magic)
            .map_err(|source| fault::read_error(spec, source))?;
        let compression =
            Compression::detect(&magic).map_err(|reason| fault::malformed(spec, reason))?;
        let wants_digest = spec.digest.is_some() || spec.wants_digest;
        let is_hashed = match compression {
            Compression::None => wants_digest || !spec.is_unhashed,
            Compression::Gzip | Compression::Zstd => wants_digest,
        };
        Ok(Self {
            reader: Cursor::new(magic).chain(source),
            compression,
            hasher: is_hashed.then(Sha256::new),
            size: 0,
            spec: spec.clone(),
            faults: faults.clone(),
            context: context.clone(),
        })
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// Reads what nobody has read.
    pub(super) fn drain(&mut self) -> Result<(), LayerError> {
        let mut buffer = vec![0; DRAIN_SIZE];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let fault = self.faults.take();
                    return Err(fault.unwrap_or_else(|| fault::read_error(&self.spec, error)));
                }
            }
        }
    }

    /// Returns the digest of what has been read, if it was wanted.
    pub(super) fn digest(self) -> Option<Digest> {
        self.hasher
            .map(|hasher| Digest::from_bytes(hasher.finalize().into()))
    }

    fn check_size(&self, is_end: bool) -> Result<(), LayerError> {
        let Some(stated) = self.spec.size_bytes else {
            return Ok(());
        };
        if self.size > stated {
            return Err(fault::malformed(
                &self.spec,
                format!("it has more than the {stated} bytes that are stated"),
            ));
        }
        if is_end && self.size < stated {
            return Err(fault::malformed(
                &self.spec,
                format!(
                    "it ends after {} of the {stated} bytes that are stated",
                    self.size
                ),
            ));
        }
        Ok(())
    }
}

impl<R: Read> Read for Stored<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.context.check().and_then(|()| self.reader.read(buffer));
        let count = match read {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.faults.raise(fault::read_error(&self.spec, error))),
        };
        if let (Some(hasher), Some(bytes)) = (&mut self.hasher, buffer.get(..count)) {
            hasher.update(bytes);
        }
        self.size += count as u64;
        let is_end = count == 0 && !buffer.is_empty();
        self.check_size(is_end)
            .map_err(|fault| self.faults.raise(fault))?;
        Ok(count)
    }
}
