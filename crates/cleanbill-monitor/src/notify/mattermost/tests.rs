use proptest::prelude::*;
use serde_json::Value;

use super::Mattermost;
use crate::notify::samples::{any_message, check_service, check_texts, rendered_parts};

fn service() -> Mattermost {
    Mattermost {
        channel: "security".to_owned(),
    }
}

#[track_caller]
fn check(body: &Value) {
    let text = body["text"].as_str().unwrap();
    assert!((1..=16_383).contains(&text.encode_utf16().count()));
    assert_eq!(body["channel"], "security");
}

#[test]
fn messages_are_markdown() {
    check_service("mattermost", &service(), check);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn limits_hold_whatever_the_texts(message in any_message()) {
        for part in rendered_parts(&service(), message) {
            let body = serde_json::from_str(&part.body).unwrap();
            check(&body);
            check_texts(&body);
        }
    }
}
