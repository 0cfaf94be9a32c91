//! Which packages of a manifest a project uses.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cleanbill_core::Package;
use cleanbill_core::Problem;
use cleanbill_core::package::Relationship;
use cleanbill_core::problem::ProblemKind;

use super::project::JuliaProject;

/// Leaves the packages of the manifest at `path` that the project in its directory needs. A
/// project file that could not be read leaves all. Where there is none, the reference lists
/// nothing; the same is done here, and told.
pub(crate) fn complete(
    path: &str,
    projects: &BTreeMap<String, Option<JuliaProject>>,
    packages: &mut Vec<Package>,
) -> Option<Problem> {
    let directory = cleanbill_core::path::parent(path).unwrap_or_default();
    match projects.get(&super::project_path(directory)) {
        Some(None) => None,
        Some(Some(project)) => {
            *packages = select(project, std::mem::take(packages));
            None
        }
        None => {
            let count = packages.len();
            packages.clear();
            Some(Problem::at(
                ProblemKind::UnreadableFile,
                path,
                format!(
                    "there is no Project.toml beside it: which of its {count} packages are used \
                     cannot be told, and none is listed"
                ),
            ))
        }
    }
}

fn select(project: &JuliaProject, packages: Vec<Package>) -> Vec<Package> {
    // Of several packages with one UUID the last counts.
    let by_id: HashMap<String, Package> = packages
        .into_iter()
        .map(|package| (package.id.clone(), package))
        .collect();
    let mut selected = reach(&project.dependencies, &by_id, false);
    selected.extend(reach(&project.extras, &by_id, true));
    selected
}

/// Returns the packages that some UUIDs name, and what these need.
fn reach(direct: &BTreeSet<String>, by_id: &HashMap<String, Package>, dev: bool) -> Vec<Package> {
    let mut reached: BTreeMap<&str, Package> = BTreeMap::new();
    let mut open: Vec<&Package> = Vec::new();
    for package in direct.iter().filter_map(|uuid| by_id.get(uuid)) {
        let direct = Package {
            relationship: Relationship::Direct,
            dev,
            ..package.clone()
        };
        reached.insert(&package.id, direct);
        open.push(package);
    }
    while let Some(package) = open.pop() {
        for needed in package.depends_on.iter().filter_map(|uuid| by_id.get(uuid)) {
            if reached.contains_key(needed.id.as_str()) {
                continue;
            }
            let indirect = Package {
                relationship: Relationship::Indirect,
                indirect: true,
                dev,
                ..needed.clone()
            };
            reached.insert(&needed.id, indirect);
            open.push(needed);
        }
    }
    reached.into_values().collect()
}
