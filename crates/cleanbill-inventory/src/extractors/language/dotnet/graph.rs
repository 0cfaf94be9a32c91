//! How the libraries of a .NET program depend on each other.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use cleanbill_core::Package;
use cleanbill_core::package::Relationship;

use super::{Found, Target, TargetLibrary};

/// Gives the libraries found their places in the graph of a target, as far as it tells them.
pub(super) fn complete(found: Found, mut target: Target, hasher: &RandomState) -> Vec<Package> {
    let root = root_of(&found, &target, hasher);
    let direct: HashSet<u64> = root
        .and_then(|root| target.get(&root))
        .map(|root| dependencies(root, hasher).collect())
        .unwrap_or_default();
    let Found {
        mut packages,
        kinds,
        places,
    } = found;
    for (package, kind) in packages.iter_mut().zip(kinds) {
        let hash = hasher.hash_one(&package.id);
        package.relationship = match root {
            Some(root) if kind.is_project && hash == root => Relationship::Root,
            Some(_) if kind.is_project => Relationship::Workspace,
            _ if direct.is_empty() => Relationship::Unknown,
            _ if direct.contains(&hash) => Relationship::Direct,
            _ => Relationship::Indirect,
        };
        package.indirect = package.relationship == Relationship::Indirect;
        if let Some(library) = target.remove(&hash) {
            package.depends_on = library.dependencies;
            package
                .depends_on
                .retain(|id| places.contains_key(&hasher.hash_one(id)));
            package.depends_on.shrink_to_fit();
            package.depends_on.sort_unstable();
        }
    }
    packages
}

/// Returns the only project that nothing depends on, if there is exactly one: the hash of its id.
fn root_of(found: &Found, target: &Target, hasher: &RandomState) -> Option<u64> {
    let needed = target.values();
    let needed: HashSet<u64> = needed
        .flat_map(|library| dependencies(library, hasher))
        .collect();
    let projects = found.packages.iter().zip(&found.kinds);
    let mut roots = projects
        .filter(|(_, kind)| kind.is_project)
        .map(|(package, _)| hasher.hash_one(&package.id))
        .filter(|hash| !needed.contains(hash));
    let root = roots.next()?;
    roots.next().is_none().then_some(root)
}

/// Returns the hashes of what a library needs.
fn dependencies(library: &TargetLibrary, hasher: &RandomState) -> impl Iterator<Item = u64> {
    library.dependencies.iter().map(|id| hasher.hash_one(id))
}
