//! Images that are not there, merged from what the cache knows of their layers.

use std::collections::HashMap;

use cleanbill_image::Image;
use cleanbill_inventory::MergeOptions;

use super::{Inventoried, LayerInventories, resolve_all};
use crate::java;

impl LayerInventories<'_> {
    /// Merges the inventories of an image's layers without opening any; `None` if one is not known,
    /// or a link leads to a file that nobody has read, or archives were not identified.
    pub(crate) fn known_inventory(
        &self,
        image: &Image,
        options: &MergeOptions,
    ) -> Option<Inventoried> {
        let layers = image.metadata.layers.iter();
        let keys: Vec<_> = layers
            .map(|layer| self.key(layer.id.diff_id, None))
            .collect();
        let layers = self.admit(&keys, HashMap::new()).ok()?;
        let known: Vec<_> = match self.java_index.opened() {
            Some(index) => resolve_all(&layers, index).ok()?,
            None => java::resolve_without_index(&layers),
        };
        let layer_sizes_bytes = layers.iter().map(|layer| layer.size_bytes).collect();
        drop(layers);
        let mut inventory = self.merge_following(image, known, options).ok()?;
        if java::take_unidentified(&mut inventory).is_some() {
            return None;
        }
        Some(Inventoried {
            inventory,
            layer_sizes_bytes,
        })
    }
}
