//! Reads a stored blob: decompresses it, bounds it, and verifies what it is, in one pass.
//!
//! Inflating is three times as much work as hashing, and the largest layer of an image often has
//! nearly half its bytes. So a large blob is read by three threads in a row: one reads and hashes
//! what is stored, one decompresses, and the caller's hashes what comes out and walks it. Between
//! them a few buffers go round; nothing else is allocated, whatever the size.

mod ahead;
mod compression;
mod content;
mod fault;
mod layers;
mod stored;

use std::io::{self, BufRead, BufReader, Read};
use std::thread;

use cleanbill_core::Digest;
use cleanbill_core::layer::LayerError;
use sha2::Digest as _;
use sha2::Sha256;

pub(crate) use compression::Compression;
pub(crate) use layers::{BlobLayers, BlobPlace, LayerBlob};

use crate::ReadContext;
use ahead::{BUFFER_SIZE, ReadAhead};
use compression::Decompressed;
use content::Content;
use fault::FaultSlot;
use stored::Stored;

/// Blobs up to this size are read by one thread: starting others would take longer.
const SERIAL_SIZE_MAX: u64 = 1 << 20;

/// States what a blob should be.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlobSpec {
    /// What to call it in errors, with its place.
    pub(crate) what: String,
    /// The digest of the bytes as stored.
    pub(crate) digest: Option<Digest>,
    /// How many bytes are stored.
    pub(crate) size_bytes: Option<u64>,
    /// The digest of the content.
    pub(crate) content_digest: Option<Digest>,
    /// The digest of the content is not wanted; then it is not computed.
    pub(crate) is_unhashed: bool,
    /// The digest of the bytes as stored is wanted although it is not stated.
    pub(crate) wants_digest: bool,
}

/// Tells what a blob turned out to be, once all of it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlobSummary {
    /// The digest of the bytes as stored, if it was stated or wanted.
    pub(crate) digest: Option<Digest>,
    /// The digest of the content, unless it was not wanted.
    pub(crate) content_digest: Option<Digest>,
    /// Bytes of the content.
    pub(crate) content_size_bytes: u64,
    /// How the blob is compressed.
    pub(crate) compression: Compression,
}

/// Reads and verifies a blob on the caller's thread. `consume` gets the content; what it leaves is
/// read for the digest. The bytes are not counted for progress: the blob is part of a stream that
/// counts.
///
/// # Errors
///
/// The first thing that went wrong: reading, decompressing, a limit, `consume`, a digest. If the
/// content makes no sense and the stored bytes are not those that the image states, the mismatch
/// is reported: it is the cause.
pub(crate) fn read_serial<R: Read, T>(
    source: R,
    spec: &BlobSpec,
    context: &ReadContext,
    consume: impl FnOnce(&mut dyn BufRead) -> Result<T, LayerError>,
) -> Result<(T, BlobSummary), LayerError> {
    let faults = FaultSlot::default();
    let mut stored = Stored::open(source, spec, context, &faults)?;
    let compression = stored.compression();
    let consumed = {
        let buffered = BufReader::with_capacity(BUFFER_SIZE, &mut stored);
        let decompressed = Decompressed::new(buffered, compression, spec, context, &faults)?;
        let buffered = BufReader::with_capacity(BUFFER_SIZE, decompressed);
        let content = Content::new(buffered, spec, compression, context, &faults);
        consume_all(content, consume, spec, &faults)
    };
    finish(consumed, stored, compression, spec)
}

