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

mod archive;
mod archive_stream;
mod blob;
mod capabilities;
mod config;
mod containerd;
mod context;
mod directory;
pub mod docker;
mod download;
mod error;
mod file;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
mod image;
mod input;
mod layer;
mod local;
mod members;
pub mod oci;
mod oci_layout;
mod podman;
pub mod registry;
mod rootfs;
mod runtime;
mod sources;
mod tar;
mod unpacked;

pub use archive_stream::stream_tar;
pub use capabilities::Capabilities;
pub use containerd::Containerd;
pub use context::ReadContext;
pub use download::{DownloadError, download};
pub use error::ImageError;
pub use http::{HttpOptions, ProxySettings, Secret};
pub use image::{Image, LayerSink, LayerSource};
pub use input::{InputOptions, open_input};
pub use layer::walk_layer;
pub use local::{LocalImages, StoreOptions};
pub use podman::PodmanStorage;
pub use registry::{Credential, CredentialOptions, RegistryClient, RegistryError};
pub use rootfs::open_rootfs;
pub use runtime::block_on;
pub use sources::{
    ImageSources, SOURCES, SourceEntry, SourceError, SourceName, SourceSettings, split_prefix,
};
