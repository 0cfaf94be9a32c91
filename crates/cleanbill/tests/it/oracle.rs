//! Agreement with the reference: its reports on the same images and the same advisory database.

use std::process::Command;

use crate::sandbox::{Sandbox, program, shared};

/// Levels of the comparison, each with a summary line.
const LEVELS: &[&str] = &["findings", "packages", "report", "metadata"];

/// Images with language packages, which are not read yet. The comparison wants exit status 0 of
/// them, but they are not assessed completely and say so.
const NOT_READ_YET: &[&str] = &[
    "eco-nodejs: exit 3: ",
    "layer-opaque: exit 3: ",
    "real-java: exit 3: ",
    "real-python: exit 3: ",
];

#[test]
fn os_packages_are_those_of_the_reference() {
    let Some(script) = shared("oracle/oracle.py") else {
        return;
    };
    let sandbox = Sandbox::without_database();
    let run = Command::new("python3")
        .arg(&script)
        .arg("--bin")
        .arg(program())
        .arg("--os-only")
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
        if NOT_READ_YET.contains(&line) {
            continue;
        }
        assert!(says_equal(line), "'{line}' in:\n{text}");
        summaries += 1;
    }
    assert_eq!(summaries, LEVELS.len() + 2, "a summary is missing:\n{text}");
}

/// Says whether a line is a summary of a level, of the truth or of the cases that knows of no
/// difference, and of at least one comparison.
fn says_equal(line: &str) -> bool {
    let Some((level, counts)) = line.split_once(' ') else {
        return false;
    };
    let number = |name: &str| -> Option<u64> {
        counts
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.trim().parse().ok())
    };
    let all_equal = |all: Option<u64>, equal: Option<u64>| all == equal && all > Some(0);
    match level {
        "truth" => all_equal(number("images "), number("images equal ")),
        "cases" => all_equal(number(""), number("equal ")),
        level if LEVELS.contains(&level) => {
            all_equal(number("images "), number("images equal "))
                && all_equal(number("wanted "), number("found "))
                && number("missing ") == Some(0)
                && number("unexpected ") == Some(0)
        }
        _ => false,
    }
}

#[test]
fn the_summary_is_read_right() {
    let check = |line: &str, expected: bool| assert_eq!(says_equal(line), expected, "{line}");
    let level = "findings  images 2, images equal 2, wanted 5, found 5, missing 0, unexpected 0";
    check(level, true);
    check(&level.replace("unexpected 0", "unexpected 1"), false);
    check(&level.replace("images equal 2", "images equal 1"), false);
    check(&level.replace("found 5", "found 4"), false);
    check("truth     images 13, images equal 13", true);
    check("truth     images 13, images equal 12", false);
    check("cases     17, equal 17", true);
    check("cases     17, equal 16", false);
    check("cases     0, equal 0", false);
    check("os-debian-9 findings - []", false);
}
