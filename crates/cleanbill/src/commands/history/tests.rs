use cleanbill_report::listing::Listing;

use super::super::status::tests::{HOSTILE, empty, now, prepared};
use super::*;

#[track_caller]
fn history(image: &str) -> (ImageRow, Vec<HistoryRow>) {
    let directory = tempfile::tempdir().unwrap();
    let store = prepared(directory.path());
    let row = find(store.read(), image).unwrap();
    let looks = store.read().history(&row.name, 20).unwrap();
    (row, looks)
}

fn as_text(image: &str) -> String {
    let (row, looks) = history(image);
    let mut listing = Listing::new(None, false);
    write(&row, &looks, now(), &mut listing);
    listing.finish()
}

#[test]
fn each_look_says_what_it_changed_and_why() {
    insta::assert_snapshot!("history", as_text("shop/web:1"));
    let (row, looks) = history("shop/web:1");
    insta::assert_snapshot!("history_json", json(&History::of(&row, &looks)).unwrap());
}

#[test]
fn images_that_are_hostile_gone_or_new_have_a_history_too() {
    insta::assert_snapshot!("hostile", as_text(HOSTILE));
    assert!(as_text("shop/old:1").contains("gone since"));
    assert!(as_text("shop/new:1").contains("Nobody has looked at it yet."));
}

#[test]
fn an_unknown_image_is_an_error_that_helps() {
    let directory = tempfile::tempdir().unwrap();
    let store = prepared(directory.path());
    let error = find(store.read(), "shop/wen:1").unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(error.one_line(), "no image is known as 'shop/wen:1'");
    let directory = tempfile::tempdir().unwrap();
    assert!(find(empty(directory.path()).read(), "a").is_err());
}
