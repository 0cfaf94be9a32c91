//! What a wrong call is told besides.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

/// Says of a flag that the command does not have which commands have it.
pub(super) fn with_owners(mut error: clap::Error, definition: &Command) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let mut owners = Vec::new();
    collect_owners(definition, definition.get_name(), flag, &mut owners);
    if !owners.is_empty() {
        let tip = format!("{flag} is a flag of: {}", owners.join(", "));
        let tips = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        // What looks like it in this command would only mislead.
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

/// Says of a value that is wrong, and that no flag gave, which variable it comes from.
pub(super) fn with_variable(
    mut error: clap::Error,
    definition: &Command,
    arguments: &[OsString],
) -> clap::Error {
    let is_of_value = matches!(
        error.kind(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation
    );
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    // `--severity <LIST>` or `--offline[=<OFFLINE>]`.
    let flag = shown.split([' ', '[', '=']).next().unwrap_or(shown);
    let Some(argument) = find(definition, flag).filter(|_| is_of_value) else {
        return error;
    };
    let short = argument.get_short().map(|short| format!("-{short}"));
    let is_given = arguments.iter().any(|given| {
        let given = given.to_string_lossy();
        given.starts_with(flag) || short.as_ref().is_some_and(|short| given.starts_with(short))
    });
    let variable = argument.get_env().map(|name| name.to_string_lossy());
    if let (false, Some(variable)) = (is_given, variable) {
        let tip = format!("the value is that of the variable {variable}");
        let tips = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

/// Finds a flag by its long name, in whichever command.
fn find<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    let own = command.get_arguments().find(|argument| {
        argument.get_long().is_some() && argument.get_long() == flag.strip_prefix("--")
    });
    own.or_else(|| {
        let mut subcommands = command.get_subcommands();
        subcommands.find_map(|subcommand| find(subcommand, flag))
    })
}

fn collect_owners(command: &Command, name: &str, flag: &str, owners: &mut Vec<String>) {
    let has_flag = command.get_arguments().any(|argument| {
        let names = argument.get_long_and_visible_aliases().unwrap_or_default();
        !argument.is_global_set()
            && names
                .iter()
                .any(|name| flag.strip_prefix("--") == Some(name))
    });
    if has_flag {
        owners.push(name.to_owned());
    }
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        let name = format!("{name} {}", subcommand.get_name());
        collect_owners(subcommand, &name, flag, owners);
    }
}
