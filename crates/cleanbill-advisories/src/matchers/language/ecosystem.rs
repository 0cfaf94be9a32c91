//! The table of ecosystems.

use std::borrow::Cow;

use cleanbill_version::VersionScheme;

/// Says how packages of an ecosystem are looked up and compared. To add an ecosystem, add a line to
/// [`ECOSYSTEMS`].
pub(super) struct Ecosystem {
    /// The types of packages, as reports print them.
    kinds: &'static [&'static str],
    /// Where its advisories are.
    pub(super) shelf: Shelf,
    /// The name under which a package is looked up.
    name: NameRule,
}

/// Is a set of buckets whose names have one beginning, with the rules of its versions.
#[derive(Debug)]
pub struct Shelf {
    /// The beginning, `npm::`.
    pub prefix: &'static str,
    /// The rules by which versions are compared.
    pub scheme: VersionScheme,
}

/// Says how the name of a package is changed before it is looked up.
#[derive(Clone, Copy)]
enum NameRule {
    AsWritten,
    Lower,
    /// Lower case and hyphens for underscores. Dots stay, unlike in PEP 503.
    Python,
    /// Without the beginning and end of an address of a repository.
    Swift,
}

/// Every ecosystem. Source: spec 04 section 2.1, Trivy `pkg/detector/library/driver.go`; for the
/// names, trivy-db `pkg/vulnsrc/vulnerability/vulnerability.go`.
const ECOSYSTEMS: &[Ecosystem] = &[
    row(
        &["node-pkg", "npm", "yarn", "pnpm", "bun", "javascript"],
        "npm::",
        VersionScheme::Npm,
        NameRule::Lower,
    ),
    row(
        &["python-pkg", "pip", "pipenv", "poetry", "uv", "pylock"],
        "pip::",
        VersionScheme::Pep440,
        NameRule::Python,
    ),
    row(
        &["jar", "pom", "gradle", "sbt"],
        "maven::",
        VersionScheme::Maven,
        NameRule::Lower,
    ),
    row(
        &["gobinary", "gomod"],
        "go::",
        VersionScheme::Generic,
        NameRule::AsWritten,
    ),
    row(
        &["gemspec", "bundler"],
        "rubygems::",
        VersionScheme::Gem,
        NameRule::Lower,
    ),
    row(
        &["composer-vendor", "composer"],
        "composer::",
        VersionScheme::Generic,
        NameRule::Lower,
    ),
    row(
        &["dotnet-core", "nuget", "packages-props"],
        "nuget::",
        VersionScheme::Generic,
        NameRule::Lower,
    ),
    row(
        &["rustbinary", "cargo"],
        "cargo::",
        VersionScheme::Generic,
        NameRule::Lower,
    ),
    row(
        &["bitnami"],
        "bitnami::",
        VersionScheme::Bitnami,
        NameRule::Lower,
    ),
    row(
        &["julia"],
        "julia::",
        VersionScheme::Generic,
        NameRule::AsWritten,
    ),
    row(
        &["kubernetes"],
        "k8s::",
        VersionScheme::Generic,
        NameRule::Lower,
    ),
    row(&["pub"], "pub::", VersionScheme::Generic, NameRule::Lower),
    row(
        &["hex"],
        "erlang::",
        VersionScheme::Generic,
        NameRule::Lower,
    ),
    row(
        &["conan"],
        "conan::",
        VersionScheme::Generic,
        NameRule::Lower,
    ),
    row(
        &["swift"],
        "swift::",
        VersionScheme::Generic,
        NameRule::Swift,
    ),
    row(
        &["cocoapods"],
        "cocoapods::",
        VersionScheme::Gem,
        NameRule::AsWritten,
    ),
];

const fn row(
    kinds: &'static [&'static str],
    prefix: &'static str,
    scheme: VersionScheme,
    name: NameRule,
) -> Ecosystem {
    Ecosystem {
        kinds,
        shelf: Shelf { prefix, scheme },
        name,
    }
}

/// Returns the ecosystem of a type; `None` if nobody publishes advisories for it (`conda-pkg`).
pub(super) fn of_kind(kind: &str) -> Option<&'static Ecosystem> {
    ECOSYSTEMS
        .iter()
        .find(|ecosystem| ecosystem.kinds.contains(&kind))
}

impl Ecosystem {
    /// Returns the name under which a package is looked up.
    pub(super) fn looked_up_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match self.name {
            NameRule::AsWritten => Cow::Borrowed(name),
            NameRule::Lower => lower(name),
            NameRule::Python => Cow::Owned(lower(name).replace('_', "-")),
            NameRule::Swift => {
                let name = name.strip_prefix("https://").unwrap_or(name);
                Cow::Borrowed(name.strip_suffix(".git").unwrap_or(name))
            }
        }
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .any(|byte| !byte.is_ascii() || byte.is_ascii_uppercase())
    {
        Cow::Owned(name.to_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
