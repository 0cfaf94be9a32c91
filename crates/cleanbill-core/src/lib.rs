//! Domain types of Cleanbill: what an image, a layer inventory, a package, a finding and a report
//! are, and the names they go by.
//!
//! The decision that shaped this crate: data flows one way, bytes → layer inventory → image
//! inventory → findings → verdict, and each arrow is a pure function of its input. So the types
//! here hold values only. There is no I/O, no clock, no terminal and no third-party type in the
//! API; every other crate depends on this one and on nothing beside it in its row.
//!
//! The two traits in [`layer`] are the seam between reading and understanding: an image source
//! offers a layer as a stream of entries, and the extractors look at them without knowing whether
//! the bytes come from a registry, an archive or a directory of the host.
#![warn(missing_docs)]

pub mod base_image;
pub mod change;
mod count;
pub mod digest;
pub mod distro;
mod error_chain;
#[doc(hidden)]
pub mod fuzzing;
pub mod glob;
pub mod image;
mod image_pattern;
pub mod inventory;
pub mod java;
pub mod layer;
pub mod limits;
pub mod package;
pub mod path;
pub mod problem;
pub mod purl;
pub mod reference;
pub mod report;
pub mod severity;
pub mod spdx;
mod text_list;
pub mod uid;
pub mod vulnerability;
pub mod wildcard;

pub use count::count;
pub use digest::{DiffId, Digest};
pub use error_chain::error_chain;
pub use image_pattern::{ImagePattern, ImagePatternError};
pub use limits::Limits;
pub use package::Package;
pub use problem::Problem;
pub use reference::ImageReference;
pub use severity::Severity;
pub use text_list::TextList;
