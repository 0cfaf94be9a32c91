//! What is expected here was compared with Go's `archive/tar` on the same archives.

use cleanbill_core::Limits;
use cleanbill_core::layer::{EntryBody, EntryHeader, EntryKind, EntryVisitor};
use cleanbill_testkit::tar::{RawHeader, RawTar, pax_record};
use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 1 << 20;

/// Reads an archive into lines `<type> <name> <size> <link> <content>`, the way the Go program
/// that it was compared with prints them.
fn list(archive: &[u8]) -> Result<Vec<String>, String> {
    let mut reader = TarReader::new(StreamSource(archive), LIMIT);
    let (mut entry, mut lines) = (Entry::default(), Vec::new());
    while reader.next_entry(&mut entry).map_err(chain)? {
        let mut content = Vec::new();
        if entry.typeflag != typeflag::PAX_GLOBAL {
            reader
                .body()
                .read_to_end(&mut content)
                .map_err(|error| error.to_string())?;
        }
        lines.push(format!(
            "{} {} {} {} {}",
            char::from(entry.typeflag),
            String::from_utf8_lossy(&entry.name),
            content.len(),
            String::from_utf8_lossy(&entry.link),
            String::from_utf8_lossy(&content).replace('\0', "."),
        ));
    }
    Ok(lines)
}

fn chain(error: TarError) -> String {
    match error {
        TarError::Read(error) => error.to_string(),
        other => other.to_string(),
    }
}

#[track_caller]
fn check(archive: RawTar, expected: &[&str]) {
    let archive = archive.file("after", b"ok").finish();
    let mut expected = expected.to_vec();
    expected.push("0 after 2  ok");
    assert_eq!(list(&archive).unwrap(), expected);
}

#[track_caller]
fn check_error(archive: RawTar, expected: &str) {
    let error = list(&archive.file("after", b"ok").finish()).unwrap_err();
    assert!(error.contains(expected), "{error}");
}

fn header(name: &str, size: u64) -> RawHeader {
    RawHeader::file(name, size)
}

#[test]
fn kinds_and_layouts_of_headers() {
    check(RawTar::new(), &[]);
    check(RawTar::new().file("a", b"1"), &["0 a 1  1"]);
    check(
        RawTar::new().entry(&header("a", 1).v7(), b"1"),
        &["0 a 1  1"],
    );
    check(
        RawTar::new().entry(&header("a", 1).gnu(), b"1"),
        &["0 a 1  1"],
    );
    check(
        RawTar::new().entry(&header("a", 1).prefix("p/q"), b"1"),
        &["0 p/q/a 1  1"],
    );
    // STAR has a shorter prefix, and times behind it.
    let star = header("a", 1)
        .prefix("p")
        .patch(508, b"tar\0")
        .patch(476, b"00000000000");
    check(RawTar::new().entry(&star, b"1"), &["0 p/a 1  1"]);
    check_error(
        RawTar::new().entry(&star.patch(476, b"x"), b"1"),
        "a time of the header",
    );
    // GNU has times in place of the prefix, unless an old Go wrote one all the same.
    check(
        RawTar::new().entry(&header("a", 1).gnu().prefix("17"), b"1"),
        &["0 a 1  1"],
    );
    check(
        RawTar::new().entry(&header("a", 1).gnu().prefix("dir"), b"1"),
        &["0 dir/a 1  1"],
    );
    check(
        RawTar::new().entry(&header("a", 1).gnu().prefix("d\u{e9}"), b"1"),
        &["0 a 1  1"],
    );
    // The old kind of file is a directory if its name says so; the new kind is not.
    check(
        RawTar::new().entry(&header("d/", 0).typeflag(0), b""),
        &["5 d/ 0  "],
    );
    check(
        RawTar::new().entry(&header("f", 1).typeflag(0), b"1"),
        &["0 f 1  1"],
    );
    check(RawTar::new().entry(&header("d/", 1), b"1"), &["0 d/ 1  1"]);
    // What cannot have content has none, whatever size it states.
    for kind in b'1'..=b'6' {
        let line = format!("{} a 0 t ", char::from(kind));
        check(
            RawTar::new().entry(&header("a", 512).typeflag(kind).link("t"), b""),
            &[line.as_str()],
        );
    }
    check(
        RawTar::new().entry(&header("a", 1).typeflag(b'7'), b"1"),
        &["7 a 1  1"],
    );
    check(
        RawTar::new().entry(&header("a", 1).typeflag(b'Z'), b"1"),
        &["Z a 1  1"],
    );
}

