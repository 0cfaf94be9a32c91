//! Flags of `base`.

use std::path::PathBuf;

use clap::Subcommand;

/// What is done with the images that are known as bases.
#[derive(Debug, Subcommand)]
pub(crate) enum BaseCommand {
    /// List the images that are known: those that were seen and those that were imported
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add a list of images with their layers
    Import {
        /// JSON objects with name and diff_ids, one per line or in an array; - is standard input
        file: PathBuf,
    },
    /// Print the known images as a list that can be imported elsewhere
    Export,
    /// Forget names
    Rm {
        /// Names such as debian:12
        #[arg(required = true)]
        names: Vec<String>,
    },
}
