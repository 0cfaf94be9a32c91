//! Agreement with the reference: its reports on the same images and the same advisory database.

use std::process::Command;

use crate::sandbox::{Sandbox, program, shared};

/// Levels of the comparison, each with a summary line.
const LEVELS: &[&str] = &["findings", "packages", "report", "metadata"];

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
    for line in text.lines() {
        assert!(says_equal(line), "'{line}' in:\n{text}");
    }
    let summaries = text.lines().count();
    assert_eq!(summaries, LEVELS.len() + 2, "a summary is missing:\n{text}");
}

/// Says whether a line is a summary of a level, of the truth or of the cases that knows of no
/// differences and of at least one comparison.
fn says_equal(line: &str) -> bool {
    let Some((level, counts)) = line.split_once(' ') else {
        return false;
    };
    let number = |name: &str| -> Option<u64> {
        counts
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.trim().parse().ok())
    };
    let are_equal = |all: Option<u64>, equal: Option<u64>| all > Some(0) && all == equal;
    match level {
        "cases" => are_equal(number(""), number("equal ")),
        "truth" => are_equal(number("images "), number("images equal ")),
        level if LEVELS.contains(&level) => {
            are_equal(number("images "), number("images equal ")) && number("wanted ") > Some(0)
        }
        _ => false,
    }
}

#[test]
fn the_summary_is_read_right() {
    let check = |line: &str, expected: bool| assert_eq!(says_equal(line), expected, "{line}");
    let level = "findings  images 2, images equal 2, wanted 5, found 5, missing 0, unexpected 0";
    check(level, true);
    check(&level.replace("images 2", "images 3"), false);
    check(&level.replace("wanted 5", "wanted 0"), false);
    check(
        &level.replace("images 2, images equal 2", "images 0, images equal 0"),
        false,
    );
    check("truth     images 13, images equal 13", true);
    check("truth     images 13, images equal 12", false);
    check("cases     17, equal 17", true);
    check("cases     17, equal 16", false);
    check("cases     0, equal 0", false);
    check("os-debian-9 findings - []", false);
}