#[test]
fn checksums_and_numbers() {
    let foreign = header("", 1).name(b"caf\xe9");
    check(
        RawTar::new().entry(&foreign.clone().signed_checksum(), b"1"),
        &["0 caf\u{fffd} 1  1"],
    );
    check(RawTar::new().entry(&foreign, b"1"), &["0 caf\u{fffd} 1  1"]);
    let wrong = header("a", 0).wrong_checksum();
    check_error(RawTar::new().entry(&wrong, b""), "begin as a tar archive");
    check_error(
        RawTar::new().entry(&header("b", 0), b"").entry(&wrong, b""),
        "at byte 512: the header's checksum is wrong",
    );
    check(
        RawTar::new().entry(&header("a", 0).size_base256(1), b"1"),
        &["0 a 1  1"],
    );
    check(
        RawTar::new().entry(&header("a", 0).size_field(b" 1 \0"), b"1"),
        &["0 a 1  1"],
    );
    check(
        RawTar::new().entry(&header("a", 0).size_field(b""), b""),
        &["0 a 0  "],
    );
    check_error(
        RawTar::new().entry(&header("a", 0).size_field(b"9"), b""),
        "size is no number",
    );
    check_error(
        RawTar::new().entry(&header("a", 0).size_field(&[0xff; 12]), b""),
        "negative",
    );
    check(
        RawTar::new().entry(&header("a", 0).size_field(&[0xff; 12]).typeflag(b'5'), b""),
        &["5 a 0  "],
    );
    check_error(
        RawTar::new().entry(&header("a", 0).patch(100, b"x"), b""),
        "a number of",
    );
    check_error(
        RawTar::new().entry(&header("a", 0).patch(329, b"x"), b""),
        "a number of",
    );
    check(
        RawTar::new().entry(&header("a", 0).v7().patch(329, b"x"), b""),
        &["0 a 0  "],
    );
}

#[test]
fn long_names() {
    let long = "n".repeat(300);
    let file = format!("0 {long} 1  1");
    let link = format!("2 a 0 {long} ");
    let symlink = header("a", 0).typeflag(b'2').link("t");
    check(
        RawTar::new()
            .gnu_long_name(&long)
            .entry(&header("a", 1).gnu(), b"1"),
        &[&file],
    );
    check(
        RawTar::new().pax(&[("path", &long)]).file("a", b"1"),
        &[&file],
    );
    check(
        RawTar::new().gnu_long_link(&long).entry(&symlink, b""),
        &[&link],
    );
    check(
        RawTar::new()
            .pax(&[("linkpath", &long)])
            .entry(&symlink, b""),
        &[&link],
    );
    // GNU's name counts before that of PAX, in either order.
    check(
        RawTar::new()
            .pax(&[("path", "p")])
            .gnu_long_name("g")
            .file("a", b"1"),
        &["0 g 1  1"],
    );
    check(
        RawTar::new()
            .gnu_long_name("g")
            .pax(&[("path", "p")])
            .file("a", b"1"),
        &["0 g 1  1"],
    );
    check(
        RawTar::new().gnu_long_name("").file("a", b"1"),
        &["0 a 1  1"],
    );
    check(
        RawTar::new()
            .gnu_long_name("g")
            .gnu_long_name("")
            .file("a", b"1"),
        &["0 a 1  1"],
    );
    // An empty value keeps the header's; of two headers only the last counts.
    check(
        RawTar::new().pax(&[("path", "")]).file("a", b"1"),
        &["0 a 1  1"],
    );
    check(
        RawTar::new()
            .pax(&[("path", "p")])
            .pax(&[("x", "y")])
            .file("a", b"1"),
        &["0 a 1  1"],
    );
    check(
        RawTar::new()
            .pax(&[("path", "d/")])
            .entry(&header("a", 0).typeflag(0), b""),
        &["5 d/ 0  "],
    );
    check_error(
        RawTar::new().pax(&[("path", "a\0b")]).file("a", b"1"),
        "extended header",
    );
}

