//! The packages that images of the fleet have, and advisories are about.

use super::super::content::Random;
use super::super::debian;

/// A package of a distribution, by the names of Debian 12.
#[derive(Clone, Debug)]
pub(super) struct OsPackage {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: String,
    pub(super) source_version: String,
}

/// Source packages with more advisories than any other; the first is in one of the bases.
pub(super) const LARGEST: [&str; 8] = [
    "linux",
    "chromium",
    "firefox-esr",
    "wireshark",
    "imagemagick",
    "php8.2",
    "qemu",
    "mysql-8.0",
];

/// Packages that the list of Debian's is filled up with, so that bases differ.
const MORE_OS_PACKAGES: usize = 300;

/// Returns the packages of distributions: those that every base has first.
pub(super) fn os_packages() -> Vec<OsPackage> {
    let real = debian::rows().map(|row| {
        let (source, source_version) = row.source();
        OsPackage {
            name: row.name.to_owned(),
            version: row.version.to_owned(),
            source: source.to_owned(),
            source_version: source_version.to_owned(),
        }
    });
    let more = (0..MORE_OS_PACKAGES).map(|number| {
        // Two binary packages of each source package.
        let version = format!(
            "1.{}.{}-{}",
            number / 2 % 30,
            number / 2 % 7,
            1 + number / 2 % 4
        );
        OsPackage {
            name: format!("libextra{}-{}", number / 2, ["bin", "common"][number % 2]),
            version: version.clone(),
            source: format!("extra{}", number / 2),
            source_version: version,
        }
    });
    real.chain(more).collect()
}

/// Draws packages of npm as images have them: popular ones more often. Names and versions.
pub(crate) fn npm_packages(random: &mut Random, count: usize) -> Vec<(String, String)> {
    let npm = &ECOSYSTEMS[0];
    let mut ranks = std::collections::BTreeSet::new();
    while ranks.len() < count {
        ranks.insert(random.low(npm.popular));
    }
    let package = |rank| (npm.name(rank), npm.version(rank, random.low(4)));
    ranks.into_iter().map(package).collect()
}

/// Returns the version of a package in a release of a distribution: releases differ a little.
pub(super) fn version_in(release: &str, version: &str) -> String {
    match Random::of(release).below(4) {
        0 => version.to_owned(),
        step => format!("{version}+b{step}"),
    }
}

/// An ecosystem of languages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ecosystem {
    /// The type that reports print.
    pub(super) kind: &'static str,
    /// The type of package URLs.
    pub(super) purl: &'static str,
    /// The buckets of its advisories and the rows of each.
    pub(super) buckets: &'static [(&'static str, usize)],
    /// Names that images choose from, the most popular first.
    pub(super) popular: usize,
    prefix: &'static str,
    /// What stands between prefix and word.
    separator: &'static str,
}

pub(super) const ECOSYSTEMS: [Ecosystem; 7] = [
    Ecosystem {
        kind: "node-pkg",
        purl: "npm",
        buckets: &[
            ("npm::GitHub Security Advisory npm", 5_000),
            ("npm::Node.js Ecosystem Security Working Group", 700),
        ],
        popular: 3_000,
        prefix: "",
        separator: "",
    },
    Ecosystem {
        kind: "python-pkg",
        purl: "pypi",
        buckets: &[
            ("pip::GitHub Security Advisory pip", 5_500),
            ("pip::Python Packaging Advisory Database", 3_000),
        ],
        popular: 1_000,
        prefix: "",
        separator: "",
    },
    Ecosystem {
        kind: "jar",
        purl: "maven",
        buckets: &[
            ("maven::GitHub Security Advisory Maven", 7_000),
            ("maven::GitLab Advisory Database Community", 4_000),
        ],
        popular: 1_500,
        prefix: "org.example.",
        separator: ":",
    },
    Ecosystem {
        kind: "gobinary",
        purl: "golang",
        buckets: &[
            ("go::GitHub Security Advisory Go", 3_500),
            ("go::The Go Vulnerability Database", 3_000),
        ],
        popular: 800,
        prefix: "example.com/",
        separator: "/",
    },
    Ecosystem {
        kind: "gemspec",
        purl: "gem",
        buckets: &[
            ("rubygems::GitHub Security Advisory RubyGems", 1_200),
            ("rubygems::Ruby Advisory Database", 1_400),
        ],
        popular: 500,
        prefix: "",
        separator: "",
    },
    Ecosystem {
        kind: "composer-vendor",
        purl: "composer",
        buckets: &[
            ("composer::GitHub Security Advisory Composer", 4_500),
            ("composer::PHP Security Advisories Database", 1_500),
        ],
        popular: 400,
        prefix: "vendor",
        separator: "/",
    },
    Ecosystem {
        kind: "dotnet-core",
        purl: "nuget",
        buckets: &[("nuget::GitHub Security Advisory NuGet", 1_200)],
        popular: 300,
        prefix: "",
        separator: "",
    },
];

const WORDS: [&str; 24] = [
    "async", "body", "cache", "config", "core", "crypto", "data", "event", "file", "graph", "http",
    "json", "log", "mail", "net", "parse", "query", "route", "schema", "stream", "test", "url",
    "web", "yaml",
];

impl Ecosystem {
    /// Returns the name of a package by its rank.
    pub(super) fn name(&self, rank: usize) -> String {
        let word = |number: usize| WORDS.get(number % WORDS.len()).copied().unwrap_or("x");
        let (first, second) = (word(rank), word(rank / 24));
        if self.separator.is_empty() {
            format!("{first}-{second}-{}", rank / 576)
        } else {
            let group = rank / 8;
            format!(
                "{}{second}{group}{}{first}-{rank}",
                self.prefix, self.separator
            )
        }
    }

    /// Returns a version of a package. Most images have one of the newest three of eight.
    pub(super) fn version(&self, rank: usize, age: usize) -> String {
        let release = 8 - age.min(7);
        let plain = format!("{}.{}.{}", 1 + rank % 5, release, rank % 4);
        match self.kind {
            "gobinary" => format!("v{plain}"),
            _ => plain,
        }
    }
}
