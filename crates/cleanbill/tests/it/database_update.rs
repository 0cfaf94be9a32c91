//! Fetching the advisory database from registries, good ones and bad ones.

use crate::http_server::{AfterCut, HttpServer, Reply};
use crate::samples;
use crate::sandbox::{Sandbox, wait_until};

/// A registry that has the database of the samples as `mirror/db`.
fn registry() -> (HttpServer, String, String) {
    let server = HttpServer::start();
    let blob = server.offer_database("mirror/db", &samples::database().archive());
    let repository = format!("{}/mirror/db", server.address());
    (server, repository, blob)
}

fn due_sandbox() -> Sandbox {
    let sandbox = Sandbox::without_database();
    sandbox.install_database(&samples::database_of("2024-06-02T00:00:00Z"));
    sandbox.write_image("web.tar", &samples::web());
    sandbox
}

#[test]
fn a_scan_fetches_the_database_when_there_is_none() {
    let (_server, repository, _) = registry();
    let sandbox = Sandbox::without_database();
    sandbox.write_image("web.tar", &samples::web());
    let call = format!("scan --input web.tar --db-repository {repository}");
    sandbox.run(&call).exits(0).prints(&["CVE-2099-0001"]);
    assert_eq!(
        sandbox.files("cache/db"),
        [".lock", "metadata.json", "trivy.db"]
    );
}

#[test]
fn a_database_is_fetched_when_it_is_due() {
    let (server, repository, blob) = registry();
    let sandbox = due_sandbox();
    let update = format!("db update --db-repository {repository}");
    sandbox.run(&update).exits(0).prints(&["Fetched"]);
    assert!(server.was_asked(&blob));
    let asked = server.requests().len();
    sandbox
        .run(&update)
        .exits(0)
        .prints(&["up to date", "--force"]);
    sandbox
        .run(&format!(
            "scan --input web.tar --db-repository {repository}"
        ))
        .exits(0);
    assert_eq!(server.requests().len(), asked, "nothing was due");
    sandbox
        .run(&format!("{update}:2 --force"))
        .exits(0)
        .prints(&["Fetched"]);
    assert!(server.requests().len() > asked);
    sandbox
        .run(&format!("{update} --offline"))
        .exits(2)
        .warns(&["--offline", "db import"]);
}

#[test]
fn repositories_are_tried_in_order() {
    let (good, repository, _) = registry();
    let busy = HttpServer::start();
    busy.reply("/v2/", Reply::json(&serde_json::json!({})));
    busy.reply(
        "/v2/mirror/db/manifests/2",
        Reply::error(404, "TOOMANYREQUESTS"),
    );
    let sandbox = Sandbox::without_database();
    let first = format!("{}/mirror/db", busy.address());
    sandbox
        .run(&format!("db update --db-repository {first},{repository}"))
        .exits(0);
    assert!(busy.was_asked("/manifests/2") && good.was_asked("/manifests/2"));
    // The first that gives one is the last that is asked.
    let sandbox = Sandbox::without_database();
    let asked = busy.requests().len();
    sandbox
        .run(&format!(
            "db update --db-repository {repository} --db-repository {first}"
        ))
        .exits(0);
    assert_eq!(busy.requests().len(), asked);
}

#[test]
fn the_next_repository_is_asked_after_every_failure() {
    let (_good, repository, _) = registry();
    let (damaged, first, blob) = registry();
    let whole = samples::database().archive();
    let half = whole[..whole.len() / 2].to_vec();
    damaged.reply(&blob, Reply::ok("application/octet-stream", half));
    let other = HttpServer::start();
    other.reply("/v2/", Reply::json(&serde_json::json!({})));
    other.offer_image("app", "2", &samples::web());
    other.offer_java_index("index", &samples::database().archive());
    // Nobody listens where somebody has just hung up.
    let unreached = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap();
    let bad = [
        format!("{unreached}/mirror/db"),
        format!("{}/none", other.address()),
        format!("{}/app", other.address()),
        format!("{}/index:1", other.address()),
        first,
    ];
    for bad in &bad {
        let sandbox = Sandbox::without_database();
        sandbox
            .run(&format!(
                "db update --db-repository {bad} --db-repository {repository}"
            ))
            .exits(0)
            .prints(&["Fetched"]);
    }
    let sandbox = Sandbox::without_database();
    sandbox
        .run(&format!("db update --db-repository {}", bad.join(",")))
        .exits(4)
        .warns(&[
            &bad[0],
            "Connection refused",
            &bad[1],
            "404",
            &bad[2],
            "single layer",
            &bad[3],
            "not the advisory database",
            &bad[4],
            "broke off",
        ]);
}

