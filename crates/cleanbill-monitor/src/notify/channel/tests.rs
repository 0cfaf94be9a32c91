use std::time::Duration;

use cleanbill_core::error_chain;
use cleanbill_image::{HttpOptions, Secret};
use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink};

use super::{
    CHANNELS, ChannelSettings, DeliveryError, DiscordSettings, GotifySettings, MattermostSettings,
    NtfySettings, Receipt, SlackSettings, SmtpSettings, Surroundings, TeamsSettings,
    WebhookSettings, open_channel,
};
use crate::notify::samples::{self, time};

/// Stands for what makes the address of a webhook a secret.
const TOKEN: &str = "T0000SECRET0000";

fn impatient(patience: Duration) -> Surroundings {
    Surroundings {
        http: HttpOptions {
            connect_timeout: patience,
            read_timeout: patience,
            ..HttpOptions::default()
        },
        ..Surroundings::default()
    }
}

fn surroundings() -> Surroundings {
    impatient(Duration::from_secs(20))
}

fn deliver(settings: &ChannelSettings) -> Result<Receipt, DeliveryError> {
    deliver_within(settings, Duration::from_secs(20))
}

fn deliver_within(
    settings: &ChannelSettings,
    patience: Duration,
) -> Result<Receipt, DeliveryError> {
    let channel = open_channel(settings, &impatient(patience)).unwrap();
    let outcome = channel.deliver(&samples::test(), time("2026-11-22T06:30:00Z"));
    let text = match &outcome {
        Ok(receipt) => &receipt.text,
        Err(error) => &error.text,
    };
    assert!(!text.contains(TOKEN), "{text}");
    assert!(!text.contains(['\n', '\u{1b}']), "{text}");
    outcome
}

fn slack(sink: &HttpSink) -> ChannelSettings {
    ChannelSettings::Slack(SlackSettings {
        webhook_url: Secret::new(format!("{}/services/{TOKEN}?k={TOKEN}", sink.url)),
        ..SlackSettings::default()
    })
}

/// Checks what an answer means: whether it is permanent and how long to wait.
#[track_caller]
fn check(answer: HttpAnswer, expected: Option<(bool, Option<u64>)>, text: &str) {
    let sink = HttpSink::start(vec![answer]);
    let outcome = deliver(&slack(&sink));
    let found = outcome.as_ref().err().map(|error| {
        (
            error.is_permanent,
            error.retry_after.map(|pause| pause.as_secs()),
        )
    });
    assert_eq!(found, expected, "{outcome:?}");
    let said = outcome.map_or_else(|error| error.text, |receipt| receipt.text);
    let said = said.replace(&sink.url, "SINK");
    assert_eq!(said, text);
}

fn limited(header: &str) -> HttpAnswer {
    HttpAnswer::Reply(429, vec![header.to_owned()], "slow down".to_owned())
}

#[test]
fn answers_are_told_apart() {
    let temporary = Some((false, None));
    let permanent = Some((true, None));
    check(HttpAnswer::reply(200, "ok"), None, "200 ok");
    check(
        limited("retry-after: 30"),
        Some((false, Some(30))),
        "SINK answered 429: slow down",
    );
    check(HttpAnswer::reply(500, ""), temporary, "SINK answered 500");
    check(
        HttpAnswer::reply(503, "x\n\u{1b}[2J"),
        temporary,
        "SINK answered 503: x \u{fffd}[2J",
    );
    check(HttpAnswer::reply(408, ""), temporary, "SINK answered 408");
    check(
        HttpAnswer::reply(404, "no_team"),
        permanent,
        "SINK answered 404: no_team",
    );
    check(
        HttpAnswer::reply(404, &format!("no page /services/{TOKEN}?k={TOKEN}")),
        permanent,
        "SINK answered 404: no page (redacted)?(redacted)",
    );
    check(
        HttpAnswer::reply(200, "<html>Log in to the hotel's network</html>"),
        temporary,
        "SINK answered 200 but not as Slack does: <html>Log in to the hotel's network</html>",
    );
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = HttpSink::start(vec![HttpAnswer::reply(200, "ok")]);
    let location = format!("location: {}/", elsewhere.url);
    check(
        HttpAnswer::Reply(307, vec![location], String::new()),
        Some((true, None)),
        "SINK answered 307: it wants to redirect, which is not followed",
    );
    assert!(elsewhere.is_idle());
}