/// Every reader that got one of these wrong had a CVE for it.
#[test]
fn sizes_of_pax_headers() {
    let hidden = RawTar::new().file("hidden", b"x").unfinished();
    // The header says nothing follows, PAX says 1,024 bytes do.
    check(
        RawTar::new()
            .pax(&[("size", "1024")])
            .entry(&header("a", 0), &hidden),
        &[&format!(
            "0 a 1024  {}",
            String::from_utf8_lossy(&hidden).replace('\0', ".")
        )],
    );
    // The header says 1,024 bytes follow, PAX says none do.
    check(
        RawTar::new()
            .pax(&[("size", "0")])
            .entry(&header("a", 1024), b"")
            .raw(&hidden),
        &["0 a 0  ", "0 hidden 1  x"],
    );
    // A long name stands between: the size is the file's, not the name's.
    check(
        RawTar::new()
            .pax(&[("size", "0")])
            .gnu_long_name("g")
            .entry(&header("a", 1024), b"")
            .raw(&hidden),
        &["0 g 0  ", "0 hidden 1  x"],
    );
    check(
        RawTar::new()
            .pax(&[("size", "0")])
            .pax(&[("path", "p")])
            .entry(&header("a", 1024), &hidden),
        &[&format!(
            "0 p 1024  {}",
            String::from_utf8_lossy(&hidden).replace('\0', ".")
        )],
    );
    // Global headers count for nothing; and they cut off an extended header in front of them.
    check(
        RawTar::new()
            .pax_global(&[("size", "0"), ("path", "p")])
            .file("a", b"1"),
        &["g p 0  ", "0 a 1  1"],
    );
    check(
        RawTar::new()
            .pax(&[("path", "p")])
            .pax_global(&[])
            .file("a", b"1"),
        &["g PaxHeaders.0/x 0  ", "0 a 1  1"],
    );
    check(
        RawTar::new().pax_global(&[("size", "x")]).file("a", b"1"),
        &["g PaxHeaders.0/x 0  ", "0 a 1  1"],
    );
    check_error(
        RawTar::new().pax(&[("size", "-1")]).file("a", b"1"),
        "negative",
    );
    check_error(
        RawTar::new().pax(&[("size", "x")]).file("a", b"1"),
        "a number of the extended",
    );
    check_error(
        RawTar::new().pax(&[("mtime", "x")]).file("a", b"1"),
        "a number of the extended",
    );
    // A size for what has no content changes nothing.
    check(
        RawTar::new()
            .pax(&[("size", "1024")])
            .entry(&header("a", 0).typeflag(b'5'), b""),
        &["5 a 0  "],
    );
    check(
        RawTar::new()
            .pax(&[("size", "1024")])
            .entry(&header("a/", 0).typeflag(0), b""),
        &["5 a/ 0  "],
    );
}

#[test]
fn ends_of_archives() {
    let ok = RawTar::new().file("a", b"1");
    let lines = ["0 a 1  1".to_owned()];
    let zeros = [0; 512];
    // Two blocks of zeros, one and the end, or the end at once.
    for end in [
        &zeros.repeat(2),
        zeros.as_slice(),
        &[],
        &[&zeros.repeat(2), b"junk".as_slice()].concat(),
    ] {
        assert_eq!(list(&ok.clone().raw(end).unfinished()).unwrap(), lines);
    }
    assert_eq!(list(&[]).unwrap(), Vec::<String>::new());
    // The padding of the last entry may be missing, its content may not.
    let bytes = ok.clone().unfinished();
    assert_eq!(list(&bytes[..513]).unwrap(), lines);
    assert!(
        list(&bytes[..512])
            .unwrap_err()
            .contains("ends 1 bytes before")
    );
    assert!(
        list(&bytes[..511])
            .unwrap_err()
            .contains("ends within an entry")
    );
    // An extended header without an entry is forgotten.
    assert_eq!(
        list(&RawTar::new().pax(&[("path", "p")]).finish()).unwrap(),
        Vec::<String>::new()
    );
    check_error(ok.clone().raw(&zeros), "followed by another header");
    assert!(
        list(&ok.raw(&zeros).raw(b"x").unfinished())
            .unwrap_err()
            .contains("ends within")
    );
}

