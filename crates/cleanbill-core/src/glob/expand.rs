//! Validation of patterns, and the expansion of `{…}` into the patterns it stands for.

use super::ALTERNATIVES_MAX;

/// Holds one pattern without groups.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    /// The pattern.
    pub(super) chars: Vec<char>,
    /// Where groups began, ascending; nested and empty groups can share a place. The reference
    /// takes such a place for the start of a component, so `a{**/b}` is more than `a**/b`.
    pub(super) group_starts: Vec<usize>,
}

pub(super) enum ExpandError {
    Malformed,
    TooMany,
}

/// Says whether classes, groups and escapes are complete.
pub(super) fn is_valid(pattern: &[char]) -> bool {
    let mut open_groups = 0_usize;
    let mut at = 0;
    while let Some(&char) = pattern.get(at) {
        at = match char {
            '\\' if at + 1 >= pattern.len() => return false,
            '\\' => at + 2,
            '[' => match class_end(pattern, at) {
                Some(end) => end,
                None => return false,
            },
            '{' => {
                open_groups += 1;
                at + 1
            }
            '}' => match open_groups.checked_sub(1) {
                Some(rest) => {
                    open_groups = rest;
                    at + 1
                }
                None => return false,
            },
            _ => at + 1,
        };
    }
    open_groups == 0
}

/// Expands all groups, leftmost first, keeping the order of the alternatives.
pub(super) fn expand(pattern: Vec<char>) -> Result<Vec<Alternative>, ExpandError> {
    let first = Alternative {
        chars: pattern,
        group_starts: Vec::new(),
    };
    let mut done = Vec::new();
    let mut pending = vec![(first, 0)];
    while let Some((alternative, searched_until)) = pending.pop() {
        let Some(open) = group_start(&alternative.chars, searched_until) else {
            if !is_valid(&alternative.chars) {
                return Err(ExpandError::Malformed);
            }
            done.push(alternative);
            continue;
        };
        let (choices, after) = group(&alternative.chars, open).ok_or(ExpandError::Malformed)?;
        if done.len() + pending.len() + choices.len() > ALTERNATIVES_MAX {
            return Err(ExpandError::TooMany);
        }
        for choice in choices.into_iter().rev() {
            pending.push((substitute(&alternative, open, choice, after), open));
        }
    }
    Ok(done)
}

/// Finds the first `{` at or after `from` that is neither escaped nor inside a class.
fn group_start(pattern: &[char], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at = match pattern.get(at)? {
            '{' => return Some(at),
            '\\' => at + 2,
            '[' => class_end(pattern, at)?,
            _ => at + 1,
        };
    }
}

/// Splits the group that opens at `open` into its alternatives; also returns where it ends. Classes
/// do not protect commas and braces here, as in the reference.
fn group(pattern: &[char], open: usize) -> Option<(Vec<&[char]>, usize)> {
    let mut choices = Vec::new();
    let mut choice_start = open + 1;
    let mut at = open + 1;
    let mut depth = 1_usize;
    loop {
        match pattern.get(at)? {
            '\\' => at += 1,
            '{' => depth += 1,
            '}' if depth == 1 => {
                choices.push(pattern.get(choice_start..at)?);
                return Some((choices, at + 1));
            }
            '}' => depth -= 1,
            ',' if depth == 1 => {
                choices.push(pattern.get(choice_start..at)?);
                choice_start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
}

fn substitute(from: &Alternative, open: usize, choice: &[char], after: usize) -> Alternative {
    let before = from.chars.iter().take(open);
    let rest = from.chars.iter().skip(after);
    let mut group_starts = from.group_starts.clone();
    group_starts.push(open);
    Alternative {
        chars: before.chain(choice).chain(rest).copied().collect(),
        group_starts,
    }
}

/// Returns the place after the class that opens at `open`, or `None` if it is empty or open.
pub(super) fn class_end(pattern: &[char], open: usize) -> Option<usize> {
    let mut at = open + 1;
    if matches!(pattern.get(at)?, '^' | '!') {
        at += 1;
    }
    if pattern.get(at)? == &']' {
        return None;
    }
    loop {
        match pattern.get(at)? {
            '\\' => at += 2,
            ']' => return Some(at + 1),
            _ => at += 1,
        }
    }
}
