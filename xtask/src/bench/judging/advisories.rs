//! A made-up advisory database as large as the published one: its buckets, the shapes of their
//! rows, and how unevenly rows are spread over packages.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use cleanbill_core::vulnerability::DataSource;
use cleanbill_testkit::AdvisoryDatabaseBuilder;
use serde_json::{Value, json};

use super::super::content::{ContentWriter, Random, Texture};
use super::catalogue::{ECOSYSTEMS, Ecosystem, LARGEST, OsPackage, os_packages, version_in};
use super::editions::Edition;
use super::images::{apk_version, rpm_version};

/// Changes with everything that changes the database.
pub(super) const RECIPE: u32 = 1;

/// Vulnerabilities that all advisories are about.
const VULNERABILITIES: usize = 250_000;

/// The rank of the first package of the fleet in a bucket, and how many ranks lie between two: in
/// real buckets most rows are about packages that few images have.
const FLEET_RANK: usize = 20;
const FLEET_STEP: usize = 8;

/// Buckets of a distribution.
struct OsBuckets {
    prefix: &'static str,
    releases: &'static [&'static str],
    /// Rows of each bucket.
    rows: usize,
    /// Packages that they are about.
    packages: usize,
    shape: Shape,
}

/// Says how rows look.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Debian,
    Ubuntu,
    Apk,
    /// A fixed version for rpm.
    Rpm,
    /// One entry for each set of architectures.
    ByArchitecture,
    /// Keyed by erratum, bound to platforms.
    RedHat,
}

/// Some 600,000 rows together with those of ecosystems, in the proportions of a database of 2026.
const OS_BUCKETS: [OsBuckets; 13] = [
    buckets(
        "debian ",
        &["10", "11", "12", "13"],
        34_000,
        3_000,
        Shape::Debian,
    ),
    buckets(
        "ubuntu ",
        &[
            "14.04-ESM",
            "16.04-ESM",
            "18.04-ESM",
            "18.04",
            "20.04",
            "22.04",
            "24.04",
            "25.10",
        ],
        20_000,
        2_500,
        Shape::Ubuntu,
    ),
    buckets(
        "alpine ",
        &[
            "3.10", "3.11", "3.12", "3.13", "3.14", "3.15", "3.16", "3.17", "3.18", "3.19", "3.20",
            "3.21", "3.22", "edge",
        ],
        3_000,
        900,
        Shape::Apk,
    ),
    buckets("wolfi", &[""], 4_000, 1_500, Shape::Apk),
    buckets("chainguard", &[""], 9_000, 2_500, Shape::Apk),
    buckets("Red Hat", &[""], 60_000, 4_000, Shape::RedHat),
    buckets(
        "rocky ",
        &["8", "9", "10"],
        7_000,
        1_500,
        Shape::ByArchitecture,
    ),
    buckets("alma ", &["8", "9", "10"], 6_000, 1_500, Shape::Rpm),
    buckets(
        "Oracle Linux ",
        &["7", "8", "9"],
        12_000,
        1_800,
        Shape::ByArchitecture,
    ),
    buckets(
        "amazon linux ",
        &["1", "2", "2023"],
        9_000,
        1_500,
        Shape::Rpm,
    ),
    buckets(
        "SUSE Linux Enterprise ",
        &["15.4", "15.5", "15.6", "15.7"],
        8_000,
        1_500,
        Shape::Rpm,
    ),
    buckets("Photon OS ", &["3.0", "4.0", "5.0"], 3_500, 500, Shape::Rpm),
    buckets("Azure Linux ", &["3.0"], 5_000, 800, Shape::Rpm),
];

const fn buckets(
    prefix: &'static str,
    releases: &'static [&'static str],
    rows: usize,
    packages: usize,
    shape: Shape,
) -> OsBuckets {
    OsBuckets {
        prefix,
        releases,
        rows,
        packages,
        shape,
    }
}

