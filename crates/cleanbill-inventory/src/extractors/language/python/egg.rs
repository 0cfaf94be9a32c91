//! Zipped eggs.

use std::io::Read;

use cleanbill_core::{Package, path};

use super::{KIND, LICENSE_SIZE_BYTES_MAX, is_egg_metadata, may_be_license, metadata};
use crate::archive::{
    self, ArchiveError, Budget, EntryContent, EntryReader, LayerSpending, Window, texts_size_bytes,
};
use crate::bounded;
use crate::draft::LayerDraft;
use crate::extractor::{Content, ExtractError, Extractor, FileInput, LinkRule};
use crate::extractors::language::refuse;
use crate::licenses;

/// Finds the package that the metadata inside a zipped egg describes.
pub(crate) struct PythonEgg;

impl Extractor for PythonEgg {
    fn name(&self) -> &'static str {
        "python-egg"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path.ends_with(".egg")
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        match read(file, &draft.archives) {
            Ok(Some(mut package)) => {
                file.path.clone_into(&mut package.file_path);
                draft.add_application(KIND, file.path, vec![package]);
            }
            Ok(None) => {}
            Err(ExtractError::Malformed(reason)) => refuse(KIND, file.path, &reason, draft),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Follow
    }
}

/// Reads the package; an egg without metadata holds none.
fn read(
    file: &mut FileInput<'_>,
    spending: &LayerSpending,
) -> Result<Option<Package>, ExtractError> {
    let room = spending.room_for(file.size_bytes, file.limits);
    let budget = Budget::new(file.limits, room);
    let mut parts = Parts { budget: &budget };
    let found = match file.content()? {
        Content::Whole(bytes) => {
            let window = Window::new(&bytes, bytes.len() as u64);
            archive::read_at(window, &mut parts, &budget)
        }
        Content::File { file, size_bytes } => {
            archive::read_at(Window::new(file, size_bytes), &mut parts, &budget)
        }
        Content::Stream(stream) => archive::read_stream(stream, &mut parts, &budget),
    };
    spending.spend(budget.unpacked_size_bytes());
    package_of(&found.map_err(into_extract_error)?)
}

fn into_extract_error(error: ArchiveError) -> ExtractError {
    match error {
        ArchiveError::Read(error) => ExtractError::Read(error),
        ArchiveError::LimitExceeded(reason) => ExtractError::LimitExceeded(reason),
        error @ (ArchiveError::Malformed(_) | ArchiveError::Overlapping) => {
            ExtractError::Malformed(error.to_string())
        }
    }
}

/// Makes the package of the first metadata, in the order of the archive.
fn package_of(parts: &[Part]) -> Result<Option<Package>, ExtractError> {
    let mut metadata = parts.iter().filter_map(|part| match part {
        Part::Metadata(text) => Some(text),
        Part::License { .. } => None,
    });
    let Some(text) = metadata.next() else {
        return Ok(None);
    };
    let mut package = metadata::parse(text).map_err(ExtractError::Malformed)?;
    if let Some(package) = &mut package {
        let named = std::mem::take(&mut package.licenses);
        let names = |name: String| match name.strip_prefix(licenses::FILE_PREFIX) {
            Some(file) => names_in(parts, file),
            None => vec![name],
        };
        package.licenses = named.into_iter().flat_map(names).collect();
    }
    Ok(package)
}

/// Returns the licences whose text a file holds: the first with the name, wherever it lies.
fn names_in(parts: &[Part], file: &str) -> Vec<String> {
    let wanted = path::base_name(file);
    let mut texts = parts.iter().filter_map(|part| match part {
        Part::License { name, licenses } if name == wanted => Some(licenses),
        _ => None,
    });
    texts.next().cloned().unwrap_or_default()
}

/// Reads the entries of an egg that matter.
struct Parts<'a> {
    budget: &'a Budget<'a>,
}

