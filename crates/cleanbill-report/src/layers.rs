//! Which layer of an image brought something, and the history line that made the layer.

use std::collections::HashMap;

use cleanbill_core::DiffId;
use cleanbill_core::image::LayerMetadata;
use cleanbill_core::package::LayerId;
use cleanbill_core::report::ImageReport;

/// Finds the layers of one image by diff id.
pub(crate) struct Layers<'a> {
    by_diff_id: HashMap<DiffId, (usize, &'a LayerMetadata)>,
}

impl<'a> Layers<'a> {
    /// Of equal layers the lowest counts: it brought the content first.
    pub(crate) fn of(image: &'a ImageReport) -> Self {
        let mut by_diff_id = HashMap::new();
        for (index, layer) in image.metadata.layers.iter().enumerate() {
            by_diff_id.entry(layer.id.diff_id).or_insert((index, layer));
        }
        Self { by_diff_id }
    }

    /// Returns the position of a layer, counted from 0 at the base, and its history line; `None`
    /// for a layer that the image does not list.
    pub(crate) fn find(&self, layer: &LayerId) -> Option<(usize, &'a str)> {
        self.by_diff_id
            .get(&layer.diff_id)
            .map(|(index, layer)| (*index, layer.created_by.as_str()))
    }
}