/// Writes the database. `scale` divides its rows and vulnerabilities.
pub(super) fn build(directory: &Path, scale: usize, edition: &Edition) -> anyhow::Result<()> {
    let fleet = os_packages();
    let mut writer = Writer {
        builder: AdvisoryDatabaseBuilder::new(),
        vulnerabilities: VULNERABILITIES / scale,
        rows: 0,
    };
    for buckets in &OS_BUCKETS {
        for release in buckets.releases {
            writer.os_bucket(buckets, release, &fleet, scale);
        }
    }
    for release in ["8", "9"] {
        for repository in ["baseos", "appstream"] {
            let name = format!("rhel-{release}-for-x86_64-{repository}-rpms");
            let cpe = i64::from(release == "9");
            writer.builder = writer.builder.repository_cpes(&name, &[cpe]);
        }
    }
    for ecosystem in &ECOSYSTEMS {
        for (bucket, rows) in ecosystem.buckets {
            writer.language_bucket(ecosystem, bucket, rows / scale);
        }
    }
    writer.vulnerabilities();
    println!(
        "{} advisories, {} vulnerabilities",
        writer.rows, writer.vulnerabilities
    );
    fs::create_dir_all(directory)?;
    edition
        .add_to(writer.builder)
        .write_to(directory)
        .context("cannot write the database")
}

struct Writer {
    builder: AdvisoryDatabaseBuilder,
    vulnerabilities: usize,
    rows: usize,
}

impl Writer {
    fn os_bucket(&mut self, buckets: &OsBuckets, release: &str, fleet: &[OsPackage], scale: usize) {
        let bucket = format!("{}{release}", buckets.prefix);
        self.source(&bucket);
        let names = fleet_names(fleet, buckets.shape);
        for (rank, count) in spread(buckets.rows / scale, buckets.packages).enumerate() {
            let (name, version) = match ranked(rank, &names) {
                Some((name, version)) => (name.to_owned(), version.to_owned()),
                None => (format!("unpopular-{rank}"), "1.2.3-4".to_owned()),
            };
            for number in 0..count {
                let (key, value) = self.os_row(buckets.shape, release, &name, &version, number);
                self.put(&bucket, &name, &key, &value);
            }
        }
    }

    fn os_row(
        &self,
        shape: Shape,
        release: &str,
        name: &str,
        version: &str,
        number: usize,
    ) -> (String, Value) {
        let id = self.id(name, number);
        let mut random = Random::of(&format!("{release}/{name}/{number}"));
        let fate = Fate::draw(&mut random, shape, name);
        let old = format!("0.{}.{}", random.below(30), random.below(9));
        let revision = 1 + random.below(9);
        let value = match shape {
            Shape::Debian | Shape::Ubuntu => match fate {
                Fate::Open if shape == Shape::Ubuntu => json!({}),
                Fate::Open => json!({"Status": 2, "Severity": 1 + random.below(4)}),
                Fate::Fixable => {
                    let installed = version_in(release, version);
                    json!({"FixedVersion": format!("{installed}+z{revision}")})
                }
                Fate::Past if random.below(8) == 0 => json!({
                    "FixedVersion": format!("{old}-{revision}"),
                    "VendorIDs": [format!("DSA-{}-1", 1000 + random.below(5000))],
                }),
                Fate::Past => json!({"FixedVersion": format!("{old}-{revision}")}),
            },
            Shape::Apk => match fate {
                Fate::Past => json!({"FixedVersion": format!("{old}-r{revision}")}),
                _ => json!({"FixedVersion": apk_version(version, 9)}),
            },
            Shape::Rpm => json!({"FixedVersion": rpm_fix(fate, version, &old, revision)}),
            Shape::ByArchitecture => {
                let fixed = rpm_fix(fate, version, &old, revision);
                json!({
                    "FixedVersion": fixed,
                    "Entries": [
                        {"FixedVersion": fixed, "Arches": ["x86_64", "noarch"]},
                        {"FixedVersion": fixed, "Arches": ["aarch64"]},
                    ],
                })
            }
            Shape::RedHat => return self.red_hat_row(fate, &mut random, name, version, number),
        };
        (id, value)
    }

