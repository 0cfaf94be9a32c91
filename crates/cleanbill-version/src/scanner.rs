//! Reads a text from left to right. Every class of characters is ASCII, so positions never lie
//! inside a character.

/// Says whether a byte is of a class.
pub(crate) type Class = fn(u8) -> bool;

pub(crate) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Letters, digits and `-`: what identifiers of semantic versions are made of.
pub(crate) fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// White space as Go's regular expressions know it: neither vertical tabs nor Unicode's.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0C' | b'\r' | b' ')
}

/// Is a place in a text. A copy remembers the place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the position in bytes.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Returns what has not been read.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Says whether the next byte is of a class.
    pub(crate) fn sees(&self, class: Class) -> bool {
        self.peek().is_some_and(class)
    }

    /// Takes a byte if it is next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes a byte of a class if one is next.
    pub(crate) fn take_one(&mut self, class: Class) -> bool {
        let is_next = self.sees(class);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes an ASCII word if it is next.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.rest().starts_with(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    /// Takes as many bytes of a class as there are; `None` if there is none.
    pub(crate) fn take_run(&mut self, class: Class) -> Option<&'a str> {
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| class(*byte)).count();
        self.at += length;
        rest.get(..length).filter(|run| !run.is_empty())
    }

    /// Takes runs of a class with single dots between them. A dot without a run after it is left.
    pub(crate) fn take_dotted(&mut self, class: Class) -> Option<&'a str> {
        self.take_runs(class, |byte| byte == b'.')
    }

    /// Takes runs of a class with single separators between them. A separator without a run after
    /// it is left.
    pub(crate) fn take_runs(&mut self, class: Class, is_separator: Class) -> Option<&'a str> {
        let start = self.at;
        self.take_run(class)?;
        loop {
            let mut next = *self;
            if !next.take_one(is_separator) || next.take_run(class).is_none() {
                return self.text.get(start..self.at);
            }
            *self = next;
        }
    }

    /// Takes `mark` and what `read` makes of the text after it, or nothing.
    pub(crate) fn take_after<T>(
        &mut self,
        mark: u8,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let mut next = *self;
        let found = next.take(mark).then(|| read(&mut next)).flatten()?;
        *self = next;
        Some(found)
    }

    /// Takes what `read` makes of the text, or nothing.
    pub(crate) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut next = *self;
        let found = read(&mut next)?;
        *self = next;
        Some(found)
    }

    pub(crate) fn skip_spaces(&mut self) {
        let _ = self.take_run(is_space);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_there_and_nothing_else() {
        let mut text = Scanner::new("1.2.x");
        assert_eq!(text.take_dotted(is_digit), Some("1.2"));
        assert_eq!(text.rest(), ".x");
        assert_eq!(text.take_after(b'.', |rest| rest.take_run(is_digit)), None);
        assert_eq!(
            text.take_after(b'.', |rest| rest.take_run(is_identifier)),
            Some("x")
        );
        assert!(text.is_at_end());
        assert_eq!(text.take_run(is_digit), None);
    }
}
