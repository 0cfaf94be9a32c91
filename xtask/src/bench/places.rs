//! What is run where, and what is required of it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cleanbill_testkit::AdvisoryDatabaseBuilder;
use serde_json::json;

use super::debian;
use super::image::{BenchImage, BenchLayer};
use super::java;
use super::process::Program;
use super::report::{Check, megabytes};
use super::series::Series;

pub(crate) const FLOOR: &str = "floor";
pub(crate) const FLOOR_OVER_HTTP: &str = "floor over HTTP";
pub(crate) const COLD: &str = "cleanbill, cold";
pub(crate) const KNOWN: &str = "cleanbill, known image";

/// Exit statuses of a scan that took place: clean, and not assessed completely.
pub(crate) const SCANNED: &[i32] = &[0, 3];

/// Bytes that a process may have, without mapped files.
pub(crate) const PEAK_MEGABYTES_MAX: f64 = 64.0 * 1.048_576;

/// Where the image lies, and what is run on it there.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) contenders: Vec<Contender>,
}

/// A program that is measured.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// Directories that are removed before each run.
    pub(crate) fresh: Vec<PathBuf>,
    /// Exit statuses that are fine.
    pub(crate) statuses: &'static [i32],
}

/// The programs, and the directories that they use.
pub(crate) struct Tools {
    /// Everything is written below it.
    pub(crate) directory: PathBuf,
    /// The advisory database.
    pub(crate) database: PathBuf,
    pub(crate) cleanbill: PathBuf,
    xtask: PathBuf,
    trivy: Option<PathBuf>,
    syft: Option<PathBuf>,
}

impl Tools {
    pub(crate) fn find(
        root: &Path,
        directory: &Path,
        database: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let database = match database {
            Some(database) => database.to_owned(),
            None => made_up_database(&directory.join("database"))?,
        };
        let tools = Self {
            directory: directory.to_owned(),
            database,
            cleanbill: std::env::var_os("CLEANBILL_BIN")
                .map_or_else(|| root.join("target/release/cleanbill"), PathBuf::from),
            xtask: std::env::current_exe()?,
            trivy: find("TRIVY_BIN", "trivy"),
            syft: find("SYFT_BIN", "syft"),
        };
        if tools.trivy.is_some() {
            copy(&tools.database, &tools.trivy_cache().join("db"), "trivy.db")?;
        }
        Ok(tools)
    }

    /// Writes the Java index where programs that are given the advisory database look for it. A
    /// database of the user's may have one of its own beside it.
    pub(crate) fn add_java_index(&self) -> anyhow::Result<()> {
        let index = java::index(&self.directory)?;
        let beside = self.java_index();
        let index = beside.as_deref().and_then(Path::parent).unwrap_or(&index);
        if self.trivy.is_some() {
            copy(index, &self.trivy_cache().join("java-db"), "trivy-java.db")?;
        }
        Ok(())
    }

    /// Returns the Java index that programs find beside the advisory database.
    pub(crate) fn java_index(&self) -> Option<PathBuf> {
        let index = self.database.parent()?.join("java-db/trivy-java.db");
        index.is_file().then_some(index)
    }

    /// Returns where Trivy keeps what it knows of layers.
    pub(crate) fn trivy_layers(&self) -> PathBuf {
        self.trivy_cache().join("fanal")
    }

    fn trivy_cache(&self) -> PathBuf {
        self.directory.join("trivy-cache")
    }

    /// Returns a scan with a cache of its own.
    pub(crate) fn scan(&self, cache: &str, arguments: &[&str]) -> Program {
        let cache = self.directory.join("cache").join(cache);
        let mut all = vec![
            "scan",
            "--skip-db-update",
            "--format",
            "json",
            "--cache-dir",
        ];
        let cache = cache.to_string_lossy();
        let database = self.database.to_string_lossy();
        all.extend([&*cache, "--db-path", &*database]);
        all.extend(arguments);
        Program::new(&self.cleanbill, all)
    }

