//! The `WWW-Authenticate` header.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// Challenges that are read of one answer; a registry sends one or two.
const CHALLENGES_MAX: usize = 8;

/// Says how a server wants to be told who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// The scheme in lower case: `bearer`, `basic`.
    pub(crate) scheme: String,
    /// The parameters, names in lower case.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Reads the challenges of an answer. What makes no sense is passed over.
    ///
    /// Source: RFC 9110 section 11.6.1.
    pub(crate) fn of(headers: &HeaderMap) -> Vec<Self> {
        headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(parse)
            .take(CHALLENGES_MAX)
            .collect()
    }

    /// Returns a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

fn parse(text: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = split_token(rest);
        if word.is_empty() {
            return challenges;
        }
        rest = match after.trim_start().strip_prefix('=') {
            Some(value) => {
                let (value, after) = split_value(value.trim_start());
                if let Some(challenge) = challenges.last_mut() {
                    challenge
                        .parameters
                        .push((word.to_ascii_lowercase(), value));
                }
                after
            }
            None => {
                let scheme = word.to_ascii_lowercase();
                challenges.push(Challenge {
                    scheme,
                    parameters: Vec::new(),
                });
                after
            }
        };
    }
}

fn split_token(text: &str) -> (&str, &str) {
    let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | '=' | '"');
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

/// Splits a value off: a token, or a quoted string, whose escapes are resolved.
fn split_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find([',', ' ', '\t']).unwrap_or(text.len()));
        return (token.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => value.extend(characters.next()),
            _ => value.push(c),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let printed: Vec<String> = parse(text)
            .into_iter()
            .map(|challenge| {
                let parameters: Vec<String> = challenge
                    .parameters
                    .iter()
                    .map(|(k, v)| format!("{k}=<{v}>"))
                    .collect();
                format!("{} {}", challenge.scheme, parameters.join(" "))
                    .trim_end()
                    .to_owned()
            })
            .collect();
        assert_eq!(printed.join("; "), expected);
    }

    #[test]
    fn challenges_are_read() {
        check("", "");
        check("Basic", "basic");
        check(r#"Basic realm="a, b""#, "basic realm=<a, b>");
        check(
            r#"Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull""#,
            "bearer realm=<https://auth.example/token> service=<r> scope=<repository:a/b:pull>",
        );
        check(
            r#"Bearer Realm = "x" , error=invalid_token, Basic realm="y\"z""#,
            r#"bearer realm=<x> error=<invalid_token>; basic realm=<y"z>"#,
        );
        check(r#"Bearer realm="unclosed"#, "bearer realm=<unclosed>");
        check(r#"=x"#, "");
        check(r#"realm="x""#, "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_text_is_read_without_panic(text in r#"[a-z=", \\é]{0,40}"#) {
            prop_assert!(parse(&text).len() <= text.len());
        }
    }
}
