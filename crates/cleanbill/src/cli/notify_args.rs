//! Flags of `notify`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::status_args::{ListFormat, Reader, SettingArgs, StateReading};
use super::watch_args::EnvFileDefault;
use super::{JudgingArgs, parse_duration};

/// Reads channels.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChannelReading;

impl Reader for ChannelReading {
    const COMMAND: &'static str = "notify";
    const ENV_FILE_DEFAULT: EnvFileDefault = EnvFileDefault::Nothing;
}

/// Flags of `notify`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct NotifyArgs {
    #[command(subcommand)]
    pub(crate) command: Option<NotifyCommand>,
    #[command(flatten)]
    pub(crate) summary: SummaryArgs,
}

/// Flags of `notify CHANNEL`. What is required is there unless a subcommand is.
#[derive(Args, Debug)]
pub(crate) struct SummaryArgs {
    /// Channel to tell: one of the settings by its name, or smtp (email), slack, webhook, teams,
    /// discord, mattermost, ntfy, gotify, set up by flags and environment. --webhook-url is the
    /// address of that one
    #[arg(required = true)]
    pub(crate) channel: Option<String>,
    /// Saved reports to sum up (repeatable); - is standard input
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) scan_results: Vec<PathBuf>,
    /// Say something only on a failure (of the gate if one is named; else a vulnerability, or an
    /// image that could not be assessed completely), on a change against the baselines, or always
    #[arg(long, value_enum, default_value_t)]
    pub(crate) only_on: Occasion,
    /// Print what would be sent, and send nothing; slack, webhook, teams, discord and mattermost need
    /// no address then
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
    #[command(flatten)]
    pub(crate) judging: JudgingArgs,
    #[command(flatten)]
    pub(crate) settings: Box<SettingArgs<ChannelReading>>,
}

/// How long is waited for channels.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Give up after so long, all attempts together
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,
}

/// When a summary is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Occasion {
    Failure,
    Change,
    #[default]
    Always,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// Send a test message
    Test {
        /// Channels [default: all that are set up]
        channels: Vec<String>,
        /// Print what would be sent, and send nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        patience: Patience,
        #[command(flatten)]
        settings: Box<SettingArgs<ChannelReading>>,
    },
    /// List messages, and what became of each attempt to deliver them
    List {
        /// Show so many of each at most, the latest first
        #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
        limit: usize,
        /// Form of the output
        #[arg(long, short, value_enum, default_value_t)]
        format: ListFormat,
        #[command(flatten)]
        settings: Box<SettingArgs<StateReading>>,
    },
    /// Send messages again that were given up
    Retry {
        /// Numbers of messages, from notify list [default: all that were given up]
        #[arg(value_name = "MESSAGE")]
        messages: Vec<i64>,
        #[command(flatten)]
        settings: Box<SettingArgs<StateReading>>,
    },
}
