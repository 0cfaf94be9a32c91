use cleanbill_image::http::RetryPolicy;
use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};

use super::*;

fn gateway(address: &str) -> Pushgateway {
    let options = HttpOptions {
        retry: RetryPolicy {
            delay_first: Duration::from_millis(1),
            ..RetryPolicy::default()
        },
        ..HttpOptions::default()
    };
    Pushgateway::open(options, address, ApiCredential::None, false).unwrap()
}

fn push(sink: &HttpSink, group: &Group<'_>, mode: Mode) -> Result<(), PushError> {
    let context = ReadContext::default();
    let limit = Duration::from_secs(10);
    gateway(&sink.url).push(group, "a 1\n".to_owned(), mode, limit, &context)
}

#[test]
fn groups_are_paths() {
    let gateway = gateway("push.example:9091/gateway/");
    let check = |group: Group<'_>, expected: &str| {
        let url = format!("http://push.example:9091/gateway/metrics/{expected}");
        assert_eq!(gateway.url(&group), url);
    };
    let job = || Group::of_job("ci");
    check(job(), "job/ci");
    check(job().with("image", Some("web:1")), "job/ci/image/web:1");
    check(
        job().with("instance", Some("a b?#%")),
        "job/ci/instance/a%20b%3F%23%25",
    );
    check(job().with("instance", None), "job/ci");
    // base64url of ghcr.io/a/web:1
    check(
        job().with("image", Some("ghcr.io/a/web:1")),
        "job/ci/image@base64/Z2hjci5pby9hL3dlYjox",
    );
    check(job().with("image", Some("")), "job/ci/image@base64/=");
    check(job().with("image", Some("..")), "job/ci/image@base64/Li4");
    check(
        Group::of_job("a/b").with("image", Some("?/>")),
        "job@base64/YS9i/image@base64/Py8-",
    );
    check(job().with("image", Some("é")), "job/ci/image/%C3%A9");
}

#[test]
fn metrics_are_replaced_added_and_deleted() {
    let sink = HttpSink::start(vec![HttpAnswer::reply(200, "")]);
    let group = Group::of_job("ci").with("image", Some("web:1"));
    push(&sink, &group, Mode::Replace).unwrap();
    let request = sink.request();
    assert_eq!(request.line, "PUT /metrics/job/ci/image/web:1");
    assert_eq!(request.body, "a 1\n");
    assert_eq!(
        request.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    push(&sink, &group, Mode::Add).unwrap();
    assert_eq!(sink.request().line, "POST /metrics/job/ci/image/web:1");
    let context = ReadContext::default();
    gateway(&sink.url)
        .delete(&group, Duration::from_secs(10), &context)
        .unwrap();
    assert_eq!(sink.request().line, "DELETE /metrics/job/ci/image/web:1");
}

#[test]
fn a_gateway_that_is_busy_is_asked_again() {
    let sink = HttpSink::start(vec![
        HttpAnswer::reply(503, "busy"),
        HttpAnswer::HangUp,
        HttpAnswer::reply(202, ""),
    ]);
    push(&sink, &Group::of_job("ci"), Mode::Replace).unwrap();
}

#[track_caller]
fn check_failure(answer: HttpAnswer, expected: &str) {
    let sink = HttpSink::start(vec![answer]);
    let error = push(&sink, &Group::of_job("ci"), Mode::Replace).unwrap_err();
    assert_eq!(error.to_string().replace(&sink.url, "PLACE"), expected);
}

#[test]
fn what_does_not_arrive_is_said() {
    check_failure(
        HttpAnswer::reply(400, "pushed metrics are invalid:\n\u{1b}[2J a"),
        "PLACE answered 400: pushed metrics are invalid: \u{fffd}[2J a",
    );
    check_failure(HttpAnswer::reply(401, ""), "PLACE answered 401");
    check_failure(
        HttpAnswer::reply(200, "<html>\n<title>Log in</title>"),
        "PLACE answered 200, but not as a Pushgateway does: <html> <title>Log in</title>",
    );
    check_failure(
        HttpAnswer::Reply(
            302,
            vec!["location: https://evil.example".to_owned()],
            String::new(),
        ),
        "PLACE answered 302: it wants to redirect, which is not followed",
    );
    check_failure(
        HttpAnswer::reply(500, &"x".repeat(5_000)),
        &format!("PLACE answered 500: {}", "x".repeat(300)),
    );
}

#[test]
fn who_hangs_is_not_waited_for() {
    let sink = HttpSink::start(vec![HttpAnswer::Stall]);
    let pushed = gateway(&sink.url).push(
        &Group::of_job("ci"),
        String::new(),
        Mode::Replace,
        Duration::from_millis(200),
        &ReadContext::default(),
    );
    let error = pushed.unwrap_err();
    assert!(
        matches!(error, PushError::Http(HttpError::Timeout { .. })),
        "{error}"
    );
}
