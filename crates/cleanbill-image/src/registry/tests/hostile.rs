//! Servers that break, stall and lie.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

const BLOB: &[u8] = b"0123456789";

fn range_start(asked: &Asked) -> usize {
    let range = asked
        .header("range")
        .and_then(|text| text.strip_prefix("bytes="));
    range.map_or(0, |text| text.trim_end_matches('-').parse().unwrap())
}

fn partial(start: usize) -> Reply {
    let range = format!("bytes {start}-{}/{}", BLOB.len() - 1, BLOB.len());
    Reply::body(&BLOB[start..])
        .with_status(206)
        .header("content-range", range)
}

#[test]
fn a_stream_that_breaks_is_resumed_where_it_broke() {
    let server = serve_artifact(BLOB, |asked| match range_start(asked) {
        0 => Reply::body(&BLOB[..4]).lying_length(10),
        start => partial(start),
    });
    let setup = Setup::default();
    assert_eq!(pull(&setup, &server).unwrap(), BLOB);
    assert_eq!(setup.pauses_ms(), [500]);
    assert_eq!(
        server.asked().last().unwrap().header("range"),
        Some("bytes=4-")
    );
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let is_first = AtomicU32::new(0);
    let server = serve_artifact(BLOB, move |_| {
        match is_first.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::body(&BLOB[..4]).lying_length(10),
            _ => Reply::body(BLOB),
        }
    });
    assert_eq!(pull(&Setup::default(), &server).unwrap(), BLOB);
}

#[test]
fn a_stream_that_ends_early_is_not_complete() {
    // The length is that of the body: only the manifest knows better.
    let server = serve_artifact(BLOB, |asked| match range_start(asked) {
        0 => Reply::body(&BLOB[..4]),
        start => partial(start),
    });
    assert_eq!(pull(&Setup::default(), &server).unwrap(), BLOB);
}

#[test]
fn a_server_that_always_breaks_is_given_up() {
    let server = serve_artifact(BLOB, |_| Reply::body(&BLOB[..4]).lying_length(10));
    let setup = Setup::default();
    let error = pull(&setup, &server).unwrap_err();
    assert!(error.contains("broke off at byte 4"), "{error}");
    assert_eq!(setup.pauses_ms(), [500, 1000, 2000]);
}

#[test]
fn a_stream_resumed_elsewhere_is_refused() {
    let server = serve_artifact(BLOB, |asked| match range_start(asked) {
        0 => Reply::body(&BLOB[..4]).lying_length(10),
        _ => partial(2),
    });
    let error = pull(&Setup::default(), &server).unwrap_err();
    assert!(error.contains("resumes it at another place"), "{error}");
}

#[test]
fn other_bytes_than_promised_are_refused() {
    let server = serve_artifact(BLOB, |_| Reply::body("012345678X"));
    let error = pull(&Setup::default(), &server).unwrap_err();
    let (expected, actual) = (Digest::of(BLOB), Digest::of(b"012345678X"));
    assert!(
        error.ends_with(&format!("has digest {actual}, expected {expected}")),
        "{error}"
    );

    let server = serve_artifact(BLOB, |_| Reply::body("0123456789 and more"));
    let error = pull(&Setup::default(), &server).unwrap_err();
    assert!(error.contains("longer than the 10 bytes stated"), "{error}");
}

#[test]
fn silence_ends_in_an_error() {
    let mut setup = Setup::default();
    // What is answered must come in time on a busy machine too.
    setup.http.read_timeout = Duration::from_secs(3);
    setup.http.retry.attempts_max = 1;
    let server = serve_artifact(BLOB, |_| Reply::body(&BLOB[..4]).lying_length(10).stalled());
    let error = pull(&setup, &server).unwrap_err();
    assert!(error.contains("broke off at byte 4"), "{error}");

    let server = FakeServer::start(|asked| match asked.target.as_str() {
        "/v2/" => Reply::body("{}"),
        _ => Reply::body("").lying_length(10).stalled(),
    });
    let error = pull(&setup, &server).unwrap_err();
    assert!(error.contains("did not answer in time"), "{error}");
}

#[test]
fn a_stopped_scan_does_not_wait_for_a_silent_server() {
    let setup = Setup::default();
    let context = setup.context.clone();
    let server = serve_artifact(BLOB, move |_| {
        context.cancelled.store(true, Ordering::Relaxed);
        Reply::body(&BLOB[..4]).lying_length(10).stalled()
    });
    let error = pull(&setup, &server).unwrap_err();
    // It is stopped while it waits for the answer, or while it reads it.
    assert!(error == "stopped" || error.contains("cancelled"), "{error}");
}

