mod corpus;
mod hostile;

use std::sync::Arc;

use cleanbill_core::inventory::LayerInventory;
use cleanbill_core::package::RepositoryClass;
use cleanbill_testkit::rpm::{BerkeleyDb, RpmHeader, ndb};

use super::header::tag;
use super::*;

const BDB: BerkeleyDb = BerkeleyDb {
    page_size: 512,
    is_big_endian: false,
};

fn parse(bytes: &[u8]) -> Reading {
    parse_within(bytes, &Limits::default())
}

fn parse_within(bytes: &[u8], limits: &Limits) -> Reading {
    read(&mut &*bytes, bytes.len() as u64, limits).unwrap()
}

/// Writes header blobs as a SQLite database.
fn sqlite_db(headers: &[Vec<u8>]) -> Vec<u8> {
    sqlite_of(
        "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)",
        headers,
    )
}

fn sqlite_of(schema: &str, headers: &[Vec<u8>]) -> Vec<u8> {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.execute_batch(schema).unwrap();
    for header in headers {
        connection
            .execute("INSERT INTO Packages (blob) VALUES (?)", [header])
            .unwrap();
    }
    connection.serialize("main").unwrap().to_vec()
}

/// Gives three packages of which each needs another.
fn headers() -> Vec<Vec<u8>> {
    let bash = RpmHeader::new("bash", "4.4.19", "7.el8", "x86_64")
        .int32s(tag::EPOCH, &[2])
        .string(tag::VENDOR, "Red Hat, Inc.")
        .string(tag::LICENSE, "GPLv3+")
        .string(tag::SOURCE_RPM, "bash-src-4.4.19-7.el8.src.rpm")
        .strings(tag::PROVIDE_NAME, &["bash", "/bin/sh"])
        .strings(
            tag::REQUIRE_NAME,
            &["libc.so.6", "filesystem", "libc.so.6", "bash", "rpmlib(X)"],
        )
        .int32s(tag::DIR_INDEXES, &[0, 1, 0])
        .strings(tag::BASE_NAMES, &["bash", "bashrc", "sh"])
        .strings(tag::DIR_NAMES, &["/usr/bin/", "/etc/"])
        .bytes(tag::SIGMD5, &[0xab, 0xcd]);
    let glibc = RpmHeader::new("glibc", "2.28", "42", "x86_64")
        .string(tag::VENDOR, "Somebody")
        .string(tag::SOURCE_RPM, "glibc.src.rpm")
        .strings(tag::PROVIDE_NAME, &["libc.so.6"])
        .strings(tag::DIR_NAMES, &["/"])
        .string(tag::MODULARITY_LABEL, "a:b:c:d");
    let filesystem = RpmHeader::new("filesystem", "3", "1.amzn1", "")
        .string(tag::VENDOR, "(none)")
        .string(tag::LICENSE, "(none)")
        .strings(tag::PROVIDE_NAME, &["filesystem"])
        .strings(tag::REQUIRE_NAME, &["/bin/sh"]);
    vec![bash.build(), glibc.build(), filesystem.build()]
}

#[test]
fn all_formats_give_the_same_packages() {
    let headers = headers();
    let expected = parse(&ndb(&headers)).packages.unwrap();
    assert_eq!(expected.len(), 3);
    let mut databases = vec![sqlite_db(&headers)];
    for page_size in [512, 4096, 65_536] {
        for is_big_endian in [false, true] {
            let writer = BerkeleyDb {
                page_size,
                is_big_endian,
            };
            databases.push(writer.build(&headers));
        }
    }
    for database in databases {
        let reading = parse(&database);
        assert!(reading.error.is_none(), "{:?}", reading.error);
        assert_eq!(reading.packages.unwrap(), expected);
    }
}

#[test]
fn a_database_without_packages_is_a_database() {
    for database in [sqlite_db(&[]), ndb(&[]), BDB.build(&[])] {
        let reading = parse(&database);
        assert!(reading.error.is_none(), "{:?}", reading.error);
        assert_eq!(reading.packages.unwrap(), []);
    }
}

