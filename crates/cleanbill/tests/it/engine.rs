//! The local engine, played by a server on the loopback. The tests with `service` in their path
//! use a real one.

use cleanbill_testkit::ImageBuilder;
use serde_json::{Value, json};

use crate::http_server::{HttpServer, Reply};
use crate::samples;
use crate::sandbox::{Outcome, Sandbox, finding_ids};

/// An engine with images under their tags, ids and short ids.
struct Engine {
    server: HttpServer,
    listed: Vec<Value>,
}

impl Engine {
    fn start() -> Self {
        let server = HttpServer::start();
        server.reply("/_ping", Reply::ok("text/plain", "OK"));
        server.reply(
            "/version",
            Reply::json(&json!({"Version": "27.0.0", "ApiVersion": "1.43"})),
        );
        server.reply(
            "/info",
            Reply::json(&json!({"Driver": "overlay2", "DockerRootDir": "/nowhere"})),
        );
        server.reply("/images/json", Reply::json(&json!([])));
        Self {
            server,
            listed: Vec::new(),
        }
    }

    fn add(&mut self, image: &ImageBuilder, tags: &[&str], change: impl Fn(&mut Value)) {
        let id = image.image_id();
        let mut answer = json!({
            "Id": id, "RepoTags": tags, "RepoDigests": [], "Os": "linux", "Architecture": "amd64",
            "Created": "2026-11-01T00:00:00Z", "Config": {},
            "RootFS": {"Type": "layers", "Layers": image.diff_ids()},
            "GraphDriver": {"Name": "overlay2", "Data": null},
        });
        change(&mut answer);
        let history: Vec<Value> = image
            .diff_ids()
            .iter()
            .rev()
            .map(|_| json!({"Created": 1, "CreatedBy": "RUN x", "Size": 1}))
            .collect();
        for name in tags.iter().copied().chain([id.as_str(), &id[7..19]]) {
            self.server
                .reply(&format!("/images/{name}/json"), Reply::json(&answer));
        }
        self.server.reply(
            &format!("/images/{id}/history"),
            Reply::json(&json!(history)),
        );
        self.server.reply(
            &format!("/images/{id}/get"),
            Reply::ok("application/x-tar", image.docker_archive()),
        );
        self.listed
            .push(json!({"Id": id, "RepoTags": tags, "RepoDigests": []}));
        self.server
            .reply("/images/json", Reply::json(&json!(self.listed)));
    }

    fn scan(&self, sandbox: &Sandbox, call: &str) -> Outcome {
        let host = format!("tcp://{}", self.server.address());
        let outcome = sandbox.run_with([("DOCKER_HOST", host.as_str())], &format!("scan {call}"));
        let requests = self.server.requests();
        assert!(
            requests.iter().all(|request| request.starts_with("GET ")),
            "{requests:?}"
        );
        outcome
    }
}

#[test]
fn an_image_goes_by_its_tag_id_and_short_id() {
    let sandbox = Sandbox::new();
    let mut engine = Engine::start();
    let id = samples::web().image_id();
    engine.add(&samples::web(), &["shop/web:1"], |_| {});
    for name in [
        "shop/web:1",
        &id,
        &id[7..19],
        "docker:shop/web:1",
        "--source docker shop/web:1",
    ] {
        let report = engine
            .scan(&sandbox, &format!("-f json {name}"))
            .exits(0)
            .json();
        assert_eq!(finding_ids(&report)[0].len(), 3, "{name}: {report:#}");
        assert_eq!(report["images"][0]["image_id"], id.as_str());
    }
    let exports = engine
        .server
        .requests()
        .iter()
        .filter(|request| request.ends_with("/get"))
        .count();
    assert_eq!(exports, 1, "a known image is not exported again");
}

