//! Which packages of a lock file a build uses, as far as the manifests beside it tell.
//!
//! What no dependency of the root or of a member leads to was locked for tests or builds, and
//! is left out. Source: spec 04 section 1.9, and Trivy 0.74.0
//! `pkg/fanal/analyzer/language/rust/cargo/cargo.go` (`removeDevDependencies`).

use std::collections::{BTreeMap, HashMap, HashSet};

use cleanbill_core::Package;
use cleanbill_core::package::{self, Relationship};

use super::manifest::CargoManifest;
use super::members::members;
use super::requirement::{Requirement, Version};

/// Leaves the packages that the manifest in `directory` and those of its members need. `steps` is
/// what this may still cost; where it is not enough, or there is no manifest, every package stays.
pub(crate) fn complete(
    directory: &str,
    manifests: &BTreeMap<String, CargoManifest>,
    packages: &mut Vec<Package>,
    steps: &mut u64,
) {
    if let Some(project) = Project::read(directory, manifests, steps) {
        package::sort(packages);
        *packages = project.select(std::mem::take(packages));
    }
}

/// Holds a workspace, or a package alone.
struct Project {
    root_id: String,
    member_ids: Vec<String>,
    /// What the root and the members depend on, with the requirements.
    dependencies: BTreeMap<String, Option<String>>,
}

impl Project {
    fn read(
        directory: &str,
        manifests: &BTreeMap<String, CargoManifest>,
        steps: &mut u64,
    ) -> Option<Self> {
        let root = manifests.get(&super::manifest_path(directory))?;
        let mut project = Self {
            root_id: root.package_id(""),
            member_ids: Vec::new(),
            dependencies: root.dependencies.clone(),
        };
        for member in members(directory, root, manifests, steps)? {
            *steps = steps.checked_sub(member.dependencies.len() as u64 + 1)?;
            project
                .member_ids
                .push(member.package_id(root.workspace_version()));
            for (name, requirement) in &member.dependencies {
                let known = project.dependencies.entry(name.clone());
                known.or_insert_with(|| requirement.clone());
            }
        }
        Some(project)
    }

    /// Selects among packages sorted by name and version.
    fn select(self, packages: Vec<Package>) -> Vec<Package> {
        let mut kept = self.direct(&packages);
        // Of several packages with one id the last counts.
        let by_id: HashMap<String, Package> = packages
            .into_iter()
            .map(|package| (package.id.clone(), package))
            .collect();
        add_indirect(&by_id, &mut kept);
        self.add_own(by_id, &mut kept);
        let mut packages: Vec<Package> = kept.into_values().collect();
        package::sort(&mut packages);
        packages
    }

    /// Finds the package of each direct dependency: the first of the name that the requirement
    /// allows.
    fn direct(&self, packages: &[Package]) -> HashMap<String, Package> {
        let mut direct = HashMap::new();
        for named in packages.chunk_by(|a, b| a.name == b.name) {
            let name = named.first().map_or("", |package| package.name.as_str());
            let Some(Some(requirement)) = self.dependencies.get(name) else {
                continue;
            };
            let Some(requirement) = Requirement::parse(requirement) else {
                continue;
            };
            let is_allowed = |package: &&Package| {
                Version::parse(&package.version).is_some_and(|version| requirement.allows(&version))
            };
            if let Some(package) = named.iter().find(is_allowed) {
                let package = Package {
                    relationship: Relationship::Direct,
                    ..package.clone()
                };
                direct.insert(package.id.clone(), package);
            }
        }
        direct
    }

    /// Adds the root and the members. What they need for tests or builds only is no dependency.
    fn add_own(self, by_id: HashMap<String, Package>, kept: &mut HashMap<String, Package>) {
        let member_ids: HashSet<&str> = self.member_ids.iter().map(String::as_str).collect();
        let mut own = Vec::new();
        for (id, package) in by_id {
            let relationship = if id == self.root_id {
                Relationship::Root
            } else if member_ids.contains(id.as_str()) {
                Relationship::Workspace
            } else {
                continue;
            };
            own.push(id.clone());
            kept.insert(
                id,
                Package {
                    relationship,
                    ..package
                },
            );
        }
        for id in own {
            let Some(mut depends_on) = kept
                .get_mut(&id)
                .map(|own| std::mem::take(&mut own.depends_on))
            else {
                continue;
            };
            depends_on.retain(|id| kept.contains_key(id));
            if let Some(package) = kept.get_mut(&id) {
                package.depends_on = depends_on;
            }
        }
        // A manifest without a package is not in the lock file.
        kept.entry(self.root_id.clone()).or_insert_with(|| Package {
            id: self.root_id,
            relationship: Relationship::Root,
            depends_on: self.member_ids,
            analyzed_by: super::KIND.to_owned(),
            ..Package::default()
        });
    }
}

/// Adds what the packages found so far need.
fn add_indirect(by_id: &HashMap<String, Package>, kept: &mut HashMap<String, Package>) {
    let mut open: Vec<String> = kept.keys().cloned().collect();
    while let Some(id) = open.pop() {
        let needed = by_id.get(&id).map(|package| package.depends_on.as_slice());
        for id in needed.unwrap_or_default() {
            if kept.contains_key(id) {
                continue;
            }
            if let Some(package) = by_id.get(id) {
                let package = Package {
                    relationship: Relationship::Indirect,
                    indirect: true,
                    ..package.clone()
                };
                kept.insert(id.clone(), package);
                open.push(id.clone());
            }
        }
    }
}
