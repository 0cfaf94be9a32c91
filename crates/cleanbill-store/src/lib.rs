//! The cache of layer inventories: what was found in a layer, kept under its diff id. Beside them the
//! names that images were seen under, with their chains of layers. And the Java index, which is a
//! SQLite file of Trivy's and only read.
//!
//! And [`state`]: what `watch` knows and has still to tell.
//!
//! The decision that shaped this crate: SQLite in WAL mode, one file, no lock of our own. Several
//! processes may use one cache at the same time, and a process that is killed at any moment leaves
//! a usable one, because a row is written in one transaction or not at all.
//!
//! The cache may be deleted at any time; nothing in it is state, but for lists of images that were
//! imported. The state is another file with another promise. Neither decides what is scanned.
//!
//! No SQL is written outside this crate, and nothing here is asynchronous.

mod base_image;
mod error;
mod java_index;
mod layer_cache;
mod packed;
mod sqlite;
pub mod state;

pub use base_image::{KnownChain, NamedBy};
pub use error::{StoreError, StoreFile};
pub use java_index::{JavaIndexError, JavaIndexFile};
pub use layer_cache::{CacheInfo, LayerCache, LayerKey, PruneOutcome};
pub use packed::{pack, unpack};
