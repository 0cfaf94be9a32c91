//! Carries an error past readers that know `io::Error` only.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use cleanbill_core::layer::LayerError;

use super::BlobSpec;

/// Keeps the first thing that went wrong on any thread. Decoders, the tar reader and the visitor
/// get an `io::Error` that says the same; whatever they make of it, the original counts.
#[derive(Clone, Debug, Default)]
pub(super) struct FaultSlot(Arc<Mutex<Option<LayerError>>>);

impl FaultSlot {
    /// Keeps a fault, unless there is one, and returns what readers are told.
    pub(super) fn raise(&self, fault: LayerError) -> io::Error {
        let told = match &fault {
            LayerError::Read { source, .. } => io::Error::new(source.kind(), source.to_string()),
            other => io::Error::other(other.to_string()),
        };
        self.lock().get_or_insert(fault);
        told
    }

    /// Says whether something went wrong.
    pub(super) fn is_raised(&self) -> bool {
        self.lock().is_some()
    }

    /// Returns what went wrong.
    pub(super) fn take(&self) -> Option<LayerError> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<LayerError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn read_error(spec: &BlobSpec, source: io::Error) -> LayerError {
    LayerError::Read {
        what: spec.what.clone(),
        source,
    }
}

pub(super) fn malformed(spec: &BlobSpec, reason: String) -> LayerError {
    LayerError::Malformed {
        what: spec.what.clone(),
        reason,
    }
}
