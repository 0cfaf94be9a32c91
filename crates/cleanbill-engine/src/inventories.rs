//! Gets the inventory of every layer of an image: from the cache, or by reading the layer.

mod bound;
mod known;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cleanbill_core::inventory::{Alias, ImageInventory, LayerInventory};
use cleanbill_core::layer::{EntryVisitor, LayerError, LayerReader, LayerSummary};
use cleanbill_core::{DiffId, error_chain};
use cleanbill_image::{Image, ImageError, LayerSink};
use cleanbill_inventory::{
    AliasRequest, ExtractOptions, GrownLayer, MergeOptions, MergePlan, OwnedLayer, merge_owned,
};
use cleanbill_store::{LayerCache, LayerKey};

use crate::java::{self, JavaIndexSource, LazyJavaIndex};
use crate::progress::ScanObserver;
use bound::PackageBound;

/// How often links may send us back to a layer: each round resolves one more link of a chain.
const LINK_ROUNDS_MAX: usize = 8;

/// Says why the layers of an image could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A layer could not be opened.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A layer could not be read to its end.
    #[error("cannot read layer {diff_id}")]
    Layer {
        /// The layer.
        diff_id: DiffId,
        /// The cause.
        #[source]
        source: LayerError,
    },
    /// The stream ended without a layer that the image states.
    #[error("the image states layer {0}, but its content holds no such layer")]
    Missing(DiffId),
}

/// Collects layer inventories. It may be shared between threads; images that share layers share
/// the work.
pub struct LayerInventories<'a> {
    cache: &'a LayerCache,
    options: ExtractOptions,
    threads: usize,
    now: i64,
    java_index: LazyJavaIndex<'a>,
    /// Inventories that were read in this run and not merged yet, by diff id and alias.
    read: Mutex<HashMap<LayerKey, ReadLayer>>,
}

/// An inventory that was read in this run.
struct ReadLayer {
    inventory: Arc<LayerInventory>,
    packages_size_bytes: u64,
    /// The cache has it too.
    is_stored: bool,
}

/// What is installed in an image, and what its layers told beside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventoried {
    /// The merged inventory.
    pub inventory: ImageInventory,
    /// Uncompressed bytes of each layer, base first, where known.
    pub layer_sizes_bytes: Vec<Option<u64>>,
}

impl<'a> LayerInventories<'a> {
    /// Builds a collector. `now` is in Unix seconds; `threads` layers are read at a time.
    pub fn new(cache: &'a LayerCache, options: ExtractOptions, threads: usize, now: i64) -> Self {
        Self {
            cache,
            options,
            threads: threads.max(1),
            now,
            java_index: LazyJavaIndex::default(),
            read: Mutex::default(),
        }
    }

    /// Names the Java index. Without one, archives that need it are not identified.
    #[must_use]
    pub fn with_java_index(mut self, source: &'a dyn JavaIndexSource) -> Self {
        self.java_index = LazyJavaIndex::new(source);
        self
    }

    /// Merges the inventories of an image's layers, reading those that are not known. What the
    /// cache holds is not kept in memory.
    ///
    /// # Errors
    ///
    /// A layer cannot be read, or is not what the image states.
    pub fn image_inventory(
        &self,
        image: &Image,
        merge_options: &MergeOptions,
        observer: &dyn ScanObserver,
    ) -> Result<Inventoried, InventoryError> {
        let layers = self.layer_inventories(image, observer)?;
        let layer_sizes_bytes = layers.iter().map(|layer| layer.size_bytes).collect();
        let inventory = self.merge(image, layers, merge_options)?;
        Ok(Inventoried {
            inventory,
            layer_sizes_bytes,
        })
    }

    /// Forgets what the cache has too. Packages that only one image holds need not be copied when
    /// its layers are merged.
    fn forget_stored(&self) {
        lock(&self.read).retain(|_, layer| !layer.is_stored);
    }