    /// A row of Red Hat's: an erratum about up to three vulnerabilities, or one that is not fixed.
    fn red_hat_row(
        &self,
        fate: Fate,
        random: &mut Random,
        name: &str,
        version: &str,
        number: usize,
    ) -> (String, Value) {
        let id = self.id(name, number);
        let cpes: Vec<usize> = (0..2 + random.below(6))
            .map(|cpe| random.below(2) + 2 * cpe)
            .collect();
        if fate == Fate::Open {
            let entry = json!({
                "Affected": cpes, "Cves": [{"Severity": 1 + random.below(3)}], "Status": 5,
            });
            return (id, json!({"Entries": [entry]}));
        }
        let old = format!("0.{}.{}", random.below(30), random.below(9));
        let fixed = rpm_fix(fate, version, &old, 1 + random.below(9));
        let cves: Vec<Value> = (0..=random.below(3))
            .map(
                |more| json!({"ID": self.id(name, number + more), "Severity": 1 + random.below(4)}),
            )
            .collect();
        let key = format!("RHSA-{}:{:05}", 2015 + number % 12, number);
        let entry = json!({
            "FixedVersion": fixed,
            "Arches": ["aarch64", "ppc64le", "s390x", "x86_64"],
            "Affected": cpes,
            "Cves": cves,
        });
        (key, json!({"Entries": [entry]}))
    }

    fn language_bucket(&mut self, ecosystem: &Ecosystem, bucket: &str, rows: usize) {
        self.source(bucket);
        // A third of the popular packages have ever had an advisory.
        let known = ecosystem.popular / 3;
        for (rank, count) in spread(rows, known * 2).enumerate() {
            let place = rank * 3;
            let name = match rank < known {
                true => ecosystem.name(place).to_lowercase(),
                false => format!("unpopular-{rank}"),
            };
            for number in 0..count {
                let mut random = Random::of(&format!("{bucket}/{name}/{number}"));
                // Of eight releases, the oldest are affected by most.
                let age = 1 + 7_usize.saturating_sub(random.low(8)).min(7);
                let fixed = ecosystem.version(place, age.min(7) - random.low(2).min(age.min(7)));
                let fixed = fixed.trim_start_matches('v');
                let major = fixed.split('.').next().unwrap_or("1");
                let value = match random.below(10) {
                    0 => json!({"VulnerableVersions": [format!("<={fixed}")]}),
                    1..4 => json!({
                        "VulnerableVersions": [format!("<{fixed}")],
                        "PatchedVersions": [fixed],
                        "VendorIDs": [format!("GHSA-{:04x}-{:04x}", rank, number)],
                    }),
                    _ => json!({
                        "VulnerableVersions": [format!(">={major}.0.0, <{fixed}")],
                        "PatchedVersions": [fixed],
                    }),
                };
                let id = self.id(&name, number);
                self.put(bucket, &name, &id, &value);
            }
        }
    }

    fn source(&mut self, bucket: &str) {
        let id = bucket
            .split([' ', ':'])
            .next()
            .unwrap_or(bucket)
            .to_lowercase();
        let source = DataSource {
            url: format!("https://example.com/{id}"),
            name: format!("{bucket} advisories"),
            id,
            base_id: String::new(),
        };
        let builder = std::mem::take(&mut self.builder);
        self.builder = builder.data_source(bucket, &source);
    }

    fn put(&mut self, bucket: &str, name: &str, key: &str, value: &Value) {
        let builder = std::mem::take(&mut self.builder);
        self.builder = builder.advisory(bucket, name, key, value);
        self.rows += 1;
    }

    /// Returns the id of a package's vulnerability: the same in all buckets.
    fn id(&self, name: &str, number: usize) -> String {
        let begin = Random::of(name).below(self.vulnerabilities);
        id((begin + number) % self.vulnerabilities)
    }

    fn vulnerabilities(&mut self) {
        let mut content = ContentWriter::new(1);
        let mut text = Vec::new();
        for number in 0..self.vulnerabilities {
            let size = 200 + content.below(600);
            content.write(Texture::Text, size, &mut text);
            let description = String::from_utf8_lossy(&text);
            let builder = std::mem::take(&mut self.builder);
            self.builder = builder.vulnerability(&id(number), record(number, &description));
        }
    }
}

fn id(number: usize) -> String {
    format!("CVE-{}-{}", 2005 + number % 22, 10_000 + number)
}

/// Says whether an installed package is affected.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// Fixed before the version that images have.
    Past,
    /// Fixed after it.
    Fixable,
    /// Not fixed.
    Open,
}

