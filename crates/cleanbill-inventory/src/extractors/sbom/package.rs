//! What a component says about a package.
//!
//! Source: spec 04 section 1.11 (names, types, ids), spec 02 section 2.6 (OS packages).

use cleanbill_core::package::{BuildInfo, LayerId, PackageIdentifier};
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::{DiffId, Digest, Package};
use cleanbill_version::{deb, rpm};

use super::bom::Component;
use super::error::SbomError;

/// Says what packages with a URL of some type are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Packages of the distribution.
    Os,
    /// Packages of a language; the type of the applications that hold them.
    Language(&'static str),
}

/// Returns the class of a package URL; `None` if such packages are not listed.
pub(super) fn class_of(purl: &PackageUrl) -> Option<Class> {
    Some(Class::Language(match purl.kind.as_str() {
        "apk" | "deb" | "rpm" => return Some(Class::Os),
        "composer" => "composer",
        "maven" => "jar",
        "gem" => "gemspec",
        "conda" => "conda-pkg",
        "pypi" => "python-pkg",
        "golang" => "gobinary",
        "npm" => "node-pkg",
        "cargo" => "cargo",
        "nuget" => "nuget",
        "swift" => "swift",
        "cocoapods" => "cocoapods",
        "hex" => "hex",
        "conan" => "conan",
        "pub" => "pub",
        "bitnami" => "bitnami",
        "k8s" => match purl.namespace.as_str() {
            "" => "kubernetes",
            "eks" => "eks",
            "gke" => "gke",
            "aks" => "aks",
            "ocp" => "ocp",
            _ => return None,
        },
        _ => return None,
    }))
}

/// Makes a package of a component; `None` if it has no URL or one of a type that is not listed.
///
/// # Errors
///
/// A property that must be a number is none.
pub(super) fn read(component: &Component) -> Result<Option<Package>, SbomError> {
    let Some(purl) = &component.purl else {
        return Ok(None);
    };
    let Some(class) = class_of(purl) else {
        return Ok(None);
    };
    let mut package = from_url(purl);
    package.name = name_of(component, purl);
    package.id = id_of(class, &package.name, &purl.version);
    package.identifier.bom_ref.clone_from(&component.bom_ref);
    package.licenses.clone_from(&component.licenses);
    apply_properties(&mut package, &component.properties)?;
    if package.file_path.is_empty() {
        package.file_path.clone_from(&component.file_path);
    }
    package.digest.clone_from(&component.digest);
    if class == Class::Os {
        fill_source(&mut package, component, &purl.kind);
    }
    Ok(Some(package))
}