#[test]
fn extensions_are_bounded() {
    let long = "n".repeat(1 << 20);
    check_error(
        RawTar::new().gnu_long_name(&long).file("a", b"1"),
        "tar_extension_size_bytes_max",
    );
    check_error(
        RawTar::new().pax(&[("path", &long)]).file("a", b"1"),
        "tar_extension_size_bytes_max",
    );
    let lie = header("x", 1 << 40).typeflag(b'x');
    check_error(
        RawTar::new().entry(&lie, b""),
        "tar_extension_size_bytes_max",
    );
}

fn sparse_entry(offset: u64, length: u64) -> Vec<u8> {
    format!("{offset:011o}\0{length:011o}\0").into_bytes()
}

#[test]
fn sparse_files_of_gnu() {
    let sparse = |size: u64, real_size: u64| {
        header("s", size)
            .gnu()
            .typeflag(b'S')
            .patch(483, format!("{real_size:011o}").as_bytes())
    };
    let map = [sparse_entry(2, 3), sparse_entry(8, 0)].concat();
    check(
        RawTar::new().entry(&sparse(3, 8).patch(386, &map), b"abc"),
        &["S s 8  ..abc..."],
    );
    // The map goes on in blocks that the size does not count.
    let extension = [sparse_entry(4, 1), vec![0; 488]].concat();
    check(
        RawTar::new()
            .entry(
                &sparse(2, 6)
                    .patch(386, &sparse_entry(0, 1))
                    .patch(482, b"\x01"),
                b"",
            )
            .content(&extension)
            .content(b"ab"),
        &["S s 6  a...b."],
    );
    check(RawTar::new().entry(&sparse(0, 3), b""), &["S s 3  ..."]);
    check_error(
        RawTar::new().entry(&sparse(1, 3), b"a"),
        "more data than its map",
    );
    check_error(
        RawTar::new().entry(&sparse(1, 3).patch(386, &sparse_entry(0, 2)), b"a"),
        "less data than its map",
    );
    check_error(
        RawTar::new().entry(&sparse(3, 2).patch(386, &map), b"abc"),
        "map of a sparse",
    );
    check_error(
        RawTar::new().entry(&header("s", 0).typeflag(b'S'), b""),
        "map of a sparse",
    );
    check_error(
        RawTar::new().entry(&sparse(0, 0).patch(386, b"x"), b""),
        "map of a sparse",
    );
    let endless = [vec![0; 504], vec![1], vec![0; 7]].concat().repeat(2_100);
    check_error(
        RawTar::new()
            .entry(&sparse(0, 0).patch(482, b"\x01"), b"")
            .content(&endless),
        "tar_extension_size_bytes_max",
    );
}

