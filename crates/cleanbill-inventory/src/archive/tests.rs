//! Archives in every form, read by position and as they pass.

use cleanbill_core::Limits;
use cleanbill_testkit::zip::{Sizes, ZipBuilder, ZipEntry};
use proptest::prelude::*;

use super::{ArchiveError, Budget, EntryContent, EntryReader, Window, read_at, read_stream};

/// Reads every entry whose name does not begin with an `x`.
struct Everything;

type Read = Result<Vec<(String, Vec<u8>)>, ArchiveError>;

impl EntryReader for Everything {
    type Output = (String, Vec<u8>);

    fn wants(&self, name: &str) -> bool {
        !name.starts_with('x')
    }

    fn read(
        &mut self,
        name: &str,
        content: EntryContent<'_>,
    ) -> Result<Option<Self::Output>, ArchiveError> {
        let mut bytes = Vec::new();
        content.stream.read_to_end(&mut bytes)?;
        Ok(Some((name.to_owned(), bytes)))
    }

    fn failed(
        &mut self,
        name: &str,
        error: ArchiveError,
    ) -> Result<Option<Self::Output>, ArchiveError> {
        match name {
            "optional" => Ok(Some((name.to_owned(), error.to_string().into_bytes()))),
            _ => Err(error),
        }
    }
}

fn at_any_place(bytes: &[u8], limits: &Limits) -> Read {
    let bytes = bytes.to_vec();
    let window = Window::new(&bytes, bytes.len() as u64);
    read_at(window, &mut Everything, &Budget::new(limits, u64::MAX))
}

fn passing(bytes: &[u8], limits: &Limits) -> Read {
    let mut bytes = bytes;
    read_stream(&mut bytes, &mut Everything, &Budget::new(limits, u64::MAX))
}

/// Both ways give these entries.
#[track_caller]
fn check(archive: &ZipBuilder, expected: &[(&str, &str)]) {
    let bytes = archive.build();
    for read in [at_any_place, passing] {
        let found = read(&bytes, &Limits::default()).unwrap();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(name, content)| (name.as_str(), std::str::from_utf8(content).unwrap()))
            .collect();
        assert_eq!(found, expected);
    }
}

/// Both ways fail, or one as it passes only.
#[track_caller]
fn check_fails(bytes: &[u8], at_place: Option<&str>, as_passes: &str) {
    let limits = Limits::default();
    let found = at_any_place(bytes, &limits);
    assert_eq!(
        found.err().map(|error| error.to_string()).as_deref(),
        at_place
    );
    let found = passing(bytes, &limits).unwrap_err();
    assert_eq!(found.to_string(), as_passes);
}

fn entry(name: &str) -> ZipEntry {
    ZipEntry::new(name, format!("content of {name}"))
}

const A: (&str, &str) = ("a", "content of a");
const B: (&str, &str) = ("b", "content of b");

#[test]
fn every_form_of_an_entry_is_read() {
    for sizes in [
        Sizes::Before,
        Sizes::After,
        Sizes::AfterUnsigned,
        Sizes::Wide,
        Sizes::AfterWide,
    ] {
        check(
            &ZipBuilder::new()
                .entry(entry("a").sizes(sizes))
                .entry(entry("x").sizes(sizes))
                .entry(entry("b").sizes(sizes)),
            &[A, B],
        );
    }
    check(&ZipBuilder::new().entry(entry("a").stored()), &[A]);
    check(
        &ZipBuilder::new().entry(entry("a").stored().sizes(Sizes::Wide)),
        &[A],
    );
    let empty = ZipEntry::new("a", "").stored().sizes(Sizes::After);
    check(
        &ZipBuilder::new().entry(empty).entry(entry("b")),
        &[("a", ""), B],
    );
}

