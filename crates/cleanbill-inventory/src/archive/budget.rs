//! What one archive, with all archives inside it, may cost.

use std::cell::Cell;
use std::io::{self, Read};

use cleanbill_core::Limits;

use super::ArchiveError;
use super::error::Exceeded;

/// Counts what reading an archive has cost so far. Shared by all levels of nesting: a bomb spends
/// it wherever its charge lies.
pub(crate) struct Budget<'a> {
    limits: &'a Limits,
    /// What the layer's other archives have left.
    unpacked_in_layer_max: u64,
    entries: Cell<u64>,
    unpacked_size_bytes: Cell<u64>,
    buffered_size_bytes: Cell<u64>,
    kept_size_bytes: Cell<u64>,
}

impl<'a> Budget<'a> {
    /// Bounds the reading of an archive, in a layer whose archives may still unpack so many bytes.
    pub(crate) fn new(limits: &'a Limits, unpacked_in_layer_max: u64) -> Self {
        Self {
            limits,
            unpacked_in_layer_max,
            entries: Cell::new(0),
            unpacked_size_bytes: Cell::new(0),
            buffered_size_bytes: Cell::new(0),
            kept_size_bytes: Cell::new(0),
        }
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Counts an entry of a directory or a stream.
    pub(super) fn spend_entry(&self) -> Result<(), ArchiveError> {
        let max = self.limits.archive_entries_max;
        let entries = self.entries.get().saturating_add(1);
        self.entries.set(entries);
        if entries > max {
            return Err(ArchiveError::LimitExceeded(format!(
                "more than {max} entries (archive_entries_max)"
            )));
        }
        Ok(())
    }

    /// Bounds the entries of one archive that are looked at: each may give something that stays in
    /// memory until the archive has been read.
    pub(super) fn check_wanted(&self, count: usize) -> Result<(), ArchiveError> {
        let max = self.limits.packages_per_layer_max;
        if (count as u64) < max {
            return Ok(());
        }
        Err(ArchiveError::LimitExceeded(format!(
            "more than {max} entries of interest (packages_per_layer_max)"
        )))
    }

    /// Counts bytes of texts that stay in memory until the archive has been read.
    pub(crate) fn keep(&self, size_bytes: usize) -> Result<(), ArchiveError> {
        let max = self.limits.packages_size_bytes_max;
        let total = self.kept_size_bytes.get().saturating_add(size_bytes as u64);
        self.kept_size_bytes.set(total);
        if total > max {
            return Err(ArchiveError::LimitExceeded(format!(
                "what is kept of its entries takes more than {max} bytes (packages_size_bytes_max)"
            )));
        }
        Ok(())
    }

    fn spend_bytes(&self, count: usize) -> io::Result<()> {
        let max = self.limits.archive_unpacked_size_bytes_max;
        let total = self.unpacked_size_bytes.get().saturating_add(count as u64);
        self.unpacked_size_bytes.set(total);
        if total > max {
            return Err(io::Error::other(Exceeded(format!(
                "more than {max} bytes to unpack (archive_unpacked_size_bytes_max)"
            ))));
        }
        if total > self.unpacked_in_layer_max {
            return Err(io::Error::other(Exceeded(format!(
                "the archives of the layer unpack to more than {} bytes and {} times their size \
                 (archives_unpacked_from_bytes, archives_unpacked_ratio_max)",
                self.limits.archives_unpacked_from_bytes, self.limits.archives_unpacked_ratio_max
            ))));
        }
        Ok(())
    }

    /// Returns how many bytes have been unpacked.
    pub(crate) fn unpacked_size_bytes(&self) -> u64 {
        self.unpacked_size_bytes.get()
    }

    /// Returns how many bytes of nested archives may be held in memory beside those that are.
    pub(crate) fn buffer_room(&self) -> u64 {
        let max = self.limits.buffered_file_size_bytes_max;
        max.saturating_sub(self.buffered_size_bytes.get())
    }

    /// Notes that a nested archive is held in memory while `work` runs.
    pub(crate) fn holding<T>(&self, size_bytes: u64, work: impl FnOnce() -> T) -> T {
        let before = self.buffered_size_bytes.get();
        self.buffered_size_bytes
            .set(before.saturating_add(size_bytes));
        let result = work();
        self.buffered_size_bytes.set(before);
        result
    }

    /// Counts what is read through it.
    pub(crate) fn metered<R: Read>(&self, inner: R) -> Metered<'_, R> {
        Metered {
            budget: self,
            inner,
        }
    }
}

/// Counts bytes against a budget.
pub(crate) struct Metered<'a, R> {
    budget: &'a Budget<'a>,
    inner: R,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.budget.spend_bytes(count)?;
        Ok(count)
    }
}