#[test]
fn connections_that_break_are_temporary() {
    for answer in [HttpAnswer::Stall, HttpAnswer::HangUp, HttpAnswer::BreakOff] {
        let sink = HttpSink::start(vec![answer.clone()]);
        let error = deliver_within(&slack(&sink), Duration::from_millis(300)).unwrap_err();
        assert!(!error.is_permanent, "{answer:?}: {}", error.text);
    }
    let mut nobody = HttpSink::start(Vec::new());
    nobody.url = "http://127.0.0.1:1".to_owned();
    assert!(!deliver(&slack(&nobody)).unwrap_err().is_permanent);
}

#[test]
fn an_endless_answer_ends() {
    let sink = HttpSink::start(vec![HttpAnswer::Endless]);
    assert!(!deliver(&slack(&sink)).unwrap_err().is_permanent);
}

#[test]
fn nothing_is_sent_offline() {
    let sink = HttpSink::start(vec![HttpAnswer::reply(200, "ok")]);
    let mut surroundings = surroundings();
    surroundings.http.offline = true;
    let channel = open_channel(&slack(&sink), &surroundings).unwrap();
    let error = channel.deliver(&samples::test(), time("2026-11-22T06:30:00Z"));
    assert!(!error.unwrap_err().is_permanent);
    assert!(sink.is_idle());
}

/// Checks what a service is sent, and that its usual answer is understood.
#[track_caller]
fn check_request(
    settings: impl Fn(&str) -> ChannelSettings,
    answer: &str,
    line: &str,
    header: &str,
) {
    let sink = HttpSink::start(vec![HttpAnswer::reply(200, answer)]);
    deliver(&settings(&sink.url)).unwrap();
    let request = sink.request();
    assert_eq!(request.line, line);
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(
        request
            .header("user-agent")
            .unwrap()
            .starts_with("cleanbill/")
    );
    let (name, value) = header.split_once(": ").unwrap();
    assert_eq!(request.header(name), Some(value));
    let _: serde_json::Value = serde_json::from_str(&request.body).unwrap();
}

#[test]
fn each_service_is_spoken_to_as_it_wants() {
    let address = |url: &str| Secret::new(format!("{url}/hook"));
    check_request(
        |url| {
            ChannelSettings::Teams(TeamsSettings {
                webhook_url: address(url),
                ..TeamsSettings::default()
            })
        },
        "1",
        "POST /hook",
        "accept: */*",
    );
    check_request(
        |url| {
            ChannelSettings::Discord(DiscordSettings {
                webhook_url: address(url),
                ..DiscordSettings::default()
            })
        },
        "{\"id\": \"1\"}",
        "POST /hook?wait=true",
        "accept: */*",
    );
    check_request(
        |url| {
            ChannelSettings::Mattermost(MattermostSettings {
                webhook_url: address(url),
                ..MattermostSettings::default()
            })
        },
        "ok",
        "POST /hook",
        "accept: */*",
    );
    check_request(
        |url| {
            ChannelSettings::Ntfy(NtfySettings {
                server: url.to_owned(),
                topic: Secret::new("t"),
                token: Secret::new("tk_1"),
                ..NtfySettings::default()
            })
        },
        "{\"id\": \"1\"}",
        "POST /",
        "authorization: Bearer tk_1",
    );
    check_request(
        |url| {
            ChannelSettings::Gotify(GotifySettings {
                server: format!("{url}/"),
                token: Secret::new("A1"),
                ..GotifySettings::default()
            })
        },
        "{\"id\": 1}",
        "POST /message",
        "x-gotify-key: A1",
    );
    check_request(
        |url| {
            ChannelSettings::Webhook(WebhookSettings {
                url: address(url),
                ..WebhookSettings::default()
            })
        },
        "",
        "POST /hook",
        "idempotency-key: test-1",
    );
}

