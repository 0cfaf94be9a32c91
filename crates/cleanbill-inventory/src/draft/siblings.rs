//! Files that say which packages of another file in their directory count.

use std::collections::BTreeMap;

use cleanbill_core::path;
use cleanbill_core::{Package, Problem};

use crate::extractor::ExtractError;
use crate::extractors::language::cargo::{self, CargoManifest};
use crate::extractors::language::julia::{self, JuliaProject};

/// Steps that joining the files of one layer may take, about one per character that is compared.
const STEPS_MAX: u64 = 200_000_000;

/// Holds manifests until the packages of the layer are known: the files that these complete may
/// stand before or after them.
#[derive(Default)]
pub(crate) struct Siblings {
    cargo: BTreeMap<String, CargoManifest>,
    /// `None` for files that could not be read.
    julia: BTreeMap<String, Option<JuliaProject>>,
    size_bytes: u64,
}

impl Siblings {
    /// Records what a `Cargo.toml` says.
    ///
    /// # Errors
    ///
    /// The manifests of the layer take more than `size_bytes_max`.
    pub(crate) fn add_cargo_manifest(
        &mut self,
        path: &str,
        manifest: CargoManifest,
        size_bytes_max: u64,
    ) -> Result<(), ExtractError> {
        self.take_room(path, manifest.size_bytes(), size_bytes_max)?;
        self.cargo.insert(path.to_owned(), manifest);
        Ok(())
    }

    /// Records what a `Project.toml` says, or that it could not be read.
    ///
    /// # Errors
    ///
    /// The manifests of the layer take more than `size_bytes_max`.
    pub(crate) fn add_julia_project(
        &mut self,
        path: &str,
        project: Option<JuliaProject>,
        size_bytes_max: u64,
    ) -> Result<(), ExtractError> {
        let size_bytes = project.as_ref().map_or(0, JuliaProject::size_bytes);
        self.take_room(path, size_bytes, size_bytes_max)?;
        self.julia.insert(path.to_owned(), project);
        Ok(())
    }

    fn take_room(&mut self, path: &str, size_bytes: u64, max: u64) -> Result<(), ExtractError> {
        let size_bytes = self
            .size_bytes
            .saturating_add(size_bytes + path.len() as u64);
        if size_bytes > max {
            return Err(ExtractError::LimitExceeded(format!(
                "the manifests of the layer take more than {max} bytes (packages_size_bytes_max)"
            )));
        }
        self.size_bytes = size_bytes;
        Ok(())
    }

    /// Forgets what a file said.
    pub(super) fn forget(&mut self, source: &str) {
        self.cargo.remove(source);
        self.julia.remove(source);
    }

    /// Prepares joining.
    pub(super) fn joiner(&self) -> Joiner<'_> {
        Joiner {
            siblings: self,
            steps: STEPS_MAX,
        }
    }
}

/// Joins packages with what the files beside theirs say.
pub(super) struct Joiner<'a> {
    siblings: &'a Siblings,
    steps: u64,
}

impl Joiner<'_> {
    /// Leaves those packages of the application of a type at a path that count. Returns a problem
    /// where that cannot be told.
    pub(super) fn complete(
        &mut self,
        kind: &str,
        file: &str,
        packages: &mut Vec<Package>,
    ) -> Option<Problem> {
        match (kind, path::base_name(file)) {
            (cargo::KIND, "Cargo.lock") => {
                let directory = path::parent(file).unwrap_or_default();
                cargo::complete(directory, &self.siblings.cargo, packages, &mut self.steps);
                None
            }
            (julia::KIND, "Manifest.toml") => julia::complete(file, &self.siblings.julia, packages),
            _ => None,
        }
    }
}
