//! SPDX in tag-value form.
//!
//! A line is `Tag: value`; a value in `<text>` may span lines. What a tag belongs to follows from
//! the tags before it. Tags that say nothing about packages are skipped, known or not.
//!
//! Source: SPDX 2.3 annex "tag-value", and tools-golang 0.5 for the order of sections.

use super::{Checksum, RawDocument, RawFile, RawPackage, Relationship, element_id};
use crate::extractors::sbom::error::SbomError;

/// Lines with a tag that are read: each may become something that takes twenty times its size.
const LINES_MAX: u64 = 2_000_000;

/// Reads a document.
///
/// # Errors
///
/// A line is no tag, or an identifier or relationship is malformed.
pub(super) fn parse(text: &str) -> Result<RawDocument, SbomError> {
    let mut reader = Reader::default();
    let mut lines = text.lines().enumerate();
    let mut count = 0;
    while let Some((index, line)) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        count += 1;
        if count > LINES_MAX {
            return Err(SbomError::TooManyLines { max: LINES_MAX });
        }
        read_line(line, &mut lines, &mut reader).map_err(|error| match error {
            ReadError::Sbom(error) => error,
            ReadError::Reason(reason) => SbomError::Malformed {
                what: format!("line {}", index + 1),
                reason: reason.to_owned(),
            },
        })?;
    }
    Ok(reader.document)
}

type Lines<'a> = std::iter::Enumerate<std::str::Lines<'a>>;

fn read_line(line: &str, rest: &mut Lines<'_>, reader: &mut Reader) -> Result<(), ReadError> {
    let (tag, value) = line
        .split_once(':')
        .ok_or(ReadError::Reason("there is no colon"))?;
    let value = match value.split_once("<text>") {
        None => value.trim().to_owned(),
        Some((_, start)) => {
            read_text(start, rest).ok_or(ReadError::Reason("a text does not end"))?
        }
    };
    reader.read(tag.trim(), value)
}

/// Reads up to `</text>`.
fn read_text(start: &str, lines: &mut Lines<'_>) -> Option<String> {
    if let Some((text, _)) = start.split_once("</text>") {
        return Some(text.to_owned());
    }
    let mut text = format!("{start}\n");
    for (_, line) in lines {
        if let Some((end, _)) = line.split_once("</text>") {
            text.push_str(end);
            return Some(text);
        }
        text.push_str(line);
        text.push('\n');
    }
    None
}

enum ReadError {
    Sbom(SbomError),
    Reason(&'static str),
}

impl From<SbomError> for ReadError {
    fn from(error: SbomError) -> Self {
        Self::Sbom(error)
    }
}

/// What the tags read so far belong to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Document,
    Package,
    /// A file of the last package, or of none.
    File,
    /// Something that says nothing about packages.
    Other,
}

#[derive(Default)]
struct Reader {
    document: RawDocument,
    section: Section,
}

impl Reader {
    fn read(&mut self, tag: &str, value: String) -> Result<(), ReadError> {
        match tag {
            "SPDXVersion" => self.document.version = value,
            "Creator" => self.document.creators.push(value),
            "PackageName" => self.begin_package(value),
            "FileName" => self.begin_file(value),
            "LicenseID" | "SnippetSPDXID" | "SnippetSPDXIdentifier" | "Reviewer" => {
                self.section = Section::Other;
            }
            "Relationship" => self.document.relationships.push(relationship(&value)?),
            "SPDXID" => self.set_id(&value)?,
            "FileChecksum" if self.section == Section::File => {
                let checksum = checksum(&value)?;
                if let Some(file) = self.file() {
                    file.checksums.push(checksum);
                }
            }
            tag if self.section == Section::Package => self.read_package(tag, value)?,
            _ => {}
        }
        Ok(())
    }

    fn read_package(&mut self, tag: &str, value: String) -> Result<(), ReadError> {
        let Some(package) = self.document.packages.last_mut() else {
            return Ok(());
        };
        match tag {
            "PackageChecksum" => package.checksums.push(checksum(&value)?),
            "PackageVersion" => package.version = value,
            "PackageSourceInfo" => package.source_info = value,
            "PackageLicenseDeclared" => package.license_declared = value,
            "PackageAttributionText" => package.attribution_texts.push(value),
            "ExternalRef" => package
                .references
                .push(words(&value).ok_or(ReadError::Reason(
                    "an external reference does not have three parts",
                ))?),
            _ => {}
        }
        Ok(())
    }

    fn begin_package(&mut self, name: String) {
        self.section = Section::Package;
        self.document.packages.push(RawPackage {
            name,
            ..RawPackage::default()
        });
    }

    fn begin_file(&mut self, name: String) {
        self.section = Section::File;
        let file = RawFile {
            name,
            ..RawFile::default()
        };
        match self.document.packages.last_mut() {
            Some(package) => package.files.push(file),
            None => self.document.files.push(file),
        }
    }

    fn set_id(&mut self, value: &str) -> Result<(), SbomError> {
        let id = element_id(value)?;
        match self.section {
            Section::Document | Section::Other => {}
            Section::Package => {
                if let Some(package) = self.document.packages.last_mut() {
                    package.id = id;
                }
            }
            Section::File => {
                if let Some(file) = self.file() {
                    file.id = id;
                }
            }
        }
        Ok(())
    }

    fn file(&mut self) -> Option<&mut RawFile> {
        match self.document.packages.last_mut() {
            Some(package) => package.files.last_mut(),
            None => self.document.files.last_mut(),
        }
    }
}

fn relationship(value: &str) -> Result<Relationship, ReadError> {
    let [parent, kind, child] = words(value).ok_or(ReadError::Reason(
        "a relationship does not have three parts",
    ))?;
    Ok(Relationship {
        parent: element_id(&parent)?,
        kind,
        child: element_id(&child)?,
    })
}

fn checksum(value: &str) -> Result<Checksum, ReadError> {
    let (algorithm, value) = value
        .split_once(':')
        .ok_or(ReadError::Reason("a checksum names no algorithm"))?;
    Ok(Checksum {
        algorithm: algorithm.trim().to_owned(),
        value: value.trim().to_owned(),
    })
}

fn words(value: &str) -> Option<[String; 3]> {
    let words: Vec<&str> = value
        .split(' ')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    let &[a, b, c] = words.as_slice() else {
        return None;
    };
    Some([a.to_owned(), b.to_owned(), c.to_owned()])
}
