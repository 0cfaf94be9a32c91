//! Real root file systems: what a correct reader finds in them, and that damaged copies are taken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cleanbill_core::Limits;
use proptest::prelude::*;
use serde_json::Value;

use crate::testing::{FakeLayer, extract_with_limits};
use crate::walk::wanted;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/os");

#[test]
fn packages_are_those_that_others_find() {
    for root in roots() {
        let Ok(list) = std::fs::read(root.join("packages.json")) else {
            continue;
        };
        let list: Value = serde_json::from_slice(&list).expect("the list is JSON");
        for (file, packages) in list.as_object().expect("an object") {
            let path = file.strip_prefix("rootfs/").expect("a path below rootfs");
            if wanted(path, 1).is_empty() {
                continue;
            }
            let content = std::fs::read(root.join(file)).expect("the file is readable");
            let inventory = FakeLayer::new().file(path, &content).inventory();
            let found: BTreeSet<String> = inventory
                .package_databases
                .iter()
                .flat_map(|database| database.packages)
                .map(|package| package.name.clone())
                .collect();
            let expected: BTreeSet<String> = packages
                .as_array()
                .expect("a list")
                .iter()
                .filter(|package| {
                    let status = package["status"].as_str().unwrap_or_default();
                    !status.contains("deinstall") && !status.contains("purge")
                })
                .filter_map(|package| Some(package["name"].as_str()?.to_owned()))
                .collect();
            assert_eq!(found, expected, "{}", root.join(file).display());
        }
    }
}

/// Returns the files that extractors want, each once, the small ones only.
fn wanted_files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for root in roots() {
        let rootfs = root.join("rootfs");
        let mut directories = vec![rootfs.clone()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(&directory)
                .into_iter()
                .flatten()
                .flatten()
            {
                let path = entry.path();
                let shown = path
                    .strip_prefix(&rootfs)
                    .expect("below rootfs")
                    .to_string_lossy();
                if path.is_dir() {
                    directories.push(path);
                } else if !wanted(&shown, 1).is_empty() {
                    let mut content = std::fs::read(&path).expect("the file is readable");
                    content.truncate(20_000);
                    files.push((shown.into_owned(), content));
                }
            }
        }
    }
    files.sort();
    files
}

fn roots() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(Path::new(CORPUS)) else {
        eprintln!("skipped: {CORPUS} is absent");
        return Vec::new();
    };
    entries.flatten().map(|entry| entry.path()).collect()
}

#[test]
fn damaged_files_are_taken() {
    let files = wanted_files();
    if files.is_empty() {
        return;
    }
    let limits = Limits {
        line_size_bytes_max: 4096,
        ..Limits::default()
    };
    let damage = (
        0..files.len(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<[u8; 4]>(),
    );
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(256));
    let result = runner.run(&damage, |(file, at, cut, bytes)| {
        let (path, content) = &files[file];
        let mut content = content.clone();
        if !content.is_empty() {
            let at = at.index(content.len());
            for (slot, byte) in content.iter_mut().skip(at).zip(bytes) {
                *slot = byte;
            }
            content.truncate(cut.index(content.len()) + 1);
        }
        for extractor in wanted(path, content.len() as u64) {
            extract_with_limits(extractor, path, &content, limits.clone());
        }
        Ok(())
    });
    result.expect("no damage is too much");
}
