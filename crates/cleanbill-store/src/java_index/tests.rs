//! Indices with just the rows that a test needs.

use cleanbill_testkit::JavaIndexBuilder;
use proptest::prelude::*;

use super::*;

fn index(builder: &JavaIndexBuilder) -> JavaIndexFile {
    let directory = tempfile::tempdir().unwrap();
    builder.write_to(directory.path()).unwrap();
    // The file stays open when its directory goes.
    JavaIndexFile::open(&directory.path().join("trivy-java.db")).unwrap()
}

#[test]
fn artifacts_are_found_by_name_and_by_digest() {
    let index = index(&JavaIndexBuilder::new().jar("org.x", "core", "1.0", &[7; 20]));
    assert!(index.has_artifact("org.x", "core").unwrap());
    assert!(!index.has_artifact("org.x", "Core").unwrap());
    assert!(!index.has_artifact("core", "org.x").unwrap());
    let found = index.artifact_by_sha1(&[7; 20]).unwrap().unwrap();
    assert_eq!(
        (found.name(), found.version),
        ("org.x:core".to_owned(), "1.0".to_owned())
    );
    assert_eq!(index.artifact_by_sha1(&[8; 20]).unwrap(), None);
}

#[test]
fn the_group_with_most_archives_is_the_likely_one() {
    let index = index(
        &JavaIndexBuilder::new()
            .jar("b.few", "jstl", "1.2", &[1; 20])
            .jar("c.many", "jstl", "1.2", &[2; 20])
            .row("c.many", "jstl", "1.1", &[3; 20], "aar")
            // Has more, but not this version, or not as a jar.
            .jar("d.other", "jstl", "1.0", &[4; 20])
            .jar("d.other", "jstl", "1.1", &[5; 20])
            .row("d.other", "jstl", "1.2", &[6; 20], "aar")
            .jar("z.equal", "api", "1", &[7; 20])
            .jar("a.equal", "api", "1", &[8; 20]),
    );
    assert_eq!(
        index.group_of("jstl", "1.2").unwrap().as_deref(),
        Some("c.many")
    );
    assert_eq!(
        index.group_of("api", "1").unwrap().as_deref(),
        Some("a.equal")
    );
    assert_eq!(index.group_of("jstl", "3").unwrap(), None);
}

/// What the reference implementation asks, with an order between equals.
const REFERENCE: &str = "\
    SELECT f.group_id FROM indices i JOIN \
    (SELECT a.id, a.group_id FROM artifacts a JOIN indices v ON v.artifact_id = a.id \
     WHERE a.artifact_id = ?1 AND v.version = ?2 AND v.archive_type = 'jar') f \
    ON f.id = i.artifact_id GROUP BY f.group_id ORDER BY count(*) DESC, f.group_id LIMIT 1";

proptest! {
    #[test]
    fn the_likely_group_is_that_of_the_reference(
        rows in prop::collection::vec((0..4_u8, 0..2_u8, 0..3_u8, any::<bool>()), 1..40),
    ) {
        let mut builder = JavaIndexBuilder::new();
        for (number, (group, artifact, version, is_jar)) in (0_u8..).zip(&rows) {
            let kind = if *is_jar { "jar" } else { "aar" };
            let (group, artifact) = (format!("g{group}"), format!("a{artifact}"));
            builder = builder.row(&group, &artifact, &version.to_string(), &[number; 20], kind);
        }
        let index = index(&builder);
        for (artifact, version) in [("a0", "0"), ("a0", "1"), ("a1", "2")] {
            let group = |row: &Row<'_>| row.get::<_, String>(0);
            let expected = index.query(REFERENCE, [artifact, version], group).unwrap();
            prop_assert_eq!(index.group_of(artifact, version).unwrap(), expected);
        }
    }
}

#[test]
fn nothing_is_written_beside_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let odd = directory.path().join("a?b#c%20d");
    std::fs::create_dir(&odd).unwrap();
    let path = odd.join("trivy-java.db");
    let builder = JavaIndexBuilder::new().jar("g", "a", "1", &[1; 20]);
    builder.write_ahead().write_to(&odd).unwrap();
    let before = std::fs::read(&path).unwrap();
    let index = JavaIndexFile::open(&path).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(index.has_artifact("g", "a").unwrap()));
        }
    });
    let mut names: Vec<_> = std::fs::read_dir(&odd)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["metadata.json", "trivy-java.db"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_index_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trivy-java.db");
    let open = || JavaIndexFile::open(&path).unwrap_err();
    assert!(matches!(open(), JavaIndexError::Missing { .. }));
    std::fs::write(&path, b"no database").unwrap();
    assert!(
        matches!(open(), JavaIndexError::Unusable { .. }),
        "{:?}",
        open()
    );
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(
        open(),
        JavaIndexError::TableMissing {
            table: "artifacts",
            ..
        }
    ));

    JavaIndexBuilder::new().write_to(directory.path()).unwrap();
    assert!(matches!(open(), JavaIndexError::Empty { .. }));

    let builder = (0..200_u8).fold(JavaIndexBuilder::new(), |builder, n| {
        builder.jar("group", &format!("artifact{n}"), "1", &[n; 20])
    });
    builder.write_to(directory.path()).unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..5000]).unwrap();
    assert!(
        matches!(open(), JavaIndexError::Unusable { .. }),
        "{:?}",
        open()
    );
}
