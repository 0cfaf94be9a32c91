use std::sync::Arc;
use std::sync::atomic::Ordering;

use cleanbill_core::Limits;
use cleanbill_testkit::{gzip, zstd};

use super::*;

/// Content that neither compresses to nothing nor is slow to make.
fn content(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"abcdefgh"[(state >> 29) as usize]
    };
    (0..size).map(next).collect()
}

fn spec() -> BlobSpec {
    BlobSpec {
        what: "layer".to_owned(),
        ..BlobSpec::default()
    }
}

fn read_all(content: &mut dyn BufRead) -> Result<Vec<u8>, LayerError> {
    let mut bytes = Vec::new();
    let read = content.read_to_end(&mut bytes);
    read.map_err(|source| LayerError::Read {
        what: "content".to_owned(),
        source,
    })?;
    Ok(bytes)
}

/// Reads a blob both ways, which must agree.
fn read_both(
    stored: &[u8],
    spec: &BlobSpec,
    context: &ReadContext,
) -> Result<(Vec<u8>, BlobSummary), String> {
    let serial = read_serial(stored, spec, context, read_all).map_err(|error| error.to_string());
    let threaded = read(stored, spec, context, read_all).map_err(|error| error.to_string());
    assert_eq!(serial, threaded);
    serial
}

#[track_caller]
fn check(stored: &[u8], expected: &[u8], compression: Compression) {
    let spec = BlobSpec {
        digest: Some(Digest::of(stored)),
        content_digest: Some(Digest::of(expected)),
        ..spec()
    };
    let (bytes, summary) = read_both(stored, &spec, &ReadContext::default()).unwrap();
    assert!(bytes == expected);
    assert_eq!(summary.content_digest, Some(Digest::of(expected)));
    assert_eq!(summary.content_size_bytes, expected.len() as u64);
    assert_eq!(summary.compression, compression);
    let stated = BlobSpec {
        size_bytes: Some(stored.len() as u64),
        ..spec
    };
    assert!(read_both(stored, &stated, &ReadContext::default()).is_ok());
}

