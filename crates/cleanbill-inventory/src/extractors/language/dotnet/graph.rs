//! How the libraries of a .NET program depend on each other.

use std::collections::{BTreeMap, HashSet};

use cleanbill_core::Package;
use cleanbill_core::package::Relationship;

use super::{Found, Target, TargetLibrary};

/// Gives the libraries found their places in the graph of a target, as far as it tells them.
pub(super) fn complete(
    mut found: BTreeMap<String, Found>,
    target: Option<&Target>,
) -> Vec<Package> {
    let empty = Target::new();
    let graph = target.unwrap_or(&empty);
    let root = root_of(&found, graph);
    if let Some(root) = &root {
        for (id, project) in found.iter_mut().filter(|(_, found)| found.is_project) {
            project.package.relationship = match id == root {
                true => Relationship::Root,
                false => Relationship::Workspace,
            };
        }
    }
    let direct: HashSet<&str> = root
        .and_then(|root| graph.get(&root))
        .map(|root| dependencies(root).collect())
        .unwrap_or_default();
    let ids: HashSet<String> = found.keys().cloned().collect();
    let packages = found.into_values().map(|found| {
        let mut package = found.package;
        place(&mut package, &direct);
        if let Some(library) = graph.get(&package.id) {
            package.depends_on = dependencies(library)
                .filter(|id| ids.contains(*id))
                .map(str::to_owned)
                .collect();
            package.depends_on.sort_unstable();
        }
        package
    });
    packages.collect()
}

/// Returns the only project that nothing depends on, if there is exactly one.
fn root_of(found: &BTreeMap<String, Found>, target: &Target) -> Option<String> {
    let needed: HashSet<&str> = target.values().flat_map(dependencies).collect();
    let mut roots = found
        .iter()
        .filter(|(id, found)| found.is_project && !needed.contains(id.as_str()));
    let (root, _) = roots.next()?;
    roots.next().is_none().then(|| root.clone())
}

fn dependencies(library: &TargetLibrary) -> impl Iterator<Item = &str> {
    library.dependencies.iter().map(String::as_str)
}

fn place(package: &mut Package, direct: &HashSet<&str>) {
    if direct.is_empty() || package.relationship != Relationship::Unknown {
        return;
    }
    package.indirect = !direct.contains(package.id.as_str());
    package.relationship = match package.indirect {
        true => Relationship::Indirect,
        false => Relationship::Direct,
    };
}
