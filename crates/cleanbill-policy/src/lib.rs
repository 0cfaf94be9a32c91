//! Decides which findings count and whether a scan passes: filters, ignore files, VEX documents
//! and thresholds.
//!
//! The decision that shaped this crate: policy is a pure function. It gets the text of files and
//! the time as arguments, opens no file and prints nothing, so the same report under the same
//! policy gives the same verdict anywhere. It reads YAML, TOML and JSON itself, because only who
//! parses knows the line of a rule that cannot be honoured. A finding that an exception covers is never dropped; it moves
//! to the suppressed ones together with the file that covers it. Only the two filters that a user
//! gives on the command line (severity, status) drop findings, as in Trivy.
//!
//! The order matters and is the reference's (spec 02 section 8): [`Filter`] looks at severity,
//! status and ignore file of each finding; de-duplication and sorting follow (crate advisories);
//! [`vex::Vex`] judges what is left, over all results of an image; [`Gate`] gives the verdict.
//! A filter keeps the order of the findings it leaves and looks at each finding alone, so
//! de-duplication may also run before it, with one difference: of two duplicates with different
//! severity or status the one that is dropped as duplicate might have been the one to survive the
//! filter.
#![warn(missing_docs)]

pub mod delta;
pub mod document;
pub mod exceptions;
pub mod filter;
#[doc(hidden)]
pub mod fuzzing;
pub mod gate;
pub mod gate_file;
pub mod ignore;
mod risk;
pub mod threshold;
mod time;
pub mod upgrade;
pub mod vex;

#[cfg(test)]
mod oracle;

pub use delta::{SeverityFilter, delta, delta_between_filters, delta_to_baseline, net, remember};
pub use exceptions::Exceptions;
pub use filter::Filter;
pub use gate::{Gate, Verdict};
pub use ignore::IgnoreRules;
pub use risk::{risk, sort_by_risk};
pub use threshold::Thresholds;
pub use vex::Vex;
