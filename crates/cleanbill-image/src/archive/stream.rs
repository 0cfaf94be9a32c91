//! An archive that is one stream, because it is compressed as a whole.

mod layers;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use cleanbill_core::layer::LayerError;
use cleanbill_core::{Digest, path};

use super::links::Links;
use crate::blob::{self, BlobSpec, BlobSummary, Compression};
use crate::file::open_regular;
use crate::layer::PassingLayer;
use crate::members::{ArchiveStore, MemberStore, StoredLayer, WantedLayer};
use crate::tar::{self, BLOCK_SIZE, Block, Entry, StreamSource, TarReader, typeflag};
use crate::{ImageError, LayerSink, LayerSource, ReadContext};

use layers::StreamLayers;

/// All documents of an archive together may be as large as so many of the largest.
const DOCUMENTS_MAX: u64 = 4;

/// Holds what one pass over an archive left: the documents, and what the layers turned out to be.
pub(super) struct StreamedArchive<'a> {
    path: &'a str,
    /// `None` for what is too large to be kept.
    documents: BTreeMap<String, Option<Vec<u8>>>,
    documents_size: u64,
    layers: BTreeMap<String, BlobSummary>,
    links: Links,
    context: &'a ReadContext,
}

impl<'a> StreamedArchive<'a> {
    /// Reads an archive from its beginning to its end and hands every layer to `sink`.
    pub(super) fn open(
        path: &'a str,
        context: &'a ReadContext,
        sink: &mut dyn LayerSink,
    ) -> Result<Self, ImageError> {
        let mut archive = Self {
            path,
            documents: BTreeMap::new(),
            documents_size: 0,
            layers: BTreeMap::new(),
            links: Links::default(),
            context,
        };
        pass(path, context, |name, entry, body| {
            archive.take(name, entry, body, sink)
        })?;
        Ok(archive)
    }

