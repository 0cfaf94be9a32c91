//! Builds zip archives byte by byte: right ones in every form that writers have, and wrong ones.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// Builds a zip archive. The same calls give the same bytes.
#[derive(Clone, Debug, Default)]
pub struct ZipBuilder {
    prefix: Vec<u8>,
    entries: Vec<ZipEntry>,
    comment: Vec<u8>,
    is_wide: bool,
    counts_prefix: bool,
}

/// Says how an entry's sizes are stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sizes {
    /// Before the content.
    #[default]
    Before,
    /// After it, with a signature.
    After,
    /// After it, without a signature.
    AfterUnsigned,
    /// Before it, in a zip64 field.
    Wide,
    /// After it, in eight bytes each.
    AfterWide,
}

/// Is one entry.
#[derive(Clone, Debug)]
pub struct ZipEntry {
    name: String,
    content: Vec<u8>,
    is_stored: bool,
    sizes: Sizes,
    is_listed: bool,
    is_encrypted: bool,
    stated_crc32: Option<u32>,
    stated_size: Option<u32>,
}

impl ZipEntry {
    /// Makes a deflated entry.
    pub fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.to_owned(),
            content: content.as_ref().to_vec(),
            is_stored: false,
            sizes: Sizes::Before,
            is_listed: true,
            is_encrypted: false,
            stated_crc32: None,
            stated_size: None,
        }
    }

    /// Stores the content as it is.
    #[must_use]
    pub fn stored(mut self) -> Self {
        self.is_stored = true;
        self
    }

    /// States the sizes in another way.
    #[must_use]
    pub fn sizes(mut self, sizes: Sizes) -> Self {
        self.sizes = sizes;
        self
    }

    /// Leaves the entry out of the directory.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.is_listed = false;
        self
    }

    /// Claims that the content is encrypted.
    #[must_use]
    pub fn encrypted(mut self) -> Self {
        self.is_encrypted = true;
        self
    }

    /// States a wrong checksum everywhere.
    #[must_use]
    pub fn crc32(mut self, crc32: u32) -> Self {
        self.stated_crc32 = Some(crc32);
        self
    }

    /// States a wrong size in the directory.
    #[must_use]
    pub fn listed_size(mut self, size: u32) -> Self {
        self.stated_size = Some(size);
        self
    }

    fn packed(&self) -> Vec<u8> {
        if self.is_stored {
            return self.content.clone();
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
        encoder
            .write_all(&self.content)
            .and_then(|()| encoder.finish())
            .expect("memory can be written")
    }

    fn checksum(&self) -> u32 {
        self.stated_crc32.unwrap_or_else(|| {
            let mut crc = Crc::new();
            crc.update(&self.content);
            crc.sum()
        })
    }
}

impl ZipBuilder {
    /// Begins an empty archive.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a deflated entry.
    #[must_use]
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(ZipEntry::new(name, content))
    }

    /// Adds a stored entry.
    #[must_use]
    pub fn stored(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(ZipEntry::new(name, content).stored())
    }

    /// Adds an entry.
    #[must_use]
    pub fn entry(mut self, entry: ZipEntry) -> Self {
        self.entries.push(entry);
        self
    }

    /// Puts something before the archive; offsets count from behind it.
    #[must_use]
    pub fn prefix(mut self, prefix: impl AsRef<[u8]>) -> Self {
        self.prefix = prefix.as_ref().to_vec();
        self
    }

    /// Lets offsets count from the beginning of the file, prefix included.
    #[must_use]
    pub fn counting_prefix(mut self) -> Self {
        self.counts_prefix = true;
        self
    }

    /// Ends the archive with a comment.
    #[must_use]
    pub fn comment(mut self, comment: impl AsRef<[u8]>) -> Self {
        self.comment = comment.as_ref().to_vec();
        self
    }

    /// Ends the archive with zip64 records.
    #[must_use]
    pub fn wide(mut self) -> Self {
        self.is_wide = true;
        self
    }

    /// Writes the archive.
    pub fn build(&self) -> Vec<u8> {
        let mut out = self.prefix.clone();
        let base = if self.counts_prefix {
            0
        } else {
            out.len() as u64
        };
        let mut directory = Vec::new();
        let mut count = 0;
        for entry in &self.entries {
            let offset = out.len() as u64 - base;
            let packed = entry.packed();
            write_local(&mut out, entry, &packed);
            if entry.is_listed {
                count += 1;
                write_central(&mut directory, entry, packed.len() as u64, offset);
            }
        }
        let start = out.len() as u64;
        let (offset, size) = (start - base, directory.len() as u64);
        out.extend(directory);
        if self.is_wide {
            let at = out.len() as u64;
            out.extend(b"PK\x06\x06");
            put64(&mut out, 44);
            put16(&mut out, 45);
            put16(&mut out, 45);
            put32(&mut out, 0);
            put32(&mut out, 0);
            for value in [count, count, size, offset] {
                put64(&mut out, value);
            }
            out.extend(b"PK\x06\x07");
            put32(&mut out, 0);
            put64(&mut out, at);
            put32(&mut out, 1);
        }
        out.extend(b"PK\x05\x06");
        put32(&mut out, 0);
        let count = if self.is_wide { 0xffff } else { count as u16 };
        put16(&mut out, count);
        put16(&mut out, count);
        put32(&mut out, if self.is_wide { u32::MAX } else { size as u32 });
        put32(
            &mut out,
            if self.is_wide {
                u32::MAX
            } else {
                offset as u32
            },
        );
        put16(&mut out, self.comment.len() as u16);
        out.extend(&self.comment);
        out
    }
}

