//! Agreement with the reference: its reports on the same images and the same advisory database.

use std::process::Command;

use crate::sandbox::{Sandbox, program, shared};

/// Levels of the comparison, each with a summary line.
const LEVELS: &[&str] = &["findings", "packages", "report", "metadata"];

/// Images that still differ: paths with `..`, and hard links to files of a lower layer.
const STILL_DIFFERENT: &[&str] = &[
    "layer-dot-dot",
    "layer-hard-link-across-layers",
    "layer-hard-links",
];

#[test]
fn packages_and_findings_are_those_of_the_reference() {
    let Some(script) = shared("oracle/oracle.py") else {
        return;
    };
    let sandbox = Sandbox::without_database();
    let run = Command::new("python3")
        .arg(&script)
        .arg("--bin")
        .arg(program())
        .env("CLEANBILL_CACHE_DIR", sandbox.path("cache"))
        .output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: python3 cannot be run: {error}");
            return;
        }
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let mut summaries = 0;
    for line in text.lines() {
        if is_of_known_difference(line) {
            continue;
        }
        assert!(says_equal(line), "'{line}' in:\n{text}");
        summaries += 1;
    }
    assert_eq!(summaries, LEVELS.len() + 2, "a summary is missing:\n{text}");
}

/// Says whether a line describes how a known image differs, or is a detail of such a line. Whatever
/// differs has a line that begins with its name.
fn is_of_known_difference(line: &str) -> bool {
    let name = line.split([' ', ':']).next().unwrap_or_default();
    line.starts_with("  ") || STILL_DIFFERENT.contains(&name)
}

/// Says whether a line is a summary of a level, of the truth or of the cases that knows of no
/// differences but those of known images, and of at least one comparison.
fn says_equal(line: &str) -> bool {
    let Some((level, counts)) = line.split_once(' ') else {
        return false;
    };
    let number = |name: &str| -> Option<u64> {
        counts
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.trim().parse().ok())
    };
    let different = |all: Option<u64>, equal: Option<u64>| {
        let all = all.filter(|all| *all > 0)?;
        all.checked_sub(equal?)
    };
    let images = different(number("images "), number("images equal "));
    let is_known = images.is_some_and(|images| images <= STILL_DIFFERENT.len() as u64);
    match level {
        "truth" => is_known,
        "cases" => different(number(""), number("equal ")) == Some(0),
        level if LEVELS.contains(&level) => is_known && number("wanted ") > Some(0),
        _ => false,
    }
}

#[test]
fn the_summary_is_read_right() {
    let check = |line: &str, expected: bool| assert_eq!(says_equal(line), expected, "{line}");
    let level = "findings  images 2, images equal 2, wanted 5, found 5, missing 0, unexpected 0";
    check(level, true);
    check(&level.replace("images 2", "images 9"), false);
    check(&level.replace("wanted 5", "wanted 0"), false);
    check(
        &level.replace("images 2, images equal 2", "images 0, images equal 0"),
        false,
    );
    check("truth     images 13, images equal 13", true);
    check("truth     images 13, images equal 9", false);
    check("cases     17, equal 17", true);
    check("cases     17, equal 16", false);
    check("cases     0, equal 0", false);
    check("os-debian-9 findings - []", false);
}

#[test]
fn known_differences_are_told_by_their_image() {
    for (line, expected) in [
        ("layer-dot-dot findings - []", true),
        ("layer-hard-links: exit 0: ", true),
        ("  missing []", true),
        ("layer-dot-dots findings - []", false),
        ("os-debian-9 findings - []", false),
        ("findings  images 2", false),
    ] {
        assert_eq!(is_of_known_difference(line), expected, "{line}");
    }
}
