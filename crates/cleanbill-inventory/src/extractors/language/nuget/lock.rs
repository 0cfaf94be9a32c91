//! `packages.lock.json`: what a project has locked, for each framework that it is built for.
//!
//! Source: Trivy 0.74.0 `pkg/dependency/parser/nuget/lock/parse.go`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use cleanbill_core::package::Relationship;
use cleanbill_core::{Limits, Package};
use serde::Deserialize;

use super::{KIND, unique};
use crate::extractors::language::{package, package_id, too_many_packages};
use crate::json::{Field, FieldKind, JsonError, Located, PartSizes, Parts};
use crate::kept::Kept;
use crate::room::Room;

const FIELDS: &[Field] = &[
    Field {
        name: "version",
        kind: FieldKind::Whole,
    },
    Field {
        name: "dependencies",
        kind: FieldKind::MembersOfMembers,
    },
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    r#type: String,
    resolved: String,
    dependencies: BTreeMap<String, String>,
}

/// Knows the versions that packages are resolved to, by the hashes of framework and name: nobody
/// can foresee them, and they take less room.
#[derive(Default)]
struct Resolved {
    versions: HashMap<u64, String>,
    hasher: RandomState,
}

/// Reads the packages of a lock file.
///
/// # Errors
///
/// It is malformed, or says more than the limits allow.
pub(super) fn parse(
    text: &Kept<'_>,
    limits: &Limits,
    room: &mut Room,
) -> Result<Vec<Package>, JsonError> {
    let document = Parts::strict(text, FIELDS, PartSizes::of(limits))?;
    let _version: i64 = document.whole("version")?;
    let resolved = Resolved::read(&document, limits)?;
    let hasher = RandomState::new();
    // By the hashes of ids.
    let mut needs: HashMap<u64, BTreeSet<String>> = HashMap::new();
    let mut packages = Vec::new();
    document.each(&["dependencies"], &mut |part| {
        let entry: Located<Entry> = part.decode()?;
        let Located { value, location } = entry;
        // Other projects of the same source tree are no packages.
        if value.r#type == "Project" {
            return Ok(());
        }
        if packages.len() as u64 >= limits.packages_per_layer_max {
            return Err(too_many_packages(limits));
        }
        let id = id_of(part.name, &value.resolved);
        let names = value.dependencies.keys();
        let needed = names.map(|name| (name.as_str(), resolved.version(part.outer_name, name)));
        let needed = room.join(needed, id_of);
        if !needed.is_empty() {
            let known = needs.entry(hasher.hash_one(&id)).or_default();
            known.extend(needed);
        }
        let is_direct = value.r#type == "Direct";
        packages.push(Package {
            id,
            indirect: !is_direct,
            relationship: match is_direct {
                true => Relationship::Direct,
                false => Relationship::Indirect,
            },
            locations: vec![location],
            ..package(part.name, value.resolved)
        });
        Ok(())
    })?;
    drop(resolved);
    let mut packages = unique(packages);
    for package in &mut packages {
        let needed = needs.remove(&hasher.hash_one(&package.id));
        let needed = needed.unwrap_or_default();
        package.depends_on = needed.into_iter().collect();
    }
    Ok(packages)
}

impl Resolved {
    fn read(document: &Parts<'_>, limits: &Limits) -> Result<Self, JsonError> {
        let mut room = Room::of_graph(limits);
        let mut resolved = Self::default();
        document.each(&["dependencies"], &mut |part| {
            let entry: Entry = part.decode()?;
            if !room.take(entry.resolved.len()) {
                return Err(JsonError::exceeded(room.exceeded().unwrap_or_default()));
            }
            let hash = resolved.hasher.hash_one((part.outer_name, part.name));
            resolved.versions.insert(hash, entry.resolved);
            Ok(())
        })?;
        Ok(resolved)
    }

    /// Returns the version of a package for a framework, or nothing.
    fn version(&self, framework: &str, name: &str) -> &str {
        let hash = self.hasher.hash_one((framework, name));
        self.versions.get(&hash).map_or("", String::as_str)
    }
}

fn id_of(name: &str, version: &str) -> String {
    package_id(KIND, name, version)
}
