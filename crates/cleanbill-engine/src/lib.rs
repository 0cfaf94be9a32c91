//! Scans: from an opened image to a report, and the advisory database that is scanned against.
//!
//! The decision that shaped this crate: reading and judging are apart. Reading turns layers into
//! inventories, once per layer, ever; judging is a pure function of inventories and the advisory
//! database, so a known image costs milliseconds. The crate decides what is read and in what
//! order; how a layer is read, what a file means and what is vulnerable is known below it.
//!
//! It prints nothing and never exits; the clock is an argument except where files are fetched.

mod advisory_store;
mod advisory_update;
mod agreement;
mod base_image;
mod explain;
#[doc(hidden)]
pub mod fuzzing;
mod inventories;
mod java;
mod judge;
mod policy;
mod problems;
mod progress;
mod sbom;
mod scan;
mod transient;
mod trivy;

pub use advisory_store::{
    ADVISORIES, AdvisoryStore, AdvisoryStoreError, DatabaseKind, Due, JAVA_INDEX, UpdateLock,
    archive_kind, database_info, due, java_index_due,
};
pub use advisory_update::{ArtifactSource, FetchError, UpdateError, update};
pub use agreement::{Agreement, Difference, DifferenceKind, PackageKey};
pub use base_image::{BaseError, BaseImages, BaseListError, read_base_list, write_base_list};
pub use explain::{Explanation, NotAffected, Reported, explain};
pub use inventories::{Inventoried, InventoryError, LayerInventories};
pub use java::JavaIndexSource;
pub use judge::{Judge, JudgeObserver, JudgeOptions, KnownImage, KnownImages, PackageTypes};
pub use policy::apply_policy;
pub use progress::{ScanObserver, SilentObserver};
pub use scan::{ScanOptions, Scanner, failed_report};
pub use transient::is_transient;
pub use trivy::{Trivy, TrivyArguments, TrivyError, TrivyLimits, TrivyTarget, TrivyVersion};
