//! `cleanbill notify`: messages by hand, and what became of those of `watch`.

mod changes;
mod list;
mod retry;
mod sending;
mod summary;

#[cfg(test)]
mod tests;

use super::Setting;
use crate::cli::{NotifyArgs, NotifyCommand};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::stop;

pub(crate) fn run(setting: &Setting, arguments: NotifyArgs) -> Result<Exit, CommandError> {
    match arguments.command {
        None => summary::run(setting, arguments.summary),
        Some(NotifyCommand::Test {
            channels,
            dry_run,
            patience,
            settings,
        }) => {
            stop::after(patience.timeout);
            sending::test(setting, &channels, dry_run, settings.call)
        }
        Some(NotifyCommand::List {
            limit,
            format,
            settings,
        }) => list::run(setting, limit, format, settings.call),
        Some(NotifyCommand::Retry { messages, settings }) => {
            retry::run(setting, &messages, settings.call)
        }
    }
}
