//! Image sources: opens an image wherever it lies and offers its layers one by one.
//!
//! The decision that shaped this crate: layers are read where they already are, streamed once and
//! verified while they stream; nothing is unpacked and no temporary file is written. A source
//! turns a name into an [`Image`]: what the image says about itself, and a [`LayerSource`] that
//! opens a layer on demand, so that a layer whose inventory is known is never touched.
//!
//! The crate does not look into files; the extractors do that behind
//! [`cleanbill_core::layer::EntryVisitor`].
#![deny(clippy::indexing_slicing)]

mod capabilities;
mod blob;
mod context;
pub mod docker;
mod error;
pub mod http;
mod image;
mod layer;
pub mod oci;
pub mod registry;
mod runtime;
mod tar;

pub use capabilities::Capabilities;
pub use context::ReadContext;
pub use error::ImageError;
pub use image::{Image, LayerSink, LayerSource};
