//! `comment`, as it is called. What code hosts do is tested beside the code; here is what a pipeline
//! gives and gets.

use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};

use crate::sandbox::Sandbox;

/// Answers as GitHub does to a pull request without comments.
fn github() -> HttpSink {
    HttpSink::start_with(|request| match request.line.split(' ').next() {
        Some("GET") => HttpAnswer::reply(200, "[]"),
        _ => HttpAnswer::reply(201, "{\"id\":1}"),
    })
}

#[test]
fn what_is_printed_gives_no_command_to_a_runner() {
    let sandbox = Sandbox::with_reports();
    let mut report = sandbox.read_json("web.json");
    report["images"][0]["name"] = "shop/##vso[task.x]y".into();
    sandbox.write("hostile.json", report.to_string());
    sandbox
        .run("comment --markdown --scan-results hostile.json")
        .exits(0)
        .prints(&["shop/## vso[task.x]y"])
        .lacks(&["##vso["]);
}

#[test]
fn a_body_is_printed_for_those_who_post_it_themselves() {
    let sandbox = Sandbox::with_reports();
    sandbox
        .run("comment --markdown --scan-results web.json --compare-to clean.json --fail-on low --key web")
        .exits(0)
        .prints(&[
            "<!-- cleanbill-comment: web -->",
            "❌ Cleanbill: the gate fails",
            "| Severity | Now | New | Fixed | Unchanged |",
            "#### Upgrade first",
            "CVE-2099-0001",
        ]);
    sandbox
        .run("comment bitbucket --markdown --scan-results web.json")
        .exits(0)
        .prints(&["[//]: # (cleanbill-comment: default)"])
        .lacks(&["<details>", "<!--"]);
}

#[test]
fn a_pipeline_of_github_comments_with_what_it_is_given() {
    let sandbox = Sandbox::with_reports();
    let host = github();
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", host.url.as_str()),
        ("GITHUB_SERVER_URL", "https://git.corp"),
        ("GITHUB_REPOSITORY", "shop/web"),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_RUN_ID", "99"),
        ("GITHUB_TOKEN", "hunter2"),
    ];
    sandbox
        .run_with(
            variables,
            "comment github --scan-results web.json --dry-run",
        )
        .exits(0)
        .prints(&[
            "--- a comment would be created",
            "cleanbill-comment: default",
        ])
        .lacks(&["hunter2"]);
    host.request();
    assert!(host.is_idle());
    sandbox
        .run_with(variables, "comment github --scan-results web.json")
        .exits(0)
        .prints(&["comment on shop/web#7 created"]);
    let listed = host.request();
    assert_eq!(
        listed.line,
        "GET /repos/shop/web/issues/7/comments?per_page=100"
    );
    assert_eq!(listed.header("authorization"), Some("Bearer hunter2"));
    let written = host.request();
    assert_eq!(written.line, "POST /repos/shop/web/issues/7/comments");
    let run = "https://git.corp/shop/web/actions/runs/99";
    assert!(written.body.contains(run), "{}", written.body);
}

#[test]
fn what_is_missing_is_said() {
    let sandbox = Sandbox::with_reports();
    sandbox
        .run("comment --scan-results web.json")
        .exits(2)
        .warns(&["<FORGE>"]);
    sandbox
        .run("comment github --scan-results web.json")
        .exits(0)
        .prints(&["belongs to no pull request"]);
    sandbox
        .run("comment github --scan-results web.json --pull-request 7 --repository shop/web")
        .exits(2)
        .warns(&["there is no token", "GITHUB_TOKEN"]);
    sandbox
        .run("comment gitlab --scan-results web.json --key a--b")
        .exits(2)
        .warns(&["--key"]);
    sandbox.write("gate.json", "{\"schema_version\":1,\"verdict\":\"failed\",\"images\":[\"web.tar\"],\"rules\":[{\"status\":\"failed\",\"message\":\"too old\"}]}");
    sandbox
        .run("comment --markdown --scan-results web.json --verdict gate.json")
        .exits(0)
        .prints(&["the gate fails", "- too old"]);
    sandbox
        .run("comment --markdown --scan-results web.json --verdict web.json")
        .exits(2)
        .warns(&["cannot read a verdict from web.json"]);
    sandbox
        .run("gate clean.json --fail-on critical=0 -o json=clean-gate.json")
        .exits(0);
    for call in [
        "comment --markdown",
        "metrics render",
        "notify slack --only-on failure --dry-run --webhook-url https://hooks.example/x",
    ] {
        sandbox
            .run(&format!(
                "{call} --scan-results web.json --verdict clean-gate.json"
            ))
            .exits(2)
            .warns(&["the verdict in clean-gate.json is about"]);
    }
}
