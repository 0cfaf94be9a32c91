//! The members of one exception, and what single values mean.

use super::Problems;
use super::keys::{self, KEYS};
use crate::document::{Content, Node, Place, nearest};
use crate::ignore::ecosystem;
use crate::ignore::name_pattern::NamePattern;
use crate::ignore::rule::{Condition, End, PackagePattern};

/// Characters of one value.
const VALUE_LENGTH_MAX: usize = 4096;

/// Values of one list.
const VALUES_MAX: usize = 1000;

/// Holds the members of an exception by their keys.
pub(super) struct Fields<'a>(Vec<(&'a str, Place, &'a Node)>);

impl<'a> Fields<'a> {
    /// Takes those that are known; the others are problems.
    pub(super) fn of(pairs: &'a [(String, Place, Node)], problems: &mut Problems) -> Self {
        let mut fields = Vec::new();
        for (key, place, value) in pairs {
            match KEYS.iter().any(|known| known.name == key) {
                true => fields.push((key.as_str(), *place, value)),
                false => {
                    let known = KEYS.iter().map(|key| key.name);
                    problems.add(*place, keys::unknown(key, known));
                }
            }
        }
        Self(fields)
    }

    /// Returns where the value of a key stands; `None` if the key does not.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.get(name).map(|node| node.place)
    }

    /// Returns a single value; empty if there is none.
    pub(super) fn text(&self, name: &str, problems: &mut Problems) -> String {
        let Some(node) = self.get(name) else {
            return String::new();
        };
        match &node.content {
            Content::Null => {
                check_empty(name, node.place, problems);
                String::new()
            }
            Content::Scalar(text) if text.trim().is_empty() => {
                check_empty(name, node.place, problems);
                String::new()
            }
            Content::Scalar(text) => value(name, text, node.place, problems),
            other => {
                let kind = other.kind();
                problems.add(
                    node.place,
                    format!("{name}: expected a single value, this is {kind}"),
                );
                String::new()
            }
        }
    }

    /// Returns a list of values; a single one is a list of one.
    pub(super) fn texts(&self, name: &str, problems: &mut Problems) -> Vec<String> {
        let Some(node) = self.get(name) else {
            return Vec::new();
        };
        let nodes = match &node.content {
            Content::Null => {
                check_empty(name, node.place, problems);
                return Vec::new();
            }
            Content::Sequence(nodes) => {
                if nodes.is_empty() {
                    check_empty(name, node.place, problems);
                }
                nodes.as_slice()
            }
            _ => std::slice::from_ref(node),
        };
        if nodes.len() > VALUES_MAX {
            problems.add(node.place, format!("{name}: more than {VALUES_MAX} values"));
        }
        let mut texts = Vec::new();
        for node in nodes.iter().take(VALUES_MAX) {
            match &node.content {
                Content::Scalar(text) if !text.trim().is_empty() => {
                    texts.push(value(name, text, node.place, problems));
                }
                Content::Scalar(_) | Content::Null => {
                    problems.add(node.place, format!("{name}: the value is empty"));
                }
                other => {
                    let kind = other.kind();
                    let text =
                        format!("{name}: expected a value or a list of them, this is {kind}");
                    problems.add(node.place, text);
                }
            }
        }
        texts
    }

    fn get(&self, name: &str) -> Option<&'a Node> {
        let (_, _, node) = self.0.iter().find(|(key, _, _)| *key == name)?;
        Some(*node)
    }
}

/// Refuses an empty value where a missing one means more: an exception without an end, or for
/// everything, is what somebody decided, not what a variable that is not set left of it.
fn check_empty(name: &str, place: Place, problems: &mut Problems) {
    const LIMITING: [&str; 8] = [
        "image",
        "package",
        "version",
        "path",
        "ecosystem",
        "expires",
        "until",
        "unless",
    ];
    if LIMITING.contains(&name) {
        let text = format!("{name}: the value is empty; leave the key out if nothing is meant");
        problems.add(place, text);
    }
}

fn value(name: &str, text: &str, place: Place, problems: &mut Problems) -> String {
    let text = text.trim();
    if text.len() > VALUE_LENGTH_MAX {
        problems.add(
            place,
            format!("{name}: longer than {VALUE_LENGTH_MAX} characters"),
        );
        return String::new();
    }
    // A reason may have several lines; reports have one for it.
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Reads the id of a vulnerability, in the form in which advisories write it.
pub(super) fn id(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    if text.contains(['*', '?']) {
        return Err(format!(
            "'{text}' is a pattern: only whole ids are accepted, or '*' together with package or path"
        ));
    }
    let is_id = text.len() <= 128
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c));
    if !is_id {
        return Err(format!(
            "'{text}' is no id of a vulnerability; several are a list: [CVE-…, CVE-…]"
        ));
    }
    let lower = text.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("cve-") {
        let is_number = |text: &str, least: usize| {
            text.len() >= least && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let is_cve = rest.split_once('-').is_some_and(|(year, number)| {
            year.len() == 4 && is_number(year, 4) && is_number(number, 4)
        });
        return match is_cve {
            true => Ok(format!("CVE-{rest}")),
            false => Err(format!(
                "'{text}' is no CVE id (expected CVE-YEAR-NUMBER, the number with four digits or more)"
            )),
        };
    }
    Ok(match lower.strip_prefix("ghsa-") {
        Some(rest) => format!("GHSA-{rest}"),
        None => text.to_owned(),
    })
}

/// Reads the name of a package, with `*`, or a package URL.
pub(super) fn package(text: &str) -> Result<PackagePattern, String> {
    if text.starts_with("pkg:") {
        let purl = text.parse();
        return purl
            .map(PackagePattern::Purl)
            .map_err(|error| format!("'{text}' is no package URL: {error}"));
    }
    NamePattern::parse(text)
        .map(PackagePattern::Name)
        .ok_or_else(|| "the name is too long".to_owned())
}

/// Reads the kind of packages.
pub(super) fn ecosystem(text: &str) -> Result<Condition, String> {
    ecosystem::named(text).ok_or_else(|| {
        let meant = nearest(text, ecosystem::names());
        match meant {
            Some(name) => format!("'{text}' is not known; did you mean {name}?"),
            None => format!("'{text}' is not known (npm, pypi, golang, maven, debian, alpine …)"),
        }
    })
}

/// Reads what ends an exception, and returns it as it is printed.
pub(super) fn end(text: &str) -> Result<(End, String), String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let lower = compact.to_ascii_lowercase();
    if lower == "kev" {
        return Ok((End::KnownExploited, lower));
    }
    let wrong = || format!("expected kev or epss>0.5, not '{text}'");
    let limit = lower.strip_prefix("epss>").ok_or_else(wrong)?;
    let limit = limit
        .parse::<f64>()
        .ok()
        .filter(|limit| (0.0..1.0).contains(limit));
    let limit = limit.ok_or_else(|| format!("'{text}': an EPSS score is a number from 0 to 1"))?;
    Ok((End::EpssAbove(limit), format!("epss>{limit}")))
}
