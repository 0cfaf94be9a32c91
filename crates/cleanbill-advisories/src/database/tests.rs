use cleanbill_core::Severity;
use cleanbill_testkit::AdvisoryDatabaseBuilder;
use proptest::prelude::*;

use super::*;
use crate::advisory::{AdvisoryEntry, EntryCve};

const METADATA: &[u8] = br#"{"Version":2}"#;

fn source(id: &str) -> DataSource {
    DataSource {
        id: id.to_owned(),
        name: format!("The source {id}"),
        url: format!("https://{id}.example/"),
        base_id: String::new(),
    }
}

fn open(builder: &AdvisoryDatabaseBuilder) -> Database {
    Database::open_bytes(builder.database(), builder.metadata_json()).unwrap()
}

fn ids(advisories: &[Advisory]) -> Vec<&str> {
    advisories
        .iter()
        .map(|advisory| advisory.vulnerability_id.as_str())
        .collect()
}

#[test]
fn advisories_come_in_key_order_with_their_source() {
    let database = open(
        &AdvisoryDatabaseBuilder::new()
            .data_source("debian 12", &source("debian"))
            .advisory("debian 12", "openssl", "CVE-2", "{}")
            .advisory("debian 12", "openssl", "CVE-10", r#"{"FixedVersion":"1"}"#)
            .advisory("debian 12", "openssl", "CVE-1", r#"{"Status":5}"#)
            .advisory("debian 12", "openssl", "CVE-0", "")
            .advisory("debian 12", "curl", "CVE-3", "{}")
            .advisory("debian 11", "openssl", "CVE-4", "{}"),
    );
    let advisories = database.advisories("debian 12", "openssl").unwrap();
    assert_eq!(ids(&advisories), ["CVE-1", "CVE-10", "CVE-2"]);
    assert_eq!(advisories[0].status, 5);
    assert_eq!(advisories[1].fixed_version, "1");
    for advisory in &advisories {
        assert_eq!(advisory.data_source.as_deref(), Some(&source("debian")));
    }
    let without_source = database.advisories("debian 11", "openssl").unwrap();
    assert_eq!(without_source[0].data_source, None);
}

#[test]
fn what_is_absent_has_no_advisories() {
    let database = open(
        &AdvisoryDatabaseBuilder::new()
            .advisory("debian 12", "openssl", "CVE-1", "{}")
            .bucket("empty"),
    );
    for (bucket, package) in [
        ("debian 12", ""),
        ("debian 12", "curl"),
        ("debian 1", "openssl"),
        ("", "openssl"),
        ("empty", "openssl"),
    ] {
        let advisories = database.advisories(bucket, package).unwrap();
        assert_eq!(advisories, [], "{bucket} {package}");
    }
    assert!(database.has_bucket("empty").unwrap());
    assert!(!database.has_bucket("debian").unwrap());
}

#[test]
fn records_are_kept_up_to_a_limit() {
    let record = r#"{"Title":"one","PublishedDate":"2026-01-02T03:04:05.000Z"}"#;
    let builder = AdvisoryDatabaseBuilder::new().vulnerability("CVE-1", record);
    let database = open(&builder);
    let first = database.details("CVE-1").unwrap().unwrap();
    assert_eq!(first.published, "2026-01-02T03:04:05Z");
    let again = database.details("CVE-1").unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    for number in 0..DETAILS_MAX {
        assert_eq!(database.details(&format!("none-{number}")).unwrap(), None);
    }
    let anew = database.details("CVE-1").unwrap().unwrap();
    assert!(!Arc::ptr_eq(&first, &anew));
    assert_eq!(first, anew);
}

#[test]
fn the_last_bucket_of_an_ecosystem_wins() {
    let ghsa = "npm::GitHub Security Advisory npm";
    let node = "npm::Node.js Ecosystem Security Working Group";
    let database = open(
        &AdvisoryDatabaseBuilder::new()
            .data_source(ghsa, &source("ghsa"))
            .data_source(node, &source("nodejs-security-wg"))
            .advisory(ghsa, "left-pad", "CVE-1", "replaced, so never parsed")
            .advisory(
                ghsa,
                "left-pad",
                "CVE-2",
                r#"{"VulnerableVersions":["<1"]}"#,
            )
            .advisory(node, "left-pad", "CVE-1", r#"{"PatchedVersions":[">=2"]}"#)
            .advisory(node, "left-pad", "CVE-2", "")
            .advisory("npm:", "left-pad", "CVE-3", "{}")
            .advisory("npma::X", "left-pad", "CVE-4", "{}")
            .advisory("seal npm::X", "left-pad", "CVE-5", "{}"),
    );
    let advisories = database.ecosystem_advisories("npm::", "left-pad").unwrap();
    assert_eq!(ids(&advisories), ["CVE-1", "CVE-2"]);
    assert_eq!(advisories[0].patched_versions, [">=2"]);
    let ids_of_sources = advisories
        .iter()
        .map(|advisory| advisory.data_source.as_ref().unwrap().id.as_str());
    assert!(ids_of_sources.eq(["nodejs-security-wg", "ghsa"]));
    let seal = database.ecosystem_advisories("seal npm::", "left-pad");
    assert_eq!(ids(&seal.unwrap()), ["CVE-5"]);
}

#[test]
fn reads_every_shape_of_advisory() {
    let check = |json: &str, expected: Advisory| {
        let database = open(&AdvisoryDatabaseBuilder::new().advisory("b", "p", "id", json));
        let expected = Advisory {
            vulnerability_id: "id".to_owned(),
            bucket: "b".into(),
            ..expected
        };
        assert_eq!(database.advisories("b", "p").unwrap(), [expected], "{json}");
    };
    let fixed = Advisory {
        fixed_version: "1".to_owned(),
        ..Advisory::default()
    };
    let entry = AdvisoryEntry {
        fixed_version: "0:2".to_owned(),
        arches: vec!["x86_64".to_owned()],
        cves: vec![EntryCve {
            id: "CVE-1".to_owned(),
            severity: 2,
        }],
        affected: vec![0, 1],
        status: 5,
        ..AdvisoryEntry::default()
    };
    check("null", Advisory::default());
    check(r#"{"fixedversion":"1"}"#, fixed.clone());
    check(r#"{"FixedVersion":"0","FIXEDVERSION":"1"}"#, fixed.clone());
    check(r#"{"FixedVersion":"1","FixedVersion":null}"#, fixed.clone());
    check(
        r#" {"FixedVersion":"1","Severity":null,"Custom":{"a":[{}]},"VendorIDs":null} "#,
        fixed,
    );
    check(
        r#"{"Entries":[{"FixedVersion":"0:2","Cves":[{"ID":"CVE-1","Severity":2}],"Arches":["x86_64"],"Affected":[0,1],"Status":5},null]}"#,
        Advisory {
            entries: vec![entry, AdvisoryEntry::default()],
            ..Advisory::default()
        },
    );
    check(
        r#"{"VendorIDs":["DSA-1",null],"Severity":4}"#,
        Advisory {
            vendor_ids: vec!["DSA-1".to_owned(), String::new()],
            severity: 4,
            ..Advisory::default()
        },
    );
}

#[test]
fn unreadable_values_are_errors_that_name_their_place() {
    for json in [
        "x",
        "[]",
        "\"\"",
        "{} {}",
        r#"{"FixedVersion":1}"#,
        r#"{"Severity":"HIGH"}"#,
        r#"{"Severity":1.5}"#,
        r#"{"VulnerableVersions":"<1"}"#,
    ] {
        let builder = AdvisoryDatabaseBuilder::new().advisory("debian 12", "curl", "CVE-1", json);
        let error = open(&builder).advisories("debian 12", "curl").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the advisory database holds an unreadable value in bucket 'debian 12', package \
             'curl', key 'CVE-1'",
            "{json}"
        );
    }
}

#[test]
fn bad_utf8_is_mended() {
    let mut database = AdvisoryDatabaseBuilder::new()
        .advisory("b", "p", "id", r#"{"FixedVersion":"1@2"}"#)
        .database();
    let at = database.iter().position(|byte| *byte == b'@').unwrap();
    database[at] = 0xFF;
    let database = Database::open_bytes(database, METADATA).unwrap();
    let advisories = database.advisories("b", "p").unwrap();
    assert_eq!(advisories[0].fixed_version, "1\u{FFFD}2");
}

#[test]
fn reads_vulnerability_records() {
    let database = open(&AdvisoryDatabaseBuilder::new().vulnerability(
        "CVE-1",
        r#"{"Title":"t","Description":"d","Severity":"HIGH","CweIDs":["CWE-79"],
            "VendorSeverity":{"nvd":3,"ghsa":null},"References":["https://a.example"],
            "CVSS":{"nvd":{"V3Vector":"CVSS:3.1/AV:N","V3Score":9.8,"V2Score":7}},
            "PublishedDate":"2026-01-01T00:00:00Z","LastModifiedDate":"2026-01-02T00:00:00.5Z"}"#,
    ));
    let details = database.vulnerability("CVE-1").unwrap().unwrap();
    assert_eq!(details.title, "t");
    assert_eq!(details.description, "d");
    assert_eq!(details.severity, Severity::High);
    assert_eq!(details.cwe_ids, ["CWE-79"]);
    assert_eq!(details.vendor_severity["nvd"], 3);
    assert_eq!(details.vendor_severity["ghsa"], 0);
    assert_eq!(details.references, ["https://a.example"]);
    assert_eq!(details.cvss["nvd"].v3_vector, "CVSS:3.1/AV:N");
    assert_eq!(details.cvss["nvd"].v3_score, 9.8);
    assert_eq!(details.cvss["nvd"].v2_score, 7.0);
    assert_eq!(details.published, "2026-01-01T00:00:00Z");
    assert_eq!(details.last_modified, "2026-01-02T00:00:00.5Z");
    assert_eq!(database.vulnerability("CVE-2").unwrap(), None);
}

#[test]
fn a_severity_in_another_spelling_is_unknown() {
    let database =
        open(&AdvisoryDatabaseBuilder::new().vulnerability("CVE-1", r#"{"Severity":"high"}"#));
    let details = database.vulnerability("CVE-1").unwrap().unwrap();
    assert_eq!(details.severity, Severity::Unknown);
}

#[test]
fn looks_up_cpe_indices() {
    let database = open(
        &AdvisoryDatabaseBuilder::new()
            .repository_cpes("rhel-7-server-rpms", &[0, 3])
            .nvr_cpes("ubi8-container-8.0-7-x86_64", &[5])
            .put(&["Red Hat CPE", "nvr"], "broken", "{}"),
    );
    let indices = |kind, key| database.cpe_indices(kind, key);
    let repository = indices(CpeKey::Repository, "rhel-7-server-rpms");
    assert_eq!(repository.unwrap(), [0, 3]);
    let nvr = indices(CpeKey::Nvr, "ubi8-container-8.0-7-x86_64");
    assert_eq!(nvr.unwrap(), [5]);
    assert!(indices(CpeKey::Nvr, "other").unwrap().is_empty());
    assert!(indices(CpeKey::Nvr, "broken").is_err());
    let empty = open(&AdvisoryDatabaseBuilder::new());
    assert!(empty.cpe_indices(CpeKey::Nvr, "x").unwrap().is_empty());
}

#[test]
fn unreadable_data_sources_are_left_out() {
    for value in ["", "x", "[]", "{}", r#"{"ID":1}"#] {
        let builder = AdvisoryDatabaseBuilder::new()
            .put(&["data-source"], "b", value)
            .advisory("b", "p", "CVE-1", "{}");
        let advisories = open(&builder).advisories("b", "p").unwrap();
        assert_eq!(advisories[0].data_source, None, "{value}");
    }
}

#[test]
fn counts_buckets() {
    let database = open(
        &AdvisoryDatabaseBuilder::new()
            .data_source("debian 12", &source("debian"))
            .data_source("npm::Aqua", &source("aqua"))
            .advisory("debian 12", "p", "CVE-1", "{}")
            .advisory("wolfi", "p", "CVE-1", "{}")
            .advisory("npm::Aqua", "p", "CVE-1", "{}")
            .vulnerability("CVE-1", "{}")
            .repository_cpes("r", &[1]),
    );
    let expected = Statistics {
        os_bucket_count: 2,
        ecosystem_bucket_count: 1,
        buckets_without_data_source: vec!["wolfi".to_owned()],
    };
    assert_eq!(database.statistics().unwrap(), expected);
}

#[test]
fn opens_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let missing = |name: &str| {
        let error = Database::open(directory.path()).unwrap_err();
        assert!(
            matches!(&error, OpenError::Missing { path } if path.ends_with(name)),
            "{error}"
        );
    };
    missing(METADATA_FILE);
    std::fs::write(directory.path().join(METADATA_FILE), METADATA).unwrap();
    missing(DATABASE_FILE);

    let builder = AdvisoryDatabaseBuilder::new().advisory("b", "p", "CVE-1", "{}");
    builder.write_to(directory.path()).unwrap();
    let database = Database::open(directory.path()).unwrap();
    assert_eq!(database.metadata().version, 2);
    assert_eq!(
        database.metadata().updated_at.to_string(),
        "2026-11-21T06:00:00Z"
    );
    // An update replaces the file; what is open stays what it was.
    let other = directory.path().join("other");
    std::fs::write(&other, AdvisoryDatabaseBuilder::new().database()).unwrap();
    std::fs::rename(other, directory.path().join(DATABASE_FILE)).unwrap();
    assert_eq!(database.advisories("b", "p").unwrap().len(), 1);
}

#[test]
fn refuses_what_it_cannot_read() {
    let sound = AdvisoryDatabaseBuilder::new().database();
    let open = |database: &[u8], metadata: &str| {
        Database::open_bytes(database.to_vec(), metadata.as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        open(&sound, r#"{"Version":3}"#),
        "the database has schema version 3, newer than 2, which is known"
    );
    assert_eq!(
        open(&sound, "{}"),
        "the database has schema version 0, older than 2, which is needed"
    );
    assert_eq!(open(&sound, "no"), "cannot understand metadata.json");
    assert_eq!(
        open(&sound[..9_000], r#"{"Version":2}"#),
        "trivy.db is damaged"
    );
}

#[test]
fn a_directory_in_place_of_the_file_is_unreadable() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(METADATA_FILE), METADATA).unwrap();
    std::fs::create_dir(directory.path().join(DATABASE_FILE)).unwrap();
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Unreadable { .. }), "{error}");
}

#[test]
fn is_shared_between_threads() {
    let database = open(
        &AdvisoryDatabaseBuilder::new()
            .data_source("b", &source("debian"))
            .advisory("b", "p", "CVE-1", "{}"),
    );
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let database = database.clone();
            scope.spawn(move || assert_eq!(database.advisories("b", "p").unwrap().len(), 1));
        }
    });
}

#[test]
fn a_damaged_page_is_an_error_that_names_the_bucket() {
    let builder = (0..200).fold(AdvisoryDatabaseBuilder::new(), |builder, number| {
        builder.advisory(
            "debian 12",
            "linux",
            &format!("CVE-{number}"),
            r#"{"Status":2}"#,
        )
    });
    let mut database = builder.database();
    // The first page of data: a leaf of the package's tree.
    database[3 * 4096 + 8] = 0;
    let database = Database::open_bytes(database, METADATA).unwrap();
    let error = database.advisories("debian 12", "linux").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the advisory database is damaged in bucket 'debian 12'"
    );
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "page 3: has the unexpected flags 0x0000");
}

