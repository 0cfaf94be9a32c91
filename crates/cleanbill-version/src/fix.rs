//! The lowest version that fixes everything fixable.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::VersionScheme;

/// Returns the lowest version that fixes everything that is wrong with one installed package;
/// empty if nothing of it has a fix. Each fix is a fixed version, as an advisory states it, and the
/// name of the scheme that compares it, or nothing; the fixed version may be empty.
///
/// An advisory may name a fix per release line (`2.2.21, 3.1.9`): the lowest above the installed
/// version counts, of a requirement (`~> 4.1.11`) its version. Versions are compared by the scheme
/// that is named; if none is or cannot read them, by their numbers.
pub fn lowest_fix<'a>(
    installed: &str,
    fixes: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let fixes: BTreeSet<(&str, &str)> = fixes
        .into_iter()
        .filter(|(fixed, _)| !fixed.is_empty())
        .collect();
    fixes
        .into_iter()
        .map(|(fixed, scheme)| (next_release(installed, fixed, scheme), scheme))
        .reduce(|(best, scheme), (other, _)| {
            let best = if compare(best, other, scheme).is_lt() {
                other
            } else {
                best
            };
            (best, scheme)
        })
        .map(|(fixed, _)| fixed.to_owned())
        .unwrap_or_default()
}

fn next_release<'a>(installed: &str, fixed: &'a str, scheme: &str) -> &'a str {
    let releases = || {
        fixed
            .split(',')
            .map(|release| release.trim_start_matches(is_operator).trim_end())
            .filter(|release| !release.is_empty())
    };
    releases()
        .filter(|release| compare(installed, release, scheme).is_lt())
        .min_by(|a, b| compare(a, b, scheme))
        .or_else(|| releases().max_by(|a, b| compare(a, b, scheme)))
        .unwrap_or(fixed)
}

fn is_operator(c: char) -> bool {
    c.is_whitespace() || "<>=~^".contains(c)
}

fn compare(a: &str, b: &str, scheme: &str) -> Ordering {
    VersionScheme::ALL
        .into_iter()
        .find(|known| known.name() == scheme)
        .and_then(|scheme| scheme.compare(a, b))
        .unwrap_or_else(|| compare_numbers(a, b))
}

/// Compares runs of digits as numbers and everything else as text; an end is less than more
/// numbers and greater than a word (`1.0` is after `1.0-rc1`).
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (parts(a), parts(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(rest)) => {
                if is_number(rest) {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Some(rest), None) => {
                if is_number(rest) {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                (true, true) => compare_digits(a, b),
                (false, false) => a.cmp(b),
                (a_is_number, _) => a_is_number.cmp(&!a_is_number),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn parts(version: &str) -> impl Iterator<Item = &str> {
    let version = version.trim_start_matches('v');
    version
        .split(|c: char| !c.is_ascii_alphanumeric())
        .flat_map(split_digits)
}

/// Splits a word where digits meet letters.
fn split_digits(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let first_is_digit = rest.chars().next()?.is_ascii_digit();
        let end = rest
            .find(|c: char| c.is_ascii_digit() != first_is_digit)
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

fn is_number(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_digit())
}

/// Compares numbers of any length.
fn compare_digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(installed: &str, fixes: &[&str], scheme: &str, expected: &str) {
        let fixes = fixes.iter().map(|fixed| (*fixed, scheme));
        assert_eq!(lowest_fix(installed, fixes), expected);
    }

    #[test]
    fn the_highest_of_the_lowest_fixes_fixes_all() {
        check("1", &["1.9", "1.10", ""], "deb", "1.10");
        check("1.1.1c-r0", &["1.1.1d-r0", "1.1.1k-r0"], "apk", "1.1.1k-r0");
        check("1:1.0", &["1:1.1", "2.0"], "rpm", "1:1.1");
        check("1.0~rc1", &["1.0"], "deb", "1.0");
        check("1", &[], "deb", "");
    }

    #[test]
    fn of_several_release_lines_the_next_one_counts() {
        check("3.1.2", &["2.2.21, 3.1.9, 3.2.1"], "", "3.1.9");
        check(
            "3.1.2",
            &["2.2.21, 3.1.9, 3.2.1", "2.2.24, 3.1.12"],
            "",
            "3.1.12",
        );
        check("9.1.0", &["9.1.3, >= 10.0.0"], "", "9.1.3");
        check("11", &["9.1.3, >= 10.0.0"], "", "10.0.0");
    }

    #[test]
    fn languages_compare_by_their_own_rules() {
        check("4.1.1", &[">= 4.2.2, ~> 4.1.11"], "gem", "4.1.11");
        check("2.0.17", &["^2.0.18, ^3.0.16"], "npm", "2.0.18");
        check("1.0a1", &["1.0", "1.0rc1"], "pep440", "1.0");
        check(
            "1.0.RC1",
            &["1.0.RELEASE", "1.0.RC2"],
            "maven",
            "1.0.RELEASE",
        );
        check("v1.2.3", &["1.2.10", "v1.2.9"], "generic", "1.2.10");
        check("1.2.3", &["1.2.3-1", "1.2.3-r2"], "bitnami", "1.2.3-r2");
    }

    #[test]
    fn versions_without_a_scheme_are_compared_by_their_numbers() {
        for (a, b) in [
            ("1.9", "1.10"),
            ("1.0-rc1", "1.0"),
            ("1.0", "1.0.1"),
            ("v1.2", "1.3"),
            ("2", "10"),
        ] {
            assert_eq!(compare_numbers(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(compare_numbers(b, a), Ordering::Greater, "{b} {a}");
        }
        assert_eq!(compare_numbers("1.0", "1-00"), Ordering::Equal);
    }
}
