//! Writes tar archives, well-formed and not.

mod header;

pub use header::RawHeader;

const BLOCK_SIZE: usize = 512;

/// Writes an archive block by block. Nothing is checked: what is asked for is written.
#[derive(Clone, Debug, Default)]
pub struct RawTar {
    bytes: Vec<u8>,
}

impl RawTar {
    /// Begins an archive.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a header, the content and its padding. The header's own size counts for the header
    /// alone, so it may lie.
    #[must_use]
    pub fn entry(mut self, header: &RawHeader, content: &[u8]) -> Self {
        self.bytes.extend_from_slice(&header.to_block());
        self.content(content)
    }

    /// Writes bytes and fills up the block.
    #[must_use]
    pub fn content(mut self, content: &[u8]) -> Self {
        self.bytes.extend_from_slice(content);
        self.bytes
            .resize(self.bytes.len().next_multiple_of(BLOCK_SIZE), 0);
        self
    }

    /// Writes bytes as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Writes a regular file with a POSIX header.
    #[must_use]
    pub fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(&RawHeader::file(name, content.len() as u64), content)
    }

    /// Writes a PAX extended header for the entry that follows.
    #[must_use]
    pub fn pax(self, records: &[(&str, &str)]) -> Self {
        self.pax_of_kind(b'x', records)
    }

    /// Writes a PAX global header.
    #[must_use]
    pub fn pax_global(self, records: &[(&str, &str)]) -> Self {
        self.pax_of_kind(b'g', records)
    }

    fn pax_of_kind(self, typeflag: u8, records: &[(&str, &str)]) -> Self {
        let content: Vec<u8> = records
            .iter()
            .flat_map(|(key, value)| pax_record(key, value).into_bytes())
            .collect();
        let header = RawHeader::file("PaxHeaders.0/x", content.len() as u64).typeflag(typeflag);
        self.entry(&header, &content)
    }

    /// Writes a GNU long name for the entry that follows.
    #[must_use]
    pub fn gnu_long_name(self, name: &str) -> Self {
        self.gnu_long(b'L', name)
    }

    /// Writes a GNU long link target for the entry that follows.
    #[must_use]
    pub fn gnu_long_link(self, target: &str) -> Self {
        self.gnu_long(b'K', target)
    }

    fn gnu_long(self, typeflag: u8, text: &str) -> Self {
        let content = [text.as_bytes(), b"\0"].concat();
        let header = RawHeader::file("././@LongLink", content.len() as u64)
            .gnu()
            .typeflag(typeflag);
        self.entry(&header, &content)
    }

    /// Writes the two blocks of zeros and returns the archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 2 * BLOCK_SIZE, 0);
        self.bytes
    }

    /// Returns what was written, without an end.
    pub fn unfinished(self) -> Vec<u8> {
        self.bytes
    }
}

/// Returns `<length> <key>=<value>\n`, where the length counts itself.
pub fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}
