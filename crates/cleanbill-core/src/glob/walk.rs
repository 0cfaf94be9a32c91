//! The matching itself: one pass with two places to fall back to.

use super::expand::{Alternative, class_end};

const SEPARATOR: char = '/';

/// Says whether the alternative matches the whole path.
pub(super) fn matches(alternative: &Alternative, path: &str) -> bool {
    Walk {
        alternative,
        path,
        pattern_at: 0,
        path_at: 0,
        groups_entered: 0,
        starts_component: true,
        star: None,
        doublestar: None,
    }
    .run()
}

/// Where to go on after a mismatch: the pattern behind a star, and the path one step further than
/// what the star has swallowed so far.
#[derive(Clone, Copy)]
struct Fallback {
    pattern_at: usize,
    path_at: usize,
}

struct Walk<'a> {
    alternative: &'a Alternative,
    path: &'a str,
    pattern_at: usize,
    path_at: usize,
    groups_entered: usize,
    starts_component: bool,
    star: Option<Fallback>,
    doublestar: Option<Fallback>,
}

enum Step {
    Matched,
    Mismatched,
    /// The pattern ends in `**`: whatever follows matches.
    MatchedAll,
}

impl Walk<'_> {
    fn run(mut self) -> bool {
        while let Some(char) = self.path_char(self.path_at) {
            match self.step(char) {
                Step::Matched => {}
                Step::MatchedAll => return true,
                Step::Mismatched => {
                    if !self.retry_star() && !self.retry_doublestar() {
                        return false;
                    }
                }
            }
        }
        self.rest_matches_nothing()
    }

    fn step(&mut self, char: char) -> Step {
        self.enter_groups();
        match self.pattern_char(self.pattern_at) {
            None => Step::Mismatched,
            Some('*') => self.open_star(),
            Some('?') => {
                self.starts_component = false;
                if char == SEPARATOR {
                    return Step::Mismatched;
                }
                self.consume(char, self.pattern_at + 1)
            }
            Some('[') => {
                self.starts_component = false;
                match self.class(char) {
                    Some(end) => self.consume(char, end),
                    None => Step::Mismatched,
                }
            }
            Some('\\') => self.literal(char, self.pattern_at + 1),
            Some(_) => self.literal(char, self.pattern_at),
        }
    }

    /// A group counts as the start of a component when it is first reached.
    fn enter_groups(&mut self) {
        while self.next_group() == Some(self.pattern_at) {
            self.groups_entered += 1;
            self.starts_component = true;
        }
    }

    fn next_group(&self) -> Option<usize> {
        self.alternative
            .group_starts
            .get(self.groups_entered)
            .copied()
    }

    fn open_star(&mut self) -> Step {
        let second = self.pattern_at + 1;
        let is_double = self.pattern_char(second) == Some('*') && self.next_group() != Some(second);
        let after = second + usize::from(is_double);
        if is_double && self.starts_component {
            let group_follows = self.next_group() == Some(after);
            match self.pattern_char(after) {
                None if !group_follows => return Step::MatchedAll,
                Some(SEPARATOR) if !group_follows => {
                    self.pattern_at = after + 1;
                    self.doublestar = Some(self.here());
                    self.star = None;
                    return Step::Matched;
                }
                _ => {}
            }
        }
        self.starts_component = false;
        self.pattern_at = after;
        self.star = Some(self.here());
        Step::Matched
    }

    fn here(&self) -> Fallback {
        Fallback {
            pattern_at: self.pattern_at,
            path_at: self.path_at,
        }
    }

    fn literal(&mut self, char: char, literal_at: usize) -> Step {
        if self.pattern_char(literal_at) != Some(char) {
            return Step::Mismatched;
        }
        self.starts_component = char == SEPARATOR;
        self.consume(char, literal_at + 1)
    }

    fn consume(&mut self, char: char, pattern_at: usize) -> Step {
        self.pattern_at = pattern_at;
        self.path_at += char.len_utf8();
        Step::Matched
    }

    /// Returns the end of the class at the current place if the character passes it. A class can
    /// match the separator, as in the reference.
    fn class(&self, char: char) -> Option<usize> {
        let pattern = &self.alternative.chars;
        let end = class_end(pattern, self.pattern_at)?;
        let members = pattern.get(self.pattern_at + 1..end - 1)?;
        let (negated, members) = match members {
            ['^' | '!', members @ ..] => (true, members),
            members => (false, members),
        };
        (class_holds(members, char) != negated).then_some(end)
    }

    fn retry_star(&mut self) -> bool {
        let Some(star) = self.star.as_mut() else {
            return false;
        };
        let swallowed = self.path.get(star.path_at..).and_then(|p| p.chars().next());
        match swallowed {
            None | Some(SEPARATOR) => false,
            Some(char) => {
                star.path_at += char.len_utf8();
                let star = *star;
                self.go_to(star, false);
                true
            }
        }
    }

    fn retry_doublestar(&mut self) -> bool {
        let Some(doublestar) = self.doublestar.as_mut() else {
            return false;
        };
        let rest = self.path.get(doublestar.path_at..).unwrap_or_default();
        let Some(separator) = rest.find(SEPARATOR) else {
            return false;
        };
        doublestar.path_at += separator + SEPARATOR.len_utf8();
        let doublestar = *doublestar;
        self.go_to(doublestar, true);
        true
    }

    fn go_to(&mut self, place: Fallback, starts_component: bool) {
        self.pattern_at = place.pattern_at;
        self.path_at = place.path_at;
        self.starts_component = starts_component;
    }

    /// At the end of the path only a star or a whole `**` component may be left: `a/**` matches `a`.
    /// A group that is not reached yet counts as text, as in the reference.
    fn rest_matches_nothing(&mut self) -> bool {
        self.enter_groups();
        if self.next_group().is_some() {
            return false;
        }
        matches!(
            self.alternative.chars.get(self.pattern_at..),
            Some(
                [] | ['*']
                    | ['*', '*']
                    | [SEPARATOR, '*', '*']
                    | ['*', '*', SEPARATOR]
                    | [SEPARATOR, '*', '*', SEPARATOR]
            )
        )
    }

    fn pattern_char(&self, at: usize) -> Option<char> {
        self.alternative.chars.get(at).copied()
    }

    fn path_char(&self, at: usize) -> Option<char> {
        self.path.get(at..).and_then(|rest| rest.chars().next())
    }
}

/// Says whether the character is one of the members, or within one of their ranges.
fn class_holds(members: &[char], char: char) -> bool {
    let mut rest = members;
    let mut range_start = None;
    loop {
        let (first, after) = match (range_start, rest) {
            (_, []) => return false,
            (Some(low), ['-', '\\', high, after @ ..] | ['-', high, after @ ..]) => {
                if (low..=*high).contains(&char) {
                    return true;
                }
                rest = after;
                range_start = None;
                continue;
            }
            (_, ['\\', escaped, after @ ..]) => (*escaped, after),
            (_, [first, after @ ..]) => (*first, after),
        };
        if first == char {
            return true;
        }
        range_start = (first < char::MAX).then_some(first);
        rest = after;
    }
}
