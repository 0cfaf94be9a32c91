//! How a blob is compressed, and its content.

use std::io::{self, BufRead, Read};

use cleanbill_core::Limits;
use cleanbill_core::layer::LayerError;
use flate2::bufread::MultiGzDecoder;

use super::BlobSpec;
use super::fault::{self, FaultSlot};
use crate::ReadContext;

/// Bytes that tell how a blob is compressed.
pub(super) const MAGIC_SIZE: u64 = 8;

/// Tells how a blob is compressed. Its first bytes say so; media types are known to lie.
///
/// Source: RFC 1952, RFC 8878 (with its skippable frames); go-containerregistry
/// `internal/compression`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// Looks at the first bytes.
    ///
    /// # Errors
    ///
    /// They are of a compression that no image format knows: a sentence that names it.
    pub(crate) fn detect(magic: &[u8]) -> Result<Self, String> {
        let foreign = |name: &str| Err(format!("it is compressed with {name}, not gzip or zstd"));
        match magic {
            [0x1f, 0x8b, 0x08, ..] => Ok(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => foreign("xz"),
            [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', ..] => foreign("bzip2"),
            _ => Ok(Self::None),
        }
    }

    /// Looks at the beginning of a blob that will be read from its start again.
    ///
    /// # Errors
    ///
    /// Reading failed, or the compression is none that images may have.
    pub(crate) fn of_start(start: impl Read, what: &str) -> Result<Self, LayerError> {
        let mut magic = Vec::new();
        start
            .take(MAGIC_SIZE)
            .read_to_end(&mut magic)
            .map_err(|source| LayerError::Read {
                what: what.to_owned(),
                source,
            })?;
        Self::detect(&magic).map_err(|reason| LayerError::Malformed {
            what: what.to_owned(),
            reason,
        })
    }

    /// Returns the name that errors print.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Reads the content of a blob and bounds what it costs.
pub(super) struct Decompressed<B: BufRead> {
    decoder: Decoder<B>,
    compression: Compression,
    size: u64,
    limits: Limits,
    spec: BlobSpec,
    faults: FaultSlot,
}

enum Decoder<B: BufRead> {
    None(Counted<B>),
    Gzip(Box<MultiGzDecoder<Counted<B>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Counted<B>>>),
}

impl<B: BufRead> Decompressed<B> {
    pub(super) fn new(
        stored: B,
        compression: Compression,
        spec: &BlobSpec,
        context: &ReadContext,
        faults: &FaultSlot,
    ) -> Result<Self, LayerError> {
        let stored = Counted {
            reader: stored,
            count: 0,
        };
        let limits = (*context.limits).clone();
        let decoder = match compression {
            Compression::None => Decoder::None(stored),
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(stored))),
            Compression::Zstd => {
                let decoder = zstd_decoder(stored, limits.zstd_window_log_max)
                    .map_err(|source| fault::read_error(spec, source))?;
                Decoder::Zstd(Box::new(decoder))
            }
        };
        let (spec, faults) = (spec.clone(), faults.clone());
        Ok(Self {
            decoder,
            compression,
            size: 0,
            limits,
            spec,
            faults,
        })
    }

    /// Refuses bombs: small layers may be as dense as they like, large ones not.
    fn check_ratio(&self) -> Result<(), LayerError> {
        let stored = match &self.decoder {
            Decoder::None(reader) => reader.count,
            Decoder::Gzip(decoder) => decoder.get_ref().count,
            Decoder::Zstd(decoder) => decoder.get_ref().count,
        };
        let allowed = stored
            .max(1)
            .saturating_mul(self.limits.compression_ratio_max);
        if self.size <= self.limits.compression_ratio_from_bytes || self.size <= allowed {
            return Ok(());
        }
        let what = format!(
            "{} ({} bytes of {stored} stored ones)",
            self.spec.what, self.size
        );
        let max = self.limits.compression_ratio_max;
        Err(LayerError::exceeded(what, "compression_ratio_max", max))
    }
}

fn zstd_decoder<B: BufRead>(
    stored: B,
    window_log_max: u32,
) -> io::Result<zstd::stream::read::Decoder<'static, B>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(stored)?;
    decoder.window_log_max(window_log_max)?;
    Ok(decoder)
}

impl<B: BufRead> Read for Decompressed<B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.decoder {
            Decoder::None(reader) => reader.read(buffer),
            Decoder::Gzip(decoder) => decoder.read(buffer),
            Decoder::Zstd(decoder) => decoder.read(buffer),
        };
        let count = match read {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            // Reading what is stored failed; that is the fault, not what the decoder made of it.
            Err(error) if self.faults.is_raised() => return Err(error),
            Err(error) => {
                let reason = format!("its {} data is corrupt: {error}", self.compression.name());
                return Err(self.faults.raise(fault::malformed(&self.spec, reason)));
            }
        };
        self.size += count as u64;
        self.check_ratio()
            .map_err(|fault| self.faults.raise(fault))?;
        Ok(count)
    }
}

/// Counts what a decoder takes.
struct Counted<B> {
    reader: B,
    count: u64,
}

impl<B: BufRead> Read for Counted<B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

impl<B: BufRead> BufRead for Counted<B> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.count += count as u64;
        self.reader.consume(count);
    }
}
