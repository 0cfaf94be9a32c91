//! Packages that an SBOM of the same layer describes, and their own files too.
//!
//! Source: spec 04 section 0.3; Trivy 0.74.0 `pkg/fanal/analyzer`, `PostAnalyze`.

use std::collections::HashSet;

use cleanbill_core::Package;

use super::applications::ApplicationsDraft;

/// Extractors whose files are not read where an SBOM of the layer reports them.
const YIELDING: &[&str] = &["cargo", "jar", "julia", "nuget", "python-pkg"];

/// Returns the paths of the applications and packages that SBOMs report.
pub(super) fn paths(applications: &ApplicationsDraft) -> HashSet<String> {
    let mut paths = HashSet::new();
    for application in applications.iter() {
        let packages = application.packages.iter();
        if !packages.clone().any(|package| is_by(package, &["sbom"])) {
            continue;
        }
        paths.insert(application.path.to_owned());
        let files = packages.map(|package| &package.file_path);
        paths.extend(files.filter(|file| !file.is_empty()).cloned());
    }
    paths
}

/// Drops the applications that were read from files with such a path.
pub(super) fn drop_reported(applications: &mut ApplicationsDraft, paths: &HashSet<String>) {
    if paths.is_empty() {
        return;
    }
    applications.retain(|application| {
        let mut packages = application.packages.iter();
        let is_yielding = packages.any(|package| is_by(package, YIELDING));
        !(is_yielding && paths.contains(application.path))
    });
}

fn is_by(package: &Package, extractors: &[&str]) -> bool {
    extractors.contains(&package.analyzed_by.as_str())
}
