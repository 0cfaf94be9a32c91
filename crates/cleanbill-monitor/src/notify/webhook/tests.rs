use cleanbill_image::Secret;
use proptest::prelude::*;

use super::{Webhook, open_settings, signature};
use crate::notify::channel::{Service as _, Surroundings, WebhookSettings};
use crate::notify::message::{Notification, json_schema};
use crate::notify::samples::{self, any_message, check_golden};

#[test]
fn the_body_is_the_message() {
    let service = Webhook {
        signing_secret: Secret::default(),
        headers: Vec::new(),
    };
    for (name, message) in samples::all() {
        let body = service.render(&message).body;
        let read: Notification = serde_json::from_str(&body).unwrap();
        assert_eq!(read, message);
        if ["changes", "heartbeat", "errors"].contains(&name) {
            let value: serde_json::Value = serde_json::from_str(&body).unwrap();
            check_golden(&format!("webhook_{name}.json"), &format!("{value:#}\n"));
        }
    }
}

#[test]
fn the_published_schema_is_this_one() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/schema/notification.schema.json"
    );
    if std::env::var_os("CLEANBILL_UPDATE_GOLDEN").is_some() {
        std::fs::write(path, json_schema()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap_or_default(),
        json_schema()
    );
}

/// The expected value comes from `printf 1700000000.{} | openssl dgst -sha256 -hmac secret`.
#[test]
fn signatures_are_those_of_openssl() {
    assert_eq!(
        signature("secret", "1700000000", "{}").unwrap(),
        "b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
    );
    assert_eq!(signature("", "1700000000", "{}"), None);
}

#[test]
fn headers_say_what_receivers_need() {
    let service = Webhook {
        signing_secret: Secret::new("secret"),
        headers: vec![("authorization".to_owned(), Secret::new("Bearer t"))],
    };
    let message = samples::test();
    let headers = service.headers(&message, "{}", samples::time("2023-11-14T22:13:20Z"));
    let value = |name: &str| {
        headers
            .iter()
            .find(|header| header.0 == name)
            .unwrap()
            .1
            .as_str()
    };
    assert_eq!(value("idempotency-key"), "test-1");
    assert_eq!(value("x-cleanbill-timestamp"), "1700000000");
    assert_eq!(
        value("x-cleanbill-signature"),
        "v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
    );
    assert_eq!(value("authorization"), "Bearer t");
}

#[track_caller]
fn check_refused(name: &str, value: &str, expected: &str) {
    let settings = WebhookSettings {
        url: Secret::new("https://hooks.example/a"),
        headers: vec![(name.to_owned(), Secret::new(value))],
        ..WebhookSettings::default()
    };
    let error = open_settings(&settings, &Surroundings::default()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn headers_that_cannot_be_sent_are_refused_at_once() {
    check_refused(
        "a b",
        "x",
        "webhook: headers has 'a b', which is no name of a header",
    );
    check_refused(
        "Host",
        "x",
        "webhook: headers has 'Host', which is set by itself",
    );
    check_refused(
        "x-a",
        "b\r\nc: d",
        "webhook: headers has 'x-a', whose value has characters that no header may have",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_message_survives_the_way(message in any_message()) {
        let bytes = serde_json::to_vec(&message).unwrap();
        let read: Notification = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(read, message);
    }
}
