//! The entries of an archive that matter.

use std::io::Read;

use cleanbill_core::java::JavaArtifact;
use cleanbill_core::path;
use cleanbill_core::problem::ProblemKind;

use super::manifest::{self, Manifest};
use super::parse::{Parsed, Place, parse_stream, parse_window};
use super::{into_problem, pom};
use crate::archive::{ArchiveError, EntryContent, EntryReader, Window, texts_size_bytes};
use crate::bounded;
use crate::licenses;

/// Bytes of a text file in an archive that are read. They have a few kilobytes.
const TEXT_SIZE_BYTES_MAX: u64 = manifest::SIZE_BYTES_MAX;

/// What is inside an archive, by the entry's name alone. Of several rules the first counts.
/// Source: spec 04 section 1.7, step 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EntryKind {
    PomXml,
    License,
    PomProperties,
    Manifest,
    Archive,
}

impl EntryKind {
    fn of(name: &str) -> Option<Self> {
        let base = path::base_name(name.trim_end_matches('/'));
        match base {
            "pom.xml" => Some(Self::PomXml),
            _ if is_license(name, base) => Some(Self::License),
            "pom.properties" => Some(Self::PomProperties),
            "MANIFEST.MF" => Some(Self::Manifest),
            _ => is_archive(name).then_some(Self::Archive),
        }
    }
}

fn is_archive(name: &str) -> bool {
    [".jar", ".ear", ".war"]
        .iter()
        .any(|extension| name.ends_with(extension))
}

/// Says whether it is a licence file: one at the root or right in `META-INF`. Those elsewhere, or
/// of other names, belong to things that were built in.
fn is_license(name: &str, base: &str) -> bool {
    let directory = path::clean_lexical(name.strip_suffix(base).unwrap_or(name));
    if !matches!(directory.as_str(), "." | "META-INF") || is_archive(base) {
        return false;
    }
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    ["license", "licence", "copyright"]
        .iter()
        .any(|known| stem.eq_ignore_ascii_case(known))
}

/// Is what an entry gave.
pub(super) enum JarEntry {
    /// Licences of an artifact, by its name.
    PomLicenses(String, Vec<String>),
    /// Licences that a licence file holds.
    License(Vec<String>),
    Artifact(JavaArtifact),
    Manifest(Box<Manifest>),
    Archive(Box<Parsed>),
    /// What could not be read, and the archive is of use without.
    Broken(ProblemKind, String),
}

impl JarEntry {
    /// Returns about how many bytes it takes, without what is inside an archive.
    fn size_bytes(&self) -> usize {
        let texts = match self {
            Self::PomLicenses(name, licenses) => name.len() + texts_size_bytes(licenses),
            Self::License(licenses) => texts_size_bytes(licenses),
            Self::Artifact(JavaArtifact {
                group,
                artifact,
                version,
            }) => group.len() + artifact.len() + version.len(),
            Self::Manifest(manifest) => manifest.size_bytes(),
            Self::Archive(parsed) => size_of_val(&**parsed) + parsed.archive.path.len(),
            Self::Broken(_, message) => message.len(),
        };
        size_of::<Self>() + texts
    }
}

/// Reads the entries of one archive.
pub(super) struct JarEntries<'a> {
    pub(super) place: &'a Place<'a>,
}