#[track_caller]
fn check_refused(settings: &ChannelSettings, expected: &str) {
    let error = open_channel(settings, &Surroundings::default()).unwrap_err();
    assert_eq!(error_chain(&error), expected);
}

#[test]
fn settings_that_cannot_work_are_refused_without_telling_secrets() {
    let slack = |url: &str| {
        ChannelSettings::Slack(SlackSettings {
            webhook_url: Secret::new(url),
            ..SlackSettings::default()
        })
    };
    check_refused(&slack(" "), "slack: webhook_url is not set");
    check_refused(
        &slack("hooks.slack.com/T0000SECRET0000"),
        "slack: the address cannot be used: refused to ask the address: \
         it is no http:// or https:// address",
    );
    check_refused(
        &slack("http://hooks.example:8080/T0000SECRET0000"),
        "slack: the address cannot be used: refused to ask http://hooks.example:8080: \
         it is not encrypted",
    );
    check_refused(
        &slack("ftp://hooks.example/T0000SECRET0000"),
        "slack: the address cannot be used: refused to ask ftp://hooks.example: \
         it is no http:// or https:// address",
    );
    let gotify = GotifySettings {
        server: "https://push.example".to_owned(),
        ..GotifySettings::default()
    };
    check_refused(&ChannelSettings::Gotify(gotify), "gotify: token is not set");
    let smtp = |to: &str| {
        ChannelSettings::Smtp(SmtpSettings {
            host: "mail.example".to_owned(),
            to: vec![to.to_owned()],
            ..SmtpSettings::default()
        })
    };
    check_refused(&smtp(""), "smtp: to is not set");
    check_refused(
        &smtp("nobody"),
        "smtp: to has 'nobody', which is no mail address",
    );
    check_refused(
        &smtp("a@b.example\r\nBcc: c@d.example"),
        "smtp: to has 'a@b.example Bcc: c@d.example', which is no mail address",
    );
}

#[test]
fn plain_http_is_allowed_where_the_user_says_so() {
    let settings = SlackSettings {
        webhook_url: Secret::new("http://hooks.example/x"),
        allow_plain_http: true,
    };
    assert!(open_channel(&ChannelSettings::Slack(settings), &Surroundings::default()).is_ok());
}

#[test]
fn debug_output_tells_no_secret() {
    let sink = HttpSink::start(Vec::new());
    let settings = slack(&sink);
    let channel = open_channel(&settings, &Surroundings::default()).unwrap();
    assert!(!format!("{settings:?} {channel:?}").contains(TOKEN));
}

#[test]
fn previews_show_the_message_and_no_secret() {
    let ntfy = NtfySettings {
        topic: Secret::new(TOKEN),
        token: Secret::new(TOKEN),
        ..NtfySettings::default()
    };
    let smtp = SmtpSettings {
        host: "mail.example".to_owned(),
        user: "alice".to_owned(),
        password: Secret::new(TOKEN),
        to: vec!["ops@example.com".to_owned()],
        ..SmtpSettings::default()
    };
    for settings in [
        ChannelSettings::Ntfy(ntfy),
        ChannelSettings::Smtp(smtp),
        slack(&HttpSink::start(Vec::new())),
    ] {
        let channel = open_channel(&settings, &surroundings()).unwrap();
        let preview = channel.preview(&samples::changes()).unwrap();
        assert!(preview.contains("CVE-2024-3094"), "{preview}");
        assert!(!preview.contains(TOKEN), "{preview}");
    }
}

#[test]
fn a_short_secret_does_not_blacken_the_preview() {
    let settings = ChannelSettings::Ntfy(NtfySettings {
        topic: Secret::new("a"),
        ..NtfySettings::default()
    });
    let channel = open_channel(&settings, &surroundings()).unwrap();
    let preview = channel.preview(&samples::changes()).unwrap();
    assert_eq!(preview.matches("(redacted)").count(), 1, "{preview}");
    assert!(!preview.contains("\"a\""), "{preview}");
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    let names: Vec<&str> = CHANNELS.iter().map(|info| info.name).collect();
    let expected = [
        "smtp",
        "slack",
        "webhook",
        "teams",
        "discord",
        "mattermost",
        "ntfy",
        "gotify",
    ];
    assert_eq!(names, expected);
}
