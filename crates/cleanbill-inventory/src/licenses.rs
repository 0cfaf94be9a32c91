//! Licence names as reports print them: SPDX identifiers where a name can be read as one.
//!
//! Source: spec 04 section 0.7 and Trivy 0.74.0 `pkg/licensing/normalize.go`, whose outcome is
//! hashed into the UIDs of packages. The table is facts: `licenses/names.tsv` (a name as people
//! write it, in upper case; the SPDX identifier; `+` for "or later").

mod text;
mod urls;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

pub(crate) use text::classify;
pub(crate) use urls::spdx_id_by_url;

/// Stands before the path of a file that holds the text of a licence, in place of its name.
pub(crate) const FILE_PREFIX: &str = "file://";

/// Normalises each name and drops empty and repeated ones.
pub(crate) fn normalize_list(licenses: &[String]) -> Vec<String> {
    // Most packages have one licence; a list that grows has room for four.
    let mut normalized: Vec<String> = Vec::with_capacity(licenses.len());
    let mut seen = HashSet::new();
    for license in licenses.iter().map(|license| normalize(license)) {
        if !license.is_empty() && seen.insert(license.clone()) {
            normalized.push(license);
        }
    }
    normalized
}

/// Returns the SPDX identifier that a name means, or the name itself without the blanks around
/// it.
pub(crate) fn normalize(name: &str) -> String {
    let name = name.trim();
    let key = LookupKey::of(name);
    if let Some(&(id, is_or_later)) = TABLES.names.get(key.text.as_str()) {
        return spell(id, is_or_later || key.is_or_later);
    }
    match TABLES.ids.get(key.text.as_str()) {
        Some(id) => spell(id, key.is_or_later),
        None => spell(name, false),
    }
}

/// Splits a text that names licences joined by "or", "and" or commas. A text that looks like the
/// licence itself is one entry with the prefix `text://`.
pub(crate) fn split(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let lower = text.to_lowercase();
    if LICENSE_TEXT_WORDS.iter().any(|word| lower.contains(word)) {
        return vec![format!("text://{text}")];
    }
    let mut licenses: Vec<String> = Vec::new();
    for piece in SEPARATOR.split(text) {
        let belongs_to_last = licenses.last_mut().is_some_and(|last| rejoin(last, piece));
        if !belongs_to_last {
            licenses.push(piece.to_owned());
        }
    }
    licenses
}

/// Splits a text that names licences joined by blanks, `AND` or `OR`, and normalises each; `WITH`
/// joins a licence with its exception.
pub(crate) fn split_at_blanks(text: &str) -> Vec<String> {
    let text = VERSION_ANYWHERE.replace_all(text, "$1-$4");
    let mut licenses: Vec<String> = Vec::new();
    let mut is_exception = false;
    for word in text.split_whitespace() {
        match word.trim_matches(['(', ')']) {
            "" | "AND" | "OR" => {}
            "WITH" => is_exception = true,
            name => match licenses.last_mut() {
                Some(last) if is_exception => {
                    last.push_str(" WITH ");
                    last.push_str(&normalize(name));
                    is_exception = false;
                }
                _ => licenses.push(normalize(name)),
            },
        }
    }
    licenses
}

/// Puts a piece back where the separator belonged to the name. Says whether it did, or whether
/// the piece is to be dropped.
fn rejoin(last: &mut String, piece: &str) -> bool {
    let lower = piece.to_lowercase();
    match lower.split(' ').next().unwrap_or_default() {
        "ver" | "version" => last.push_str(&format!(", {piece}")),
        "later" => last.push_str(&format!(" or {piece}")),
        word => {
            let Some((_, name)) = CLASSIFIERS.iter().find(|(first, _)| *first == word) else {
                return false;
            };
            let is_joined = [" or ", " and "]
                .iter()
                .any(|separator| *name == format!("{last}{separator}{piece}"));
            if is_joined {
                (*name).clone_into(last);
            }
        }
    }
    true
}

/// Writes an identifier: the GNU licences have words for "or later" and "only", the others have
/// a plus sign.
fn spell(id: &str, is_or_later: bool) -> String {
    let suffix = match (GNU_IDS.contains(&id), is_or_later) {
        (true, true) => "-or-later",
        (true, false) => "-only",
        (false, true) => "+",
        (false, false) => "",
    };
    format!("{id}{suffix}")
}

/// Holds what a name is looked up by.
struct LookupKey {
    text: String,
    is_or_later: bool,
}

