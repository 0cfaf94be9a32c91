//! Layers that are stored as tars, compressed or not.

use std::io::Read;

use cleanbill_core::DiffId;
use cleanbill_core::layer::{EntryVisitor, LayerError, LayerReader, LayerSummary};

use crate::ReadContext;
use crate::blob::{self, BlobSpec, BlobSummary};
use crate::tar::{self, StreamSource, WalkError};

/// Walks a layer whose bytes are at hand, compressed or not. `what` names it in errors.
///
/// # Errors
///
/// As [`LayerReader::walk`].
pub fn walk_layer(
    source: impl Read + Send,
    what: &str,
    visitor: &mut dyn EntryVisitor,
    context: &ReadContext,
) -> Result<LayerSummary, LayerError> {
    let spec = BlobSpec {
        what: what.to_owned(),
        ..BlobSpec::default()
    };
    TarLayer::new(source, spec, context.clone()).walk(visitor)
}

/// Offers a layer that can be read from any thread: decompressing and hashing go on beside the
/// walk.
pub(crate) struct TarLayer<R> {
    source: Option<R>,
    spec: BlobSpec,
    context: ReadContext,
}

impl<R: Read + Send> TarLayer<R> {
    /// Takes the bytes as they are stored.
    pub(crate) fn new(source: R, spec: BlobSpec, context: ReadContext) -> Self {
        Self {
            source: Some(source),
            spec,
            context,
        }
    }
}

impl<R: Read + Send> LayerReader for TarLayer<R> {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        let source = take_source(&mut self.source, &self.spec)?;
        let ((), summary) = blob::read(source, &self.spec, &self.context, |content| {
            walk_content(content, visitor, &self.spec.what, &self.context)
        })?;
        Ok(layer_summary(summary))
    }
}

/// Offers a layer that comes by in a stream that the caller's thread reads.
pub(crate) struct PassingLayer<R> {
    source: Option<R>,
    spec: BlobSpec,
    context: ReadContext,
    summary: Option<BlobSummary>,
}

impl<R: Read> PassingLayer<R> {
    /// Takes the bytes as they are stored.
    pub(crate) fn new(source: R, spec: BlobSpec, context: ReadContext) -> Self {
        Self {
            source: Some(source),
            spec,
            context,
            summary: None,
        }
    }

    /// Returns what the blob turned out to be; if nobody has walked the layer, it is read now.
    ///
    /// # Errors
    ///
    /// Reading failed, now or when the layer was walked.
    pub(crate) fn finish(mut self) -> Result<BlobSummary, LayerError> {
        if let Some(summary) = self.summary {
            return Ok(summary);
        }
        let source = take_source(&mut self.source, &self.spec)?;
        let ((), summary) = blob::read_serial(source, &self.spec, &self.context, |_| Ok(()))?;
        Ok(summary)
    }
}

impl<R: Read> LayerReader for PassingLayer<R> {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        let source = take_source(&mut self.source, &self.spec)?;
        let ((), summary) = blob::read_serial(source, &self.spec, &self.context, |content| {
            walk_content(content, visitor, &self.spec.what, &self.context)
        })?;
        self.summary = Some(summary);
        Ok(layer_summary(summary))
    }
}

fn take_source<R>(source: &mut Option<R>, spec: &BlobSpec) -> Result<R, LayerError> {
    source.take().ok_or_else(|| LayerError::Malformed {
        what: spec.what.clone(),
        reason: "it has been read before, and not to its end".to_owned(),
    })
}

fn layer_summary(summary: BlobSummary) -> LayerSummary {
    LayerSummary {
        diff_id: summary.content_digest.map(DiffId),
        size_bytes: Some(summary.content_size_bytes),
    }
}

fn walk_content(
    content: &mut dyn std::io::BufRead,
    visitor: &mut dyn EntryVisitor,
    what: &str,
    context: &ReadContext,
) -> Result<(), LayerError> {
    match tar::walk(StreamSource(content), visitor, &context.limits) {
        Ok(_) => Ok(()),
        Err(WalkError::Visitor { path, source }) => Err(LayerError::Read {
            what: format!("'{path}' in {what}"),
            source,
        }),
        Err(WalkError::Tar(error)) => Err(error.of(what)),
    }
}
