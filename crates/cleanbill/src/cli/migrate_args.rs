//! Flags of `migrate`.

use std::path::PathBuf;

use clap::Args;

/// Where the older tool lies, and where its settings go.
#[derive(Args, Debug)]
pub(crate) struct MigrateArgs {
    /// The older tool's directory, with .env, secrets, snapshots and ignore-images.txt
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// The configuration file to write [default: cleanbill.yaml in that directory]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Print the file and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}
