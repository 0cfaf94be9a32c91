//! Packages of Alpine Linux and other distributions with apk.
//!
//! Source: spec 02 section 2.1; apk-tools' `installed` database.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill_core::count;
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Limits, Package, Problem};
use cleanbill_version::apk;

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput};
use crate::licenses;
use crate::lines::{Lines, text};
use crate::room::Room;

/// Reads `installed`.
pub(crate) struct ApkInstalled;

const PLACES: &[&str] = &["lib/apk/db/installed", "usr/lib/apk/db/installed"];

impl Extractor for ApkInstalled {
    fn name(&self) -> &'static str {
        "apk"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        PLACES.contains(&path)
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let path = file.path;
        let mut installed = Installed::new(file.limits);
        let result = installed.read(file);
        if installed.malformed_count > 0 {
            draft.add_problem(Problem::at(
                ProblemKind::UnreadableFile,
                path,
                format!(
                    "{} without a valid version",
                    count(installed.malformed_count, "package")
                ),
            ));
        }
        let is_nonsense = installed.has_content
            && installed.malformed_count == 0
            && installed.packages.is_empty();
        draft.add_database(path, installed.finish());
        if is_nonsense && result.is_ok() {
            return Err(ExtractError::Malformed("it names no package".to_owned()));
        }
        result.and_then(|()| installed.room.check())
    }

    fn places(&self) -> &'static [&'static str] {
        PLACES
    }
}

/// Holds what was read so far.
struct Installed {
    /// What is left for packages.
    packages_room: Room,
    /// What is left for the files that they own, the names that they provide, and the ids of what
    /// they need.
    room: Room,
    packages: Vec<Package>,
    /// Names of finished packages: of several of one name the first counts.
    names: HashSet<String>,
    /// What packages provide, their own names among it, with the id of the last that does.
    provides: HashMap<String, Rc<str>>,
    package: Package,
    /// The id of the package, for what it provides.
    id: Rc<str>,
    /// The version as written. It outlives a package: one whose origin is stated before its own
    /// version gets that of the package before, as in the reference implementation.
    version: String,
    directory: String,
    malformed_count: u64,
    /// The file has more than blank lines.
    has_content: bool,
}

impl Installed {
    fn new(limits: &Limits) -> Self {
        Self {
            packages_room: Room::of_packages(limits),
            room: Room::new(limits),
            packages: Vec::new(),
            names: HashSet::new(),
            provides: HashMap::new(),
            package: Package::default(),
            id: Rc::default(),
            version: String::new(),
            directory: String::new(),
            malformed_count: 0,
            has_content: false,
        }
    }

    fn read(&mut self, file: &mut FileInput<'_>) -> Result<(), ExtractError> {
        let packages_max = file.limits.packages_per_layer_max;
        let mut lines = Lines::new(file);
        while let Some(line) = lines.next()? {
            if line.len() < 2 {
                self.end_package();
            } else {
                self.has_content = true;
                self.field(&text(line));
            }
            if self.packages.len() as u64 > packages_max {
                return Err(ExtractError::LimitExceeded(format!(
                    "more than {packages_max} packages (packages_per_layer_max)"
                )));
            }
            self.packages_room.check()?;
        }
        self.end_package();
        self.packages_room.check()
    }

    fn end_package(&mut self) {
        let mut package = std::mem::take(&mut self.package);
        package.installed_files.shrink();
        self.id = Rc::default();
        if package.name.is_empty() || package.version.is_empty() {
            let is_stated = !package.name.is_empty();
            self.malformed_count += u64::from(is_stated);
        } else if self.names.insert(package.name.clone())
            && self.packages_room.take_package(&package)
        {
            self.packages.push(package);
        }
    }

    fn field(&mut self, line: &str) {
        let Some((key, value)) = line.split_at_checked(2) else {
            return;
        };
        let package = &mut self.package;
        match key {
            "P:" => value.clone_into(&mut package.name),
            "V:" => {
                value.clone_into(&mut self.version);
                if !apk::is_valid(value) {
                    return;
                }
                value.clone_into(&mut package.version);
            }
            "o:" => {
                value.clone_into(&mut package.src_name);
                package.src_version.clone_from(&self.version);
            }
            "A:" => value.clone_into(&mut package.arch),
            "L:" => package.licenses = licenses::split_at_blanks(value),
            "m:" => value.clone_into(&mut package.maintainer),
            "C:" => {
                if let Some(digest) = digest(value) {
                    package.digest = digest;
                }
            }
            "F:" => value.clone_into(&mut self.directory),
            "R:" => {
                if self.room.take(self.directory.len() + value.len()) {
                    package.installed_files.push(&join(&self.directory, value));
                }
            }
            "D:" => package.depends_on = dependencies(value),
            "p:" => {
                for name in value.split_whitespace() {
                    self.provide(without_version(name));
                }
            }
            _ => return,
        }
        self.identify();
    }

    /// Sets the id as soon as name and version are known.
    fn identify(&mut self) {
        let package = &mut self.package;
        if package.name.is_empty() || package.version.is_empty() {
            return;
        }
        let is_known = package
            .id
            .strip_prefix(package.name.as_str())
            .and_then(|rest| rest.strip_prefix('@'))
            .is_some_and(|version| version == package.version);
        if !is_known {
            package.id = format!("{}@{}", package.name, package.version);
            self.id = package.id.as_str().into();
        }
        let name = std::mem::take(&mut package.name);
        self.provide(&name);
        self.package.name = name;
    }

    /// Notes that the package provides a name.
    fn provide(&mut self, name: &str) {
        if let Some(id) = self.provides.get_mut(name) {
            *id = Rc::clone(&self.id);
        } else if self.room.take(name.len()) {
            self.provides.insert(name.to_owned(), Rc::clone(&self.id));
        }
    }

    /// Returns the packages, with what they need in place of the names of it. What there is no room
    /// for any more is left out.
    fn finish(&mut self) -> Vec<Package> {
        let mut packages = std::mem::take(&mut self.packages);
        for package in &mut packages {
            let needed: BTreeSet<&str> = package
                .depends_on
                .iter()
                .filter_map(|name| self.provides.get(name).map(|id| &**id))
                .collect();
            package.depends_on = self.room.copy(needed);
        }
        packages
    }
}

/// Joins as Go's `path.Join` does: cleaned, but a leading slash stays.
fn join(directory: &str, name: &str) -> String {
    let joined = format!("{directory}/{name}");
    let is_absolute = joined.starts_with('/') && !directory.is_empty();
    let cleaned = cleanbill_core::path::clean(&joined);
    if is_absolute {
        format!("/{cleaned}")
    } else {
        cleaned
    }
}

/// Takes the names of needed packages; conflicts begin with an exclamation mark.
fn dependencies(value: &str) -> Vec<String> {
    value
        .split_whitespace()
        .filter(|name| !name.starts_with('!'))
        .map(|name| without_version(name).to_owned())
        .collect()
}

fn without_version(name: &str) -> &str {
    name.split(['<', '>', '=']).next().unwrap_or(name)
}

/// Converts a checksum: `Q1` and the Base64 of a SHA-1, or the Base64 of an MD5.
fn digest(value: &str) -> Option<String> {
    let (algorithm, encoded) = match value.strip_prefix("Q1") {
        Some(encoded) => ("sha1", encoded),
        None => ("md5", value),
    };
    let bytes = STANDARD.decode(encoded).ok()?;
    Some(format!("{algorithm}:{}", hex::encode(bytes)))
}

#[cfg(test)]
mod tests;
