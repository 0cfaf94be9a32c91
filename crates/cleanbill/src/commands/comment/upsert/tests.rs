//! Against servers that behave as the APIs are documented: they check the token, give pages, limit
//! rates, fail, and lose comments.

mod host;

use std::time::Duration;

use cleanbill_image::http::{ApiCredential, RetryPolicy};
use cleanbill_image::{HttpOptions, Secret};
use cleanbill_report::CommentStyle;

use self::host::{Host, Kind, Trouble};
use super::*;

const KINDS: [Kind; 4] = [
    Kind::GitHub,
    Kind::GitLab,
    Kind::Bitbucket,
    Kind::DataCenter,
];

struct Bench {
    host: Host,
    kind: Kind,
    token: &'static str,
}

impl Bench {
    fn of(kind: Kind) -> Self {
        Self {
            host: Host::start(kind),
            kind,
            token: host::TOKEN,
        }
    }

    fn style(&self) -> CommentStyle {
        match self.kind {
            Kind::GitHub => CommentStyle::GitHub,
            Kind::GitLab => CommentStyle::GitLab,
            Kind::Bitbucket | Kind::DataCenter => CommentStyle::Bitbucket,
        }
    }

    fn marker(&self, key: &str) -> String {
        self.style().marker(key)
    }

    fn body(&self, text: &str) -> String {
        format!("{}\n{text}", self.marker("web"))
    }

