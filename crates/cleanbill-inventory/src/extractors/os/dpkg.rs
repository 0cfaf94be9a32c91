//! Packages of Debian and its descendants.
//!
//! Source: spec 02 section 2.2. The files that dpkg keeps beside its status file (owned files,
//! digests) may come before or after it in a layer; [`crate::draft::DpkgDraft`] joins them at the
//! end.

mod control;
mod copyright;
mod side_files;
mod status;
mod third_party;

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};

const STATUS: &str = "var/lib/dpkg/status";
const STATUS_DIRECTORY: &str = "var/lib/dpkg/status.d/";
const INFO_DIRECTORY: &str = "var/lib/dpkg/info/";
const AVAILABLE: &str = "var/lib/dpkg/available";

/// Reads the status file, and the files of distroless images that hold one package each.
pub(crate) struct DpkgStatus;

impl Extractor for DpkgStatus {
    fn name(&self) -> &'static str {
        "dpkg"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path == STATUS || (is_directly_in(path, STATUS_DIRECTORY) && !is_md5sums(path))
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        status::extract(file, draft)
    }

    fn places(&self) -> &'static [&'static str] {
        &[STATUS, STATUS_DIRECTORY]
    }
}

/// Reads which files packages own (`*.md5sums`), and their digests (`available`).
pub(crate) struct DpkgSideFiles;

impl Extractor for DpkgSideFiles {
    fn name(&self) -> &'static str {
        "dpkg-files"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path == AVAILABLE || is_md5sums(path)
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        if file.path == AVAILABLE {
            side_files::extract_digests(file, draft)
        } else {
            side_files::extract_owned_files(file, draft)
        }
    }

    fn places(&self) -> &'static [&'static str] {
        &[INFO_DIRECTORY, STATUS_DIRECTORY, AVAILABLE]
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Follow
    }
}

/// Reads the licences of packages.
pub(crate) struct DpkgCopyright;

impl Extractor for DpkgCopyright {
    fn name(&self) -> &'static str {
        "dpkg-license"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        copyright::package_name(path).is_some()
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        copyright::extract(file, draft)
    }

    fn places(&self) -> &'static [&'static str] {
        &[copyright::DIRECTORY]
    }

    /// Debian links the documentation of many packages to that of a neighbour; the reference
    /// implementation prints no licences for those, and licences decide nothing.
    fn link_rule(&self) -> LinkRule {
        LinkRule::Ignore
    }
}

fn is_md5sums(path: &str) -> bool {
    let is_there = is_directly_in(path, INFO_DIRECTORY) || is_directly_in(path, STATUS_DIRECTORY);
    is_there && path.ends_with(".md5sums")
}

fn is_directly_in(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|name| !name.contains('/'))
}

#[cfg(test)]
mod tests;
