use cleanbill_report::escape::link::web_address;
use proptest::prelude::*;
use serde_json::Value;

use super::Slack;
use crate::notify::channel::Service as _;
use crate::notify::samples::{any_message, check_service, check_texts, rendered_parts};

/// Checks the documented limits, and that links lead where the message says.
#[track_caller]
fn check(body: &Value) {
    let blocks = body["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50, "{} blocks", blocks.len());
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => {
                assert_eq!(block["text"]["type"], "plain_text");
                check_text(&block["text"], 150);
            }
            "section" => check_mrkdwn(&block["text"]),
            "context" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=10).contains(&elements.len()));
                elements.iter().for_each(check_mrkdwn);
            }
            other => panic!("{other}"),
        }
    }
}

#[track_caller]
fn check_mrkdwn(text: &Value) {
    assert_eq!(text["type"], "mrkdwn");
    assert_eq!(text["verbatim"], true);
    check_text(text, 3_000);
    let text = text["text"].as_str().unwrap();
    for link in text.split('<').skip(1) {
        let (link, _) = link.split_once('>').unwrap();
        let (address, _) = link.split_once('|').unwrap();
        assert!(
            web_address(&address.replace("&amp;", "&")).is_some(),
            "{link}"
        );
    }
    for line in text.lines() {
        assert_eq!(line.matches('`').count() % 2, 0, "{line}");
    }
}

#[track_caller]
fn check_text(text: &Value, chars_max: usize) {
    let text = text["text"].as_str().unwrap();
    assert!(!text.is_empty());
    assert!(text.encode_utf16().count() <= chars_max, "{text}");
}

#[test]
fn messages_are_block_kit() {
    check_service("slack", &Slack, check);
}

#[test]
fn only_the_documented_answer_is_one() {
    assert!(Slack.is_acknowledged("ok"));
    assert!(!Slack.is_acknowledged("<!doctype html><title>Log in</title>"));
    assert!(!Slack.is_acknowledged(""));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn limits_hold_whatever_the_texts(message in any_message()) {
        for part in rendered_parts(&Slack, message) {
            let body = serde_json::from_str(&part.body).unwrap();
            check(&body);
            check_texts(&body);
        }
    }
}
