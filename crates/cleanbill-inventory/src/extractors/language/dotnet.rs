//! Packages of .NET programs: `*.deps.json`, which the SDK puts beside a program that it builds.
//!
//! Source: spec 04 section 1.6, and Trivy 0.74.0
//! `pkg/dependency/parser/dotnet/core_deps/parse.go`.

mod graph;
#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use cleanbill_core::package::Location;
use cleanbill_core::{Limits, Package};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{package, package_id, too_many_packages};
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::json::{Field, FieldKind, JsonError, Located, PartSizes, Parts};
use crate::kept::Kept;
use crate::room::Room;

/// Finds what a .NET program uses, and the program itself.
pub(crate) struct DotNetCore;

const KIND: &str = "dotnet-core";

/// What the SDK writes before the name of the runtime that a program brings along.
const RUNTIME_PREFIX: &str = "runtimepack.";

impl Extractor for DotNetCore {
    fn name(&self) -> &'static str {
        KIND
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path.ends_with(".deps.json")
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let packages = parse(&file.keep()?, file.limits)?;
        if !packages.is_empty() {
            draft.add_application(KIND, file.path, packages);
        }
        Ok(())
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Ignore
    }
}

const FIELDS: &[Field] = &[
    Field {
        name: "libraries",
        kind: FieldKind::Members,
    },
    Field {
        name: "runtimeTarget",
        kind: FieldKind::Whole,
    },
    Field {
        name: "targets",
        kind: FieldKind::MembersOfMembers,
    },
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Library {
    r#type: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuntimeTarget {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawTargetLibrary {
    dependencies: BTreeMap<String, String>,
    // An empty object counts as stated.
    runtime: Option<IgnoredAny>,
    runtime_targets: Option<IgnoredAny>,
    native: Option<IgnoredAny>,
}

/// What a target says about each library, by the hash of the id of its package.
type Target = HashMap<u64, TargetLibrary>;

/// What a target says about one library.
struct TargetLibrary {
    is_runtime_pack: bool,
    is_there: bool,
    /// The ids of the packages that it needs.
    dependencies: Vec<String>,
}

/// Holds the libraries that count.
#[derive(Default)]
struct Found {
    packages: Vec<Package>,
    /// What else is known of each package.
    kinds: Vec<LibraryKind>,
    /// The place of each by the hash of its id: nobody can foresee hashes, and they take less room.
    places: HashMap<u64, usize>,
}

#[derive(Clone, Copy)]
struct LibraryKind {
    is_runtime_pack: bool,
    is_project: bool,
}

/// Reads the libraries that a program needs when it runs.
fn parse(text: &Kept<'_>, limits: &Limits) -> Result<Vec<Package>, JsonError> {
    let document = Parts::strict(text, FIELDS, PartSizes::of(limits))?;
    let hasher = RandomState::new();
    let target = target(&document, limits, &hasher)?;
    let found = found(&document, target.as_ref(), limits, &hasher)?;
    let target = target.unwrap_or_default();
    Ok(graph::complete(found, target, &hasher))
}

/// Reads the target that the program is built for, if the document has it.
fn target(
    document: &Parts<'_>,
    limits: &Limits,
    hasher: &RandomState,
) -> Result<Option<Target>, JsonError> {
    let wanted: RuntimeTarget = document.whole("runtimeTarget")?;
    let mut room = Room::of_graph(limits);
    let mut target = None;
    document.each(&["targets"], &mut |part| {
        let raw: RawTargetLibrary = part.decode()?;
        if part.outer_name != wanted.name {
            return Ok(());
        }
        let (name, version) = part.name.split_once('/').unwrap_or((part.name, ""));
        let pairs = raw.dependencies.iter();
        let library = TargetLibrary {
            is_runtime_pack: name.starts_with(RUNTIME_PREFIX),
            is_there: raw.is_there(),
            dependencies: room.join(pairs.map(|(name, version)| (&**name, &**version)), id_of),
        };
        let id = id_of(name, version);
        if !room.take(id.len() + part.name.len()) {
            return Err(JsonError::exceeded(room.exceeded().unwrap_or_default()));
        }
        // Libraries are found by the names that packages have: of several of one the last counts.
        let target: &mut Target = target.get_or_insert_default();
        match target.entry(hasher.hash_one(&id)) {
            Entry::Vacant(place) => {
                place.insert(library);
            }
            Entry::Occupied(mut known) => {
                if comes_later(&id, known.get().is_runtime_pack, library.is_runtime_pack) {
                    known.insert(library);
                }
            }
        }
        Ok(())
    })?;
    Ok(target)
}

/// Reads the libraries that the target does not leave out.
fn found(
    document: &Parts<'_>,
    target: Option<&Target>,
    limits: &Limits,
    hasher: &RandomState,
) -> Result<Found, JsonError> {
    let mut found = Found::default();
    document.each(&["libraries"], &mut |part| {
        let library: Located<Library> = part.decode()?;
        let Some((package, kind)) = read(part.name, &library.value, library.location) else {
            return Ok(());
        };
        let hash = hasher.hash_one(&package.id);
        // One that the target does not name may be there when the program runs.
        let library = target.and_then(|target| target.get(&hash));
        if library.is_some_and(|library| !library.is_there) {
            return Ok(());
        }
        if found.packages.len() as u64 >= limits.packages_per_layer_max {
            return Err(too_many_packages(limits));
        }
        found.add(hash, package, kind);
        Ok(())
    })?;
    Ok(found)
}

impl Found {
    /// Adds a library. Of several of one id the last counts.
    fn add(&mut self, hash: u64, package: Package, kind: LibraryKind) {
        let place = match self.places.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(self.packages.len());
                self.packages.push(package);
                self.kinds.push(kind);
                return;
            }
            Entry::Occupied(place) => *place.get(),
        };
        if let (Some(known), Some(known_kind)) =
            (self.packages.get_mut(place), self.kinds.get_mut(place))
            && comes_later(
                &package.id,
                known_kind.is_runtime_pack,
                kind.is_runtime_pack,
            )
        {
            (*known, *known_kind) = (package, kind);
        }
    }
}

