//! Package URLs of language packages. Source: spec 04 section 0.6; Trivy 0.74.0 `pkg/purl`.

use cleanbill_core::Package;
use cleanbill_core::purl::PackageUrl;

/// Makes the URL of a package of an application of some type. A package without a name has none,
/// nor has a Go module that is a local directory.
pub(in crate::merge) fn of_application_package(
    kind: &str,
    package: &Package,
) -> Option<PackageUrl> {
    let purl_kind = purl_kind_of(kind);
    let is_local = purl_kind == "golang"
        && (package.name.starts_with("./") || package.name.starts_with("../"));
    if package.name.is_empty() || is_local {
        return None;
    }
    let (namespace, name, subpath) = parts_of_name(purl_kind, &package.name);
    if purl_kind == "golang" && name.is_empty() {
        return None;
    }
    Some(PackageUrl {
        kind: purl_kind.to_owned(),
        namespace,
        name,
        version: super::version_without_epoch(package),
        qualifiers: qualifiers(purl_kind, package),
        subpath,
    })
}

/// Types of applications without a type of URL of another name lend it theirs.
fn purl_kind_of(kind: &str) -> &str {
    match kind {
        "jar" | "pom" | "gradle" | "sbt" => "maven",
        "gemspec" | "bundler" => "gem",
        "nuget" | "dotnet-core" | "packages-props" => "nuget",
        "composer" | "composer-vendor" => "composer",
        "conda-pkg" => "conda",
        "python-pkg" => "pypi",
        "gobinary" | "gomod" => "golang",
        "node-pkg" | "npm" | "yarn" | "pnpm" | "bun" => "npm",
        "rustbinary" | "cargo" => "cargo",
        other => other,
    }
}

/// Splits a name into namespace, name and subpath.
fn parts_of_name(purl_kind: &str, name: &str) -> (String, String, String) {
    let split = |name: &str| {
        let (namespace, name) = name.rsplit_once('/').unwrap_or(("", name));
        (namespace.to_owned(), name.to_owned(), String::new())
    };
    match purl_kind {
        "maven" => split(&name.replace(':', "/")),
        "composer" | "swift" | "julia" => split(name),
        "npm" | "golang" => split(&name.to_lowercase()),
        "pypi" => (
            String::new(),
            name.replace('_', "-").to_lowercase(),
            String::new(),
        ),
        "cocoapods" => {
            let (name, subpath) = name.split_once('/').unwrap_or((name, ""));
            (String::new(), name.to_owned(), subpath.to_owned())
        }
        _ => (String::new(), name.to_owned(), String::new()),
    }
}

fn qualifiers(purl_kind: &str, package: &Package) -> Vec<(String, String)> {
    let mut qualifiers = super::qualifiers(package);
    if purl_kind == "julia" {
        // The id of a Julia package is its UUID.
        qualifiers.push(("uuid".to_owned(), package.id.clone()));
    }
    qualifiers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, name: &str, version: &str, expected: &str) {
        let package = Package {
            id: "1a2b".to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            ..Package::default()
        };
        let purl = of_application_package(kind, &package);
        let found = purl.map(|purl| purl.to_string()).unwrap_or_default();
        assert_eq!(found, expected, "{kind} {name}");
    }

    #[test]
    fn types_have_their_own_forms() {
        for (kind, name, version, expected) in [
            ("gemspec", "Rake", "13.0", "pkg:gem/Rake@13.0"),
            (
                "python-pkg",
                "My_Pack.age",
                "1+l",
                "pkg:pypi/my-pack.age@1%2Bl",
            ),
            ("conda-pkg", "_libgcc", "0.1", "pkg:conda/_libgcc@0.1"),
            (
                "node-pkg",
                "@Angular/Core",
                "13.0.0",
                "pkg:npm/%40angular/core@13.0.0",
            ),
            ("node-pkg", "Qs", "6", "pkg:npm/qs@6"),
            (
                "composer-vendor",
                "Pear/Log",
                "v1",
                "pkg:composer/Pear/Log@v1",
            ),
            ("jar", "org.x:y", "1", "pkg:maven/org.x/y@1"),
            ("jar", "y", "1", "pkg:maven/y@1"),
            (
                "gobinary",
                "github.com/A/b",
                "v1",
                "pkg:golang/github.com/a/b@v1",
            ),
            ("gobinary", "stdlib", "v1.22", "pkg:golang/stdlib@v1.22"),
            ("gobinary", "./x", "", ""),
            ("gobinary", "../x", "", ""),
            ("gobinary", "x/", "", ""),
            ("rustbinary", "Serde", "1", "pkg:cargo/Serde@1"),
            ("cargo", "serde", "1", "pkg:cargo/serde@1"),
            ("dotnet-core", "A.B", "1", "pkg:nuget/A.B@1"),
            ("packages-props", "A.B", "1", "pkg:nuget/A.B@1"),
            ("julia", "JSON", "0.21", "pkg:julia/JSON@0.21?uuid=1a2b"),
            ("cocoapods", "A/B/C", "1", "pkg:cocoapods/A@1#B/C"),
            ("bitnami", "redis", "7", "pkg:bitnami/redis@7"),
            ("hex", "a/b", "", "pkg:hex/a%2Fb"),
            ("node-pkg", "", "1", ""),
        ] {
            check(kind, name, version, expected);
        }
    }
}
