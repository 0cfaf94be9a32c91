//! What tells the advisory database and the Java index apart. Source: spec 01 section 1.1.

use std::path::Path;

use cleanbill_advisories::{DATABASE_FILE, Database};
use cleanbill_store::JavaIndexFile;

use super::AdvisoryStoreError;

/// Describes a database that is published as an artifact: an archive of one file and its metadata.
#[derive(Debug)]
pub struct DatabaseKind {
    /// What messages call it.
    pub name: &'static str,
    /// Its file.
    pub file: &'static str,
    /// The media type of the artifact's only layer.
    pub media_type: &'static str,
    /// The tag that a repository without one means: the version of the schema.
    pub tag: &'static str,
    /// The repositories of the public one, tried in order.
    pub default_repositories: [&'static str; 2],
    /// Opens the one in a directory.
    pub(super) check: fn(&Path) -> Result<(), AdvisoryStoreError>,
}

/// The advisory database.
pub static ADVISORIES: DatabaseKind = DatabaseKind {
    name: "advisory database",
    file: DATABASE_FILE,
    media_type: "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip",
    tag: "2",
    default_repositories: [
        "mirror.gcr.io/aquasec/trivy-db:2",
        "ghcr.io/aquasecurity/trivy-db:2",
    ],
    check: check_advisories,
};

/// The index of published Java archives.
pub static JAVA_INDEX: DatabaseKind = DatabaseKind {
    name: "Java index",
    file: "trivy-java.db",
    media_type: "application/vnd.aquasec.trivy.javadb.layer.v1.tar+gzip",
    tag: "1",
    default_repositories: [
        "mirror.gcr.io/aquasec/trivy-java-db:1",
        "ghcr.io/aquasecurity/trivy-java-db:1",
    ],
    check: check_java_index,
};

fn check_advisories(directory: &Path) -> Result<(), AdvisoryStoreError> {
    let statistics = Database::open(directory)?.statistics()?;
    if statistics.os_bucket_count + statistics.ecosystem_bucket_count == 0 {
        return Err(AdvisoryStoreError::Empty);
    }
    Ok(())
}

fn check_java_index(directory: &Path) -> Result<(), AdvisoryStoreError> {
    JavaIndexFile::open(&directory.join(JAVA_INDEX.file))?;
    Ok(())
}
