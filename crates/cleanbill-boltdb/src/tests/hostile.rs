//! Truncated, forged and damaged files.

use std::path::Path;

use cleanbill_testkit::{AdvisoryDatabaseBuilder, BoltBucket, BoltWriter};
use proptest::prelude::*;

use super::{ALL, every_shape, write};
use crate::{BoltDb, BoltError, Defect, visit_all};

const PAGE: usize = 1024;

/// A tree of two leaves below a branch: page 3 with the keys `a`, `b` and `c`, page 4 with `d`, and
/// page 5 above them. All values but that of `c` have 400 bytes.
fn two_leaves() -> Vec<u8> {
    let mut root = BoltBucket::default();
    root.put("a", vec![b'1'; 400]);
    root.put("b", vec![b'2'; 400]);
    root.put("c", "3");
    root.put("d", vec![b'4'; 400]);
    let bytes = write(&root);
    assert_eq!(bytes.len(), 6 * PAGE);
    bytes
}

fn put_u16(bytes: &mut [u8], offset: usize, value: u16) {
    bytes[offset..offset + 2].copy_from_slice(&value.to_le_bytes());
}

fn put_u32(bytes: &mut [u8], offset: usize, value: u32) {
    bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
}

fn put_u64(bytes: &mut [u8], offset: usize, value: u64) {
    bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
}

/// Changes a 64-bit field of both meta pages and makes their checksums right.
fn forge_meta(bytes: &mut [u8], page_size: usize, field: usize, value: u64) {
    for start in [16, page_size + 16] {
        put_u64(bytes, start + field, value);
        let checksum = bytes[start..start + 56]
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        put_u64(bytes, start + 56, checksum);
    }
}

const META_ROOT: usize = 16;
const META_HIGH_WATER: usize = 40;

/// Damages [`two_leaves`] and expects this defect of this page, on iteration.
#[track_caller]
fn check(damage: impl FnOnce(&mut Vec<u8>), page: u64, defect: Defect) {
    let mut bytes = two_leaves();
    damage(&mut bytes);
    assert_eq!(
        visit_all(&bytes, ALL),
        Err(BoltError::Page { page, defect })
    );
}

/// The offset of an element of a page.
fn element(page: usize, index: usize) -> usize {
    page * PAGE + 16 + index * 16
}

#[test]
fn forged_headers_are_found() {
    check(
        |b| put_u64(b, 3 * PAGE, 4),
        3,
        Defect::OtherPage { found: 4 },
    );
    let flags = |flags| Defect::UnexpectedFlags { flags };
    check(|b| put_u16(b, 3 * PAGE + 8, 0), 3, flags(0));
    check(|b| put_u16(b, 3 * PAGE + 8, 3), 3, flags(3));
    check(|b| put_u16(b, 5 * PAGE + 8, 0x10), 5, flags(0x10));
    check(
        |b| put_u16(b, 3 * PAGE + 10, 64),
        3,
        Defect::ElementsOutside { count: 64 },
    );
    check(|b| put_u16(b, 5 * PAGE + 10, 0), 5, Defect::EmptyBranch);
    let beyond = Defect::BeyondHighWater { high_water: 6 };
    check(|b| put_u32(b, 5 * PAGE + 12, 1), 5, beyond.clone());
    check(|b| put_u32(b, 3 * PAGE + 12, u32::MAX), 3, beyond);
}

#[test]
fn forged_pointers_are_found() {
    let child = |page: u64| move |b: &mut Vec<u8>| put_u64(b, element(5, 0) + 8, page);
    let beyond = Defect::BeyondHighWater { high_water: 6 };
    check(child(6), 6, beyond.clone());
    check(child(u64::MAX), u64::MAX, beyond.clone());
    check(child(1 << 62), 1 << 62, beyond.clone());
    check(child(0), 0, Defect::UnexpectedFlags { flags: 4 });
    check(child(2), 2, Defect::UnexpectedFlags { flags: 16 });
    check(|b| forge_meta(b, PAGE, META_ROOT, 77), 77, beyond);
    check(
        |b| forge_meta(b, PAGE, META_ROOT, 0),
        0,
        Defect::UnexpectedFlags { flags: 4 },
    );
}

#[test]
fn cycles_end() {
    // Iteration goes down the same page until its pages are used up, a look-up until it is too deep.
    let mut bytes = two_leaves();
    put_u64(&mut bytes, element(5, 0) + 8, 5);
    let error = |defect| BoltError::Page { page: 5, defect };
    assert_eq!(visit_all(&bytes, ALL), Err(error(Defect::VisitedTwice)));
    let db = BoltDb::open(&bytes).unwrap();
    assert_eq!(db.root().get(b"a"), Err(error(Defect::TooDeep)));
    assert_eq!(db.root().get(b"d"), Ok(Some(&[b'4'; 400][..])));
}

