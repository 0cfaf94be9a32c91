//! Java archives: the index is asked for what only it knows, if an image has such archives.

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

/// Returns the inventory with its Java archives named; the same one where there are none.
pub(crate) fn resolve(
    inventory: &Arc<LayerInventory>,
    index: &dyn JavaIndex,
) -> Result<Arc<LayerInventory>, JavaLookupError> {
    let resolved = java::resolve(inventory, index)?;
    Ok(resolved.map_or_else(|| Arc::clone(inventory), Arc::new))
}

/// As [`resolve`], with a mark for each archive that only the index could name.
pub(crate) fn resolve_without_index(inventory: &Arc<LayerInventory>) -> Arc<LayerInventory> {
    let resolved = java::resolve_without_index(inventory);
    resolved.map_or_else(|| Arc::clone(inventory), Arc::new)
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