fn flags(entry: &ZipEntry) -> u16 {
    let is_after = !matches!(entry.sizes, Sizes::Before | Sizes::Wide);
    u16::from(entry.is_encrypted) | u16::from(is_after) << 3
}

fn write_local(out: &mut Vec<u8>, entry: &ZipEntry, packed: &[u8]) {
    out.extend(b"PK\x03\x04");
    put16(out, 20);
    put16(out, flags(entry));
    put16(out, if entry.is_stored { 0 } else { 8 });
    put32(out, 0);
    let (packed_size, size) = (packed.len() as u64, entry.content.len() as u64);
    let mut extra = Vec::new();
    match entry.sizes {
        Sizes::Before => {
            put32(out, entry.checksum());
            put32(out, packed_size as u32);
            put32(out, size as u32);
        }
        Sizes::Wide => {
            put32(out, entry.checksum());
            put32(out, u32::MAX);
            put32(out, u32::MAX);
            put16(&mut extra, 1);
            put16(&mut extra, 16);
            put64(&mut extra, size);
            put64(&mut extra, packed_size);
        }
        Sizes::After | Sizes::AfterUnsigned | Sizes::AfterWide => {
            put32(out, 0);
            put32(out, 0);
            put32(out, 0);
        }
    }
    put16(out, entry.name.len() as u16);
    put16(out, extra.len() as u16);
    out.extend(entry.name.as_bytes());
    out.extend(extra);
    out.extend(packed);
    write_descriptor(out, entry, packed_size, size);
}

fn write_descriptor(out: &mut Vec<u8>, entry: &ZipEntry, packed_size: u64, size: u64) {
    if matches!(entry.sizes, Sizes::Before | Sizes::Wide) {
        return;
    }
    if entry.sizes != Sizes::AfterUnsigned {
        out.extend(b"PK\x07\x08");
    }
    put32(out, entry.checksum());
    if entry.sizes == Sizes::AfterWide {
        put64(out, packed_size);
        put64(out, size);
    } else {
        put32(out, packed_size as u32);
        put32(out, size as u32);
    }
}

fn write_central(out: &mut Vec<u8>, entry: &ZipEntry, packed_size: u64, offset: u64) {
    let size = entry
        .stated_size
        .map_or(entry.content.len() as u64, u64::from);
    let is_wide = matches!(entry.sizes, Sizes::Wide | Sizes::AfterWide);
    let mut extra = Vec::new();
    if is_wide {
        // A field of another kind stands before it.
        put16(&mut extra, 0xcafe);
        put16(&mut extra, 0);
        put16(&mut extra, 1);
        put16(&mut extra, 24);
        for value in [size, packed_size, offset] {
            put64(&mut extra, value);
        }
    }
    let narrow = |value: u64| if is_wide { u32::MAX } else { value as u32 };
    out.extend(b"PK\x01\x02");
    put16(out, 20);
    put16(out, 20);
    put16(out, flags(entry));
    put16(out, if entry.is_stored { 0 } else { 8 });
    put32(out, 0);
    put32(out, entry.checksum());
    put32(out, narrow(packed_size));
    put32(out, narrow(size));
    put16(out, entry.name.len() as u16);
    put16(out, extra.len() as u16);
    put16(out, 0);
    put16(out, 0);
    put16(out, 0);
    put32(out, 0);
    put32(out, narrow(offset));
    out.extend(entry.name.as_bytes());
    out.extend(extra);
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend(value.to_le_bytes());
}
