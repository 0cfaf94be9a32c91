//! Replays the corpus of the fuzz targets, and tries them with bytes of its own: included by
//! `tests/replay.rs` of every crate that has entry points.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

type EntryPoint = fn(&[u8]);

/// Inputs of each kind that are tried with a target.
const CASES: u32 = 256;

/// Checks a crate's table of entry points against the folders, then tries every entry point.
/// `prefix` begins the names of the crate's targets.
pub(crate) fn replay(prefix: &str, targets: &[(&str, EntryPoint)]) {
    let names: Vec<&str> = targets.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        folders(prefix),
        names,
        "each target of {prefix} has a corpus"
    );
    for (name, entry_point) in targets {
        let target = directory().join(format!("fuzz_targets/{name}.rs"));
        assert!(target.is_file(), "{} is missing", target.display());
        let seeds = seeds(name);
        for (file, seed) in &seeds {
            assert!(holds(*entry_point, seed), "{name} fails on {file}");
        }
        try_with(
            name,
            *entry_point,
            prop::collection::vec(any::<u8>(), 0..512),
        );
        try_with(name, *entry_point, mutated(seeds));
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Lists the corpora of a crate.
fn folders(prefix: &str) -> Vec<String> {
    let corpus = directory().join("corpus");
    let entries = fs::read_dir(&corpus).expect("fuzz/corpus is there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("fuzz/corpus can be listed").file_name())
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    names
}

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let corpus = directory().join("corpus").join(target);
    let entries = fs::read_dir(&corpus).expect("the corpus is there");
    let mut seeds: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("the corpus can be listed").path();
            let seed = fs::read(&path).expect("a seed can be read");
            (path.display().to_string(), seed)
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} is empty", corpus.display());
    seeds
}

fn try_with(name: &str, entry_point: EntryPoint, inputs: impl Strategy<Value = Vec<u8>>) {
    let config = ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::with_cases(CASES)
    };
    let result = TestRunner::new(config).run(&inputs, |input| {
        prop_assert!(holds(entry_point, &input));
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(_, input)) => panic!("{name} fails on b\"{}\"", input.escape_ascii()),
        Err(TestError::Abort(reason)) => panic!("{name}: {reason}"),
    }
}

fn holds(entry_point: EntryPoint, input: &[u8]) -> bool {
    panic::catch_unwind(AssertUnwindSafe(|| entry_point(input))).is_ok()
}

/// Changes a seed in a few places: single bytes, numbers at their bounds, a piece that is cut out
/// or doubled, the end cut off.
fn mutated(seeds: Vec<(String, Vec<u8>)>) -> impl Strategy<Value = Vec<u8>> {
    let seed = prop::sample::select(seeds);
    let change = (0..6_u8, any::<prop::sample::Index>(), any::<u8>());
    let changes = prop::collection::vec(change, 1..8);
    (seed, changes).prop_map(|((_, mut bytes), changes)| {
        for (kind, at, value) in changes {
            let at = at.index(bytes.len() + 1);
            change_at(&mut bytes, kind, at, value);
        }
        bytes
    })
}

fn change_at(bytes: &mut Vec<u8>, kind: u8, at: usize, value: u8) {
    let end = bytes.len().min(at + usize::from(value));
    match kind {
        0 => bytes
            .iter_mut()
            .skip(at)
            .take(1)
            .for_each(|byte| *byte = value),
        1 => bytes
            .iter_mut()
            .skip(at)
            .take(1)
            .for_each(|byte| *byte ^= 1 << (value % 8)),
        2 => bytes
            .iter_mut()
            .skip(at)
            .take(4)
            .for_each(|byte| *byte = value | 0x7f),
        3 => drop(bytes.drain(at..end)),
        4 => bytes.extend_from_within(at..end),
        _ => bytes.truncate(bytes.len().max(at).min(at * 2)),
    }
}