#[test]
fn every_form_of_an_end_is_read() {
    let archive = ZipBuilder::new()
        .entry(entry("a"))
        .entry(entry("b").stored());
    check(&archive, &[A, B]);
    check(&archive.clone().wide(), &[A, B]);
    check(&archive.clone().comment("a comment"), &[A, B]);
    check(&archive.clone().wide().comment("PK, a comment"), &[A, B]);
    check(&ZipBuilder::new(), &[]);
    check(&ZipBuilder::new().wide(), &[]);
    let mut longer = archive.build();
    longer.extend(b"not a part of it");
    assert_eq!(at_any_place(&longer, &Limits::default()).unwrap().len(), 2);
    assert_eq!(passing(&longer, &Limits::default()).unwrap().len(), 2);
}

#[test]
fn the_last_end_counts_even_inside_a_comment() {
    // So it is in Go, and in the Java run time.
    let other = ZipBuilder::new().build();
    check(&ZipBuilder::new().entry(entry("a")).comment(&other), &[]);
}

#[test]
fn an_end_in_the_content_of_an_entry_is_not_passed_over() {
    let empty = ZipBuilder::new().build();
    let holder = ZipBuilder::new()
        .entry(ZipEntry::new("x", &empty).stored())
        .build();
    let directory = memchr::memmem::find(&holder, b"PK\x01\x02").unwrap();
    for padding in (0..12).chain([128 * 1024 - 200, 128 * 1024 - 150, 128 * 1024]) {
        let mut bytes = vec![b'-'; padding];
        bytes.extend(ZipBuilder::new().entry(entry("a")).build());
        bytes.extend(&holder[..directory]);
        // Whoever looks for the end of the file takes the last one, which lists nothing.
        assert_eq!(at_any_place(&bytes, &Limits::default()).unwrap(), []);
        let error = passing(&bytes, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("the last end record"), "{error}");
    }
}

#[test]
fn a_directory_in_the_content_of_an_entry_is_not_passed_over() {
    let find = |bytes: &[u8], part: &[u8]| memchr::memmem::find(bytes, part).unwrap();
    let inner = ZipBuilder::new().entry(entry("a")).build();
    let holder = ZipBuilder::new().entry(ZipEntry::new("x", &inner).stored());
    let holder = holder.build();
    let inner_directory = find(&holder, &inner) + find(&inner, b"PK\x01\x02");
    let mut end = ZipBuilder::new().build();
    end[16..20].copy_from_slice(&u32::try_from(inner_directory).unwrap().to_le_bytes());
    let directory = find(&holder, &inner) + inner.len();
    let bytes = [&holder[..directory], &end].concat();
    // Whoever can go back finds the inner directory there, and that it is none of an empty archive.
    assert!(at_any_place(&bytes, &Limits::default()).is_err());
    let error = passing(&bytes, &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("does not fit the directory"), "{error}");
}

#[test]
fn an_entry_that_is_encrypted_in_one_header_only_is_not_passed_over() {
    let archive = ZipBuilder::new().entry(entry("a")).build();
    let directory = memchr::memmem::find(&archive, b"PK\x01\x02").unwrap();
    // The flags stand at different places of the two headers.
    for (flags, is_read) in [(6, true), (directory + 8, false)] {
        let mut bytes = archive.clone();
        bytes[flags] |= 1;
        let limits = Limits::default();
        assert_eq!(at_any_place(&bytes, &limits).is_ok(), is_read);
        let error = passing(&bytes, &limits).unwrap_err().to_string();
        assert!(
            error.contains("what passed is not what the directory lists"),
            "{error}"
        );
    }
}

#[test]
fn a_script_may_stand_before_it() {
    let script = "#!/bin/sh\nexec java -jar \"$0\" PK \"$@\"\n";
    let archive = ZipBuilder::new().entry(entry("a")).prefix(script);
    check(&archive, &[A]);
    check(&archive.clone().counting_prefix(), &[A]);
    check(&archive.wide(), &[A]);
}

