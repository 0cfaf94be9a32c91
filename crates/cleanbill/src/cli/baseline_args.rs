//! Flags of `baseline`.

use std::path::PathBuf;

use clap::Subcommand;

use super::status_args::{ListFormat, Reader, SettingArgs};

/// Reads where baselines lie, and which severities count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BaselineReading;

impl Reader for BaselineReading {
    const COMMAND: &'static str = "baseline";
}

/// What is done with baselines.
#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Accept what is known of images now: write their baselines
    Save {
        /// Images, by the names that they are watched by [default: all]
        images: Vec<String>,
        /// Take what saved reports say instead of what watch knows (repeatable); - is standard
        /// input
        #[arg(long, value_name = "FILE")]
        scan_results: Vec<PathBuf>,
        #[command(flatten)]
        settings: Box<SettingArgs<BaselineReading>>,
    },
    /// Show the baselines that there are, or the vulnerabilities of some
    Show {
        /// Images [default: a line for each]
        images: Vec<String>,
        /// Form of the output
        #[arg(long, short, value_enum, default_value_t)]
        format: ListFormat,
        #[command(flatten)]
        settings: Box<SettingArgs<BaselineReading>>,
    },
    /// Compare baselines with what is known now: what is new, resolved, or below the filter
    Diff {
        /// Images [default: all that have a baseline]
        images: Vec<String>,
        /// Compare with saved reports instead of what watch knows (repeatable); - is standard
        /// input
        #[arg(long, value_name = "FILE")]
        scan_results: Vec<PathBuf>,
        /// Form of the output
        #[arg(long, short, value_enum, default_value_t)]
        format: ListFormat,
        #[command(flatten)]
        settings: Box<SettingArgs<BaselineReading>>,
    },
    /// Remove baselines
    Rm {
        /// Images
        #[arg(required = true)]
        images: Vec<String>,
        #[command(flatten)]
        settings: Box<SettingArgs<BaselineReading>>,
    },
}
