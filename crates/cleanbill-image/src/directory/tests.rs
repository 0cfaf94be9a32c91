use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cleanbill_core::Limits;
use cleanbill_core::layer::EntryBody;
use rustix::fs::XattrFlags;
use tempfile::TempDir;

use super::*;

#[derive(Default)]
struct Recorder {
    lines: Vec<String>,
    skips_content: bool,
}

impl EntryVisitor for Recorder {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        let mut content = String::new();
        if !self.skips_content {
            body.read_to_string(&mut content)?;
        }
        let lossy = if entry.path_is_lossy { " lossy" } else { "" };
        self.lines.push(format!(
            "{:?} {} {} {}{content}{lossy}",
            entry.kind, entry.path, entry.size_bytes, entry.link_target
        ));
        Ok(())
    }

    fn unreadable(&mut self, path: &str, error: io::Error) -> io::Result<()> {
        self.lines
            .push(format!("unreadable {path} {:?}", error.kind()));
        Ok(())
    }
}

fn walk(layer: &mut DirectoryLayer) -> Result<Vec<String>, LayerError> {
    let mut recorder = Recorder::default();
    layer.walk(&mut recorder)?;
    Ok(recorder.lines)
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn device(path: &Path, rdev: u64) -> bool {
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        FileType::CharacterDevice,
        Mode::from_raw_mode(0o600),
        rdev,
    );
    made.is_ok()
}

fn mark(path: &Path, name: &str, value: &[u8]) -> bool {
    rustix::fs::setxattr(path, name, value, XattrFlags::empty()).is_ok()
}

#[test]
fn every_kind_of_entry_is_shown_in_order() {
    let root = directory();
    let path = |name: &str| root.path().join(name);
    fs::create_dir_all(path("b/c")).unwrap();
    fs::write(path("b/c/file"), "hello").unwrap();
    fs::write(path("b/.wh.x"), "").unwrap();
    fs::hard_link(path("b/c/file"), path("b/z")).unwrap();
    symlink("/etc/passwd", path("a")).unwrap();
    symlink("b", path("link-to-directory")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path("fifo"),
        FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    fs::write(
        root.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9")),
        "x",
    )
    .unwrap();
    let context = ReadContext::default();
    let lines = walk(&mut DirectoryLayer::rootfs(root.path(), &context)).unwrap();
    assert_eq!(
        lines,
        [
            "Symlink a 0 /etc/passwd",
            "Directory b 0 ",
            "File b/.wh.x 0 ",
            "Directory b/c 0 ",
            "File b/c/file 5 hello",
            "File b/z 5 hello",
            "File caf\u{fffd} 1 x lossy",
            "Other fifo 0 ",
            "Symlink link-to-directory 0 b",
        ]
    );
    assert_eq!(context.bytes_read.load(Ordering::Relaxed), 11);
}

#[test]
fn what_the_kernel_makes_up_is_not_entered() {
    let root = directory();
    for name in ["proc/1", "sys/x", "dev/y", "srv/proc/2"] {
        fs::create_dir_all(root.path().join(name)).unwrap();
    }
    let context = ReadContext::default();
    let lines = walk(&mut DirectoryLayer::rootfs(root.path(), &context)).unwrap();
    assert_eq!(
        lines,
        [
            "Directory dev 0 ",
            "Directory proc 0 ",
            "Directory srv 0 ",
            "Directory srv/proc 0 ",
            "Directory srv/proc/2 0 ",
            "Directory sys 0 ",
        ]
    );
}

#[test]
fn overlay_marks_are_decoded() {
    for (attributes, class) in [
        (OverlayAttributes::User, "user"),
        (OverlayAttributes::Trusted, "trusted"),
    ] {
        let root = directory();
        let path = |name: &str| root.path().join(name);
        for name in ["hides", "plain", "marked"] {
            fs::create_dir(path(name)).unwrap();
        }
        fs::write(path("hides/file"), "x").unwrap();
        for name in ["marked/gone", "marked/empty", "plain/gone"] {
            fs::write(path(name), "").unwrap();
        }
        let name = |word: &str| format!("{class}.overlay.{word}");
        if !mark(&path("hides"), &name("opaque"), b"y")
            || !mark(&path("marked"), &name("opaque"), b"x")
            || !mark(&path("marked/gone"), &name("whiteout"), b"")
        {
            eprintln!("skipped: attributes of class {class} cannot be set here");
            continue;
        }
        mark(&path("plain/gone"), &name("whiteout"), b"");
        let mut expected = vec![
            "Directory hides 0 ",
            "OpaqueDirectory hides 0 ",
            "File hides/file 1 x",
            "Directory marked 0 ",
            "File marked/empty 0 ",
            "Whiteout marked/gone 0 ",
            "Directory plain 0 ",
            "File plain/gone 0 ",
        ];
        if device(&path("zero"), 0) && device(&path("null"), rustix::fs::makedev(1, 3)) {
            expected.insert(6, "Other null 0 ");
            expected.push("Whiteout zero 0 ");
        } else {
            eprintln!("skipped: devices cannot be made here");
        }
        let context = ReadContext::default();
        let lines = walk(&mut DirectoryLayer::overlay(
            root.path(),
            attributes,
            &context,
        ))
        .unwrap();
        assert_eq!(lines, expected);
        // Elsewhere the marks mean nothing.
        let lines = walk(&mut DirectoryLayer::rootfs(root.path(), &context)).unwrap();
        assert!(
            lines.iter().all(|line| !line.starts_with("Whiteout")),
            "{lines:?}"
        );
    }
}

#[test]
fn layers_that_refer_to_each_other_are_refused() {
    let root = directory();
    let context = ReadContext::default();
    fs::create_dir(root.path().join("moved")).unwrap();
    fs::write(root.path().join("file"), "").unwrap();
    let walk = || {
        walk(&mut DirectoryLayer::overlay(
            root.path(),
            OverlayAttributes::User,
            &context,
        ))
    };
    if !mark(&root.path().join("moved"), "user.overlay.redirect", b"/old") {
        eprintln!("skipped: attributes of class user cannot be set here");
        return;
    }
    let error = walk().unwrap_err().to_string();
    assert!(
        error.contains("'moved' in") && error.contains("redirect"),
        "{error}"
    );
    fs::remove_dir(root.path().join("moved")).unwrap();
    mark(&root.path().join("file"), "user.overlay.metacopy", b"");
    let error = walk().unwrap_err();
    let LayerError::Read { what, source } = error else {
        panic!("{error}")
    };
    assert!(
        what.contains("'file' in") && source.to_string().contains("metacopy"),
        "{source}"
    );
}

#[test]
fn walks_are_bounded_and_can_be_stopped() {
    let root = directory();
    let mut deep = root.path().to_owned();
    for _ in 0..20 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    let limited = |limits: Limits| {
        let context = ReadContext {
            limits: Arc::new(limits),
            ..ReadContext::default()
        };
        walk(&mut DirectoryLayer::rootfs(root.path(), &context)).map_err(|error| error.to_string())
    };
    assert_eq!(limited(Limits::default()).unwrap().len(), 20);
    let error = limited(Limits {
        directory_depth_max: 10,
        ..Limits::default()
    })
    .unwrap_err();
    assert!(
        error.ends_with("exceeds the limit directory_depth_max = 10"),
        "{error}"
    );
    let error = limited(Limits {
        entries_per_layer_max: 10,
        ..Limits::default()
    })
    .unwrap_err();
    assert!(
        error.ends_with("exceeds the limit entries_per_layer_max = 10"),
        "{error}"
    );
    let error = limited(Limits {
        path_size_bytes_max: 10,
        ..Limits::default()
    })
    .unwrap_err();
    assert!(
        error.ends_with("exceeds the limit path_size_bytes_max = 10"),
        "{error}"
    );
    let context = ReadContext::default();
    context.cancelled.store(true, Ordering::Relaxed);
    assert!(walk(&mut DirectoryLayer::rootfs(root.path(), &context)).is_err());
    let missing = root.path().join("missing");
    let error = walk(&mut DirectoryLayer::rootfs(&missing, &context))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot read") && error.ends_with("missing"),
        "{error}"
    );
}

