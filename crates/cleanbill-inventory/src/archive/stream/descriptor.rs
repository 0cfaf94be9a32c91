//! The descriptor after an entry whose sizes were not known when its header was written.

use std::io::{self, Read};

use super::super::ArchiveError;
use super::super::header::{
    CENTRAL, DESCRIPTOR, END, END_64, EXTRA_DATA, EntryRecord, Fields, LOCAL,
};
use super::super::peek::Peek;

/// The longest form: signature, checksum, two sizes of eight bytes.
const SIZE_BYTES_MAX: usize = 24;

/// Signatures that may follow a descriptor.
const AFTER_ENTRY: [[u8; 4]; 5] = [LOCAL, CENTRAL, END, END_64, EXTRA_DATA];

/// Consumes the descriptor if it states what passed.
pub(super) fn consume<S: Read>(
    stream: &mut Peek<S>,
    record: &EntryRecord,
) -> Result<bool, ArchiveError> {
    let Some(size) = size_here(stream, record)? else {
        return Ok(false);
    };
    stream.skip(size as u64)?;
    Ok(true)
}

/// Returns the size of the descriptor that comes next, if it states what passed. The format has
/// four forms and nothing that tells them apart: the one counts that fits, best with a signature
/// behind it.
pub(super) fn size_here<S: Read>(
    stream: &mut Peek<S>,
    record: &EntryRecord,
) -> io::Result<Option<usize>> {
    let bytes = stream.peek(SIZE_BYTES_MAX + 4)?;
    let fitting = || FORMS.iter().filter_map(|form| form.fits(bytes, record));
    let followed = |size: &usize| {
        let after = bytes.get(*size..).unwrap_or_default();
        AFTER_ENTRY
            .iter()
            .any(|signature| after.starts_with(signature))
    };
    Ok(fitting().find(followed).or_else(|| fitting().next()))
}

struct Form {
    has_signature: bool,
    is_wide: bool,
}

const FORMS: [Form; 4] = [
    Form {
        has_signature: true,
        is_wide: false,
    },
    Form {
        has_signature: true,
        is_wide: true,
    },
    Form {
        has_signature: false,
        is_wide: false,
    },
    Form {
        has_signature: false,
        is_wide: true,
    },
];

impl Form {
    /// Returns the size of the descriptor if the bytes hold it in this form.
    fn fits(&self, bytes: &[u8], record: &EntryRecord) -> Option<usize> {
        let at = if self.has_signature { 4 } else { 0 };
        if self.has_signature && !bytes.starts_with(&DESCRIPTOR) {
            return None;
        }
        let fields = Fields(bytes);
        let sizes = (record.packed_size_bytes, record.size_bytes);
        let (stated, size) = if self.is_wide {
            ((fields.u64(at + 4)?, fields.u64(at + 12)?), at + 20)
        } else {
            let stated = (fields.u32(at + 4)?, fields.u32(at + 8)?);
            ((u64::from(stated.0), u64::from(stated.1)), at + 12)
        };
        (fields.u32(at)? == record.crc32 && stated == sizes).then_some(size)
    }
}
