//! Packages of programming languages.

pub(crate) mod cargo;
pub(crate) mod composer;
pub(crate) mod conda;
pub(crate) mod dotnet;
pub(crate) mod java;
pub(crate) mod julia;
pub(crate) mod node;
pub(crate) mod nuget;
pub(crate) mod program;
pub(crate) mod python;
pub(crate) mod ruby;
mod tables;

use cleanbill_core::{Limits, Package};

use crate::draft::{LayerDraft, Unread};
use crate::extractor::{ExtractError, FileInput};
use crate::json::JsonError;

/// Makes the id that findings and dependencies refer to. Without a version it is the bare name.
///
/// Source: spec 04 section 0.6. Types without ids of their own (gems, Python, Conda) do not call
/// this.
pub(crate) fn package_id(kind: &str, name: &str, version: &str) -> String {
    if version.is_empty() {
        return name.to_owned();
    }
    let separator = match kind {
        "dotnet-core" => "/",
        "jar" => ":",
        "gobinary" if !version.starts_with('v') => "@v",
        _ => "@",
    };
    format!("{name}{separator}{version}")
}

/// Makes a package of which only name and version are known.
pub(crate) fn package(name: impl Into<String>, version: impl Into<String>) -> Package {
    Package {
        name: name.into(),
        version: version.into(),
        ..Package::default()
    }
}

/// Reads a file that describes one installed package at most, and becomes an application of its
/// own. A file that makes no sense is only counted: packages carry such files as test data, and
/// the reference implementation ignores them too.
///
/// # Errors
///
/// The file could not be read.
fn extract_manifest(
    kind: &'static str,
    file: &mut FileInput<'_>,
    draft: &mut LayerDraft,
    parse: fn(&[u8]) -> Result<Option<Package>, String>,
) -> Result<(), ExtractError> {
    let bytes = file.read_small()?;
    match parse(&bytes) {
        Ok(package) => {
            let package = package.map(|package| Package {
                file_path: file.path.to_owned(),
                ..package
            });
            if package.is_some() {
                draft.add_application(kind, file.path, package.into_iter().collect());
            }
        }
        Err(reason) => refuse(kind, file.path, &reason, draft),
    }
    Ok(())
}

/// Says that a document lists more packages than a layer may have.
fn too_many_packages(limits: &Limits) -> JsonError {
    let max = limits.packages_per_layer_max;
    JsonError::exceeded(format!("more than {max} packages (packages_per_layer_max)"))
}

/// Counts a file that should describe packages of a kind and makes no sense.
fn refuse(kind: &'static str, path: &str, reason: &str, draft: &mut LayerDraft) {
    tracing::debug!(path, kind, reason, "ignoring a malformed file");
    draft.add_unread(Unread::Malformed(kind));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extractor::Extractor;
    use crate::testing::{
        applications_of, check_bounded, extract, extract_with_limits, little_room,
    };

    /// A version of the greatest length that packages may have.
    fn long() -> String {
        "1".repeat(4_096)
    }

    /// Joins what a function writes for each of a hundred numbers.
    fn hundred(separator: &str, write: impl Fn(usize) -> String) -> String {
        (0..100).map(write).collect::<Vec<_>>().join(separator)
    }

    #[track_caller]
    fn check_long_id(extractor: &dyn Extractor, path: &str, content: &str) {
        let inventory = extract_with_limits(extractor, path, content.as_bytes(), little_room());
        check_bounded(&inventory, 101);
    }

    #[test]
    fn one_long_id_is_not_written_out_for_all_that_need_it() {
        let long = long();
        let others = hundred(",", |n| {
            format!(r#"{{"name": "p{n}", "version": "1", "require": {{"long": "*"}}}}"#)
        });
        check_long_id(
            &composer::ComposerVendor,
            "installed.json",
            &format!(r#"{{"packages": [{{"name": "long", "version": "{long}"}}, {others}]}}"#),
        );
        let others = hundred(",", |n| {
            format!(r#""p{n}": {{"resolved": "1", "dependencies": {{"long": "1"}}}}"#)
        });
        check_long_id(
            &nuget::NuGet,
            "packages.lock.json",
            &format!(
                r#"{{"dependencies": {{"net8.0": {{"long": {{"resolved": "{long}"}}, {others}}}}}}}"#
            ),
        );
        let others = hundred("\n", |n| {
            format!("[[package]]\nname = 'p{n}'\nversion = '1'\ndependencies = ['long']")
        });
        check_long_id(
            &cargo::Cargo,
            "Cargo.lock",
            &format!("[[package]]\nname = 'long'\nversion = '{long}'\n{others}"),
        );
        let others = hundred(",", |n| {
            format!(
                r#"{{"type": "library", "name": "p{n}", "purl": "pkg:npm/p{n}@1", "bom-ref": "p{n}"}}"#
            )
        });
        let needs = hundred(",", |n| {
            format!(r#"{{"ref": "p{n}", "dependsOn": ["long"]}}"#)
        });
        check_long_id(
            &crate::extractors::sbom::Sbom,
            "a.cdx.json",
            &format!(
                r#"{{"bomFormat": "CycloneDX", "components": [
                {{"type": "library", "name": "long", "purl": "pkg:npm/long@{long}", "bom-ref": "long"}}, {others}],
                "dependencies": [{needs}]}}"#
            ),
        );
    }

    /// Extractors of JSON, with a file of each.
    const JSON: [(&dyn Extractor, &str); 6] = [
        (&composer::ComposerVendor, "vendor/composer/installed.json"),
        (&conda::CondaPackage, "opt/conda/conda-meta/a-1-0.json"),
        (&dotnet::DotNetCore, "app/a.deps.json"),
        (&node::NodePackage, "srv/package.json"),
        (&nuget::NuGet, "packages.lock.json"),
        (&crate::extractors::sbom::Sbom, "a.cdx.json"),
    ];

    #[test]
    fn json_of_any_depth_and_size_is_taken() {
        let member = |name: &str, value: &str| format!("{{\"{name}\": {value}}}");
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let deep_objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        let wide: Vec<_> = (0..20_000).map(|n| format!("\"{n}\":{n}")).collect();
        let wide = format!("{{{}}}", wide.join(","));
        let long = format!("\"{}\"", "x".repeat(1 << 20));
        let number = "9".repeat(100_000);
        let many = format!("[{}0]", "{},".repeat(100_000));
        for value in [deep, deep_objects, wide, long, number, many] {
            let names = [
                "packages",
                "libraries",
                "dependencies",
                "name",
                "license",
                "components",
            ];
            let documents = names.map(|name| member(name, &value));
            for (extractor, path) in JSON {
                for document in documents.iter().chain([&value]) {
                    let inventory = extract(extractor, path, document.as_bytes());
                    assert_eq!(applications_of(&inventory), [], "{path}");
                    assert!(inventory.problems.len() <= 1);
                }
            }
        }
    }

    #[test]
    fn ids_join_name_and_version() {
        for (kind, name, version, expected) in [
            ("node-pkg", "@babel/core", "7.0.0", "@babel/core@7.0.0"),
            ("node-pkg", "a", "", "a"),
            ("dotnet-core", "A.B", "1.0", "A.B/1.0"),
            ("jar", "g:a", "1", "g:a:1"),
            ("gobinary", "stdlib", "1.22", "stdlib@v1.22"),
            ("gobinary", "stdlib", "v1.22", "stdlib@v1.22"),
            ("cargo", "a", "0.1.0", "a@0.1.0"),
        ] {
            assert_eq!(package_id(kind, name, version), expected);
        }
    }
}
