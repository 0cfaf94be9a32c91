//! SPDX in tag-value form.
//!
//! A line is `Tag: value`; a value in `<text>` may span lines. What a tag belongs to follows from
//! the tags before it. Tags that say nothing about packages are skipped, known or not.
//!
//! Source: SPDX 2.3 annex "tag-value", and tools-golang 0.5 for the order of sections.

mod lines;

use super::{
    Checksum, Head, RawFile, RawPackage, Relationship, Source, Visit, element_id, is_trivy,
};
use crate::extractors::sbom::error::SbomError;
use crate::kept::Kept;
use lines::TextLines;

/// Lines with a tag that are read.
const LINES_MAX: u64 = 2_000_000;

/// A document, line by line.
pub(super) struct Document<'a> {
    pub(super) text: &'a Kept<'a>,
    /// Bytes that one line, or the lines of one package, may have.
    pub(super) part_size_bytes_max: usize,
}

/// Takes what a document says.
#[derive(Default)]
struct Sink<'a> {
    version: Option<&'a mut String>,
    creator: Option<Visit<'a, String>>,
    package: Option<Visit<'a, RawPackage>>,
    file: Option<Visit<'a, RawFile>>,
    relationship: Option<Visit<'a, Relationship>>,
}

impl Source for Document<'_> {
    fn head(&self) -> Result<Head, SbomError> {
        let mut head = Head::default();
        let mut creator = |creator: String| {
            head.is_trivy |= is_trivy(&creator);
            Ok(())
        };
        let is_cut = self.pass(Sink {
            version: Some(&mut head.version),
            creator: Some(&mut creator),
            ..Sink::default()
        })?;
        head.is_cut = is_cut;
        Ok(head)
    }

    fn packages(&self, visit: Visit<'_, RawPackage>) -> Result<(), SbomError> {
        self.pass(Sink {
            package: Some(visit),
            ..Sink::default()
        })
        .map(drop)
    }

    fn files(&self, visit: Visit<'_, RawFile>) -> Result<(), SbomError> {
        self.pass(Sink {
            file: Some(visit),
            ..Sink::default()
        })
        .map(drop)
    }

    fn relationships(&self, visit: Visit<'_, Relationship>) -> Result<(), SbomError> {
        self.pass(Sink {
            relationship: Some(visit),
            ..Sink::default()
        })
        .map(drop)
    }

    fn implied(&self, _: Visit<'_, Relationship>) -> Result<(), SbomError> {
        Ok(())
    }
}

impl Document<'_> {
    /// Reads the document. Says whether it ends within a package.
    fn pass(&self, sink: Sink<'_>) -> Result<bool, SbomError> {
        let mut reader = Reader::new(sink, self.part_size_bytes_max);
        let mut lines = TextLines::new(self.text.reader(), self.part_size_bytes_max);
        let mut count = 0;
        while let Some(line) = lines.next()? {
            let line = line.trim_start().to_owned();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            count += 1;
            if count > LINES_MAX {
                return Err(SbomError::TooManyLines { max: LINES_MAX });
            }
            let number = lines.number();
            read_line(&line, &mut lines, &mut reader).map_err(|error| match error {
                ReadError::Sbom(error) => error,
                ReadError::Reason(_) if !lines.is_last_ended() => SbomError::Cut {
                    line: lines.number(),
                },
                ReadError::Reason(reason) => SbomError::Malformed {
                    what: format!("line {number}"),
                    reason: reason.to_owned(),
                },
            })?;
        }
        let is_cut = !lines.is_last_ended() && reader.is_within_package();
        reader.end()?;
        Ok(is_cut)
    }
}

fn read_line(
    line: &str,
    rest: &mut TextLines<'_>,
    reader: &mut Reader<'_>,
) -> Result<(), ReadError> {
    let (tag, value) = line
        .split_once(':')
        .ok_or(ReadError::Reason("there is no colon"))?;
    let value = match value.split_once("<text>") {
        None => value.trim().to_owned(),
        Some((_, start)) => rest
            .text(start)?
            .ok_or(ReadError::Reason("a text does not end"))?,
    };
    reader.read(tag.trim(), value)
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

struct Reader<'a> {
    sink: Sink<'a>,
    section: Section,
    /// The package that is being read, and bytes of its values.
    package: Option<RawPackage>,
    part_size_bytes: usize,
    part_size_bytes_max: usize,
    /// The file that is being read, unless it is not kept.
    file: Option<RawFile>,
}

