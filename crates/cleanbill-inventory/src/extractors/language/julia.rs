//! Packages of Julia: `Manifest.toml`, and `Project.toml` beside it.
//!
//! Source: spec 04 section 1.10, and Trivy 0.74.0 `pkg/fanal/analyzer/language/julia/pkg/pkg.go`.

mod graph;
mod manifest;
mod project;
#[cfg(test)]
mod tests;

use cleanbill_core::path;

pub(crate) use graph::complete;
pub(crate) use project::JuliaProject;

use super::tables;
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::room::Room;

/// Finds packages in manifests of Julia.
pub(crate) struct Julia;

/// The type that reports print.
pub(crate) const KIND: &str = "julia";

impl Extractor for Julia {
    fn name(&self) -> &'static str {
        KIND
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        matches!(path::base_name(path), "Manifest.toml" | "Project.toml")
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let bytes = tables::read(file)?;
        if path::base_name(file.path) == "Project.toml" {
            // One that cannot be read leaves the manifest's packages as they are: none is missed.
            let project = JuliaProject::parse(&bytes).ok();
            let max = file.limits.packages_size_bytes_max;
            return draft.siblings.add_julia_project(file.path, project, max);
        }
        let mut room = Room::new(file.limits);
        match manifest::parse(&bytes, &mut room) {
            Ok(packages) if packages.is_empty() => Ok(()),
            Ok(packages) => {
                draft.add_application(KIND, file.path, packages);
                room.check()
            }
            // Other tools call their files so too. Julia's name packages by UUID.
            Err(_) if !names_packages(&bytes) => Err(ExtractError::Ignored),
            Err(error) => Err(ExtractError::Malformed(error.to_string())),
        }
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Ignore
    }
}

fn names_packages(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| window == b"uuid")
}

/// Returns the path of the project file in a directory.
fn project_path(directory: &str) -> String {
    match directory {
        "" => "Project.toml".to_owned(),
        directory => format!("{directory}/Project.toml"),
    }
}
