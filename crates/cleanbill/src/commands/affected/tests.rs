use cleanbill_report::listing::Listing;

use super::super::status::tests::{empty, now, prepared};
use super::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn as_text(answer: &Answer, width: Option<usize>) -> String {
    let mut listing = Listing::new(width, false);
    text::write(answer, &mut listing);
    listing.finish()
}

#[test]
fn vulnerabilities_and_packages_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let store = prepared(directory.path());
    let asked = names(&["cve-2026-1", "ghsa-ABCD-1234-efgh", "zlib", "CVE-2000-1"]);
    let answer = answer(store.read(), &asked, now()).unwrap();
    insta::assert_snapshot!("affected", as_text(&answer, Some(160)));
    insta::assert_snapshot!("affected_narrow", as_text(&answer, Some(60)));
    insta::assert_snapshot!("affected_json", json(&answer).unwrap());
}

#[test]
fn a_state_without_images_says_that_it_says_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = empty(directory.path());
    let answer = answer(store.read(), &names(&["CVE-2026-1"]), now()).unwrap();
    assert_eq!(
        as_text(&answer, None),
        "CVE-2026-1: not found in 0 images\n\
         \n! no image is watched: this says nothing about any\n"
    );
}

#[test]
fn an_old_state_says_how_old_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let store = prepared(directory.path());
    let later = now() + jiff::SignedDuration::from_hours(100);
    let answer = answer(store.read(), &names(&["CVE-2026-1"]), later).unwrap();
    let text = answer.notes.join("\n");
    assert!(
        text.contains("the last pass over the images was finished 2026-11-21"),
        "{text}"
    );
    assert!(
        text.contains("an advisory database built 2026-11-22 06:30 UTC was used"),
        "{text}"
    );
}

#[test]
fn ids_are_found_in_any_case() {
    assert_eq!(spellings("cve-1"), ["CVE-1", "cve-1"]);
    assert_eq!(spellings("GHSA-ABCD"), ["GHSA-ABCD", "GHSA-abcd"]);
}