impl Parts<'_> {
    fn read_metadata(&self, stream: &mut dyn Read) -> Result<Part, ArchiveError> {
        let max = self.budget.limits().buffered_file_size_bytes_max;
        let text = bounded::read_all(stream, max)?.ok_or_else(|| {
            ArchiveError::LimitExceeded(format!(
                "metadata of more than {max} bytes (buffered_file_size_bytes_max)"
            ))
        })?;
        Ok(Part::Metadata(text))
    }
}

/// Is what an entry gives.
enum Part {
    Metadata(Vec<u8>),
    /// The licences whose text is in the file of this name.
    License {
        name: String,
        licenses: Vec<String>,
    },
}

impl Part {
    fn size_bytes(&self) -> usize {
        let texts = match self {
            Self::Metadata(text) => text.len(),
            Self::License { name, licenses } => name.len() + texts_size_bytes(licenses),
        };
        size_of::<Self>() + texts
    }
}

impl EntryReader for Parts<'_> {
    type Output = Part;

    fn wants(&self, name: &str) -> bool {
        is_egg_metadata(name) || may_be_license_in_egg(name)
    }

    fn read(
        &mut self,
        name: &str,
        content: EntryContent<'_>,
    ) -> Result<Option<Part>, ArchiveError> {
        let part = if is_egg_metadata(name) {
            Some(self.read_metadata(content.stream)?)
        } else {
            bounded::read_all(content.stream, LICENSE_SIZE_BYTES_MAX)?.map(|text| Part::License {
                name: path::base_name(name).to_owned(),
                licenses: licenses::classify(&text),
            })
        };
        self.budget
            .keep(part.as_ref().map_or(0, Part::size_bytes))?;
        Ok(part)
    }

    /// A licence's text that cannot be read costs its name only.
    fn failed(&mut self, name: &str, error: ArchiveError) -> Result<Option<Part>, ArchiveError> {
        match error {
            ArchiveError::Malformed(_) | ArchiveError::Overlapping if !is_egg_metadata(name) => {
                Ok(None)
            }
            error => Err(error),
        }
    }
}

/// Says whether an entry may hold the text of a licence. An egg holds code too, so a name with an
/// extension has to be one of a text.
fn may_be_license_in_egg(name: &str) -> bool {
    let name = path::base_name(name);
    let is_text = match name.rsplit_once('.') {
        Some((_, extension)) => ["txt", "md", "rst"]
            .iter()
            .any(|text| extension.eq_ignore_ascii_case(text)),
        None => !name.is_empty(),
    };
    is_text && may_be_license(name)
}

#[cfg(test)]
mod tests {
    use cleanbill_core::Limits;
    use cleanbill_core::inventory::LayerInventory;
    use cleanbill_core::problem::ProblemKind;
    use cleanbill_testkit::zip::ZipBuilder;
    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    const PATH: &str = "lib/kitchen-1.2.6-py2.7.egg";
    const INFO: &str = "Name: kitchen\nVersion: 1.2.6\n";

    /// Reads an egg whole and as it passes; both give the same.
    #[track_caller]
    fn extract(bytes: &[u8]) -> LayerInventory {
        let whole = testing::extract(&PythonEgg, PATH, bytes);
        let limits = Limits {
            buffered_file_size_bytes_max: 1_000,
            ..Limits::default()
        };
        if bytes.len() > 1_000 {
            let passing = testing::extract_with_limits(&PythonEgg, PATH, bytes, limits);
            assert_eq!(whole.applications, passing.applications);
        }
        whole
    }

    #[track_caller]
    fn check(egg: &ZipBuilder, expected: (&str, &[&str])) {
        let inventory = extract(&egg.build());
        assert_eq!(inventory.problems, []);
        let application = &testing::applications_of(&inventory)[0];
        assert_eq!((application.kind, application.path), ("python-pkg", PATH));
        let package = &application.packages[0];
        assert_eq!((&*package.name, &*package.file_path), (expected.0, PATH));
        assert_eq!(package.analyzed_by, "python-egg");
        assert_eq!(package.licenses, expected.1);
    }

