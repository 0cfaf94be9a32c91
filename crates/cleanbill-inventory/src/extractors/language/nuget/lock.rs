//! `packages.lock.json`: what a project has locked, for each framework that it is built for.
//!
//! Source: Trivy 0.74.0 `pkg/dependency/parser/nuget/lock/parse.go`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cleanbill_core::Package;
use cleanbill_core::package::Relationship;
use serde::Deserialize;

use super::{KIND, unique};
use crate::extractors::language::{package, package_id};
use crate::json::{JsonError, Located, decode_strict};
use crate::room::Room;

#[derive(Default, Deserialize)]
#[serde(default)]
struct LockFile {
    #[serde(rename = "version")]
    _version: i64,
    dependencies: BTreeMap<String, Framework>,
}

type Framework = BTreeMap<String, Located<Entry>>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    r#type: String,
    resolved: String,
    dependencies: BTreeMap<String, String>,
}

/// Reads the packages of a lock file.
///
/// # Errors
///
/// It is malformed.
pub(super) fn parse(bytes: &[u8], room: &mut Room) -> Result<Vec<Package>, JsonError> {
    let file: LockFile = decode_strict(bytes)?;
    let mut needs: HashMap<String, BTreeSet<String>> = HashMap::new();
    let mut packages = Vec::new();
    for framework in file.dependencies.values() {
        // Other projects of the same source tree are no packages.
        let entries = framework.iter();
        for (name, entry) in entries.filter(|(_, entry)| entry.value.r#type != "Project") {
            let id = id_of(name, &entry.value.resolved);
            let needed = entry.value.dependencies.keys().map(|name| {
                let resolved = framework.get(name).map(|entry| &entry.value.resolved);
                (name.as_str(), resolved.map_or("", String::as_str))
            });
            let needed = room.join(needed, id_of);
            needs.entry(id.clone()).or_default().extend(needed);
            let is_direct = entry.value.r#type == "Direct";
            packages.push(Package {
                id,
                indirect: !is_direct,
                relationship: match is_direct {
                    true => Relationship::Direct,
                    false => Relationship::Indirect,
                },
                locations: vec![entry.location],
                ..package(name.clone(), entry.value.resolved.clone())
            });
        }
    }
    // One that is direct for any framework is direct.
    packages.sort_by_key(|package| package.indirect);
    let mut packages = unique(packages);
    for package in &mut packages {
        let needed = needs.remove(&package.id).unwrap_or_default();
        package.depends_on = needed.into_iter().collect();
    }
    Ok(packages)
}

fn id_of(name: &str, version: &str) -> String {
    package_id(KIND, name, version)
}
