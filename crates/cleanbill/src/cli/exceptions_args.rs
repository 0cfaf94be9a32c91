//! Flags of `exceptions`, and those that name files of exceptions.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::status_args::{ListFormat, Reader, SettingArgs};
use crate::settings::parse_long_duration;

/// Which exceptions count.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ExceptionsArgs {
    /// File of exceptions, accepted findings with reason, owner and end (repeatable)
    #[arg(
        long,
        value_name = "FILE",
        value_delimiter = ',',
        env = "CLEANBILL_EXCEPTIONS"
    )]
    pub(crate) exceptions: Vec<PathBuf>,

    /// Announce exceptions so long before they expire, such as 7d or 2w
    #[arg(
        long,
        value_name = "TIME",
        value_parser = parse_time,
        default_value = "7d",
        env = "CLEANBILL_WARN_BEFORE"
    )]
    pub(crate) warn_before: Duration,
}

/// Reads where the state is, and which exceptions count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ExceptionsReading;

impl Reader for ExceptionsReading {
    const COMMAND: &'static str = "exceptions";
}

/// What is held against exceptions.
#[derive(Args, Debug)]
pub(crate) struct CoverageArgs {
    /// Hold them against saved reports instead of what watch knows (repeatable); - is standard
    /// input
    #[arg(long, value_name = "FILE")]
    pub(crate) scan_results: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<ExceptionsReading>,
}

/// What is done with exceptions.
#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionsCommand {
    /// List exceptions: what each covers now, who answers for it, when it expires
    List {
        #[command(flatten)]
        files: Box<ExceptionsArgs>,
        #[command(flatten)]
        coverage: Box<CoverageArgs>,
        /// Form of the output
        #[arg(long, short, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Check files of exceptions: exits with 1 if something must be done
    Check {
        #[command(flatten)]
        files: Box<ExceptionsArgs>,
        #[command(flatten)]
        coverage: Box<CoverageArgs>,
        /// Exit with 1 for what expires soon, too
        #[arg(long)]
        strict: bool,
        /// Form of the output
        #[arg(long, short, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Add an exception at the end of a file; everything else in it stays as it is
    Add(Box<AddArgs>),
    /// Remove what has expired from a file, and with --scan-results what matches nothing
    Prune {
        #[command(flatten)]
        files: Box<ExceptionsArgs>,
        #[command(flatten)]
        coverage: Box<CoverageArgs>,
        /// Show what would be removed, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Flags of `exceptions add`.
#[derive(Args, Debug)]
pub(crate) struct AddArgs {
    /// Vulnerabilities: CVE-2024-3094, GHSA-…, DSA-… ('*' is any, with --package or --path)
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// The file; it is made if it is not there
    #[arg(
        long,
        value_name = "FILE",
        default_value = "exceptions.yaml",
        env = "CLEANBILL_EXCEPTIONS"
    )]
    pub(crate) exceptions: PathBuf,
    /// Why the findings are accepted
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Who answers for it
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) owner: String,
    /// Where it was discussed
    #[arg(
        long,
        value_name = "KEY|URL",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) ticket: String,
    /// Last day on which it counts (2026-12-31), or how long it does from now on (90d, 12w)
    #[arg(long, value_name = "DATE|TIME")]
    pub(crate) expires: Option<String>,
    /// What ends it: fixed (a fix is available)
    #[arg(long, value_name = "EVENT", value_parser = ["fixed"])]
    pub(crate) until: Option<String>,
    /// What ends it besides: kev (known to be exploited), epss>0.5 (repeatable)
    #[arg(long, value_name = "CONDITION", value_delimiter = ',')]
    pub(crate) unless: Vec<String>,
    /// Images, by pattern (repeatable) [default: every image]
    #[arg(long, value_name = "PATTERN")]
    pub(crate) image: Vec<String>,
    /// Packages: a name, with *, or a package URL (repeatable) [default: every package]
    #[arg(long, value_name = "NAME|PURL")]
    pub(crate) package: Vec<String>,
    /// Installed version, or bounds such as '>= 1.2, < 1.4' [default: every version]
    #[arg(
        long,
        value_name = "RANGE",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) package_version: String,
    /// Files that list the package, by pattern (repeatable) [default: every path]
    #[arg(long, value_name = "PATTERN")]
    pub(crate) path: Vec<String>,
    /// Kind of packages: npm, pypi, debian … [default: every kind]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) ecosystem: String,
    /// Show what the file would become, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    parse_long_duration(text)
        .ok_or_else(|| format!("'{text}' is no duration: expected a form such as 7d, 2w or 36h"))
}