    fn take(
        &mut self,
        name: &str,
        entry: &Entry,
        body: &mut dyn Read,
        sink: &mut dyn LayerSink,
    ) -> Result<(), LayerError> {
        match entry.typeflag {
            typeflag::SYMLINK | typeflag::HARD_LINK => self.links.take(name, entry),
            typeflag::REGULAR | typeflag::GNU_SPARSE => {
                let what = format!("'{name}' in {}", self.path);
                let mut head = Vec::new();
                body.take(BLOCK_SIZE as u64)
                    .read_to_end(&mut head)
                    .map_err(|source| LayerError::Read {
                        what: what.clone(),
                        source,
                    })?;
                let content = head.as_slice().chain(body);
                match Content::of(&head) {
                    Content::Document => self.take_document(name, entry.size, content)?,
                    Content::Layer => self.take_layer(name, what, content, sink)?,
                    Content::Other => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_document(
        &mut self,
        name: &str,
        size: u64,
        content: impl Read,
    ) -> Result<(), LayerError> {
        let limit = self.context.limits.manifest_size_bytes_max;
        self.documents_size = self.documents_size.saturating_add(size.min(limit));
        let is_too_large =
            size > limit || self.documents_size > limit.saturating_mul(DOCUMENTS_MAX);
        let mut document = None;
        if !is_too_large {
            let mut bytes = Vec::new();
            content
                .take(size)
                .read_to_end(&mut bytes)
                .map_err(|source| LayerError::Read {
                    what: format!("'{name}' in {}", self.path),
                    source,
                })?;
            document = Some(bytes);
        }
        let other = self.documents.insert(name.to_owned(), document.clone());
        if other.is_some_and(|other| other != document) {
            return Err(LayerError::Malformed {
                what: self.path.to_owned(),
                reason: format!("it has '{name}' twice, with different content"),
            });
        }
        Ok(())
    }

    fn take_layer(
        &mut self,
        name: &str,
        what: String,
        content: impl Read,
        sink: &mut dyn LayerSink,
    ) -> Result<(), LayerError> {
        let spec = BlobSpec {
            what,
            digest: name.strip_prefix("blobs/").and_then(digest_of_name),
            wants_digest: true,
            ..BlobSpec::default()
        };
        let mut layer = PassingLayer::new(content, spec, self.context.clone());
        sink.layer(&mut layer)?;
        self.layers.insert(name.to_owned(), layer.finish()?);
        Ok(())
    }

    fn layer(&self, name: &str) -> Result<Option<(String, BlobSummary)>, ImageError> {
        let has_content = |name: &str| self.layers.contains_key(name);
        let resolved = self
            .links
            .resolve(name, has_content, self.path, &self.context.limits)?;
        Ok(resolved.and_then(|name| {
            let summary = *self.layers.get(&name)?;
            Some((name, summary))
        }))
    }
}

/// Reads an archive and shows each member to `take`.
fn pass(
    path: &str,
    context: &ReadContext,
    mut take: impl FnMut(&str, &Entry, &mut dyn Read) -> Result<(), LayerError>,
) -> Result<(), ImageError> {
    let (file, _) = open_regular(Path::new(path))?;
    let spec = BlobSpec {
        what: path.to_owned(),
        is_unhashed: true,
        ..BlobSpec::default()
    };
    let limits = &context.limits;
    blob::read(file, &spec, context, |content| {
        let source = StreamSource(content);
        let mut reader = TarReader::new(source, limits.tar_extension_size_bytes_max);
        let mut entry = Entry::default();
        let mut count = 0;
        while reader
            .next_entry(&mut entry)
            .map_err(|error| error.of_image(path))?
        {
            count += 1;
            if count > limits.archive_members_max {
                let what = format!("the number of members of {path}");
                let max = limits.archive_members_max;
                return Err(LayerError::exceeded(what, "archive_members_max", max));
            }
            let name = path::clean(&String::from_utf8_lossy(&entry.name));
            take(&name, &entry, &mut reader.body())?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Tells what a member is, before anything says so: the list of images may come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Document,
    Layer,
    Other,
}

impl Content {
    fn of(head: &[u8]) -> Self {
        if !matches!(Compression::detect(head), Ok(Compression::None)) {
            return Self::Layer;
        }
        match <&Block>::try_from(head) {
            Ok(block) if tar::is_header(block) || *block == [0; BLOCK_SIZE] => return Self::Layer,
            _ => {}
        }
        match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
            // A layer without entries may have no bytes at all.
            None if head.is_empty() => Self::Layer,
            Some(b'{' | b'[') => Self::Document,
            _ => Self::Other,
        }
    }
}

/// Reads `sha256/<hex>`.
fn digest_of_name(name: &str) -> Option<Digest> {
    name.replace('/', ":").parse().ok()
}

impl MemberStore for StreamedArchive<'_> {
    fn place(&self) -> String {
        self.path.to_owned()
    }

    fn access(&self) -> &'static str {
        "archive as a stream"
    }

    fn find_document(&self, name: &str) -> Result<Option<Vec<u8>>, ImageError> {
        let has_content = |name: &str| self.documents.contains_key(name);
        let resolved = self
            .links
            .resolve(name, has_content, self.path, &self.context.limits)?;
        match resolved.and_then(|name| self.documents.get(&name)) {
            None => Ok(None),
            Some(Some(bytes)) => Ok(Some(bytes.clone())),
            Some(None) => {
                let limit = self.context.limits.manifest_size_bytes_max;
                let what = format!("'{name}' in {}", self.path);
                Err(LayerError::exceeded(what, "manifest_size_bytes_max", limit).into())
            }
        }
    }

    fn find_layer(&self, name: &str) -> Result<Option<StoredLayer>, ImageError> {
        Ok(self.layer(name)?.map(|(_, summary)| StoredLayer {
            is_compressed: summary.compression != Compression::None,
            content_size_bytes: Some(summary.content_size_bytes),
        }))
    }

    fn layers(&self, wanted: Vec<WantedLayer>) -> Result<Arc<dyn LayerSource>, ImageError> {
        let mut members = Vec::new();
        for WantedLayer { name, spec } in wanted {
            let (name, summary) = self.layer(&name)?.ok_or_else(|| self.not_found(&name))?;
            blob::verify(&spec, &summary)?;
            members.push(WantedLayer { name, spec });
        }
        Ok(Arc::new(StreamLayers::new(
            self.path,
            members,
            self.context,
        )))
    }
}

impl ArchiveStore for StreamedArchive<'_> {
    fn layer_digest(&self, name: &str) -> Result<Digest, ImageError> {
        let (_, summary) = self.layer(name)?.ok_or_else(|| self.not_found(name))?;
        summary.digest.ok_or_else(|| self.not_found(name))
    }
}

/// Turns an error of an archive into one of a layer's, for readers of layers.
fn layer_error(error: ImageError, what: &str) -> LayerError {
    match error {
        ImageError::Layer(error) => error,
        ImageError::Read { what, source } => LayerError::Read { what, source },
        other => LayerError::Read {
            what: what.to_owned(),
            source: io::Error::other(other),
        },
    }
}
