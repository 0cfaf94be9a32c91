//! The advisory database and the matchers: which vulnerabilities packages have.
//!
//! The decision that shaped this crate: the public trivy-db is read in place. The file is mapped
//! and every look-up walks its B+ trees; nothing is imported, indexed or copied at start. Matching
//! is a pure function of packages and database.
//!
//! The crate opens no network connection and reads no clock.
#![deny(clippy::indexing_slicing)]

mod advisory;
mod database;
mod details;
mod end_of_life;
mod exploitation;
#[doc(hidden)]
pub mod fuzzing;
mod matchers;
mod mmap;
mod order;
mod recorder;
#[cfg(test)]
mod reference_tests;
mod release;

use cleanbill_boltdb as boltdb;

pub use advisory::{Advisory, AdvisoryEntry, EntryCve};
pub use database::{
    CpeKey, DATABASE_FILE, Database, LookupError, METADATA_FILE, Metadata, MetadataError,
    OpenError, PreparedRows, RowForm, SCHEMA_VERSION, Statistics,
};
pub use details::{SeveritySources, SeveritySourcesError, fill_details};
pub use end_of_life::{Support, support};
pub use exploitation::{
    EPSS_FILE, Exploitation, ExploitationError, KEV_FILE, ListInfo, import_epss, import_kev,
};
pub use matchers::{
    AdvisorySource, LanguageMatch, LanguageRow, MatchError, OsMatch, OsPackages, Shelf,
    is_supported, match_language_packages, match_os_packages,
};
pub use order::deduplicate_and_sort;
pub use recorder::{ConsideredRow, Recorder};
