//! A made-up fleet: images that share bases, popular packages and most of their versions.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::inventory::{Application, ImageInventory};
use cleanbill_core::package::{LayerId, Package, PackageIdentifier, sort};
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::{DiffId, Digest};
use rusqlite::{Connection, params};

use super::super::content::Random;
use super::super::image;
use super::catalogue::{ECOSYSTEMS, Ecosystem, OsPackage, os_packages, version_in};

/// Changes with everything that changes the fleet.
pub(super) const RECIPE: u32 = 1;

/// Packages of every image.
const PACKAGES: usize = 200;

/// An image that others are built on.
struct Base {
    family: &'static str,
    /// The release as the image states it.
    release: &'static str,
    /// The release in the names of buckets.
    bucket: &'static str,
    packages: usize,
    /// It has the headers of the kernel, a package with more advisories than all others together.
    has_kernel_headers: bool,
}

/// The bases, the most popular first: six tenths of the fleet's packages are theirs.
const BASES: [Base; 20] = [
    base("debian", "12.5", "12", 120),
    base("ubuntu", "22.04", "22.04", 125),
    base("debian", "12.9", "12", 140),
    base("alpine", "3.20.3", "3.20", 40),
    base("ubuntu", "24.04", "24.04", 130),
    Base {
        has_kernel_headers: true,
        ..base("debian", "12.11", "12", 150)
    },
    base("redhat", "9.4", "9", 165),
    base("debian", "13.1", "13", 120),
    base("alpine", "3.22.1", "3.22", 45),
    base("debian", "11.9", "11", 130),
    base("ubuntu", "22.04", "22.04", 145),
    base("debian", "12.8", "12", 135),
    base("redhat", "8.10", "8", 170),
    base("ubuntu", "24.04", "24.04", 140),
    base("alpine", "3.19.1", "3.19", 50),
    base("rocky", "9.3", "9", 150),
    base("debian", "11.10", "11", 145),
    base("amazon", "2023 (Amazon Linux)", "2023", 150),
    base("ubuntu", "20.04", "20.04", 135),
    base("alpine", "3.18.4", "3.18", 45),
];

const fn base(
    family: &'static str,
    release: &'static str,
    bucket: &'static str,
    packages: usize,
) -> Base {
    Base {
        family,
        release,
        bucket,
        packages,
        has_kernel_headers: false,
    }
}

/// Writes a SQLite file with so many images, as a monitor keeps them: name, configuration and
/// packed inventory.
pub(super) fn build(path: &Path, count: usize) -> anyhow::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let _ = std::fs::remove_file(&unfinished);
    let mut connection = Connection::open(&unfinished)?;
    connection.execute_batch(
        "CREATE TABLE images (id INTEGER PRIMARY KEY, name TEXT NOT NULL, config TEXT NOT NULL,
         size INTEGER NOT NULL, inventory BLOB NOT NULL) STRICT",
    )?;
    let transaction = connection.transaction()?;
    let catalogue = os_packages();
    let mut packed_bytes = 0;
    for number in 0..count {
        let image = Image::draw(number, &catalogue);
        let config = String::from_utf8(image.config()).context("JSON is UTF-8")?;
        let (packed, size) = cleanbill_store::pack(&image.inventory)?;
        packed_bytes += packed.len();
        transaction
            .prepare_cached("INSERT INTO images VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                number as i64,
                format!("registry.example.com/team-{}/app-{number}:1", number % 50),
                config,
                size as i64,
                packed
            ])?;
    }
    transaction.commit()?;
    drop(connection);
    println!(
        "{count} inventories of {} bytes on average",
        packed_bytes / count.max(1)
    );
    std::fs::rename(&unfinished, path)?;
    Ok(())
}

struct Image {
    layers: Vec<DiffId>,
    inventory: ImageInventory,
}

impl Image {
    fn draw(number: usize, catalogue: &[OsPackage]) -> Self {
        let mut random = Random::new(number as u64);
        let place = random.low(BASES.len());
        let base = BASES.get(place).unwrap_or(&BASES[0]);
        let base_layer = layer(&format!("base {place}"));
        let own_layer = layer(&format!("image {number}"));
        let mut packages = base.packages_of(place, catalogue, base_layer);
        sort(&mut packages);
        let applications = applications(&mut random, PACKAGES - packages.len(), own_layer);
        Self {
            layers: vec![base_layer, layer(&format!("tools {place}")), own_layer],
            inventory: ImageInventory {
                distro: Some(Distro {
                    family: Family::new(base.family),
                    name: base.release.to_owned(),
                    ..Distro::default()
                }),
                packages,
                applications,
                ..ImageInventory::default()
            },
        }
    }

    fn config(&self) -> Vec<u8> {
        let diff_ids: Vec<String> = self.layers.iter().map(ToString::to_string).collect();
        image::config(
            diff_ids.iter().map(String::as_str),
            [
                "ADD rootfs.tar.xz / # buildkit",
                "RUN install-tools",
                "COPY . /srv/app",
            ],
        )
    }
}

fn layer(name: &str) -> DiffId {
    DiffId(Digest::of(name.as_bytes()))
}

impl Base {
    fn packages_of(&self, place: usize, catalogue: &[OsPackage], layer: DiffId) -> Vec<Package> {
        let mut packages: Vec<Package> = Vec::with_capacity(self.packages);
        // What every base has, and some of the rest.
        let common = self.packages.min(100);
        let rest = catalogue.get(common..).unwrap_or_default().iter();
        let chosen = (catalogue.iter().take(common)).chain(rest.skip(place * 9));
        packages.extend(
            chosen
                .take(self.packages)
                .map(|row| self.package(row, layer)),
        );
        if self.has_kernel_headers {
            let headers = OsPackage {
                name: "linux-libc-dev".to_owned(),
                version: "6.1.90-1".to_owned(),
                source: "linux".to_owned(),
                source_version: "6.1.90-1".to_owned(),
            };
            packages.pop();
            packages.push(self.package(&headers, layer));
        }
        packages
    }

