//! `cleanbill health`, against servers that answer well, badly, and not at all.

use std::net::TcpListener;

use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};

use crate::sandbox::Sandbox;

#[test]
fn health_exits_as_container_engines_read_it() {
    let sandbox = Sandbox::without_database();
    let check = |status, text: &str, exit| {
        let sink = HttpSink::start(vec![HttpAnswer::reply(status, text)]);
        let outcome = sandbox.run(&format!("health --url {}", sink.url));
        assert_eq!(sink.request().line, "GET /healthz");
        outcome.exits(exit)
    };
    check(200, "ok\n", 0).prints(&["ok"]);
    check(503, "the loop has been silent for too long\n", 1).warns(&["503", "silent"]);
    // Whoever answers there cannot steer the terminal.
    check(503, "\u{1b}[2Jevil\n", 1).lacks(&["\u{1b}[2J"]);
}

#[test]
fn health_asks_where_the_settings_say() {
    let sandbox = Sandbox::without_database();
    let sink = HttpSink::start(vec![HttpAnswer::reply(200, "state ok\n")]);
    let address = sink.url.trim_start_matches("http://");
    let port = address.rsplit(':').next().unwrap();
    let everywhere = format!("0.0.0.0:{port}");
    let variables = [("CLEANBILL_METRICS_LISTEN", everywhere.as_str())];
    sandbox
        .run_with(variables, "health --ready")
        .exits(0)
        .prints(&["state ok"]);
    assert_eq!(sink.request().line, "GET /readyz");
    sandbox.write(
        "c.yaml",
        format!("version: 1\nmetrics: {{listen: {port}}}\n"),
    );
    sandbox.run("health --config c.yaml").exits(0);
    assert_eq!(sink.request().line, "GET /healthz");
}

#[test]
fn a_file_that_somebody_broke_makes_nobody_unhealthy() {
    let sandbox = Sandbox::without_database();
    let sink = HttpSink::start(vec![HttpAnswer::reply(200, "state ok\n")]);
    let address = sink.url.trim_start_matches("http://");
    std::fs::create_dir_all(sandbox.path("state")).unwrap();
    sandbox.write("state/watch.address", format!("{address}\n"));
    let broken = "version: 1\nstate: {directory: state}\nmetricz: {listen: 1}\n";
    sandbox.write("c.yaml", broken);
    sandbox
        .run("health --config c.yaml")
        .exits(0)
        .prints(&["state ok"]);
    assert_eq!(sink.request().line, "GET /healthz");
    // Where none runs, the file is what there is to mend.
    std::fs::remove_file(sandbox.path("state/watch.address")).unwrap();
    sandbox
        .run("health --config c.yaml")
        .exits(2)
        .warns(&["c.yaml:3:1", "metricz"]);
}

#[test]
fn health_says_when_nobody_answers_and_when_the_call_is_wrong() {
    let sandbox = Sandbox::without_database();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    sandbox
        .run(&format!("health --url http://{address}"))
        .exits(1)
        .warns(&["does not answer", "cleanbill watch"]);
    let silent = HttpSink::start(vec![HttpAnswer::Stall]);
    sandbox
        .run(&format!("health --timeout 1s --url {}", silent.url))
        .exits(1);
    sandbox
        .run_with([("CLEANBILL_METRICS_LISTEN", "off")], "health")
        .exits(2)
        .warns(&["metrics.listen is off"]);
    sandbox
        .run("health --url https://127.0.0.1:1")
        .exits(2)
        .warns(&["http://127.0.0.1:9871"]);
}
