//! The layers of an archive that is one stream, for a second look.

use std::collections::BTreeMap;
use std::io::Read;

use cleanbill_core::layer::{EntryVisitor, LayerError, LayerReader, LayerSummary};

use super::{layer_error, pass};
use crate::layer::PassingLayer;
use crate::members::WantedLayer;
use crate::tar::{Entry, typeflag};
use crate::{ImageError, LayerSink, LayerSource, ReadContext};

/// Offers layers by reading the archive again, up to each of them.
#[derive(Debug)]
pub(super) struct StreamLayers {
    path: String,
    members: Vec<WantedLayer>,
    context: ReadContext,
}

impl StreamLayers {
    /// Takes the layers, base first.
    pub(super) fn new(path: &str, members: Vec<WantedLayer>, context: &ReadContext) -> Self {
        Self {
            path: path.to_owned(),
            members,
            context: context.clone(),
        }
    }

    /// Shows the wanted members to `take`, each once and in the order of the stream.
    fn pass(
        &self,
        wanted: &[WantedLayer],
        mut take: impl FnMut(&mut dyn LayerReader) -> Result<(), LayerError>,
    ) -> Result<(), ImageError> {
        let mut left: BTreeMap<&str, &WantedLayer> = wanted
            .iter()
            .map(|layer| (layer.name.as_str(), layer))
            .collect();
        pass(
            &self.path,
            &self.context,
            |name: &str, entry: &Entry, body: &mut dyn Read| {
                if entry.typeflag != typeflag::REGULAR {
                    return Ok(());
                }
                let Some(layer) = left.remove(name) else {
                    return Ok(());
                };
                take(&mut PassingLayer::new(
                    body,
                    layer.spec.clone(),
                    self.context.clone(),
                ))
            },
        )?;
        match left.keys().next() {
            None => Ok(()),
            Some(name) => Err(ImageError::NotFound {
                what: format!("'{name}'"),
                place: self.path.clone(),
            }),
        }
    }
}

impl LayerSource for StreamLayers {
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError> {
        let wanted = self
            .members
            .get(index..=index)
            .ok_or_else(|| ImageError::NotFound {
                what: format!("layer {index}"),
                place: self.path.clone(),
            })?;
        Ok(Box::new(StreamLayer {
            layers: self,
            wanted,
        }))
    }

    fn is_sequential(&self) -> bool {
        true
    }

    fn read_all(&self, sink: &mut dyn LayerSink) -> Result<(), ImageError> {
        self.pass(&self.members, |layer| sink.layer(layer))
    }
}

/// Reads the archive up to one layer.
struct StreamLayer<'a> {
    layers: &'a StreamLayers,
    /// The layer, alone.
    wanted: &'a [WantedLayer],
}

impl LayerReader for StreamLayer<'_> {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        let mut summary = LayerSummary::default();
        let passed = self.layers.pass(self.wanted, |layer| {
            summary = layer.walk(visitor)?;
            Ok(())
        });
        passed.map_err(|error| layer_error(error, &self.layers.path))?;
        Ok(summary)
    }
}
