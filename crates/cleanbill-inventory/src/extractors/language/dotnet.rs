//! Packages of .NET programs: `*.deps.json`, which the SDK puts beside a program that it builds.
//!
//! Source: spec 04 section 1.6, and Trivy 0.74.0
//! `pkg/dependency/parser/dotnet/core_deps/parse.go`.

mod graph;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

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

/// What a target says about each library, by the id of its package.
type Target = BTreeMap<String, TargetLibrary>;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawTargetLibrary {
    dependencies: BTreeMap<String, String>,
    // An empty object counts as stated.
    runtime: Option<IgnoredAny>,
    runtime_targets: Option<IgnoredAny>,
    native: Option<IgnoredAny>,
}

/// What a target says about one library.
struct TargetLibrary {
    /// The library as the target names it.
    key: String,
    /// The ids of the packages that it needs.
    dependencies: Vec<String>,
    is_there: bool,
}

/// Names a library that counts.
struct Found {
    /// The library as the document names it.
    key: String,
    package: Package,
    is_project: bool,
}

/// Reads the libraries that a program needs when it runs.
fn parse(text: &Kept<'_>, limits: &Limits) -> Result<Vec<Package>, JsonError> {
    let document = Parts::strict(text, FIELDS, PartSizes::of(limits))?;
    let target = target(&document, limits)?;
    let found = found(&document, target.as_ref(), limits)?;
    Ok(graph::complete(found, target.as_ref()))
}

/// Reads the target that the program is built for, if the document has it.
fn target(document: &Parts<'_>, limits: &Limits) -> Result<Option<Target>, JsonError> {
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
            is_there: raw.is_there(),
            dependencies: room.join(pairs.map(|(name, version)| (&**name, &**version)), id_of),
            key: part.name.to_owned(),
        };
        let id = id_of(name, version);
        if !room.take(id.len() + library.key.len()) {
            return Err(JsonError::exceeded(room.exceeded().unwrap_or_default()));
        }
        // Libraries are found by the names that packages have: of several of one the last counts.
        let target: &mut Target = target.get_or_insert_default();
        if target.get(&id).is_none_or(|known| known.key < library.key) {
            target.insert(id, library);
        }
        Ok(())
    })?;
    Ok(target)
}

/// Reads the libraries that the target does not leave out, by the ids of their packages.
fn found(
    document: &Parts<'_>,
    target: Option<&Target>,
    limits: &Limits,
) -> Result<BTreeMap<String, Found>, JsonError> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    document.each(&["libraries"], &mut |part| {
        let library: Located<Library> = part.decode()?;
        let read = read(part.name, &library.value, library.location);
        let Some(read) =
            read.filter(|found| target.is_none_or(|target| is_needed(&found.package.id, target)))
        else {
            return Ok(());
        };
        if found.len() as u64 >= limits.packages_per_layer_max {
            return Err(too_many_packages(limits));
        }
        // Of several of one id the last counts.
        if found
            .get(&read.package.id)
            .is_none_or(|known| known.key < read.key)
        {
            found.insert(read.package.id.clone(), read);
        }
        Ok(())
    })?;
    Ok(found)
}

impl RawTargetLibrary {
    /// Says whether the library is there when the program runs.
    fn is_there(&self) -> bool {
        self.runtime.is_some() || self.runtime_targets.is_some() || self.native.is_some()
    }
}

/// Makes a package of `name/version`; `None` if the library is of a kind that is none.
fn read(key: &str, library: &Library, location: Location) -> Option<Found> {
    let (name, version) = key.split_once('/')?;
    let is = |kind: &str| library.r#type.eq_ignore_ascii_case(kind);
    if !is("package") && !is("project") && !is("runtimepack") {
        return None;
    }
    let name = name.strip_prefix(RUNTIME_PREFIX).unwrap_or(name);
    Some(Found {
        key: key.to_owned(),
        is_project: is("project"),
        package: Package {
            id: id_of(name, version),
            locations: vec![location],
            ..package(name, version)
        },
    })
}

/// Says whether a library is there when the program runs; one that the target does not name may
/// be.
fn is_needed(id: &str, target: &Target) -> bool {
    target.get(id).is_none_or(|library| library.is_there)
}

fn id_of(name: &str, version: &str) -> String {
    let name = name.strip_prefix(RUNTIME_PREFIX).unwrap_or(name);
    package_id(KIND, name, version)
}
