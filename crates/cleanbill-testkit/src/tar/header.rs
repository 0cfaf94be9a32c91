//! One header block.

use super::BLOCK_SIZE;

/// Describes a header block field by field. The fields are bytes, so that they can hold what no
/// writer would write.
#[derive(Clone, Debug)]
pub struct RawHeader {
    name: Vec<u8>,
    link: Vec<u8>,
    mode: Vec<u8>,
    size: Vec<u8>,
    mtime: Vec<u8>,
    typeflag: u8,
    magic: [u8; 8],
    patches: Vec<(usize, Vec<u8>)>,
    checksum: Checksum,
}

#[derive(Clone, Copy, Debug)]
enum Checksum {
    Unsigned,
    Signed,
    Wrong,
}

impl RawHeader {
    /// Describes a regular file with a POSIX header.
    pub fn file(name: &str, size: u64) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            link: Vec::new(),
            mode: b"0000644".to_vec(),
            size: octal(size),
            mtime: octal(0),
            typeflag: b'0',
            magic: *b"ustar\x0000",
            patches: Vec::new(),
            checksum: Checksum::Unsigned,
        }
    }

    /// Sets the kind.
    #[must_use]
    pub fn typeflag(mut self, typeflag: u8) -> Self {
        self.typeflag = typeflag;
        self
    }

    /// Sets the name to any bytes.
    #[must_use]
    pub fn name(mut self, name: &[u8]) -> Self {
        self.name = name.to_vec();
        self
    }

    /// Sets the target of a link.
    #[must_use]
    pub fn link(mut self, target: &str) -> Self {
        self.link = target.as_bytes().to_vec();
        self
    }

    /// Makes the header one of GNU's.
    #[must_use]
    pub fn gnu(mut self) -> Self {
        self.magic = *b"ustar  \0";
        self
    }

    /// Makes the header one of the seventh Unix.
    #[must_use]
    pub fn v7(mut self) -> Self {
        self.magic = [0; 8];
        self
    }

    /// Sets the first part of a long name, for POSIX headers.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        self.patch(345, prefix.as_bytes())
    }

    /// Sets the twelve bytes of the size.
    #[must_use]
    pub fn size_field(mut self, field: &[u8]) -> Self {
        self.size = field.to_vec();
        self
    }

    /// States the size in base 256.
    #[must_use]
    pub fn size_base256(self, size: u64) -> Self {
        let mut field = [0; 12];
        field[4..].copy_from_slice(&size.to_be_bytes());
        field[0] = 0x80;
        self.size_field(&field)
    }

    /// Writes bytes over any place of the block, before the checksum is computed.
    #[must_use]
    pub fn patch(mut self, offset: usize, bytes: &[u8]) -> Self {
        self.patches.push((offset, bytes.to_vec()));
        self
    }

    /// States the checksum over signed bytes.
    #[must_use]
    pub fn signed_checksum(mut self) -> Self {
        self.checksum = Checksum::Signed;
        self
    }

    /// States a wrong checksum.
    #[must_use]
    pub fn wrong_checksum(mut self) -> Self {
        self.checksum = Checksum::Wrong;
        self
    }

    /// Returns the block.
    pub fn to_block(&self) -> [u8; BLOCK_SIZE] {
        let mut block = [0; BLOCK_SIZE];
        let mut put = |offset: usize, length: usize, bytes: &[u8]| {
            let length = bytes.len().min(length);
            block[offset..offset + length].copy_from_slice(&bytes[..length]);
        };
        put(0, 100, &self.name);
        put(100, 8, &self.mode);
        put(108, 8, b"0000000");
        put(116, 8, b"0000000");
        put(124, 12, &self.size);
        put(136, 12, &self.mtime);
        put(148, 8, b"        ");
        put(156, 1, &[self.typeflag]);
        put(157, 100, &self.link);
        put(257, 8, &self.magic);
        for (offset, bytes) in &self.patches {
            put(*offset, BLOCK_SIZE - offset, bytes);
        }
        let unsigned: i64 = block.iter().map(|&byte| i64::from(byte)).sum();
        let signed: i64 = block
            .iter()
            .map(|&byte| i64::from(byte.cast_signed()))
            .sum();
        let checksum = match self.checksum {
            Checksum::Unsigned => unsigned,
            Checksum::Signed => signed,
            Checksum::Wrong => unsigned + 1,
        };
        block[148..156].copy_from_slice(format!("{checksum:06o}\0 ").as_bytes());
        block
    }
}

fn octal(value: u64) -> Vec<u8> {
    format!("{value:011o}").into_bytes()
}