#[test]
fn sparse_files_of_pax() {
    let (major, minor, size) = (
        "GNU.sparse.major",
        "GNU.sparse.minor",
        "GNU.sparse.realsize",
    );
    let (count, map, name) = ("GNU.sparse.numblocks", "GNU.sparse.map", "GNU.sparse.name");
    let (offset, length) = ("GNU.sparse.offset", "GNU.sparse.numbytes");
    // 0.0, 0.1 and 1.0.
    check(
        RawTar::new()
            .pax(&[
                ("GNU.sparse.size", "6"),
                (count, "2"),
                (offset, "1"),
                (length, "2"),
                (offset, "4"),
                (length, "1"),
            ])
            .file("s", b"abc"),
        &["0 s 6  .ab.c."],
    );
    check(
        RawTar::new()
            .pax(&[(size, "6"), (count, "2"), (map, "1,2,4,1"), (name, "r")])
            .file("s", b"abc"),
        &["0 r 6  .ab.c."],
    );
    let content = [b"2\n1\n2\n4\n1\n".to_vec(), vec![0; 502], b"abc".to_vec()].concat();
    check(
        RawTar::new()
            .pax(&[(major, "1"), (minor, "0"), (size, "6"), (name, "r")])
            .file("s", &content),
        &["0 r 6  .ab.c."],
    );
    // A version that nobody knows is a file like another.
    check(
        RawTar::new()
            .pax(&[(major, "2"), (minor, "0"), (size, "6")])
            .file("s", b"abc"),
        &["0 s 3  abc"],
    );
    for records in [
        &[(size, "6"), (count, "2"), (map, "1,2,4")][..],
        &[(size, "6"), (count, "1"), (map, "1,2,4,1")],
        &[(size, "6"), (count, "x"), (map, "1,2")],
        &[(size, "x"), (count, "1"), (map, "1,2")],
        &[(size, "2"), (count, "1"), (map, "1,2")],
        &[(size, "6"), (count, "1"), (map, "x,2")],
        &[(size, "9"), (count, "4611686018427387904"), (map, "1,2")],
    ] {
        check_error(
            RawTar::new().pax(records).file("s", b"ab"),
            "map of a sparse file",
        );
    }
    let one = [(major, "1"), (minor, "0"), (size, "6")];
    check_error(RawTar::new().pax(&one).file("s", b"1\n0\n1\n"), "is cut");
    check_error(RawTar::new().pax(&one).file("s", &[b'x'; 1024]), "is cut");
    check_error(
        RawTar::new()
            .pax(&one)
            .file("s", &[b"-1\n".as_slice(), &[0; 600]].concat()),
        "negative",
    );
    check_error(
        RawTar::new().pax(&one).file("s", &vec![b'1'; 2 << 20]),
        "tar_extension_size_bytes_max",
    );
    check_error(
        RawTar::new()
            .pax(&one)
            .entry(&header("s", 0).typeflag(b'5'), b""),
        "is cut",
    );
    check_error(
        RawTar::new()
            .pax(&[(size, "6"), (count, "0"), (map, "")])
            .pax(&[(major, "0"), (minor, "1"), (count, "0")])
            .entry(&header("s", 0).typeflag(b'5'), b""),
        "without content is sparse",
    );
}

/// Collects what a walk shows.
#[derive(Default)]
struct Recorder {
    lines: Vec<String>,
    stops_at: Option<&'static str>,
}

impl EntryVisitor for Recorder {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        if self.stops_at == Some(entry.path) {
            return Err(io::Error::other("enough"));
        }
        let mut content = String::new();
        body.read_to_string(&mut content)?;
        let lossy = if entry.path_is_lossy { " lossy" } else { "" };
        self.lines.push(format!(
            "{:?} {} {} {}{content}{lossy}",
            entry.kind, entry.path, entry.size_bytes, entry.link_target
        ));
        Ok(())
    }
}

fn walk_lines(archive: RawTar, limits: &Limits) -> Result<Vec<String>, String> {
    let mut recorder = Recorder::default();
    let archive = archive.finish();
    match walk(StreamSource(archive.as_slice()), &mut recorder, limits) {
        Ok(_) => Ok(recorder.lines),
        Err(WalkError::Tar(error)) => Err(error.to_string()),
        Err(WalkError::Visitor { path, source }) => Err(format!("{path}: {source}")),
    }
}

#[track_caller]
fn check_walk(archive: RawTar, expected: &[&str]) {
    assert_eq!(walk_lines(archive, &Limits::default()).unwrap(), expected);
}

#[test]
fn paths_are_cleaned() {
    for name in [
        "a/b", "./a/b", "/a/b", "/../a/b", "a//b", "a/./b", "x/../a/b", "a/b/",
    ] {
        check_walk(RawTar::new().file(name, b"1"), &["File a/b 1 1"]);
    }
    for name in ["../a/b", "x/../../a/b", "./../a//b/"] {
        check_walk(RawTar::new().file(name, b"1"), &["File ../a/b 1 1"]);
    }
    for name in ["", "/", ".", "./", "a/.."] {
        check_walk(RawTar::new().file(name, b"1"), &["Other  0 "]);
        check_walk(
            RawTar::new().entry(&header(name, 0).typeflag(b'5'), b""),
            &["Directory  0 "],
        );
    }
    let foreign = header("", 1).name(b"caf\xe9/x");
    check_walk(
        RawTar::new().entry(&foreign, b"1"),
        &["File caf\u{fffd}/x 1 1 lossy"],
    );
}

