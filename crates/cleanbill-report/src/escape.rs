//! Hostile text made fit for the medium that it is written to, one module per medium.
//!
//! Everything starts from the same rule as the terminal ([`crate::text`]): what steers, hides or
//! turns text around becomes U+FFFD. Each medium adds what it takes for its own.

pub(crate) mod csv;
pub mod link;
pub mod markdown;
pub mod markup;
#[cfg(test)]
mod tests;
