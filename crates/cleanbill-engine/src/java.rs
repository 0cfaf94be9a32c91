//! Java archives: the index is asked for what only it knows, if an image has such archives.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use cleanbill_core::error_chain;
use cleanbill_core::inventory::LayerInventory;
use cleanbill_core::java::{JavaIndex, JavaLookupError};
use cleanbill_core::problem::{Problem, ProblemKind};
use cleanbill_inventory::OwnedLayer;
use cleanbill_inventory::java::{self, ResolvedArchives, UnidentifiedArchives};
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

/// Resolves the Java archives of all layers, in place of what they were resolved to before.
///
/// # Errors
///
/// The index cannot be read; the layers are as before.
pub(crate) fn resolve(
    layers: &mut [OwnedLayer],
    index: &dyn JavaIndex,
) -> Result<(), JavaLookupError> {
    each(layers, |layer| java::resolve(layer, index))
}

/// As [`resolve`], without a name for archives that only the index could name.
pub(crate) fn resolve_without_index(layers: &mut [OwnedLayer]) {
    let Ok(()) = each::<Infallible>(layers, |layer| Ok(java::resolve_without_index(layer)));
}

/// Forgets what archives were resolved to.
pub(crate) fn forget_resolved(layers: &mut [OwnedLayer]) {
    for layer in layers {
        layer.archives = None;
    }
}

/// Resolves each layer once, however often the image has it.
fn each<E>(
    layers: &mut [OwnedLayer],
    resolve: impl Fn(&LayerInventory) -> Result<Option<ResolvedArchives>, E>,
) -> Result<(), E> {
    let mut known: HashMap<*const LayerInventory, Option<Arc<ResolvedArchives>>> = HashMap::new();
    for layer in layers.iter() {
        if let Entry::Vacant(place) = known.entry(Arc::as_ptr(&layer.inventory)) {
            place.insert(resolve(&layer.inventory)?.map(Arc::new));
        }
    }
    for layer in layers {
        layer.archives = known.get(&Arc::as_ptr(&layer.inventory)).cloned().flatten();
    }
    Ok(())
}

/// Says which archives the index would have been asked for, and why it was not.
pub(crate) fn problem(unidentified: UnidentifiedArchives, reason: &str) -> Problem {
    let UnidentifiedArchives { count, example } = unidentified;
    let message = format!(
        "{count} Java archives were not identified, as the Java index was not asked: {reason}"
    );
    Problem::at(ProblemKind::UnidentifiedArchives, example, message)
}

#[cfg(test)]
mod tests {
    use cleanbill_core::java::{JavaArchive, JavaArchives};
    use cleanbill_core::package::LayerId;
    use cleanbill_core::{DiffId, Digest};

    use super::*;

    #[test]
    fn a_layer_that_an_image_has_often_is_resolved_once() {
        let mut archives = JavaArchives::default();
        archives.push(&JavaArchive::default()).unwrap();
        let plain = Arc::new(LayerInventory::default());
        let with_archive = Arc::new(LayerInventory {
            java_archives: archives,
            ..LayerInventory::default()
        });
        let id = LayerId {
            digest: None,
            diff_id: DiffId(Digest::of(b"")),
        };
        let layers = [&plain, &with_archive, &with_archive];
        let mut layers = layers.map(|layer| OwnedLayer::new(id, Arc::clone(layer)));
        resolve_without_index(&mut layers);
        let [first, second, third] = layers.map(|layer| layer.archives);
        assert!(first.is_none());
        let (second, third) = (second.unwrap(), third.unwrap());
        assert!(Arc::ptr_eq(&second, &third));
    }
}
