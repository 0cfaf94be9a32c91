//! Headers: how rpm stores one package, whatever the database around it.
//!
//! A header is an index of 16-byte entries (tag, type, offset, count, all big-endian) and a data
//! area. The entries that the package was signed with form a region; what the installation added
//! follows as "dribble" entries and overrides equal tags.
//!
//! Source: rpm 4.14 `lib/header.c` (`hdrblobInit`, `hdrblobImport`, `regionSwab`) and spec 02
//! section 2.3. As rpm does, a header is refused as a whole if its parts do not add up exactly.

mod blob;

use blob::Blob;

/// Says why a header makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::extractors::os) enum HeaderError {
    /// The bytes end before the data that the header announces.
    #[error("{length} bytes hold no header of {entries} entries and {data_length} bytes of data")]
    Truncated {
        length: usize,
        entries: u32,
        data_length: u32,
    },
    /// The region of signed entries is inconsistent.
    #[error("the region is malformed: {0}")]
    Region(&'static str),
    /// An index entry is inconsistent.
    #[error("entry {index} (tag {tag}) is malformed: {reason}")]
    Entry {
        index: usize,
        tag: u32,
        reason: &'static str,
    },
    /// The entries do not fill the data area.
    #[error("the entries take {actual} bytes, the header states {expected}")]
    Length { actual: u64, expected: u64 },
    /// A tag has a type that it cannot have.
    #[error("tag {tag} has type {kind}")]
    Type { tag: u32, kind: u32 },
    /// The lists of files do not fit together.
    #[error("the file list is inconsistent")]
    Files,
    /// What the headers say takes more memory than is reasonable.
    #[error("file and dependency lists of more than {max} bytes (rpm_database_size_bytes_max)")]
    TooLarge { max: u64 },
}

/// The tags that are kept. Source: rpm `lib/rpmtag.h`.
pub(super) mod tag {
    pub(in super::super) const SIGMD5: u32 = 261;
    pub(in super::super) const NAME: u32 = 1000;
    pub(in super::super) const VERSION: u32 = 1001;
    pub(in super::super) const RELEASE: u32 = 1002;
    pub(in super::super) const EPOCH: u32 = 1003;
    pub(in super::super) const VENDOR: u32 = 1011;
    pub(in super::super) const LICENSE: u32 = 1014;
    pub(in super::super) const ARCH: u32 = 1022;
    pub(in super::super) const SOURCE_RPM: u32 = 1044;
    pub(in super::super) const PROVIDE_NAME: u32 = 1047;
    pub(in super::super) const REQUIRE_NAME: u32 = 1049;
    pub(in super::super) const DIR_INDEXES: u32 = 1116;
    pub(in super::super) const BASE_NAMES: u32 = 1117;
    pub(in super::super) const DIR_NAMES: u32 = 1118;
    pub(in super::super) const MODULARITY_LABEL: u32 = 5096;

    pub(super) const REGIONS: [u32; 3] = [61, 62, 63];
    pub(super) const FIRST: u32 = 100;
    pub(super) const KEPT: [u32; 15] = [
        SIGMD5,
        NAME,
        VERSION,
        RELEASE,
        EPOCH,
        VENDOR,
        LICENSE,
        ARCH,
        SOURCE_RPM,
        PROVIDE_NAME,
        REQUIRE_NAME,
        DIR_INDEXES,
        BASE_NAMES,
        DIR_NAMES,
        MODULARITY_LABEL,
    ];
}

/// Types of tags. Source: rpm `lib/rpmtag.h`, `rpmTagType_e`.
pub(super) mod kind {
    pub(in super::super) const INT32: u32 = 4;
    pub(in super::super) const STRING: u32 = 6;
    pub(in super::super) const BIN: u32 = 7;
    pub(in super::super) const STRING_ARRAY: u32 = 8;
    pub(super) const I18N_STRING: u32 = 9;
}

/// Gives the tags of one package that are of interest.
#[derive(Debug)]
pub(super) struct Header<'a> {
    fields: Vec<Field<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Field<'a> {
    tag: u32,
    kind: u32,
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads a header blob.
    ///
    /// # Errors
    ///
    /// Any inconsistency; see [`HeaderError`].
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, HeaderError> {
        Blob::open(blob)?.import()
    }

    /// Returns a string, empty if the tag is absent.
    ///
    /// # Errors
    ///
    /// The tag is no string.
    pub(super) fn string(&self, tag: u32) -> Result<String, HeaderError> {
        Ok(self
            .field(tag, kind::STRING)?
            .map(|data| text(trim_nul(data)))
            .unwrap_or_default())
    }

    /// Iterates over the strings of an array, none if the tag is absent.
    ///
    /// # Errors
    ///
    /// The tag is no array of strings.
    pub(super) fn strings(
        &self,
        tag: u32,
    ) -> Result<impl Iterator<Item = &'a [u8]> + Clone, HeaderError> {
        let data = self.field(tag, kind::STRING_ARRAY)?;
        Ok(data
            .into_iter()
            .flat_map(|data| trim_nul(data).split(|&byte| byte == 0)))
    }

    /// Returns the first number, `None` if the tag is absent.
    ///
    /// # Errors
    ///
    /// The tag holds no numbers of 32 bits.
    pub(super) fn int32(&self, tag: u32) -> Result<Option<i32>, HeaderError> {
        Ok(self.int32s(tag)?.next())
    }

    /// Iterates over numbers, none if the tag is absent.
    ///
    /// # Errors
    ///
    /// The tag holds no numbers of 32 bits.
    pub(super) fn int32s(
        &self,
        tag: u32,
    ) -> Result<impl ExactSizeIterator<Item = i32> + 'a, HeaderError> {
        let data = self.field(tag, kind::INT32)?.unwrap_or_default();
        let (numbers, _) = data.as_chunks();
        Ok(numbers.iter().map(|bytes| i32::from_be_bytes(*bytes)))
    }

    /// Returns the bytes of a tag of any type.
    pub(super) fn raw(&self, tag: u32) -> &'a [u8] {
        self.find(tag).map(|field| field.data).unwrap_or_default()
    }

    fn field(&self, tag: u32, kind: u32) -> Result<Option<&'a [u8]>, HeaderError> {
        match self.find(tag) {
            Some(field) if field.kind != kind => Err(HeaderError::Type {
                tag,
                kind: field.kind,
            }),
            found => Ok(found.map(|field| field.data)),
        }
    }

    fn find(&self, tag: u32) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.tag == tag)
    }

    /// Keeps a field, in place of an earlier one of the same tag.
    fn keep(&mut self, field: Field<'a>) {
        match self.fields.iter_mut().find(|old| old.tag == field.tag) {
            Some(old) => *old = field,
            None => self.fields.push(field),
        }
    }
}

/// Decodes text as reports print it: each byte that is not UTF-8 becomes one replacement
/// character.
pub(super) fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

fn trim_nul(data: &[u8]) -> &[u8] {
    let end = data
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |at| at + 1);
    data.get(..end).unwrap_or_default()
}