    fn package(&self, row: &OsPackage, layer: DiffId) -> Package {
        let of_release = |version: &str| match self.family {
            "alpine" => (0, apk_version(version, 2), String::new()),
            "debian" | "ubuntu" => deb_version(&version_in(self.bucket, version)),
            _ => {
                let (version, release) = rpm_version(version);
                (0, version, release)
            }
        };
        let (epoch, version, release) = of_release(&row.version);
        let (src_epoch, src_version, src_release) = of_release(&row.source_version);
        let (kind, arch) = match self.family {
            "alpine" => ("apk", "x86_64"),
            "debian" | "ubuntu" => ("deb", "amd64"),
            _ => ("rpm", "x86_64"),
        };
        let mut package = Package {
            name: row.name.clone(),
            version,
            release,
            epoch,
            arch: arch.to_owned(),
            src_name: row.source.clone(),
            src_version,
            src_release,
            src_epoch,
            licenses: vec!["GPL-2.0-or-later".to_owned()],
            maintainer: "The Maintainers <maintainers@lists.example.com>".to_owned(),
            depends_on: vec![
                "libc6@2.36-9+deb12u4".to_owned(),
                "zlib1g@1:1.2.13".to_owned(),
            ],
            layer: Some(LayerId {
                digest: None,
                diff_id: layer,
            }),
            analyzed_by: kind.to_owned(),
            ..Package::default()
        };
        identify(&mut package, kind, self.family);
        package
    }
}

/// Fills in the identifiers.
fn identify(package: &mut Package, purl: &str, namespace: &str) {
    let version = package.installed_version();
    package.id = format!("{}@{version}", package.name);
    package.identifier = PackageIdentifier {
        uid: format!("{:016x}", Random::of(&package.id).next()),
        purl: Some(PackageUrl {
            kind: purl.to_owned(),
            namespace: namespace.to_owned(),
            name: package.name.clone(),
            version,
            qualifiers: match package.arch.is_empty() {
                true => Vec::new(),
                false => vec![("arch".to_owned(), package.arch.clone())],
            },
            subpath: String::new(),
        }),
        bom_ref: String::new(),
    };
}

/// Draws the applications of an image: mostly packages of one ecosystem.
fn applications(random: &mut Random, count: usize, layer: DiffId) -> Vec<Application> {
    let (main, other) = (ecosystem(random), ecosystem(random));
    let few = count / 8;
    let mut applications = vec![application(random, main, count - few, layer)];
    if other.kind == main.kind {
        applications.push(Application {
            path: "opt/tool/app".to_owned(),
            ..application(random, main, few, layer)
        });
    } else {
        applications.push(application(random, other, few, layer));
    }
    applications.sort_by(|a, b| (&a.kind, &a.path).cmp(&(&b.kind, &b.path)));
    applications
}

fn ecosystem(random: &mut Random) -> &'static Ecosystem {
    let place = match random.below(100) {
        0..35 => 0,
        35..60 => 1,
        60..75 => 2,
        75..90 => 3,
        90..94 => 4,
        94..97 => 5,
        _ => 6,
    };
    ECOSYSTEMS.get(place).unwrap_or(&ECOSYSTEMS[0])
}

fn application(
    random: &mut Random,
    ecosystem: &Ecosystem,
    count: usize,
    layer: DiffId,
) -> Application {
    let mut ranks = BTreeSet::new();
    while ranks.len() < count {
        ranks.insert(random.low(ecosystem.popular));
    }
    let mut packages: Vec<Package> = ranks
        .into_iter()
        .map(|rank| {
            let name = ecosystem.name(rank);
            let mut package = Package {
                version: ecosystem.version(rank, random.low(4)),
                licenses: vec!["MIT".to_owned()],
                layer: Some(LayerId {
                    digest: None,
                    diff_id: layer,
                }),
                file_path: format!("srv/app/vendor/{name}/metadata"),
                analyzed_by: ecosystem.kind.to_owned(),
                name,
                ..Package::default()
            };
            identify(&mut package, ecosystem.purl, "");
            package
        })
        .collect();
    sort(&mut packages);
    Application {
        kind: ecosystem.kind.to_owned(),
        path: match ecosystem.kind {
            "gobinary" | "composer-vendor" | "dotnet-core" => "srv/app/app".to_owned(),
            _ => String::new(),
        },
        packages,
    }
}

/// Splits a version of Debian's: epoch, upstream version, revision.
fn deb_version(text: &str) -> (i64, String, String) {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (version, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (
        epoch.parse().unwrap_or(0),
        version.to_owned(),
        revision.to_owned(),
    )
}

/// Returns the digits that a version begins with, behind its epoch.
fn plain_version(text: &str) -> &str {
    let version = text.split_once(':').map_or(text, |(_, rest)| rest);
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.');
    version
        .get(..end.unwrap_or(version.len()))
        .unwrap_or("1")
        .trim_end_matches('.')
}

/// Writes a version as Alpine does.
pub(super) fn apk_version(text: &str, revision: usize) -> String {
    format!("{}-r{revision}", plain_version(text))
}

/// Writes a version as rpm does: version and release.
pub(super) fn rpm_version(text: &str) -> (String, String) {
    (plain_version(text).to_owned(), "3.el9".to_owned())
}
