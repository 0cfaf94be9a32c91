//! One header block of a tar archive.
//!
//! Source: Go's `archive/tar` (`format.go`, `strconv.go`, `Reader.readHeader`), which Docker,
//! containerd and Trivy read layers with; POSIX.1-2001 `pax`; GNU tar manual, "Basic Tar Format".

use super::TarError;

/// Bytes of a block: everything in an archive is padded to it.
pub(crate) const BLOCK_SIZE: usize = 512;

pub(crate) type Block = [u8; BLOCK_SIZE];

/// The kinds of entries, by the byte that the header holds.
pub(crate) mod typeflag {
    pub(crate) const REGULAR: u8 = b'0';
    /// What archives older than POSIX hold for files and directories.
    pub(crate) const REGULAR_OLD: u8 = 0;
    pub(crate) const HARD_LINK: u8 = b'1';
    pub(crate) const SYMLINK: u8 = b'2';
    pub(crate) const CHARACTER_DEVICE: u8 = b'3';
    pub(crate) const DIRECTORY: u8 = b'5';
    pub(crate) const FIFO: u8 = b'6';
    pub(crate) const PAX: u8 = b'x';
    pub(crate) const PAX_GLOBAL: u8 = b'g';
    pub(crate) const GNU_LONG_NAME: u8 = b'L';
    pub(crate) const GNU_LONG_LINK: u8 = b'K';
    pub(crate) const GNU_SPARSE: u8 = b'S';

    /// Says that no content follows the header, whatever size it states: links, devices,
    /// directories, FIFOs.
    pub(crate) const fn is_header_only(typeflag: u8) -> bool {
        matches!(typeflag, HARD_LINK | SYMLINK | CHARACTER_DEVICE..=FIFO)
    }
}

/// Tells the layouts of a header block apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    V7,
    Ustar,
    Gnu,
    Star,
}

/// What one header block says. Buffers are reused from entry to entry.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) typeflag: u8,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    /// May be negative in a malformed archive; whether that matters depends on the kind.
    pub(super) size: i64,
    /// The permission bits.
    pub(super) mode: u32,
}

impl Header {
    /// Reads a block. `offset` is its place in the archive, for errors.
    pub(super) fn read(&mut self, block: &Block, offset: u64) -> Result<Format, TarError> {
        let malformed = |reason: &str| TarError::malformed(offset, reason);
        let format = format_of(block).ok_or_else(|| match offset {
            0 => TarError::NoArchive,
            _ => malformed("the header's checksum is wrong"),
        })?;
        self.typeflag = block[156];
        set(&mut self.name, c_string(&block[..100]));
        set(&mut self.link, c_string(&block[157..257]));
        let mode = numeric(&block[100..108]).unwrap_or(0);
        self.mode = u32::try_from(mode & 0o7777).unwrap_or(0);
        self.size = numeric(&block[124..136])
            .ok_or_else(|| malformed("the header's size is no number of 63 bits"))?;
        // Nothing here uses mode, owner and times; but an archive that Go refuses for them is
        // one that no engine unpacks.
        let mut numbers = [
            &block[100..108],
            &block[108..116],
            &block[116..124],
            &block[136..148],
        ]
        .into_iter()
        .chain(
            if format == Format::V7 {
                [].as_slice()
            } else {
                &[(329, 337), (337, 345)]
            }
            .iter()
            .filter_map(|&(from, to)| block.get(from..to)),
        );
        if !numbers.all(|field| numeric(field).is_some()) {
            return Err(malformed("a number of the header is malformed"));
        }
        let prefix = prefix_of(block, format)
            .ok_or_else(|| malformed("a time of the header is malformed"))?;
        if !prefix.is_empty() {
            self.name.splice(..0, prefix.iter().copied().chain([b'/']));
        }
        Ok(format)
    }
}

fn set(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.clear();
    buffer.extend_from_slice(bytes);
}

