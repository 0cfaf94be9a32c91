//! Values that must not be printed.

use std::fmt;

use zeroize::Zeroize;

/// Holds a password or token: prints redacted, is wiped from memory when dropped.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes a text that nobody else keeps.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Says whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(redacted)");
    }
}