impl EntryReader for JarEntries<'_> {
    type Output = JarEntry;

    fn wants(&self, name: &str) -> bool {
        EntryKind::of(name).is_some()
    }

    fn read(
        &mut self,
        name: &str,
        content: EntryContent<'_>,
    ) -> Result<Option<JarEntry>, ArchiveError> {
        let entry = match EntryKind::of(name) {
            Some(EntryKind::PomXml) => match pom::name_by_path(name) {
                Some(artifact) => {
                    let licenses = pom::parse_licenses(&read_text(content.stream)?);
                    (!licenses.is_empty()).then_some(JarEntry::PomLicenses(artifact, licenses))
                }
                None => None,
            },
            Some(EntryKind::License) => {
                let text = read_text(content.stream)?;
                Some(JarEntry::License(licenses::classify(&text)))
            }
            Some(EntryKind::PomProperties) => {
                let artifact = pom::parse_properties(&read_text(content.stream)?)?;
                artifact
                    .is_complete()
                    .then_some(JarEntry::Artifact(artifact))
            }
            Some(EntryKind::Manifest) => {
                let mut text = Vec::new();
                let limit = manifest::SIZE_BYTES_MAX + 1;
                content.stream.take(limit).read_to_end(&mut text)?;
                Some(JarEntry::Manifest(Box::new(Manifest::parse(&text)?)))
            }
            Some(EntryKind::Archive) => self.read_archive(name, content)?,
            None => None,
        };
        let size_bytes = entry.as_ref().map_or(0, JarEntry::size_bytes);
        self.place.budget.keep(size_bytes)?;
        Ok(entry)
    }

    fn failed(
        &mut self,
        name: &str,
        error: ArchiveError,
    ) -> Result<Option<JarEntry>, ArchiveError> {
        match (EntryKind::of(name), error) {
            (_, error @ ArchiveError::Read(_)) => Err(error),
            (Some(EntryKind::Archive), error)
            | (_, error @ ArchiveError::Overlapping)
            | (
                Some(EntryKind::PomXml | EntryKind::License),
                error @ ArchiveError::LimitExceeded(_),
            ) => {
                let (kind, message) = into_problem(name, &error);
                Ok(Some(JarEntry::Broken(kind, message)))
            }
            // What is wrong with a text costs the names of licences only.
            (Some(EntryKind::PomXml), _) => Ok(None),
            (Some(EntryKind::License), _) => Ok(Some(JarEntry::License(Vec::new()))),
            (_, ArchiveError::Malformed(reason)) => {
                Err(ArchiveError::Malformed(format!("{name}: {reason}")))
            }
            (_, error) => Err(error),
        }
    }
}

impl JarEntries<'_> {
    /// Reads an archive inside the archive: in place where it lies unpacked, from memory where it
    /// is small, else as it passes.
    fn read_archive(
        &self,
        name: &str,
        content: EntryContent<'_>,
    ) -> Result<Option<JarEntry>, ArchiveError> {
        let Some(place) = self.place.inside(name)? else {
            return Ok(None);
        };
        let parsed = match content.window {
            Some(window) if window.size_bytes() == 0 => return Ok(None),
            Some(window) => parse_window(&place, window)?,
            None => {
                let room = place.budget.buffer_room();
                let mut start = Vec::new();
                let stream = content.stream;
                stream
                    .take(room.saturating_add(1))
                    .read_to_end(&mut start)?;
                let size = start.len() as u64;
                if size == 0 {
                    return Ok(None);
                }
                if size <= room {
                    let window = Window::new(&start, size);
                    place
                        .budget
                        .holding(size, || parse_window(&place, window))?
                } else {
                    parse_stream(&place, &mut std::io::Cursor::new(start).chain(stream))?
                }
            }
        };
        Ok(Some(JarEntry::Archive(Box::new(parsed))))
    }
}

fn read_text(stream: &mut dyn Read) -> Result<Vec<u8>, ArchiveError> {
    bounded::read_all(stream, TEXT_SIZE_BYTES_MAX)?.ok_or_else(|| {
        ArchiveError::LimitExceeded(format!(
            "a text file in an archive has more than {TEXT_SIZE_BYTES_MAX} bytes"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_apart_by_name() {
        for (name, expected) in [
            ("META-INF/MANIFEST.MF", Some(EntryKind::Manifest)),
            ("a/b/MANIFEST.MF", Some(EntryKind::Manifest)),
            ("META-INF/maven/g/a/pom.xml", Some(EntryKind::PomXml)),
            ("x/pom.properties", Some(EntryKind::PomProperties)),
            ("LICENSE", Some(EntryKind::License)),
            ("META-INF/Licence.txt", Some(EntryKind::License)),
            ("META-INF/LICENSE/x", None),
            ("META-INF/license.jar", Some(EntryKind::Archive)),
            ("META-INF/x/LICENSE", None),
            ("META-INF/x-LICENSE", None),
            ("lib/a.jar", Some(EntryKind::Archive)),
            ("lib/a.war", Some(EntryKind::Archive)),
            ("lib/a.JAR", None),
            ("lib/a.par", None),
            ("lib/a.jar/", None),
            ("a.class", None),
        ] {
            assert_eq!(EntryKind::of(name), expected, "{name}");
        }
    }
}