impl<'a> Reader<'a> {
    fn new(sink: Sink<'a>, part_size_bytes_max: usize) -> Self {
        Self {
            sink,
            section: Section::default(),
            package: None,
            part_size_bytes: 0,
            part_size_bytes_max,
            file: None,
        }
    }

    fn read(&mut self, tag: &str, value: String) -> Result<(), ReadError> {
        match tag {
            "SPDXVersion" => {
                if let Some(version) = &mut self.sink.version {
                    **version = value;
                }
            }
            "Creator" => {
                if let Some(visit) = &mut self.sink.creator {
                    visit(value)?;
                }
            }
            "PackageName" => self.begin_package(value)?,
            "FileName" => self.begin_file(value)?,
            "LicenseID" | "SnippetSPDXID" | "SnippetSPDXIdentifier" | "Reviewer" => {
                self.section = Section::Other;
            }
            "Relationship" => {
                let relationship = relationship(&value)?;
                if let Some(visit) = &mut self.sink.relationship {
                    visit(relationship)?;
                }
            }
            "SPDXID" => self.set_id(&value)?,
            "FileChecksum" if self.section == Section::File => {
                let checksum = checksum(&value)?;
                if self.file.is_some() {
                    self.take_room(value.len())?;
                }
                if let Some(file) = &mut self.file {
                    file.checksums.push(checksum);
                }
            }
            tag if self.section == Section::Package => self.read_package(tag, value)?,
            _ => {}
        }
        Ok(())
    }

    fn read_package(&mut self, tag: &str, value: String) -> Result<(), ReadError> {
        self.take_room(value.len())?;
        let Some(package) = &mut self.package else {
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

    /// Counts what is kept of a package or file.
    fn take_room(&mut self, size_bytes: usize) -> Result<(), SbomError> {
        // A text takes some room beside its characters.
        self.part_size_bytes = self.part_size_bytes.saturating_add(size_bytes + 100);
        if self.part_size_bytes <= self.part_size_bytes_max {
            return Ok(());
        }
        Err(SbomError::TooLarge {
            what: "one package or file",
            max: self.part_size_bytes_max,
        })
    }

    fn begin_package(&mut self, name: String) -> Result<(), SbomError> {
        self.end_package()?;
        self.section = Section::Package;
        self.part_size_bytes = 0;
        self.take_room(name.len())?;
        self.package = Some(RawPackage {
            name,
            ..RawPackage::default()
        });
        Ok(())
    }

    fn begin_file(&mut self, name: String) -> Result<(), SbomError> {
        self.end_file()?;
        self.section = Section::File;
        // Of the files inside a package the first is kept.
        let package = self.package.as_ref();
        let is_kept = package.is_none_or(|package| package.file.is_none());
        if self.package.is_none() {
            self.part_size_bytes = 0;
        }
        self.file = is_kept.then(|| RawFile {
            name,
            ..RawFile::default()
        });
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), SbomError> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        if let Some(package) = &mut self.package {
            package.file = Some(file);
            return Ok(());
        }
        match &mut self.sink.file {
            Some(visit) => visit(file),
            None => Ok(()),
        }
    }

    fn end_package(&mut self) -> Result<(), SbomError> {
        self.end_file()?;
        match (self.package.take(), &mut self.sink.package) {
            (Some(package), Some(visit)) => visit(package),
            _ => Ok(()),
        }
    }

    /// Says whether a package has begun of which nothing tells yet what it is. One whose reference has
    /// been read is complete as far as it matters, though there be no line feed at the end.
    fn is_within_package(&self) -> bool {
        let is_begun = |package: &RawPackage| package.references.is_empty();
        self.section == Section::Package && self.package.as_ref().is_some_and(is_begun)
    }

    fn end(mut self) -> Result<(), SbomError> {
        self.end_package()
    }

    fn set_id(&mut self, value: &str) -> Result<(), SbomError> {
        let id = element_id(value)?;
        match self.section {
            Section::Document | Section::Other => {}
            Section::Package => {
                if let Some(package) = &mut self.package {
                    package.id = id;
                }
            }
            Section::File => {
                if let Some(file) = &mut self.file {
                    file.id = id;
                }
            }
        }
        Ok(())
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
