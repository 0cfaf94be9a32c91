//! Variables of the environment that stand for flags.

use clap::Command;

/// Takes variables that are set to nothing from the definition: a pipeline often sets all of them,
/// and an empty one counts as unset.
pub(super) fn without_empty(command: Command) -> Command {
    command
        .mut_args(|argument| {
            let is_empty = |name: &std::ffi::OsStr| {
                std::env::var_os(name).is_some_and(|value| value.is_empty())
            };
            if argument.get_env().is_some_and(is_empty) {
                argument.env(None::<&str>)
            } else {
                argument
            }
        })
        .mut_subcommands(without_empty)
}
