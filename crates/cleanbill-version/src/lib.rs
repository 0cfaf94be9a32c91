//! Version schemes of package managers: parsing, comparing, ranges.
//!
//! The decision that shaped this crate: it follows the libraries that Trivy compares with, mistakes
//! included, and not the package managers themselves, because a finding depends on the answer. Where
//! the two differ, the module says so, and its table in `testdata/` pins the difference.
//!
//! Everything is pure and total: no version, however strange, panics or allocates more than itself.
//!
//! ```text
//! apk::compare("1.2.3-r0", "1.2.3-r1")      Some(Less)
//! deb::Version::parse("1:2.0-1")?.epoch()   1
//! range::satisfies(VersionScheme::Rpm, "1.5", ">=1.0, <2.0")   Ok(true)
//! range::satisfies(VersionScheme::Npm, "1.5.0", "^1.2 || 3.x")   Ok(true)
//! ```
#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

pub mod apk;
pub mod bitnami;
pub mod deb;
mod expression;
mod fix;
#[doc(hidden)]
pub mod fuzzing;
pub mod gem;
pub mod generic;
mod identifiers;
pub mod maven;
pub mod npm;
pub mod pep440;
pub mod range;
pub mod rpm;
mod scanner;
mod scheme;
mod semantic;
#[cfg(test)]
mod table;
mod unicode;
mod version;

pub use fix::lowest_fix;
pub use range::{Range, RangeError};
pub use scheme::VersionScheme;
pub use version::Version;
