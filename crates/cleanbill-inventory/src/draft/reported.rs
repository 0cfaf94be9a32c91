//! Packages that an SBOM of the same layer describes, and their own files too.
//!
//! Source: spec 04 section 0.3; Trivy 0.74.0 `pkg/fanal/analyzer`, `PostAnalyze`.

use std::collections::HashSet;

use cleanbill_core::Package;

use super::Applications;

/// Extractors whose files are not read where an SBOM of the layer reports them.
const YIELDING: &[&str] = &["cargo", "jar", "julia", "nuget", "python-pkg"];

/// Returns the paths of the applications and packages that SBOMs report.
pub(super) fn paths(applications: &Applications) -> HashSet<String> {
    let mut paths = HashSet::new();
    for ((path, _), packages) in applications {
        let packages = &packages.value;
        if !packages.iter().any(|package| is_by(package, &["sbom"])) {
            continue;
        }
        paths.insert(path.to_string());
        let files = packages.iter().map(|package| &package.file_path);
        paths.extend(files.filter(|file| !file.is_empty()).cloned());
    }
    paths
}

/// Drops the applications that were read from files with such a path.
pub(super) fn drop_reported(applications: &mut Applications, paths: &HashSet<String>) {
    if paths.is_empty() {
        return;
    }
    applications.retain(|(path, _), packages| {
        let is_yielding = packages
            .value
            .iter()
            .any(|package| is_by(package, YIELDING));
        !(is_yielding && paths.contains(&**path))
    });
}

fn is_by(package: &Package, extractors: &[&str]) -> bool {
    extractors.contains(&package.analyzed_by.as_str())
}
