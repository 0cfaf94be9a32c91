//! Values of rules, read one way whatever the form of the file.

use std::time::Duration;

use cleanbill_core::Severity;
use cleanbill_core::severity::SeverityError;

use super::{Reader, cut, parse_exit_code};
use crate::delta::SeverityFilter;
use crate::document::{Content, Node, Place, nearest};
use crate::gate::Tolerance;

/// The longest age that makes sense: a hundred years.
const AGE_SECONDS_MAX: u64 = 100 * 365 * 24 * 3600;

impl Reader {
    /// Reads a number of findings.
    pub(super) fn count(&mut self, key: &str, value: &Node) -> Option<u64> {
        let text = self.scalar(key, value, "a number of findings")?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let wrong = match text.strip_prefix('-') {
            Some(rest) if digits(rest) => format!(
                "{key}: {text} is negative: expected the highest number of findings that passes, 0 \
                 for none"
            ),
            None if digits(text) => match text.parse() {
                Ok(count) => return Some(count),
                Err(_) => format!("{key}: {} is too large", cut(text)),
            },
            _ => format!(
                "{key}: '{}' is no number: expected the highest number of findings that passes",
                cut(text)
            ),
        };
        self.wrong(value.place, wrong);
        None
    }

    /// Reads a truth value.
    pub(super) fn boolean(&mut self, key: &str, value: &Node) -> Option<bool> {
        let text = self.scalar(key, value, "true or false")?;
        match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                let text = cut(text);
                self.wrong(
                    value.place,
                    format!("{key}: '{text}' is neither true nor false"),
                );
                None
            }
        }
    }

    /// Reads `fail` or `allow`.
    pub(super) fn tolerance(&mut self, key: &str, value: &Node) -> Option<Tolerance> {
        let text = self.scalar(key, value, "fail or allow")?;
        match text {
            "fail" => Some(Tolerance::Fail),
            "allow" => Some(Tolerance::Allow),
            _ => {
                let text = cut(text);
                self.wrong(
                    value.place,
                    format!("{key}: '{text}' is neither fail nor allow"),
                );
                None
            }
        }
    }

    /// Reads a probability.
    pub(super) fn probability(&mut self, key: &str, value: &Node) -> Option<f64> {
        let text = self.scalar(key, value, "a probability")?;
        match text.parse::<f64>() {
            Ok(number) if (0.0..=1.0).contains(&number) => Some(number),
            _ => {
                let text = cut(text);
                let wrong =
                    format!("{key}: '{text}' is no probability: expected 0 to 1, such as 0.1");
                self.wrong(value.place, wrong);
                None
            }
        }
    }

    /// Reads a duration.
    pub(super) fn duration(&mut self, key: &str, value: &Node) -> Option<Duration> {
        let text = self.scalar(key, value, "a duration")?;
        let duration = parse_duration(text);
        if duration.is_none() {
            let text = cut(text);
            self.wrong(
                value.place,
                format!("{key}: '{text}' is no duration: expected a form such as 48h, 7d or 90m"),
            );
        }
        duration
    }

    /// Reads the exit code of a failed gate.
    pub(super) fn exit_code(&mut self, key: &str, value: &Node) -> Option<u8> {
        let text = self.scalar(key, value, "an exit code")?;
        match parse_exit_code(text) {
            Ok(code) => Some(code),
            Err(wrong) => {
                self.wrong(value.place, format!("{key}: {wrong}"));
                None
            }
        }
    }

    /// Reads a list of severities, or a text with commas.
    pub(super) fn severities(&mut self, key: &str, value: &Node) -> Option<SeverityFilter> {
        let texts: Vec<(String, Place)> = match &value.content {
            Content::Scalar(text) => {
                let parts = text
                    .split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty());
                parts.map(|part| (part.to_owned(), value.place)).collect()
            }
            Content::Sequence(items) => items
                .iter()
                .filter_map(|item| {
                    let text = self.scalar(key, item, "a severity")?;
                    Some((text.to_owned(), item.place))
                })
                .collect(),
            other => {
                let kind = other.kind();
                self.wrong(
                    value.place,
                    format!("{key}: expected a list of severities, found {kind}"),
                );
                return None;
            }
        };
        if texts.is_empty() {
            self.wrong(
                value.place,
                format!("{key}: without a severity nothing would ever fail"),
            );
            return None;
        }
        let mut severities = Vec::new();
        for (text, place) in texts {
            let parsed: Result<Severity, SeverityError> = text.parse();
            match parsed {
                Ok(severity) => severities.push(severity),
                Err(_) => {
                    let names = Severity::ALL.map(Severity::name);
                    let meant = suggestion(&text, names);
                    self.wrong(
                        place,
                        format!("{key}: '{}' is no severity{meant}", cut(&text)),
                    );
                }
            }
        }
        Some(severities.into_iter().collect())
    }

    /// Returns the text of a single value.
    pub(super) fn scalar<'n>(&mut self, key: &str, value: &'n Node, what: &str) -> Option<&'n str> {
        match &value.content {
            Content::Scalar(text) => Some(text.trim()),
            other => {
                let kind = other.kind();
                self.wrong(value.place, format!("{key}: expected {what}, found {kind}"));
                None
            }
        }
    }

    /// Returns the keys and values of a mapping.
    pub(super) fn mapping<'n>(&mut self, key: &str, value: &'n Node) -> Option<&'n super::Pairs> {
        match &value.content {
            Content::Mapping(pairs) => Some(pairs),
            other => {
                let kind = other.kind();
                self.wrong(
                    value.place,
                    format!("{key}: expected a mapping, found {kind}"),
                );
                None
            }
        }
    }

    /// Says that a key is not known, and which was probably meant.
    pub(super) fn unknown<'a>(
        &mut self,
        key: &str,
        place: Place,
        within: &str,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) {
        let meant = suggestion(key, known.clone());
        let all: Vec<&str> = known.into_iter().collect();
        let accepted = match meant.is_empty() {
            true => format!("; accepted are {}", all.join(", ")),
            false => meant,
        };
        let key = cut(key);
        self.wrong(place, format!("{within}'{key}' is not known{accepted}"));
    }
}

fn suggestion<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(text, known).map_or_else(String::new, |meant| format!("; did you mean '{meant}'?"))
}

/// Reads a duration: what jiff reads, and days (`7d`), which are of 24 hours.
fn parse_duration(text: &str) -> Option<Duration> {
    let seconds = match text.strip_suffix('d').map(str::parse::<u64>) {
        Some(Ok(days)) => days.checked_mul(24 * 3600)?,
        _ => {
            let span: jiff::SignedDuration = text.parse().ok()?;
            u64::try_from(span.as_secs()).ok()?
        }
    };
    (seconds > 0 && seconds <= AGE_SECONDS_MAX).then(|| Duration::from_secs(seconds))
}
