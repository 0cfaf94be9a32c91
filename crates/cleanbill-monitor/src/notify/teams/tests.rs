use cleanbill_report::escape::link::web_address;
use proptest::prelude::*;
use serde_json::Value;

use super::Teams;
use crate::notify::channel::Service as _;
use crate::notify::samples::{any_message, check_service, check_texts, rendered_parts, texts_of};

/// Checks the size, and that nothing but the title, which is ours, is read as Markdown.
#[track_caller]
fn check(body: &Value) {
    assert!(body.to_string().len() <= 28_000);
    let content = &body["attachments"][0]["content"];
    assert_eq!(content["type"], "AdaptiveCard");
    for item in content["body"].as_array().unwrap() {
        match item["type"].as_str().unwrap() {
            "TextBlock" => {
                let text = item["text"].as_str().unwrap();
                let is_ours = |char: char| char.is_alphanumeric() || " ,:;()".contains(char);
                assert!(text.chars().all(is_ours), "{text}");
            }
            "RichTextBlock" => check_block(item),
            "Container" => item["items"]
                .as_array()
                .unwrap()
                .iter()
                .for_each(check_block),
            other => panic!("{other}"),
        }
    }
    let mut addresses = Vec::new();
    texts_of(body, "url", &mut addresses);
    assert!(
        addresses
            .iter()
            .all(|address| web_address(address).is_some())
    );
}

#[track_caller]
fn check_block(block: &Value) {
    assert_eq!(block["type"], "RichTextBlock");
    let runs = block["inlines"].as_array().unwrap();
    assert!(!runs.is_empty());
    assert!(runs.iter().all(|run| run["type"] == "TextRun"));
}

#[test]
fn messages_are_adaptive_cards() {
    check_service("teams", &Teams, check);
}

#[test]
fn a_refusal_with_status_200_is_seen() {
    assert!(Teams.is_acknowledged("1"));
    assert!(Teams.is_acknowledged(""));
    assert!(!Teams.is_acknowledged(
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"
    ));
    assert!(!Teams.is_acknowledged("<html>"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn limits_hold_whatever_the_texts(message in any_message()) {
        for part in rendered_parts(&Teams, message) {
            let body = serde_json::from_str(&part.body).unwrap();
            check(&body);
            check_texts(&body);
        }
    }
}