    /// Merges, with the help of the Java index if there are archives that need it. Which of them
    /// the image really has shows only when its layers are merged, so the index is not opened
    /// before.
    fn merge(
        &self,
        image: &Image,
        layers: Vec<Arc<LayerInventory>>,
        options: &MergeOptions,
    ) -> Result<ImageInventory, InventoryError> {
        let (mut layers, grown) = self.to_be_merged(image, layers, options)?;
        let resolve = |layers: &mut [OwnedLayer], index| {
            java::resolve(layers, index).map_err(|error| error_chain(&error))
        };
        let opened = self.java_index.opened();
        let failure = match opened.map(|index| resolve(&mut layers, index)) {
            Some(Ok(())) => return Ok(merge_owned(layers, grown, options).inventory),
            Some(Err(reason)) => Some(reason),
            None => None,
        };
        java::resolve_without_index(&mut layers);
        let mut plan = MergePlan::of_owned(&layers, &grown, options);
        let Some(unidentified) = plan.unidentified().cloned() else {
            return Ok(plan.carry_out(layers, grown, options).inventory);
        };
        let reason = match failure.map_or_else(|| self.java_index.get(), Err) {
            Err(reason) => reason,
            Ok(index) => {
                // What is known without the index takes as much as what it says.
                drop(plan);
                java::forget_resolved(&mut layers);
                match resolve(&mut layers, index) {
                    Ok(()) => return Ok(merge_owned(layers, grown, options).inventory),
                    Err(reason) => {
                        java::resolve_without_index(&mut layers);
                        plan = MergePlan::of_owned(&layers, &grown, options);
                        reason
                    }
                }
            }
        };
        let mut inventory = plan.carry_out(layers, grown, options).inventory;
        inventory
            .problems
            .push(java::problem(unidentified, &reason));
        inventory.problems.sort();
        Ok(inventory)
    }

    /// Pairs the layers of an image with their inventories, and reads what links demand.
    fn to_be_merged(
        &self,
        image: &Image,
        inventories: Vec<Arc<LayerInventory>>,
        options: &MergeOptions,
    ) -> Result<(Vec<OwnedLayer>, Vec<GrownLayer>), InventoryError> {
        let ids = image.metadata.layers.iter().map(|layer| layer.id);
        let layers = ids.zip(inventories);
        let layers: Vec<_> = layers.map(|(id, one)| OwnedLayer::new(id, one)).collect();
        let grown = self.grow_wanted(image, &layers, options)?;
        self.forget_stored();
        Ok((layers, grown))
    }

    /// Reads what links demand, until nothing more is wanted.
    fn grow_wanted(
        &self,
        image: &Image,
        layers: &[OwnedLayer],
        options: &MergeOptions,
    ) -> Result<Vec<GrownLayer>, InventoryError> {
        let inputs: Vec<_> = layers.iter().map(OwnedLayer::input).collect();
        let mut bound = PackageBound::after(
            &self.options.limits,
            layers.iter().map(|layer| &layer.inventory),
        );
        let mut grown: Vec<GrownLayer> = Vec::new();
        for _ in 0..LINK_ROUNDS_MAX {
            let wanted = cleanbill_inventory::wanted(&inputs, &grown, &options.limits);
            let wanted: Vec<_> = wanted
                .into_iter()
                .filter(|wanted| {
                    !grown.iter().any(|layer| {
                        layer.layer_index == wanted.layer_index && layer.alias == wanted.alias
                    })
                })
                .collect();
            if wanted.is_empty() {
                break;
            }
            for requests in wanted.chunk_by(|a, b| a.layer_index == b.layer_index) {
                grown.extend(self.grow(image, requests, &mut bound)?);
            }
        }
        Ok(grown)
    }

    fn layer_inventories(
        &self,
        image: &Image,
        observer: &dyn ScanObserver,
    ) -> Result<Vec<Arc<LayerInventory>>, InventoryError> {
        let keys: Vec<LayerKey> = image
            .metadata
            .layers
            .iter()
            .map(|layer| self.key(layer.id.diff_id, None))
            .collect();
        let is_kept = image.layers.is_content_addressed();
        let mut known: HashMap<&LayerKey, Option<Arc<LayerInventory>>> = HashMap::new();
        let mut unknown: Vec<usize> = Vec::new();
        let mut bound = PackageBound::new(&self.options.limits);
        for (index, key) in keys.iter().enumerate() {
            known.entry(key).or_insert_with(|| {
                let found = if is_kept { self.look_up(key) } else { None };
                if found.is_none() {
                    unknown.push(index);
                }
                // What has no room is looked up again when it is its turn.
                found.filter(|inventory| bound.has_room_for(inventory))
            });
        }
        observer.image_opened(&image.name, keys.len(), unknown.len());
        if !unknown.is_empty() && image.layers.is_sequential() {
            let mut sink = InventorySink {
                inventories: self,
                image_name: &image.name,
                observer,
            };
            image.layers.read_all(&mut sink)?;
        } else {
            self.read_in_parallel(image, unknown, observer)?;
        }
        self.admit(&keys, known)
    }

