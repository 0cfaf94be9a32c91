//! Layers through the engine's export: one stream that holds them all.
//!
//! Nothing is written to disk and nothing held in memory but small documents. The stream may have
//! any of three forms: `<id>/layer.tar` (engines before 25), `blobs/sha256/<digest>` (later ones,
//! with compressed layers from the containerd image store), `<diff id>.tar` (Podman). Names are
//! not trusted: a layer is what its bytes hash to, and every layer that the image states must have
//! come when the stream ends.
//!
//! An image is exported once where all its layers are unknown or all are known. It is exported
//! twice where a link makes a layer interesting again after the pass, and where the engine does not
//! say which layers an image has (old Podman): those are found in the configuration, which must be
//! known before the pass.
//!
//! Source: moby `image/tarexport/save.go`, containerd `core/images/archive/exporter.go`,
//! containers/image `docker/internal/tarfile/writer.go`.

mod archive;
mod config;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use cleanbill_core::image::ImageConfig;
use cleanbill_core::layer::{EntryVisitor, LayerError, LayerReader, LayerSummary};
use cleanbill_core::{DiffId, Digest};
use tracing::debug;

use self::archive::{Flow, Links, Member, member_for};
use self::config::Documents;
pub(super) use self::config::stored_config;
use super::client::{ApiVersion, DockerClient};
use super::metadata::Inspected;
use crate::blob::BlobSpec;
use crate::layer::PassingLayer;
use crate::runtime::BodyReader;
use crate::{ImageError, LayerSink, LayerSource, ReadContext};

/// From this version on an export may be asked for one platform.
const PLATFORM_SINCE: ApiVersion = ApiVersion {
    major: 1,
    minor: 48,
};

/// Reads the layers of one image out of the engine's export.
#[derive(Debug)]
pub(super) struct ExportStream {
    client: DockerClient,
    id: Digest,
    /// The platform to export, as the API writes it, where several may be in the engine.
    platform: Option<String>,
    /// The layers that the image states, base first.
    diff_ids: Vec<DiffId>,
    /// The names that layers have in the stream, as far as they are known.
    names: Mutex<BTreeMap<DiffId, String>>,
    /// The metadata lack the configuration.
    wants_config: bool,
    /// What came by beside the layers, kept where the configuration is wanted.
    documents: Mutex<Option<Documents>>,
    context: ReadContext,
}

impl ExportStream {
    /// Prepares to export an image; nothing is asked yet.
    pub(super) fn new(
        client: DockerClient,
        inspected: &Inspected,
        diff_ids: Vec<DiffId>,
        context: ReadContext,
    ) -> Self {
        let answer = &inspected.answer;
        let is_multi_platform =
            answer.graph_driver.name.is_empty() || answer.graph_driver.name == "overlayfs";
        let platform = (is_multi_platform && client.version() >= PLATFORM_SINCE)
            .then(|| platform_json(&answer.os, &answer.architecture, &answer.variant));
        Self {
            client,
            id: inspected.id,
            platform,
            diff_ids,
            names: Mutex::default(),
            wants_config: false,
            documents: Mutex::default(),
            context,
        }
    }

    /// Keeps the configuration when it comes by, for [`LayerSource::late_config`].
    pub(super) fn with_late_config(mut self) -> Self {
        self.wants_config = true;
        self
    }

    /// Names the export in messages.
    fn what(&self) -> String {
        format!("export of image {} by {}", self.id, self.client.place())
    }

    fn malformed(&self, reason: String) -> ImageError {
        ImageError::Malformed {
            what: self.what(),
            reason,
        }
    }

