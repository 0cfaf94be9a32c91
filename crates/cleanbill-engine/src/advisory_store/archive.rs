//! The archive that the database travels in: a gzip-compressed tar with two members.

use std::fs::File;
use std::io::{self, Read, Write};

use cleanbill_advisories::{DATABASE_FILE, METADATA_FILE, Metadata};
use cleanbill_core::Limits;
use cleanbill_core::layer::{EntryBody, EntryHeader, EntryKind, EntryVisitor, LayerReader as _};
use cleanbill_image::ReadContext;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::AdvisoryStoreError;

/// Bytes of a metadata file; it has four members.
const METADATA_SIZE_BYTES_MAX: u64 = 64 * 1024;

/// Streams an archive, writes the database into `database` and returns the metadata file.
pub(super) fn unpack(
    archive: &mut (dyn Read + Send),
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
        database,
        has_database: false,
        metadata: None,
    };
    cleanbill_image::stream_tar(archive, "the archive of the advisory database", &context)
        .walk(&mut members)
        .map_err(AdvisoryStoreError::Archive)?;
    if !members.has_database {
        return Err(AdvisoryStoreError::MemberMissing(DATABASE_FILE));
    }
    members
        .metadata
        .ok_or(AdvisoryStoreError::MemberMissing(METADATA_FILE))
}

struct Members<'a> {
    database: &'a mut File,
    has_database: bool,
    metadata: Option<Vec<u8>>,
}

impl EntryVisitor for Members<'_> {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        if entry.kind != EntryKind::File {
            return Ok(());
        }
        if entry.path == DATABASE_FILE {
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
        add(DATABASE_FILE, database.metadata()?.len(), database)?;
        let json = metadata.to_json();
        add(METADATA_FILE, json.len() as u64, &mut json.as_bytes())?;
        archive.into_inner()?.finish()?;
        Ok(())
    };
    write().map_err(AdvisoryStoreError::Write)
}