#[test]
fn every_value_of_the_published_database_is_understood() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle/db.tar.gz");
    let Ok(archive) = std::fs::read(&path) else {
        eprintln!("skipped: there is no {}", path.display());
        return;
    };
    let member = |name| cleanbill_testkit::archive_member(&archive, name);
    let metadata = member("db/metadata.json");
    let database = Database::open_bytes(member("db/trivy.db"), &metadata).unwrap();
    let mut counts = (0, 0);
    for (bucket, package) in packages(&database) {
        for advisory in database.advisories(&bucket, &package).unwrap() {
            counts.0 += 1;
            let details = database.vulnerability(&advisory.vulnerability_id);
            counts.1 += usize::from(details.unwrap().is_some());
        }
    }
    assert!(counts.0 > 20_000 && counts.1 > 10_000, "{counts:?}");
    let statistics = database.statistics().unwrap();
    assert!(statistics.os_bucket_count > 20, "{statistics:?}");
    assert!(statistics.ecosystem_bucket_count > 10, "{statistics:?}");
}

/// Lists the packages of all buckets that hold advisories.
fn packages(database: &Database) -> Vec<(String, String)> {
    let mut packages = Vec::new();
    for entry in database.0.file.root().entries() {
        let entry = entry.unwrap();
        let bucket = text(entry.key);
        let Content::Bucket(nested) = entry.content else {
            continue;
        };
        if bucket == CPE_BUCKET {
            continue;
        }
        for package in nested.unwrap().entries().map(Result::unwrap) {
            if matches!(package.content, Content::Bucket(_)) {
                packages.push((bucket.clone(), text(package.key)));
            }
        }
    }
    packages
}