#[test]
fn files_that_nobody_reads_are_not_opened() {
    let root = directory();
    fs::write(root.path().join("file"), "x").unwrap();
    let context = ReadContext::default();
    let mut recorder = Recorder {
        skips_content: true,
        ..Recorder::default()
    };
    DirectoryLayer::rootfs(root.path(), &context)
        .walk(&mut recorder)
        .unwrap();
    assert_eq!(recorder.lines, ["File file 1 "]);
    assert_eq!(context.bytes_read.load(Ordering::Relaxed), 0);
}

/// Replaces a file by a FIFO after the directory was read, as someone hostile might.
struct Swapper<'a>(&'a Path);

impl EntryVisitor for Swapper<'_> {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        let path = self.0.join(entry.path);
        fs::remove_file(&path)?;
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )?;
        body.read_to_end(&mut Vec::new()).map(drop)
    }
}

#[test]
fn a_file_that_becomes_a_fifo_stops_nobody() {
    let root = directory();
    fs::write(root.path().join("file"), "x").unwrap();
    let walked = DirectoryLayer::rootfs(root.path(), &ReadContext::default())
        .walk(&mut Swapper(root.path()));
    assert!(matches!(walked, Err(LayerError::Read { .. })));
}

#[test]
fn a_directory_of_many_names_is_read_whole() {
    let root = directory();
    for number in 0..5000 {
        fs::write(
            root.path().join(format!("a-rather-long-name-{number:05}")),
            "",
        )
        .unwrap();
    }
    let lines = walk(&mut DirectoryLayer::rootfs(
        root.path(),
        &ReadContext::default(),
    ))
    .unwrap();
    assert_eq!(lines.len(), 5000);
    assert!(lines.is_sorted());
}

#[test]
fn names_without_room_are_read_later() {
    let root = directory();
    for number in 0..4_000 {
        fs::write(root.path().join(format!("file-{number:04}")), "").unwrap();
    }
    fs::create_dir(root.path().join("below")).unwrap();
    fs::write(root.path().join("below/file"), "").unwrap();
    let mut layer = DirectoryLayer::rootfs(root.path(), &ReadContext::default());
    let sorted = walk(&mut layer).unwrap();
    assert_eq!(sorted.len(), 4_002);
    assert!(sorted.iter().skip(2).is_sorted());
    layer.names_size_bytes_max = 0;
    let mut found = walk(&mut layer).unwrap();
    assert!(!found.iter().is_sorted(), "all names were read at once");
    let below = found
        .iter()
        .position(|line| line.contains("below"))
        .unwrap();
    assert!(
        found[below + 1].contains("below/file"),
        "{}",
        found[below + 1]
    );
    found.sort();
    let mut sorted = sorted;
    sorted.sort();
    assert_eq!(found, sorted);
}
