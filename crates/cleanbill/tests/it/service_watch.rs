//! `watch` on a real Docker engine, with a receiver of messages on the loopback.

use cleanbill_store::state::StateReader;
use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};
use rustix::process::Signal;
use serde_json::Value;

use crate::samples;
use crate::sandbox::{Running, wait_until};
use crate::service_docker::Engine;

const IMAGE: &str = "cleanbill-e2e/watched:1";

fn start(engine: &Engine, sink: &HttpSink) -> Running {
    let call = format!(
        "watch --image cleanbill-e2e/watched:* --state-dir state --log-dir logs \
         --snapshot-dir snapshots --webhook-url {}/hook --skip-db-update --metrics-listen off",
        sink.url
    );
    engine
        .sandbox
        .start_with([("DOCKER_HOST", engine.host.as_str())], &call)
}

/// Returns what the next message says happened: kind, vulnerability, image and cause.
fn told(sink: &HttpSink) -> Vec<String> {
    let request = sink.request();
    assert_eq!(request.line, "POST /hook");
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let groups = body["vulnerabilities"].as_array().unwrap();
    let mut told: Vec<String> = groups
        .iter()
        .flat_map(|group| {
            group["hits"].as_array().unwrap().iter().map(|hit| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let [kind, cause] = [&hit["happening"], &hit["cause"]].map(text);
                format!(
                    "{kind} {} {} {cause}",
                    text(&group["id"]),
                    text(&hit["image"])
                )
            })
        })
        .collect();
    told.sort();
    told
}

fn passes(engine: &Engine) -> usize {
    let summary = engine.sandbox.path("logs/scan-summary.log");
    let text = std::fs::read_to_string(summary).unwrap_or_default();
    text.lines().count()
}

#[test]
fn what_happens_on_an_engine_is_told_once_and_with_its_cause() {
    let Some(mut engine) = Engine::connect() else {
        return;
    };
    let sink = HttpSink::start(vec![HttpAnswer::reply(200, "ok")]);
    engine.load(&samples::debian(IMAGE), IMAGE);
    let running = start(&engine, &sink);
    assert_eq!(
        told(&sink),
        ["new CVE-2099-0001 cleanbill-e2e/watched:1 first_seen"]
    );

    // The tag means another image now, in which curl was added.
    engine.load(&samples::web().tag(IMAGE), IMAGE);
    assert_eq!(
        told(&sink),
        ["new CVE-2099-0002 cleanbill-e2e/watched:1 image_changed"]
    );

    wait_until("the message is noted as delivered", || {
        let state = StateReader::open(&engine.sandbox.path("state")).unwrap();
        state.status_summary().unwrap().messages_pending == 0
    });
    // Killed and started again: it looks at everything, and has nothing to say.
    drop(running);
    let before = passes(&engine);
    let running = start(&engine, &sink);
    wait_until("it has looked again", || passes(&engine) > before);
    // What it said all the same would be the next message.
    engine.load(&samples::clean().tag(IMAGE), IMAGE);
    let resolved = told(&sink);
    assert!(
        resolved.iter().all(|line| line.starts_with("resolved ")) && resolved.len() == 2,
        "{resolved:?}"
    );
    running.signal(Signal::TERM);
    running.wait().exits(0);
}

#[test]
fn one_pass_exits_with_what_it_found_out() {
    let Some(mut engine) = Engine::connect() else {
        return;
    };
    engine.load(
        &samples::debian("cleanbill-e2e/once:1"),
        "cleanbill-e2e/once:1",
    );
    let call = "watch --once --save-snapshot --state-dir state --log-dir logs \
                --snapshot-dir snapshots --skip-db-update --metrics-listen off";
    let variables = [
        ("DOCKER_HOST", engine.host.as_str()),
        ("SCAN_IMAGES", "cleanbill-e2e/once:1"),
    ];
    let gateway = HttpSink::start(vec![HttpAnswer::reply(200, "")]);
    let pushing = format!("{call} --pushgateway {} --host-name h-1", gateway.url);
    let summary = ["New vulnerabilities: 1 for cleanbill-e2e/once:1; counts: 1 | CRITICAL: "];
    let outcome = engine.sandbox.run_with(variables, &pushing).exits(0);
    outcome.prints(&summary);
    let quiet = format!("{call} --quiet");
    let outcome = engine.sandbox.run_with(variables, &quiet).exits(0);
    assert_eq!(outcome.stdout, "");
    let pushed = gateway.request();
    assert_eq!(pushed.line, "PUT /metrics/job/cleanbill/instance/h-1");
    assert!(
        pushed
            .body
            .contains("cleanbill_images{state=\"complete\"} 1")
    );
    let baseline = engine
        .sandbox
        .read_json("snapshots/cleanbill-e2e__once__1.json");
    assert_eq!(baseline["image"], "cleanbill-e2e/once:1");
    assert_eq!(baseline["vulnerabilities"][0], "CVE-2099-0001");
    let backup = engine.sandbox.path("state/state.db.backup");
    assert!(backup.exists(), "no daemon makes one later");
    engine.sandbox.write("a-file", "");
    let nowhere = call.replace(
        "--snapshot-dir snapshots",
        "--snapshot-dir a-file/snapshots",
    );
    let outcome = engine.sandbox.run_with(variables, &nowhere).exits(3);
    outcome.warns(&["logs, reports or baselines of some images could not be written"]);
    let variables = [
        ("DOCKER_HOST", engine.host.as_str()),
        ("SCAN_IMAGES", "cleanbill-e2e/absent:1"),
    ];
    let outcome = engine.sandbox.run_with(variables, call).exits(3);
    outcome.warns(&["cleanbill-e2e/absent:1 was not assessed completely"]);
}
