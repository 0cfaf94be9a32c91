//! What Grype and OSV-Scanner call the kinds of packages, and the package URLs that these have.

use super::rule::Condition;

/// Grype's package types. Source: Syft `syft/pkg/type.go`.
const GRYPE_TYPES: &[(&str, &[&str])] = &[
    ("apk", &["apk"]),
    ("deb", &["deb"]),
    ("rpm", &["rpm"]),
    ("npm", &["npm"]),
    ("python", &["pypi"]),
    ("gem", &["gem"]),
    ("java-archive", &["maven"]),
    ("jenkins-plugin", &["maven"]),
    ("go-module", &["golang"]),
    ("rust-crate", &["cargo"]),
    ("php-composer", &["composer"]),
    ("dotnet", &["nuget"]),
    ("conda", &["conda"]),
    ("bitnami", &["bitnami"]),
];

/// Grype's languages. Source: Syft `syft/pkg/language.go`.
const GRYPE_LANGUAGES: &[(&str, &[&str])] = &[
    ("javascript", &["npm"]),
    ("python", &["pypi"]),
    ("ruby", &["gem"]),
    ("java", &["maven"]),
    ("go", &["golang"]),
    ("rust", &["cargo"]),
    ("php", &["composer"]),
    ("dotnet", &["nuget"]),
];

/// Ecosystems of languages. Source: OSV schema 1.7, "Defined ecosystems".
const OSV_LANGUAGES: &[(&str, &[&str])] = &[
    ("npm", &["npm"]),
    ("PyPI", &["pypi"]),
    ("RubyGems", &["gem"]),
    ("Maven", &["maven"]),
    ("Go", &["golang"]),
    ("crates.io", &["cargo"]),
    ("Packagist", &["composer"]),
    ("NuGet", &["nuget"]),
    ("Julia", &["julia"]),
    ("Bitnami", &["bitnami"]),
];

/// Ecosystems of distributions: type and namespace of the package URL.
const OSV_DISTROS: &[(&str, &str, &str)] = &[
    ("Alpine", "apk", "alpine"),
    ("Wolfi", "apk", "wolfi"),
    ("Chainguard", "apk", "chainguard"),
    ("MinimOS", "apk", "minimos"),
    ("Debian", "deb", "debian"),
    ("Ubuntu", "deb", "ubuntu"),
    ("Echo", "deb", "echo"),
    ("AlmaLinux", "rpm", "alma"),
    ("Rocky Linux", "rpm", "rocky"),
    ("Red Hat", "rpm", "redhat"),
    ("Photon OS", "rpm", "photon"),
];

/// Translates `package.type` of a rule of Grype's.
pub(super) fn grype_type(name: &str) -> Option<Condition> {
    purl_types(GRYPE_TYPES, name)
}

/// Translates `package.language` of a rule of Grype's.
pub(super) fn grype_language(name: &str) -> Option<Condition> {
    purl_types(GRYPE_LANGUAGES, name)
}

/// Translates an ecosystem of OSV, with or without a release (`Debian:12`, `Alpine:v3.20`).
pub(super) fn osv_ecosystem(text: &str) -> Option<Condition> {
    let (name, suffix) = text.split_once(':').unwrap_or((text, ""));
    if let Some(condition) = purl_types(OSV_LANGUAGES, name) {
        return suffix.is_empty().then_some(condition);
    }
    let (_, kind, namespace) = OSV_DISTROS.iter().find(|(known, ..)| *known == name)?;
    let release = suffix.split(':').next().unwrap_or_default();
    let release = release.strip_prefix('v').unwrap_or(release);
    Some(Condition::Distro {
        kind,
        namespace,
        release: release.to_owned(),
    })
}

/// Types of package URLs that packages found here have.
const TYPES: &[(&str, &[&str])] = &[
    ("deb", &["deb"]),
    ("rpm", &["rpm"]),
    ("apk", &["apk"]),
    ("npm", &["npm"]),
    ("pypi", &["pypi"]),
    ("gem", &["gem"]),
    ("maven", &["maven"]),
    ("golang", &["golang"]),
    ("cargo", &["cargo"]),
    ("composer", &["composer"]),
    ("nuget", &["nuget"]),
    ("conda", &["conda"]),
    ("conan", &["conan"]),
    ("cocoapods", &["cocoapods"]),
    ("swift", &["swift"]),
    ("pub", &["pub"]),
    ("hex", &["hex"]),
    ("julia", &["julia"]),
    ("bitnami", &["bitnami"]),
    ("k8s", &["k8s"]),
];

/// Translates any of these names, in any case: types of package URLs, languages, and what OSV calls
/// ecosystems, with or without a release.
pub(crate) fn named(text: &str) -> Option<Condition> {
    let lower = text.to_ascii_lowercase();
    let (name, release) = match text.split_once(':') {
        Some((name, release)) => (name, format!(":{release}")),
        None => (text, String::new()),
    };
    purl_types(TYPES, &lower)
        .or_else(|| grype_type(&lower))
        .or_else(|| grype_language(&lower))
        .or_else(|| {
            let osv = OSV_LANGUAGES.iter().map(|(name, _)| *name);
            let mut osv = osv.chain(OSV_DISTROS.iter().map(|(name, ..)| *name));
            let known = osv.find(|known| known.eq_ignore_ascii_case(name))?;
            osv_ecosystem(&format!("{known}{release}"))
        })
}

/// Iterates over the names that [`named`] knows.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let types = [TYPES, GRYPE_LANGUAGES, OSV_LANGUAGES, GRYPE_TYPES];
    let types = types.into_iter().flatten().map(|(name, _)| *name);
    types.chain(OSV_DISTROS.iter().map(|(name, ..)| *name))
}

fn purl_types(table: &'static [(&str, &[&str])], name: &str) -> Option<Condition> {
    let (_, kinds) = table.iter().find(|(known, _)| *known == name)?;
    Some(Condition::PurlTypes(kinds))
}