#[test]
fn the_directory_says_what_counts() {
    check(
        &ZipBuilder::new()
            .entry(entry("deleted").unlisted())
            .entry(entry("a"))
            .entry(entry("gone").sizes(Sizes::After).unlisted()),
        &[A],
    );
    // Of two entries of one name both count, in the order of the directory.
    check(
        &ZipBuilder::new().entry(entry("a")).file("a", "again"),
        &[A, ("a", "again")],
    );
    // An archive inside a stored entry is no part of this one.
    let inner = ZipBuilder::new().entry(entry("inner")).build();
    check(
        &ZipBuilder::new().stored("xinner", &inner).entry(entry("a")),
        &[A],
    );
    check(
        &ZipBuilder::new().entry(entry("a")).file("xinner", &inner),
        &[A],
    );
    // Nor is one that stands before it.
    check(&ZipBuilder::new().entry(entry("a")).prefix(&inner), &[A]);
}

#[test]
fn what_is_no_archive_is_an_error() {
    let no_end = "it is no zip archive: there is no end record";
    for bytes in [&b""[..], b"123", b"Manifest-Version: 1.0\n", &[0; 1000]] {
        check_fails(bytes, Some(no_end), no_end);
    }
    let whole = ZipBuilder::new().entry(entry("a")).build();
    let cut = whole.get(..whole.len() - 1).unwrap();
    check_fails(cut, Some(no_end), "the end record is cut short");
    let cut = whole.get(..40).unwrap();
    check_fails(cut, Some(no_end), "the archive ends too early");
}

#[test]
fn a_directory_that_lies_is_an_error() {
    let size = "an entry has another size than the archive states";
    let moved = "what passed is not what the directory lists: a";
    let bytes = ZipBuilder::new().entry(entry("a").listed_size(3)).build();
    check_fails(&bytes, Some(size), moved);
    let checksum = "an entry has another checksum than the archive states";
    let bytes = ZipBuilder::new().entry(entry("a").crc32(7)).build();
    check_fails(&bytes, Some(checksum), checksum);

    let mut bytes = ZipBuilder::new().entry(entry("a")).build();
    let directory = bytes
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    if let Some(offset) = bytes.get_mut(directory + 42) {
        *offset = 1;
    }
    check_fails(
        &bytes,
        Some("an entry is not where the directory says"),
        moved,
    );

    let mut bytes = ZipBuilder::new().entry(entry("a")).build();
    let count = bytes.len() - 12;
    if let Some(count) = bytes.get_mut(count) {
        *count = 2;
    }
    check_fails(
        &bytes,
        Some("the directory has 1 entries, the end record states 2"),
        "the end record does not fit the directory before it",
    );
}

#[test]
fn what_cannot_be_unpacked_is_an_error_of_the_entry() {
    let encrypted = ZipBuilder::new()
        .entry(ZipEntry::new("optional", "x").encrypted())
        .entry(entry("a"));
    check(&encrypted, &[("optional", "an entry is encrypted"), A]);
    let wrong = ZipBuilder::new()
        .entry(ZipEntry::new("optional", "x").stored().crc32(1))
        .entry(entry("a"));
    let message = "an entry has another checksum than the archive states";
    check(&wrong, &[("optional", message), A]);
}

