//! Splitting a command line as a shell does. Source: go-shellwords 1.0, without its options.

/// Splits a line into words. `None` if quotes are left open or parentheses stand alone.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let mut splitter = Splitter::default();
    for c in line.chars() {
        match splitter.take(c) {
            Step::Next => {}
            Step::Stop => break,
            Step::Malformed => return None,
        }
    }
    splitter.flush();
    let is_open = splitter.is_escaped || splitter.quote != Quote::None;
    (!is_open).then_some(splitter.words)
}

#[derive(Default)]
struct Splitter {
    words: Vec<String>,
    word: String,
    /// Says that a word has begun; one in quotes may be empty.
    state: WordState,
    is_escaped: bool,
    quote: Quote,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum WordState {
    #[default]
    None,
    Plain,
    Quoted,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Quote {
    #[default]
    None,
    Single,
    Double,
    Back,
    Dollar,
}

enum Step {
    Next,
    Stop,
    Malformed,
}

impl Splitter {
    fn take(&mut self, c: char) -> Step {
        if self.is_escaped {
            self.take_escaped(c);
            return Step::Next;
        }
        match (c, self.quote) {
            ('\\', Quote::Single) => self.word.push(c),
            ('\\', _) => self.is_escaped = true,
            (' ' | '\t' | '\r' | '\n', Quote::None) => self.flush(),
            (' ' | '\t' | '\r' | '\n', _) => self.word.push(c),
            ('`', Quote::None) => self.open(c, Quote::Back),
            ('`', Quote::Back) => self.open(c, Quote::None),
            (')', Quote::Dollar) => self.open(c, Quote::None),
            (')', Quote::None) => return Step::Malformed,
            ('(', Quote::None) if self.begins_substitution() => {
                self.quote = Quote::Dollar;
                self.word.push(c);
            }
            ('(', Quote::None | Quote::Dollar) => return Step::Malformed,
            ('"', Quote::None) => self.quote = Quote::Double,
            ('"', Quote::Double) => self.close(),
            ('\'', Quote::None) => self.quote = Quote::Single,
            ('\'', Quote::Single) => self.close(),
            (';' | '&' | '|' | '<' | '>', Quote::None) => {
                if c == '>' && !self.word.is_empty() && is_digits(&self.word) {
                    self.state = WordState::None;
                }
                return Step::Stop;
            }
            _ => self.push(c),
        }
        Step::Next
    }

    fn take_escaped(&mut self, c: char) {
        self.is_escaped = false;
        if matches!(self.quote, Quote::Back | Quote::Dollar) {
            self.word.push('\\');
            self.push(c);
            return;
        }
        self.push(match c {
            't' => '\t',
            'n' => '\n',
            _ => c,
        });
    }

    fn push(&mut self, c: char) {
        self.word.push(c);
        self.state = WordState::Plain;
    }

    fn open(&mut self, c: char, quote: Quote) {
        self.quote = quote;
        self.push(c);
    }

    fn close(&mut self) {
        self.quote = Quote::None;
        self.state = WordState::Quoted;
    }

    fn begins_substitution(&self) -> bool {
        self.word.ends_with('$') && !self.word.ends_with("\\$")
    }

    fn flush(&mut self) {
        let is_word = self.state == WordState::Quoted
            || (self.state == WordState::Plain && !self.word.is_empty());
        if is_word {
            self.words.push(std::mem::take(&mut self.word));
        }
        self.word.clear();
        self.state = WordState::None;
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&[&str]>) {
        let words = split(line);
        let words: Option<Vec<&str>> = words
            .as_ref()
            .map(|words| words.iter().map(String::as_str).collect());
        assert_eq!(words.as_deref(), expected, "{line}");
    }

    #[test]
    fn words_are_those_of_a_shell() {
        check("", Some(&[]));
        check("-s  -w\t-X a=b", Some(&["-s", "-w", "-X", "a=b"]));
        check(
            r#"-X "a b=c" 'd e' f\ g"#,
            Some(&["-X", "a b=c", "d e", "f g"]),
        );
        check(r#"-X='a"b' "" x"#, Some(&["-X=a\"b", "", "x"]));
        check(r"'a\b' a\tb", Some(&["a\\b", "a\tb"]));
        check("a $(b c) `d e`", Some(&["a", "$(b c)", "`d e`"]));
        check("a; b", Some(&["a"]));
        check("a 2> b", Some(&["a"]));
        check("a 'b", None);
        check("a (b", None);
        check("a)", None);
        check("a\\", None);
    }
}