fn from_url(purl: &PackageUrl) -> Package {
    let mut package = Package {
        version: purl.version.clone(),
        identifier: PackageIdentifier {
            purl: Some(purl.clone()),
            ..PackageIdentifier::default()
        },
        ..Package::default()
    };
    for (key, value) in &purl.qualifiers {
        match key.as_str() {
            "arch" => package.arch.clone_from(value),
            "modularitylabel" => package.modularity_label.clone_from(value),
            "epoch" => package.epoch = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    if purl.kind == "rpm" {
        let (_, version, release) = split_rpm_version(&purl.version);
        package.version = version;
        package.release = release;
    }
    package
}

/// Returns the name. A URL may have lost upper case, so the component's own name counts, except
/// where tools put something else there.
fn name_of(component: &Component, purl: &PackageUrl) -> String {
    let (namespace, name) = (&purl.namespace, &purl.name);
    match purl.kind.as_str() {
        "cocoapods" if !purl.subpath.is_empty() => format!("{name}/{}", purl.subpath),
        "maven" if !namespace.is_empty() => format!("{namespace}:{name}"),
        "cocoapods" | "bitnami" if !namespace.is_empty() => format!("{namespace}/{name}"),
        "cocoapods" | "bitnami" | "maven" => name.clone(),
        _ if !component.group.is_empty() => format!("{}/{}", component.group, component.name),
        _ => component.name.clone(),
    }
}

/// Returns the id of a package. Source: spec 04 section 0.6.
fn id_of(class: Class, name: &str, version: &str) -> String {
    match class {
        _ if version.is_empty() => name.to_owned(),
        Class::Language("conan") => format!("{name}/{version}"),
        Class::Language("jar") => format!("{name}:{version}"),
        Class::Language("gobinary") if !version.starts_with('v') => format!("{name}@v{version}"),
        _ => format!("{name}@{version}"),
    }
}

/// Takes over what Trivy noted about a package.
fn apply_properties(
    package: &mut Package,
    properties: &[(String, String)],
) -> Result<(), SbomError> {
    let mut build_info = BuildInfo::default();
    let (mut layer_digest, mut layer_diff_id) = (None, None);
    for (name, value) in properties {
        match name.as_str() {
            "PkgID" => package.id.clone_from(value),
            "FilePath" => package.file_path.clone_from(value),
            "SrcName" => package.src_name.clone_from(value),
            "SrcVersion" => package.src_version.clone_from(value),
            "SrcRelease" => package.src_release.clone_from(value),
            "SrcEpoch" => {
                package.src_epoch = value.parse().map_err(|_| SbomError::Malformed {
                    what: "property SrcEpoch".to_owned(),
                    reason: "it is no number".to_owned(),
                })?;
            }
            "Modularitylabel" => package.modularity_label.clone_from(value),
            "LayerDigest" => layer_digest = value.parse::<Digest>().ok(),
            "LayerDiffID" => layer_diff_id = value.parse::<DiffId>().ok(),
            "ContentSet" => build_info.content_sets.push(value.clone()),
            "NVR" => build_info.nvr.clone_from(value),
            "Arch" => build_info.arch.clone_from(value),
            _ => {}
        }
    }
    package.layer = layer_diff_id.map(|diff_id| LayerId {
        digest: layer_digest,
        diff_id,
    });
    if !build_info.content_sets.is_empty() || !build_info.nvr.is_empty() {
        package.build_info = Some(build_info);
    }
    Ok(())
}

/// Completes the source package: from the component, else it is the package itself.
fn fill_source(package: &mut Package, component: &Component, kind: &str) {
    if package.src_name.is_empty() {
        package.src_name.clone_from(&component.src_name);
    }
    if let Some((epoch, version, release)) = split_version(kind, &component.src_version) {
        package.src_epoch = epoch;
        package.src_version = version;
        package.src_release = release;
    }
    if !package.src_name.is_empty() && !package.src_version.is_empty() {
        return;
    }
    for (source, own) in [
        (&mut package.src_name, &package.name),
        (&mut package.src_version, &package.version),
        (&mut package.src_release, &package.release),
    ] {
        if source.is_empty() {
            source.clone_from(own);
        }
    }
    if package.src_epoch == 0 {
        package.src_epoch = package.epoch;
    }
}

/// Splits the version of a source package into epoch, version and release; `None` if there is
/// none, or it is malformed, or of a kind that is not split.
fn split_version(kind: &str, text: &str) -> Option<(i64, String, String)> {
    match kind {
        _ if text.is_empty() => None,
        "rpm" => Some(split_rpm_version(text)),
        "deb" => {
            let version = deb::Version::parse(text).ok()?;
            let (upstream, revision) = (version.upstream(), version.revision());
            Some((version.epoch(), upstream.to_owned(), revision.to_owned()))
        }
        _ => None,
    }
}

fn split_rpm_version(text: &str) -> (i64, String, String) {
    let version = rpm::Version::parse(text);
    let (number, release) = (version.version(), version.release());
    (version.epoch(), number.to_owned(), release.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_split_by_kind() {
        for (kind, text, expected) in [
            ("rpm", "1:2-3-4", Some((1, "2", "3-4"))),
            ("rpm", "x:2", Some((0, "2", ""))),
            ("deb", "1:2-3-4", Some((1, "2-3", "4"))),
            ("deb", "x:2", None),
            ("deb", "-1:2", None),
            ("deb", "a1", None),
            ("deb", "1^2", None),
            ("apk", "1-r0", None),
            ("deb", "", None),
        ] {
            let split = split_version(kind, text);
            let split = split.as_ref().map(|(e, v, r)| (*e, v.as_str(), r.as_str()));
            assert_eq!(split, expected, "{kind} {text}");
        }
    }

    #[test]
    fn ids_are_written_as_the_ecosystem_writes_them() {
        for (class, version, expected) in [
            (Class::Os, "1-2", "a@1-2"),
            (Class::Language("conan"), "1", "a/1"),
            (Class::Language("jar"), "1", "a:1"),
            (Class::Language("gobinary"), "1", "a@v1"),
            (Class::Language("gobinary"), "v1", "a@v1"),
            (Class::Language("node-pkg"), "", "a"),
        ] {
            assert_eq!(id_of(class, "a", version), expected);
        }
    }
}
