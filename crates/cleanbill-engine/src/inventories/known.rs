//! Images that are not there, merged from what the cache knows of their layers.

use std::collections::HashMap;

use cleanbill_image::Image;
use cleanbill_inventory::{MergeOptions, MergePlan};

use super::{Inventoried, LayerInventories};
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
        let layer_sizes_bytes = layers.iter().map(|layer| layer.size_bytes).collect();
        let (mut layers, grown) = self.to_be_merged(image, layers, options).ok()?;
        match self.java_index.opened() {
            Some(index) => java::resolve(&mut layers, index).ok()?,
            None => java::resolve_without_index(&mut layers),
        }
        let plan = MergePlan::of_owned(&layers, &grown, options);
        if plan.unidentified().is_some() {
            return None;
        }
        let inventory = plan.carry_out(layers, grown, options).inventory;
        Some(Inventoried {
            inventory,
            layer_sizes_bytes,
        })
    }
}