#[test]
fn a_server_that_wants_a_pause_gets_it() {
    let count = AtomicU32::new(0);
    let server = serve_artifact(BLOB, move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::status(429).header("retry-after", "7"),
        1 => Reply::status(503),
        _ => Reply::body(BLOB),
    });
    let setup = Setup::default();
    assert_eq!(pull(&setup, &server).unwrap(), BLOB);
    assert_eq!(setup.pauses_ms(), [7000, 1000]);

    let server = serve_artifact(BLOB, |_| Reply::status(429).header("retry-after", "3600"));
    let error = pull(&setup, &server).unwrap_err();
    assert!(
        error.contains("allows no more requests for now (429 Too Many Requests)"),
        "{error}"
    );
    assert_eq!(setup.pauses_ms().len(), 2);
}

#[test]
fn errors_tell_what_the_registry_said() {
    let server = FakeServer::start(|asked| match asked.target.as_str() {
        "/v2/" => Reply::body("{}"),
        "/v2/db/manifests/2" => {
            Reply::body(r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such tag"}]}"#)
                .with_status(404)
        }
        _ => Reply::status(500),
    });
    let error = Setup::default()
        .client()
        .open_artifact(&reference(&server))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "manifest '2' of {0}/db not found at http://{0}/v2/db/manifests/2 (404 \
             MANIFEST_UNKNOWN: no such tag)",
            server.name()
        )
    );
    assert!(!error.is_temporary());
}

#[track_caller]
fn check_manifest(reply: Reply, name: &str, expected: &str) {
    let server = FakeServer::start(move |asked| match asked.target.as_str() {
        "/v2/" => Reply::body("{}"),
        _ => reply.clone(),
    });
    let reference = format!("{}/db{name}", server.name()).parse().unwrap();
    let error = Setup::default()
        .client()
        .open_artifact(&reference)
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn manifests_are_bounded_verified_and_read_with_care() {
    let good = artifact_manifest(BLOB);
    let (other, empty) = (Digest::of(b"other"), Digest::of(b""));
    check_manifest(
        Reply::body(&*good),
        &format!("@{other}"),
        &format!("expected {other}"),
    );
    check_manifest(
        Reply::body(&*good).header("docker-content-digest", other.to_string()),
        ":2",
        &format!("expected {other}"),
    );
    check_manifest(
        Reply::body("").lying_length(1 << 40),
        ":2",
        "more than 16777216 bytes",
    );
    check_manifest(Reply::body("not JSON"), ":2", "is malformed: expected");
    check_manifest(Reply::body("{}"), ":2", "must have a single layer");
    let layer = format!(r#"{{"digest":"{empty}","size":1}}"#);
    check_manifest(
        Reply::body(format!(r#"{{"layers":[{layer},{layer}]}}"#)),
        ":2",
        "must have a single layer",
    );
    check_manifest(
        Reply::body(format!(r#"{{"layers":[{layer}]}}"#)),
        ":2",
        "has no title",
    );
    for title in ["/etc/passwd", "../x", "a/../../x", "", "."] {
        let evil = good.replace("db.tar.gz", title);
        check_manifest(Reply::body(evil), ":2", "no local path");
    }
    let huge = good.replace(r#""size":10"#, r#""size":99999999999999"#);
    check_manifest(
        Reply::body(huge),
        ":2",
        "larger than database_size_bytes_max",
    );
}

#[test]
fn token_services_are_bounded_too() {
    let service = FakeServer::start(|asked| match asked.target.split('?').next() {
        Some("/huge") => Reply::body("").lying_length(1 << 40),
        Some("/empty") => Reply::body(r#"{"token":"","access_token":null}"#),
        Some("/loop") => Reply::redirect("/loop"),
        _ => Reply::body("<html>"),
    });
    for (path, expected) in [
        ("/huge", "more than 1048576 bytes"),
        ("/empty", "there is no token in it"),
        ("/html", "there is no token in it"),
        ("/loop", "too many redirects"),
    ] {
        let realm = service.url(path);
        let server = FakeServer::start(move |_| {
            Reply::status(401).header("www-authenticate", format!(r#"Bearer realm="{realm}""#))
        });
        let error = pull(&Setup::default(), &server).unwrap_err();
        assert!(error.contains(expected), "{path}: {error}");
    }
}
