//! A bound on what is made of the headers.

use super::header::HeaderError;

/// Counts the memory that lists of files and dependencies take. They can be far larger than the
/// database: a thousand files may name one directory of a million characters.
pub(super) struct Budget {
    left: u64,
    max: u64,
}

impl Budget {
    /// Grants `max` bytes.
    pub(super) fn new(max: u64) -> Self {
        Self { left: max, max }
    }

    /// Takes a value of `length` bytes and `overhead` for what holds it.
    ///
    /// # Errors
    ///
    /// [`HeaderError::TooLarge`] if nothing is left.
    pub(super) fn take(&mut self, length: usize, overhead: u64) -> Result<(), HeaderError> {
        let bytes = (length as u64).saturating_add(overhead);
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or(HeaderError::TooLarge { max: self.max })?;
        Ok(())
    }
}
