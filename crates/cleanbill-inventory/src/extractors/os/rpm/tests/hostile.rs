//! Damaged and malicious databases: an error or fewer packages, never a crash, never much memory.

use proptest::prelude::*;

use super::*;

/// One database of each format.
fn databases() -> [Vec<u8>; 4] {
    let headers = headers();
    let big_endian = BerkeleyDb {
        page_size: 1024,
        is_big_endian: true,
    };
    [
        sqlite_db(&headers),
        ndb(&headers),
        BDB.build(&headers),
        big_endian.build(&headers),
    ]
}

#[track_caller]
fn error_of(bytes: &[u8]) -> String {
    let reading = parse(bytes);
    assert!(reading.packages.is_none(), "{:?}", reading.packages);
    error_chain(&reading.error.unwrap())
}

fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..][..value.len()].copy_from_slice(value);
}

#[test]
fn a_truncated_database_is_never_complete() {
    for database in databases() {
        // What follows the last blob of NDB is padding.
        for length in (0..database.len() - 32).step_by(64) {
            let reading = parse(&database[..length]);
            assert!(
                reading.error.is_some(),
                "{length} of {} bytes",
                database.len()
            );
        }
    }
}

#[test]
fn truncation_at_every_page_of_real_databases_is_noticed() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/os");
    if !std::path::Path::new(root).is_dir() {
        eprintln!("skipped: no corpus beside the project");
        return;
    }
    for (path, step) in [
        ("el8-one-package/rootfs/var/lib/rpm/Packages", 4096),
        ("ubi8-libuuid/rootfs/var/lib/rpm/Packages", 4096),
        ("el9-one-package/rootfs/var/lib/rpm/rpmdb.sqlite", 4096),
        ("sle-15-bci/rootfs/usr/lib/sysimage/rpm/Packages.db", 65_536),
    ] {
        let database = std::fs::read(format!("{root}/{path}")).unwrap();
        let complete = parse(&database).packages.unwrap();
        for length in (step..database.len() - 1).step_by(step) {
            let reading = parse(&database[..length]);
            let found = reading.packages.unwrap_or_default();
            assert!(
                reading.error.is_some() || found == complete,
                "{path}: {length}"
            );
        }
    }
}

#[test]
fn berkeley_db_pages_are_checked() {
    let database = BDB.build(&headers());
    let with = |offset: usize, value: &[u8]| {
        let mut database = database.clone();
        put(&mut database, offset, value);
        database
    };
    let last_page = 1024 + headers()[0].len() / (512 - 26) * 512;
    for (offset, value, expected) in [
        (12, &[0; 4][..], "no Berkeley DB hash file"),
        (20, &[0; 4], "page size 0"),
        (20, &[1, 2, 0, 0], "page size 513"),
        (24, &[1], "encrypted"),
        (25, &[9], "page type 9"),
        (32, &[255; 4], "a page lies beyond the end"),
        // The number of entries, the first value's place, its first page.
        (512 + 20, &[5, 0], "a key without a value"),
        (512 + 20, &[254, 255], "the page"),
        (512 + 28, &[255, 255], "outside the page"),
        // The type, the next page and the length of overflow pages.
        (1024 + 25, &[13], "no overflow page"),
        (1024 + 16, &[2, 0, 0, 0], "of a cycle"),
        (1024 + 16, &[255; 4], "a page lies beyond the end"),
        (last_page + 22, &[255, 255], "longer than the page"),
        (last_page + 22, &[9, 0], "header 1"),
    ] {
        let error = error_of(&with(offset, value));
        assert!(error.contains(expected), "{offset}: {error}");
    }
}

#[test]
fn values_cannot_share_a_chain_of_pages() {
    // Nineteen small values and a large one; all are made to name the chain of the large one.
    let mut headers = vec![RpmHeader::new(&"x".repeat(20_000), "1", "1", "noarch").build()];
    headers.extend(vec![RpmHeader::new("a", "1", "1", "noarch").build(); 19]);
    let mut database = BDB.build(&headers);
    for value in 0..20 {
        let offset = u16::from_le_bytes([
            database[512 + 28 + 4 * value],
            database[512 + 29 + 4 * value],
        ]);
        put(
            &mut database,
            512 + usize::from(offset) + 4,
            &2_u32.to_le_bytes(),
        );
    }
    assert!(error_of(&database).contains("several values"));
}

