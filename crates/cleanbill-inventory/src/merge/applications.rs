//! The language applications of an image.

use std::collections::BTreeMap;

use cleanbill_core::inventory::Application;
use cleanbill_core::package;

use super::origin::Origins;
use super::tree::Tree;

/// Types of which reports join all applications into one; the packages keep their own paths.
/// Source: spec 03 section 4.
const JOINED: &[&str] = &["conda-pkg", "gemspec", "jar", "node-pkg", "python-pkg"];

/// Completes the applications that are left, joins those that reports join, and sorts by type
/// and path.
pub(super) fn complete(tree: &Tree<'_>, origins: &Origins<'_>) -> Vec<Application> {
    let mut joined: BTreeMap<(String, String), Application> = BTreeMap::new();
    for application in tree.applications() {
        let path = &application.path;
        let is_joined = JOINED.contains(&application.kind.as_str());
        let shown_path = if is_joined { "" } else { path };
        let key = (application.kind.clone(), shown_path.to_owned());
        let target = joined.entry(key).or_insert_with(|| Application {
            kind: application.kind.clone(),
            path: shown_path.to_owned(),
            packages: Vec::new(),
        });
        target
            .packages
            .extend(application.packages.iter().cloned().map(|mut package| {
                if package.layer.is_none() {
                    package.layer = origins.of_application_package(path, &package);
                }
                package
            }));
    }
    let mut applications: Vec<_> = joined
        .into_values()
        .filter(|application| {
            !(application.packages.is_empty() && JOINED.contains(&application.kind.as_str()))
        })
        .collect();
    for application in &mut applications {
        package::sort(&mut application.packages);
    }
    applications
}
