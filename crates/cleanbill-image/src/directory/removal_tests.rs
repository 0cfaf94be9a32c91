//! Directories that change while they are walked.

use cleanbill_core::layer::EntryBody;
use tempfile::TempDir;

use super::*;

/// Reads every file, and changes the tree at the first entry.
struct Changer<F> {
    change: Option<F>,
    paths: Vec<String>,
}

impl<F: FnOnce()> EntryVisitor for Changer<F> {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        if let Some(change) = self.change.take() {
            change();
        }
        body.read_to_end(&mut Vec::new())?;
        self.paths.push(entry.path.to_owned());
        Ok(())
    }
}

fn layer() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join("diff").join(name);
    fs::create_dir_all(path("bin")).unwrap();
    fs::create_dir_all(path("etc/apk")).unwrap();
    fs::write(path("etc/apk/world"), "").unwrap();
    fs::write(path("etc/os-release"), "ID=alpine").unwrap();
    std::os::unix::fs::symlink("bin", path("link")).unwrap();
    root
}

/// Walks a tree that changes after its first entry was found: as a layer, then as a live system.
fn walk(
    is_layer: bool,
    change: impl FnOnce(&Path),
) -> (Result<LayerSummary, LayerError>, Vec<String>) {
    let root = layer();
    let directory = root.path().join("diff");
    let context = ReadContext::default();
    let mut reader = if is_layer {
        DirectoryLayer::overlay(&directory, OverlayAttributes::User, &context)
    } else {
        DirectoryLayer::rootfs(&directory, &context)
    };
    let mut visitor = Changer {
        change: Some(|| change(&directory)),
        paths: Vec::new(),
    };
    let walked = reader.walk(&mut visitor);
    assert!(visitor.change.is_none(), "no entry was shown");
    (walked, visitor.paths)
}

#[track_caller]
fn check_layer_fails(change: impl FnOnce(&Path), place: &str) {
    let (walked, _) = walk(true, change);
    let Err(LayerError::Read { what, source }) = walked else {
        panic!("{walked:?}")
    };
    let text = format!("{what}: {source}");
    assert!(text.contains(place), "{text}");
}

#[test]
fn a_layer_from_which_something_vanishes_is_an_error() {
    check_layer_fails(|root| fs::remove_dir_all(root).unwrap(), "'bin' in");
    check_layer_fails(
        |root| fs::remove_dir_all(root.join("etc")).unwrap(),
        "'etc' in",
    );
    check_layer_fails(
        |root| fs::remove_file(root.join("link")).unwrap(),
        "'link' in",
    );
    // The directory that was just shown and is entered next.
    check_layer_fails(|root| fs::remove_dir(root.join("bin")).unwrap(), "'bin' in");
}

#[test]
fn a_layer_that_is_exchanged_is_an_error() {
    let exchange = |root: &Path| {
        fs::rename(root, root.with_extension("old")).unwrap();
        fs::create_dir(root).unwrap();
    };
    check_layer_fails(exchange, "was replaced");
    check_layer_fails(
        |root| fs::rename(root, root.with_extension("old")).unwrap(),
        "diff: No such file",
    );
}

/// Removes every file right before it reads it.
struct Remover<'a>(&'a Path);

impl EntryVisitor for Remover<'_> {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        if entry.kind == EntryKind::File {
            fs::remove_file(self.0.join(entry.path))?;
            body.read_to_end(&mut Vec::new())?;
        }
        Ok(())
    }
}

#[test]
fn a_file_that_vanishes_before_it_is_read_is_an_error_in_a_layer() {
    let root = layer();
    let directory = root.path().join("diff");
    let context = ReadContext::default();
    let error = DirectoryLayer::overlay(&directory, OverlayAttributes::User, &context)
        .walk(&mut Remover(&directory))
        .unwrap_err();
    assert!(error.to_string().contains("'etc/apk/world' in"), "{error}");
}

#[test]
fn a_live_system_may_change() {
    let (walked, paths) = walk(false, |root| {
        fs::remove_dir_all(root.join("etc")).unwrap();
        fs::remove_file(root.join("link")).unwrap();
    });
    assert!(walked.is_ok(), "{walked:?}");
    assert_eq!(paths, ["bin", "etc"]);
    let (walked, _) = walk(false, |root| {
        fs::rename(root, root.with_extension("old")).unwrap();
    });
    assert!(walked.is_ok(), "{walked:?}");
}
