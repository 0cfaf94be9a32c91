//! `notify`, as it is called, against a service on the loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use cleanbill_store::state::MessageState;
use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};

use crate::sandbox::Sandbox;
use crate::status::{give_up, state};

/// Takes what is posted and answers always the same.
struct Sink {
    address: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        let bodies = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&bodies);
        // The thread ends with the process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while reader.read_line(&mut line).is_ok_and(|size| size > 2) {
                    let lower = line.to_ascii_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                kept.lock().unwrap().push(String::from_utf8(body).unwrap());
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, bodies }
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

const TAKEN: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const REFUSED: &str =
    "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 10\r\n\r\nno_service";

#[test]
fn a_report_is_summed_up_for_a_channel_of_flags_or_environment() {
    let sandbox = Sandbox::with_reports();
    let sink = Sink::start(TAKEN);
    let url = sink.address.as_str();
    sandbox
        .run(&format!(
            "notify slack --scan-results web.json --scan-results clean.json --webhook-url {url}"
        ))
        .exits(0)
        .prints(&["slack: delivered"])
        .warns_nothing();
    let [body] = sink.bodies().try_into().unwrap();
    assert!(body.contains("3 vulnerabilities in 2 images"), "{body}");
    assert!(body.contains("CVE-2099-0001"), "{body}");
    let variables = [("SLACK_WEBHOOK_URL", url)];
    sandbox
        .run_with(variables, "notify slack --scan-results web.json")
        .exits(0);
    assert_eq!(sink.bodies().len(), 2);
    sandbox
        .run_with(variables, "notify slack --scan-results web.json --dry-run")
        .exits(0)
        .prints(&["--- slack: would be sent", "CVE-2099-0002"])
        .lacks(&["/hook"]);
    assert_eq!(sink.bodies().len(), 2);
}

#[test]
fn the_tree_of_a_pull_request_does_not_say_who_is_told() {
    let sandbox = Sandbox::with_reports();
    let (ours, theirs) = (Sink::start(TAKEN), Sink::start(TAKEN));
    // What is wrong in it is nothing to this call either.
    sandbox.write(
        ".env",
        format!(
            "SLACK_WEBHOOK_URL={}\nCLEANBILL_REPORT_URL=https://evil.example/\nCLEANBILL_OFFLINE=true\nNAME OK\n",
            theirs.address
        ),
    );
    let variables = [("SLACK_WEBHOOK_URL", ours.address.as_str())];
    for call in ["notify slack --scan-results web.json", "notify test slack"] {
        sandbox.run_with(variables, call).exits(0);
        sandbox
            .run(call)
            .exits(2)
            .warns(&["no channel of kind slack is set up", "--env-file .env"]);
    }
    let bodies = ours.bodies();
    assert_eq!(bodies.len(), 2);
    assert!(!bodies.iter().any(|body| body.contains("evil.example")));
    assert!(theirs.bodies().is_empty());
    sandbox.write("own.env", format!("SLACK_WEBHOOK_URL={}\n", ours.address));
    sandbox
        .run("notify slack --scan-results web.json --env-file own.env")
        .exits(0);
    assert_eq!(ours.bodies().len(), 3);
}

#[test]
fn a_message_says_what_the_gate_decided_and_why() {
    let sandbox = Sandbox::with_reports();
    let verdict = |rules: &str, code: i32| {
        sandbox
            .run(&format!(
                "gate --scan-results web.json --fail-on {rules} -o json=verdict.json"
            ))
            .exits(code);
        let call = "notify slack --scan-results web.json --verdict verdict.json --dry-run";
        sandbox.run(call).exits(0)
    };
    verdict("high=0", 1).prints(&[
        "\"text\":\"The gate fails: ",
        "*Why the gate fails:*",
        "1 finding of severity HIGH, none allowed",
        "CVE-2099-0001",
    ]);
    verdict("high=100", 0)
        .prints(&["\"text\":\"The gate passes: "])
        .lacks(&["The gate fails"]);
    sandbox
        .run("notify slack --scan-results web.json --fail-on high=0 --dry-run")
        .exits(0)
        .prints(&["The gate fails: "]);
    sandbox
        .run("notify slack --scan-results web.json --dry-run")
        .exits(0)
        .lacks(&["The gate"]);
}

#[test]
fn severities_are_told_as_somebody_chose() {
    let sandbox = Sandbox::with_reports();
    let call = "notify slack --scan-results web.json --dry-run";
    let all = ["CVE-2099-0001", "CVE-2099-0002", "3 vulnerabilities"];
    sandbox
        .run(call)
        .exits(0)
        .prints(&all)
        .lacks(&["Only these"]);
    let chosen = sandbox.run(&format!("{call} --severity CRITICAL")).exits(0);
    assert!(!chosen.stdout.contains("3 vulnerabilities"), "{chosen}");
    chosen.prints(&["Only these severities are told: CRITICAL."]);
    sandbox
        .run("notify slack --scan-results web.json --severity UNKNOWN --only-on failure --dry-run")
        .exits(0)
        .prints(&["Nothing to tell."]);
}

