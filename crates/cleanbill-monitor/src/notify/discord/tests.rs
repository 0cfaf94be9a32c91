use proptest::prelude::*;
use serde_json::{Value, json};

use super::Discord;
use crate::notify::channel::Service as _;
use crate::notify::samples::{any_message, check_service, check_texts, rendered_parts};

/// Checks the documented limits, and that nobody is mentioned.
#[track_caller]
fn check(body: &Value) {
    let units = |value: &Value| value.as_str().unwrap_or_default().encode_utf16().count();
    assert_eq!(body["allowed_mentions"], json!({"parse": []}));
    assert!((1..=2_000).contains(&units(&body["content"])));
    let embeds = body["embeds"].as_array().unwrap();
    assert!((1..=10).contains(&embeds.len()), "{}", embeds.len());
    let mut total = 0;
    for embed in embeds {
        assert!(units(&embed["description"]) <= 4_096);
        assert!(units(&embed["footer"]["text"]) <= 2_048);
        total += units(&embed["description"]) + units(&embed["footer"]["text"]);
    }
    assert!(total <= 6_000, "{total}");
}

#[test]
fn messages_are_embeds() {
    check_service("discord", &Discord, check);
}

#[test]
fn the_answer_is_the_message() {
    assert!(Discord.is_acknowledged("{\"id\": \"1\"}"));
    assert!(!Discord.is_acknowledged("<html>"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn limits_hold_whatever_the_texts(message in any_message()) {
        for part in rendered_parts(&Discord, message) {
            let body = serde_json::from_str(&part.body).unwrap();
            check(&body);
            check_texts(&body);
        }
    }
}