#[test]
fn all_images_are_scanned_each_id_once() {
    let sandbox = Sandbox::new();
    let mut engine = Engine::start();
    engine.add(&samples::web(), &["shop/web:1", "shop/web:latest"], |_| {});
    engine.add(&samples::worker(), &["shop/worker:2"], |_| {});
    engine.add(&samples::clean(), &[], |_| {});
    let names = |call: &str| -> Vec<String> {
        let report = engine.scan(&sandbox, call).exits(0).json();
        let images = report["images"].as_array().unwrap();
        let mut names: Vec<String> = images
            .iter()
            .map(|image| image["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("--all -f json"), ["shop/web:1", "shop/worker:2"]);
    let dangling = samples::clean().image_id();
    assert_eq!(
        names("--all --include-dangling -f json"),
        [&dangling, "shop/web:1", "shop/worker:2"]
    );
}

#[test]
fn the_image_of_a_container_is_scanned() {
    let sandbox = Sandbox::new();
    let mut engine = Engine::start();
    engine.add(&samples::web(), &["shop/web:1"], |_| {});
    let answer = json!({"Id": "c0ffee", "Image": samples::web().image_id(), "Config": {"Image": "shop/web:1"}});
    engine
        .server
        .reply("/containers/front/json", Reply::json(&answer));
    let report = engine
        .scan(&sandbox, "--container front -f json")
        .exits(0)
        .json();
    assert_eq!(report["image"], "shop/web:1");
    let outcome = engine.scan(&sandbox, "--container absent").exits(3);
    assert!(outcome.stdout.contains("absent"), "{outcome}");
}

#[test]
fn an_image_that_is_not_there_suggests_the_registry() {
    let sandbox = Sandbox::new();
    let mut engine = Engine::start();
    engine.add(&samples::web(), &["shop/web:1"], |_| {});
    let outcome = engine.scan(&sandbox, "shop/absent:1 shop/web:1").exits(3);
    outcome.prints(&["shop/absent:1", "registry", "CVE-2099-0001"]);
}

#[test]
fn an_image_for_windows_is_refused_by_name() {
    let sandbox = Sandbox::new();
    let mut engine = Engine::start();
    engine.add(&samples::web(), &["win/app:1"], |answer| {
        answer["Os"] = json!("windows")
    });
    engine
        .scan(&sandbox, "win/app:1")
        .exits(3)
        .prints(&["win/app:1", "indows"]);
}

#[test]
fn without_an_engine_every_source_that_was_tried_is_named() {
    let sandbox = Sandbox::new();
    sandbox
        .run("scan alpine:3.20")
        .exits(3)
        .prints(&["docker", "podman", "registry"]);
    sandbox
        .run("scan --all")
        .exits(3)
        .warns(&["docker", "podman", "cleanbill doctor"]);
    sandbox
        .run("scan --source docker,podman alpine:3.20")
        .exits(3)
        .prints(&["docker:", "podman:"]);
    sandbox
        .run("scan --docker-host tcp://127.0.0.1:1 alpine:3.20")
        .exits(3)
        .prints(&["127.0.0.1:1"]);
}

#[test]
fn the_doctor_says_what_to_do() {
    let sandbox = Sandbox::without_database();
    sandbox.run("doctor --offline").exits(4).prints(&[
        "local engine",
        "FAILED",
        "→",
        "layer cache",
        "advisory database",
        "cleanbill db update",
    ]);
    let sandbox = Sandbox::new();
    let mut engine = Engine::start();
    engine.add(&samples::web(), &["shop/web:1"], |_| {});
    let host = format!("tcp://{}", engine.server.address());
    let outcome = sandbox
        .run_with([("DOCKER_HOST", host.as_str())], "doctor --offline")
        .exits(0);
    outcome
        .prints(&["27.0.0", "overlay2", "export stream"])
        .lacks(&["FAILED", "\u{1b}["]);
}

#[test]
fn an_engine_without_images_is_said() {
    let outcome = Engine::start().scan(&Sandbox::new(), "--all -f json");
    let outcome = outcome.exits(0).warns(&["the engine has no images"]);
    assert_eq!(outcome.json()["images"], json!([]));
}
