//! Flags of `watch`, made of the table of settings.

use clap::builder::ValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::settings::{Call, Kind, SETTINGS, Setting};

/// Where the flags of these arguments stand in `--help`, and the groups that they hold.
const HEADINGS: &[(&str, &str)] = &[
    ("watch", "What is watched, and when"),
    ("baseline", "Baselines"),
    ("scan", "Scans"),
    ("docker", "Engine and network"),
    ("network", "Engine and network"),
    ("cache", "Places"),
    ("state", "Places"),
    ("log", "Places"),
    ("retention", "Places"),
    ("database", "Advisory database"),
    ("metrics", "Metrics and health"),
    ("notify", "Messages"),
];

const CONFIG: &str = "config";
const ENV_FILE: &str = "env-file";

/// What the command line says about settings. Values are checked where the other places are, by
/// [`Loader`](crate::settings::Loader).
#[derive(Clone, Debug, Default)]
pub(crate) struct WatchArgs {
    pub(crate) call: Call,
}

impl Args for WatchArgs {
    fn augment_args(command: Command) -> Command {
        augment(command, "watch", EnvFileDefault::DotEnv)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for WatchArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            call: call(matches, EnvFileDefault::DotEnv),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.call = call(matches, EnvFileDefault::DotEnv);
        Ok(())
    }
}

/// The file of variables that is read if none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnvFileDefault {
    /// `.env` in the working directory
    DotEnv,
    /// None: pipelines call it in a tree that a pull request wrote.
    Nothing,
}

/// Adds the settings that a command reads as its flags.
pub(super) fn augment(command: Command, reader: &str, default: EnvFileDefault) -> Command {
    let default = match default {
        EnvFileDefault::DotEnv => ".env, if it is there",
        EnvFileDefault::Nothing => "none; .env is not read by itself",
    };
    let own = [
        Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .value_parser(ValueParser::path_buf())
            .env("CLEANBILL_CONFIG")
            .help("Configuration file [default: $XDG_CONFIG_HOME/cleanbill/config.yaml, else /etc/cleanbill/config.yaml]"),
        Arg::new(ENV_FILE)
            .long(ENV_FILE)
            .value_name("FILE")
            .value_parser(ValueParser::path_buf())
            .env("CLEANBILL_ENV_FILE")
            .help(format!("File of variables, NAME=value in each line [default: {default}]")),
    ];
    let of_table = SETTINGS
        .iter()
        .filter(|setting| !setting.is_global && setting.commands.contains(&reader));
    command
        .args(own)
        .args(of_table.map(|setting| argument(setting, reader)))
}

/// Collects what the command line says about settings.
pub(super) fn call(matches: &ArgMatches, default: EnvFileDefault) -> Call {
    let mut call = Call {
        config: matches.get_one(CONFIG).cloned(),
        env_file: matches.get_one(ENV_FILE).cloned(),
        leaves_out_dot_env: default == EnvFileDefault::Nothing,
        ..Call::default()
    };
    for setting in SETTINGS {
        let id = id(setting);
        // A variable is read where the names of all variables are known.
        let is_given = matches.try_contains_id(&id).is_ok()
            && matches.value_source(&id) == Some(ValueSource::CommandLine);
        if !is_given {
            continue;
        }
        let values = matches.get_raw(&id).into_iter().flatten();
        let values = values.map(|value| value.to_string_lossy().into_owned());
        call.flags.insert(setting.key, values.collect());
    }
    call
}

/// Returns the name that clap knows a setting by.
fn id(setting: &Setting) -> String {
    if setting.is_global {
        setting.flag.replace('-', "_")
    } else {
        setting.key.to_owned()
    }
}

fn argument(setting: &'static Setting, reader: &str) -> Arg {
    let heading = HEADINGS
        .iter()
        .find(|(group, _)| setting.key.starts_with(group))
        .map(|(_, heading)| *heading);
    let argument = Arg::new(setting.key)
        .long(setting.flag)
        .help(help(setting, reader))
        .help_heading(heading)
        .env(setting.environment())
        .hide_env_values(true)
        .value_name(value_name(setting.kind))
        .value_parser(ValueParser::string())
        // What a process was called with can be read by every user of the host.
        .hide(setting.is_secret)
        .allow_hyphen_values(setting.kind == Kind::Arguments)
        .action(if setting.kind.is_list() {
            ArgAction::Append
        } else {
            ArgAction::Set
        });
    let argument = match setting.short {
        Some(short) => argument.short(short),
        None => argument,
    };
    let argument = match setting.flag_alias {
        Some(alias) => argument.visible_alias(alias),
        None => argument,
    };
    if setting.kind == Kind::Boolean && !setting.is_on_by_default() {
        argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
    } else {
        argument
    }
}

fn help(setting: &Setting, reader: &str) -> String {
    if (setting.key, reader) == ("scan.severity", "notify") {
        // A summary tells what the reports hold; only baselines are made with a filter.
        return "Severities that are told [default: all of the reports; with --only-on change \
                HIGH,CRITICAL, as baselines have them]"
            .to_owned();
    }
    let default = setting.default_words();
    if default.is_empty() || setting.kind == Kind::Boolean && !setting.is_on_by_default() {
        return setting.help.to_owned();
    }
    format!("{} [default: {default}]", setting.help)
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Path | Kind::Program | Kind::Paths => "PATH",
        Kind::Url | Kind::Server | Kind::EngineUrl => "URL",
        Kind::MailAddress | Kind::MailAddresses => "ADDRESS",
        Kind::Boolean => "true|false",
        Kind::Number { .. } => "N",
        Kind::Size => "SIZE",
        Kind::Duration | Kind::Period => "DURATION",
        Kind::Schedule => "DURATION|CRON",
        Kind::TimeZone => "ZONE",
        Kind::TimeOfDay => "TIME",
        Kind::QuietHours => "FROM-TO",
        Kind::Choices(_) | Kind::Severities | Kind::FixStatuses | Kind::SeveritySources => "LIST",
        Kind::Thresholds => "THRESHOLDS",
        Kind::Texts | Kind::ImagePatterns => "NAME",
        Kind::Arguments => "FLAGS",
        Kind::Listen => "ADDRESS",
        Kind::Text | Kind::Choice(_) => "WORD",
    }
}
