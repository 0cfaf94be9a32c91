use cleanbill_report::listing::Listing;

use super::super::status::json;
use super::super::status::tests::{empty, now, prepared};
use super::list::{Log, write};
use super::sending::kind;

#[test]
fn messages_and_attempts_are_listed() {
    let directory = tempfile::tempdir().unwrap();
    let store = prepared(directory.path());
    let messages = store.read().outbox_list(None, 20).unwrap();
    let deliveries = store.read().delivery_list(20).unwrap();
    let mut listing = Listing::new(None, false);
    write(&messages, &deliveries, now(), &mut listing);
    insta::assert_snapshot!("list", listing.finish());
    insta::assert_snapshot!("list_json", json(&Log::of(&messages, &deliveries)).unwrap());
}

#[test]
fn an_empty_outbox_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let store = empty(directory.path());
    let messages = store.read().outbox_list(None, 20).unwrap();
    let mut listing = Listing::new(None, false);
    write(&messages, &[], now(), &mut listing);
    assert_eq!(listing.finish(), "No message was made yet.\n");
}

#[test]
fn kinds_go_by_several_words() {
    assert_eq!(kind("email"), Some("smtp"));
    assert_eq!(kind("Slack"), Some("slack"));
    assert_eq!(kind("msteams"), Some("teams"));
    assert_eq!(kind("pigeon"), None);
}
