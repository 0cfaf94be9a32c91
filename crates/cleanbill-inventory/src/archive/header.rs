//! The fixed parts of zip headers. All integers are little-endian.

use std::io::{self, Read};

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
pub(super) const END: [u8; 4] = *b"PK\x05\x06";
pub(super) const END_64: [u8; 4] = *b"PK\x06\x06";
pub(super) const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
/// An "archive extra data record", which only encrypted directories have.
pub(super) const EXTRA_DATA: [u8; 4] = *b"PK\x06\x08";
pub(super) const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

pub(super) const END_SIZE_BYTES: usize = 22;
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// Reads integers off a header.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }

    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }
}

/// Is what a header states about an entry, be it the local one or the directory's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EntryRecord {
    pub(super) name: String,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) packed_size_bytes: u64,
    pub(super) size_bytes: u64,
    /// Where the local header is, counted as the directory counts; 0 in a local header.
    pub(super) offset: u64,
}

impl EntryRecord {
    /// Reads a header of the directory, from right after its signature.
    ///
    /// # Errors
    ///
    /// The bytes end too early, or make no sense.
    pub(super) fn read_central(reader: &mut dyn Read) -> io::Result<Self> {
        let mut fixed = [0; 42];
        reader.read_exact(&mut fixed)?;
        let fields = Fields(&fixed);
        let record = Self::parse(&fields, 4, fields.u32(38).map(u64::from));
        let name_size = fields.u16(24).unwrap_or(0);
        let extra_size = fields.u16(26).unwrap_or(0);
        let comment_size = fields.u16(28).unwrap_or(0);
        let record = record.complete(reader, name_size, extra_size)?;
        read_bytes(reader, comment_size)?;
        Ok(record)
    }

    /// Reads a local header, from right after its signature.
    ///
    /// # Errors
    ///
    /// As [`Self::read_central`].
    pub(super) fn read_local(reader: &mut dyn Read) -> io::Result<Self> {
        let mut fixed = [0; 26];
        reader.read_exact(&mut fixed)?;
        let fields = Fields(&fixed);
        let record = Self::parse(&fields, 2, None);
        let name_size = fields.u16(22).unwrap_or(0);
        let extra_size = fields.u16(24).unwrap_or(0);
        record.complete(reader, name_size, extra_size)
    }

    /// Takes the fields that both headers have, from where the flags are.
    fn parse(fields: &Fields<'_>, at: usize, offset: Option<u64>) -> Self {
        let size = |at| fields.u32(at).map_or(0, u64::from);
        Self {
            name: String::new(),
            flags: fields.u16(at).unwrap_or(0),
            method: fields.u16(at + 2).unwrap_or(0),
            crc32: fields.u32(at + 8).unwrap_or(0),
            packed_size_bytes: size(at + 12),
            size_bytes: size(at + 16),
            offset: offset.unwrap_or(0),
        }
    }

    fn complete(
        mut self,
        reader: &mut dyn Read,
        name_size: u16,
        extra_size: u16,
    ) -> io::Result<Self> {
        let name = read_bytes(reader, name_size)?;
        self.name = String::from_utf8_lossy(&name).into_owned();
        let extra = read_bytes(reader, extra_size)?;
        self.widen(&extra)?;
        Ok(self)
    }

    /// Replaces the fields that did not fit by those of the zip64 extra field.
    fn widen(&mut self, mut extra: &[u8]) -> io::Result<()> {
        const ZIP64: u16 = 1;
        const FULL: u64 = u32::MAX as u64;
        let mut missing: Vec<&mut u64> = [
            &mut self.size_bytes,
            &mut self.packed_size_bytes,
            &mut self.offset,
        ]
        .into_iter()
        .filter(|field| **field == FULL)
        .collect();
        while let (Some(id), Some(size)) = (Fields(extra).u16(0), Fields(extra).u16(2)) {
            let Some((field, rest)) = extra
                .get(4..)
                .and_then(|rest| rest.split_at_checked(size.into()))
            else {
                break;
            };
            extra = rest;
            if id != ZIP64 {
                continue;
            }
            for (index, target) in missing.drain(..).enumerate() {
                *target = Fields(field).u64(index * 8).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, "a zip64 field is too short")
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Says that sizes and checksum follow the content.
    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & 8 != 0
    }
}

fn read_bytes(reader: &mut dyn Read, size: u16) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size.into()];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Is what ends an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EndRecord {
    pub(super) entry_count: u64,
    pub(super) directory_size_bytes: u64,
    pub(super) directory_offset: u64,
    pub(super) comment_size_bytes: u16,
}

impl EndRecord {
    /// Reads the plain record, signature included.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let fields = Fields(bytes);
        Some(Self {
            entry_count: fields.u16(10)?.into(),
            directory_size_bytes: fields.u32(12)?.into(),
            directory_offset: fields.u32(16)?.into(),
            comment_size_bytes: fields.u16(20)?,
        })
    }

    /// Says that some field did not fit, so that a zip64 record has it.
    pub(super) fn is_full(&self) -> bool {
        self.entry_count == u64::from(u16::MAX)
            || self.directory_size_bytes == u64::from(u32::MAX)
            || self.directory_offset == u64::from(u32::MAX)
    }

    /// Takes the fields of a zip64 record, signature included.
    pub(super) fn widen(&mut self, bytes: &[u8]) -> Option<()> {
        let fields = Fields(bytes);
        self.entry_count = fields.u64(32)?;
        self.directory_size_bytes = fields.u64(40)?;
        self.directory_offset = fields.u64(48)?;
        Some(())
    }
}
