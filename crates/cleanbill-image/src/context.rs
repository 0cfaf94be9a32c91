//! What every reader is given: bounds, a count of bytes for progress, and a way to be stopped.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cleanbill_core::Limits;

/// Is handed down to every reader. Clones share the counters.
#[derive(Clone, Debug, Default)]
pub struct ReadContext {
    /// The bounds in force.
    pub limits: Arc<Limits>,
    /// Bytes read from images so far (as stored: compressed where they are compressed).
    pub bytes_read: Arc<AtomicU64>,
    /// Set to stop every reader at its next read.
    pub cancelled: Arc<AtomicBool>,
}

impl ReadContext {
    /// Wraps a reader so that it counts and can be stopped.
    pub fn watch<R: Read>(&self, inner: R) -> WatchedReader<R> {
        WatchedReader {
            inner,
            context: self.clone(),
        }
    }

    /// Fails once the scan has been stopped.
    ///
    /// # Errors
    ///
    /// Of kind `Interrupted` never (it would be retried); the kind is `Other`, the text
    /// "cancelled".
    pub fn check(&self) -> io::Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(io::Error::other("cancelled"));
        }
        Ok(())
    }

    /// Counts bytes that were read.
    pub fn count(&self, bytes: u64) {
        self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Counts the bytes that pass and stops when told to.
#[derive(Debug)]
pub struct WatchedReader<R> {
    inner: R,
    context: ReadContext,
}

impl<R: Read> Read for WatchedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.context.check()?;
        let count = self.inner.read(buffer)?;
        self.context.count(count as u64);
        Ok(count)
    }
}