#[test]
fn kinds_are_told_apart() {
    let link = |kind: u8, target: &str| header("l", 7).typeflag(kind).link(target);
    check_walk(
        RawTar::new().entry(&link(b'1', "./x/../y"), b""),
        &["HardLink l 0 y"],
    );
    check_walk(
        RawTar::new().entry(&link(b'2', "./x/../y"), b""),
        &["Symlink l 0 ./x/../y"],
    );
    check_walk(
        RawTar::new().entry(&header("d", 0).typeflag(b'3'), b""),
        &["Other d 0 "],
    );
    check_walk(
        RawTar::new().entry(&header("d", 1).typeflag(b'7'), b"1"),
        &["Other d 0 "],
    );
    check_walk(RawTar::new().pax_global(&[]), &["Other PaxHeaders.0/x 0 "]);
}

#[test]
fn whiteouts_are_decoded() {
    for (name, expected) in [
        ("a/.wh.b", "Whiteout a/b 0 "),
        (".wh.b", "Whiteout b 0 "),
        ("a/.wh..wh..opq", "OpaqueDirectory a 0 "),
        (".wh..wh..opq", "OpaqueDirectory  0 "),
        // AUFS keeps hard links there; Trivy reads it as hiding `.wh.plnk`.
        (".wh..wh.plnk", "Whiteout .wh.plnk 0 "),
        (".wh..wh.plnk/1.2", "File .wh..wh.plnk/1.2 0 "),
        // Without a name it is the directory itself.
        ("a/.wh.", "Whiteout a 0 "),
        ("a/b/.wh...", "Whiteout a 0 "),
        (".wh.", "Other  0 "),
    ] {
        check_walk(RawTar::new().file(name, b""), &[expected]);
    }
    let link = header(".wh.b", 0).typeflag(b'2').link("t");
    check_walk(RawTar::new().entry(&link, b""), &["Whiteout b 0 "]);
    let device = header("b", 0).typeflag(b'3');
    check_walk(RawTar::new().entry(&device, b""), &["Other b 0 "]);
}

#[test]
fn walks_are_bounded() {
    let limits = Limits {
        entries_per_layer_max: 2,
        path_size_bytes_max: 10,
        ..Limits::default()
    };
    let files = |names: &[&str]| {
        names
            .iter()
            .fold(RawTar::new(), |tar, name| tar.file(name, b""))
    };
    assert!(walk_lines(files(&["a", "b"]), &limits).is_ok());
    let error = walk_lines(files(&["a", "b", "c"]), &limits).unwrap_err();
    assert_eq!(
        error,
        "the number of entries (3) exceeds entries_per_layer_max = 2"
    );
    let error = walk_lines(files(&["12345678901"]), &limits).unwrap_err();
    assert_eq!(error, "a path (11) exceeds path_size_bytes_max = 10");
}

#[test]
fn a_visitor_stops_the_walk() {
    let archive = RawTar::new().file("a", b"1").file("b", b"2").finish();
    let mut recorder = Recorder {
        stops_at: Some("b"),
        ..Recorder::default()
    };
    let stopped = walk(
        StreamSource(archive.as_slice()),
        &mut recorder,
        &Limits::default(),
    );
    assert!(matches!(stopped, Err(WalkError::Visitor { path, .. }) if path == "b"));
    assert_eq!(recorder.lines, ["File a 1 1"]);
}

