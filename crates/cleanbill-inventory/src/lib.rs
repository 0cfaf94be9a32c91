//! Inventories: what is installed in a layer and, merged, in an image.
//!
//! The decision that shaped this crate: a layer is walked once and every extractor looks at each
//! entry as it passes, so the cost of a layer does not grow with the number of extractors, and
//! what is found depends on the layer's bytes alone. Merging the inventories of an image's layers
//! is a pure function.
//!
//! The crate knows neither where a layer comes from nor what a vulnerability is.
#![deny(clippy::indexing_slicing)]

mod archive;
mod bounded;
#[cfg(test)]
mod corpus;
mod draft;
mod extractor;
mod extractors;
#[doc(hidden)]
pub mod fuzzing;
mod inflate;
pub mod java;
mod json;
mod kept;
mod licenses;
mod lines;
mod merge;
#[cfg(test)]
mod oracle;
mod room;
mod sbom;
mod subtree;
#[cfg(test)]
mod testing;
mod walk;
mod xml;

pub use merge::{
    AliasRequest, GrownLayer, LayerInput, MergeOptions, MergePlan, Merged, OwnedLayer, merge,
    merge_owned, wanted,
};
pub use sbom::{SbomDocument, SbomFormat, SbomReadError, read_sbom};
pub use walk::{EXTRACTORS_VERSION, ExtractOptions, SkipRules, extract_aliases, extract_layer};
