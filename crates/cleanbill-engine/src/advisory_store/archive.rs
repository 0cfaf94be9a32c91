//! The archive that the database travels in: a gzip-compressed tar with two members.

use std::fs::File;
use std::io::{self, Read, Write};

use cleanbill_advisories::{METADATA_FILE, Metadata};
use cleanbill_core::Limits;
use cleanbill_core::layer::{EntryBody, EntryHeader, EntryKind, EntryVisitor, LayerReader as _};
use cleanbill_image::ReadContext;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{ADVISORIES, AdvisoryStoreError, DatabaseKind, JAVA_INDEX};

/// Bytes of a metadata file; it has four members.
const METADATA_SIZE_BYTES_MAX: u64 = 64 * 1024;

/// Streams an archive, writes the database into `database` and returns the metadata file.
pub(super) fn unpack(
    archive: &mut (dyn Read + Send),
    kind: &'static DatabaseKind,
    limits: &Limits,
    database: &mut File,
) -> Result<Vec<u8>, AdvisoryStoreError> {
    let limits = Limits {
        layer_size_bytes_max: limits.database_size_bytes_max,
        ..limits.clone()
    };
    let context = ReadContext {
        limits: limits.into(),
        ..ReadContext::default()
    };
    let mut members = Members {
        kind,
        database,
        has_database: false,
        metadata: None,
    };
    let name = format!("the archive of the {}", kind.name);
    cleanbill_image::stream_tar(archive, &name, &context)
        .walk(&mut members)
        .map_err(AdvisoryStoreError::Archive)?;
    if !members.has_database {
        return Err(AdvisoryStoreError::MemberMissing(kind.file));
    }
    members
        .metadata
        .ok_or(AdvisoryStoreError::MemberMissing(METADATA_FILE))
}

/// Says which database an archive holds, by the first member that tells; `None` if none does, or
/// if it cannot be read so far.
pub fn archive_kind(
    archive: &mut (dyn Read + Send),
    limits: &Limits,
) -> Option<&'static DatabaseKind> {
    let context = ReadContext {
        limits: limits.clone().into(),
        ..ReadContext::default()
    };
    let mut seeker = Seeker(None);
    // The search ends with an error where it has found something.
    let _ = cleanbill_image::stream_tar(archive, "the archive", &context).walk(&mut seeker);
    seeker.0
}

struct Seeker(Option<&'static DatabaseKind>);

impl EntryVisitor for Seeker {
    fn visit(&mut self, entry: &EntryHeader<'_>, _: &mut dyn EntryBody) -> io::Result<()> {
        self.0 = [&ADVISORIES, &JAVA_INDEX]
            .into_iter()
            .find(|kind| kind.file == entry.path);
        if self.0.is_some() {
            return Err(io::Error::other("found"));
        }
        Ok(())
    }
}

struct Members<'a> {
    kind: &'static DatabaseKind,
    database: &'a mut File,
    has_database: bool,
    metadata: Option<Vec<u8>>,
}

impl EntryVisitor for Members<'_> {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        if entry.kind != EntryKind::File {
            return Ok(());
        }
        if entry.path == self.kind.file {
            io::copy(body, self.database)?;
            self.has_database = true;
        } else if entry.path == METADATA_FILE {
            let mut bytes = Vec::new();
            body.take(METADATA_SIZE_BYTES_MAX).read_to_end(&mut bytes)?;
            self.metadata = Some(bytes);
        }
        Ok(())
    }
}

/// Writes the archive. The metadata is written as published: nobody has fetched it yet.
pub(super) fn pack(
    metadata: &Metadata,
    kind: &'static DatabaseKind,
    database: &mut File,
    out: &mut dyn Write,
) -> Result<(), AdvisoryStoreError> {
    let metadata = Metadata {
        downloaded_at: Metadata::ZERO_TIME,
        ..metadata.clone()
    };
    let write = || -> io::Result<()> {
        let mut archive = tar::Builder::new(GzEncoder::new(out, Compression::new(6)));
        let mut add = |name: &str, size: u64, body: &mut dyn Read| {
            let mut header = tar::Header::new_ustar();
            header.set_size(size);
            header.set_mode(0o644);
            header.set_mtime(u64::try_from(metadata.updated_at.as_second()).unwrap_or(0));
            header.set_entry_type(tar::EntryType::Regular);
            archive.append_data(&mut header, name, body)
        };
        add(kind.file, database.metadata()?.len(), database)?;
        let json = metadata.to_json();
        add(METADATA_FILE, json.len() as u64, &mut json.as_bytes())?;
        archive.into_inner()?.finish()?;
        Ok(())
    };
    write().map_err(AdvisoryStoreError::Write)
}
