//! Notices language packages, which are not read yet: an image that has them is not assessed
//! completely, and says so.

use cleanbill_core::path;

use crate::draft::{LayerDraft, Unread};
use crate::extractor::{ExtractError, Extractor, FileInput};

/// Notices the files that spec 04 section 1 names.
pub(super) struct UnreadLanguagePackages;

impl Extractor for UnreadLanguagePackages {
    fn name(&self) -> &'static str {
        "unread-language-packages"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        kind_of(path).is_some()
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        if let Some(kind) = kind_of(file.path) {
            draft.add_unread(Unread::Language(kind));
        }
        Ok(())
    }
}

/// Returns the type that reports print for the packages of a file.
fn kind_of(file: &str) -> Option<&'static str> {
    let name = path::base_name(file);
    let kind = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("egg") => "python-pkg",
        _ => return None,
    };
    Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_language_packages_are_known_by_name() {
        for (path, expected) in [
            ("opt/x.egg", Some("python-pkg")),
            ("etc/passwd", None),
            ("usr/share/doc/METADATA", None),
        ] {
            assert_eq!(kind_of(path), expected, "{path}");
        }
    }
}