    /// Returns a scan without and one with a filled cache.
    pub(crate) fn cleanbill(&self, place: &str, arguments: &[&str]) -> Vec<Contender> {
        let cold = format!("{place}-cold");
        vec![
            Contender {
                name: COLD,
                program: self.scan(&cold, arguments),
                fresh: vec![self.directory.join("cache").join(&cold)],
                statuses: SCANNED,
            },
            // The round that does not count fills its cache.
            Contender {
                name: KNOWN,
                program: self.scan(&format!("{place}-known"), arguments),
                fresh: Vec::new(),
                statuses: SCANNED,
            },
        ]
    }

    /// Returns the floor program for some blobs or parts of an archive.
    pub(crate) fn floor(&self, pieces: impl Iterator<Item = String>) -> Contender {
        let arguments = std::iter::once("floor".to_owned()).chain(pieces);
        Contender {
            name: FLOOR,
            program: Program::new(&self.xtask, arguments),
            fresh: Vec::new(),
            statuses: &[0],
        }
    }

    /// Returns Trivy and Syft, where installed.
    pub(crate) fn peers(&self, trivy: &[&str], syft: &str) -> Vec<Contender> {
        let mut peers = Vec::new();
        let cache = self.trivy_cache();
        if let Some(path) = &self.trivy {
            let cache_text = cache.to_string_lossy();
            let mut all = vec!["image", "--cache-dir", &*cache_text];
            all.extend(
                "--scanners vuln --offline-scan --skip-db-update \
                 --skip-java-db-update --skip-version-check --format json --quiet"
                    .split_whitespace(),
            );
            all.extend(trivy);
            let program = Program::new(path, all);
            let cold = vec![self.trivy_layers()];
            for (name, fresh) in [("trivy, cold", cold), ("trivy, known image", Vec::new())] {
                peers.push(Contender {
                    name,
                    program: program.clone(),
                    fresh,
                    statuses: &[0],
                });
            }
        }
        if let Some(path) = &self.syft {
            let program = Program::new(path, ["scan", "--output", "json", syft]);
            peers.push(Contender {
                name: "syft",
                program,
                fresh: Vec::new(),
                statuses: &[0],
            });
        }
        peers
    }
}

/// Returns the places that are files.
pub(crate) fn local(tools: &Tools, image: &BenchImage) -> Vec<Place> {
    let layouts = [
        (
            "OCI layout, gzip",
            &image.gzip_layout,
            blob_digests(image, |layer| &layer.gzip.digest),
        ),
        (
            "OCI layout, zstd",
            &image.zstd_layout,
            blob_digests(image, |layer| &layer.zstd.digest),
        ),
    ];
    let mut places: Vec<Place> = layouts
        .into_iter()
        .map(|(name, layout, digests)| {
            let path = layout.to_string_lossy();
            let blobs = digests
                .into_iter()
                .map(|digest| BenchImage::blob_path(layout, digest).display().to_string());
            let mut contenders = vec![tools.floor(blobs)];
            contenders.extend(tools.cleanbill(name, &["--input", &path]));
            contenders.extend(tools.peers(&["--input", &path], &format!("oci-dir:{path}")));
            Place {
                name: name.to_owned(),
                contenders,
            }
        })
        .collect();
    let path = image.archive.to_string_lossy();
    let name = "docker-archive, plain layers";
    let pieces = image
        .layers
        .iter()
        .map(|layer| format!("{path}@{}+{}", layer.archive_offset, layer.size_bytes));
    let mut contenders = vec![tools.floor(pieces)];
    contenders.extend(tools.cleanbill("docker-archive", &["--input", &path]));
    contenders.extend(tools.peers(&["--input", &path], &format!("docker-archive:{path}")));
    places.push(Place {
        name: name.to_owned(),
        contenders,
    });
    places
}

fn blob_digests(image: &BenchImage, digest: fn(&BenchLayer) -> &String) -> Vec<&String> {
    image.layers.iter().map(digest).collect()
}

