//! The members of a workspace.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::manifest::CargoManifest;

/// Finds the manifests of a workspace's members, in the order in which they are named. `steps` is
/// what this may still cost; `None` where it is not enough.
///
/// Members are directories or patterns of them; a pattern that is malformed names nothing.
pub(super) fn members<'a>(
    directory: &str,
    root: &CargoManifest,
    manifests: &'a BTreeMap<String, CargoManifest>,
    steps: &mut u64,
) -> Option<Vec<&'a CargoManifest>> {
    let mut members = Vec::new();
    for member in &root.members {
        let Some(pattern) = join(directory, member) else {
            continue;
        };
        let fixed = pattern.find(['*', '?', '[', '\\']);
        let Some(fixed) = fixed else {
            *steps = steps.checked_sub(pattern.len() as u64)?;
            members.extend(manifests.get(&pattern));
            continue;
        };
        let prefix = pattern.get(..fixed).unwrap_or_default();
        let from_prefix = manifests.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        for (path, manifest) in from_prefix.take_while(|(path, _)| path.starts_with(prefix)) {
            *steps = steps.checked_sub((path.len() as u64).saturating_mul(pattern.len() as u64))?;
            if matches(&pattern, path) {
                members.push(manifest);
            }
        }
    }
    Some(members)
}

/// Joins a directory, a member of it and the name of the manifest; `None` if that leads out of
/// the root.
fn join(directory: &str, member: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in directory.split('/').chain(member.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    parts.push("Cargo.toml");
    Some(parts.join("/"))
}

/// Says whether a path has the components that a pattern describes.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if component_matches(pattern, part) => {}
            _ => return false,
        }
    }
}

/// Matches one component: `*`, `?`, `[a-z]`, `[^a-z]`, and `\c` for the character itself.
///
/// Source: Go's `path/filepath.Match`.
fn component_matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut pattern_at, mut text_at) = (0, 0);
    // Where the last star stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    loop {
        match pattern.get(pattern_at) {
            Some('*') => {
                pattern_at += 1;
                star = Some((pattern_at, text_at));
                continue;
            }
            None if text_at == text.len() => return true,
            _ => {}
        }
        let rest = pattern.get(pattern_at..).unwrap_or_default();
        let matched = text.get(text_at).and_then(|&c| one_matches(rest, c));
        if let Some(size) = matched {
            pattern_at += size;
            text_at += 1;
            continue;
        }
        match star {
            Some((after, taken)) if taken < text.len() => {
                star = Some((after, taken + 1));
                (pattern_at, text_at) = (after, taken + 1);
            }
            _ => return false,
        }
    }
}

/// Matches one character; returns how many characters of the pattern it took.
fn one_matches(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == c).then_some(2),
        ['[', class @ ..] => class_matches(class, c).map(|size| size + 1),
        [literal, ..] if *literal == c => Some(1),
        _ => None,
    }
}

/// Matches a character with a class behind its `[`; returns the characters up to and with `]`.
fn class_matches(class: &[char], c: char) -> Option<usize> {
    let is_negated = class.first() == Some(&'^');
    let mut at = usize::from(is_negated);
    let (mut ranges, mut found) = (0, false);
    loop {
        if class.get(at) == Some(&']') && ranges > 0 {
            return (found != is_negated).then_some(at + 1);
        }
        let low = class_character(class, &mut at)?;
        let mut high = low;
        if class.get(at) == Some(&'-') {
            at += 1;
            high = class_character(class, &mut at)?;
        }
        found |= (low..=high).contains(&c);
        ranges += 1;
    }
}

fn class_character(class: &[char], at: &mut usize) -> Option<char> {
    if class.get(*at) == Some(&'\\') {
        *at += 1;
    } else if matches!(class.get(*at), Some('-' | ']')) {
        return None;
    }
    let character = class.get(*at).copied();
    *at += 1;
    character
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn components_match_as_in_go() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("crates", "crates", true),
            ("c*s", "crates", true),
            ("c*s", "crate", false),
            ("*a*b*", "xaybz", true),
            ("?", "é", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[]a]", "]", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a\\", "a", false),
            ("[a", "a", false),
            ("[\\]]", "]", true),
            ("[a-]", "a", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(
                component_matches(pattern, text),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn members_lie_below_the_root_only() {
        assert_eq!(join("a", "./b/").as_deref(), Some("a/b/Cargo.toml"));
        assert_eq!(join("a", "../b").as_deref(), Some("b/Cargo.toml"));
        assert_eq!(join("", "/b").as_deref(), Some("b/Cargo.toml"));
        assert_eq!(join("a", "../../b"), None);
    }

    #[test]
    fn a_search_ends_when_its_steps_are_used_up() {
        let manifest = |members: &[&str]| {
            let mut manifest = CargoManifest::default();
            manifest.members = members.iter().map(|&member| member.to_owned()).collect();
            manifest
        };
        let manifests: BTreeMap<_, _> = (0..100)
            .map(|n| (format!("m{n}/Cargo.toml"), manifest(&[])))
            .collect();
        let root = manifest(&["m*"]);
        let count = |mut steps| members("", &root, &manifests, &mut steps).map(|found| found.len());
        assert_eq!(count(1_000_000), Some(100));
        assert_eq!(count(1_000), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_pattern_matches_or_not(pattern in "[a\\[\\]*?^\\\\-]{0,12}", text in "[ab\\]*-]{0,8}") {
            let _ = component_matches(&pattern, &text);
        }
    }
}
