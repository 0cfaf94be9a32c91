use std::time::Duration;

use cleanbill_image::http::{ApiMethod, ApiRequest};

use super::*;
use crate::cli::ApiArgs;

fn arguments() -> CommentArgs {
    CommentArgs {
        forge: None,
        scan_results: Vec::new(),
        compare_to: Vec::new(),
        key: "default".to_owned(),
        markdown: false,
        dry_run: false,
        report_url: None,
        api_url: None,
        repository: None,
        pull_request: None,
        token_file: None,
        judging: Default::default(),
        api: ApiArgs {
            timeout: Duration::from_secs(1),
            allow_plain_http: false,
            ca_cert: Vec::new(),
            offline: false,
        },
    }
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    let pairs = variables.iter();
    let owned = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Environment::from_pairs(owned.collect())
}

#[track_caller]
fn check(forge: ForgeName, variables: &[(&str, &str)], words: &str, api_url: &str) {
    let target = Target::of(forge, &arguments(), &environment(variables))
        .unwrap()
        .unwrap();
    assert_eq!(target.words(), words);
    assert_eq!(target.api_url, api_url);
}

#[test]
fn each_system_says_which_pull_request_it_is() {
    let github = [
        ("GITHUB_REPOSITORY", "shop/web"),
        ("GITHUB_REF", "refs/pull/7/merge"),
    ];
    check(
        ForgeName::GitHub,
        &github,
        "shop/web#7",
        "https://api.github.com",
    );
    let own = "https://git.corp/api/v3";
    let mut enterprise = github.to_vec();
    enterprise.push(("GITHUB_API_URL", own));
    check(ForgeName::GitHub, &enterprise, "shop/web#7", own);
    let own = "https://gitlab.corp/api/v4";
    let gitlab = [
        ("CI_PROJECT_ID", "42"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_API_V4_URL", own),
    ];
    check(ForgeName::GitLab, &gitlab, "42!7", own);
    let bitbucket = [
        ("BITBUCKET_WORKSPACE", "shop"),
        ("BITBUCKET_REPO_SLUG", "web"),
        ("BITBUCKET_PR_ID", "7"),
    ];
    let usual = "https://api.bitbucket.org/2.0";
    check(ForgeName::Bitbucket, &bitbucket, "shop/web#7", usual);
}

#[test]
fn the_event_of_a_workflow_goes_before_its_reference() {
    let directory = tempfile::tempdir().unwrap();
    let check = |event: &str, expected: Option<u64>| {
        let path = directory.path().join("event.json");
        std::fs::write(&path, event).unwrap();
        let variables = [
            ("GITHUB_EVENT_PATH", path.to_str().unwrap()),
            ("GITHUB_REF", "refs/heads/main"),
        ];
        let found = number(ForgeName::GitHub, &environment(&variables)).unwrap();
        assert_eq!(found, expected, "{event}");
    };
    check(r#"{"pull_request":{"number":7}}"#, Some(7));
    check(r#"{"issue":{"number":8,"pull_request":{}}}"#, Some(8));
    check(r#"{"issue":{"number":8}}"#, None);
    check(
        r#"{"workflow_run":{"pull_requests":[{"number":9}]}}"#,
        Some(9),
    );
    check(r#"{"after":"abc"}"#, None);
    check("no json", None);
    check(r#"{"pull_request":{"number":"7"}}"#, None);
}

#[test]
fn a_run_without_a_pull_request_has_no_target() {
    for forge in [ForgeName::GitHub, ForgeName::GitLab, ForgeName::Bitbucket] {
        let found = Target::of(
            forge,
            &arguments(),
            &environment(&[("GITHUB_REF", "refs/tags/1")]),
        );
        assert_eq!(found.unwrap(), None);
    }
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let of = |repository: Option<&str>, variables: &[(&str, &str)]| {
        let arguments = CommentArgs {
            pull_request: Some(7),
            repository: repository.map(str::to_owned),
            ..arguments()
        };
        Target::of(ForgeName::GitHub, &arguments, &environment(variables))
            .unwrap_err()
            .one_line()
    };
    assert_eq!(of(None, &[]), "the repository is not known");
    for wrong in ["web", "a/b/c", "/b", "a/", "../x", "a/.."] {
        let expected = format!("'{wrong}' is no repository: expected OWNER/NAME");
        assert_eq!(of(Some(wrong), &[]), expected);
    }
    let gitlab = environment(&[("CI_PROJECT_ID", "1"), ("CI_MERGE_REQUEST_IID", "x")]);
    let error = Target::of(ForgeName::GitLab, &arguments(), &gitlab).unwrap_err();
    assert_eq!(
        error.one_line(),
        "CI_MERGE_REQUEST_IID 'x' is no number of a pull request"
    );
}

/// Sends something with the token of an environment, and returns the headers that were received.
fn sent(forge: ForgeName, variables: &[(&str, &str)], names: &[&str]) -> Vec<Option<String>> {
    use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};
    let sink = HttpSink::start(vec![HttpAnswer::reply(200, "{}")]);
    let arguments = CommentArgs {
        pull_request: Some(7),
        repository: Some("shop/web".to_owned()),
        api_url: Some(sink.url.clone()),
        ..arguments()
    };
    let environment = environment(variables);
    let target = Target::of(forge, &arguments, &environment)
        .unwrap()
        .unwrap();
    let client = target.client(&arguments, &environment).unwrap();
    let request = ApiRequest {
        method: ApiMethod::Get,
        url: client.url(["user"]),
        headers: Vec::new(),
        body: Vec::new(),
        is_repeatable: true,
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    client.send(&request, deadline, &api::context()).unwrap();
    let received = sink.request();
    names
        .iter()
        .map(|name| received.header(name).map(str::to_owned))
        .collect()
}

#[test]
fn tokens_are_sent_as_each_host_wants_them() {
    let check = |forge, variables: &[(&str, &str)], name: &str, value: &str| {
        let received = sent(forge, variables, &[name]);
        assert_eq!(received, [Some(value.to_owned())]);
    };
    let github = [("GITHUB_TOKEN", "t")];
    check(ForgeName::GitHub, &github, "authorization", "Bearer t");
    let gitlab = [("GITLAB_TOKEN", "t"), ("CI_JOB_TOKEN", "j")];
    check(ForgeName::GitLab, &gitlab, "private-token", "t");
    check(ForgeName::GitLab, &gitlab[1..], "job-token", "j");
    let bitbucket = [("BITBUCKET_TOKEN", "t")];
    check(
        ForgeName::Bitbucket,
        &bitbucket,
        "authorization",
        "Bearer t",
    );
    let password = [
        ("BITBUCKET_USERNAME", "me"),
        ("BITBUCKET_APP_PASSWORD", "p"),
    ];
    let basic = "Basic bWU6cA==";
    check(ForgeName::Bitbucket, &password, "authorization", basic);
}

#[test]
fn without_a_token_nothing_is_asked() {
    let arguments = CommentArgs {
        pull_request: Some(7),
        repository: Some("shop/web".to_owned()),
        ..arguments()
    };
    let nothing = Environment::default();
    let target = Target::of(ForgeName::GitHub, &arguments, &nothing)
        .unwrap()
        .unwrap();
    let error = target.client(&arguments, &nothing).unwrap_err();
    assert_eq!(
        error.one_line(),
        "there is no token to write the comment with"
    );
}
