//! Flags of `report`.

use std::path::PathBuf;

use clap::Args;

use super::{ExceptionsArgs, OutputArgs};

/// Flags of `report`.
#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// Saved reports: in our json, or in Trivy's; - is standard input
    #[arg(value_name = "FILE", required_unless_present = "from")]
    pub(crate) files: Vec<PathBuf>,

    /// The same as FILE (repeatable)
    #[arg(long, visible_alias = "scan-results", value_name = "FILE")]
    pub(crate) from: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) exceptions: ExceptionsArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