#[test]
fn a_page_reached_twice_is_found() {
    check(
        |b| put_u64(b, element(5, 1) + 8, 3),
        5,
        Defect::KeyOrder { index: 1 },
    );
}

/// Found by fuzzing: a look-up of `d` or `c` went past it, and nothing said that the file is
/// damaged.
#[test]
fn a_branch_key_that_hides_keys_is_found() {
    let second_key = 5 * PAGE + 16 + 2 * 16 + 1;
    for key in [b'x', b'c'] {
        let mut bytes = two_leaves();
        assert_eq!(bytes[second_key], b'd');
        bytes[second_key] = key;
        let hidden: &[u8] = if key == b'x' { b"d" } else { b"c" };
        let db = BoltDb::open(&bytes).unwrap();
        assert_eq!(db.root().get(hidden), Ok(None));
        check(|b| b[second_key] = key, 5, Defect::KeyOrder { index: 1 });
    }
}

#[test]
fn a_bucket_that_holds_itself_ends() {
    let mut root = BoltBucket::default();
    let bucket = root.bucket("a");
    bucket.bucket("b");
    bucket.put("c", vec![b'x'; 300]);
    let mut bytes = write(&root);
    // The root is the last page; it holds the header of bucket `a` as its only data.
    let root_page = bytes.len() / PAGE - 1;
    put_u64(&mut bytes, root_page * PAGE + 16 + 16 + 1, root_page as u64);
    assert_eq!(visit_all(&bytes, ALL), Err(BoltError::BucketsTooDeep));
}

#[test]
fn forged_elements_are_found() {
    let outside = |index| Defect::DataOutside { index };
    for (field, value) in [
        (4, 2_000),
        (4, u32::MAX),
        (8, 1_000),
        (8, u32::MAX),
        (12, 1_000),
        (12, u32::MAX),
    ] {
        check(|b| put_u32(b, element(3, 0) + field, value), 3, outside(0));
    }
    check(|b| put_u32(b, element(5, 1), 5_000), 5, outside(1));
    check(|b| put_u32(b, element(5, 1) + 4, u32::MAX), 5, outside(1));
    check(
        |b| put_u32(b, element(3, 0) + 12, 900),
        3,
        Defect::DataOverlaps { index: 1 },
    );
    check(
        |b| put_u32(b, element(3, 1) + 4, 33 + 400 - 401 - 16 + 1),
        3,
        Defect::KeyOrder { index: 1 },
    );
}

#[test]
fn forged_buckets_are_found() {
    let as_bucket =
        |page: usize, index: usize| move |b: &mut Vec<u8>| put_u32(b, element(page, index), 1);
    // The value `3` of the key `c` is too short for a bucket's header.
    check(as_bucket(3, 2), 3, Defect::ShortBucket { index: 2 });
    // The value of the key `a` points at the page 0x3131….
    check(
        as_bucket(3, 0),
        0x3131_3131_3131_3131,
        Defect::BeyondHighWater { high_water: 6 },
    );
}

#[test]
fn forged_inline_buckets_are_found() {
    let mut root = BoltBucket::default();
    root.bucket("a").put("key", "value");
    let sound = write(&root);
    let page = 3;
    // Page header, one element, the key `a`, the bucket's header.
    let inline = page * PAGE + 16 + 16 + 1 + 16;
    let check = |damage: &dyn Fn(&mut Vec<u8>), defect: Defect| {
        let mut bytes = sound.clone();
        damage(&mut bytes);
        let expected = BoltError::Page { page: 3, defect };
        assert_eq!(visit_all(&bytes, ALL), Err(expected));
    };
    check(&|b| put_u64(b, inline, 9), Defect::OtherPage { found: 9 });
    check(
        &|b| put_u16(b, inline + 8, 1),
        Defect::UnexpectedFlags { flags: 1 },
    );
    check(
        &|b| put_u16(b, inline + 10, 3),
        Defect::ElementsOutside { count: 3 },
    );
    check(
        &|b| put_u32(b, inline + 16, 1),
        Defect::BucketInInline { index: 0 },
    );
    check(
        &|b| put_u32(b, inline + 16 + 12, 6),
        Defect::DataOutside { index: 0 },
    );
    check(
        &|b| put_u32(b, element(page, 0) + 12, 30),
        Defect::ShortHeader,
    );
    check(
        &|b| put_u32(b, element(page, 0) + 12, 15),
        Defect::ShortBucket { index: 0 },
    );
}

#[test]
fn either_meta_page_is_enough() {
    for page_size in [1024, 4096, 16_384] {
        let sound = BoltWriter::new(page_size).write(&every_shape());
        let count = visit_all(&sound, ALL).unwrap();
        assert_eq!(BoltDb::open(&sound).unwrap().transaction(), 1);
        for (meta, other) in [(page_size, 0), (0, 1)] {
            for byte in 16..16 + 64 {
                let mut bytes = sound.clone();
                bytes[meta + byte] ^= 0x10;
                let transaction = BoltDb::open(&bytes).unwrap().transaction();
                assert_eq!(transaction, other, "byte {byte} of {meta}");
                bytes[page_size - meta + byte] ^= 0x10;
                assert!(matches!(
                    BoltDb::open(&bytes),
                    Err(BoltError::NoMeta { .. })
                ));
            }
            let mut bytes = sound.clone();
            bytes[meta + 20] ^= 1;
            assert_eq!(visit_all(&bytes, ALL), Ok(count));
        }
    }
}

