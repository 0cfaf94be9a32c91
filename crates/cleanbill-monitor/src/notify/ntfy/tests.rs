use cleanbill_image::Secret;
use proptest::prelude::*;
use serde_json::Value;

use super::{Ntfy, authorization};
use crate::notify::channel::NtfySettings;
use crate::notify::message::Notification;
use crate::notify::samples::{self, any_message, check_service, check_texts, rendered_parts};

fn service() -> Ntfy {
    Ntfy {
        topic: Secret::new("cleanbill-test"),
        authorization: Secret::default(),
    }
}

#[track_caller]
fn check(body: &Value) {
    assert_eq!(body["topic"], "cleanbill-test");
    let message = body["message"].as_str().unwrap();
    assert!((1..=4_096).contains(&message.len()), "{}", message.len());
    assert!(body["title"].as_str().unwrap().chars().count() <= 200);
    assert!((1..=5).contains(&body["priority"].as_u64().unwrap()));
    assert!(body["markdown"].is_null());
}

#[test]
fn messages_are_plain_text() {
    check_service("ntfy", &service(), check);
}

#[test]
fn the_telephone_rings_as_loudly_as_it_should() {
    let priority = |message: &Notification| super::priority(message);
    assert_eq!(priority(&samples::changes()), 5);
    assert_eq!(priority(&samples::errors()), 4);
    assert_eq!(priority(&samples::quiet()), 2);
}

#[test]
fn a_token_goes_before_a_password() {
    let mut settings = NtfySettings {
        user: "alice".to_owned(),
        password: Secret::new("secret"),
        ..NtfySettings::default()
    };
    assert_eq!(authorization(&settings).expose(), "Basic YWxpY2U6c2VjcmV0");
    settings.token = Secret::new("tk_1");
    assert_eq!(authorization(&settings).expose(), "Bearer tk_1");
    assert!(authorization(&NtfySettings::default()).is_empty());
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