#[test]
fn what_would_be_sent_is_shown_without_an_address() {
    let sandbox = Sandbox::with_reports();
    for kind in ["slack", "webhook", "teams", "discord", "mattermost"] {
        let call = format!("notify {kind} --scan-results web.json");
        sandbox
            .run(&format!("{call} --dry-run"))
            .exits(0)
            .prints(&[&format!("--- {kind}: would be sent"), "CVE-2099-0001"])
            .lacks(&["example.invalid"]);
        sandbox.run(&call).exits(2).warns(&["--webhook-url"]);
    }
}

#[test]
fn a_summary_may_wait_for_its_occasion() {
    let sandbox = Sandbox::with_reports();
    let sink = Sink::start(TAKEN);
    let variables = [
        ("SLACK_WEBHOOK_URL", sink.address.as_str()),
        ("SNAPSHOT_DIR", "s"),
    ];
    let check = |report: &str, occasion: &str, is_sent: bool| {
        let call = format!("notify slack --scan-results {report} --only-on {occasion}");
        let outcome = sandbox.run_with(variables, &call).exits(0);
        let is_delivered = outcome.stdout.contains("slack: delivered");
        assert_eq!(is_delivered, is_sent, "{outcome}");
        assert_ne!(outcome.stdout.contains("Nothing to tell."), is_sent);
    };
    check("web.json", "failure", true);
    check("clean.json", "failure", false);
    check("clean.json", "always", true);
    check("web.json", "change", true);
    check("clean.json", "change", false);
    sandbox
        .run_with(variables, "baseline save --scan-results web.json")
        .exits(0);
    check("web.json", "change", false);
}

#[test]
fn on_change_only_what_differs_from_the_baselines_is_told() {
    let sandbox = Sandbox::with_reports();
    let environment = [("SNAPSHOT_DIR", "s")];
    sandbox
        .run_with(environment, "baseline save --scan-results web.json")
        .exits(0);
    let directory = std::fs::read_dir(sandbox.path("s")).unwrap();
    let [baseline] = directory
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let text = std::fs::read_to_string(&baseline).unwrap();
    assert!(text.contains("CVE-2099-0001"), "{text}");
    std::fs::write(&baseline, text.replace("CVE-2099-0001", "CVE-1999-0001")).unwrap();
    let call = "notify discord --scan-results web.json --scan-results clean.json --only-on change";
    sandbox
        .run_with(environment, &format!("{call} --dry-run"))
        .exits(0)
        .prints(&[
            "1 image changed: ",
            "CVE-2099-0001",
            "Why: the baseline of the image does not accept it",
            "CVE-1999-0001",
            "Why: the baseline accepts it, and it is not found",
        ])
        .lacks(&["CVE-2099-0002", "clean.tar", "explain CVE-1999-0001"]);
}

#[test]
fn a_service_that_is_busy_for_a_moment_is_asked_again() {
    let sandbox = Sandbox::with_reports();
    let call = |url: &str| format!("notify webhook --scan-results web.json --webhook-url {url}/");
    let busy = || HttpAnswer::reply(503, "busy");
    let sink = HttpSink::start(vec![busy(), HttpAnswer::reply(200, "ok")]);
    sandbox
        .run(&call(&sink.url))
        .exits(0)
        .prints(&["webhook: delivered"])
        .warns(&["webhook: ", "503", "trying again in 2 s"]);
    // Who wants to be left alone for long is.
    let later = HttpAnswer::Reply(429, vec!["Retry-After: 3600".to_owned()], String::new());
    let sink = HttpSink::start(vec![later]);
    sandbox
        .run(&call(&sink.url))
        .exits(3)
        .prints(&["webhook: NOT DELIVERED", "429"])
        .lacks(&["trying again"]);
}

#[test]
fn a_service_that_hangs_is_left_in_time_and_at_once_when_asked() {
    let sandbox = Sandbox::with_reports();
    let sink = HttpSink::start(vec![HttpAnswer::Stall]);
    let call = format!(
        "notify webhook --scan-results web.json --webhook-url {}/",
        sink.url
    );
    sandbox
        .run(&format!("{call} --timeout 1s"))
        .exits(3)
        .prints(&["webhook: NOT DELIVERED: no answer before --timeout"])
        .lacks(&["trying again"]);
    sink.request();
    let running = sandbox.start(&call);
    sink.request();
    running.signal(rustix::process::Signal::TERM);
    running
        .wait()
        .exits(130)
        .prints(&["webhook: NOT DELIVERED: stopped"])
        .lacks(&["trying again"]);
}

#[test]
fn a_channel_that_hangs_does_not_use_up_the_time_of_others() {
    let sandbox = Sandbox::new();
    let hanging = HttpSink::start(vec![HttpAnswer::Stall]);
    let prompt = HttpSink::start(vec![HttpAnswer::reply(200, "ok")]);
    let variables = [
        ("SLACK_WEBHOOK_URL", hanging.url.as_str()),
        ("CLEANBILL_WEBHOOK_URL", prompt.url.as_str()),
    ];
    sandbox
        .run_with(variables, "notify test --timeout 3s")
        .exits(3)
        .prints(&["slack: NOT DELIVERED", "webhook: delivered"]);
}

