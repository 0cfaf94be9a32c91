use cleanbill_image::Secret;
use proptest::prelude::*;
use serde_json::Value;

use super::Gotify;
use crate::notify::samples::{any_message, check_service, check_texts, rendered_parts};

fn service() -> Gotify {
    Gotify {
        token: Secret::new("A.token"),
    }
}

#[track_caller]
fn check(body: &Value) {
    let message = body["message"].as_str().unwrap();
    assert!((1..=16_384).contains(&message.len()), "{}", message.len());
    assert!((0..=10).contains(&body["priority"].as_u64().unwrap()));
    assert_eq!(
        body["extras"]["client::display"]["contentType"],
        "text/markdown"
    );
    assert!(!body.to_string().contains("A.token"));
}

#[test]
fn messages_are_markdown() {
    check_service("gotify", &service(), check);
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
