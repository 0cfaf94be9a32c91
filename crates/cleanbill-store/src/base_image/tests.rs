use super::*;

const DAY: i64 = SEEN_RESOLUTION_SECONDS;

fn chain(name: &str, layers: &str) -> NamedChain {
    let diff_id = |name: &str| DiffId(Digest::of(name.as_bytes()));
    NamedChain {
        reference: name.parse().unwrap(),
        image_id: Some(Digest::of(layers.as_bytes())),
        diff_ids: layers.split_whitespace().map(diff_id).collect(),
    }
}

fn cache() -> LayerCache {
    LayerCache::in_memory(1).unwrap()
}

/// Lists names with when they were seen.
fn seen(known: &[KnownChain]) -> Vec<(String, i64)> {
    let one = |one: &KnownChain| (one.chain.reference.familiar(), one.seen_at);
    known.iter().map(one).collect()
}

#[test]
fn what_was_put_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let cache = LayerCache::open(directory.path(), 1).unwrap();
    let debian = chain("debian:12", "a b");
    assert!(cache.chain_put(&debian, NamedBy::Source, 5).unwrap());
    assert!(!cache.chain_put(&debian, NamedBy::Source, 5).unwrap());
    drop(cache);
    // What layers hold depends on the extractors; what they are called does not.
    let cache = LayerCache::open(directory.path(), 2).unwrap();
    let expected = KnownChain {
        chain: debian,
        is_imported: false,
        is_claimed: false,
        seen_at: 5,
    };
    assert_eq!(cache.chains().unwrap(), [expected]);
    // There is nothing to say of an image without layers.
    assert!(
        !cache
            .chain_put(&chain("scratch:1", ""), NamedBy::Source, 5)
            .unwrap()
    );
    assert_eq!(cache.chains().unwrap().len(), 1);
}

#[test]
fn the_longest_chain_wins_under_all_its_names() {
    let cache = cache();
    for (name, layers) in [
        ("debian:12", "a"),
        ("python:3.12", "a b"),
        ("python:3", "a b"),
        ("other:1", "x b"),
    ] {
        cache
            .chain_put(&chain(name, layers), NamedBy::Source, 1)
            .unwrap();
    }
    let ids = |layers: &str| {
        let ids = cleanbill_core::base_image::chain_ids(&chain("a", layers).diff_ids);
        seen(&cache.chains_longest(&ids, |_| true).unwrap())
    };
    assert_eq!(
        ids("a b c"),
        [("python:3.12".to_owned(), 1), ("python:3".to_owned(), 1)]
    );
    let all = cleanbill_core::base_image::chain_ids(&chain("a", "a b c").diff_ids);
    let without = |prefix: &str| {
        let is_wanted = |known: &KnownChain| !known.chain.reference.familiar().starts_with(prefix);
        seen(&cache.chains_longest(&all, is_wanted).unwrap())
    };
    assert_eq!(without("python:3.12"), [("python:3".to_owned(), 1)]);
    assert_eq!(without("python"), [("debian:12".to_owned(), 1)]);
    assert_eq!(ids("a c"), [("debian:12".to_owned(), 1)]);
    assert_eq!(ids("b a"), []);
    assert_eq!(ids(""), []);
}

#[test]
fn a_name_means_what_it_was_seen_with_last() {
    let cache = cache();
    let (old, new) = (chain("debian:12", "old"), chain("debian:12", "new"));
    cache.chain_put(&old, NamedBy::Source, 10).unwrap();
    cache.chain_put(&new, NamedBy::Source, 20).unwrap();
    cache
        .chain_put(&chain("debian:11", "eleven"), NamedBy::Source, 15)
        .unwrap();
    cache
        .chain_put(&chain("ubuntu:24.04", "u"), NamedBy::Source, 30)
        .unwrap();
    let meant = || {
        let found = cache.chains_of_repository(&old.reference).unwrap();
        let ids: Vec<_> = found.into_iter().map(|one| one.chain.diff_ids).collect();
        ids
    };
    let eleven = chain("debian:11", "eleven").diff_ids;
    assert_eq!(meant(), [new.diff_ids, eleven.clone()]);
    assert_eq!(cache.chains_named(&old.reference).unwrap().len(), 2);
    // It moves back, on the same day.
    cache.chain_put(&old, NamedBy::Source, 21).unwrap();
    assert_eq!(meant(), [old.diff_ids.clone(), eleven]);
}

#[test]
fn a_known_image_is_written_once_a_day() {
    let cache = cache();
    let debian = chain("debian:12", "a");
    for (now, expected) in [(100, 100), (100 + DAY, 100), (101 + DAY, 101 + DAY)] {
        cache.chain_put(&debian, NamedBy::Source, now).unwrap();
        assert_eq!(
            seen(&cache.chains().unwrap()),
            [("debian:12".to_owned(), expected)]
        );
    }
}

#[test]
fn a_build_that_changed_the_configuration_only_is_another_image() {
    let cache = cache();
    let with_id = |image_id: Option<&[u8]>| NamedChain {
        image_id: image_id.map(Digest::of),
        ..chain("shop/web:1", "a")
    };
    let known = || cache.chains().unwrap()[0].chain.image_id;
    for (image_id, expected) in [
        (None, None),
        (Some(&b"one"[..]), Some(&b"one"[..])),
        (Some(b"two"), Some(b"two")),
        // Who does not know the id changes nothing.
        (None, Some(b"two")),
    ] {
        cache
            .chain_put(&with_id(image_id), NamedBy::Source, 5)
            .unwrap();
        assert_eq!(known(), expected.map(Digest::of));
    }
    let found = |name: &[u8]| cache.chain_of_image(&Digest::of(name)).unwrap();
    assert!(found(b"one").is_none() && found(b"two").is_some());
}