/// Compares what was measured with what is required of an image with or without packages of
/// languages.
pub(crate) fn checks(series: &[Series], languages: bool) -> Vec<Check> {
    let wall = |place: &str, contender: &str| {
        series
            .iter()
            .find(|series| series.place == place && series.contender == contender)
            .map(|series| series.median.wall_seconds)
    };
    let mut checks = Vec::new();
    let mut ratio = |name: &str, of: (&str, &str), to: (&str, &str), limit: f64| {
        if let (Some(wall_of), Some(wall_to)) = (wall(of.0, of.1), wall(to.0, to.1)) {
            checks.push(Check::at_most(name, wall_of / wall_to, limit, "×"));
        }
    };
    for kind in ["gzip", "zstd"] {
        let layout = format!("OCI layout, {kind}");
        let registry = format!("registry, {kind}");
        // Where there are languages, files of packages, archives among them, are read on top of
        // what the floor does.
        let limit = if languages { 1.4 } else { 1.3 };
        for place in [&layout, &registry] {
            ratio(
                &format!("{place}: cold / floor"),
                (place, COLD),
                (&layout, FLOOR),
                limit,
            );
        }
    }
    let archive = "docker-archive, plain layers";
    ratio(
        &format!("{archive}: cold / read and hash"),
        (archive, COLD),
        (archive, FLOOR),
        1.5,
    );
    let (engine, export) = (super::engine::IN_PLACE, super::engine::EXPORT);
    // "No slower" within what two runs of the same program differ by.
    ratio(
        &format!("{export}: cold / the stream"),
        (export, COLD),
        (export, FLOOR),
        1.05,
    );
    if let Some(seconds) = wall(engine, COLD) {
        checks.push(Check::at_most(format!("{engine}: cold"), seconds, 0.8, "s"));
    }
    for series in series.iter().filter(|series| series.contender == KNOWN) {
        let name = format!("{}: known image", series.place);
        let limit = if series.place.starts_with("registry") {
            continue;
        } else {
            50.0
        };
        checks.push(Check::at_most(
            name,
            series.median.wall_seconds * 1000.0,
            limit,
            "ms",
        ));
    }
    for series in series.iter().filter(|series| series.contender == COLD) {
        let peak = megabytes(series.median.peak_anonymous_bytes);
        let name = format!("{}: peak of anonymous memory", series.place);
        checks.push(Check::at_most(name, peak, PEAK_MEGABYTES_MAX, "MB"));
    }
    checks
}

/// Copies a database and what describes it.
fn copy(from: &Path, to: &Path, database: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for name in [database, "metadata.json"] {
        std::fs::copy(from.join(name), to.join(name))
            .with_context(|| format!("cannot copy {name}"))?;
    }
    Ok(())
}

/// Finds a program by a variable, else on the path.
fn find(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    on_path(name)
}

/// Finds a program on the path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// Writes a database of made-up advisories: some about the image's packages, and a crowd.
fn made_up_database(directory: &Path) -> anyhow::Result<PathBuf> {
    const CROWD: usize = 40_000;
    if directory.join("metadata.json").exists() {
        return Ok(directory.to_owned());
    }
    let mut builder = AdvisoryDatabaseBuilder::new();
    let about_image = debian::sources().map(|(source, version)| (source.to_owned(), version));
    let crowd = (0..CROWD).map(|number| (format!("package-{number:05}"), "1.0-1"));
    for (number, (package, version)) in about_image.chain(crowd).enumerate() {
        for (offset, fixed) in [(0, Some("0")), (1, Some("999")), (2, None)] {
            let id = format!("CVE-2099-{}", 10_000 + number * 3 + offset);
            let advisory = match fixed {
                Some("0") => json!({"FixedVersion": version}),
                Some(fixed) => json!({"FixedVersion": format!("{fixed}:{version}")}),
                None => json!({"Status": 2}),
            };
            let details = json!({
                "Title": format!("{package}: a made-up flaw"),
                "Description": "A made-up description of a made-up flaw. ".repeat(8),
                "Severity": "HIGH",
                "References": [format!("https://example.com/{id}")],
                "PublishedDate": "2026-10-01T00:00:00Z",
            });
            builder = builder
                .advisory("debian 12", &package, &id, advisory)
                .vulnerability(&id, details);
        }
    }
    std::fs::create_dir_all(directory)?;
    builder
        .write_to(directory)
        .context("cannot write the made-up database")?;
    Ok(directory.to_owned())
}