#[test]
fn what_is_not_read_is_skipped_alike_by_reading_and_by_seeking() {
    use std::io::Write as _;
    let archive = RawTar::new()
        .file("a", &[1; 5000])
        .pax(&[("path", "p")])
        .file("b", b"2")
        .finish();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&archive).unwrap();
    let file = std::sync::Arc::new(file);
    let names = |source: &mut dyn Source| {
        let mut reader = TarReader::new(source, LIMIT);
        let (mut entry, mut names) = (Entry::default(), Vec::new());
        while reader.next_entry(&mut entry).unwrap() {
            names.push((
                String::from_utf8(entry.name.clone()).unwrap(),
                entry.content_offset,
            ));
        }
        names
    };
    let length = archive.len() as u64;
    let by_reading = names(&mut StreamSource(archive.as_slice()));
    assert_eq!(
        by_reading,
        names(&mut SectionSource::new(file.clone(), 0, length))
    );
    assert_eq!(by_reading[1], ("p".to_owned(), 7168));
    let mut cut = TarReader::new(SectionSource::new(file, 0, 4000), LIMIT);
    let mut entry = Entry::default();
    assert!(cut.next_entry(&mut entry).unwrap());
    assert!(
        cut.next_entry(&mut entry)
            .unwrap_err()
            .to_string()
            .contains("ends within an entry")
    );
}

#[test]
fn what_others_write_is_read() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_cksum();
    let long = format!("d/{}", "n".repeat(200));
    builder
        .append_data(&mut header.clone(), "a", b"hi".as_slice())
        .unwrap();
    builder
        .append_data(&mut header, &long, b"yo".as_slice())
        .unwrap();
    let archive = builder.into_inner().unwrap();
    let expected = ["0 a 2  hi".to_owned(), format!("0 {long} 2  yo")];
    assert_eq!(list(&archive).unwrap(), expected);
}

/// Writes entries with strange but well-chosen fields, so that many archives stay in step for a
/// while.
fn any_archive() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![Just(0_u64), 0_u64..2000, any::<u64>()];
    let kind = prop_oneof![
        Just(b'0'),
        Just(0),
        Just(b'5'),
        Just(b'x'),
        Just(b'g'),
        Just(b'L'),
        Just(b'S'),
        any::<u8>()
    ];
    let content = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..1200),
        (
            "(path|size|GNU\\.sparse\\.(map|size|numblocks|major|minor))",
            "[0-9,]{0,8}"
        )
            .prop_map(|(key, value)| pax_record(&key, &value).into_bytes()),
    ];
    let entry = (
        "[a-z./]{0,12}",
        size,
        kind,
        content,
        any::<bool>(),
        380_usize..512,
    );
    proptest::collection::vec(entry, 0..6).prop_map(|entries| {
        let mut tar = RawTar::new();
        for (name, size, kind, content, tells_truth, at) in entries {
            let size = if tells_truth {
                content.len() as u64
            } else {
                size
            };
            let mut header = RawHeader::file(&name, 0).typeflag(kind).size_base256(size);
            if kind == b'S' {
                header = header.gnu().patch(at, &content);
            }
            tar = tar.entry(&header, &content);
        }
        tar.finish()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hostile_archives_never_panic(archive in any_archive(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(archive.len() + 1);
        for archive in [&archive[..], &archive[..cut]] {
            let limits = Limits { tar_extension_size_bytes_max: 4096, ..Limits::default() };
            let mut skipping = Skipper::default();
            let _ = walk(StreamSource(archive), &mut skipping, &limits);
            prop_assert!(skipping.count <= archive.len() / BLOCK_SIZE);
        }
    }

    #[test]
    fn skipping_and_reading_see_the_same_entries(archive in any_archive()) {
        let mut skipping = Skipper::default();
        let mut reading = Skipper { reads: true, ..Skipper::default() };
        let limits = Limits::default();
        let is_ok = walk(StreamSource(archive.as_slice()), &mut reading, &limits).is_ok();
        let _ = walk(StreamSource(archive.as_slice()), &mut skipping, &limits);
        prop_assert!(skipping.paths.starts_with(&reading.paths));
        if is_ok {
            prop_assert_eq!(skipping.paths, reading.paths);
        }
    }
}

#[derive(Default)]
struct Skipper {
    count: usize,
    paths: Vec<String>,
    reads: bool,
}

impl EntryVisitor for Skipper {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        assert!(
            entry.kind == EntryKind::Directory
                || entry.kind != EntryKind::File
                || !entry.path.is_empty()
        );
        self.count += 1;
        self.paths.push(entry.path.to_owned());
        if self.reads {
            // A sparse file may claim any number of zeros.
            io::copy(&mut body.take(1 << 16), &mut io::sink())?;
        }
        Ok(())
    }
}
