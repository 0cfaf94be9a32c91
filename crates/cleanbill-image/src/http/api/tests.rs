use std::sync::Arc;

use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};

use super::super::{NotedPauses, Pause, RetryPolicy};
use super::*;

struct Bench {
    sink: HttpSink,
    client: ApiClient,
    pauses: Arc<NotedPauses>,
}

impl Bench {
    fn start(answers: Vec<HttpAnswer>) -> Self {
        let sink = HttpSink::start(answers);
        let pauses = Arc::<NotedPauses>::default();
        let options = HttpOptions {
            retry: RetryPolicy {
                attempts_max: 3,
                pause: Arc::clone(&pauses) as Arc<dyn Pause>,
                ..RetryPolicy::default()
            },
            ..HttpOptions::default()
        };
        let credential = ApiCredential::Bearer(Secret::new("hunter2"));
        let address = format!("{}/api", sink.url);
        let client = ApiClient::new(options, &address, credential, false).unwrap();
        Self {
            sink,
            client,
            pauses,
        }
    }

    fn send(&self, method: ApiMethod, is_repeatable: bool) -> Result<ApiAnswer, HttpError> {
        self.send_within(method, is_repeatable, Duration::from_secs(30))
    }

    fn send_within(
        &self,
        method: ApiMethod,
        is_repeatable: bool,
        limit: Duration,
    ) -> Result<ApiAnswer, HttpError> {
        let request = ApiRequest {
            method,
            url: self.client.url(["a b", "c/d"]),
            headers: vec![("content-type", "text/plain".to_owned())],
            body: b"body".to_vec(),
            is_repeatable,
        };
        let deadline = Instant::now() + limit;
        self.client
            .send(&request, deadline, &ReadContext::default())
    }

    fn pauses_s(&self) -> Vec<f64> {
        let pauses = self.pauses.0.lock().unwrap();
        pauses.iter().map(Duration::as_secs_f64).collect()
    }
}

fn with_headers(status: u16, headers: &[&str]) -> HttpAnswer {
    let headers = headers.iter().map(|header| (*header).to_owned()).collect();
    HttpAnswer::Reply(status, headers, String::new())
}

#[test]
fn a_request_is_sent_as_it_is_described() {
    let bench = Bench::start(vec![with_headers(201, &["x-next: 7"])]);
    let answer = bench.send(ApiMethod::Put, true).unwrap();
    assert!(answer.is_success());
    assert_eq!(answer.header("x-next"), Some("7"));
    let request = bench.sink.request();
    assert_eq!(request.line, "PUT /api/a%20b/c%2Fd");
    assert_eq!(request.header("authorization"), Some("Bearer hunter2"));
    assert_eq!(request.header("content-type"), Some("text/plain"));
    assert_eq!(request.body, "body");
}

#[test]
fn what_may_be_repeated_is_with_growing_pauses() {
    let bench = Bench::start(vec![
        HttpAnswer::reply(503, ""),
        HttpAnswer::HangUp,
        HttpAnswer::reply(200, "done"),
    ]);
    assert_eq!(bench.send(ApiMethod::Put, true).unwrap().body, "done");
    assert_eq!(bench.pauses_s(), [0.5, 1.0]);
}

#[test]
fn what_may_not_be_repeated_is_only_if_it_was_not_done() {
    let bench = Bench::start(vec![HttpAnswer::reply(502, "")]);
    assert_eq!(bench.send(ApiMethod::Post, false).unwrap().status, 502);
    assert!(bench.pauses_s().is_empty());
    let bench = Bench::start(vec![HttpAnswer::HangUp]);
    assert!(bench.send(ApiMethod::Post, false).is_err());
    assert!(bench.pauses_s().is_empty());
    let bench = Bench::start(vec![
        with_headers(429, &["retry-after: 3"]),
        HttpAnswer::reply(201, ""),
    ]);
    assert_eq!(bench.send(ApiMethod::Post, false).unwrap().status, 201);
    assert_eq!(bench.pauses_s(), [3.0]);
}

#[test]
fn attempts_and_the_deadline_bound_it() {
    let bench = Bench::start(vec![HttpAnswer::reply(500, "")]);
    assert_eq!(bench.send(ApiMethod::Get, true).unwrap().status, 500);
    assert_eq!(bench.pauses_s().len(), 2);
    let bench = Bench::start(vec![with_headers(429, &["retry-after: 900"])]);
    let answer = bench.send(ApiMethod::Get, true).unwrap();
    assert_eq!(answer.pause_wanted, Some(Duration::from_secs(900)));
    assert!(bench.pauses_s().is_empty());
    let bench = Bench::start(vec![HttpAnswer::Stall]);
    let error = bench.send_within(ApiMethod::Get, true, Duration::from_millis(200));
    assert!(matches!(error, Err(HttpError::Timeout { .. })), "{error:?}");
}

#[test]
fn redirects_are_answers_and_links_stay_at_home() {
    let other = HttpSink::start(vec![HttpAnswer::reply(200, "")]);
    let bench = Bench::start(vec![with_headers(
        307,
        &[&format!("location: {}", other.url)],
    )]);
    assert_eq!(bench.send(ApiMethod::Put, true).unwrap().status, 307);
    assert!(other.is_idle());
    assert!(bench.client.link(&other.url).is_none());
    assert!(bench.client.link("https://evil.example/x").is_none());
    let own = format!("{}/api/x?page=2", bench.sink.url);
    assert_eq!(bench.client.link(&own).unwrap().as_str(), own);
    let foreign = ApiRequest {
        method: ApiMethod::Get,
        url: other.url.parse().unwrap(),
        headers: Vec::new(),
        body: Vec::new(),
        is_repeatable: true,
    };
    let deadline = Instant::now() + Duration::from_secs(5);
    let sent = bench
        .client
        .send(&foreign, deadline, &ReadContext::default());
    assert!(matches!(sent, Err(HttpError::Refused { .. })));
    assert!(other.is_idle());
}

#[test]
fn credentials_are_not_sent_in_plain_text_or_shown() {
    let open = |address: &str, may_be_plain| {
        ApiClient::new(
            HttpOptions::default(),
            address,
            ApiCredential::None,
            may_be_plain,
        )
    };
    let error = open("http://me:hunter2@push.example:9091", false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "refused to ask http://push.example:9091: it is not encrypted, and a password or token \
         would be sent"
    );
    assert!(open("http://me:hunter2@push.example:9091", true).is_ok());
    assert!(open("http://push.example:9091", false).is_ok());
    let client = open("https://me:p%40ss+1@push.example/x/?q#f", false).unwrap();
    assert_eq!(client.url(["y"]).as_str(), "https://push.example/x/y");
    let ApiCredential::Basic(user, password) = &client.credential else {
        panic!("no credential");
    };
    assert_eq!((user.as_str(), password.expose()), ("me", "p@ss+1"));
    assert!(!format!("{client:?}").contains("p@ss"));
    for wrong in ["push.example", "ftp://push.example", "http://", ""] {
        assert!(open(wrong, true).is_err(), "{wrong}");
    }
    let token = ApiCredential::Bearer(Secret::new("a\nb"));
    let opened = ApiClient::new(HttpOptions::default(), "https://a.example", token, false);
    assert!(opened.is_err());
}
