//! `packages.lock.json`: what a project has locked, for each framework that it is built for.
//!
//! Source: Trivy 0.74.0 `pkg/dependency/parser/nuget/lock/parse.go`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cleanbill_core::package::Relationship;
use cleanbill_core::{Limits, Package};
use serde::Deserialize;

use super::{KIND, unique};
use crate::extractors::language::{package, package_id, part_size_bytes_max, too_many_packages};
use crate::json::{Field, FieldKind, JsonError, Located, Parts};
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

/// The versions that packages are resolved to, by framework and name.
type Resolved = HashMap<String, HashMap<String, String>>;

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
    let document = Parts::strict(text, FIELDS, part_size_bytes_max(limits))?;
    let _version: i64 = document.whole("version")?;
    let resolved = resolved(&document, limits)?;
    let mut needs: HashMap<String, BTreeSet<String>> = HashMap::new();
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
        let framework = resolved.get(part.outer_name);
        let needed = value.dependencies.keys().map(|name| {
            let resolved = framework.and_then(|framework| framework.get(name));
            (name.as_str(), resolved.map_or("", String::as_str))
        });
        let needed = room.join(needed, id_of);
        needs.entry(id.clone()).or_default().extend(needed);
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
    // One that is direct for any framework is direct.
    packages.sort_by_key(|package| package.indirect);
    let mut packages = unique(packages);
    for package in &mut packages {
        let needed = needs.remove(&package.id).unwrap_or_default();
        package.depends_on = needed.into_iter().collect();
    }
    Ok(packages)
}

fn resolved(document: &Parts<'_>, limits: &Limits) -> Result<Resolved, JsonError> {
    let mut room = Room::of_graph(limits);
    let mut resolved = Resolved::new();
    document.each(&["dependencies"], &mut |part| {
        let entry: Entry = part.decode()?;
        if !room.take(part.name.len() + entry.resolved.len()) {
            return Err(JsonError::exceeded(room.exceeded().unwrap_or_default()));
        }
        let framework = resolved.entry(part.outer_name.to_owned()).or_default();
        framework.insert(part.name.to_owned(), entry.resolved);
        Ok(())
    })?;
    Ok(resolved)
}

fn id_of(name: &str, version: &str) -> String {
    package_id(KIND, name, version)
}
