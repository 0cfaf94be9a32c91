//! Inventories as bytes: zstd over postcard.
//!
//! The layout follows from the types alone: whoever keeps such bytes keeps a number beside them
//! that changes with the types.

use std::io::{self, Read as _};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of an inventory that are compressed at a time.
const BUFFER_SIZE: usize = 64 * 1024;

/// Values of more bytes are decoded while they are decompressed: it takes longer, and the bytes are
/// never in memory at once.
const WHOLE_SIZE_BYTES_MAX: u64 = 16 << 20;

/// Bytes of the longest text that is decoded so.
const TEXT_SIZE_BYTES_MAX: usize = 2 << 20;

/// No honest inventory decodes to more.
const SIZE_BYTES_MAX: u64 = 1 << 30;

/// Encodes a value. Returns it with the number of its bytes before compression, which
/// [`unpack`] needs.
///
/// # Errors
///
/// The value cannot be encoded.
pub fn pack(value: &impl Serialize) -> io::Result<(Vec<u8>, u64)> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1)?;
    // A flipped bit on the disk must read as absent, not as another inventory.
    encoder.include_checksum(true)?;
    let mut counted = Counted {
        out: io::BufWriter::with_capacity(BUFFER_SIZE, encoder),
        size: 0,
    };
    // Written piece by piece: the plain bytes of a large inventory are never in memory.
    postcard::to_io(value, &mut counted).map_err(io::Error::other)?;
    let size = counted.size;
    let encoder = counted
        .out
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    Ok((encoder.finish()?, size))
}

/// Decodes a value; `None` if the bytes are damaged, are of another type, or are too many.
pub fn unpack<T: DeserializeOwned>(packed: &[u8], size_bytes: u64) -> Option<T> {
    let size = usize::try_from(size_bytes.min(SIZE_BYTES_MAX + 1)).ok()?;
    if size as u64 > SIZE_BYTES_MAX {
        return None;
    }
    if size_bytes > WHOLE_SIZE_BYTES_MAX
        && let Some(value) = unpack_piecewise(packed, size_bytes)
    {
        return Some(value);
    }
    let bytes = zstd::bulk::decompress(packed, size).ok()?;
    postcard::from_bytes(&bytes).ok()
}

/// Decodes a large value; `None` also for one with a text that is too long for it.
fn unpack_piecewise<T: DeserializeOwned>(packed: &[u8], size_bytes: u64) -> Option<T> {
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).ok()?;
    let reader = io::BufReader::with_capacity(BUFFER_SIZE, decoder).take(size_bytes);
    let mut text = vec![0; TEXT_SIZE_BYTES_MAX];
    let (value, (reader, _)) = postcard::from_io((reader, &mut text)).ok()?;
    // The checksum stands at the end.
    let rest = io::copy(&mut reader.into_inner(), &mut io::sink()).ok()?;
    (rest == 0).then_some(value)
}

/// Counts what is written.
struct Counted<W> {
    out: W,
    size: u64,
}

impl<W: io::Write> io::Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::inventory::ImageInventory;
    use cleanbill_core::package::Package;

    use super::*;

    fn inventory() -> ImageInventory {
        let package = |number: u32| Package {
            name: format!("package-{number}"),
            installed_files: vec!["/usr/bin/a".to_owned()].into(),
            ..Package::default()
        };
        ImageInventory {
            packages: (0..100).map(package).collect(),
            ..ImageInventory::default()
        }
    }

    #[test]
    fn what_was_packed_comes_back() {
        let (packed, size) = pack(&inventory()).unwrap();
        assert_eq!(unpack(&packed, size), Some(inventory()));
        let mut without_files = inventory();
        without_files.forget_files();
        let (smaller, size) = pack(&without_files).unwrap();
        assert!(smaller.len() < packed.len());
        let back: ImageInventory = unpack(&smaller, size).unwrap();
        assert!(back.packages[0].installed_files.is_empty());
        assert_eq!(back.packages[0].name, "package-0");
    }

    #[test]
    fn what_is_large_comes_back() {
        let package = |number: u32| Package {
            name: format!("package-{number}"),
            maintainer: "x".repeat(200_000),
            ..Package::default()
        };
        let large = ImageInventory {
            packages: (0..100).map(package).collect(),
            ..ImageInventory::default()
        };
        let (mut packed, size) = pack(&large).unwrap();
        assert!(size > WHOLE_SIZE_BYTES_MAX);
        assert_eq!(unpack_piecewise(&packed, size).as_ref(), Some(&large));
        assert_eq!(unpack(&packed, size).as_ref(), Some(&large));
        assert_eq!(unpack_piecewise::<ImageInventory>(&packed, size - 1), None);
        if let Some(byte) = packed.last_mut() {
            *byte ^= 1;
        }
        assert_eq!(unpack::<ImageInventory>(&packed, size), None);
    }

    #[test]
    fn what_is_damaged_is_absent() {
        let (packed, size) = pack(&inventory()).unwrap();
        let unpacked = |packed: &[u8], size| unpack::<ImageInventory>(packed, size);
        assert_eq!(unpacked(&packed[..packed.len() - 1], size), None);
        assert_eq!(unpacked(&packed, size - 1), None);
        assert_eq!(unpacked(&packed, u64::MAX), None);
        assert_eq!(unpacked(b"", 0), None);
    }

    #[test]
    fn a_flipped_bit_is_never_another_value() {
        let (packed, size) = pack(&inventory()).unwrap();
        for at in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[at] ^= 1;
            let unpacked = unpack::<ImageInventory>(&damaged, size);
            assert!(
                unpacked.is_none() || unpacked == Some(inventory()),
                "byte {at}"
            );
        }
    }
}
