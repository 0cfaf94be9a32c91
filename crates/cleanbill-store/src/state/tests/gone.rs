//! Images that are gone.

use super::super::*;
use super::kit::{finding, look};

#[test]
fn what_was_found_in_an_image_that_is_gone_waits_for_its_return() {
    let store = StateStore::in_memory().unwrap();
    let commit = |name: &str, id: &str| {
        let committed = store.scan_commit(&look(name, vec![finding(id, "zlib")], 1));
        committed.unwrap().changes[0]
    };
    let (gone, there) = (commit("app:1", "CVE-1"), commit("app:2", "CVE-2"));
    let untold = || -> Vec<ChangeId> {
        let untold = store.read().changes_untold(10).unwrap();
        untold.iter().map(|untold| untold.id).collect()
    };
    let counted = || store.read().status_summary().unwrap().changes_untold;
    assert_eq!((untold(), counted()), (vec![gone, there], 2));
    store.image_gone("app:1", 2).unwrap();
    assert_eq!((untold(), counted()), (vec![there], 1));
    let seen = SeenImage {
        name: "app:1".to_owned(),
        ..SeenImage::default()
    };
    store.image_seen(&[seen], 3).unwrap();
    assert_eq!((untold(), counted()), (vec![gone, there], 2));
}
