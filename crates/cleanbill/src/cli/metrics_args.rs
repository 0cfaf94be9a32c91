//! Flags of `metrics`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ApiArgs, JudgingArgs};

/// Images that have series of their own unless told otherwise: 5,400 series at most.
const IMAGES_MAX: usize = 200;

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// Push what saved reports say to a Pushgateway, one group for each image
    Push(Box<PushArgs>),
    /// Write what saved reports say as text, for the textfile collector of the node exporter
    Render(RenderArgs),
}

#[derive(Args, Debug)]
pub(crate) struct PushArgs {
    /// Saved reports (repeatable); - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "delete")]
    pub(crate) scan_results: Vec<PathBuf>,

    /// Address of the Pushgateway [environment: CLEANBILL_PUSHGATEWAY, PROMETHEUS_PUSHGATEWAY]
    #[arg(long, value_name = "URL")]
    pub(crate) pushgateway: Option<String>,

    /// Label job of the groups
    #[arg(
        long,
        value_name = "NAME",
        default_value = "cleanbill",
        env = "CLEANBILL_METRICS_JOB"
    )]
    pub(crate) job: String,

    /// Label instance of the groups [default: none]
    #[arg(long, value_name = "NAME", env = "CLEANBILL_METRICS_INSTANCE")]
    pub(crate) instance: Option<String>,

    /// Replace metrics of the same name only (POST); without, whole groups (PUT)
    #[arg(long, conflicts_with = "delete")]
    pub(crate) add: bool,

    /// Delete the groups: those of the images of the reports and of --image
    #[arg(long)]
    pub(crate) delete: bool,

    /// With --delete, an image whose group goes (repeatable); without any image and report, the
    /// group of the job alone
    #[arg(long, value_name = "NAME", requires = "delete")]
    pub(crate) image: Vec<String>,

    #[command(flatten)]
    pub(crate) series: SeriesArgs,

    /// User at the Pushgateway; CLEANBILL_PUSHGATEWAY_PASSWORD is the password, unless a file has it
    #[arg(long, value_name = "NAME", env = "CLEANBILL_PUSHGATEWAY_USER")]
    pub(crate) pushgateway_user: Option<String>,

    /// File with the password of the user
    #[arg(
        long,
        value_name = "FILE",
        env = "CLEANBILL_PUSHGATEWAY_PASSWORD_FILE",
        requires = "pushgateway_user"
    )]
    pub(crate) pushgateway_password_file: Option<PathBuf>,

    /// File with a token that is sent instead (Authorization: Bearer); CLEANBILL_PUSHGATEWAY_TOKEN
    /// is the token itself
    #[arg(
        long,
        value_name = "FILE",
        env = "CLEANBILL_PUSHGATEWAY_TOKEN_FILE",
        conflicts_with = "pushgateway_user"
    )]
    pub(crate) pushgateway_token_file: Option<PathBuf>,

    /// Print what would be sent, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) judging: JudgingArgs,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RenderArgs {
    /// Saved reports (repeatable); - is standard input
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) scan_results: Vec<PathBuf>,

    /// Write this file, at once and readable for everybody, instead of printing; the textfile
    /// collector reads names that end with .prom
    #[arg(long, short, visible_alias = "output-file", value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write OpenMetrics 1.0.0; without, Prometheus's text format 0.0.4
    #[arg(long)]
    pub(crate) openmetrics: bool,

    #[command(flatten)]
    pub(crate) series: SeriesArgs,

    #[command(flatten)]
    pub(crate) judging: JudgingArgs,
}

/// What the series are called, and how many there may be.
#[derive(Args, Clone, Debug)]
pub(crate) struct SeriesArgs {
    /// Value of the label image in place of the image's name: the repository and the branch where
    /// the tag is a commit, which would be a new series each time; the reports may hold one image
    #[arg(long, value_name = "NAME", env = "CLEANBILL_METRICS_IMAGE_LABEL")]
    pub(crate) image_label: Option<String>,

    /// Images that have series of their own, the first by name; the others are summed up
    #[arg(long, value_name = "N", default_value_t = IMAGES_MAX)]
    pub(crate) images_max: usize,
}