/// Says whether of two libraries of one id the second has the name that sorts last. Names of one id
/// differ in what stands before that of a runtime (or in an empty version, which no SDK writes).
fn comes_later(id: &str, is_runtime_pack: bool, is_second_runtime_pack: bool) -> bool {
    let name = |is_runtime_pack| match is_runtime_pack {
        true => format!("{RUNTIME_PREFIX}{id}"),
        false => id.to_owned(),
    };
    name(is_runtime_pack) < name(is_second_runtime_pack)
}

impl RawTargetLibrary {
    /// Says whether the library is there when the program runs.
    fn is_there(&self) -> bool {
        self.runtime.is_some() || self.runtime_targets.is_some() || self.native.is_some()
    }
}

/// Makes a package of `name/version`; `None` if the library is of a kind that is none.
fn read(key: &str, library: &Library, location: Location) -> Option<(Package, LibraryKind)> {
    let (name, version) = key.split_once('/')?;
    let is = |kind: &str| library.r#type.eq_ignore_ascii_case(kind);
    if !is("package") && !is("project") && !is("runtimepack") {
        return None;
    }
    let shown_name = name.strip_prefix(RUNTIME_PREFIX);
    let kind = LibraryKind {
        is_runtime_pack: shown_name.is_some(),
        is_project: is("project"),
    };
    let package = Package {
        id: id_of(name, version),
        locations: vec![location],
        ..package(shown_name.unwrap_or(name), version)
    };
    Some((package, kind))
}

fn id_of(name: &str, version: &str) -> String {
    let name = name.strip_prefix(RUNTIME_PREFIX).unwrap_or(name);
    package_id(KIND, name, version)
}