#[test]
fn the_longest_unseen_make_room_and_imported_ones_do_not() {
    let cache = cache();
    cache
        .chains_import(&[chain("kept:1", "imported")], 0)
        .unwrap();
    let many: Vec<NamedChain> = (0..SEEN_MAX + 3)
        .map(|number| chain(&format!("seen:{number}"), &format!("layer-{number}")))
        .collect();
    for (now, chain) in (0..).zip(&many) {
        cache.chain_put(chain, NamedBy::Source, now).unwrap();
    }
    let known = cache.chains().unwrap();
    assert_eq!(known.len() as u64, u64::from(SEEN_MAX) + 1);
    let is_known = |chain: &NamedChain| !cache.chains_named(&chain.reference).unwrap().is_empty();
    assert!(is_known(&chain("kept:1", "imported")));
    assert!(!is_known(&many[2]));
    assert!(is_known(&many[3]));
}

#[test]
fn an_import_does_not_change_what_a_name_was_seen_with() {
    let cache = cache();
    let (old, new) = (chain("debian:12", "old"), chain("debian:12", "new"));
    let newest = |name: &NamedChain| {
        let named = cache.chains_named(&name.reference).unwrap();
        let meant = cache.chains_of_repository(&name.reference).unwrap();
        assert_eq!(named.first(), meant.first());
        named[0].chain.clone()
    };
    cache.chain_put(&new, NamedBy::Source, 10).unwrap();
    let another_id = NamedChain {
        image_id: Some(Digest::of(b"another")),
        ..new.clone()
    };
    for list in [vec![old.clone()], vec![another_id, old.clone()]] {
        cache.chains_import(&list, 1_800_000_000).unwrap();
        assert_eq!(newest(&new), new);
    }
    // Once it is seen here, it counts like all that is.
    assert!(!cache.chain_put(&old, NamedBy::Source, 11).unwrap());
    assert_eq!(newest(&new), old);

    // Of what was only imported, the last entry of the last list counts.
    let [one, two, three] = ["z", "y", "x"].map(|layers| chain("python:3", layers));
    let list = [&one, &two, &three].map(Clone::clone);
    cache.chains_import(&list, 20).unwrap();
    assert_eq!(newest(&one), three);
    cache.chains_import(&[three, one, two.clone()], 21).unwrap();
    assert_eq!(newest(&two), two);
}

#[test]
fn imported_chains_are_counted_and_removed() {
    let cache = cache();
    let list = [chain("debian:12", "a"), chain("debian:11", "b")];
    cache.chain_put(&list[0], NamedBy::Source, 3).unwrap();
    assert_eq!(cache.chains_import(&list, 1).unwrap(), 2);
    assert_eq!(cache.chains_import(&list, 2).unwrap(), 0);
    assert!(cache.chains().unwrap().iter().all(|one| one.is_imported));
    assert_eq!(
        cache
            .chain_of_image(&list[1].image_id.unwrap())
            .unwrap()
            .map(|one| one.chain),
        Some(list[1].clone())
    );
    assert_eq!(cache.chains_remove(&list[0].reference).unwrap(), 1);
    assert_eq!(cache.chains_remove(&list[0].reference).unwrap(), 0);
    assert_eq!(cache.chains().unwrap().len(), 1);
}

#[test]
fn a_row_that_makes_no_sense_counts_as_absent() {
    let cache = cache();
    cache
        .chain_put(&chain("debian:12", "a"), NamedBy::Source, 1)
        .unwrap();
    for damage in ["diff_ids = x'00'", "reference = ''"] {
        let sql = format!("UPDATE named_chains SET {damage}");
        cache.connection().execute(&sql, []).unwrap();
        assert_eq!(cache.chains().unwrap(), []);
    }
}

#[test]
fn what_an_archive_claims_counts_for_less() {
    let cache = cache();
    let (own, other) = (chain("debian:12", "ab"), chain("debian:12", "xy"));
    let repository = "debian".parse().unwrap();
    let meaning = || cache.chains_of_repository(&repository).unwrap();

    // A claim can be found by its layers, and by its name, but says nothing of what a tag means.
    assert!(cache.chain_put(&other, NamedBy::Archive, 5).unwrap());
    assert!(!cache.chain_put(&other, NamedBy::Archive, 5).unwrap());
    assert!(cache.chains().unwrap()[0].is_claimed);
    assert_eq!(meaning(), []);

    // It does not stand in the way of what is seen, before or after.
    assert!(cache.chain_put(&own, NamedBy::Source, 3).unwrap());
    assert_eq!(meaning().len(), 1);
    assert_eq!(meaning()[0].chain, own);
    assert!(!cache.chain_put(&own, NamedBy::Archive, 9_999_999).unwrap());
    assert_eq!(meaning()[0].seen_at, 3);
    assert!(!meaning()[0].is_claimed);

    // What is seen later is no claim any more.
    assert!(!cache.chain_put(&other, NamedBy::Source, 6).unwrap());
    assert_eq!(meaning()[0].chain, other);
    assert_eq!(
        cache
            .chains()
            .unwrap()
            .iter()
            .filter(|one| one.is_claimed)
            .count(),
        0
    );
}
