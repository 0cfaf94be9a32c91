use std::io::Read;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::Value;

use super::super::fake_engine::{CHUNKED_HEAD, FakeEngine, Reply};
use super::*;

/// Short for what never comes, long for what must come on a busy machine too.
fn timeouts() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(5),
        answer: Duration::from_secs(3),
        stream_silence: Duration::from_millis(400),
    }
}

fn patient() -> Timeouts {
    Timeouts::default()
}

fn connect(engine: &FakeEngine, timeouts: Timeouts) -> DockerClient {
    DockerClient::connect(&engine.endpoint(), timeouts, &ReadContext::default()).unwrap()
}

#[track_caller]
fn check_version(stated: &str, spoken: &str) {
    let engine = FakeEngine::start(stated);
    engine.reply("/info", Reply::ok("{}"));
    let client = connect(&engine, patient());
    let _: Value = client
        .get_json(&["info"], &[], &ReadContext::default())
        .unwrap();
    let requests = engine.requests();
    assert_eq!(
        requests,
        [
            "GET /_ping HTTP/1.1",
            &format!("GET /v{spoken}/info HTTP/1.1")
        ]
    );
}

#[test]
fn the_version_is_the_engines_or_the_newest_that_is_known() {
    check_version("1.41", "1.41");
    check_version("1.24", "1.24");
    check_version("1.52", "1.52");
    check_version("1.99", "1.52");
    check_version("2.0", "1.52");
    check_version("", "1.24");
    check_version("new", "1.24");
}

#[track_caller]
fn check_failure(reply: Reply, expected: &str) -> ImageError {
    let engine = FakeEngine::start("1.41");
    engine.reply("/images/a:1/json", reply);
    let context = ReadContext {
        limits: cleanbill_core::Limits {
            api_answer_size_bytes_max: 1000,
            ..Default::default()
        }
        .into(),
        ..ReadContext::default()
    };
    let client = connect(&engine, timeouts());
    let result = client.get_json::<Value>(&["images", "a:1", "json"], &[], &context);
    let error = result.unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    error
}

#[test]
fn refusals_keep_their_kind_and_the_engines_words() {
    let not_found = Reply::Json(404, r#"{"message":"No such image: a:1"}"#.to_owned());
    let error = check_failure(not_found, "No such image: a:1");
    assert!(matches!(error, ImageError::NotFound { .. }));
    let denied = Reply::Json(403, "<html>proxy says no</html>".to_owned());
    assert!(matches!(
        check_failure(denied, "403"),
        ImageError::Unauthorized { .. }
    ));
    let broken = Reply::Json(500, format!(r#"{{"message":"{}"}}"#, "x".repeat(5000)));
    let error = check_failure(broken, "xxx");
    assert!(matches!(error, ImageError::Unavailable { .. }));
    assert!(error.to_string().len() < 600);
    // A redirect is not followed.
    let moved = Reply::Raw(
        b"HTTP/1.1 301 X\r\nLocation: http://evil.test/\r\nContent-Length: 0\r\n\r\n".to_vec(),
    );
    check_failure(moved, "301");
}

#[test]
fn answers_are_bounded_in_size() {
    let error = check_failure(
        Reply::ok(format!("\"{}\"", "x".repeat(2000))),
        "exceeds the limit",
    );
    assert!(
        error
            .to_string()
            .contains("api_answer_size_bytes_max = 1000")
    );
}

#[test]
fn answers_are_bounded_in_time() {
    check_failure(Reply::Stall, "no answer for 3 s");
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\"";
    check_failure(Reply::ThenStall(head.to_vec()), "stopped for 3 s");
}

#[test]
fn nonsense_is_an_error() {
    check_failure(Reply::ok("{"), "is malformed");
    check_failure(Reply::ok(""), "is malformed");
    check_failure(Reply::ok("\u{0}"), "is malformed");
    check_failure(Reply::Raw(b"SSH-2.0-x\r\n".to_vec()), "cannot reach");
    check_failure(Reply::Raw(Vec::new()), "cannot reach");
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}".to_vec();
    check_failure(Reply::Raw(short), "cannot reach");
    let nested = format!("{}{}", "[".repeat(400), "]".repeat(400));
    check_failure(Reply::ok(nested), "is malformed");
}

#[test]
fn names_cannot_change_what_is_asked_for() {
    let engine = FakeEngine::start("1.41");
    let client = connect(&engine, patient());
    let context = ReadContext::default();
    for name in ["..", "../../info", "a//b", ""] {
        let error = client.get_json::<Value>(&["images", name, "json"], &[], &context);
        assert!(matches!(error, Err(ImageError::NotFound { .. })), "{name}");
    }
    assert_eq!(engine.requests().len(), 1, "only the ping was sent");
}

#[test]
fn a_stream_is_read_while_it_arrives_and_its_cut_is_an_error() {
    let engine = FakeEngine::start("1.41");
    let content: Vec<u8> = (0..200_000u32).map(|number| number as u8).collect();
    engine.reply("/images/a/get", Reply::Stream(content.clone()));
    let client = connect(&engine, patient());
    let context = ReadContext::default();
    let get = || client.get_stream(&["images", "a", "get"], &[], &context);
    let mut bytes = Vec::new();
    get().unwrap().read_to_end(&mut bytes).unwrap();
    assert!(bytes == content);

    let cut = [CHUNKED_HEAD, b"5\r\nhello\r\n5\r\nwo"].concat();
    engine.reply("/images/a/get", Reply::Raw(cut));
    bytes.clear();
    assert!(get().unwrap().read_to_end(&mut bytes).is_err());
}

#[test]
fn a_silent_stream_ends_with_an_error() {
    let engine = FakeEngine::start("1.41");
    let head = [CHUNKED_HEAD, b"5\r\nhello\r\n"].concat();
    engine.reply("/images/a/get", Reply::ThenStall(head));
    let client = connect(&engine, timeouts());
    let context = ReadContext::default();
    let mut stream = client
        .get_stream(&["images", "a", "get"], &[], &context)
        .unwrap();
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn a_stopped_scan_waits_for_nobody() {
    let engine = FakeEngine::start("1.41");
    engine.reply("/info", Reply::Stall);
    let client = connect(&engine, patient());
    let context = ReadContext::default();
    let stop = context.clone();
    let started = Instant::now();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        stop.cancelled.store(true, Ordering::Relaxed);
    });
    let error = client
        .get_json::<Value>(&["info"], &[], &context)
        .unwrap_err();
    stopper.join().unwrap();
    assert!(matches!(error, ImageError::Read { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[track_caller]
fn check_connect(endpoint: &Endpoint, expected: &str) -> ImageError {
    let error = DockerClient::connect(endpoint, timeouts(), &ReadContext::default()).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    error
}

#[test]
fn sockets_that_cannot_be_used_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Endpoint::Unix(directory.path().join("missing.sock"));
    check_connect(&missing, "start the engine");
    let dead = directory.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    check_connect(&Endpoint::Unix(dead), "nothing listens");
    let error = socket_error(
        Path::new("/x.sock"),
        io::ErrorKind::PermissionDenied,
        "",
        "engine x".to_owned(),
    );
    assert!(matches!(&error, ImageError::Unauthorized { .. }));
    assert!(error.to_string().contains("group") && error.to_string().contains("sudo"));
}
