//! Packages of .NET programs: `*.deps.json`, which the SDK puts beside a program that it builds.
//!
//! Source: spec 04 section 1.6, and Trivy 0.74.0
//! `pkg/dependency/parser/dotnet/core_deps/parse.go`.

mod graph;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cleanbill_core::Package;
use cleanbill_core::package::Location;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{package, package_id};
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::json::{JsonError, Located, decode_strict};

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
        let packages = parse(&file.read_small()?)?;
        if !packages.is_empty() {
            draft.add_application(KIND, file.path, packages);
        }
        Ok(())
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Ignore
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DepsFile {
    libraries: BTreeMap<String, Located<Library>>,
    runtime_target: RuntimeTarget,
    targets: BTreeMap<String, Target>,
}

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

/// What a target says about each library.
type Target = BTreeMap<String, TargetLibrary>;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TargetLibrary {
    dependencies: BTreeMap<String, String>,
    // An empty object counts as stated.
    runtime: Option<IgnoredAny>,
    runtime_targets: Option<IgnoredAny>,
    native: Option<IgnoredAny>,
}

/// Names a library that counts.
struct Found {
    package: Package,
    is_project: bool,
}

/// Reads the libraries that a program needs when it runs.
fn parse(bytes: &[u8]) -> Result<Vec<Package>, JsonError> {
    let mut file: DepsFile = decode_strict(bytes)?;
    let target = file.targets.remove(&file.runtime_target.name);
    // Libraries are found by the names that packages have.
    let target: Option<Target> = target.map(|target| {
        let renamed = target.into_iter().map(|(key, library)| {
            let (name, version) = key.split_once('/').unwrap_or((&key, ""));
            (id_of(name, version), library)
        });
        renamed.collect()
    });
    let libraries = file.libraries.into_iter();
    let found = libraries
        .filter_map(|(key, library)| read(&key, &library.value, library.location))
        .filter(|found| {
            target
                .as_ref()
                .is_none_or(|target| is_needed(&found.package.id, target))
        })
        .map(|found| (found.package.id.clone(), found))
        .collect();
    Ok(graph::complete(found, target.as_ref()))
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
    target.get(id).is_none_or(|library| {
        library.runtime.is_some() || library.runtime_targets.is_some() || library.native.is_some()
    })
}

fn id_of(name: &str, version: &str) -> String {
    let name = name.strip_prefix(RUNTIME_PREFIX).unwrap_or(name);
    package_id(KIND, name, version)
}
