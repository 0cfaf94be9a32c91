//! Ruby gems, from the specifications of installed ones.
//!
//! Specifications are programs. As in the reference implementation, lines that assign a value to
//! a member of the specification are looked for, nothing is run.
//!
//! Source: spec 04 section 1.1; Trivy 0.74.0 `pkg/dependency/parser/ruby/gemspec`.

use cleanbill_core::Package;

use super::{extract_manifest, package};
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::licenses;
use crate::lines::lossy;

const KIND: &str = "gemspec";

/// Bytes of a line, with which the reference implementation gives a file up.
const LINE_SIZE_BYTES_MAX: usize = 64 << 10;

/// Finds the gem that `specifications/<name>.gemspec` describes.
pub(crate) struct Gemspec;

impl Extractor for Gemspec {
    fn name(&self) -> &'static str {
        KIND
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path.contains(".gemspec") && is_specification(path)
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        extract_manifest(KIND, file, draft, parse)
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Follow
    }
}

/// Says whether a path holds `/specifications/` and, with something between, `.gemspec`.
fn is_specification(path: &str) -> bool {
    let Some((_, rest)) = path.split_once("/specifications/") else {
        return false;
    };
    let first = rest.chars().next().map_or(0, char::len_utf8);
    rest.get(first..)
        .is_some_and(|rest| rest.contains(".gemspec"))
}

fn parse(bytes: &[u8]) -> Result<Option<Package>, String> {
    let specification = Specification::read(bytes)?;
    if specification.name.is_empty() || specification.version.is_empty() {
        return Err("it names no gem or no version".to_owned());
    }
    Ok(Some(Package {
        licenses: licenses::split(&specification.license),
        ..package(specification.name, specification.version)
    }))
}

/// Holds what was assigned last.
#[derive(Default)]
struct Specification {
    /// The variable that holds the specification, once known.
    variable: String,
    name: String,
    version: String,
    license: String,
}

impl Specification {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut specification = Self::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            if line.len() >= LINE_SIZE_BYTES_MAX {
                return Err(format!("a line has {LINE_SIZE_BYTES_MAX} bytes or more"));
            }
            specification.read_line(lossy(line).trim());
            let Self {
                name,
                version,
                license,
                ..
            } = &specification;
            if !name.is_empty() && !version.is_empty() && !license.is_empty() {
                break;
            }
        }
        Ok(specification)
    }

    fn read_line(&mut self, line: &str) {
        if line.contains("Gem::Specification.new") {
            between_bars(line).clone_into(&mut self.variable);
        }
        if self.variable.is_empty() {
            return;
        }
        let Some(member) = line.strip_prefix(self.variable.as_str()) else {
            return;
        };
        // The order matters: `.license` is a prefix of `.licenses`.
        if member.starts_with(".name") {
            self.name = assigned_word(line, ".name");
        } else if member.starts_with(".version") {
            self.version = assigned_word(line, ".version");
        } else if member.starts_with(".licenses") {
            self.license = assigned_list(line, ".licenses");
        } else if member.starts_with(".license") {
            self.license = assigned_word(line, ".license");
        }
    }
}

/// Returns what stands between the first and the last bar of a line: `do |s|`.
fn between_bars(line: &str) -> &str {
    let after_first = line.split_once('|').map_or("", |(_, rest)| rest);
    after_first.rsplit_once('|').map_or("", |(inner, _)| inner)
}

/// Returns the word that a line assigns to a member, without quotation marks; empty if it assigns
/// none.
fn assigned_word(line: &str, member: &str) -> String {
    let words =
        assigned(line, member).map(|value| value.split(is_blank).next().unwrap_or_default());
    let mut words = words.filter(|word| !word.is_empty());
    bare(words.next().unwrap_or_default()).to_owned()
}

/// Returns the items of the list that a line assigns to a member, joined by commas.
fn assigned_list(line: &str, member: &str) -> String {
    let mut lists = assigned(line, member).filter_map(|value| {
        let (items, _) = value.strip_prefix('[')?.rsplit_once(']')?;
        (!items.is_empty()).then_some(items)
    });
    let items = lists.next().unwrap_or_default().split(',').map(bare);
    items.collect::<Vec<_>>().join(", ")
}

/// Iterates over what follows `<member> =` in a line, without the blanks before it.
fn assigned<'a>(line: &'a str, member: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(member).filter_map(move |(at, _)| {
        let rest = line.get(at + member.len()..)?.trim_start_matches(is_blank);
        Some(rest.strip_prefix('=')?.trim_start_matches(is_blank))
    })
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// Takes `.freeze` and quotation marks off.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_suffix(".freeze").unwrap_or(text);
    text.trim_matches(['\'', '"'])
}

#[cfg(test)]
mod tests;
