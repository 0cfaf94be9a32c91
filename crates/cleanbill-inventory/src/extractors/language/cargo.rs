//! Packages of Rust by lock file: `Cargo.lock`, and `Cargo.toml` beside it.
//!
//! A lock file lists what tests and builds need too; the manifests of the same layer tell what
//! does not count. Both are joined when the layer has been read.
//!
//! Source: spec 04 section 1.9, second half.

mod graph;
mod hash;
mod lock;
mod manifest;
mod members;
mod requirement;
#[cfg(test)]
mod tests;

use cleanbill_core::path;

pub(crate) use graph::complete;
pub(crate) use manifest::CargoManifest;

use super::tables;
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::room::Room;

/// Finds packages in lock files of Cargo.
pub(crate) struct Cargo;

/// The type that reports print.
pub(crate) const KIND: &str = "cargo";

impl Extractor for Cargo {
    fn name(&self) -> &'static str {
        KIND
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        matches!(path::base_name(path), "Cargo.lock" | "Cargo.toml")
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let bytes = tables::read(file)?;
        if path::base_name(file.path) == "Cargo.toml" {
            // Without the manifest every package of the lock file counts: nothing is missed.
            let manifest = CargoManifest::parse(&bytes).map_err(|_| ExtractError::Ignored)?;
            let max = file.limits.packages_size_bytes_max;
            return draft.siblings.add_cargo_manifest(file.path, manifest, max);
        }
        let mut room = Room::new(file.limits);
        let packages = lock::parse(&bytes, &mut room)
            .map_err(|error| ExtractError::Malformed(error.to_string()))?;
        if !packages.is_empty() {
            draft.add_application(KIND, file.path, packages);
        }
        room.check()
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Ignore
    }
}

/// Returns the path of the manifest in a directory.
fn manifest_path(directory: &str) -> String {
    match directory {
        "" => "Cargo.toml".to_owned(),
        directory => format!("{directory}/Cargo.toml"),
    }
}

/// Returns the id of a package.
fn id_of(name: &str, version: &str) -> String {
    super::package_id(KIND, name, version)
}
