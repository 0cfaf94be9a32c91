//! The command line: flags, their environment names and their values.

mod api_args;
mod base_args;
mod baseline_args;
mod comment_args;
mod config_args;
mod database_args;
mod engine_args;
mod exceptions_args;
mod explain_args;
mod gate_args;
mod health_args;
mod metrics_args;
mod migrate_args;
mod network_args;
mod notify_args;
pub(crate) mod reference;
mod report_args;
mod scan_args;
mod status_args;
mod tip;
pub(crate) mod trivy_flags;
mod variables;
mod watch_args;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub(crate) use api_args::{ApiArgs, JudgingArgs};
pub(crate) use base_args::BaseCommand;
pub(crate) use baseline_args::BaselineCommand;
pub(crate) use comment_args::{CommentArgs, ForgeName};
pub(crate) use config_args::{ConfigCommand, ConfigFormat};
pub(crate) use database_args::{DatabaseArgs, DatabasePlaceArgs, ListArgs, RepositoryArgs};
pub(crate) use engine_args::EngineArgs;
pub(crate) use exceptions_args::{AddArgs, CoverageArgs, ExceptionsArgs, ExceptionsCommand};
pub(crate) use explain_args::ExplainArgs;
pub(crate) use gate_args::{GateArgs, GateComparisonArgs};
pub(crate) use health_args::HealthArgs;
pub(crate) use metrics_args::{MetricsCommand, PushArgs, RenderArgs, SeriesArgs};
pub(crate) use migrate_args::MigrateArgs;
pub(crate) use network_args::{NetworkArgs, PasswordArgs, RegistryArgs};
pub(crate) use notify_args::{NotifyArgs, NotifyCommand, Occasion, SummaryArgs};
pub(crate) use report_args::ReportArgs;
pub(crate) use scan_args::{
    DetectionArgs, DockerHostArgs, FilterArgs, OutputArgs, RetryArgs, ScanArgs, SourceArgs,
    VerdictArgs,
};
pub(crate) use status_args::{AffectedArgs, HistoryArgs, ListFormat, StatusArgs};
pub(crate) use watch_args::WatchArgs;

use crate::exit::Exit;

/// A clean bill of health for container images: finds known vulnerabilities in every image,
/// without exporting or unpacking it.
#[derive(Debug, Parser)]
#[command(name = "cleanbill", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Every flag can be set by the environment as CLEANBILL_<FLAG>.
Exit codes: 0 done; 1 the gate failed (--exit-code, --fail-on); 2 usage, configuration or a file
that cannot be read; 3 an image could not be assessed completely; 4 no usable advisory database.";

/// Flags of every command.
#[derive(Args, Debug)]
pub(crate) struct GlobalArgs {
    /// Print errors and the report only
    #[arg(long, short, global = true, env = "CLEANBILL_QUIET", value_parser = BoolishValueParser::new())]
    pub(crate) quiet: bool,

    /// Log what is done and why
    #[arg(long, short, global = true, visible_alias = "verbose", env = "CLEANBILL_DEBUG", value_parser = BoolishValueParser::new())]
    pub(crate) debug: bool,

    /// Draw no progress
    #[arg(long, global = true, env = "CLEANBILL_NO_PROGRESS", value_parser = BoolishValueParser::new())]
    pub(crate) no_progress: bool,