#[test]
fn ndb_slots_are_checked() {
    let database = ndb(&headers());
    let with = |offset: usize, value: &[u8]| {
        let mut database = database.clone();
        put(&mut database, offset, value);
        database
    };
    for (offset, value, expected) in [
        (4, &[1, 0, 0, 0], "version 1"),
        (12, &[0; 4], "0 slot pages"),
        (12, &[1, 8, 0, 0], "2049 slot pages"),
        (12, &[0, 8, 0, 0], "slots lies beyond the end"),
        (32, b"Slop", "does not begin"),
        (36, &[9, 0, 0, 0], "no blob of its package"),
        (40, &[255; 4], "beyond the end"),
        (4096, b"Blub", "no blob of its package"),
        (4096 + 12, &[255; 4], "beyond the end"),
        (4096 + 12, &[1, 0, 0, 0], "header 1"),
    ] {
        let error = error_of(&with(offset, value));
        assert!(error.contains(expected), "{offset}: {error}");
    }
}

#[test]
fn ndb_blobs_cannot_overlap() {
    let long = RpmHeader::new(&"x".repeat(20_000), "1", "1", "noarch").build();
    let mut database = ndb(&[long]);
    let blob = database[36..48].to_vec();
    for slot in 1..200 {
        put(&mut database, 36 + 16 * slot, &blob);
    }
    assert!(error_of(&database).contains("overlaps"));
}

#[test]
fn headers_are_checked() {
    let blob = headers().remove(0);
    let entries = u32::from_be_bytes([blob[0], blob[1], blob[2], blob[3]]) as usize;
    let data = 8 + 16 * entries;
    for (offset, value) in [
        (0, &[0; 4][..]),
        (0, &[255; 4]),
        (0, &[0, 0, 0, 1]),
        (4, &[255; 4]),
        (4, &[0; 4]),
        // The region: type, offset, count.
        (8 + 4, &[0, 0, 0, 6]),
        (8 + 8, &[255; 4]),
        (8 + 12, &[0, 0, 0, 1]),
        // The first entry: tag, type, offset, count.
        (24, &[0, 0, 0, 99]),
        (24, &[255; 4]),
        (24 + 4, &[0, 0, 0, 0]),
        (24 + 4, &[0, 0, 0, 10]),
        (24 + 4, &[0, 0, 0, 7]),
        (24 + 8, &[0, 0, 255, 255]),
        (24 + 12, &[0, 0, 0, 2]),
        // The end of the first string.
        (data + 4, b"xxxxxxxxxxxxxxxxxxxxx"),
    ] {
        let mut blob = blob.clone();
        put(&mut blob, offset, value);
        error_of(&ndb(&[blob]));
    }
}

#[test]
fn inconsistent_file_lists_are_refused() {
    let header = |indexes: &[i32], names: &[&str], directories: &[&str]| {
        let header = RpmHeader::new("a", "1", "1", "noarch")
            .string(tag::VENDOR, "SUSE")
            .int32s(tag::DIR_INDEXES, indexes)
            .strings(tag::BASE_NAMES, names)
            .strings(tag::DIR_NAMES, directories);
        ndb(&[header.build()])
    };
    assert!(parse(&header(&[0], &["a"], &["/"])).error.is_none());
    for database in [
        header(&[0, 0], &["a"], &["/"]),
        header(&[1], &["a"], &["/"]),
        header(&[-1], &["a"], &["/"]),
        header(&[0], &["a"], &["/", "/b"]),
    ] {
        assert!(error_of(&database).contains("file list"));
    }
}

#[test]
fn tags_of_another_type_are_refused() {
    for header in [
        RpmHeader::new("a", "1", "1", "noarch").int32s(tag::VENDOR, &[1]),
        RpmHeader::new("a", "1", "1", "noarch").string(tag::EPOCH, "1"),
        RpmHeader::new("a", "1", "1", "noarch").string(tag::PROVIDE_NAME, "a"),
    ] {
        assert!(error_of(&ndb(&[header.build()])).contains("has type"));
    }
}

