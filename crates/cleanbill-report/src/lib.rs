//! Renders the outcome of a scan: as a table for people, as `json` with our own versioned schema,
//! and as `trivy-json`, byte for byte what Trivy writes.
//!
//! The decision that shaped this crate: a renderer is a pure function from report and options to
//! bytes. It never asks the terminal, the environment or the clock, so the same report gives the
//! same bytes in a pipe, a file and a test; width and colour are options.
//!
//! Everything in a report may come from an attacker: names, paths, history lines, advisory texts.
//! The table passes every such text through [`text::clean`]; the JSON formats escape by nature.
//!
//! ```text
//! let format: Format = "json".parse()?;
//! render(format, &report, &RenderOptions::default(), &mut file)?;
//! ```
#![warn(missing_docs)]

pub mod escape;
mod findings_max;
mod fingerprint;
pub mod format;
#[doc(hidden)]
pub mod fuzzing;
mod layers;
pub mod render;
mod saved;
pub mod text;

#[cfg(test)]
mod sample;
mod trivy_reader;

pub use fingerprint::assign_fingerprints;
pub use format::{FORMATS, Format, FormatInfo};
pub use render::comment::{Comment, CommentStyle, Comparison, comment, is_comment_key};
pub use render::exploitation::percent;
pub use render::json::json_schema;
pub use render::listing;
pub use render::trend::{Trend, TrendPoint};
pub use render::{RenderError, RenderOptions, render};
pub use saved::{SavedReport, SavedReportError, read_report, read_report_outline};
pub use trivy_reader::{TrivyReportError, read_trivy_report};
