//! Bounds what the packages of all layers of an image take in memory.
//!
//! Each layer is bounded by itself; but an image may have thousands of them, and each may hide what
//! the one below it lists.

use std::collections::HashSet;
use std::sync::Arc;

use cleanbill_core::inventory::LayerInventory;
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Limits, Problem};

/// Admits packages of layers, base first, until they take too much.
pub(super) struct PackageBound {
    size_bytes_max: u64,
    size_bytes: u64,
}

impl PackageBound {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            size_bytes_max: limits.packages_per_image_size_bytes_max,
            size_bytes: 0,
        }
    }

    /// Begins behind the layers of an image, which were admitted before: what an image has more
    /// than once is in memory once.
    pub(super) fn after<'a>(
        limits: &Limits,
        layers: impl IntoIterator<Item = &'a Arc<LayerInventory>>,
    ) -> Self {
        let mut bound = Self::new(limits);
        let mut counted = HashSet::new();
        for layer in layers {
            if counted.insert(Arc::as_ptr(layer)) {
                let size_bytes = layer.packages_size_bytes();
                bound.size_bytes = bound.size_bytes.saturating_add(size_bytes);
            }
        }
        bound
    }

    /// Counts an inventory, unless there is no room for its packages.
    pub(super) fn has_room_for(&mut self, inventory: &LayerInventory) -> bool {
        let total = self
            .size_bytes
            .saturating_add(inventory.packages_size_bytes());
        let has_room = total <= self.size_bytes_max;
        if has_room {
            self.size_bytes = total;
        }
        has_room
    }

    /// Returns an inventory, without its packages if there is no room for them.
    pub(super) fn admit(&mut self, inventory: Arc<LayerInventory>) -> Arc<LayerInventory> {
        if self.has_room_for(&inventory) {
            return inventory;
        }
        let mut inventory = Arc::unwrap_or_clone(inventory);
        inventory.clear_packages();
        inventory.problems.push(Problem::new(
            ProblemKind::LimitExceeded,
            format!(
                "the packages of all layers take more than {} bytes \
                 (packages_per_image_size_bytes_max): those of one layer are left out",
                self.size_bytes_max
            ),
        ));
        Arc::new(inventory)
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::Package;
    use cleanbill_core::inventory::PackagesByPath;

    use super::*;

    fn layer(package_count: usize) -> Arc<LayerInventory> {
        Arc::new(LayerInventory {
            package_databases: PackagesByPath::new(
                [("var/lib/dpkg/status", package_count)],
                vec![Package::default(); package_count],
            ),
            ..LayerInventory::default()
        })
    }

    #[test]
    fn layers_without_room_lose_their_packages_and_say_so() {
        let one = layer(1).packages_size_bytes();
        let mut bound = PackageBound::new(&Limits {
            packages_per_image_size_bytes_max: 3 * one,
            ..Limits::default()
        });
        for (package_count, is_admitted) in [(1, true), (3, false), (2, true), (1, false)] {
            let before = layer(package_count);
            let after = bound.admit(Arc::clone(&before));
            assert_eq!(after == before, is_admitted, "{package_count}");
            assert_eq!(after.package_databases.is_empty(), !is_admitted);
            assert_eq!(after.problems.is_empty(), is_admitted);
        }
    }

    #[test]
    fn what_lies_behind_links_shares_the_room_of_the_layers() {
        let (first, second) = (layer(1), layer(2));
        let one = first.packages_size_bytes();
        let limits = Limits {
            packages_per_image_size_bytes_max: 4 * one,
            ..Limits::default()
        };
        let layers = [&first, &second, &first].map(Arc::clone);
        let mut bound = PackageBound::after(&limits, &layers);
        assert!(bound.admit(layer(1)).problems.is_empty());
        assert!(!bound.admit(layer(1)).problems.is_empty());
    }
}