#[test]
fn small_databases_cannot_become_large_lists() {
    let limits = Limits {
        rpm_database_size_bytes_max: 1 << 20,
        ..Limits::default()
    };
    let directory = "x".repeat(10_000);
    let files = RpmHeader::new("a", "1", "1", "noarch")
        .string(tag::VENDOR, "SUSE")
        .int32s(tag::DIR_INDEXES, &[0; 200])
        .strings(tag::BASE_NAMES, &["y"; 200])
        .strings(tag::DIR_NAMES, &[&directory]);
    let provider =
        RpmHeader::new(&directory, "1", "1", "noarch").strings(tag::PROVIDE_NAME, &["x"]);
    let user = RpmHeader::new("a", "1", "1", "noarch").strings(tag::REQUIRE_NAME, &["x"]);
    let mut needy = vec![provider.build()];
    needy.extend(vec![user.build(); 200]);
    for database in [ndb(&[files.build()]), ndb(&needy)] {
        let reading = parse_within(&database, &limits);
        assert!(reading.packages.is_none());
        assert!(reading.error.unwrap().is_limit());
    }
    let few = Limits {
        packages_per_layer_max: 2,
        ..Limits::default()
    };
    assert!(
        parse_within(&ndb(&headers()), &few)
            .error
            .unwrap()
            .is_limit()
    );
}

#[test]
fn a_database_in_write_ahead_mode_is_read() {
    let mut database = sqlite_db(&headers());
    put(&mut database, 18, &[2, 2]);
    assert_eq!(parse(&database).packages.unwrap().len(), 3);
}

#[test]
fn schemas_that_rpm_does_not_make_are_refused() {
    for (schema, expected) in [
        ("CREATE TABLE Other (blob)", "not the plain table"),
        (
            "CREATE TABLE t (blob); CREATE VIEW Packages AS SELECT blob FROM t",
            "not the plain table",
        ),
        (
            "CREATE TABLE Packages (x, blob AS (hex(zeroblob(1000000))))",
            "not the plain table",
        ),
        ("CREATE TABLE Packages (hnum)", "no such column"),
        (
            "CREATE TABLE Packages (blob); INSERT INTO Packages VALUES (NULL)",
            "no blob",
        ),
        (
            "CREATE TABLE Packages (blob); INSERT INTO Packages VALUES (1)",
            "no blob",
        ),
        (
            "CREATE TABLE Packages (blob); INSERT INTO Packages VALUES ('x')",
            "header 1",
        ),
    ] {
        let error = error_of(&sqlite_of(schema, &[]));
        assert!(error.contains(expected), "{schema}: {error}");
    }
    let tables: String = (0..300)
        .map(|n| format!("CREATE TABLE t{n} (x);"))
        .collect();
    let error = error_of(&sqlite_of(
        &format!("{tables} CREATE TABLE Packages (blob)"),
        &headers(),
    ));
    assert!(error.contains("too many schema objects"), "{error}");
}

#[test]
fn triggers_and_indexes_beside_the_table_do_no_harm() {
    let schema = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB);
        CREATE INDEX i ON Packages (length(blob));
        CREATE TABLE log (x);
        CREATE TRIGGER t AFTER DELETE ON Packages BEGIN INSERT INTO log VALUES (randomblob(1000)); END";
    assert_eq!(
        parse(&sqlite_of(schema, &headers()))
            .packages
            .unwrap()
            .len(),
        3
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn flipped_bytes_do_not_crash(
        format in 0..4_usize, places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut database = databases()[format].clone();
        for (place, byte) in places {
            let at = place.index(database.len());
            database[at] = byte;
        }
        let reading = parse(&database);
        prop_assert!(reading.error.is_some() || reading.packages.is_some());
    }

    #[test]
    fn any_header_is_accepted_or_refused(
        mut index in proptest::collection::vec((100..110_u32, 0..10_u32, 0..40_u32, 0..5_u32), 1..5),
        data in proptest::collection::vec(any::<u8>(), 0..64), has_region in any::<bool>(),
    ) {
        if has_region {
            index[0] = (63, 7, 0, 16);
        }
        let mut blob = Vec::new();
        blob.extend((index.len() as u32).to_be_bytes());
        blob.extend((data.len() as u32).to_be_bytes());
        for (tag, kind, offset, count) in index {
            blob.extend([tag, kind, offset, count].into_iter().flat_map(u32::to_be_bytes));
        }
        blob.extend(data);
        let _ = header::Header::parse(&blob);
    }

    #[test]
    fn any_bytes_are_accepted_or_refused(
        magic in 0..3_usize, bytes in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let mut database = [&sqlite::MAGIC[..], &ndb::MAGIC[..], &[]][magic].to_vec();
        database.extend(bytes);
        let _ = parse(&database);
    }
}
