//! `metrics`, as it is called, against a gateway on the loopback.

use std::os::unix::fs::PermissionsExt as _;

use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};

use crate::sandbox::Sandbox;

#[test]
fn each_image_has_a_group_of_its_own() {
    let sandbox = Sandbox::with_reports();
    let gateway = HttpSink::start(vec![HttpAnswer::reply(200, "")]);
    sandbox
        .run(&format!(
            "metrics push --scan-results web.json --scan-results clean.json --job ci --fail-on high \
             --pushgateway {}",
            gateway.url
        ))
        .exits(0)
        .prints(&["pushed"]);
    let [first, second] = [gateway.request(), gateway.request()];
    for request in [&first, &second] {
        assert!(
            request.line.starts_with("PUT /metrics/job/ci/image"),
            "{}",
            request.line
        );
        for name in [
            "cleanbill_report_findings{",
            "cleanbill_report_scan_duration_seconds{",
            "cleanbill_report_database_updated_timestamp_seconds{",
            "cleanbill_report_gate_passed{",
        ] {
            assert!(request.body.contains(name), "{name} {}", request.body);
        }
    }
    assert_ne!(first.line, second.line);
    assert!(gateway.is_idle());
}

#[test]
fn the_address_may_come_from_the_environment_and_a_password_must() {
    let sandbox = Sandbox::with_reports();
    let gateway = HttpSink::start(vec![HttpAnswer::reply(202, "")]);
    let with_password = gateway.url.replace("http://", "http://me:hunter2@");
    sandbox
        .run(&format!(
            "metrics push --scan-results web.json --pushgateway {with_password}"
        ))
        .exits(2)
        .warns(&[
            "every user of this host could read",
            "CLEANBILL_PUSHGATEWAY_PASSWORD",
        ])
        .lacks(&["hunter2"]);
    sandbox
        .run_with(
            [("PROMETHEUS_PUSHGATEWAY", with_password.as_str())],
            "metrics push --scan-results web.json --add",
        )
        .exits(0)
        .lacks(&["hunter2"]);
    let request = gateway.request();
    assert!(request.line.starts_with("POST /metrics/job/cleanbill/"));
    assert_eq!(
        request.header("authorization"),
        Some("Basic bWU6aHVudGVyMg==")
    );
    sandbox.write("token", "s3cret\n");
    sandbox
        .run(&format!(
            "metrics push --delete --image shop/web:1 --pushgateway {} --pushgateway-token-file token",
            gateway.url
        ))
        .exits(0)
        .prints(&["deleted shop/web:1"]);
    let request = gateway.request();
    assert_eq!(
        request.line,
        "DELETE /metrics/job/cleanbill/image@base64/c2hvcC93ZWI6MQ"
    );
    assert_eq!(request.header("authorization"), Some("Bearer s3cret"));
}

#[test]
fn a_group_is_deleted_by_the_name_that_it_was_pushed_by() {
    let sandbox = Sandbox::with_reports();
    let long = "x".repeat(300);
    let mut report = sandbox.read_json("web.json");
    report["images"][0]["name"] = format!("shop/\u{1b}{long}").into();
    sandbox.write("long.json", report.to_string());
    let groups = |call: &str| -> Vec<String> {
        let call = format!("metrics push {call} --dry-run --pushgateway h:9091");
        let printed = sandbox.run(&call).exits(0).stdout;
        let lines = printed.lines().filter(|line| line.starts_with("--- "));
        lines
            .filter_map(|line| Some(line.split_once("http")?.1.to_owned()))
            .collect()
    };
    let pushed = groups("--scan-results long.json --scan-results clean.json");
    assert_eq!(pushed.len(), 2);
    let deleted = groups("--delete --scan-results long.json --scan-results clean.json");
    assert_eq!(
        pushed.iter().collect::<std::collections::BTreeSet<_>>(),
        deleted.iter().collect()
    );
    let named = groups(&format!("--delete --image shop/?{long}"));
    assert_eq!(named.len(), 1);
    assert!(named[0].len() < pushed[0].len().max(pushed[1].len()) + 10);
}

#[test]
fn what_is_built_anew_with_each_commit_is_one_series() {
    let sandbox = Sandbox::with_reports();
    let gateway = HttpSink::start(vec![HttpAnswer::reply(200, "")]);
    let push = format!(
        "metrics push --image-label app:main --pushgateway {}",
        gateway.url
    );
    for report in ["web.json", "clean.json"] {
        sandbox
            .run(&format!("{push} --scan-results {report}"))
            .exits(0)
            .prints(&["pushed app:main"]);
        let request = gateway.request();
        assert_eq!(request.line, "PUT /metrics/job/cleanbill/image/app:main");
        assert!(request.body.contains("{image=\"app:main\"}"));
        assert!(!request.body.contains(".tar"), "{}", request.body);
    }
    sandbox
        .run(&format!(
            "{push} --scan-results web.json --scan-results clean.json"
        ))
        .exits(2)
        .warns(&["--image-label names one image, and the reports hold 2"]);
    assert!(gateway.is_idle());
}

#[test]
fn what_is_not_pushed_is_said() {
    let sandbox = Sandbox::with_reports();
    let gateway = HttpSink::start(vec![HttpAnswer::reply(400, "text format parsing error")]);
    sandbox
        .run(&format!(
            "metrics push --scan-results web.json --pushgateway {}",
            gateway.url
        ))
        .exits(3)
        .prints(&["NOT PUSHED", "400: text format parsing error"]);
    sandbox
        .run("metrics push --scan-results web.json --offline --pushgateway http://127.0.0.1:1")
        .exits(3)
        .prints(&["offline"]);
    sandbox
        .run("metrics push --scan-results web.json")
        .exits(2)
        .warns(&["no Pushgateway is named", "PROMETHEUS_PUSHGATEWAY"]);
    sandbox
        .run("metrics push --scan-results absent.json --pushgateway h:9091")
        .exits(2)
        .warns(&["cannot read a report from absent.json"]);
}

#[test]
fn metrics_are_rendered_for_a_textfile_collector() {
    let sandbox = Sandbox::with_reports();
    sandbox
        .run("metrics render --scan-results web.json --openmetrics")
        .exits(0)
        .prints(&["# TYPE cleanbill_report_findings gauge", "# EOF"]);
    sandbox
        .run(
            "metrics render --scan-results web.json --scan-results clean.json \
             --output-file cleanbill.prom",
        )
        .exits(0);
    let path = sandbox.path("cleanbill.prom");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("# EOF"));
    sandbox
        .run("metrics render --scan-results web.json --scan-results clean.json --images-max 1")
        .exits(0)
        .prints(&["image=\"(others)\""])
        .warns(&["--images-max 1"]);
    sandbox
        .run("metrics render --scan-results web.json -o absent/cleanbill.prom")
        .exits(2)
        .warns(&["cannot write absent/cleanbill.prom"]);
}
