//! Builds advisory databases with just the records that a test needs.

use std::fmt::Display;
use std::io::{self, Read as _};
use std::path::Path;

use cleanbill_core::vulnerability::DataSource;

use crate::boltdb::{BoltBucket, BoltWriter};

/// Builds an advisory database: `trivy.db` and `metadata.json`.
///
/// JSON is given as text or as a `serde_json::Value` and not looked at, so that broken values can be
/// stored too.
///
/// ```text
/// AdvisoryDatabaseBuilder::new()
///     .advisory("debian 12", "openssl", "CVE-2026-0001", r#"{"FixedVersion":"3.0.1-1"}"#)
///     .vulnerability("CVE-2026-0001", json!({"Title": "openssl: a flaw"}))
///     .write_to(directory)
/// ```
#[derive(Clone, Debug)]
pub struct AdvisoryDatabaseBuilder {
    root: BoltBucket,
    metadata: String,
    writer: BoltWriter,
}

impl Default for AdvisoryDatabaseBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl AdvisoryDatabaseBuilder {
    /// Starts with an empty database of schema version 2, built on 21 November 2026 and good for a
    /// day.
    pub fn new() -> Self {
        Self {
            root: BoltBucket::default(),
            metadata: concat!(
                r#"{"Version":2,"NextUpdate":"2026-11-22T06:00:00Z","#,
                r#""UpdatedAt":"2026-11-21T06:00:00Z","DownloadedAt":"2026-11-21T09:00:00Z"}"#,
                "\n"
            )
            .to_owned(),
            writer: BoltWriter::default(),
        }
    }

    /// Names the source of a top-level bucket.
    #[must_use]
    pub fn data_source(self, bucket: &str, source: &DataSource) -> Self {
        let json = serde_json::to_string(source).expect("strings serialise");
        self.put(&["data-source"], bucket, json)
    }

    /// Adds an advisory for a package; in the Red Hat bucket `id` may be that of an erratum.
    #[must_use]
    pub fn advisory(self, bucket: &str, package: &str, id: &str, json: impl Display) -> Self {
        self.put(&[bucket, package], id, json)
    }

    /// Adds the record of a vulnerability.
    #[must_use]
    pub fn vulnerability(self, id: &str, json: impl Display) -> Self {
        self.put(&["vulnerability"], id, json)
    }

    /// Says which CPEs a Red Hat repository stands for.
    #[must_use]
    pub fn repository_cpes(self, repository: &str, indices: &[i64]) -> Self {
        self.put(
            &["Red Hat CPE", "repository"],
            repository,
            format!("{indices:?}"),
        )
    }

    /// Says which CPEs a Red Hat image stands for.
    #[must_use]
    pub fn nvr_cpes(self, nvr: &str, indices: &[i64]) -> Self {
        self.put(&["Red Hat CPE", "nvr"], nvr, format!("{indices:?}"))
    }

    /// Makes an empty top-level bucket.
    #[must_use]
    pub fn bucket(mut self, name: &str) -> Self {
        self.root.bucket(name);
        self
    }

    /// Sets any value in a nest of buckets.
    #[must_use]
    pub fn put(mut self, buckets: &[&str], key: &str, value: impl Display) -> Self {
        let bucket = buckets
            .iter()
            .fold(&mut self.root, |bucket, name| bucket.bucket(*name));
        bucket.put(key, value.to_string());
        self
    }

    /// Sets the content of `metadata.json`.
    #[must_use]
    pub fn metadata(mut self, json: impl Display) -> Self {
        self.metadata = json.to_string();
        self
    }

    /// Sets how the database file is written.
    #[must_use]
    pub fn writer(mut self, writer: BoltWriter) -> Self {
        self.writer = writer;
        self
    }

    /// Returns the bytes of `trivy.db`.
    pub fn database(&self) -> Vec<u8> {
        self.writer.write(&self.root)
    }

    /// Returns the bytes of `metadata.json`.
    pub fn metadata_json(&self) -> &[u8] {
        self.metadata.as_bytes()
    }

    /// Writes both files into an existing directory.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn write_to(&self, directory: &Path) -> io::Result<()> {
        std::fs::write(directory.join("trivy.db"), self.database())?;
        std::fs::write(directory.join("metadata.json"), self.metadata_json())
    }

    /// Returns both files as a gzip-compressed tar archive, as registries offer it.
    pub fn archive(&self) -> Vec<u8> {
        let compression = flate2::Compression::fast();
        let encoder = flate2::write::GzEncoder::new(Vec::new(), compression);
        let mut archive = tar::Builder::new(encoder);
        append_file(&mut archive, "trivy.db", &self.database());
        append_file(&mut archive, "metadata.json", self.metadata_json());
        let encoder = archive.into_inner().expect("memory takes every byte");
        encoder.finish().expect("memory takes every byte")
    }
}

fn append_file(archive: &mut tar::Builder<impl io::Write>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    archive
        .append_data(&mut header, name, bytes)
        .expect("memory takes every byte");
}

/// Returns the bytes of one member of a gzip-compressed tar archive.
///
/// # Panics
///
/// The archive is damaged or lacks the member.
#[track_caller]
pub fn archive_member(archive: &[u8], path: &str) -> Vec<u8> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for member in archive.entries().expect("a tar archive") {
        let mut member = member.expect("a whole tar archive");
        if member.path().is_ok_and(|found| found == Path::new(path)) {
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).expect("a whole member");
            return bytes;
        }
    }
    panic!("the archive has no {path}");
}