#[test]
fn when_none_gives_one_each_is_named_with_its_reason() {
    let busy = HttpServer::start();
    busy.reply("/v2/", Reply::json(&serde_json::json!({})));
    busy.reply("/v2/a/manifests/2", Reply::error(404, "TOOMANYREQUESTS"));
    busy.reply("/v2/b/manifests/2", Reply::error(403, "DENIED"));
    let sandbox = Sandbox::without_database();
    sandbox.write_image("web.tar", &samples::web());
    let (a, b) = (
        format!("{}/a", busy.address()),
        format!("{}/b", busy.address()),
    );
    for call in ["db update", "scan --input web.tar"] {
        sandbox
            .run(&format!("{call} --db-repository {a} --db-repository {b}"))
            .exits(4)
            .warns(&[
                &a,
                "TOOMANYREQUESTS",
                &b,
                "DENIED",
                "--db-repository",
                "db import",
            ]);
    }
}

#[test]
fn whatever_fails_the_last_good_database_stays() {
    let (server, repository, blob) = registry();
    let archive = samples::database().archive();
    let whole = || Reply::ok("application/octet-stream", archive.clone());
    for (what, reply) in [
        (
            "other bytes of the same length",
            Reply::ok("application/octet-stream", vec![0; archive.len()]),
        ),
        ("a server error", Reply::error(404, "BLOB_UNKNOWN")),
        ("an empty body", Reply::ok("application/octet-stream", "")),
    ] {
        server.reply(&blob, reply);
        let sandbox = due_sandbox();
        let before = std::fs::read(sandbox.path("cache/db/trivy.db")).unwrap();
        sandbox
            .run(&format!("db update --db-repository {repository}"))
            .exits(4)
            .warns(&["error:"]);
        let outcome = sandbox
            .run(&format!(
                "scan --input web.tar --db-repository {repository}"
            ))
            .exits(0)
            .prints(&["CVE-2099-0001", "stale-database"]);
        assert!(
            outcome
                .stderr
                .contains("going on with the database that is there"),
            "{what}: {outcome}"
        );
        assert_eq!(
            std::fs::read(sandbox.path("cache/db/trivy.db")).unwrap(),
            before,
            "{what}"
        );
        assert_eq!(
            sandbox.files("cache/db"),
            [".lock", "metadata.json", "trivy.db"],
            "{what}"
        );
    }
    server.reply(&blob, whole());
    due_sandbox()
        .run(&format!("db update --db-repository {repository}"))
        .exits(0);
}

#[test]
fn what_is_no_advisory_database_is_refused() {
    let server = HttpServer::start();
    server.offer_image("app", "2", &samples::web());
    let sandbox = due_sandbox();
    let repository = format!("{}/app", server.address());
    sandbox
        .run(&format!("db update --db-repository {repository}"))
        .exits(4)
        .warns(&[&repository]);
    assert_eq!(
        sandbox.files("cache/db"),
        [".lock", "metadata.json", "trivy.db"]
    );
}

#[test]
fn a_killed_update_leaves_the_old_database_and_the_next_one_cleans_up() {
    let (server, repository, blob) = registry();
    let archive = samples::database().archive();
    server.reply(
        &blob,
        Reply::ok("application/octet-stream", archive.clone()).half(AfterCut::Hang),
    );
    let sandbox = due_sandbox();
    let update = format!("db update --db-repository {repository}");
    let running = sandbox.start(&update);
    wait_until("the download has begun", || {
        sandbox
            .files("cache/db")
            .iter()
            .any(|name| name.contains("unfinished"))
    });
    running.signal(rustix::process::Signal::KILL);
    assert_eq!(running.wait().code, None);
    sandbox
        .run("scan --input web.tar --offline")
        .exits(0)
        .prints(&["CVE-2099-0001"]);
    server.reply(&blob, Reply::ok("application/octet-stream", archive));
    sandbox.run(&update).exits(0).prints(&["Fetched"]);
    assert_eq!(
        sandbox.files("cache/db"),
        [".lock", "metadata.json", "trivy.db"]
    );
}

#[test]
fn an_import_can_come_from_a_registry() {
    let (_server, repository, _) = registry();
    let sandbox = Sandbox::without_database();
    sandbox.write_image("web.tar", &samples::web());
    sandbox.run(&format!("db import oci:{repository}")).exits(0);
    sandbox
        .run("scan --input web.tar --offline")
        .exits(0)
        .prints(&["CVE-2099-0001"]);
}

#[test]
fn processes_that_update_at_the_same_time_fetch_it_once() {
    let (server, repository, blob) = registry();
    let sandbox = Sandbox::without_database();
    sandbox.write_image("web.tar", &samples::web());
    let call = format!("scan --input web.tar --db-repository {repository}");
    let running: Vec<_> = (0..4).map(|_| sandbox.start(&call)).collect();
    for running in running {
        running.wait().exits(0).prints(&["CVE-2099-0001"]);
    }
    let fetched = server
        .requests()
        .iter()
        .filter(|request| request.contains(&blob))
        .count();
    assert_eq!(fetched, 1, "{:?}", server.requests());
}