#[track_caller]
fn check_error(stored: &[u8], spec: &BlobSpec, context: &ReadContext, expected: &str) {
    let error = read_both(stored, spec, context).unwrap_err();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn every_compression_and_size_is_read() {
    for size in [0, 1, 511, BUFFER_SIZE, 3 * BUFFER_SIZE + 7, 3 << 20] {
        let content = content(size);
        check(&content, &content, Compression::None);
        check(&gzip(&content), &content, Compression::Gzip);
        check(&zstd(&content), &content, Compression::Zstd);
    }
}

#[test]
fn blobs_of_several_parts_are_read() {
    let (one, two) = (content(70_000), content(3));
    let whole = [one.clone(), two.clone()].concat();
    check(
        &[gzip(&one), gzip(&two)].concat(),
        &whole,
        Compression::Gzip,
    );
    check(
        &[zstd(&one), zstd(&two)].concat(),
        &whole,
        Compression::Zstd,
    );
    let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
    check(
        &[skippable, zstd(&two).as_slice()].concat(),
        &two,
        Compression::Zstd,
    );
    check(
        &[zstd(&two).as_slice(), skippable].concat(),
        &two,
        Compression::Zstd,
    );
    check(
        &[zstd(&two).as_slice(), skippable, &zstd(&one)].concat(),
        &[two, one].concat(),
        Compression::Zstd,
    );
}

#[test]
fn other_content_than_stated_names_both_digests() {
    let content = content(2 << 20);
    let other = Digest::of(b"other");
    let wrong_digest = BlobSpec {
        digest: Some(other),
        ..spec()
    };
    let wrong_diff_id = BlobSpec {
        content_digest: Some(other),
        ..spec()
    };
    for stored in [content.clone(), gzip(&content), zstd(&content)] {
        let context = ReadContext::default();
        let actual = Digest::of(&stored);
        let text = format!("digest of layer has digest {actual}, expected {other}");
        check_error(&stored, &wrong_digest, &context, &text);
        let actual = Digest::of(&content);
        let text = format!("diff id of layer has digest {actual}, expected {other}");
        check_error(&stored, &wrong_diff_id, &context, &text);
    }
}

#[test]
fn corrupt_content_is_told_from_other_content() {
    let stored = gzip(&content(3 << 20));
    let mut corrupt = stored.clone();
    corrupt[stored.len() / 2] ^= 0x55;
    let context = ReadContext::default();
    check_error(
        &corrupt,
        &spec(),
        &context,
        "layer is malformed: its gzip data is corrupt",
    );
    // The bytes are not those that the image states: that is why they make no sense.
    let stated = BlobSpec {
        digest: Some(Digest::of(&stored)),
        size_bytes: Some(stored.len() as u64),
        ..spec()
    };
    check_error(&corrupt, &stated, &context, "digest of layer has digest");
    let right = BlobSpec {
        digest: Some(Digest::of(&corrupt)),
        ..stated
    };
    check_error(&corrupt, &right, &context, "its gzip data is corrupt");
}

#[test]
fn truncated_blobs_are_refused() {
    let content = content(2 << 20);
    for stored in [gzip(&content), zstd(&content)] {
        for length in [4, 20, stored.len() / 2, stored.len() - 1] {
            check_error(
                &stored[..length],
                &spec(),
                &ReadContext::default(),
                "data is corrupt",
            );
        }
        let stated = BlobSpec {
            size_bytes: Some(stored.len() as u64),
            ..spec()
        };
        let cut = &stored[..stored.len() - 1];
        check_error(cut, &stated, &ReadContext::default(), "it ends after");
    }
    let trailing = [gzip(&content), b"junk".to_vec()].concat();
    check_error(
        &trailing,
        &spec(),
        &ReadContext::default(),
        "its gzip data is corrupt",
    );
    let trailing = [zstd(&content), b"junk".to_vec()].concat();
    check_error(
        &trailing,
        &spec(),
        &ReadContext::default(),
        "its zstd data is corrupt",
    );
}

#[test]
fn sizes_are_checked() {
    let stored = content(1000);
    let context = ReadContext::default();
    let short = BlobSpec {
        size_bytes: Some(999),
        ..spec()
    };
    check_error(
        &stored,
        &short,
        &context,
        "it has more than the 999 bytes that are stated",
    );
    let long = BlobSpec {
        size_bytes: Some(1001),
        ..spec()
    };
    check_error(
        &stored,
        &long,
        &context,
        "it ends after 1000 of the 1001 bytes that are stated",
    );
}

#[test]
fn bombs_and_wide_windows_are_refused() {
    let zeros = vec![0; 4 << 20];
    let limit = |limits: Limits| ReadContext {
        limits: Arc::new(limits),
        ..ReadContext::default()
    };
    let dense = limit(Limits {
        compression_ratio_max: 100,
        compression_ratio_from_bytes: 1 << 20,
        ..Limits::default()
    });
    for stored in [gzip(&zeros), zstd(&zeros)] {
        check_error(
            &stored,
            &spec(),
            &dense,
            "exceeds the limit compression_ratio_max = 100",
        );
        assert!(read_both(&stored, &spec(), &ReadContext::default()).is_ok());
    }
    let small = limit(Limits {
        layer_size_bytes_max: 1 << 20,
        ..Limits::default()
    });
    for stored in [zeros.clone(), gzip(&zeros)] {
        check_error(
            &stored,
            &spec(),
            &small,
            "exceeds the limit layer_size_bytes_max = 1048576",
        );
    }
    let narrow = limit(Limits {
        zstd_window_log_max: 10,
        ..Limits::default()
    });
    check_error(
        &zstd(&content(2 << 20)),
        &spec(),
        &narrow,
        "its zstd data is corrupt",
    );
}

#[test]
fn other_compressions_are_named() {
    let context = ReadContext::default();
    check_error(b"\xfd7zXZ\0\0\x04", &spec(), &context, "compressed with xz");
    check_error(b"BZh91AY&SY", &spec(), &context, "compressed with bzip2");
}

#[test]
fn what_the_reader_leaves_is_verified_all_the_same() {
    let content = content(2 << 20);
    let stored = gzip(&content);
    let spec = BlobSpec {
        content_digest: Some(Digest::of(&content)),
        ..spec()
    };
    let ((), summary) = read(
        stored.as_slice(),
        &spec,
        &ReadContext::default(),
        |_| Ok(()),
    )
    .unwrap();
    assert_eq!(summary.content_size_bytes, content.len() as u64);
}

#[test]
fn the_one_who_reads_may_give_up() {
    let stored = gzip(&content(8 << 20));
    let gave_up = read(
        stored.as_slice(),
        &spec(),
        &ReadContext::default(),
        |content| {
            let _ = content.fill_buf();
            Err::<(), _>(LayerError::LimitExceeded {
                what: "mine".to_owned(),
                limit: "x".to_owned(),
            })
        },
    );
    assert!(matches!(gave_up, Err(LayerError::LimitExceeded { what, .. }) if what == "mine"));
}

/// Fails after some bytes.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionReset,
                "connection lost",
            ));
        }
        let count = buffer.len().min(self.0);
        buffer[..count].fill(b'x');
        self.0 -= count;
        Ok(count)
    }
}

#[test]
fn an_error_of_the_source_arrives_as_it_is() {
    for after in [0, 5, 1 << 20] {
        for result in [
            read(Failing(after), &spec(), &ReadContext::default(), read_all),
            read_serial(Failing(after), &spec(), &ReadContext::default(), read_all),
        ] {
            let Err(LayerError::Read { what, source }) = result else {
                panic!("{result:?}")
            };
            assert_eq!(
                (what.as_str(), source.kind()),
                ("layer", io::ErrorKind::ConnectionReset)
            );
        }
    }
}

#[test]
fn reading_stops_when_cancelled() {
    let context = ReadContext::default();
    context.cancelled.store(true, Ordering::Relaxed);
    check_error(&content(10), &spec(), &context, "cannot read layer");
}

#[test]
fn stored_bytes_are_counted_for_progress() {
    let context = ReadContext::default();
    let stored = gzip(&content(1 << 20));
    read(stored.as_slice(), &spec(), &context, read_all).unwrap();
    assert_eq!(
        context.bytes_read.load(Ordering::Relaxed),
        stored.len() as u64
    );
}
