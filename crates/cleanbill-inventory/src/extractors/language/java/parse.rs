//! From the bytes of an archive to the facts about it.

use std::collections::BTreeMap;
use std::io::{self, Read};

use cleanbill_core::java::{JavaArchive, JavaArtifact, JavaClues, JavaIdentity, JavaItem};
use cleanbill_core::path;
use cleanbill_core::problem::ProblemKind;
use sha1::{Digest as _, Sha1};

use super::entries::{JarEntries, JarEntry};
use super::file_name;
use super::manifest::Manifest;
use crate::archive::{ArchiveError, Budget, Window, read_at, read_stream};

/// Bytes at which a line of a text file in an archive is too long. Source: the buffer of Go's
/// `bufio.Scanner`, with which the reference reads them.
pub(super) const TEXT_LINE_SIZE_BYTES_MAX: usize = 64 * 1024;

/// Problems that are kept of one archive.
const PROBLEMS_MAX: usize = 100;

/// Says which archive is read.
pub(super) struct Place<'a> {
    /// The path that its packages get.
    path: String,
    /// Archives around it.
    depth: u32,
    /// What may be spent on it.
    pub(super) budget: &'a Budget<'a>,
}

impl<'a> Place<'a> {
    /// Places an archive that is a file.
    pub(super) fn outermost(path: &str, budget: &'a Budget<'a>) -> Self {
        Self {
            path: path.to_owned(),
            depth: 0,
            budget,
        }
    }

    /// Places an archive inside this one; `None` if its name leads out of it.
    ///
    /// # Errors
    ///
    /// There are too many archives around it, or its path is too long.
    pub(super) fn inside(&self, name: &str) -> Result<Option<Self>, ArchiveError> {
        let limits = self.budget.limits();
        let depth = self.depth + 1;
        if depth >= limits.archive_depth_max {
            return Err(ArchiveError::LimitExceeded(format!(
                "more than {} archives within each other (archive_depth_max)",
                limits.archive_depth_max
            )));
        }
        let path = path::clean_lexical(&format!("{}/{name}", self.path));
        if path.len() as u64 > limits.path_size_bytes_max {
            return Err(ArchiveError::LimitExceeded(format!(
                "a path of more than {} bytes (path_size_bytes_max)",
                limits.path_size_bytes_max
            )));
        }
        Ok(path.starts_with(&self.path).then_some(Self {
            path,
            depth,
            budget: self.budget,
        }))
    }
}

/// Holds the facts about an archive, and what could not be read inside it.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) archive: JavaArchive,
    pub(super) problems: Vec<(ProblemKind, String)>,
}

/// Reads an archive by position.
///
/// # Errors
///
/// It cannot be read to its end.
pub(super) fn parse_window(place: &Place<'_>, window: Window<'_>) -> Result<Parsed, ArchiveError> {
    let entries = read_at(window, &mut JarEntries { place }, place.budget)?;
    let mut facts = Facts::collect(place, entries);
    if facts.needs_digest() {
        let mut hashing = Hashing::new(place.budget.metered(window.reader()));
        io::copy(&mut hashing, &mut io::sink())?;
        facts.sha1 = hashing.finish();
    }
    Ok(facts.into_parsed())
}

/// Reads an archive that passes once.
///
/// # Errors
///
/// It cannot be read to its end.
pub(super) fn parse_stream(
    place: &Place<'_>,
    stream: &mut dyn Read,
) -> Result<Parsed, ArchiveError> {
    let mut hashing = Hashing::new(stream);
    let entries = read_stream(&mut hashing, &mut JarEntries { place }, place.budget)?;
    let mut facts = Facts::collect(place, entries);
    facts.sha1 = hashing.finish();
    Ok(facts.into_parsed())
}

/// Sums up the entries of an archive.
struct Facts {
    path: String,
    file_name: Option<(String, String)>,
    items: Vec<JavaItem>,
    manifest: Manifest,
    is_known: bool,
    pom_licenses: BTreeMap<String, Vec<String>>,
    license_files: Vec<Vec<String>>,
    problems: Vec<(ProblemKind, String)>,
    field_size_bytes_max: u64,
    sha1: [u8; 20],
}

impl Facts {
    fn collect(place: &Place<'_>, entries: Vec<JarEntry>) -> Self {
        let mut facts = Self {
            path: place.path.clone(),
            file_name: file_name::parse(&place.path),
            items: Vec::new(),
            manifest: Manifest::default(),
            is_known: false,
            pom_licenses: BTreeMap::new(),
            license_files: Vec::new(),
            problems: Vec::new(),
            field_size_bytes_max: place.budget.limits().package_field_size_bytes_max,
            sha1: [0; 20],
        };
        for entry in entries {
            facts.add(entry);
        }
        facts
    }

    fn add(&mut self, entry: JarEntry) {
        match entry {
            JarEntry::PomLicenses(name, licenses) => {
                self.pom_licenses.insert(name, licenses);
            }
            JarEntry::License(licenses) => self.license_files.push(licenses),
            JarEntry::Artifact(artifact) => self.add_artifact(artifact),
            JarEntry::Manifest(manifest) => self.manifest = *manifest,
            JarEntry::Archive(parsed) => {
                self.items.push(JavaItem::Archive(Box::new(parsed.archive)));
                for (kind, message) in parsed.problems {
                    self.add_problem(kind, message);
                }
            }
            JarEntry::Broken(kind, message) => self.add_problem(kind, message),
        }
    }

    fn add_artifact(&mut self, artifact: JavaArtifact) {
        if !self.fits(&artifact) {
            let max = self.field_size_bytes_max;
            self.add_problem(
                ProblemKind::LimitExceeded,
                format!(
                    "a pom.properties in {} has a value longer than {max} bytes \
                     (package_field_size_bytes_max)",
                    self.path
                ),
            );
            return;
        }
        let by_name = self.file_name.as_ref();
        self.is_known |= by_name.is_some_and(|(name, version)| {
            *name == artifact.artifact && *version == artifact.version
        });
        self.items.push(JavaItem::Artifact(artifact));
    }

    fn add_problem(&mut self, kind: ProblemKind, message: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push((kind, message));
        }
    }

    fn needs_digest(&self) -> bool {
        !self.is_known
    }

    fn fits(&self, artifact: &JavaArtifact) -> bool {
        [&artifact.group, &artifact.artifact, &artifact.version]
            .iter()
            .all(|field| field.len() as u64 <= self.field_size_bytes_max)
    }

    fn into_parsed(self) -> Parsed {
        let identity = if self.is_known {
            JavaIdentity::Known
        } else {
            JavaIdentity::Ask(JavaClues {
                manifest: self.manifest.artifact().filter(|found| self.fits(found)),
                sha1: self.sha1,
                file_name: self.file_name,
            })
        };
        let mut own_licenses = self.manifest.licenses();
        if let ([only], true) = (self.license_files.as_slice(), own_licenses.is_empty()) {
            own_licenses.clone_from(only);
        }
        Parsed {
            archive: JavaArchive {
                path: self.path,
                items: self.items,
                identity,
                pom_licenses: self.pom_licenses.into_iter().collect(),
                own_licenses,
            },
            problems: self.problems,
        }
    }
}

/// Computes the SHA-1 of what passes.
struct Hashing<R> {
    inner: R,
    hash: Sha1,
}

impl<R: Read> Hashing<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            hash: Sha1::new(),
        }
    }

    fn finish(self) -> [u8; 20] {
        self.hash.finalize().into()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