#[test]
fn stored_content_without_a_size_ends_at_its_descriptor() {
    let stored = |content: &[u8], sizes| ZipEntry::new("a", content).stored().sizes(sizes);
    let all = |content: &[u8], sizes| {
        ZipBuilder::new()
            .entry(stored(content, sizes))
            .entry(entry("b"))
    };
    for sizes in [Sizes::After, Sizes::AfterWide] {
        for content in [
            "x",
            "PK",
            "PK\u{7}\u{8}",
            "a PK\u{7}\u{8} in it PK\u{7}\u{8}P",
        ] {
            check(&all(content.as_bytes(), sizes), &[("a", content), B]);
        }
        let large = "PK\u{7}\u{8}more".repeat(40_000);
        check(&all(large.as_bytes(), sizes), &[("a", &large), B]);
        // What is not wanted is passed over.
        let other = ZipEntry::new("x", &large).stored().sizes(sizes);
        check(&ZipBuilder::new().entry(other).entry(entry("b")), &[B]);
    }
    // Without a signature nothing shows where it ends.
    check_fails(
        &all(b"x", Sizes::AfterUnsigned).build(),
        None,
        "the archive ends too early",
    );
    // Nor does a descriptor inside the content pass for the end of it.
    let mut lying = b"begin".to_vec();
    lying.extend(b"PK\x07\x08");
    for word in [crc32(b"begin"), 5, 5] {
        lying.extend(word.to_le_bytes());
    }
    lying.extend(b"PK\x03\x04 and on");
    let bytes = all(&lying, Sizes::After).build();
    assert!(at_any_place(&bytes, &Limits::default()).is_ok());
    assert!(passing(&bytes, &Limits::default()).is_err());
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn bombs_cost_what_the_limits_allow() {
    let limits = Limits {
        archive_unpacked_size_bytes_max: 1 << 20,
        archive_entries_max: 100,
        ..Limits::default()
    };
    let check = |archive: &ZipBuilder, limit: &str| {
        let bytes = archive.build();
        for read in [at_any_place, passing] {
            match read(&bytes, &limits) {
                Err(ArchiveError::LimitExceeded(message)) => assert!(message.contains(limit)),
                other => panic!("{other:?}"),
            }
        }
    };
    let zeros = vec![0; 2 << 20];
    check(
        &ZipBuilder::new().file("a", &zeros),
        "archive_unpacked_size_bytes_max",
    );
    let half = vec![0; 600 << 10];
    let twice = ZipBuilder::new().file("a", &half).file("b", &half);
    check(&twice, "archive_unpacked_size_bytes_max");
    let many = (0..101).fold(ZipBuilder::new(), |zip, n| zip.file(&format!("x{n}"), ""));
    check(&many, "archive_entries_max");
    // What is not wanted costs nothing where its size is stated, else it must be unpacked.
    let bytes = ZipBuilder::new().file("x", &zeros).build();
    assert!(passing(&bytes, &limits).is_ok());
    let unsized_entry = ZipEntry::new("x", &zeros).sizes(Sizes::After);
    let bytes = ZipBuilder::new().entry(unsized_entry).build();
    assert!(at_any_place(&bytes, &limits).is_ok());
    assert!(passing(&bytes, &limits).is_err());
}

/// Lists the only entry of an archive once under each of the names, which have one letter.
fn listed_under(content: &[u8], names: &str) -> Vec<u8> {
    let bytes = ZipBuilder::new().file("n", content).build();
    let find = |mark: &[u8]| bytes.windows(4).position(|four| four == mark).unwrap();
    let (directory, end) = (find(b"PK\x01\x02"), find(b"PK\x05\x06"));
    let header = bytes.get(directory..end).unwrap();
    let mut built = bytes.get(..directory).unwrap().to_vec();
    for name in names.bytes() {
        built.extend_from_slice(header.get(..46).unwrap());
        built.push(name);
        built.extend_from_slice(header.get(47..).unwrap());
    }
    let count = u16::try_from(names.len()).unwrap().to_le_bytes();
    built.extend_from_slice(bytes.get(end..end + 8).unwrap());
    built.extend([count, count].concat());
    built.extend(
        u32::try_from(header.len() * names.len())
            .unwrap()
            .to_le_bytes(),
    );
    built.extend(u32::try_from(directory).unwrap().to_le_bytes());
    built.extend([0, 0]);
    built
}

#[test]
fn content_is_unpacked_once_however_often_it_is_listed() {
    let half = vec![0; 600 << 10];
    let limits = Limits {
        archive_unpacked_size_bytes_max: 1 << 20,
        ..Limits::default()
    };
    let repeated = at_any_place(&listed_under(&half, &"a".repeat(500)), &limits).unwrap();
    let names: Vec<_> = repeated.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a"]);
    let error = at_any_place(&listed_under(&half, "ab"), &limits).unwrap_err();
    assert!(matches!(error, ArchiveError::Overlapping), "{error:?}");
    // As it passes there is one entry, and the directory lists another.
    assert!(passing(&listed_under(&half, "aa"), &limits).is_err());
}

#[test]
fn what_other_archives_of_the_layer_left_is_all_there_is() {
    let bytes = ZipBuilder::new().entry(entry("a")).build();
    let limits = Limits::default();
    let read = |room| {
        let window = Window::new(&bytes, bytes.len() as u64);
        read_at(window, &mut Everything, &Budget::new(&limits, room))
    };
    assert_eq!(read(A.1.len() as u64).unwrap().len(), 1);
    match read(A.1.len() as u64 - 1) {
        Err(ArchiveError::LimitExceeded(message)) => {
            assert!(message.contains("archives_unpacked_ratio_max"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_kept_of_an_archive_is_bounded() {
    let long = "n".repeat(5_000);
    let many = (0..101).fold(ZipBuilder::new(), |zip, n| zip.file(&format!("{n}"), ""));
    let limits = Limits {
        packages_per_layer_max: 100,
        ..Limits::default()
    };
    for read in [at_any_place, passing] {
        let error = read(&many.build(), &limits).unwrap_err().to_string();
        assert!(error.contains("packages_per_layer_max"), "{error}");
    }
    // As it passes, names are kept until the directory confirms them.
    let long_names = (0..50).fold(ZipBuilder::new(), |zip, n| {
        zip.file(&format!("{n}{long}"), "")
    });
    let limits = Limits {
        packages_size_bytes_max: 200_000,
        ..Limits::default()
    };
    let error = passing(&long_names.build(), &limits)
        .unwrap_err()
        .to_string();
    assert!(error.contains("packages_size_bytes_max"), "{error}");
    assert!(at_any_place(&long_names.build(), &limits).is_ok());
}

#[test]
fn more_entries_than_sixteen_bits_can_count_are_read() {
    let archive = (0..65_537).fold(ZipBuilder::new().entry(entry("a")), |zip, n| {
        zip.stored(&format!("x{n}"), "")
    });
    check(&archive, &[A]);
    check(&archive.wide(), &[A]);
}

fn any_entry() -> impl Strategy<Value = ZipEntry> {
    let sizes = prop_oneof![
        Just(Sizes::Before),
        Just(Sizes::After),
        Just(Sizes::AfterUnsigned),
        Just(Sizes::Wide),
        Just(Sizes::AfterWide)
    ];
    (
        "[abxPK]{1,3}",
        "[a-cPK\u{3}\u{4}]{0,60}",
        any::<bool>(),
        sizes,
        any::<bool>(),
    )
        .prop_map(|(name, content, is_stored, sizes, is_listed)| {
            let mut entry = ZipEntry::new(&name, content).sizes(sizes);
            if is_stored {
                // Stored content whose size comes later cannot be read as it passes.
                entry = entry.stored().sizes(Sizes::Before);
            }
            if is_listed { entry } else { entry.unlisted() }
        })
}

fn any_archive() -> impl Strategy<Value = ZipBuilder> {
    let entries = prop::collection::vec(any_entry(), 0..6);
    (entries, any::<bool>(), "[a-zP]{0,20}", "[a-zP]{0,9}").prop_map(
        |(entries, is_wide, prefix, comment)| {
            let zip = ZipBuilder::new().prefix(prefix).comment(comment);
            let zip = entries.into_iter().fold(zip, ZipBuilder::entry);
            if is_wide { zip.wide() } else { zip }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn both_ways_give_the_same(archive in any_archive()) {
        let bytes = archive.build();
        let limits = Limits::default();
        prop_assert_eq!(at_any_place(&bytes, &limits).unwrap(), passing(&bytes, &limits).unwrap());
    }

    #[test]
    fn damage_is_survived(archive in any_archive(), damage in prop::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
        let mut bytes = archive.build();
        for (at, value) in damage {
            let at = usize::from(at) % bytes.len();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        // What passes and is confirmed is what a reader by position finds.
        let limits = Limits::default();
        if let (Ok(passed), Ok(placed)) = (passing(&bytes, &limits), at_any_place(&bytes, &limits)) {
            prop_assert_eq!(passed, placed);
        }
    }
}