#[test]
fn a_package_beyond_all_measure_is_refused() {
    let text = "x".repeat(ROWS_SIZE_BYTES_MAX / 2);
    let builder = AdvisoryDatabaseBuilder::new()
        .advisory("b", "small", "CVE-1", "{}")
        .advisory("b", "large", "CVE-1", format!(r#"{{"Title":"{text}"}}"#))
        .advisory("b", "large", "CVE-2", format!(r#"{{"Title":"{text}"}}"#));
    let database = open(&builder);
    assert_eq!(database.advisories("b", "small").unwrap().len(), 1);
    let error = database.advisories("b", "large").unwrap_err();
    assert!(matches!(error, LookupError::TooLarge { .. }), "{error}");
}

#[test]
fn rows_are_prepared_once_for_each_form() {
    use std::cell::Cell;

    let database = open(
        &AdvisoryDatabaseBuilder::new()
            .advisory("a", "p", "CVE-1", "{}")
            .advisory("b", "p", "CVE-2", "{}"),
    );
    let prepared = Cell::new(0);
    let ids = |form, bucket| {
        let prepare = |found: Vec<Advisory>| {
            prepared.set(prepared.get() + 1);
            PreparedRows::new(ids(&found).into_iter().map(str::to_owned).collect())
        };
        let rows = database.prepared_rows(form, bucket, "p", &prepare).unwrap();
        assert!(rows.get::<Advisory>().is_none());
        rows.get::<String>().unwrap().join(" ")
    };
    let deb = RowForm::Fixed {
        scheme: cleanbill_version::VersionScheme::Deb,
        is_by_architecture: false,
    };
    assert_eq!(ids(deb, "a"), "CVE-1");
    assert_eq!(ids(deb, "b"), "CVE-2");
    assert_eq!((ids(deb, "a").as_str(), prepared.get()), ("CVE-1", 2));
    assert_eq!(
        (ids(RowForm::RedHat, "a").as_str(), prepared.get()),
        ("CVE-1", 3)
    );
    assert_eq!(ids(deb, "absent"), "");
    assert_eq!((ids(deb, "absent").as_str(), prepared.get()), ("", 4));
}

#[test]
fn lookups_can_be_forgotten() {
    let database = open(
        &AdvisoryDatabaseBuilder::new()
            .advisory("debian 12", "openssl", "CVE-1", "{}")
            .advisory(
                "npm::a",
                "left-pad",
                "CVE-2",
                r#"{"VulnerableVersions":["<1"]}"#,
            )
            .vulnerability("CVE-1", r#"{"Title":"one"}"#),
    );
    let shelf = Shelf {
        prefix: "npm::",
        scheme: cleanbill_version::VersionScheme::Npm,
    };
    let look_up = |database: &Database| {
        let prepare = |found: Vec<Advisory>| PreparedRows::new(found);
        let rows = database.prepared_rows(RowForm::RedHat, "debian 12", "openssl", &prepare);
        let record = database.details("CVE-1").unwrap().unwrap();
        let in_languages = database.language_rows(&shelf, "left-pad").unwrap();
        (
            rows.unwrap().count(),
            in_languages.len(),
            record.title.clone(),
        )
    };
    let is_empty = |database: &Database| {
        let inner = &database.0;
        [
            lock(&inner.os_rows).is_empty(),
            lock(&inner.language_rows).is_empty(),
            lock(&inner.details).is_empty(),
        ]
    };
    let found = look_up(&database);
    assert_eq!(is_empty(&database), [false; 3]);
    database.forget_lookups();
    assert_eq!(is_empty(&database), [true; 3]);
    assert_eq!(look_up(&database), found);
}

#[test]
fn debug_output_leaves_the_file_out() {
    let database = open(&AdvisoryDatabaseBuilder::new().advisory("b", "p", "CVE-1", "{}"));
    assert!(format!("{database:?}").len() < 1_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn damaged_databases_never_panic(
        flips in proptest::collection::vec((2_usize * 4096.., 1_u8..), 1..20),
    ) {
        let builder = (0..60).fold(AdvisoryDatabaseBuilder::new(), |builder, number| {
            let package = format!("p{}", number % 3);
            builder
                .advisory("a::b", &package, &format!("CVE-{number}"), r#"{"FixedVersion":"1"}"#)
                .vulnerability(&format!("CVE-{number}"), r#"{"Title":"t","CVSS":{"nvd":{}}}"#)
        });
        let mut bytes = builder.data_source("a::b", &source("x")).database();
        let length = bytes.len();
        for (offset, bits) in flips {
            bytes[offset % length] ^= bits;
        }
        visit(bytes);
    }
}

/// Looks up something of every kind.
fn visit(bytes: Vec<u8>) {
    let Ok(database) = Database::open_bytes(bytes, METADATA) else {
        return;
    };
    for package in ["p0", "p1", "p2"] {
        let _ = database.advisories("a::b", package);
        let _ = database.ecosystem_advisories("a::", package);
    }
    let _ = database.vulnerability("CVE-7");
    let _ = database.statistics();
}