impl LookupKey {
    fn of(name: &str) -> Self {
        let upper = uppercase(&name.split_whitespace().collect::<Vec<_>>().join(" "));
        if upper.starts_with("HTTP") {
            return Self {
                text: upper,
                is_or_later: false,
            };
        }
        let spelled = upper.replace("LICENCE", "LICENSE");
        let mut text = spelled.strip_prefix("THE ").unwrap_or(&spelled);
        for suffix in [" LICENSE", " LICENSED", "-LICENSE", "-LICENSED"] {
            text = text.strip_suffix(suffix).unwrap_or(text);
        }
        if text != "UNLICENSE" {
            text = text.strip_suffix("LICENSE").unwrap_or(text);
        }
        if text != "UNLICENSED" {
            text = text.strip_suffix("LICENSED").unwrap_or(text);
        }
        let mut is_or_later = false;
        for suffix in ["+", "-OR-LATER", " OR LATER"] {
            if let Some(rest) = text.strip_suffix(suffix) {
                text = rest;
                is_or_later = true;
            }
        }
        for suffix in ["-ONLY", " ONLY"] {
            text = text.strip_suffix(suffix).unwrap_or(text);
        }
        Self {
            text: VERSION_AT_END.replace(text, "$1-$4").into_owned(),
            is_or_later,
        }
    }
}

/// Maps each character on its own, as the keys of the table were made: `ß` stays.
fn uppercase(text: &str) -> String {
    text.chars()
        .map(|character| {
            let mut upper = character.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(single), None) => single,
                _ => character,
            }
        })
        .collect()
}

/// Holds the tables, indexed.
struct Tables {
    /// By the name in upper case: the identifier, and whether the name means "or later".
    names: HashMap<&'static str, (&'static str, bool)>,
    /// The identifiers by their upper-case form.
    ids: HashMap<String, &'static str>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    names: include_str!("licenses/names.tsv")
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let (name, id) = (fields.next()?, fields.next()?);
            Some((name, (id, fields.next() == Some("+"))))
        })
        .collect(),
    ids: cleanbill_core::spdx::LICENSE_IDS
        .lines()
        .map(|id| (uppercase(id), id))
        .collect(),
});

/// A version at the end of a name, with the words and separators before it.
static VERSION_AT_END: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("{VERSION}$")));

/// A version anywhere, in any case.
static VERSION_ANYWHERE: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("(?i){VERSION}")));

/// What stands between licences in a list.
static SEPARATOR: LazyLock<Regex> = LazyLock::new(|| pattern(",?[_ ]+(?:or|and)[_ ]+|, *"));

const VERSION: &str = r"([A-UW-Z)])( LICENSE)?[\t\n\x0c\r ]*[,(-]?[\t\n\x0c\r ]*(V|V\.|VER|VER\.|VERSION|VERSION-|-)?[\t\n\x0c\r ]*([1-9](?:\.[0-9])*)[)]?";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant that a test compiles")
}

/// Words that occur in the text of a licence, not in its name.
const LICENSE_TEXT_WORDS: &[&str] = &[
    "http://",
    "https://",
    "(c)",
    "as-is",
    ";",
    "hereby",
    "permission to use",
    "permission is",
    "use in source",
    "use, copy, modify",
    "using",
];

/// Names from Python's classifiers that hold a separator, by the first word after it.
const CLASSIFIERS: &[(&str, &str)] = &[
    (
        "lesser",
        "GNU Library or Lesser General Public License (LGPL)",
    ),
    (
        "distribution",
        "Common Development and Distribution License 1.0 (CDDL-1.0)",
    ),
    (
        "disclaimer",
        "Historical Permission Notice and Disclaimer (HPND)",
    ),
];

/// Identifiers that SPDX writes with `-only` or `-or-later`.
const GNU_IDS: &[&str] = &[
    "AGPL-1.0",
    "AGPL-3.0",
    "GFDL-1.1-invariants",
    "GFDL-1.1-no-invariants",
    "GFDL-1.1",
    "GFDL-1.2-invariants",
    "GFDL-1.2-no-invariants",
    "GFDL-1.2",
    "GFDL-1.3-invariants",
    "GFDL-1.3-no-invariants",
    "GFDL-1.3",
    "GPL-1.0",
    "GPL-2.0",
    "GPL-3.0",
    "LGPL-2.0",
    "LGPL-2.1",
    "LGPL-3.0",
];

#[cfg(test)]
mod tests;