    #[test]
    fn the_first_metadata_in_an_egg_counts() {
        let padding = "x".repeat(5_000);
        check(
            &ZipBuilder::new()
                .stored("kitchen/__init__.py", padding)
                .file("EGG-INFO/PKG-INFO", format!("{INFO}License: LGPLv2+\n"))
                .file("x.egg-info/PKG-INFO", "Name: other\nVersion: 1\n"),
            ("kitchen", &["LGPL-2.0-or-later"]),
        );
    }

    #[test]
    fn a_license_file_is_found_by_its_name() {
        let mpl = "Mozilla Public License Version 2.0\n1. Definitions";
        let info = format!("{INFO}License-File: licenses/LICENSE.txt\n");
        let egg = || ZipBuilder::new().file("EGG-INFO/PKG-INFO", &info);
        check(
            &egg().file("any/LICENSE.txt", mpl),
            ("kitchen", &["MPL-2.0"]),
        );
        let plain = format!("{INFO}License-File: LIC\n");
        let other = ZipBuilder::new().file("EGG-INFO/PKG-INFO", &plain);
        check(&other.file("z/LIC", mpl), ("kitchen", &["MPL-2.0"]));
        check(&egg().file("any/LICENSE", mpl), ("kitchen", &[]));
        check(
            &egg().file("LICENSE.txt", "x").file("a/LICENSE.txt", mpl),
            ("kitchen", &[]),
        );
        check(
            &egg().stored("LICENSE.txt", mpl.repeat(30_000)),
            ("kitchen", &[]),
        );
    }

    #[test]
    fn an_egg_without_metadata_holds_no_package() {
        let egg = ZipBuilder::new().file("EGG-INFO/SOURCES.txt", "").build();
        let inventory = extract(&egg);
        assert_eq!(testing::applications_of(&inventory), []);
        assert_eq!(inventory.problems, []);
    }

    #[test]
    fn what_is_no_egg_is_counted() {
        let nameless = ZipBuilder::new()
            .file("EGG-INFO/PKG-INFO", "Name: a\n")
            .build();
        let damaged = ZipBuilder::new().file("EGG-INFO/PKG-INFO", INFO).build();
        let damaged = damaged.get(..damaged.len() - 30).unwrap_or_default();
        for bytes in [b"".as_slice(), b"no zip", &nameless, damaged] {
            let inventory = extract(bytes);
            assert_eq!(testing::applications_of(&inventory), []);
            assert_eq!(inventory.problems[0].kind, ProblemKind::IgnoredFile);
        }
    }

    #[test]
    fn metadata_of_any_number_is_bounded() {
        let egg = (0..50).fold(ZipBuilder::new(), |egg, n| {
            egg.file(&format!("{n}.egg-info/PKG-INFO"), vec![b'x'; 10_000])
        });
        for buffered_file_size_bytes_max in [1 << 20, 50_000] {
            let limits = Limits {
                buffered_file_size_bytes_max,
                packages_size_bytes_max: 200_000,
                ..Limits::default()
            };
            let inventory = testing::extract_with_limits(&PythonEgg, PATH, &egg.build(), limits);
            let message = &inventory.problems[0].message;
            assert!(message.contains("packages_size_bytes_max"), "{message}");
        }
    }

    #[test]
    fn a_bomb_is_a_problem() {
        let bomb = ZipBuilder::new()
            .file("EGG-INFO/PKG-INFO", vec![b'x'; 200_000])
            .build();
        let limits = Limits {
            buffered_file_size_bytes_max: 100_000,
            ..Limits::default()
        };
        let inventory = testing::extract_with_limits(&PythonEgg, PATH, &bomb, limits);
        assert_eq!(inventory.problems[0].kind, ProblemKind::LimitExceeded);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn damage_is_survived(damage in prop::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
            let mut egg = ZipBuilder::new()
                .file("EGG-INFO/PKG-INFO", INFO)
                .stored("LICENSE", "text")
                .build();
            let length = egg.len();
            for (at, byte) in damage {
                if let Some(target) = egg.get_mut(usize::from(at) % length) {
                    *target = byte;
                }
            }
            let inventory = testing::extract(&PythonEgg, PATH, &egg);
            prop_assert!(testing::applications_of(&inventory).len() + inventory.problems.len() <= 1);
        }
    }
}
