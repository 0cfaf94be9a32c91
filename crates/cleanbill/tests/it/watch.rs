//! `watch` as a process without an engine: health, other settings while it runs, damaged state.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use cleanbill_monitor::notify::{ComposeSettings, test_message};
use cleanbill_store::state::{MessageState, OutboxMessage, StateReader, StateStore};
use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};
use jiff::Timestamp;
use rustix::process::Signal;

use crate::sandbox::{Outcome, Running, Sandbox, wait_until};

/// Starts `watch` and waits until it watches.
fn start(sandbox: &Sandbox, flags: &str) -> Running {
    let call =
        format!("watch --docker-host unix:///nowhere.sock --state-dir state --offline {flags}");
    begin(sandbox, &call)
}

/// Starts a `watch` and waits until it says to the service manager that it is ready.
fn begin(sandbox: &Sandbox, call: &str) -> Running {
    let path = sandbox.path("notify");
    let _ = std::fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).unwrap();
    // Only a failing test waits so long.
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let watch = sandbox.start_with([("NOTIFY_SOCKET", path.to_str().unwrap())], call);
    socket.recv(&mut [0; 64]).unwrap();
    watch
}

fn stop(watch: Running) -> Outcome {
    watch.signal(Signal::TERM);
    watch.wait()
}

#[test]
fn health_finds_a_running_watch_by_what_it_left_in_its_state_directory() {
    let sandbox = Sandbox::new();
    // The system chooses the port; no setting names it.
    let watch = start(&sandbox, "--metrics-listen 127.0.0.1:0");
    let ask = |call: &str| sandbox.run_with([("CLEANBILL_METRICS_LISTEN", "off")], call);
    ask("health --state-dir state").exits(0).prints(&["ok"]);
    let ready = ask("health --ready --state-dir state").exits(1);
    ready.warns(&["first_pass"]);
    ask("health").exits(2).warns(&["metrics.listen is off"]);
    stop(watch).exits(0);
    ask("health --state-dir state").exits(2);
    assert!(!sandbox.path("state/watch.address").exists());
}

#[test]
fn an_engine_that_does_not_answer_is_shown_while_watch_runs() {
    let sandbox = Sandbox::new();
    let watch = start(&sandbox, "--metrics-listen 127.0.0.1:0");
    let status = |format: &str| sandbox.run(&format!("status --state-dir state {format}"));
    let is_away = || {
        problems(&sandbox)
            .iter()
            .any(|one| one.contains("engine_away"))
    };
    wait_until("the engine was asked", is_away);
    let expected = ["! the engine has not answered since ", "/nowhere.sock"];
    status("").exits(3).prints(&expected);
    let away = status("--format json").exits(3).json()["engine_away"].clone();
    assert!(away["reason"].as_str().unwrap().contains("/nowhere.sock"));
    // Alive, but not ready.
    sandbox.run("health --state-dir state").exits(0);
    let ready = sandbox.run("health --ready --state-dir state").exits(1);
    ready.warns(&["engine"]);
    // The time stays when it is tried again.
    std::thread::sleep(Duration::from_secs(3));
    let later = status("--format json").exits(3).json()["engine_away"].clone();
    assert_eq!(later["since"], away["since"]);
    stop(watch)
        .exits(0)
        .warns(&[
            "cannot list the images",
            "trying again in 2 s",
            "trying again in 4 s",
        ])
        .lacks(&["cannot follow what happens"]);
    // Nobody knows any more.
    assert!(!is_away());
    // What a killed process left does not stay either.
    let watch = start(&sandbox, "--metrics-listen off");
    wait_until("the engine was asked", is_away);
    watch.signal(Signal::KILL);
    watch.wait();
    let left = status("--format json").json()["engine_away"]["since"].clone();
    let watch = start(&sandbox, "--metrics-listen off");
    wait_until("the engine was asked anew", || {
        let since = status("--format json").json()["engine_away"]["since"].clone();
        since.is_string() && since != left
    });
    stop(watch).exits(0);
}

/// Returns what `status` says somebody has to look at, apart from the engine that there is not.
fn wrong(sandbox: &Sandbox) -> Vec<String> {
    let mut problems = problems(sandbox);
    problems.retain(|problem| !problem.contains("engine_away"));
    problems
}

/// Returns what `status` says somebody has to look at.
fn problems(sandbox: &Sandbox) -> Vec<String> {
    let status = sandbox.run("status --state-dir state --format json").json();
    let problems = status["problems"].as_array().unwrap();
    problems
        .iter()
        .map(|problem| format!("{}: {}", problem["kind"], problem["text"]))
        .collect()
}

#[test]
fn settings_that_cannot_be_used_are_said_and_the_old_ones_stay() {
    let sandbox = Sandbox::new();
    let good = "version: 1\nnotify: {slack: {webhook_url: 'https://hooks.example/a'}}\n";
    sandbox.write("c.yaml", good);
    let watch = start(&sandbox, "--config c.yaml --metrics-listen off");
    let check = |text: &str, expected: &str| {
        sandbox.write("c.yaml", text);
        watch.signal(Signal::HUP);
        wait_until(expected, || {
            problems(&sandbox).join("\n").contains(expected)
        });
        sandbox.write("c.yaml", good);
        watch.signal(Signal::HUP);
        wait_until("all is well", || wrong(&sandbox).is_empty());
    };
    check("version: 1\nwatch: {interval: soon}\n", "'soon'");
    // These load, and cannot be used.
    check(
        "version: 1\nnotify: {slack: {webhook_url: 'http://hooks.example/secret'}}\n",
        "channel slack",
    );
    check(
        "version: 1\nscan: {ignore_files: [/nowhere/ignored]}\n",
        "/nowhere/ignored",
    );
    check(
        "version: 1\nwatch: {ignore_list: state}\n",
        "no regular file",
    );
    stop(watch)
        .exits(0)
        .warns(&["the new settings are not taken, the old ones stay"])
        .lacks(&["/secret"]);
}

