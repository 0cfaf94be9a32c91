//! Reading what should be small.

use std::io::{self, Read};

/// Reads all there is, `None` if that is more than `max` bytes.
///
/// # Errors
///
/// Reading failed.
pub(crate) fn read_all<R: Read + ?Sized>(stream: &mut R, max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    stream.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_read_or_nothing() {
        for (max, expected) in [
            (2, None),
            (3, Some(b"abc".to_vec())),
            (u64::MAX, Some(b"abc".to_vec())),
        ] {
            assert_eq!(read_all(&mut &b"abc"[..], max).unwrap(), expected);
        }
    }
}
