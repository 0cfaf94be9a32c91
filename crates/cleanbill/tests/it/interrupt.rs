//! Ctrl-C, SIGTERM and `--timeout`: a run ends soon and leaves nothing behind.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::http_server::{AfterCut, HttpServer, Reply};
use crate::samples;
use crate::sandbox::{Sandbox, wait_until};

/// The promise is a second; the rest is for a machine that is busy with other things. What is
/// interrupted here would never end.
const SOON: Duration = Duration::from_secs(60);

/// A registry whose layer never ends.
fn endless_registry() -> (HttpServer, String, String) {
    let server = HttpServer::start();
    let image = samples::web();
    let blobs = server.offer_image("app", "1", &image);
    let last = blobs.last().unwrap();
    let path = format!("/v2/app/blobs/{}", last.digest);
    let reply = Reply::ok("application/octet-stream", last.bytes.clone());
    server.reply(&path, reply.half(AfterCut::Hang));
    let call = format!(
        "scan registry:{}/app:1 -o json=report.json",
        server.address()
    );
    (server, path, call)
}

#[test]
fn a_signal_ends_a_scan_soon_and_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let (server, path, call) = endless_registry();
        let sandbox = Sandbox::new();
        let running = sandbox.start(&call);
        wait_until("the layer is being read", || server.was_asked(&path));
        let asked = Instant::now();
        running.signal(signal);
        let outcome = running.wait().exits(130);
        assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
        assert_eq!(outcome.stdout, "");
        let left: Vec<_> = sandbox
            .files("")
            .into_iter()
            .filter(|name| !name.starts_with("cache/"))
            .collect();
        assert_eq!(left, Vec::<String>::new());
        // The cache can be used by the next one.
        sandbox.run("cache info").exits(0).warns_nothing();
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_an_engine() {
    let sandbox = Sandbox::new();
    let engine = UnixListener::bind(sandbox.path("engine.sock")).unwrap();
    let host = format!("unix://{}", sandbox.path("engine.sock").display());
    let running = sandbox.start(&format!("scan app:1 --docker-host {host}"));
    // The engine takes the connection, and then says nothing.
    engine.set_nonblocking(true).unwrap();
    let mut connection = None;
    wait_until("the engine is asked", || {
        connection = connection.take().or_else(|| engine.accept().ok());
        connection.is_some()
    });
    let asked = Instant::now();
    running.signal(Signal::INT);
    running.wait().exits(130);
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
}

#[test]
fn a_signal_ends_an_update_and_leaves_no_half_database() {
    let server = HttpServer::start();
    let archive = samples::database().archive();
    let blob = server.offer_database("db", &archive);
    server.reply(
        &blob,
        Reply::ok("application/octet-stream", archive).half(AfterCut::Hang),
    );
    let sandbox = Sandbox::without_database();
    let running = sandbox.start(&format!(
        "db update --db-repository {}/db",
        server.address()
    ));
    wait_until("the download has begun", || {
        sandbox
            .files("cache/db")
            .iter()
            .any(|name| name.contains("unfinished"))
    });
    let asked = Instant::now();
    running.signal(Signal::INT);
    running.wait().exits(130);
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
    let files = sandbox.files("cache/db");
    assert!(files.is_empty() || files == [".lock"], "{files:?}");
}

#[test]
fn a_signal_ends_an_import_that_is_stuck_and_leaves_nothing() {
    let sandbox = Sandbox::without_database();
    sandbox.write("source/metadata.json", r#"{"Version":2}"#);
    let path = sandbox.path("source/trivy.db");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    // For writing too, so that opening waits for nobody; and nothing is ever written.
    let pipe = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let running = sandbox.start("db import source");
    wait_until("the import has begun", || {
        sandbox
            .files("cache/db")
            .iter()
            .any(|name| name.contains("unfinished"))
    });
    // The import waits in a system call and sees no flag.
    let asked = Instant::now();
    running.signal(Signal::INT);
    running.wait().exits(130);
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
    let files = sandbox.files("cache/db");
    assert!(files.is_empty() || files == [".lock"], "{files:?}");
    drop(pipe);
}

#[test]
fn a_timeout_ends_a_scan_with_exit_3() {
    let (_server, _, call) = endless_registry();
    let sandbox = Sandbox::new();
    let begun = Instant::now();
    sandbox
        .run(&format!("{call} --timeout 1s"))
        .exits(3)
        .warns(&["--timeout"]);
    assert!(
        begun.elapsed() < Duration::from_secs(1) + SOON,
        "it took {:?}",
        begun.elapsed()
    );
}
