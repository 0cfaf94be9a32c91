//! Documents that list packages, left in images by those who built them: SPDX and CycloneDX.
//!
//! A document becomes a [`bom::Bom`], whatever its format; the packages are made from that. It is
//! read component by component, and never in memory as a whole.
//!
//! Source: spec 02 section 2.6 and spec 04 section 1.11. Where the reference ignores a document
//! that it cannot read, it is reported as unreadable here, unless it names no package URL and so
//! holds nothing that could be missed.

mod bom;
mod cyclonedx;
mod error;
mod format;
mod package;
mod packages;
mod spdx;
#[cfg(test)]
mod tests;

use cleanbill_core::path;
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Limits, Package, Problem, error_chain};

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput};
use crate::kept::Kept;
use crate::room::Room;
pub(crate) use bom::ImageFacts;
pub(crate) use error::SbomError;
pub(crate) use packages::Contents;

/// Finds the packages that an SBOM lists.
pub(crate) struct Sbom;

/// Says where a document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From an image: what the reference does not read there is not read.
    Image,
    /// From the user: every format is read.
    User,
}

/// Tells families of formats apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SbomFormat {
    /// CycloneDX, JSON or XML.
    CycloneDx,
    /// SPDX, JSON or tag-value.
    Spdx,
}

const SUFFIXES: [&str; 4] = [".spdx", ".spdx.json", ".cdx", ".cdx.json"];

impl Extractor for Sbom {
    fn name(&self) -> &'static str {
        "sbom"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        // What lies beside the metadata of a Python package describes that package only.
        SUFFIXES.iter().any(|suffix| path.ends_with(suffix)) && !path.contains(".dist-info/sboms/")
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let text = file.keep()?;
        let parsed = read(&text, Origin::Image, file.limits);
        let (_, mut contents) = parsed.map_err(|error| refuse(&error, &text))?;
        drop(text);
        contents.settle(file.path, Room::new(file.limits));
        contents.put_into(draft, file.path);
        Ok(())
    }
}

/// Reads what a document of any format lists.
///
/// # Errors
///
/// See [`SbomError`].
pub(crate) fn read(
    text: &Kept<'_>,
    origin: Origin,
    limits: &Limits,
) -> Result<(SbomFormat, Contents), SbomError> {
    let (format, bom) = format::read(text, origin, limits)?;
    let contents = packages::collect(bom, limits)?;
    Ok((format, contents))
}

/// Says what becomes of a document that cannot be read.
fn refuse(error: &SbomError, text: &Kept<'_>) -> ExtractError {
    match error {
        _ if error.is_limit() => ExtractError::LimitExceeded(error_chain(error)),
        // The text of an attestation is encoded: what it names cannot be seen.
        SbomError::Attestation { .. } => ExtractError::Malformed(error_chain(error)),
        SbomError::UnsupportedXml => ExtractError::Unsupported(error_chain(error)),
        SbomError::Cut { .. } => ExtractError::Malformed(error_chain(error)),
        SbomError::Json { .. } if is_cut_json(text) => ExtractError::Malformed(error_chain(error)),
        _ if !text.contains(b"pkg:") => ExtractError::Ignored,
        SbomError::UnsupportedFormat { .. } => ExtractError::Unsupported(error_chain(error)),
        _ => ExtractError::Malformed(error_chain(error)),
    }
}

/// Says whether a malformed text is the beginning of a document: what it would list may be missing.
fn is_cut_json(text: &Kept<'_>) -> bool {
    let marks: [&[u8]; 2] = [b"\"CycloneDX\"", b"\"SPDXRef-DOCUMENT\""];
    marks.iter().any(|mark| text.contains(mark)) && text.last_visible() != Some(b'}')
}

impl Contents {
    /// Adds the packages to the inventory of a layer, those of the distribution at a path.
    pub(crate) fn put_into(self, draft: &mut LayerDraft, path: &str) {
        if self.malformed_urls > 0 {
            let message = format!("{} malformed package URLs", self.malformed_urls);
            draft.add_problem(Problem::at(ProblemKind::UnreadableFile, path, message));
        }
        if self.is_cut {
            let message = "the document ends within a package";
            draft.add_problem(Problem::at(ProblemKind::UnreadableFile, path, message));
        }
        if let Some(message) = self.left_out {
            draft.add_problem(Problem::at(ProblemKind::LimitExceeded, path, message));
        }
        if let Some(packages) = self.os_packages {
            draft.add_database(path, packages);
        }
        for ((kind, path), packages) in self.applications {
            draft.add_application(&kind, &path, packages);
        }
    }

    /// Gives the applications of a document their paths.
    ///
    /// In images of Bitnami a document lies in the directory of the component that it describes,
    /// and its paths are relative to that directory. They are left as they are where there is no
    /// room for more.
    fn settle(&mut self, sbom_path: &str, mut room: Room) {
        let directory = sbom_path
            .starts_with("opt/bitnami/")
            .then(|| path::parent(sbom_path).unwrap_or_default());
        for ((kind, application_path), mut packages) in std::mem::take(&mut self.applications) {
            let mut settled = application_path;
            match directory {
                Some(directory) if kind == "bitnami" => directory.clone_into(&mut settled),
                Some(directory) => place_below(directory, &mut packages, &mut room),
                None => {}
            }
            if settled.is_empty() {
                sbom_path.clone_into(&mut settled);
            }
            packages::add_to(&mut self.applications, (kind, settled), packages);
        }
        self.left_out = self.left_out.take().or(room.exceeded());
    }
}

fn place_below(directory: &str, packages: &mut [Package], room: &mut Room) {
    for package in packages {
        if !room.take(directory.len()) {
            return;
        }
        package.file_path = path::clean(&format!("{directory}/{}", package.file_path));
    }
}