    /// Starts an export and offers its members one by one until `take` has enough.
    fn pass(
        &self,
        take: impl FnMut(Member<'_>) -> Result<Flow, ImageError>,
    ) -> Result<Links, ImageError> {
        let id = self.id.to_string();
        let platform = self
            .platform
            .as_deref()
            .map(|platform| ("platform", platform));
        let stream: BodyReader =
            self.client
                .get_stream(&["images", &id, "get"], platform.as_slice(), &self.context)?;
        archive::pass(
            self.context.watch(stream),
            &self.what(),
            &self.context.limits,
            take,
        )
    }

    /// Finds out under which name a layer stands in the stream, if need be by a pass that reads
    /// the table of contents only.
    fn name_of(&self, diff_id: &DiffId) -> Result<String, ImageError> {
        let known = || {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.get(diff_id).cloned()
        };
        if let Some(name) = known() {
            return Ok(name);
        }
        let mut manifest = None;
        let links = self.pass(|member| {
            if let Member::Document {
                name: "manifest.json",
                bytes,
            } = member
            {
                manifest = Some(bytes);
            }
            Ok(Flow::Continue)
        })?;
        let layers = self.manifest_layers(manifest.as_deref())?;
        let named = self.diff_ids.iter().zip(layers);
        self.remember(named.map(|(diff_id, name)| (*diff_id, member_for(&name, &links))));
        known().ok_or_else(|| self.malformed(format!("it does not name layer {diff_id}")))
    }

    fn remember(&self, found: impl IntoIterator<Item = (DiffId, String)>) {
        self.names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(found);
    }

    /// Returns the names of the layers, base first, as `manifest.json` lists them.
    fn manifest_layers(&self, manifest: Option<&[u8]>) -> Result<Vec<String>, ImageError> {
        let layers = self.manifest(manifest)?.layers;
        if layers.len() == self.diff_ids.len() {
            return Ok(layers);
        }
        Err(self.malformed(format!(
            "manifest.json lists {} layers, the image has {}",
            layers.len(),
            self.diff_ids.len()
        )))
    }

    fn manifest(&self, bytes: Option<&[u8]>) -> Result<archive::ManifestEntry, ImageError> {
        let bytes = bytes.ok_or_else(|| self.malformed("it has no manifest.json".to_owned()))?;
        let what = format!("manifest.json in the {}", self.what());
        let entries: Vec<archive::ManifestEntry> =
            crate::oci::parse_json(bytes, &what, &self.context.limits)?;
        let count = entries.len();
        match entries.into_iter().next() {
            Some(entry) if count == 1 => Ok(entry),
            _ => Err(self.malformed(format!("manifest.json lists {count} images, not one"))),
        }
    }

    /// Compares what came with what the image states.
    fn verify(&self, came: &Came) -> Result<(), ImageError> {
        let missing = self
            .diff_ids
            .iter()
            .find(|diff_id| !came.expected.contains_key(diff_id));
        let Some(missing) = missing else {
            if !came.others.is_empty() {
                debug!(
                    layers = came.others.len(),
                    "the export held layers of other images too"
                );
            }
            return Ok(());
        };
        match came.others.iter().next() {
            Some((actual, name)) => {
                let what = || format!("diff id of {name} in the {}", self.what());
                Ok(LayerError::check_digest(what, missing.0, actual.0)?)
            }
            None => Err(self.malformed(format!("layer {missing} did not come"))),
        }
    }
}

/// Writes a platform as the engine's API takes it.
pub(super) fn platform_json(os: &str, architecture: &str, variant: &str) -> String {
    let platform = match variant {
        "" => serde_json::json!({ "os": os, "architecture": architecture }),
        _ => serde_json::json!({ "os": os, "architecture": architecture, "variant": variant }),
    };
    platform.to_string()
}

/// Collects which layers came, and under which names.
#[derive(Default)]
struct Came {
    expected: BTreeMap<DiffId, String>,
    others: BTreeMap<DiffId, String>,
}

impl LayerSource for ExportStream {
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError> {
        let diff_id = *self
            .diff_ids
            .get(index)
            .ok_or_else(|| ImageError::NotFound {
                what: format!("layer {index}"),
                place: self.what(),
            })?;
        Ok(Box::new(ExportedLayer {
            stream: self,
            diff_id,
        }))
    }

    fn is_sequential(&self) -> bool {
        true
    }

    fn read_all(&self, sink: &mut dyn LayerSink) -> Result<(), ImageError> {
        let stated: BTreeSet<DiffId> = self.diff_ids.iter().copied().collect();
        let mut came = Came::default();
        let mut documents = Documents::default();
        self.pass(|member| {
            match member {
                Member::Layer { name, content } => {
                    self.pass_layer(name, content, &stated, sink, &mut came)?
                }
                Member::Document { name, bytes } if self.wants_config => {
                    documents.insert(name, bytes, self)?;
                }
                Member::Document { .. } => {}
            }
            Ok(Flow::Continue)
        })?;
        self.verify(&came)?;
        self.remember(came.expected);
        *self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(documents);
        Ok(())
    }

    fn late_config(&self) -> Result<Option<ImageConfig>, ImageError> {
        if !self.wants_config {
            return Ok(None);
        }
        let kept = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match kept {
            Some(documents) => documents.stored_config(self),
            // Every layer was known.
            None => stored_config(self),
        }
        .map(Some)
    }
}

impl ExportStream {
    fn pass_layer(
        &self,
        name: &str,
        content: &mut dyn Read,
        stated: &BTreeSet<DiffId>,
        sink: &mut dyn LayerSink,
        came: &mut Came,
    ) -> Result<(), ImageError> {
        let spec = BlobSpec {
            what: format!("{name} in the {}", self.what()),
            ..BlobSpec::default()
        };
        let mut layer = PassingLayer::new(content, spec, self.context.clone());
        sink.layer(&mut layer)?;
        if let Some(digest) = layer.finish()?.content_digest {
            let diff_id = DiffId(digest);
            let list = if stated.contains(&diff_id) {
                &mut came.expected
            } else {
                &mut came.others
            };
            list.insert(diff_id, name.to_owned());
        }
        Ok(())
    }
}

/// Reads one layer, by an export of the whole image.
struct ExportedLayer<'a> {
    stream: &'a ExportStream,
    diff_id: DiffId,
}

impl LayerReader for ExportedLayer<'_> {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        self.walk_export(visitor).map_err(|error| match error {
            ImageError::Layer(error) => error,
            error => LayerError::Read {
                what: format!("layer {} of the {}", self.diff_id, self.stream.what()),
                source: std::io::Error::other(error),
            },
        })
    }
}

impl ExportedLayer<'_> {
    fn walk_export(&self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, ImageError> {
        let wanted = self.stream.name_of(&self.diff_id)?;
        let mut walked = None;
        self.stream.pass(|member| match member {
            Member::Layer { name, content } if name == wanted => {
                let spec = BlobSpec {
                    what: format!("{name} in the {}", self.stream.what()),
                    content_digest: Some(self.diff_id.0),
                    ..BlobSpec::default()
                };
                let mut layer = PassingLayer::new(content, spec, self.stream.context.clone());
                walked = Some(layer.walk(visitor)?);
                Ok(Flow::Stop)
            }
            _ => Ok(Flow::Continue),
        })?;
        walked.ok_or_else(|| {
            self.stream
                .malformed(format!("layer {wanted} did not come"))
        })
    }
}

#[cfg(test)]
mod tests;
