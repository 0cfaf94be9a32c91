//! The records of a PAX extended header.
//!
//! Source: POSIX.1-2001 `pax`, "pax Extended Header"; Go's `archive/tar` (`parsePAX`,
//! `parsePAXRecord`, `mergePAX`).

/// Holds the records that matter to the entry that follows. Each is `None` unless it is stated
/// with a value: an empty value keeps what the header block says.
#[derive(Debug, Default)]
pub(super) struct PaxRecords {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<i64>,
    /// One of the numbers is none. That matters only if the records are applied to an entry.
    pub(super) has_bad_number: bool,
    pub(super) sparse: SparseRecords,
}

/// Holds the records of GNU's sparse formats 0.0, 0.1 and 1.0, as texts.
#[derive(Debug, Default)]
pub(super) struct SparseRecords {
    pub(super) major: Vec<u8>,
    pub(super) minor: Vec<u8>,
    pub(super) name: Vec<u8>,
    pub(super) size: Vec<u8>,
    pub(super) real_size: Vec<u8>,
    pub(super) block_count: Vec<u8>,
    pub(super) map: Vec<u8>,
}

impl PaxRecords {
    /// Reads the content of an extended header; `None` if it is malformed. A record that occurs
    /// twice counts as it was stated last.
    pub(super) fn parse(mut content: &[u8]) -> Option<Self> {
        let mut raw = RawRecords::default();
        while !content.is_empty() {
            let (key, value, rest) = split_record(content)?;
            raw.take(key, value)?;
            content = rest;
        }
        Some(raw.finish())
    }
}

/// The values as texts, checked once it is known which of several counts.
#[derive(Default)]
struct RawRecords<'a> {
    path: &'a [u8],
    link: &'a [u8],
    size: &'a [u8],
    owner: [&'a [u8]; 2],
    times: [&'a [u8]; 3],
    sparse: SparseRecords,
    /// The offsets and lengths of format 0.0, which states each in a record of its own.
    sparse_parts: Vec<&'a [u8]>,
}

impl<'a> RawRecords<'a> {
    fn take(&mut self, key: &'a [u8], value: &'a [u8]) -> Option<()> {
        let sparse = &mut self.sparse;
        match key {
            b"path" => self.path = value,
            b"linkpath" => self.link = value,
            b"size" => self.size = value,
            b"uid" => self.owner[0] = value,
            b"gid" => self.owner[1] = value,
            b"atime" => self.times[0] = value,
            b"mtime" => self.times[1] = value,
            b"ctime" => self.times[2] = value,
            b"GNU.sparse.major" => sparse.major = value.to_vec(),
            b"GNU.sparse.minor" => sparse.minor = value.to_vec(),
            b"GNU.sparse.name" => sparse.name = value.to_vec(),
            b"GNU.sparse.size" => sparse.size = value.to_vec(),
            b"GNU.sparse.realsize" => sparse.real_size = value.to_vec(),
            b"GNU.sparse.numblocks" => sparse.block_count = value.to_vec(),
            b"GNU.sparse.map" => sparse.map = value.to_vec(),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                let is_offset_due = self.sparse_parts.len().is_multiple_of(2);
                if (key == b"GNU.sparse.offset") != is_offset_due || value.contains(&b',') {
                    return None;
                }
                self.sparse_parts.push(value);
            }
            _ => {}
        }
        Some(())
    }

    fn finish(mut self) -> PaxRecords {
        let is_number = |text: &&[u8]| text.is_empty() || decimal(text).is_some();
        let is_time = |text: &&[u8]| text.is_empty() || is_time(text);
        let numbers = [self.size, self.owner[0], self.owner[1]];
        let has_bad_number = !numbers.iter().all(is_number) || !self.times.iter().all(is_time);
        if !self.sparse_parts.is_empty() {
            self.sparse.map = self.sparse_parts.join(&b',');
        }
        let stated = |text: &[u8]| (!text.is_empty()).then(|| text.to_vec());
        PaxRecords {
            path: stated(self.path),
            link: stated(self.link),
            size: decimal(self.size),
            has_bad_number,
            sparse: self.sparse,
        }
    }
}

/// Splits `<length> <key>=<value>\n` off the front.
fn split_record(content: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = content.iter().position(|&byte| byte == b' ')?;
    let length = usize::try_from(decimal(content.get(..space)?)?).ok()?;
    if length < 5 {
        return None;
    }
    let (record, rest) = content.split_at_checked(length)?;
    let (&newline, record) = record.get(space + 1..)?.split_last()?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    let (key, value) = (record.get(..equals)?, record.get(equals + 1..)?);
    let text_with_nul = match key {
        b"path" | b"linkpath" | b"uname" | b"gname" => value,
        _ => key,
    };
    let is_valid = newline == b'\n' && !key.is_empty() && !text_with_nul.contains(&0);
    is_valid.then_some((key, value, rest))
}

/// Reads a decimal number with an optional sign, as Go's `strconv.ParseInt` does.
pub(super) fn decimal(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Says whether a text is seconds with an optional fraction, as Go has it.
fn is_time(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |&byte| byte == b'.');
    let seconds = parts.next().unwrap_or_default();
    let fraction = parts.next().unwrap_or_default();
    decimal(seconds).is_some() && fraction.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content: &[u8], path: Option<&[u8]>) {
        let records = PaxRecords::parse(content).expect("valid");
        assert_eq!(records.path.as_deref(), path);
    }

    #[test]
    fn records_are_read() {
        check(b"", None);
        check(b"8 path=\n", None);
        check(b"9 path=a\n", Some(b"a"));
        check(b"9 path=a\n9 path=b\n", Some(b"b"));
        check(b"9 path=a\n8 path=\n", None);
        check(b"12 path=a=\n\n", Some(b"a=\n"));
        check(b"6 k=\0\n9 path=a\n", Some(b"a"));
        check(b"17 mtime=-1.2345\n", None);
    }

    #[test]
    fn malformed_records_are_refused() {
        for content in [
            b"9 path=a".as_slice(),
            b"11 path=a\n",
            b"8 path=a\n",
            b"x path=a\n",
            b" path=a\n",
            b"5 path\n",
            b"4 =\n",
            b"5 =a\n",
            b"9 path=\0\n",
            b"6 \0=a\n",
            b"-9 path=a\n",
            b"99999999999999999999 path=a\n",
            b"25 GNU.sparse.numbytes=1\n",
            b"23 GNU.sparse.offset=1\n23 GNU.sparse.offset=1\n",
        ] {
            let text = String::from_utf8_lossy(content);
            assert!(PaxRecords::parse(content).is_none(), "{text}");
        }
    }

    #[test]
    fn bad_numbers_are_remembered() {
        for content in [
            b"9 size=x\n".as_slice(),
            b"29 size=99999999999999999999\n",
            b"8 uid=x\n",
            b"11 mtime=x\n",
            b"13 mtime=1.x\n",
        ] {
            let content = [content, b"9 path=a\n"].concat();
            let text = String::from_utf8_lossy(&content).into_owned();
            assert!(
                PaxRecords::parse(&content).unwrap().has_bad_number,
                "{text}"
            );
        }
    }
}
