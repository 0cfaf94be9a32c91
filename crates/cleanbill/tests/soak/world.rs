//! What there is to watch: images that come, change and go, and advisories about what is in them.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_testkit::{AdvisoryDatabaseBuilder, ImageBuilder};
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::place::Place;
use crate::random::Random;

/// A finding: image and vulnerability.
pub(crate) type Finding = (String, String);

const PACKAGES: [&str; 6] = ["bash", "curl", "libc6", "openssl", "perl-base", "zlib1g"];
const NAMES: u64 = 6;
const OLD: &str = "1.0-1";
const FIXED: &str = "2.0-1";

/// The labels of images say what is in them.
const LABEL: &str = "soak.packages";

/// How bad the vulnerability of each package is, in the words of the database; 0: there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Advisories {
    severities: [u8; PACKAGES.len()],
    edition: u64,
}

impl Advisories {
    pub(crate) fn first() -> Self {
        Self {
            severities: [4, 3, 3, 4, 2, 3],
            edition: 1,
        }
    }

    /// Changes what is known of one package.
    pub(crate) fn change(&mut self, random: &mut Random) {
        let place = usize::try_from(random.below(6)).unwrap();
        self.severities[place] = *random.pick(&[0, 2, 3, 4]);
        self.edition += 1;
    }

    /// Puts the database where the program looks for it. It reads the new one when it asks for it:
    /// the data come first, then what says that they are others.
    pub(crate) fn publish(&self, place: &Place) {
        let (minutes, hours) = (self.edition % 60, self.edition / 60 % 24);
        let built = format!(
            "2024-{:02}-01T{hours:02}:{minutes:02}:00Z",
            self.edition / 1440 % 12 + 1
        );
        let mut database = AdvisoryDatabaseBuilder::new().metadata(format!(
            r#"{{"Version":2,"NextUpdate":"2125-01-01T00:00:00Z","UpdatedAt":"{built}","DownloadedAt":"{built}"}}"#
        ));
        for (package, severity) in PACKAGES.into_iter().zip(self.severities) {
            let id = id_of(package);
            if severity > 0 {
                let fix = format!(r#"{{"FixedVersion":"{FIXED}"}}"#);
                database = database.advisory("debian 12", package, &id, fix);
            }
            let severity = json!({"nvd": severity.max(1)});
            let record =
                json!({"Title": package, "Severity": "UNKNOWN", "VendorSeverity": severity});
            database = database.vulnerability(&id, record);
        }
        place.replace("cache/db/trivy.db", database.database());
        place.replace("cache/db/metadata.json", database.metadata_json());
    }

    /// Returns what is to be known of the images that are there: high and critical findings.
    pub(crate) fn truth(&self, images: &BTreeMap<String, String>) -> BTreeSet<Finding> {
        let mut truth = BTreeSet::new();
        for (image, packages) in images {
            for (package, severity) in PACKAGES.into_iter().zip(self.severities) {
                let is_there = packages
                    .split(',')
                    .any(|one| one == format!("{package}:{OLD}"));
                if is_there && severity >= 3 {
                    truth.insert((image.clone(), id_of(package)));
                }
            }
        }
        truth
    }
}

fn id_of(package: &str) -> String {
    let number = PACKAGES.iter().position(|one| *one == package).unwrap();
    format!("CVE-2099-{}", 1000 + number)
}

/// Does something with the images of an engine, and says what. A command that finds nothing to do
/// is none.
pub(crate) fn change(engine: &Engine, place: &Place, random: &mut Random) -> &'static str {
    let name = name(random);
    match random.below(100) {
        0..25 => {
            let image = image(random).tag(&name);
            engine.docker(&["load"], &image.docker_archive()).unwrap();
            "loaded"
        }
        25..50 => {
            build(engine, place, &name, random);
            "built"
        }
        50..75 => {
            let other = self::name(random);
            let done = engine.docker(&["tag", &other, &name], b"");
            if done.is_ok() { "tagged" } else { "nothing" }
        }
        75..95 => {
            let done = engine.docker(&["image", "rm", "--force", &name], b"");
            if done.is_ok() { "removed" } else { "nothing" }
        }
        _ => {
            engine.docker(&["image", "prune", "--force"], b"").unwrap();
            "pruned"
        }
    }
}

