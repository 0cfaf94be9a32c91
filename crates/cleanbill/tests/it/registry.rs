//! Registries, played by a server on the loopback. The tests with `service` in their path use a
//! real one.

use cleanbill_testkit::Compression;

use crate::http_server::{AfterCut, HttpServer, Reply};
use crate::samples;
use crate::sandbox::{Sandbox, finding_ids};

#[test]
fn an_image_is_pulled_and_known_layers_are_not_fetched_again() {
    let server = HttpServer::start();
    let image = samples::web().compression(Compression::Gzip);
    let blobs = server.offer_image("shop/web", "1", &image);
    let sandbox = Sandbox::new();
    let call = format!("scan -f json registry:{}/shop/web:1", server.address());
    let first = sandbox.run(&call).exits(0).warns_nothing().json();
    assert_eq!(finding_ids(&first)[0].len(), 3);
    let fetched = |of: &str| {
        server
            .requests()
            .iter()
            .filter(|request| request.contains(of))
            .count()
    };
    let layers = &blobs[1..];
    assert!(layers.iter().all(|layer| fetched(&layer.digest) == 1));
    let second = sandbox.run(&call).exits(0).json();
    assert_eq!(first["images"], second["images"]);
    assert!(
        layers.iter().all(|layer| fetched(&layer.digest) == 1),
        "{:?}",
        server.requests()
    );
    let pinned = call.replace("registry:", "--source registry ");
    assert_eq!(
        sandbox.run(&pinned).exits(0).json()["severity_summary"],
        first["severity_summary"]
    );
}

#[test]
fn a_registry_is_never_asked_unless_it_is_named() {
    let server = HttpServer::start();
    server.offer_image("shop/web", "1", &samples::web());
    let sandbox = Sandbox::new();
    sandbox
        .run(&format!("scan {}/shop/web:1", server.address()))
        .exits(3)
        .prints(&["--source registry"]);
    sandbox
        .run(&format!(
            "scan --offline registry:{}/shop/web:1",
            server.address()
        ))
        .exits(3)
        .prints(&["--offline"]);
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[test]
fn an_image_that_the_registry_has_not_is_exit_3() {
    let server = HttpServer::start();
    server.offer_image("shop/web", "1", &samples::web());
    let sandbox = Sandbox::new();
    for name in ["shop/web:9", "shop/absent:1"] {
        sandbox
            .run(&format!("scan registry:{}/{name}", server.address()))
            .exits(3)
            .prints(&[name, "image-failed"]);
    }
}

#[test]
fn other_bytes_than_stated_are_found_out() {
    let server = HttpServer::start();
    let blobs = server.offer_image(
        "shop/web",
        "1",
        &samples::web().compression(Compression::Gzip),
    );
    let last = blobs.last().unwrap();
    let other = cleanbill_testkit::gzip(&[0; 4096]);
    let path = format!("/v2/shop/web/blobs/{}", last.digest);
    server.reply(&path, Reply::ok("application/octet-stream", other));
    let sandbox = Sandbox::new();
    let call = format!("scan registry:{}/shop/web:1", server.address());
    sandbox
        .run(&call)
        .exits(3)
        .lacks(&["no known vulnerabilities"]);
    // Nothing of it was kept: the right bytes are read when they come.
    server.reply(
        &path,
        Reply::ok("application/octet-stream", last.bytes.clone()),
    );
    sandbox.run(&call).exits(0).prints(&["CVE-2099-0002"]);
}

#[test]
fn a_connection_that_breaks_is_resumed_or_reported() {
    let server = HttpServer::start();
    let blobs = server.offer_image("shop/web", "1", &samples::web());
    let last = blobs.last().unwrap();
    let reply = Reply::ok("application/octet-stream", last.bytes.clone());
    server.reply(
        &format!("/v2/shop/web/blobs/{}", last.digest),
        reply.half(AfterCut::Close),
    );
    let sandbox = Sandbox::new();
    let call = format!("scan registry:{}/shop/web:1", server.address());
    sandbox
        .run(&call)
        .exits(3)
        .lacks(&["no known vulnerabilities"]);
    assert!(
        server
            .requests()
            .iter()
            .filter(|request| request.contains(&last.digest))
            .count()
            > 1
    );
}

#[test]
fn credentials_are_for_one_registry() {
    let sandbox = Sandbox::new();
    let call = "scan --registry-username me registry:a.example/x:1 registry:b.example/x:1";
    sandbox
        .run_with([("CLEANBILL_REGISTRY_PASSWORD", "secret-word")], call)
        .exits(2)
        .warns(&["a.example", "b.example", "cleanbill login"])
        .lacks(&["secret-word"]);
    sandbox
        .run("login")
        .exits(2)
        .warns(&["--registry-username"]);
    sandbox
        .run("login --username me localhost:1")
        .exits(2)
        .warns(&["--registry-password-stdin"]);
}