#[test]
fn what_is_no_database_is_refused() {
    for bytes in [
        vec![],
        vec![0; 15],
        vec![0; 8192],
        b"SQLite format 3\0".repeat(600),
    ] {
        let length_bytes = bytes.len() as u64;
        assert_eq!(
            visit_all(&bytes, ALL),
            Err(BoltError::NoMeta { length_bytes })
        );
    }
}

#[test]
fn a_truncated_file_is_refused_at_every_byte() {
    let sound = write(&every_shape());
    for length in 0..sound.len() {
        assert!(BoltDb::open(&sound[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_file_whose_meta_pages_hide_the_truncation_is_found_damaged() {
    let sound = write(&every_shape());
    for pages in 3..sound.len() / PAGE {
        let mut bytes = sound[..pages * PAGE].to_vec();
        forge_meta(&mut bytes, PAGE, META_HIGH_WATER, pages as u64);
        assert!(visit_all(&bytes, ALL).is_err(), "{pages}");
    }
}

#[test]
fn a_full_size_database_is_refused_truncated_at_every_page() {
    let mut builder = AdvisoryDatabaseBuilder::new();
    for number in 0..600_000 {
        let bucket = format!("debian {}", number / 200_000);
        let package = format!("package-{}", number / 20 % 10_000);
        let id = format!("CVE-2026-{number}");
        builder = builder.advisory(&bucket, &package, &id, r#"{"FixedVersion":"1.2.3-4"}"#);
    }
    check_truncation(&builder.database(), 4096);
}

#[test]
fn the_published_database_is_read_whole_and_refused_truncated() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle/db.tar.gz");
    let Ok(archive) = std::fs::read(&path) else {
        eprintln!("skipped: there is no {}", path.display());
        return;
    };
    let bytes = cleanbill_testkit::archive_member(&archive, "db/trivy.db");
    assert!(visit_all(&bytes, ALL).unwrap() > 50_000);
    check_truncation(&bytes, 4096);
}

/// Cuts a file at every page. As it is it must be refused; with meta pages that hide the cut, what
/// is read of it must end in order or in an error.
#[track_caller]
fn check_truncation(bytes: &[u8], page_size: usize) {
    let pages = bytes.len() / page_size;
    let high_water = BoltDb::open(bytes).unwrap().meta.high_water as usize;
    for page in 0..high_water {
        assert!(BoltDb::open(&bytes[..page * page_size]).is_err(), "{page}");
    }
    let mut bytes = bytes.to_vec();
    for page in (3..pages).rev() {
        bytes.truncate(page * page_size);
        forge_meta(&mut bytes, page_size, META_HIGH_WATER, page as u64);
        assert!(BoltDb::open(&bytes).is_ok());
        let _ = visit_all(&bytes, 50);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn flipped_bytes_never_panic(
        flips in proptest::collection::vec((0_usize..120 * PAGE, 1_u8..), 1..12),
    ) {
        let mut bytes = write(&every_shape());
        let length = bytes.len();
        for (offset, bits) in flips {
            bytes[offset % length] ^= bits;
        }
        let _ = visit_all(&bytes, 100_000);
        if let Ok(db) = BoltDb::open(&bytes) {
            for name in ["tree", "large", "nested", "empty"] {
                if let Ok(Some(bucket)) = db.root().bucket(name.as_bytes()) {
                    let _ = bucket.get(b"key 0300");
                    let _ = bucket.bucket(b"package 17").map(|b| b.map(|b| b.get(b"CVE-3")));
                }
            }
        }
    }

    #[test]
    fn arbitrary_pages_never_panic(
        pages in proptest::collection::vec(any::<u8>(), 4 * PAGE),
        high_water in 0_u64..8,
        root in 0_u64..8,
    ) {
        let mut bytes = write(&BoltBucket::default());
        bytes.truncate(2 * PAGE);
        bytes.extend(pages);
        for page in 2..6 {
            put_u64(&mut bytes, page * PAGE, page as u64);
            let flags = 1 + u16::from(bytes[page * PAGE + 8]) % 2;
            put_u16(&mut bytes, page * PAGE + 8, flags);
            put_u16(&mut bytes, page * PAGE + 10, 5);
            put_u32(&mut bytes, page * PAGE + 12, 0);
        }
        forge_meta(&mut bytes, PAGE, META_HIGH_WATER, high_water);
        forge_meta(&mut bytes, PAGE, META_ROOT, root);
        let _ = visit_all(&bytes, 10_000);
    }
}