impl Fate {
    /// Draws as often as in images of 2026: most rows are about what is long fixed; in the kernel
    /// much never will be.
    fn draw(random: &mut Random, shape: Shape, name: &str) -> Self {
        let can_be_open = matches!(shape, Shape::Debian | Shape::Ubuntu | Shape::RedHat);
        let open = match name {
            "linux" => 35,
            _ if can_be_open => 4,
            _ => 0,
        };
        match random.below(100) {
            draw if draw < open => Fate::Open,
            draw if draw < open + 2 => Fate::Fixable,
            _ => Fate::Past,
        }
    }
}

fn rpm_fix(fate: Fate, version: &str, old: &str, revision: usize) -> String {
    match fate {
        Fate::Past => format!("0:{old}-{revision}.el9"),
        _ => {
            let (version, _) = rpm_version(version);
            format!("0:{version}-{}.el9", 90 + revision)
        }
    }
}

/// Returns the names under which the fleet's packages are looked up, with their versions.
fn fleet_names(fleet: &[OsPackage], shape: Shape) -> Vec<(&str, &str)> {
    let is_by_source = matches!(shape, Shape::Debian | Shape::Ubuntu | Shape::Apk);
    let mut names: Vec<(&str, &str)> = Vec::new();
    for package in fleet {
        let named = match is_by_source {
            true => (&*package.source, &*package.source_version),
            false => (&*package.name, &*package.version),
        };
        if !names.contains(&named) {
            names.push(named);
        }
    }
    names
}

fn ranked<'a>(rank: usize, fleet: &[(&'a str, &'a str)]) -> Option<(&'a str, &'a str)> {
    if let Some(name) = LARGEST.get(rank) {
        return Some((name, "6.1.90-1"));
    }
    let place = rank.checked_sub(FLEET_RANK)?;
    let is_fleets = place.is_multiple_of(FLEET_STEP);
    is_fleets
        .then(|| fleet.get(place / FLEET_STEP).copied())
        .flatten()
}

/// Spreads rows over packages, the first with the most, as unevenly as in real buckets.
fn spread(rows: usize, packages: usize) -> impl Iterator<Item = usize> {
    let weight = |rank: usize| ((rank + 1) as f64).powf(-0.8);
    let total: f64 = (0..packages).map(weight).sum();
    let mut owed = 0.0;
    (0..packages).map(move |rank| {
        owed += rows as f64 * weight(rank) / total;
        let count = owed.floor();
        owed -= count;
        count as usize
    })
}

/// Builds the record of a vulnerability; real ones have 1.4 KB on average.
fn record(number: usize, description: &str) -> Value {
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let severity = 1 + number % 4;
    let name = ["LOW", "MEDIUM", "HIGH", "CRITICAL"][number % 4];
    let rating = json!({"V3Vector": vector, "V3Score": 5.0 + (number % 50) as f64 / 10.0});
    json!({
        "Title": format!("library-{number}: out-of-bounds read while parsing input"),
        "Description": description,
        "Severity": name,
        "CweIDs": ["CWE-125"],
        "VendorSeverity": {
            "nvd": severity, "debian": 1 + number % 3, "ubuntu": 2, "redhat": severity, "ghsa": severity,
        },
        "CVSS": {"nvd": rating, "redhat": rating, "ghsa": rating},
        "References": (0..7)
            .map(|link| format!("https://example.com/advisories/{number}/references/{link}"))
            .collect::<Vec<_>>(),
        "PublishedDate": "2025-02-03T04:05:06.123Z",
        "LastModifiedDate": "2025-03-04T05:06:07Z",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_advisories_as_in_the_published_database() {
        let of_distributions: usize = OS_BUCKETS
            .iter()
            .map(|buckets| {
                buckets.releases.len() * spread(buckets.rows, buckets.packages).sum::<usize>()
            })
            .sum();
        let of_ecosystems: usize = ECOSYSTEMS
            .iter()
            .flat_map(|ecosystem| ecosystem.buckets)
            .map(|(_, rows)| rows)
            .sum();
        let rows = of_distributions + of_ecosystems;
        assert!((600_000..620_000).contains(&rows), "{rows}");
    }
}
