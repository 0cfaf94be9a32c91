//! A real Docker engine: `CLEANBILL_TEST_DOCKER_HOST=unix:///…`, and the `docker` command.

use std::io::Write as _;
use std::process::{Command, Stdio};

use cleanbill_testkit::ImageBuilder;
use serde_json::Value;

use crate::samples;
use crate::sandbox::{Outcome, Sandbox, finding_ids};

/// Returns the value of a variable that names a service; without it the test is skipped, unless
/// services are required.
pub(crate) fn service(variable: &str) -> Option<String> {
    let value = std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty());
    if value.is_none() {
        let is_required = std::env::var("CLEANBILL_TEST_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(
            !is_required,
            "{variable} is not set, but services are required"
        );
        eprintln!("skipped: {variable} is not set");
    }
    value
}

/// An engine and the images that a test made there, which go when it ends.
pub(crate) struct Engine {
    pub(crate) host: String,
    pub(crate) sandbox: Sandbox,
    made: Vec<String>,
}

impl Engine {
    pub(crate) fn connect() -> Option<Self> {
        let host = service("CLEANBILL_TEST_DOCKER_HOST")?;
        Some(Self {
            host,
            sandbox: Sandbox::new(),
            made: Vec::new(),
        })
    }

    pub(crate) fn docker(&self, arguments: &[&str], input: &[u8]) -> Result<String, String> {
        let mut process = Command::new("docker")
            .args(["--host", &self.host])
            .args(arguments)
            .env_remove("DOCKER_CONTEXT")
            .env("DOCKER_BUILDKIT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        process.stdin.take().unwrap().write_all(input).unwrap();
        let output = process.wait_with_output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        } else {
            Err(format!(
                "docker {arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            ))
        }
    }

    pub(crate) fn load(&mut self, image: &ImageBuilder, tag: &str) {
        self.docker(&["load"], &image.docker_archive()).unwrap();
        self.made.push(tag.to_owned());
    }

    /// Builds an image on top of a loaded one with files of its own.
    pub(crate) fn build(&mut self, tag: &str, base: &str) {
        let status = samples::dpkg_status(&[
            ("bash", "5.2.15-2"),
            ("curl", "7.88.1-10"),
            ("openssl", "3.0.13-1"),
        ]);
        self.sandbox
            .write("context/status", status)
            .write("context/note", tag)
            .write(
                "context/Dockerfile",
                format!(
                    "FROM {base}\nLABEL a=b\nCOPY status /var/lib/dpkg/status\nCOPY note /srv/data/\nCMD [\"x\"]\n"
                ),
            );
        let context = self.sandbox.path("context").to_str().unwrap().to_owned();
        self.docker(&["build", "--tag", tag, &context], b"")
            .unwrap();
        self.made.push(tag.to_owned());
    }

    fn scan(&self, call: &str) -> Outcome {
        self.sandbox.run_with(
            [("DOCKER_HOST", self.host.as_str())],
            &format!("scan -f json {call}"),
        )
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for name in self.made.iter().rev() {
            if let Err(error) = self.docker(&["image", "rm", "--force", name], b"") {
                eprintln!("left behind: {error}");
            }
        }
    }
}

/// Debian with what layers are made of: whiteouts, an opaque directory, links.
fn base(tag: &str) -> ImageBuilder {
    samples::debian(tag)
        .layer(|layer| {
            layer
                .file("srv/data/one", tag)
                .file("srv/gone", "x")
                .file(
                    "var/lib/dpkg/status.d/zlib",
                    samples::dpkg_status(&[("zlib", "1-1")]),
                )
                .file(
                    "var/lib/dpkg/status.d/gone",
                    samples::dpkg_status(&[("gone", "1-1")]),
                )
        })
        .layer(|layer| {
            layer
                .whiteout("srv/gone")
                .whiteout("var/lib/dpkg/status.d/gone")
                .opaque("srv/data")
        })
}

/// Takes out what two ways to the same image may say differently.
fn comparable(mut report: Value) -> Value {
    for name in ["report_id", "created_at", "duration_ms"] {
        report.as_object_mut().unwrap().remove(name);
    }
    for image in report["images"].as_array_mut().unwrap() {
        image.as_object_mut().unwrap().remove("access");
    }
    report
}

#[test]
fn a_built_image_is_the_same_in_place_and_exported() {
    let Some(mut engine) = Engine::connect() else {
        return;
    };
    engine.load(&base("cleanbill-e2e/base:1"), "cleanbill-e2e/base:1");
    engine.build("cleanbill-e2e/app:1", "cleanbill-e2e/base:1");
    let call = "--list-all-pkgs cleanbill-e2e/app:1";
    let in_place = engine.scan(&format!(
        "--cache-dir a --db-path cache/db --docker-access in-place {call}"
    ));
    let in_place = in_place.exits(0).warns_nothing().json();
    let exported = engine.scan(&format!(
        "--cache-dir b --db-path cache/db --docker-access export {call}"
    ));
    let exported = exported.exits(0).warns_nothing().json();
    // From the base openssl was raised, curl came with the last layer but one.
    let mut found = finding_ids(&in_place).concat();
    found.sort_unstable();
    assert_eq!(found, ["CVE-2099-0002", "CVE-2099-0003"]);
    let packages = in_place["images"][0]["results"][0]["packages"].to_string();
    assert!(
        packages.contains("zlib") && !packages.contains("gone"),
        "{packages}"
    );
    assert_eq!(comparable(in_place), comparable(exported));
}

#[test]
fn an_image_goes_by_its_names_and_its_container() {
    let Some(mut engine) = Engine::connect() else {
        return;
    };
    let image = base("cleanbill-e2e/named:1");
    engine.load(&image, "cleanbill-e2e/named:1");
    let id = image.image_id();
    for name in [
        "cleanbill-e2e/named:1",
        &id,
        &id[7..19],
        "docker:cleanbill-e2e/named:1",
    ] {
        let report = engine.scan(name).exits(0).json();
        assert_eq!(report["images"][0]["image_id"], id.as_str(), "{name}");
    }
    let container = engine
        .docker(&["create", "cleanbill-e2e/named:1", "/nothing"], b"")
        .unwrap();
    let report = engine.scan(&format!("--container {container}"));
    engine.docker(&["rm", &container], b"").unwrap();
    assert_eq!(report.exits(0).json()["image"], "cleanbill-e2e/named:1");
    engine
        .scan("cleanbill-e2e/absent:1")
        .exits(3)
        .prints(&["cleanbill-e2e/absent:1", "registry"]);
}

#[test]
fn all_scans_each_id_once_and_dangling_ones_if_asked() {
    let Some(mut engine) = Engine::connect() else {
        return;
    };
    let image = base("cleanbill-e2e/twice:1");
    engine.load(&image, "cleanbill-e2e/twice:1");
    engine
        .docker(
            &["tag", "cleanbill-e2e/twice:1", "cleanbill-e2e/twice:2"],
            b"",
        )
        .unwrap();
    engine.made.push("cleanbill-e2e/twice:2".to_owned());
    let dangling = base("cleanbill-e2e/dangling:1").layer(|layer| layer.file("srv/dangling", ""));
    engine.load(&dangling, &dangling.image_id());
    engine
        .docker(&["rmi", "--no-prune", "cleanbill-e2e/dangling:1"], b"")
        .ok();
    let still_there = engine
        .docker(&["image", "inspect", &dangling.image_id()], b"")
        .is_ok();
    // Other tests make and remove images in the meantime: only those of this test count.
    let scan = |call: &str| -> Vec<String> {
        let report = engine.scan(call).json();
        let images = report["images"].as_array().unwrap().clone();
        images
            .iter()
            .filter_map(|image| image["image_id"].as_str())
            .map(str::to_owned)
            .collect()
    };
    let count = |ids: &[String], id: &str| ids.iter().filter(|other| *other == id).count();
    let all = scan("--all");
    assert_eq!(count(&all, &image.image_id()), 1);
    assert_eq!(count(&all, &dangling.image_id()), 0);
    if still_there {
        let all = scan("--all --include-dangling");
        assert_eq!(count(&all, &dangling.image_id()), 1);
    }
}

#[test]
fn a_known_image_is_not_read_again() {
    let Some(mut engine) = Engine::connect() else {
        return;
    };
    engine.load(&base("cleanbill-e2e/known:1"), "cleanbill-e2e/known:1");
    let first = engine
        .scan("--docker-access in-place cleanbill-e2e/known:1")
        .exits(0)
        .json();
    // What was read in place is known to the export stream too, and to archives.
    let second = engine
        .scan("--docker-access export --debug cleanbill-e2e/known:1")
        .exits(0);
    assert_eq!(comparable(first), comparable(second.json()));
    let info = engine.sandbox.run("cache info --json").exits(0).json();
    assert_eq!(info["layers"], 3);
}
