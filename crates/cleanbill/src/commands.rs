//! The commands, one module each.

mod advisory_database;
mod affected;
mod base;
mod baseline;
mod cache;
mod comment;
mod config;
mod db;
mod demo;
mod doctor;
mod exceptions;
mod explain;
mod exploitation;
mod gate;
mod health;
mod history;
mod java_index;
mod judging;
mod login;
mod metrics;
mod migrate;
mod notify;
mod report;
mod scan;
mod status;
#[cfg(test)]
mod testing;
mod watch;

use std::io::Write as _;

use anyhow::Context as _;

use crate::cli::{self, Cli, Command, GlobalArgs};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::runner::{self, Document};

/// What every command is given.
pub(crate) struct Setting {
    pub(crate) global: GlobalArgs,
    pub(crate) environment: Environment,
}

/// Runs the command.
pub(crate) fn run(cli: Cli) -> Result<Exit, CommandError> {
    let mut setting = Setting {
        global: cli.global,
        environment: Environment::of_process(),
    };
    match cli.command {
        Command::Scan(arguments) => scan::run(&setting, &arguments),
        Command::Explain(arguments) => explain::run(&setting, *arguments),
        Command::Status(arguments) => status::run(&setting, *arguments),
        Command::History(arguments) => history::run(&setting, *arguments),
        Command::Affected(arguments) => affected::run(&setting, *arguments),
        Command::Baseline(command) => baseline::run(&setting, command),
        Command::Exceptions(command) => exceptions::run(&setting, command),
        Command::Notify(arguments) => notify::run(&setting, *arguments),
        Command::Comment(arguments) => comment::run(&setting, &arguments),
        Command::Metrics(command) => metrics::run(&setting, command),
        Command::Gate(arguments) => gate::run(&setting, &arguments),
        Command::Report(arguments) => report::run(&setting, &arguments),
        Command::Db(command) => db::run(&setting, command),
        Command::Cache(command) => cache::run(&setting, &command),
        Command::Base(command) => base::run(&setting, &command),
        Command::Doctor(arguments) => doctor::run(&setting, &arguments),
        Command::Demo(arguments) => demo::run(&setting, &arguments),
        Command::Login(arguments) => login::run(&setting, arguments),
        Command::Config(command) => config::run(&setting, command),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Watch(arguments) => watch::run(&mut setting, *arguments),
        Command::Health(arguments) => health::run(&setting, &arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut cli::definition(), "cleanbill", &mut script);
            print_verbatim(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(cli::definition())
                .render(&mut page)
                .context("cannot render the manual page")
                .map_err(CommandError::usage)?;
            print_verbatim(&page)
        }
        Command::Reference { page } => print(cli::reference::page(&page).as_bytes()),
        Command::Version => print(format!("cleanbill {}\n", env!("CARGO_PKG_VERSION")).as_bytes()),
    }
}

/// Prints to standard output, where the runner of a pipeline finds no command. A reader that has
/// gone away (`| head`) is no failure.
pub(crate) fn print(bytes: &[u8]) -> Result<Exit, CommandError> {
    let text = String::from_utf8_lossy(bytes);
    print_verbatim(runner::harmless(&text, Document::guess(bytes)).as_bytes())
}

/// Prints what is meant as it is: a script, or commands for a runner.
pub(crate) fn print_verbatim(bytes: &[u8]) -> Result<Exit, CommandError> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CommandError::usage(
            anyhow::Error::new(error).context("cannot write to standard output"),
        )),
        _ => Ok(Exit::Clean),
    }
}
