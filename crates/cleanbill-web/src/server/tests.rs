use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;
use crate::ask;
use crate::testing::parse;
use crate::testing::world::World;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn start(world: &World, change: impl FnOnce(&mut MetricsSettings)) -> MetricsServer {
    let mut settings = world.settings();
    change(&mut settings);
    MetricsServer::bind(loopback(), settings).unwrap()
}

/// Sends bytes and returns all that is answered.
fn send(server: &MetricsServer, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    // It may have answered and closed before all is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(answer).unwrap(),
    }
}

fn get(server: &MetricsServer, path: &str) -> ask::Answer {
    ask::ask(server.address(), path, LONG).unwrap()
}

/// Sends a request and checks the line of its status.
#[track_caller]
fn check(server: &MetricsServer, request: &str, status: &str) -> String {
    let answer = send(server, request.as_bytes());
    let line = answer.lines().next().unwrap_or_default();
    assert_eq!(line, format!("HTTP/1.1 {status}"), "{request:?}");
    answer
}

#[test]
fn a_scrape_is_answered() {
    let world = World::new();
    world.live_through_a_day();
    let server = start(&world, |_| {});
    let answer = check(
        &server,
        "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n",
        "200 OK",
    );
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let scrape = parse(body);
    assert_eq!(
        scrape.get("cleanbill_images", &["state=complete"]),
        Some(1.0)
    );
    for header in [
        "content-type: text/plain; version=0.0.4; charset=utf-8",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "connection: close",
    ] {
        assert!(head.contains(header), "{head}");
    }
}

#[test]
fn a_head_has_no_body() {
    let world = World::new();
    let server = start(&world, |_| {});
    let answer = check(
        &server,
        "HEAD /metrics HTTP/1.1\r\nhost: a\r\n\r\n",
        "200 OK",
    );
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.contains("content-type: text/plain; version=0.0.4"));
}

#[test]
fn health_says_whether_the_loop_turns() {
    let world = World::new();
    let server = start(&world, |_| {});
    let answer = get(&server, "/healthz");
    assert_eq!((answer.status, answer.text.as_str()), (200, "ok\n"));
    world.pass_time(crate::Limits::default().silence_ms_max + 1);
    assert_eq!(get(&server, "/healthz").status, 503);
    world.live.tick(world.now.load(Ordering::Relaxed));
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn readiness_says_what_is_missing() {
    let world = World::new();
    let server = start(&world, |_| {});
    let answer = get(&server, "/readyz");
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.text,
        "state ok\ndatabase missing\nengine missing\nfirst_pass missing\n"
    );
    world.live_through_a_day();
    world.pass_time(2_000);
    assert_eq!(get(&server, "/readyz").status, 200);
    // It was reached; a restart would not bring it back.
    world.live.engine_lost(world.now.load(Ordering::Relaxed));
    assert_eq!(get(&server, "/readyz").status, 200);
}

#[test]
fn only_what_is_there_is_answered_and_nothing_of_the_request() {
    let world = World::new();
    let server = start(&world, |_| {});
    for (request, status) in [
        ("GET / HTTP/1.1\r\nhost: e\r\n\r\n", "404 Not Found"),
        (
            "GET /metrics/../evil HTTP/1.1\r\nhost: e\r\n\r\n",
            "404 Not Found",
        ),
        (
            "GET /evil?%3Cevil%3E HTTP/1.1\r\nhost: evil\r\n\r\n",
            "404 Not Found",
        ),
        (
            "POST /evil HTTP/1.1\r\nhost: evil\r\ncontent-length: 0\r\n\r\n",
            "404 Not Found",
        ),
        (
            "POST /metrics HTTP/1.1\r\nhost: evil\r\ncontent-length: 4\r\n\r\nevil",
            "405 Method Not Allowed",
        ),
        (
            "DELETE /healthz HTTP/1.1\r\nhost: evil\r\n\r\n",
            "405 Method Not Allowed",
        ),
        ("evil evil evil\r\n\r\n", "400 Bad Request"),
        ("GET /metrics HTTP/1.1\r\nevil\r\n\r\n", "400 Bad Request"),
    ] {
        let answer = check(&server, request, status);
        assert!(!answer.contains("evil"), "{answer}");
    }
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let world = World::new();
    let server = start(&world, |_| {});
    let long = "x".repeat(HEAD_SIZE_BYTES_MAX);
    let many = "a: b\r\n".repeat(HEADERS_MAX + 1);
    for request in [
        format!("GET /{long} HTTP/1.1\r\n\r\n"),
        format!("GET /metrics HTTP/1.1\r\na: {long}\r\n\r\n"),
        format!("GET /metrics HTTP/1.1\r\n{many}\r\n"),
    ] {
        let answer = send(&server, request.as_bytes());
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.is_empty() || line.starts_with("HTTP/1.1 4"), "{line}");
    }
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn a_token_is_asked_for_where_numbers_are() {
    let world = World::new();
    let server = start(&world, |settings| {
        settings.token = Some("s3cret".to_owned())
    });
    let request =
        |authorization: &str| format!("GET /metrics HTTP/1.1\r\nhost: a\r\n{authorization}\r\n");
    for wrong in [
        "",
        "authorization: Bearer\r\n",
        "authorization: Bearer s3cre\r\n",
        "authorization: Bearer s3cret!\r\n",
        "authorization: Basic s3cret\r\n",
        "authorization: s3cret\r\n",
    ] {
        let answer = check(&server, &request(wrong), "401 Unauthorized");
        assert!(answer.contains("www-authenticate: Bearer"));
        assert!(!answer.contains("cleanbill_"));
    }
    for right in ["Bearer s3cret", "bearer s3cret"] {
        let answer = check(
            &server,
            &request(&format!("authorization: {right}\r\n")),
            "200 OK",
        );
        assert!(answer.contains("cleanbill_build_info"));
    }
    assert_eq!(get(&server, "/healthz").status, 200);
    assert_eq!(get(&server, "/readyz").status, 503);
}

