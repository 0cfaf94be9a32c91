//! Tests over the whole table: every setting from every place, and what is said of bad input.

mod bad_input;
mod documents;
mod env_file;
mod origins;
mod properties;
mod reload;
mod show;
mod values;

use std::path::PathBuf;

use tempfile::TempDir;

use super::kind::Kind;
use super::loader::{Call, Loaded, Loader};
use super::problem::SettingsError;
use super::table::Setting;
use crate::cli::{Command, ConfigCommand};
use crate::environment::Environment;

/// A place where settings can be given in every way.
struct Bench {
    directory: TempDir,
    flags: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("secrets")).unwrap();
        Self {
            directory,
            flags: Vec::new(),
            variables: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&mut self, name: &str, text: impl AsRef<[u8]>) -> &mut Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    fn flag(&mut self, flag: impl Into<String>) -> &mut Self {
        self.flags.push(flag.into());
        self
    }

    fn variable(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Writes the configuration file; it is found where XDG_CONFIG_HOME says.
    fn config(&mut self, text: &str) -> &mut Self {
        std::fs::create_dir_all(self.path("cleanbill")).unwrap();
        self.write("cleanbill/config.yaml", text)
    }

    fn loader(&self) -> Loader {
        let mut variables = self.variables.clone();
        let home = self.directory.path().display().to_string();
        variables.push(("XDG_CONFIG_HOME".into(), home.clone()));
        variables.push(("XDG_STATE_HOME".into(), format!("{home}/state")));
        variables.push(("XDG_CACHE_HOME".into(), format!("{home}/cache")));
        variables.push(("TZ".into(), "UTC".into()));
        let environment = Environment::from_pairs(variables);
        Loader::new(call(&self.flags), environment)
            .in_directories(&self.path("secrets"), self.directory.path())
    }

    fn load(&self) -> Result<Loaded, SettingsError> {
        self.loader().load()
    }

    /// Loads what is right.
    #[track_caller]
    fn loaded(&self) -> Loaded {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Loads what is wrong, and returns what is said about it, without the directory.
    #[track_caller]
    fn refused(&self) -> String {
        let error = self.load().expect_err("it was taken");
        self.without_directory(&error.to_string())
    }

    fn without_directory(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.directory.path().display()), "")
    }
}

/// Parses flags as the program does.
#[track_caller]
fn call(flags: &[String]) -> Call {
    let words = ["cleanbill", "config", "show"].into_iter().map(Into::into);
    let words = words.chain(flags.iter().map(Into::into));
    let Ok(cli) = crate::cli::parse(words) else {
        panic!("flags are refused: {flags:?}");
    };
    match cli.command {
        Command::Config(ConfigCommand::Show { settings, .. }) => settings.call,
        other => panic!("{other:?}"),
    }
}

/// Returns a value that is right and not the default, as we write it and as the older tools did.
fn sample(setting: &Setting) -> (String, String) {
    let not_default = |values: &[&str]| {
        let default = setting.default_words();
        let value = values.iter().find(|value| **value != default);
        (*value.expect("a choice has two values")).to_owned()
    };
    let text = match setting.kind {
        Kind::Text => "word".into(),
        Kind::Path | Kind::Program => "/some/where".into(),
        Kind::Url | Kind::Server => "https://example.com/x".into(),
        Kind::EngineUrl => "tcp://engine:2376".into(),
        Kind::MailAddress => "Scanner <a@b.example>".into(),
        Kind::MailAddresses => "a@b.example, c@d.example".into(),
        Kind::Boolean => not_default(&["true", "false"]),
        Kind::Number { min, max } => not_default(&[&min.to_string(), &max.to_string()]),
        Kind::Size => "3MiB".into(),
        Kind::Duration => "90m".into(),
        Kind::Schedule => return ("2h".into(), "7200.0".into()),
        Kind::Period => "daily".into(),
        Kind::TimeZone => "Europe/Berlin".into(),
        Kind::TimeOfDay => "07:30".into(),
        Kind::QuietHours => "22:00-07:00".into(),
        Kind::Choice(choices) => not_default(choices),
        Kind::Choices(choices) => choices[0].into(),
        Kind::Severities => "low,Medium".into(),
        Kind::FixStatuses => "will_not_fix".into(),
        Kind::SeveritySources => "nvd".into(),
        Kind::Thresholds => "critical=0,high=5".into(),
        Kind::Texts => "one,two".into(),
        Kind::Paths => "/one,/two".into(),
        Kind::ImagePatterns => "a/*,b:1".into(),
        Kind::Arguments => "--scanners vuln".into(),
        Kind::Listen => "9999".into(),
    };
    (text.clone(), text)
}

/// Writes a value below its key.
fn yaml(setting: &Setting, value: &str) -> String {
    let mut text = "version: 1\n".to_owned();
    let parts: Vec<&str> = setting.key.split('.').collect();
    for (depth, part) in parts.iter().enumerate() {
        let value = if depth + 1 == parts.len() {
            format!(" '{value}'")
        } else {
            String::new()
        };
        text.push_str(&format!("{}{part}:{value}\n", "  ".repeat(depth)));
    }
    text
}
