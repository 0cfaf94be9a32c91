//! Sets of places in a text, for finding out whether there is any way to read it.

use super::Operators;
use crate::scanner::{Class, is_space};

/// Is a set of places in a text: those where reading may have come to.
#[derive(Clone, Debug)]
pub(crate) struct Positions<'a> {
    text: &'a [u8],
    /// One for each byte, and one for the end.
    is_in: Vec<bool>,
}

impl<'a> Positions<'a> {
    /// Is at the beginning of a text.
    pub(crate) fn start(text: &'a str) -> Self {
        let mut is_in = vec![false; text.len() + 1];
        if let Some(first) = is_in.first_mut() {
            *first = true;
        }
        Self {
            text: text.as_bytes(),
            is_in,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.is_in.contains(&true)
    }

    pub(crate) fn holds_end(&self) -> bool {
        self.is_in.last() == Some(&true)
    }

    /// Adds the places of another set.
    pub(crate) fn or(&self, other: &Self) -> Self {
        self.combine(other, |own, others| own || others)
    }

    /// Takes away the places of another set.
    pub(crate) fn without(&self, other: &Self) -> Self {
        self.combine(other, |own, others| own && !others)
    }

    fn combine(&self, other: &Self, decide: impl Fn(bool, bool) -> bool) -> Self {
        let pairs = self.is_in.iter().zip(&other.is_in);
        Self {
            text: self.text,
            is_in: pairs.map(|(own, others)| decide(*own, *others)).collect(),
        }
    }

    /// Goes past one byte of a class.
    pub(crate) fn one(&self, class: Class) -> Self {
        let passed = self.text.iter().zip(&self.is_in);
        let passed = passed.map(|(byte, is_in)| *is_in && class(*byte));
        Self {
            text: self.text,
            is_in: std::iter::once(false).chain(passed).collect(),
        }
    }

    /// Goes past a word.
    pub(crate) fn word(&self, word: &str) -> Self {
        let mut is_in = vec![false; self.is_in.len()];
        for (from, _) in self.is_in.iter().enumerate().filter(|(_, is_in)| **is_in) {
            let is_next =
                (self.text.get(from..)).is_some_and(|rest| rest.starts_with(word.as_bytes()));
            if let (true, Some(to)) = (is_next, is_in.get_mut(from + word.len())) {
                *to = true;
            }
        }
        Self {
            text: self.text,
            is_in,
        }
    }

    /// Goes past any of several words.
    pub(crate) fn any_word(&self, words: &[&str]) -> Self {
        let none = Self {
            text: self.text,
            is_in: vec![false; self.is_in.len()],
        };
        let passed = words.iter().map(|word| self.word(word));
        passed.fold(none, |all, passed| all.or(&passed))
    }

    /// Goes past one byte of a class or more.
    pub(crate) fn run(&self, class: Class) -> Self {
        let mut is_in = vec![false; self.is_in.len()];
        let mut is_inside = false;
        for ((byte, starts), ends) in
            (self.text.iter().zip(&self.is_in)).zip(is_in.iter_mut().skip(1))
        {
            is_inside = (is_inside || *starts) && class(*byte);
            *ends = is_inside;
        }
        Self {
            text: self.text,
            is_in,
        }
    }

    /// Goes past runs of a class with one separator between any two.
    pub(crate) fn runs(&self, class: Class, is_separator: Class) -> Self {
        let mut last = self.run(class);
        let mut all = last.clone();
        while !last.is_empty() {
            last = last.one(is_separator).run(class).without(&all);
            all = all.or(&last);
        }
        all
    }

    /// Goes past runs of a class with one dot between any two.
    pub(crate) fn dotted(&self, class: Class) -> Self {
        self.runs(class, |byte| byte == b'.')
    }

    /// Goes past something, or not.
    pub(crate) fn optional(&self, pass: impl FnOnce(&Self) -> Self) -> Self {
        self.or(&pass(self))
    }

    pub(crate) fn spaces(&self) -> Self {
        self.optional(|rest| rest.run(is_space))
    }

    /// Goes past any of several operators.
    pub(crate) fn operator(&self, operators: &[Operators]) -> Self {
        let operators = operators.iter().copied().flatten();
        let words: Vec<&str> = operators.map(|(word, _)| *word).collect();
        self.any_word(&words)
    }
}