/// Checks the checksum and looks at the magic. Sums over signed bytes, as old Sun tars wrote
/// them, count too.
pub(super) fn format_of(block: &Block) -> Option<Format> {
    let stated = octal(&block[148..156])?;
    let (mut unsigned, mut signed) = (0_i64, 0_i64);
    for &byte in block[..148].iter().chain(&[b' '; 8]).chain(&block[156..]) {
        unsigned += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    if stated != unsigned && stated != signed {
        return None;
    }
    Some(match &block[257..265] {
        magic if magic.starts_with(b"ustar\0") && block[508..] == *b"tar\0" => Format::Star,
        magic if magic.starts_with(b"ustar\0") => Format::Ustar,
        b"ustar  \0" => Format::Gnu,
        _ => Format::V7,
    })
}

/// Returns the first part of a long name; `None` if fields that share its place make no sense.
fn prefix_of(block: &Block, format: Format) -> Option<&[u8]> {
    match format {
        Format::V7 => Some(&[]),
        Format::Ustar => Some(c_string(&block[345..500])),
        Format::Star => {
            numeric(&block[476..488])?;
            numeric(&block[488..500])?;
            Some(c_string(&block[345..476]))
        }
        Format::Gnu => Some(gnu_prefix(block)),
    }
}

/// GNU headers have times where others have the prefix. Go before 1.8 wrote the prefix there all
/// the same; Go reads it back where the times make no sense (golang/go#12594, #21005).
fn gnu_prefix(block: &Block) -> &[u8] {
    let is_time = |field: &[u8]| field.first() == Some(&0) || numeric(field).is_some();
    if is_time(&block[345..357]) && is_time(&block[357..369]) {
        return &[];
    }
    let prefix = c_string(&block[345..500]);
    if prefix.is_ascii() { prefix } else { &[] }
}

/// Cuts a field at its first NUL.
pub(super) fn c_string(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Reads a number: two's complement of base 256 if the first bit is set, else octal digits.
/// `None` if it is neither or does not fit.
pub(super) fn numeric(field: &[u8]) -> Option<i64> {
    let Some((&first, rest)) = field.split_first() else {
        return Some(0);
    };
    if first & 0x80 == 0 {
        return octal(field);
    }
    let inversion = if first & 0x40 == 0 { 0 } else { 0xff };
    let mut value = u64::from((first ^ inversion) & 0x7f);
    for &byte in rest {
        if value >> 56 > 0 {
            return None;
        }
        value = value << 8 | u64::from(byte ^ inversion);
    }
    let value = i64::try_from(value).ok()?;
    Some(if inversion == 0 { value } else { !value })
}

/// Reads octal digits between spaces and NULs. Nothing at all is zero. A value of 64 bits wraps
/// into the negative, which the callers refuse.
fn octal(field: &[u8]) -> Option<i64> {
    let is_padding = |byte: &u8| matches!(byte, b' ' | 0);
    let Some(start) = field.iter().position(|byte| !is_padding(byte)) else {
        return Some(0);
    };
    let end = field.iter().rposition(|byte| !is_padding(byte))?;
    let digits = c_string(field.get(start..=end)?);
    let mut value = 0_u64;
    for &digit in digits {
        if !(b'0'..=b'7').contains(&digit) {
            return None;
        }
        value = value.checked_mul(8)? | u64::from(digit - b'0');
    }
    Some(value.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (field, expected) in [
            (b"0000644\0".as_slice(), Some(0o644)),
            (b"  755 \0\0", Some(0o755)),
            (b"\0\0 12\0", Some(0o12)),
            (b"12\x0034", Some(0o12)),
            (b"", Some(0)),
            (b"\0\0\0", Some(0)),
            (b"8", None),
            (b"+7", None),
            (b"1 2", None),
            (b"-1", None),
            (b"777777777777", Some(0o777_777_777_777)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\x02", Some(258)),
            (
                b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
                Some(i64::MAX),
            ),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
            (
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                Some(-1),
            ),
            (b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", Some(i64::MIN)),
            (b"2000000000000000000000", None),
            (b"1000000000000000000000", Some(i64::MIN)),
        ] {
            assert_eq!(numeric(field), expected, "{field:?}");
        }
    }
}
