//! Flags of the commands that read what `watch` knows, and settings as flags of any command.

use std::marker::PhantomData;

use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};

use super::watch_args::{self, EnvFileDefault};
use crate::settings::Call;

/// The settings that a command reads, as its flags: those whose row in the table of settings names
/// it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingArgs<R> {
    pub(crate) call: Call,
    reader: PhantomData<R>,
}

/// Names a command in the table of settings.
pub(crate) trait Reader {
    const COMMAND: &'static str;
    const ENV_FILE_DEFAULT: EnvFileDefault = EnvFileDefault::DotEnv;
}

/// Reads where the state is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StateReading;

impl Reader for StateReading {
    const COMMAND: &'static str = "status";
}

impl<R: Reader> Args for SettingArgs<R> {
    fn augment_args(command: Command) -> Command {
        watch_args::augment(command, R::COMMAND, R::ENV_FILE_DEFAULT)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<R: Reader> FromArgMatches for SettingArgs<R> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            call: watch_args::call(matches, R::ENV_FILE_DEFAULT),
            reader: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.call = watch_args::call(matches, R::ENV_FILE_DEFAULT);
        Ok(())
    }
}

/// Forms of what these commands print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// Flags of `status`.
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// Form of the output
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) format: ListFormat,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<StateReading>,
}

/// Flags of `history`.
#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// The image, by the name that it is watched by
    pub(crate) image: String,
    /// Show so many looks at most, the latest first
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Form of the output
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) format: ListFormat,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<StateReading>,
}

/// Flags of `affected`.
#[derive(Args, Debug)]
pub(crate) struct AffectedArgs {
    /// Vulnerabilities (CVE-2024-3094) or packages (liblzma5)
    #[arg(required = true, value_name = "CVE|PACKAGE")]
    pub(crate) names: Vec<String>,
    /// Form of the output
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) format: ListFormat,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<StateReading>,
}