#[test]
fn tags_become_fields() {
    let packages = parse(&ndb(&headers())).packages.unwrap();
    let [bash, glibc, filesystem] = packages.as_slice() else {
        panic!("three packages");
    };
    assert_eq!(bash.id, "bash@4.4.19-7.el8.x86_64");
    assert_eq!(bash.installed_version(), "2:4.4.19-7.el8");
    assert_eq!(
        (bash.src_name.as_str(), bash.source_version().as_str()),
        ("bash-src", "2:4.4.19-7.el8")
    );
    assert_eq!(bash.repository_class, RepositoryClass::Official);
    assert_eq!(bash.licenses, ["GPLv3+"]);
    assert_eq!(bash.digest, "md5:abcd");
    assert_eq!(
        bash.installed_files,
        ["/usr/bin/bash", "/etc/bashrc", "/usr/bin/sh"]
    );
    assert_eq!(
        bash.depends_on,
        ["filesystem@3-1.amzn1.", "glibc@2.28-42.x86_64"]
    );

    assert_eq!(glibc.repository_class, RepositoryClass::ThirdParty);
    assert_eq!(glibc.maintainer, "Somebody");
    assert_eq!(glibc.modularity_label, "a:b:c:d");
    assert_eq!((glibc.src_name.as_str(), glibc.digest.as_str()), ("", ""));

    assert_eq!(filesystem.repository_class, RepositoryClass::Official);
    assert_eq!(
        (filesystem.arch.as_str(), filesystem.maintainer.as_str()),
        ("None", "")
    );
    assert_eq!(filesystem.licenses, [""; 0]);
    assert_eq!(filesystem.depends_on, [bash.id.as_str()]);
}

#[test]
fn what_the_installation_added_overrides_the_region() {
    for added in 1..3 {
        let mut header = RpmHeader::new("a", "1", "1", "noarch")
            .installed()
            .string(tag::VENDOR, "SUSE");
        if added == 2 {
            header = header.string(tag::NAME, "b");
        }
        let reading = parse(&ndb(&[header.build()]));
        let packages = reading.packages.unwrap();
        assert_eq!(packages[0].maintainer, "SUSE");
        assert_eq!(packages[0].name, if added == 2 { "b" } else { "a" });
    }
}

#[test]
fn headers_without_a_region_are_read() {
    let header = RpmHeader::new("a", "1", "1", "noarch").int32s(tag::EPOCH, &[-1]);
    let packages = parse(&ndb(&[header.build_without_region()]))
        .packages
        .unwrap();
    assert_eq!(
        (packages[0].id.as_str(), packages[0].epoch),
        ("a@1-1.noarch", -1)
    );
}

#[test]
fn text_that_is_not_utf8_is_replaced_byte_by_byte() {
    assert_eq!(
        header::text(b"caf\xe9 \xe2\x82"),
        "caf\u{fffd} \u{fffd}\u{fffd}"
    );
}

fn extract(
    extractor: &dyn Extractor,
    path: &str,
    bytes: &[u8],
    limits: &Limits,
) -> (LayerInventory, Result<(), ExtractError>) {
    let mut draft = LayerDraft::new(Arc::new(limits.clone()));
    draft.begin(path, extractor.name());
    let mut file = FileInput {
        path,
        size_bytes: bytes.len() as u64,
        body: &mut &*bytes,
        limits,
    };
    let result = extractor.extract(&mut file, &mut draft);
    (draft.finish(Default::default()), result)
}

#[test]
fn damage_is_reported_and_emptiness_is_not() {
    const PATH: &str = "var/lib/rpm/Packages";
    let limits = Limits::default();
    let (inventory, result) = extract(&RpmDatabase, PATH, &BDB.build(&headers()), &limits);
    assert!(result.is_ok());
    assert_eq!(inventory.package_databases.packages()[0].analyzed_by, "rpm");
    assert_eq!(inventory.problems, []);

    let (inventory, result) = extract(&RpmDatabase, PATH, b"", &limits);
    assert!(matches!(result, Err(ExtractError::Ignored)));
    assert!(inventory.package_databases.is_empty());

    let (inventory, result) = extract(&RpmDatabase, PATH, b"no database", &limits);
    assert!(result.is_ok());
    assert!(inventory.package_databases.is_empty());
    assert_eq!(inventory.problems[0].kind, ProblemKind::UnreadableFile);
    assert_eq!(inventory.problems[0].path, PATH);

    let small = Limits {
        rpm_database_size_bytes_max: 100,
        ..limits
    };
    let (_, result) = extract(&RpmDatabase, PATH, &[0; 101], &small);
    assert!(matches!(result, Err(ExtractError::LimitExceeded(_))));
}

#[test]
fn a_write_ahead_log_with_changes_is_reported() {
    assert!(RpmWriteAheadLog.wants("var/lib/rpm/rpmdb.sqlite-wal", 1));
    assert!(!RpmWriteAheadLog.wants("var/lib/rpm/rpmdb.sqlite-wal", 0));
    let (_, result) = extract(
        &RpmWriteAheadLog,
        "var/lib/rpm/rpmdb.sqlite-wal",
        b"x",
        &Limits::default(),
    );
    assert!(matches!(result, Err(ExtractError::Unsupported(_))));
}
