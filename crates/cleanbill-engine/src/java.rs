//! Java archives: the index is asked for what only it knows, if an image has such archives.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use cleanbill_core::error_chain;
use cleanbill_core::inventory::{ImageInventory, LayerInventory};
use cleanbill_core::java::{JavaIndex, JavaLookupError};
use cleanbill_core::problem::{Problem, ProblemKind};
use cleanbill_inventory::java;
use cleanbill_store::JavaIndexFile;

/// Gives the Java index to a run that turns out to need it.
pub trait JavaIndexSource: Sync {
    /// Opens the index, fetching it first where that is due and allowed. Called once a run, and
    /// only when an image holds archives that need it.
    ///
    /// # Errors
    ///
    /// There is none that can be used; the text says why and what to do.
    fn open(&self) -> Result<JavaIndexFile, Box<dyn std::error::Error + Send + Sync>>;
}

/// Opens the index when it is first needed.
#[derive(Default)]
pub(crate) struct LazyJavaIndex<'a> {
    source: Option<&'a dyn JavaIndexSource>,
    opened: OnceLock<Result<JavaIndexFile, String>>,
}

impl<'a> LazyJavaIndex<'a> {
    pub(crate) fn new(source: &'a dyn JavaIndexSource) -> Self {
        Self {
            source: Some(source),
            opened: OnceLock::new(),
        }
    }

    /// Returns the index if it is open already.
    pub(crate) fn opened(&self) -> Option<&dyn JavaIndex> {
        let index = self.opened.get()?.as_ref().ok()?;
        Some(index)
    }

    /// Returns the index, or why there is none.
    pub(crate) fn get(&self) -> Result<&dyn JavaIndex, String> {
        let opened = self.opened.get_or_init(|| match self.source {
            Some(source) => source.open().map_err(|error| error_chain(&*error)),
            None => Err("there is no Java index".to_owned()),
        });
        match opened {
            Ok(index) => Ok(index),
            Err(reason) => Err(reason.clone()),
        }
    }
}

/// Names the Java archives of all layers; layers without any stay the same.
///
/// # Errors
///
/// The index cannot be read.
pub(crate) fn resolve(
    layers: &[Arc<LayerInventory>],
    index: &dyn JavaIndex,
) -> Result<Vec<Arc<LayerInventory>>, JavaLookupError> {
    each(layers, |layer| java::resolve(layer, index))
}

/// As [`resolve`], with a mark for each archive that only the index could name.
pub(crate) fn resolve_without_index(layers: &[Arc<LayerInventory>]) -> Vec<Arc<LayerInventory>> {
    let Ok(resolved) = each::<Infallible>(layers, |layer| Ok(java::resolve_without_index(layer)));
    resolved
}

/// Resolves each layer once, however often the image has it: so no more is in memory than was.
fn each<E>(
    layers: &[Arc<LayerInventory>],
    resolve: impl Fn(&LayerInventory) -> Result<Option<LayerInventory>, E>,
) -> Result<Vec<Arc<LayerInventory>>, E> {
    let mut known: HashMap<*const LayerInventory, Arc<LayerInventory>> = HashMap::new();
    for layer in layers {
        if let Entry::Vacant(place) = known.entry(Arc::as_ptr(layer)) {
            let resolved = resolve(layer)?;
            place.insert(resolved.map_or_else(|| Arc::clone(layer), Arc::new));
        }
    }
    let resolved = |layer: &Arc<LayerInventory>| known.get(&Arc::as_ptr(layer)).cloned();
    Ok(layers.iter().filter_map(resolved).collect())
}

/// Takes what stands for unidentified archives out of an image, and says whether there was any.
pub(crate) fn take_unidentified(inventory: &mut ImageInventory) -> Option<Unidentified> {
    let paths = java::take_unidentified(inventory);
    let example = paths.first()?.clone();
    Some(Unidentified {
        count: paths.len(),
        example,
    })
}

/// Is what the index would have been asked for.
pub(crate) struct Unidentified {
    count: usize,
    example: String,
}

impl Unidentified {
    /// Says what is missing, and why.
    pub(crate) fn problem(&self, reason: &str) -> Problem {
        let message = format!(
            "{} Java archives were not identified, as the Java index was not asked: {reason}",
            self.count
        );
        Problem::at(
            ProblemKind::UnidentifiedArchives,
            self.example.clone(),
            message,
        )
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::java::JavaArchive;

    use super::*;

    #[test]
    fn a_layer_that_an_image_has_often_is_resolved_once() {
        let plain = Arc::new(LayerInventory::default());
        let with_archive = Arc::new(LayerInventory {
            java_archives: vec![JavaArchive::default()],
            ..LayerInventory::default()
        });
        let layers = [&plain, &with_archive, &with_archive].map(Arc::clone);
        let resolved = resolve_without_index(&layers);
        let [first, second, third] = resolved.as_slice() else {
            panic!("as many as before");
        };
        assert!(Arc::ptr_eq(first, &plain));
        assert_eq!(second.applications.iter().count(), 1);
        assert!(Arc::ptr_eq(second, third));
    }
}