    /// Form of the log lines on standard error
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "CLEANBILL_LOG_FORMAT"
    )]
    pub(crate) log_format: LogFormat,

    /// Colour on the terminal
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "CLEANBILL_COLOR"
    )]
    pub(crate) color: ColorChoice,

    /// Directory of the layer cache and the databases
    /// [default: $XDG_CACHE_HOME/cleanbill]
    #[arg(long, global = true, value_name = "DIR", env = "CLEANBILL_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// Forms of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan images for known vulnerabilities
    #[command(alias = "image")]
    Scan(Box<ScanArgs>),
    /// Watch the images of a host, and tell what changed
    Watch(Box<WatchArgs>),
    /// Show what is watched, what waits to be told, and what somebody has to look at
    Status(Box<StatusArgs>),
    /// Show the looks at an image, and what each found to be different
    History(Box<HistoryArgs>),
    /// List the images and containers that have a vulnerability
    Affected(Box<AffectedArgs>),
    /// Save, show, compare and remove the vulnerabilities that are accepted
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// List, check, add and remove exceptions: findings that are accepted, with reason and end
    #[command(subcommand)]
    Exceptions(ExceptionsCommand),
    /// Tell people what saved reports say; test channels, list messages, send them again
    Notify(Box<NotifyArgs>),
    /// Write one comment on a pull request, again with every push: what the change does to images
    Comment(Box<CommentArgs>),
    /// Push what saved reports say to a Pushgateway, or write it as text for Prometheus
    #[command(subcommand)]
    Metrics(MetricsCommand),
    /// Judge saved reports by rules, for pipelines: says what failed and what would make it pass
    Gate(Box<GateArgs>),
    /// Convert saved reports into other formats
    Report(ReportArgs),
    /// Fetch, show, import and export the advisory database
    #[command(subcommand)]
    Db(DbCommand),
    /// Show, clear and prune the cache of layer inventories
    #[command(subcommand)]
    Cache(CacheCommand),
    /// List, import, export and forget the images that are known as bases of others
    #[command(subcommand)]
    Base(BaseCommand),
    /// Say why a vulnerability is reported for an image, or why not
    Explain(Box<ExplainArgs>),
    /// Check what a scan needs, and say what to do about it
    Doctor(DoctorArgs),
    /// Run the whole loop on built-in sample images: no engine, no network, no database needed
    Demo(DemoArgs),
    /// Store credentials for a registry
    Login(LoginArgs),
    /// Show and check the settings of watch
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make a configuration file of the directory of an older image scanner
    Migrate(MigrateArgs),
    /// Ask a running watch whether it is alive: exits with 0 or 1
    Health(HealthArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Print the reference of the command line as Markdown
    #[command(hide = true)]
    Reference {
        /// The page
        #[arg(value_parser = reference::names())]
        page: String,
    },
    /// Print the version
    Version,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Fetch the advisory database if it is due, and what is named beside it
    Update {
        /// Fetch more: java (the index of published Java archives, which a scan fetches by itself
        /// when an image needs it), epss (how likely vulnerabilities are exploited), kev (which
        /// are)
        #[arg(long, value_name = "WHAT", value_delimiter = ',')]
        with: Vec<Extra>,
        #[command(flatten)]
        place: DatabasePlaceArgs,
        #[command(flatten)]
        repositories: RepositoryArgs,
        #[command(flatten)]
        lists: ListArgs,
        #[command(flatten)]
        network: NetworkArgs,
        /// Fetch it even if it is not due
        #[arg(long)]
        force: bool,
    },
    /// Show the age and the contents of the advisory database and the Java index
    Status {
        #[command(flatten)]
        place: DatabasePlaceArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take the advisory database or the Java index from a file, a directory or a registry
    Import {
        /// An archive written by `db export` or for Trivy (db.tar.gz, javadb.tar.gz), a directory
        /// with trivy.db or trivy-java.db and metadata.json, a Trivy cache directory, or
        /// oci:REGISTRY/REPOSITORY:TAG
        source: String,
        #[command(flatten)]
        place: DatabasePlaceArgs,
        #[command(flatten)]
        network: NetworkArgs,
    },
    /// Write the advisory database into an archive, to carry it to a site without network
    Export {
        /// The archive to write (.tar.gz)
        file: PathBuf,
        /// Write the Java index instead
        #[arg(long)]
        java: bool,
        #[command(flatten)]
        place: DatabasePlaceArgs,
    },
}

/// Names what `db update` fetches beside the advisory database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Extra {
    Java,
    Epss,
    Kev,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show what the cache holds
    Info {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove every layer inventory
    Clear {
        /// Remove the advisory database and the Java index too
        #[arg(long)]
        all: bool,
    },
    /// Remove layer inventories that were not used for long, and those beyond a size
    Prune {
        /// Keep what was used in the last so many days
        #[arg(long, value_name = "DAYS", default_value_t = 90)]
        unused_days: u32,
        /// Keep at most so much, the latest used first (such as 500MB, 2GiB)
        #[arg(long, value_name = "SIZE", value_parser = parse_size)]
        max_size: Option<u64>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Registries to ask besides those of the databases
    pub(crate) registries: Vec<String>,
    #[command(flatten)]
    pub(crate) engine: DockerHostArgs,
    #[command(flatten)]
    pub(crate) place: DatabasePlaceArgs,
    #[command(flatten)]
    pub(crate) repositories: RepositoryArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LoginArgs {
    /// The registry, such as ghcr.io [default: Docker Hub]
    #[arg(default_value = "docker.io")]
    pub(crate) registry: String,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// Ends a run before it began: help, version, or a wrong call.
#[derive(Debug)]
pub(crate) enum ParseStop {
    Clap(clap::Error),
    Refused(String),
}

impl ParseStop {
    /// Prints the text and returns the exit code.
    pub(crate) fn print(&self) -> Exit {
        match self {
            ParseStop::Clap(error) => {
                // Nothing is left to be done when the terminal is gone.
                let _ = error.print();
                if error.use_stderr() {
                    Exit::Usage
                } else {
                    Exit::Clean
                }
            }
            ParseStop::Refused(text) => {
                crate::error::CommandError::usage_text(text).print();
                Exit::Usage
            }
        }
    }
}

/// Returns the definition of the command line, for completions, the manual page and docs.
pub(crate) fn definition() -> clap::Command {
    Cli::command()
}

/// Parses the command line.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, ParseStop> {
    let arguments =
        trivy_flags::translate(arguments.into_iter().collect()).map_err(ParseStop::Refused)?;
    let matches = variables::without_empty(definition())
        .try_get_matches_from(&arguments)
        .map_err(|error| {
            let error = tip::with_owners(error, &definition());
            ParseStop::Clap(tip::with_variable(error, &definition(), &arguments))
        })?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(ParseStop::Clap)?;
    if let Command::Scan(arguments) = &mut cli.command {
        arguments.images.append(&mut arguments.named);
    }
    Ok(cli)
}

/// Parses a size such as `500MB` (decimal) or `2GiB` (binary).
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => {
            return Err(format!(
                "'{text}' is no size: expected a number with B, kB, MB, GB, KiB, MiB or GiB"
            ));
        }
    };
    let number: f64 = number
        .parse()
        .map_err(|_| format!("'{text}' is no size: expected a number such as 500MB or 2GiB"))?;
    Ok((number * factor as f64) as u64)
}

/// Parses a duration such as `5m`, `90s`, `1h30m` or Go's `5m0s`; a bare number is seconds.
pub(crate) fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("'{text}' is no duration: expected a form such as 90s, 5m or 1h30m");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(std::time::Duration::from_secs(seconds));
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    std::time::Duration::try_from(span).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        definition().debug_assert();
    }

    #[test]
    fn sizes_and_durations_are_read() {
        assert_eq!(parse_size("500MB"), Ok(500_000_000));
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert_eq!(parse_size("1.5kB"), Ok(1500));
        assert!(parse_size("many").is_err());
        assert_eq!(parse_duration("5m0s").unwrap().as_secs(), 300);
        assert_eq!(parse_duration("90").unwrap().as_secs(), 90);
        assert_eq!(parse_duration("1h30m").unwrap().as_secs(), 5400);
        assert!(parse_duration("soon").is_err());
        assert!(parse_duration("-5m").is_err());
    }
}
