//! Package URLs of OS packages. Source: spec 03 section 6.1.

mod language;

use cleanbill_core::Package;
use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::purl::PackageUrl;

pub(super) use language::of_application_package;

/// Says whether a package may belong to the distribution: a URL that came with it (from an SBOM)
/// must not name another one. Without a known distribution everything may.
pub(super) fn fits(package: &Package, distro: &Distro) -> bool {
    let namespace = package
        .identifier
        .purl
        .as_ref()
        .map(|purl| purl.namespace.as_str());
    match namespace {
        None | Some("") => true,
        Some(_) if distro.family.is_empty() => true,
        Some(namespace) => namespace == namespace_of(&distro.family),
    }
}

/// Makes the URL of a package of a distribution. A package without a name has none.
pub(super) fn of_os_package(package: &Package, distro: &Distro) -> Option<PackageUrl> {
    if package.name.is_empty() {
        return None;
    }
    let mut purl = PackageUrl {
        kind: kind_of(&distro.family).to_owned(),
        name: package.name.clone(),
        version: version_without_epoch(package),
        qualifiers: qualifiers(package),
        ..PackageUrl::default()
    };
    let family_and_name = format!("{}-{}", distro.family, distro.name);
    match purl.kind.as_str() {
        "apk" => {
            purl.name = purl.name.to_lowercase();
            purl.namespace = distro.family.as_str().to_lowercase();
            push(&mut purl, "distro", &distro.name);
        }
        "deb" => {
            distro.family.as_str().clone_into(&mut purl.namespace);
            push(&mut purl, "distro", &family_and_name);
        }
        "rpm" => {
            namespace_of(&distro.family).clone_into(&mut purl.namespace);
            push(&mut purl, "distro", &family_and_name);
            if !package.modularity_label.is_empty() {
                push(&mut purl, "modularitylabel", &package.modularity_label);
            }
        }
        "bottlerocket" => push(&mut purl, "distro", &family_and_name),
        _ => {}
    }
    Some(purl)
}

fn qualifiers(package: &Package) -> Vec<(String, String)> {
    // Most packages have an architecture and get a distribution; room for more adds up.
    let mut qualifiers = Vec::with_capacity(2);
    if !package.arch.is_empty() {
        qualifiers.push(("arch".to_owned(), package.arch.clone()));
    }
    if package.epoch != 0 {
        qualifiers.push(("epoch".to_owned(), package.epoch.to_string()));
    }
    qualifiers
}

fn push(purl: &mut PackageUrl, key: &str, value: &str) {
    purl.qualifiers.push((key.to_owned(), value.to_owned()));
}

fn version_without_epoch(package: &Package) -> String {
    let Package {
        version, release, ..
    } = package;
    if release.is_empty() {
        version.clone()
    } else {
        format!("{version}-{release}")
    }
}

/// Families without a type of their own lend it their name.
fn kind_of(family: &Family) -> &str {
    match family.as_str() {
        "alpine" | "wolfi" | "chainguard" | "minimos" => "apk",
        "debian" | "ubuntu" | "echo" => "deb",
        "redhat"
        | "centos"
        | "rocky"
        | "alma"
        | "amazon"
        | "fedora"
        | "oracle"
        | "opensuse"
        | "opensuse-leap"
        | "opensuse-tumbleweed"
        | "sles"
        | "slem"
        | "photon"
        | "azurelinux"
        | "cbl-mariner"
        | "coreos" => "rpm",
        other => other,
    }
}

fn namespace_of(family: &Family) -> &str {
    match family.as_str() {
        "sles" | "slem" => "suse",
        "opensuse-leap" | "opensuse-tumbleweed" => "opensuse",
        other => other,
    }
}
