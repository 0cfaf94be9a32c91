//! Flags of `config`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::watch_args::WatchArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show the settings of watch that are in force, and where each came from; takes its flags
    Show {
        /// Form of the output
        #[arg(long, short, value_enum, default_value_t)]
        format: ConfigFormat,
        #[command(flatten)]
        settings: Box<WatchArgs>,
    },
    /// Check a configuration file, and nothing else
    Check {
        /// The file
        file: PathBuf,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
}

/// Forms of `config show`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfigFormat {
    #[default]
    Text,
    Json,
}