fn name(random: &mut Random) -> String {
    format!("soak/app:{}", random.below(NAMES))
}

/// Chooses what is installed.
fn packages(random: &mut Random) -> Vec<(&'static str, &'static str)> {
    let mut chosen = Vec::new();
    for package in PACKAGES {
        match random.below(3) {
            0 => {}
            1 => chosen.push((package, OLD)),
            _ => chosen.push((package, FIXED)),
        }
    }
    chosen
}

/// Builds an image with what a tag needs to be told from others: `seed` makes it unlike any other.
pub(crate) fn image_of(packages: &[(&str, &str)], seed: u64) -> ImageBuilder {
    ImageBuilder::new()
        .layer(|layer| layer.file("etc/debian_version", "12.5\n"))
        .layer(|layer| {
            layer
                .file("var/lib/dpkg/status", dpkg_status(packages))
                .file("srv/seed", seed.to_string())
        })
        .config("config", json!({"Labels": {LABEL: label(packages)}}))
}

fn image(random: &mut Random) -> ImageBuilder {
    image_of(&packages(random), random.next())
}

/// Makes two images of which each has what the other lacks.
pub(crate) fn two_images() -> [ImageBuilder; 2] {
    let bash = [("bash", OLD), ("openssl", FIXED)];
    let openssl = [("bash", FIXED), ("openssl", OLD)];
    [image_of(&bash, 1), image_of(&openssl, 2)]
}

fn build(engine: &Engine, place: &Place, name: &str, random: &mut Random) {
    let packages = packages(random);
    place.write("context/etc/debian_version", "12.5\n");
    place.write("context/status", dpkg_status(&packages));
    place.write("context/seed", random.next().to_string());
    place.write(
        "context/Dockerfile",
        format!(
            "FROM scratch\nCOPY etc /etc/\nLABEL {LABEL}=\"{}\"\nCOPY status /var/lib/dpkg/status\n\
             COPY seed /srv/seed\nCMD [\"x\"]\n",
            label(&packages)
        ),
    );
    let context = place.path("context").display().to_string();
    engine
        .docker(&["build", "--quiet", "--tag", name, &context], b"")
        .unwrap();
}

fn label(packages: &[(&str, &str)]) -> String {
    let words: Vec<String> = packages
        .iter()
        .map(|(name, version)| format!("{name}:{version}"))
        .collect();
    words.join(",")
}

fn dpkg_status(packages: &[(&str, &str)]) -> String {
    let block = |(name, version): &(&str, &str)| {
        format!(
            "Package: {name}\nStatus: install ok installed\nMaintainer: A <a@example.com>\n\
             Architecture: amd64\nVersion: {version}\n\n"
        )
    };
    packages.iter().map(block).collect()
}

/// Asks the engine what is there, and the images what is in them.
pub(crate) fn images(engine: &Engine) -> BTreeMap<String, String> {
    let list = [
        "image",
        "ls",
        "--format",
        "{{.Repository}}:{{.Tag}}",
        "soak/app",
    ];
    let names = engine.docker(&list, b"").unwrap();
    let names = names.lines().filter(|name| !name.ends_with(":<none>"));
    names
        .map(|name| {
            let call = [
                "image",
                "inspect",
                "--format",
                "{{json .Config.Labels}}",
                name,
            ];
            let labels: Value = serde_json::from_str(&engine.docker(&call, b"").unwrap()).unwrap();
            (name.to_owned(), labels[LABEL].as_str().unwrap().to_owned())
        })
        .collect()
}