#[test]
fn an_ignore_list_that_changes_is_taken_without_another_setting() {
    let sandbox = Sandbox::new();
    sandbox.write("list", "a:1\n");
    let watch = start(&sandbox, "--ignore-list list --metrics-listen off");
    sandbox.write("list", "a:1\nb:*\n");
    watch.signal(Signal::HUP);
    // Each stretch of watching begins with a plan of its own.
    let planned = || {
        let status = sandbox.run("status --state-dir state --format json").json();
        status["passes"]["next_at"].clone()
    };
    let before = planned();
    wait_until("the settings are taken", || planned() != before);
    stop(watch)
        .exits(0)
        .warns(&["setting watch.ignore_list changed"]);
}

#[test]
fn a_damaged_state_is_set_aside_and_baselines_are_kept() {
    let sandbox = Sandbox::new();
    let baseline = r#"{"image": "a:1", "timestamp": "", "vulnerabilities": ["CVE-1"]}"#;
    sandbox
        .write("state/state.db", "this is no database")
        .write("snapshots/a__1.json", baseline);
    let flags = "--metrics-listen off --snapshot-dir snapshots";
    let watch = start(&sandbox, flags);
    stop(watch)
        .exits(0)
        .warns(&["damaged", "everything counts as new"]);
    assert_eq!(sandbox.read("snapshots/a__1.json"), baseline);
    let files = sandbox.files("state");
    assert!(
        files
            .iter()
            .any(|file| file.starts_with("state.db.corrupt-")),
        "{files:?}"
    );
    // The second start finds a sound one.
    stop(start(&sandbox, flags)).exits(0).lacks(&["damaged"]);
}

#[test]
fn a_state_directory_that_cannot_be_written_ends_the_start() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    let call = "watch --docker-host unix:///nowhere.sock --offline --metrics-listen off";
    for directory in ["file/state", "/proc/state"] {
        sandbox
            .run(&format!("{call} --state-dir {directory}"))
            .exits(2)
            .warns(&[directory]);
    }
}

#[test]
fn an_address_that_is_taken_ends_the_start_and_says_what_to_do() {
    let sandbox = Sandbox::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    sandbox
        .run(&format!(
            "watch --docker-host unix:///nowhere.sock --state-dir state --offline \
             --metrics-listen {address}"
        ))
        .exits(2)
        .warns(&["cannot serve metrics", "--metrics-listen"]);
}

/// Leaves a message for a channel in the state, as if the last process had made it.
fn leave_message(sandbox: &Sandbox, channel: &str) {
    let now = Timestamp::now();
    let message = test_message("m1", now, &ComposeSettings::default());
    let message = OutboxMessage::new(channel, "m1", serde_json::to_vec(&message).unwrap());
    let (store, _) = StateStore::open(&sandbox.path("state"), now.as_millisecond()).unwrap();
    store
        .messages_commit(&[], &[message], now.as_millisecond())
        .unwrap();
}

fn messages_in(sandbox: &Sandbox, state: MessageState) -> Vec<String> {
    let store = StateReader::open(&sandbox.path("state")).unwrap();
    let rows = store.outbox_list(Some(state), 9).unwrap();
    rows.into_iter().map(|row| row.channel).collect()
}

#[test]
fn a_service_that_hangs_delays_no_other_channel_no_other_settings_and_no_end() {
    let sandbox = Sandbox::new();
    let hanging = HttpSink::start(vec![HttpAnswer::Stall]);
    let prompt = HttpSink::start(vec![HttpAnswer::reply(200, "ok")]);
    let settings = |slack: &str| {
        let webhook = format!("  webhook: {{ url: '{}/hook' }}\n", prompt.url);
        sandbox.write("c.yaml", format!("version: 1\nnotify:\n{slack}{webhook}"));
    };
    settings(&format!(
        "  slack: {{ webhook_url: '{}/hook' }}\n",
        hanging.url
    ));
    leave_message(&sandbox, "slack");
    leave_message(&sandbox, "webhook");
    let watch = begin(
        &sandbox,
        "watch --docker-host unix:///nowhere.sock --state-dir state --skip-db-update \
         --metrics-listen off --config c.yaml",
    );
    assert!(prompt.request().body.contains("m1"));
    hanging.request();
    let begun = Instant::now();
    wait_until("it is noted as delivered", || {
        messages_in(&sandbox, MessageState::Delivered) == ["webhook"]
    });
    // The channel that hangs is taken out: nobody waits for its answer, and nothing is lost.
    settings("");
    watch.signal(Signal::HUP);
    wait_until("the message of a channel that is gone is given up", || {
        messages_in(&sandbox, MessageState::Dead) == ["slack"]
    });
    watch.signal(Signal::TERM);
    watch.wait().exits(0);
    // Its answer would have been waited for longer than this.
    assert!(begun.elapsed() < Duration::from_secs(60));
    sandbox
        .run("notify retry --state-dir state")
        .exits(0)
        .prints(&["goes to slack again"]);
}