/// Reads and verifies a blob with the help of other threads, if it is large enough. The bytes are
/// counted for progress.
///
/// # Errors
///
/// As [`read_serial`].
pub(crate) fn read<R: Read + Send, T>(
    source: R,
    spec: &BlobSpec,
    context: &ReadContext,
    consume: impl FnOnce(&mut dyn BufRead) -> Result<T, LayerError>,
) -> Result<(T, BlobSummary), LayerError> {
    let source = context.watch(source);
    if spec.size_bytes.is_some_and(|size| size <= SERIAL_SIZE_MAX) {
        return read_serial(source, spec, context, consume);
    }
    let faults = FaultSlot::default();
    let stored = Stored::open(source, spec, context, &faults)?;
    let compression = stored.compression();
    thread::scope(|scope| {
        let (ahead, reading) =
            ReadAhead::start(scope, stored).map_err(|source| fault::read_error(spec, source))?;
        let consumed = if compression == Compression::None {
            let content = Content::new(ahead, spec, compression, context, &faults);
            consume_all(content, consume, spec, &faults)
        } else {
            let decompressed = Decompressed::new(ahead, compression, spec, context, &faults)?;
            let (ahead, _) = ReadAhead::start(scope, decompressed)
                .map_err(|source| fault::read_error(spec, source))?;
            let content = Content::new(ahead, spec, compression, context, &faults);
            consume_all(content, consume, spec, &faults)
        };
        let stored = match reading.join() {
            Ok(stored) => stored,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        finish(consumed, stored, compression, spec)
    })
}

/// Returns the digest of what is stored, whatever it is.
///
/// # Errors
///
/// Reading failed.
pub(crate) fn digest_of(
    source: impl Read,
    what: &str,
    context: &ReadContext,
) -> Result<Digest, LayerError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_SIZE];
    let mut source = context.watch(source);
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(Digest::from_bytes(hasher.finalize().into())),
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(LayerError::Read {
                    what: what.to_owned(),
                    source,
                });
            }
        }
    }
}

/// Compares a blob that was read before with what is stated about it.
///
/// # Errors
///
/// A digest is another; the error names both.
pub(crate) fn verify(spec: &BlobSpec, summary: &BlobSummary) -> Result<(), LayerError> {
    compare(spec, "digest", spec.digest, summary.digest)?;
    compare(spec, "diff id", spec.content_digest, summary.content_digest)
}

/// What was established about the content: its digest, if it was hashed apart, and its size.
type Consumed<T> = (T, Option<Digest>, u64);

/// Lets `consume` read, then reads the rest. A fault that a thread met on the way counts before
/// what `consume` made of it.
fn consume_all<B: BufRead, T>(
    mut content: Content<'_, B>,
    consume: impl FnOnce(&mut dyn BufRead) -> Result<T, LayerError>,
    spec: &BlobSpec,
    faults: &FaultSlot,
) -> Result<Consumed<T>, LayerError> {
    let consumed = consume(&mut content);
    let drained = match &consumed {
        Ok(_) => read_to_end(&mut content),
        Err(_) => Ok(()),
    };
    if let Some(fault) = faults.take() {
        return Err(fault);
    }
    drained.map_err(|source| fault::read_error(spec, source))?;
    let (digest, size) = content.summary();
    Ok((consumed?, digest, size))
}

/// Compares what was read with what was stated.
fn finish<R: Read, T>(
    consumed: Result<Consumed<T>, LayerError>,
    mut stored: Stored<R>,
    compression: Compression,
    spec: &BlobSpec,
) -> Result<(T, BlobSummary), LayerError> {
    let (value, hashed, content_size_bytes) = match consumed {
        Ok(consumed) => consumed,
        Err(error) => return Err(cause_of(error, stored, compression, spec)),
    };
    stored.drain()?;
    let digest = stored.digest();
    let content_digest = if compression == Compression::None {
        digest
    } else {
        hashed
    };
    let summary = BlobSummary {
        digest,
        content_digest,
        content_size_bytes,
        compression,
    };
    verify(spec, &summary)?;
    Ok((value, summary))
}

/// Finds out whether content that makes no sense is what the image states: if the stored bytes
/// are others, that is the error. Only where their number is known, so that nobody can make us
/// read on for ever.
fn cause_of<R: Read>(
    error: LayerError,
    mut stored: Stored<R>,
    compression: Compression,
    spec: &BlobSpec,
) -> LayerError {
    if !matches!(error, LayerError::Malformed { .. }) || spec.size_bytes.is_none() {
        return error;
    }
    if let Err(other) = stored.drain() {
        return other;
    }
    let digest = stored.digest();
    let of_content = if compression == Compression::None {
        spec.content_digest
    } else {
        None
    };
    compare(spec, "digest", spec.digest, digest)
        .and_then(|()| compare(spec, "diff id", of_content, digest))
        .err()
        .unwrap_or(error)
}

fn compare(
    spec: &BlobSpec,
    which: &str,
    expected: Option<Digest>,
    actual: Option<Digest>,
) -> Result<(), LayerError> {
    match (expected, actual) {
        (Some(expected), Some(actual)) => {
            LayerError::check_digest(|| format!("{which} of {}", spec.what), expected, actual)
        }
        _ => Ok(()),
    }
}

/// Reads until the end, for those who listen.
fn read_to_end(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        match reader.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(bytes) => {
                let length = bytes.len();
                reader.consume(length);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
