//! Advisories in the form in which a matcher compares them.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use cleanbill_version::VersionScheme;

/// Says what a matcher makes of advisories: the same of the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowForm {
    /// Rows with the fixed version parsed.
    Fixed {
        /// The rules of versions.
        scheme: VersionScheme,
        /// There is a row for each set of architectures.
        is_by_architecture: bool,
    },
    /// Rows of Red Hat's, one for each vulnerability of an erratum.
    RedHat,
}

/// Holds the rows that a matcher has made of a package's advisories, whatever their type.
#[derive(Clone)]
pub struct PreparedRows {
    rows: Arc<dyn Any + Send + Sync>,
    count: usize,
}

impl PreparedRows {
    /// Wraps rows.
    pub(crate) fn new<T: Send + Sync + 'static>(rows: Vec<T>) -> Self {
        let count = rows.len();
        let rows = Arc::new(rows);
        Self { rows, count }
    }

    /// Returns the rows; `None` if they are of another type.
    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<Vec<T>>> {
        Arc::clone(&self.rows).downcast().ok()
    }

    /// Returns the number of rows.
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

impl fmt::Debug for PreparedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.count)
    }
}