#[test]
fn what_is_not_delivered_is_said_without_secrets() {
    let sandbox = Sandbox::with_reports();
    let sink = Sink::start(REFUSED);
    sandbox
        .run(&format!(
            "notify slack --scan-results web.json --webhook-url {}",
            sink.address
        ))
        .exits(3)
        .prints(&["slack: NOT DELIVERED", "403"])
        .lacks(&["/hook"]);
    sandbox
        .run_with(
            [("SLACK_WEBHOOK_URL", sink.address.as_str())],
            "notify test --offline",
        )
        .exits(3)
        .prints(&["NOT DELIVERED"]);
}

#[test]
fn a_wrong_channel_is_named_with_what_is_missing() {
    let sandbox = Sandbox::with_reports();
    for (call, texts) in [
        (
            "notify slack --scan-results web.json",
            &["no channel of kind slack is set up", "SLACK_WEBHOOK_URL"][..],
        ),
        (
            "notify email --scan-results web.json",
            &["no channel of kind smtp is set up", "SMTP_HOST"],
        ),
        (
            "notify slakc --scan-results web.json",
            &[
                "there is no channel 'slakc'",
                "did you mean slack?",
                "there are smtp, slack, webhook, teams",
            ],
        ),
        (
            "notify slac --scan-results web.json --webhook-url https://example.com/",
            &[
                "'slac' is no kind of channel",
                "did you mean slack?",
                "there are slack, webhook, teams",
            ],
        ),
        (
            "notify slack --scan-results web.json --webhook-url nonsense",
            &["--webhook-url"],
        ),
        ("notify test", &["no channel is set up"]),
        ("notify slack", &["--scan-results"]),
        ("notify", &["CHANNEL"]),
    ] {
        let outcome = sandbox.run(call).exits(2).warns(texts);
        assert!(!outcome.stderr.contains("--slack-webhook-url"), "{outcome}");
    }
}

#[test]
fn what_may_not_be_connected_is_not_tried_again() {
    let sandbox = Sandbox::with_reports();
    let begin = std::time::Instant::now();
    sandbox
        .run("notify slack --scan-results web.json --offline --webhook-url https://example.com/x")
        .exits(3)
        .prints(&["NOT DELIVERED", "was not asked: offline"])
        .lacks(&["trying again"]);
    sandbox
        .run("scan --offline --retries 3 --source registry example.com/app:1")
        .lacks(&["trying again"]);
    assert!(begin.elapsed() < std::time::Duration::from_secs(2));
}

#[test]
fn every_channel_can_be_tried() {
    let sandbox = Sandbox::without_database();
    let sink = Sink::start(TAKEN);
    sandbox.write(
        "c.yaml",
        format!(
            "version: 1\nnotify:\n  channels:\n    team: {{kind: slack, webhook_url: '{0}'}}\n    \
             hook: {{kind: webhook, url: '{0}'}}\n",
            sink.address
        ),
    );
    sandbox
        .run("notify test --config c.yaml")
        .exits(0)
        .prints(&["team: delivered", "hook: delivered"]);
    sandbox
        .run("notify test team team --config c.yaml")
        .exits(0)
        .lacks(&["hook:"]);
    assert_eq!(sink.bodies().len(), 3);
    sandbox
        .run("notify test --dry-run --config c.yaml")
        .exits(0)
        .prints(&["--- team: would be sent", "this channel works"]);
    assert_eq!(sink.bodies().len(), 3);
}

#[test]
fn what_was_given_up_is_sent_again_on_demand() {
    let sandbox = Sandbox::without_database();
    let store = state(&sandbox);
    sandbox
        .run("notify retry")
        .exits(0)
        .prints(&["No message was given up."]);
    for id in ["a", "b", "c"] {
        give_up(&store, "mail", id);
    }
    let log = sandbox.run("notify list -f json").exits(0).json();
    assert_eq!(log["messages"][0]["state"], "dead");
    assert_eq!(log["deliveries"][0]["text"], "nobody listens");
    // Nothing is sent again if one of them is a mistake.
    sandbox
        .run("notify retry 1 99")
        .exits(2)
        .warns(&["no message 99 was given up", "notify list"]);
    let dead = |store: &cleanbill_store::state::StateStore| {
        let rows = store.read().outbox_list(Some(MessageState::Dead), 9);
        rows.unwrap().len()
    };
    assert_eq!(dead(&store), 3);
    // The owner runs meanwhile.
    sandbox
        .run("notify retry 2")
        .exits(0)
        .prints(&["Message 2 goes to mail again."]);
    assert_eq!(dead(&store), 2);
    sandbox
        .run("notify retry")
        .exits(0)
        .prints(&["Message 1", "Message 3"]);
    assert_eq!(dead(&store), 0);
}