#[test]
fn who_sends_slowly_is_cut_off() {
    let world = World::new();
    let server = start(&world, |settings| {
        settings.bounds.head_timeout = Duration::from_millis(200);
    });
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
    let begun = Instant::now();
    loop {
        // A header every now and then, and never the end.
        let is_sent = stream.write_all(b"a: b\r\n").is_ok();
        match stream.read(&mut [0; 256]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        assert!(is_sent || begun.elapsed() < LONG);
        assert!(begun.elapsed() < LONG, "it was never cut off");
    }
}

#[test]
fn who_does_not_read_is_cut_off() {
    let world = World::new();
    let server = start(&world, |settings| {
        settings.bounds.connections_max = 1;
        settings.bounds.connection_timeout = Duration::from_millis(200);
    });
    // It holds the only slot, sends nothing, reads nothing.
    let idle = TcpStream::connect(server.address()).unwrap();
    assert_eq!(get(&server, "/healthz").status, 200);
    drop(idle);
}

#[test]
fn a_thousand_at_once_are_all_answered() {
    const THREADS: usize = 50;
    const CONNECTIONS: usize = 20;
    allow_open_files(2 * (THREADS * CONNECTIONS) as u64);
    let world = World::new();
    world.live_through_a_day();
    let server = start(&world, |_| {});
    let address = server.address();
    let ask_often = move || {
        let mut streams: Vec<TcpStream> = (0..CONNECTIONS)
            .map(|_| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(LONG)).unwrap();
                let request = b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n";
                stream.write_all(request).unwrap();
                stream
            })
            .collect();
        for stream in &mut streams {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
            assert!(answer.ends_with('\n'));
        }
    };
    let threads: Vec<_> = (0..THREADS)
        .map(|_| std::thread::spawn(ask_often))
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Raises the limit of open files, which is 1024 on many machines.
fn allow_open_files(count: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        let current = Some(count);
        setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    }
}

#[test]
fn those_who_only_wait_do_not_keep_others_out() {
    let world = World::new();
    let server = start(&world, |settings| {
        settings.bounds.connections_max = 4;
        settings.bounds.head_timeout = Duration::from_millis(100);
    });
    let is_over = Arc::new(AtomicBool::new(false));
    let (address, stop) = (server.address(), Arc::clone(&is_over));
    // Every slot is taken again as soon as it is free.
    let crowd = std::thread::spawn(move || {
        let mut idle = Vec::new();
        while !stop.load(Ordering::Relaxed) && idle.len() < 200 {
            idle.extend(TcpStream::connect(address));
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    for _ in 0..3 {
        assert_eq!(get(&server, "/healthz").status, 200);
    }
    is_over.store(true, Ordering::Relaxed);
    crowd.join().unwrap();
}

#[test]
fn half_closed_and_broken_connections_do_no_harm() {
    let world = World::new();
    let server = start(&world, |_| {});
    for bytes in [
        &b""[..],
        b"GET",
        b"GET /metrics HTTP/1.1\r\n",
        b"\0\xff\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    }
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn a_stopped_server_gives_its_address_back() {
    let world = World::new();
    let server = start(&world, |_| {});
    let address = server.address();
    // An open connection does not keep it.
    let idle = TcpStream::connect(address).unwrap();
    server.stop();
    assert!(ask::ask(address, "/healthz", LONG).is_err());
    drop(idle);
    let again = MetricsServer::bind(address, world.settings()).unwrap();
    assert_eq!(again.address(), address);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let world = World::new();
    let server = start(&world, |_| {});
    let error = MetricsServer::bind(server.address(), world.settings()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot serve metrics on {}", server.address())
    );
}
