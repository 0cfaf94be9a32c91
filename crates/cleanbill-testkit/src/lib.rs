//! Builders for tests: images, layers and archives, right ones and hostile ones.
//!
//! Fixtures are built, not downloaded, so that a test shows what it is about. What is built is the
//! same on every run: no clock, no random names. The crate is used by tests and by the generator
//! of the demo's files only, so its functions may panic where a test would.

mod boltdb;
mod database;
pub mod demo;
pub mod http_sink;
mod image;
mod java_index;
mod layer;
pub mod rpm;
pub mod smtp_script;
pub mod tar;
pub mod zip;

pub use boltdb::{BoltBucket, BoltWriter};
pub use database::{AdvisoryDatabaseBuilder, archive_member};
pub use image::{
    Blob, Compression, ImageBuilder, OciLayoutBuilder, digest, docker_archive_of, gzip, zstd,
};
pub use java_index::JavaIndexBuilder;
pub use layer::LayerBuilder;
