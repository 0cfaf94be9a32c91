//! An archive that is read by position.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use cleanbill_core::layer::LayerError;
use cleanbill_core::{Digest, path};

use super::links::Links;
use crate::blob::{self, BlobLayers, BlobPlace, BlobSpec, Compression, LayerBlob};
use crate::file::{Bound, read_bounded};
use crate::members::{ArchiveStore, MemberStore, StoredLayer, WantedLayer};
use crate::tar::{Entry, SectionSource, TarReader, typeflag};
use crate::{ImageError, LayerSource, ReadContext};

/// Knows where the members of an archive lie.
pub(super) struct IndexedArchive<'a> {
    path: &'a str,
    file: Arc<File>,
    members: HashMap<String, Vec<Section>>,
    links: Links,
    context: &'a ReadContext,
}

/// Where a member lies.
#[derive(Clone, Copy, Debug)]
struct Section {
    offset: u64,
    size_bytes: u64,
    is_sparse: bool,
}

impl<'a> IndexedArchive<'a> {
    /// Reads the headers of an archive.
    pub(super) fn open(
        path: &'a str,
        file: Arc<File>,
        size_bytes: u64,
        context: &'a ReadContext,
    ) -> Result<Self, ImageError> {
        let (members, links) = (HashMap::new(), Links::default());
        let mut archive = Self {
            path,
            file,
            members,
            links,
            context,
        };
        archive.read_headers(size_bytes)?;
        Ok(archive)
    }

    fn read_headers(&mut self, size_bytes: u64) -> Result<(), ImageError> {
        let source = SectionSource::new(self.file.clone(), 0, size_bytes);
        let limits = &self.context.limits;
        let mut reader = TarReader::new(source, limits.tar_extension_size_bytes_max);
        let mut entry = Entry::default();
        let mut count = 0;
        while reader
            .next_entry(&mut entry)
            .map_err(|error| error.of_image(self.path))?
        {
            self.context
                .check()
                .map_err(|source| self.read_error(source))?;
            count += 1;
            if count > limits.archive_members_max {
                let what = format!("the number of members of {}", self.path);
                let max = limits.archive_members_max;
                return Err(LayerError::exceeded(what, "archive_members_max", max).into());
            }
            let name = path::clean(&String::from_utf8_lossy(&entry.name));
            match entry.typeflag {
                typeflag::REGULAR | typeflag::GNU_SPARSE => {
                    self.members.entry(name).or_default().push(Section {
                        offset: entry.content_offset,
                        size_bytes: entry.size,
                        is_sparse: entry.is_sparse,
                    });
                }
                typeflag::SYMLINK | typeflag::HARD_LINK => self.links.take(&name, &entry),
                _ => {}
            }
        }
        Ok(())
    }

    /// Finds a member by name. Of several under one name the last counts, as when an engine
    /// unpacks the archive.
    fn sections(&self, name: &str) -> Result<&[Section], ImageError> {
        let has_content = |name: &str| self.members.contains_key(name);
        let resolved = self
            .links
            .resolve(name, has_content, self.path, &self.context.limits)?;
        let sections = resolved.and_then(|name| self.members.get(&name));
        let sections = sections.map(Vec::as_slice).unwrap_or_default();
        if sections.iter().any(|section| section.is_sparse) {
            return Err(ImageError::Unsupported {
                what: format!("'{name}' in {}", self.path),
                reason: "it is stored with holes".to_owned(),
            });
        }
        Ok(sections)
    }

    fn source(&self, section: Section) -> SectionSource {
        SectionSource::new(self.file.clone(), section.offset, section.size_bytes)
    }

    fn what(&self, name: &str) -> String {
        format!("'{name}' in {}", self.path)
    }

    fn read_error(&self, source: std::io::Error) -> LayerError {
        LayerError::Read {
            what: self.path.to_owned(),
            source,
        }
    }
}

impl MemberStore for IndexedArchive<'_> {
    fn place(&self) -> String {
        self.path.to_owned()
    }

    fn access(&self) -> &'static str {
        "archive by position"
    }

    /// Readers disagree about which of several documents of one name counts. So those must be
    /// the same.
    fn find_document(&self, name: &str) -> Result<Option<Vec<u8>>, ImageError> {
        let bound = Bound::of_document(&self.context.limits);
        let mut document: Option<Vec<u8>> = None;
        for section in self.sections(name)? {
            let bytes = read_bounded(self.source(*section), &self.what(name), bound)?;
            if document.is_some_and(|other| other != bytes) {
                return Err(ImageError::Malformed {
                    what: self.path.to_owned(),
                    reason: format!("it has '{name}' twice, with different content"),
                });
            }
            document = Some(bytes);
        }
        Ok(document)
    }

    fn find_layer(&self, name: &str) -> Result<Option<StoredLayer>, ImageError> {
        let Some(&section) = self.sections(name)?.last() else {
            return Ok(None);
        };
        let compression = Compression::of_start(self.source(section), &self.what(name))?;
        Ok(Some(StoredLayer::new(compression, section.size_bytes)))
    }

    fn layers(&self, wanted: Vec<WantedLayer>) -> Result<Arc<dyn LayerSource>, ImageError> {
        let mut blobs = Vec::new();
        for WantedLayer { name, spec } in wanted {
            let &section = self
                .sections(&name)?
                .last()
                .ok_or_else(|| self.not_found(&name))?;
            blobs.push(LayerBlob {
                place: BlobPlace::Section {
                    file: self.file.clone(),
                    offset: section.offset,
                    size_bytes: section.size_bytes,
                },
                spec: BlobSpec {
                    size_bytes: spec.size_bytes.or(Some(section.size_bytes)),
                    ..spec
                },
            });
        }
        Ok(Arc::new(BlobLayers::new(blobs, self.context.clone())))
    }
}

impl ArchiveStore for IndexedArchive<'_> {
    fn layer_digest(&self, name: &str) -> Result<Digest, ImageError> {
        let &section = self
            .sections(name)?
            .last()
            .ok_or_else(|| self.not_found(name))?;
        Ok(blob::digest_of(
            self.source(section).by_ref(),
            &self.what(name),
            self.context,
        )?)
    }
}
