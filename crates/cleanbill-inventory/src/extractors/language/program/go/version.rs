//! Which version a part of a Go program has. Source: spec 04 section 1.8.

use super::module_text::Module;
use super::{link_flags, semver};

/// The names that projects give to what holds their version.
const USUAL_PREFIXES: [&str; 4] = ["main", "common", "version", "cmd"];

/// Returns the release in what a Go toolchain calls itself: `go1.22.3 X:boringcrypto`,
/// `go1.26.0-X:nodwarf5`, `go1.26.5 (Red Hat 1.26.5-1.el10_2) X:jsonv2`.
pub(super) fn of_standard_library(go_version: &str) -> &str {
    let text = go_version.strip_prefix("go").unwrap_or(go_version);
    let text = text.split(' ').next().unwrap_or(text);
    text.split_once("-X:").map_or(text, |(text, _)| text)
}

/// Returns the version, or nothing for the one that the toolchain writes if it knows none.
pub(super) fn known(version: &str) -> &str {
    if version == "(devel)" { "" } else { version }
}

/// Returns the version of the main module: a recorded release, else what was set when it was
/// linked, by the recorded flags or in the symbols (which are read only then), else what is
/// recorded.
pub(super) fn of_main(
    main: &Module,
    link_flags: &str,
    from_symbols: impl FnOnce() -> String,
) -> String {
    let recorded = known(&main.version);
    if !recorded.is_empty() && !semver::is_pseudo(recorded) {
        return recorded.to_owned();
    }
    let mut version = link_flags::version(link_flags, &main.path);
    if version.is_empty() {
        version = from_symbols();
    }
    if version.is_empty() {
        recorded.clone_into(&mut version);
    }
    version
}

/// Chooses among variables that may hold the version of a module.
pub(super) struct Candidates<'a> {
    main_path: &'a str,
    /// Values by how likely their variable is the one: below the module's `cmd`, with a usual
    /// name, others.
    tiers: [Vec<String>; 3],
}

impl<'a> Candidates<'a> {
    pub(super) fn new(main_path: &'a str) -> Self {
        Self {
            main_path,
            tiers: Default::default(),
        }
    }

    /// Says whether a variable may hold a version, by its name.
    pub(super) fn is_wanted(variable: &str) -> bool {
        let variable = variable.to_lowercase();
        variable.ends_with(".version") || variable.ends_with(".ver")
    }

    /// Adds a variable, if it may hold a version and does.
    pub(super) fn add(&mut self, variable: &str, value: &str) {
        if !Self::is_wanted(variable) || !semver::is_valid(value) {
            return;
        }
        let is_command = variable
            .strip_prefix(self.main_path)
            .is_some_and(|rest| rest.starts_with("/cmd/"));
        let [commands, usual, others] = &mut self.tiers;
        let tier = if is_command {
            commands
        } else if USUAL_PREFIXES.contains(&prefix(variable).as_str()) {
            usual
        } else {
            others
        };
        tier.push(value.to_owned());
    }

    /// Returns the value of the first tier that has any; nothing if it has several.
    pub(super) fn choose(self) -> String {
        let first = self.tiers.into_iter().find(|tier| !tier.is_empty());
        match first.as_deref() {
            Some([version]) => version.clone(),
            _ => String::new(),
        }
    }
}

/// Returns the last part of a variable's path, up to its first dot, in lower case.
fn prefix(variable: &str) -> String {
    let name = match variable.rfind('/') {
        Some(at) if at > 0 => variable.get(at + 1..).unwrap_or_default(),
        _ => variable,
    };
    name.split('.').next().unwrap_or(name).to_lowercase()
}
