//! The cache of layer inventories: what was found in a layer, kept under its diff id. And the Java
//! index, which is a SQLite file of Trivy's and only read.
//!
//! The decision that shaped this crate: SQLite in WAL mode, one file, no lock of our own. Several
//! processes may use one cache at the same time, and a process that is killed at any moment leaves
//! a usable one, because a row is written in one transaction or not at all.
//!
//! A cache may be deleted at any time; nothing in it is state. It does not decide what is scanned
//! and knows nothing of images.

mod error;
mod java_index;
mod layer_cache;
mod packed;
mod sqlite;

pub use error::StoreError;
pub use java_index::{JavaIndexError, JavaIndexFile};
pub use layer_cache::{CacheInfo, LayerCache, LayerKey, PruneOutcome};
pub use packed::{pack, unpack};