    /// Completes what is known, base first: which packages have room depends on nothing but the
    /// image.
    fn admit(
        &self,
        keys: &[LayerKey],
        mut known: HashMap<&LayerKey, Option<Arc<LayerInventory>>>,
    ) -> Result<Vec<Arc<LayerInventory>>, InventoryError> {
        let mut bound = PackageBound::new(&self.options.limits);
        let mut admitted: HashMap<&LayerKey, Arc<LayerInventory>> = HashMap::new();
        let mut layers = Vec::with_capacity(keys.len());
        for key in keys {
            if let Some(layer) = admitted.get(key) {
                layers.push(Arc::clone(layer));
                continue;
            }
            let found = known.remove(key).flatten().or_else(|| self.look_up(key));
            let layer = bound.admit(found.ok_or(InventoryError::Missing(key.diff_id))?);
            admitted.insert(key, Arc::clone(&layer));
            layers.push(layer);
        }
        Ok(layers)
    }

    /// Reads layers on several threads, the largest first: it decides when the image is done.
    fn read_in_parallel(
        &self,
        image: &Image,
        mut unknown: Vec<usize>,
        observer: &dyn ScanObserver,
    ) -> Result<(), InventoryError> {
        unknown.sort_by_key(|index| {
            std::cmp::Reverse(image.layers.stored_size_bytes(*index).unwrap_or(0))
        });
        let threads = self.threads.min(unknown.len());
        let queue = Mutex::new(unknown.into_iter());
        let failure: Mutex<Option<InventoryError>> = Mutex::new(None);
        let work = || {
            loop {
                if lock(&failure).is_some() {
                    return;
                }
                let Some(index) = lock(&queue).next() else {
                    return;
                };
                match self.read_layer(image, index) {
                    Ok(()) => observer.layer_read(&image.name),
                    Err(error) => {
                        lock(&failure).get_or_insert(error);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        failure
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .map_or(Ok(()), Err)
    }

    fn read_layer(&self, image: &Image, index: usize) -> Result<(), InventoryError> {
        let Some(layer) = image.metadata.layers.get(index) else {
            return Ok(());
        };
        let diff_id = layer.id.diff_id;
        let span = tracing::debug_span!("layer", layer.diff_id = %diff_id);
        let _entered = span.enter();
        let mut reader = image.layers.open_layer(index)?;
        let inventory = cleanbill_inventory::extract_layer(reader.as_mut(), &self.options)
            .map_err(|source| InventoryError::Layer { diff_id, source })?;
        self.keep(
            self.key(diff_id, None),
            inventory,
            image.layers.is_content_addressed(),
        );
        Ok(())
    }

    /// Gets what links make interesting in one layer, from the cache or by opening the layer a
    /// second time. All requests are for the same layer. Packages have room as in layers.
    fn grow(
        &self,
        image: &Image,
        requests: &[AliasRequest],
        bound: &mut PackageBound,
    ) -> Result<Vec<GrownLayer>, InventoryError> {
        let index = requests.first().map_or(0, |request| request.layer_index);
        let Some(layer) = image.metadata.layers.get(index) else {
            return Ok(Vec::new());
        };
        let diff_id = layer.id.diff_id;
        let key = |alias: &Alias| self.key(diff_id, Some(alias));
        let unknown: Vec<Alias> = requests
            .iter()
            .filter(|request| self.look_up(&key(&request.alias)).is_none())
            .map(|request| request.alias.clone())
            .collect();
        if !unknown.is_empty() {
            tracing::debug!(
                layer.diff_id = %diff_id, ?unknown,
                "links lead to files that no extractor has read: opening the layer again"
            );
            let mut reader = image.layers.open_layer(index)?;
            let inventories =
                cleanbill_inventory::extract_aliases(reader.as_mut(), &unknown, &self.options)
                    .map_err(|source| InventoryError::Layer { diff_id, source })?;
            for (alias, inventory) in unknown.iter().zip(inventories) {
                self.keep(key(alias), inventory, image.layers.is_content_addressed());
            }
        }
        let grown = |request: &AliasRequest| {
            // Another process may have cleared the cache: what is gone is not "nothing found".
            let inventory = self.look_up(&key(&request.alias));
            let inventory = inventory.ok_or(InventoryError::Missing(diff_id))?;
            Ok(GrownLayer {
                layer_index: index,
                alias: request.alias.clone(),
                inventory: bound.admit(inventory),
            })
        };
        requests.iter().map(grown).collect()
    }

    fn key(&self, diff_id: DiffId, alias: Option<&Alias>) -> LayerKey {
        // A JSON text is unambiguous whatever the patterns and paths contain.
        let variant = if self.options.skip.is_empty() && alias.is_none() {
            String::new()
        } else {
            let alias = alias.map(|alias| [&alias.path, &alias.target]);
            serde_json::json!([self.options.skip.patterns(), alias]).to_string()
        };
        LayerKey { diff_id, variant }
    }

    fn look_up(&self, key: &LayerKey) -> Option<Arc<LayerInventory>> {
        if let Some(layer) = lock(&self.read).get(key) {
            return Some(Arc::clone(&layer.inventory));
        }
        match self.cache.layer_get(key, self.now) {
            Ok(inventory) => inventory.map(Arc::new),
            Err(error) => {
                warn_of_cache(&error);
                None
            }
        }
    }

    /// Stores an inventory, and keeps it in memory until it has been merged, if there is room:
    /// another process may clear the cache meanwhile.
    fn keep(&self, key: LayerKey, inventory: LayerInventory, may_be_stored: bool) {
        let is_stored = may_be_stored
            && self
                .cache
                .layer_put(&key, &inventory, self.now)
                .inspect_err(warn_of_cache)
                .is_ok();
        let layer = ReadLayer {
            packages_size_bytes: inventory.packages_size_bytes(),
            inventory: Arc::new(inventory),
            is_stored,
        };
        let mut read = lock(&self.read);
        let held: u64 = read.values().map(|layer| layer.packages_size_bytes).sum();
        let total = held.saturating_add(layer.packages_size_bytes);
        if !is_stored || total <= self.options.limits.packages_per_image_size_bytes_max {
            read.insert(key, layer);
        }
    }

    /// Returns a sink for sources that stream layers while the image is being opened.
    pub fn sink<'b>(
        &'b self,
        image_name: &'b str,
        observer: &'b dyn ScanObserver,
    ) -> impl LayerSink + use<'a, 'b> {
        InventorySink {
            inventories: self,
            image_name,
            observer,
        }
    }

    /// Forgets what this run holds in memory; the cache keeps it.
    pub fn release(&self) {
        lock(&self.read).clear();
    }
}

/// A cache that cannot be used makes scans slow, not wrong.
fn warn_of_cache(error: &cleanbill_store::StoreError) {
    tracing::warn!("{}; going on without the cache", error_chain(error));
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes inventories of layers as they stream by.
struct InventorySink<'a, 'b> {
    inventories: &'b LayerInventories<'a>,
    image_name: &'b str,
    observer: &'b dyn ScanObserver,
}

impl LayerSink for InventorySink<'_, '_> {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        let mut reader = SummaryKeeper {
            inner: reader,
            summary: LayerSummary::default(),
        };
        let inventory = cleanbill_inventory::extract_layer(&mut reader, &self.inventories.options)?;
        if let Some(diff_id) = reader.summary.diff_id {
            self.inventories
                .keep(self.inventories.key(diff_id, None), inventory, true);
        }
        self.observer.layer_read(self.image_name);
        Ok(())
    }
}

/// Remembers what a walk established.
struct SummaryKeeper<'a> {
    inner: &'a mut dyn LayerReader,
    summary: LayerSummary,
}

impl LayerReader for SummaryKeeper<'_> {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        self.summary = self.inner.walk(visitor)?;
        Ok(self.summary)
    }
}
