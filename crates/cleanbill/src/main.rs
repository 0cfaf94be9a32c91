//! Cleanbill: a clean bill of health for container images.
//!
//! This crate is the edge: it reads flags, environment and files, calls the engine, writes
//! reports, talks to the terminal and decides the exit code. Nothing else in the workspace prints
//! or exits.

mod api;
mod bounded_file;
mod channels;
mod ci_run;
mod cli;
mod commands;
mod environment;
mod error;
mod exit;
mod logging;
mod memory;
mod output;
mod places;
mod progress;
mod registries;
mod runner;
mod service_manager;
mod settings;
mod stop;

use std::process::ExitCode;

fn main() -> ExitCode {
    let code = match cli::parse(std::env::args_os()) {
        Ok(cli) => run(cli),
        Err(message) => message.print(),
    };
    code.into()
}

fn run(cli: cli::Cli) -> exit::Exit {
    let is_daemon = matches!(cli.command, cli::Command::Watch(_));
    logging::install(&cli.global, is_daemon);
    stop::install();
    match commands::run(cli) {
        Ok(exit) => exit,
        Err(error) => {
            // Whatever failed because the work was stopped: that it was stopped is the news.
            let error = if stop::is_requested() {
                stop::error()
            } else {
                error
            };
            error.print();
            error.exit()
        }
    }
}