    fn with_session<T>(&self, key: &str, work: impl FnOnce(&Session<'_>) -> T) -> T {
        let token = Secret::new(self.token);
        let credential = match self.kind {
            Kind::GitLab => ApiCredential::Header("private-token", token),
            _ => ApiCredential::Bearer(token),
        };
        let options = HttpOptions {
            retry: RetryPolicy {
                attempts_max: 3,
                delay_first: Duration::from_millis(1),
                ..RetryPolicy::default()
            },
            ..HttpOptions::default()
        };
        let forge = self.kind.forge();
        let session = Session {
            client: ApiClient::new(options, &self.host.url(), credential, false).unwrap(),
            forge: forge.as_ref(),
            marker: self.marker(key),
            deadline: Instant::now() + Duration::from_secs(20),
            pause: Duration::from_millis(1),
            context: ReadContext::default(),
        };
        work(&session)
    }

    fn write(&self, text: &str) -> Result<Done, CommentError> {
        self.with_session("web", |session| session.write(&self.body(text)))
    }

    fn texts(&self) -> Vec<String> {
        let comments = self.host.comments();
        comments.into_iter().map(|comment| comment.body).collect()
    }
}

#[test]
fn a_comment_is_made_once_and_written_again() {
    for kind in KINDS {
        let bench = Bench::of(kind);
        bench.host.put("somebody", "looks good");
        assert_eq!(bench.write("first").unwrap(), Done::Created, "{kind:?}");
        assert_eq!(bench.write("second").unwrap(), Done::Updated, "{kind:?}");
        assert_eq!(
            bench.texts(),
            ["looks good".to_owned(), bench.body("second")]
        );
    }
}

#[test]
fn each_pipeline_has_its_own() {
    let bench = Bench::of(Kind::GitHub);
    bench.write("web").unwrap();
    let api = format!("{}\napi", bench.marker("api"));
    let done = bench.with_session("api", |session| session.write(&api));
    assert_eq!(done.unwrap(), Done::Created);
    assert_eq!(bench.texts(), [bench.body("web"), api]);
}

#[test]
fn it_is_found_behind_any_number_of_pages() {
    for kind in KINDS {
        let bench = Bench::of(kind);
        for number in 0..250 {
            bench.host.put("somebody", &format!("remark {number}"));
        }
        let ours = bench.host.put(host::ME, &bench.body("old"));
        for number in 0..30 {
            bench.host.put("somebody", &format!("more {number}"));
        }
        let plan = bench.with_session("web", |session| session.plan());
        assert_eq!(plan.unwrap(), Plan::Update(ours), "{kind:?}");
        assert_eq!(bench.write("new").unwrap(), Done::Updated, "{kind:?}");
        assert_eq!(bench.texts().len(), 281);
        assert_eq!(bench.texts()[250], bench.body("new"));
    }
}

#[test]
fn of_two_the_older_stays() {
    for kind in KINDS {
        let bench = Bench::of(kind);
        bench.host.put(host::ME, &bench.body("one"));
        bench.host.put("somebody", "in between");
        bench.host.put(host::ME, &bench.body("two"));
        assert_eq!(bench.write("new").unwrap(), Done::Updated);
        assert_eq!(bench.texts(), [bench.body("new"), "in between".to_owned()]);
    }
}

#[test]
fn comments_of_others_are_left_alone() {
    for kind in [Kind::GitHub, Kind::GitLab, Kind::Bitbucket] {
        let bench = Bench::of(kind);
        let forged = bench.body("I, the bot, approve of this");
        bench.host.put("mallory", &forged);
        // Nor does a comment that only quotes the marker belong to us.
        let quoted = format!("> quoted\n{}", bench.body("x"));
        bench.host.put(host::ME, &quoted);
        assert_eq!(bench.write("new").unwrap(), Done::Created, "{kind:?}");
        assert_eq!(bench.texts(), [forged, quoted, bench.body("new")]);
    }
}

#[test]
fn a_token_without_a_user_takes_comments_of_programs() {
    let bench = Bench::of(Kind::GitHub);
    bench.host.trouble(Trouble::NobodyIsMe);
    bench.host.put("mallory", &bench.body("forged"));
    bench.host.put(host::ME, &bench.body("old"));
    assert_eq!(bench.write("new").unwrap(), Done::Updated);
    assert_eq!(bench.texts(), [bench.body("forged"), bench.body("new")]);
}

#[test]
fn what_may_not_be_changed_is_not_ours() {
    let bench = Bench::of(Kind::DataCenter);
    bench.host.put("mallory", &bench.body("forged"));
    assert_eq!(bench.write("new").unwrap(), Done::Created);
    assert_eq!(bench.texts(), [bench.body("forged"), bench.body("new")]);
}

#[test]
fn a_comment_that_vanishes_is_made_anew() {
    for kind in KINDS {
        let bench = Bench::of(kind);
        bench.host.put(host::ME, &bench.body("old"));
        bench.host.trouble(Trouble::VanishesBeforeUpdate);
        assert_eq!(bench.write("new").unwrap(), Done::Created, "{kind:?}");
        assert_eq!(bench.texts(), [bench.body("new")]);
    }
}

#[test]
fn a_comment_that_was_changed_meanwhile_is_read_again() {
    let bench = Bench::of(Kind::DataCenter);
    bench.host.put(host::ME, &bench.body("old"));
    bench.host.trouble(Trouble::ChangesBeforeUpdate);
    assert_eq!(bench.write("new").unwrap(), Done::Updated);
    assert_eq!(bench.texts(), [bench.body("new")]);
}

#[test]
fn a_comment_whose_answer_is_lost_is_not_made_twice() {
    for kind in KINDS {
        let bench = Bench::of(kind);
        bench.host.trouble(Trouble::LosesAnswerOfCreate);
        assert_eq!(bench.write("new").unwrap(), Done::Updated, "{kind:?}");
        assert_eq!(bench.texts(), [bench.body("new")]);
    }
}

#[test]
fn limits_of_rates_and_failures_are_waited_out() {
    let mut cases = vec![(Trouble::Limits403WithReset, Kind::GitHub)];
    for kind in KINDS {
        let troubles = [
            Trouble::Limits429,
            Trouble::Fails502Twice,
            Trouble::FailsToCreate,
        ];
        cases.extend(troubles.map(|trouble| (trouble, kind)));
    }
    for (trouble, kind) in cases {
        let bench = Bench::of(kind);
        bench.host.trouble(trouble);
        assert_eq!(bench.write("new").unwrap(), Done::Created, "{kind:?}");
        assert_eq!(bench.texts(), [bench.body("new")], "{trouble:?}");
    }
}

#[test]
fn a_wrong_token_and_a_server_that_is_down_are_said() {
    let bench = Bench {
        token: "wrong",
        ..Bench::of(Kind::GitHub)
    };
    let error = bench.write("new").unwrap_err();
    let text = error.to_string();
    let said = " answered 401: {\"message\":\"Bad credentials\"}";
    assert!(text.ends_with(said) && !text.contains("wrong"), "{text}");
    let bench = Bench::of(Kind::GitLab);
    bench.host.trouble(Trouble::AlwaysFails);
    let error = bench.write("new").unwrap_err();
    assert!(
        matches!(error, CommentError::Refused { status: 503, .. }),
        "{error}"
    );
    bench.host.trouble(Trouble::LimitsForHours);
    let error = bench.write("new").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("wants to be asked again in 7200 s"),
        "{error}"
    );
    bench.host.trouble(Trouble::AnswersHtml);
    let error = bench.write("new").unwrap_err();
    assert!(matches!(error, CommentError::Foreign { .. }), "{error}");
    assert_eq!(bench.texts(), Vec::<String>::new());
}

#[test]
fn pages_without_an_end_have_one() {
    let bench = Bench::of(Kind::GitHub);
    bench.host.trouble(Trouble::EndlessPages);
    let error = bench.write("new").unwrap_err();
    assert!(matches!(error, CommentError::TooMany), "{error}");
}

#[test]
fn a_next_page_elsewhere_is_not_followed_and_nothing_is_written() {
    for kind in [Kind::GitHub, Kind::GitLab, Kind::Bitbucket] {
        let bench = Bench::of(kind);
        bench.host.trouble(Trouble::NextPageElsewhere);
        let error = bench.write("new").unwrap_err();
        assert!(
            cleanbill_core::error_chain(&error)
                .contains("said to be at https://evil.example/steal"),
            "{error}"
        );
        // There may be a comment of ours on it.
        assert_eq!(bench.texts(), Vec::<String>::new(), "{kind:?}");
    }
}
