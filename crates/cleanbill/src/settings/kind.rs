//! What a setting may hold, and how a text becomes a checked value.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cleanbill_advisories::SeveritySources;
use cleanbill_core::severity::FixStatus;
use cleanbill_core::{ImagePattern, Severity, error_chain};
use cleanbill_engine::TrivyArguments;
use cleanbill_image::Secret;
use cleanbill_policy::Thresholds;
use jiff::tz::TimeZone;
use url::Url;

use super::given::Given;
use super::suggest::nearest;
use super::text;
use super::value::{Schedule, Value};

/// Says how values are written: as we have it, or as the older tools had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Ours,
    /// `1`, `true`, `yes` and `on` are true and everything else is false; pauses are numbers of
    /// seconds.
    Older,
}

/// Says what a setting may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One line of text.
    Text,
    /// A file or directory; relative to the configuration file if it stands there.
    Path,
    /// A file, or the name of a program on the search path.
    Program,
    /// An http or https address.
    Url,
    /// An http or https address; without a scheme it is http.
    Server,
    /// The address of an engine: unix://, tcp://, http://, https://.
    EngineUrl,
    /// One mail address, with or without a name in front.
    MailAddress,
    MailAddresses,
    Boolean,
    Number {
        min: u64,
        max: u64,
    },
    /// Bytes: 500MB, 2GiB.
    Size,
    Duration,
    Schedule,
    /// `off`, `daily`, `weekly` or a duration.
    Period,
    TimeZone,
    /// 07:30
    TimeOfDay,
    /// 22:00-07:00
    QuietHours,
    Choice(&'static [&'static str]),
    Choices(&'static [&'static str]),
    Severities,
    FixStatuses,
    SeveritySources,
    /// critical=0,high=5
    Thresholds,
    Texts,
    Paths,
    /// Image names, in which `*` and `?` are patterns.
    ImagePatterns,
    /// Words, split as a shell does.
    Arguments,
    /// `off`, a port of this host, or an address with a port.
    Listen,
}

impl Kind {
    /// Says whether several values can be given.
    pub(crate) fn is_list(self) -> bool {
        matches!(
            self,
            Kind::MailAddresses
                | Kind::Choices(_)
                | Kind::Severities
                | Kind::FixStatuses
                | Kind::Texts
                | Kind::Paths
                | Kind::ImagePatterns
        )
    }

    /// Checks a value. `base` is what relative paths are relative to, if it is not the working
    /// directory; a secret is never quoted in an error.
    ///
    /// # Errors
    ///
    /// The sentence that says what is wrong and what was expected.
    pub(crate) fn parse(
        self,
        given: Given,
        dialect: Dialect,
        is_secret: bool,
        base: Option<&Path>,
    ) -> Result<Value, String> {
        if self.is_list() {
            return self.parse_list(given.into_items(), base);
        }
        if let (Kind::Arguments, Given::Many(words)) = (self, &given) {
            return arguments(words);
        }
        let Some(text) = given.into_one() else {
            return Err("expected one value, not a list".to_owned());
        };
        let quoted = if is_secret {
            "the value".to_owned()
        } else {
            format!("'{}'", cleanbill_report::text::clean(&text))
        };
        let wrong = |reason: &str| sentence(&quoted, reason);
        let value = self.parse_one(&text, dialect, base, &wrong)?;
        Ok(match value {
            Value::Text(text) if is_secret => Value::Secret(Secret::new(text)),
            value => value,
        })
    }

    fn parse_one(
        self,
        text: &str,
        dialect: Dialect,
        base: Option<&Path>,
        wrong: &dyn Fn(&str) -> String,
    ) -> Result<Value, String> {
        let owned = || Value::Text(text.to_owned());
        match self {
            Kind::Text if text.contains(['\n', '\r', '\0']) => {
                Err(wrong("expected one line of text"))
            }
            Kind::Text => Ok(owned()),
            Kind::Path => Ok(Value::Path(placed(text, base))),
            Kind::Program if text.contains('/') => Ok(Value::Path(placed(text, base))),
            Kind::Program => Ok(Value::Path(PathBuf::from(text))),
            Kind::Url => check_url(text, &["http", "https"])
                .map(|()| owned())
                .map_err(|()| wrong("expected an address such as https://host/path")),
            // Clients of a Pushgateway take an address without a scheme.
            Kind::Server => {
                let url = match text.trim() {
                    url if url.contains("://") => url.to_owned(),
                    host => format!("http://{host}"),
                };
                check_url(&url, &["http", "https"])
                    .map(|()| Value::Text(url))
                    .map_err(|()| wrong("expected an address such as http://host:9091"))
            }
            Kind::EngineUrl => check_url(text, &["unix", "tcp", "http", "https"])
                .map(|()| owned())
                .map_err(|()| {
                    wrong("expected an address such as unix:///var/run/docker.sock or tcp://host:2376")
                }),
            Kind::MailAddress if is_mail_address(text) => Ok(owned()),
            Kind::MailAddress => Err(wrong("expected a mail address such as name@example.com")),
            Kind::Boolean => boolean(text, dialect)
                .map(Value::Boolean)
                .ok_or_else(|| wrong("expected true or false")),
            Kind::Number { min, max } => text
                .trim()
                .parse()
                .ok()
                .filter(|number| (min..=max).contains(number))
                .map(Value::Number)
                .ok_or_else(|| wrong(&format!("expected a number from {min} to {max}"))),
            Kind::Size => crate::cli::parse_size(text.trim())
                .map(Value::Size)
                .map_err(|_| wrong("expected a size such as 500MB or 2GiB")),
            Kind::Duration => text::parse_duration(text)
                .map(Value::Duration)
                .ok_or_else(|| wrong(text::EXPECTED_DURATION)),
            Kind::Schedule => schedule(text, dialect, wrong).map(Value::Schedule),
            Kind::Period => period(text).ok_or_else(|| {
                wrong("expected off, daily, weekly, or a duration of a minute or more")
            }),
            Kind::TimeZone => TimeZone::get(text.trim())
                .map(|_| Value::Text(text.trim().to_owned()))
                .map_err(|_| wrong("expected a time zone such as Europe/Berlin or UTC")),
            Kind::TimeOfDay => text::parse_time(text)
                .map(Value::Time)
                .ok_or_else(|| wrong("expected a time of day such as 07:30")),
            Kind::QuietHours if text.trim() == "off" => Ok(Value::Off),
            Kind::QuietHours => text::parse_quiet_hours(text)
                .map(Value::Hours)
                .ok_or_else(|| wrong("expected off, or hours such as 22:00-07:00")),
            Kind::Choice(choices) => choice(text, choices).map(Value::Text).ok_or_else(|| {
                wrong(&expected_choice(text, choices))
            }),
            Kind::SeveritySources => text
                .parse::<SeveritySources>()
                .map(|_| owned())
                .map_err(|error| error_chain(&error)),
            Kind::Thresholds => text
                .parse::<Thresholds>()
                .map(|_| owned())
                .map_err(|error| error_chain(&error)),
            Kind::Arguments => match TrivyArguments::parse_extra(text) {
                Ok(words) => Ok(Value::List(words)),
                Err(error) => Err(error_chain(&error)),
            },
            Kind::Listen if text.trim() == "off" => Ok(Value::Off),
            Kind::Listen => text::parse_listen(text).map(Value::Listen).ok_or_else(|| {
                wrong(
                    "expected off, a port of this host such as 9871, or an address with a port \
                     such as 0.0.0.0:9871 for every host",
                )
            }),
            Kind::MailAddresses
            | Kind::Choices(_)
            | Kind::Severities
            | Kind::FixStatuses
            | Kind::Texts
            | Kind::Paths
            | Kind::ImagePatterns => {
                self.parse_list(Given::One(text.to_owned()).into_items(), base)
            }
        }
    }

    fn parse_list(self, items: Vec<String>, base: Option<&Path>) -> Result<Value, String> {
        let wrong = |item: &str, expected: &str| {
            let quoted = format!("'{}'", cleanbill_report::text::clean(item));
            sentence(&quoted, expected)
        };
        match self {
            // Nothing would count, and none of those who wrote it meant that.
            Kind::Severities if items.is_empty() => Err(
                "the list is empty; leave it out if nothing is meant, or name severities: \
                 UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL"
                    .to_owned(),
            ),
            Kind::Severities => items
                .iter()
                .map(|item| {
                    let parsed = item.parse::<Severity>();
                    parsed
                        .map_err(|_| wrong(item, "expected UNKNOWN, LOW, MEDIUM, HIGH or CRITICAL"))
                })
                .collect::<Result<_, _>>()
                .map(Value::Severities),
            Kind::FixStatuses => items
                .iter()
                .map(|item| {
                    let parsed = item.parse::<FixStatus>();
                    parsed.map_err(|error| error_chain(&error))
                })
                .collect::<Result<_, _>>()
                .map(Value::Statuses),
            Kind::Choices(choices) => items
                .iter()
                .map(|item| {
                    choice(item, choices)
                        .ok_or_else(|| wrong(item, &expected_choice(item, choices)))
                })
                .collect::<Result<_, _>>()
                .map(Value::List),
            Kind::MailAddresses => match items.iter().find(|item| !is_mail_address(item)) {
                Some(item) => Err(wrong(
                    item,
                    "expected a mail address such as name@example.com",
                )),
                None => Ok(Value::List(items)),
            },
            Kind::ImagePatterns => items
                .iter()
                .try_for_each(|item| item.parse::<ImagePattern>().map(|_| ()))
                .map(|()| Value::List(items))
                .map_err(|error| error.to_string()),
            Kind::Paths => Ok(Value::List(
                items
                    .iter()
                    .map(|item| placed(item, base).display().to_string())
                    .collect(),
            )),
            _ => Ok(Value::List(items)),
        }
    }
}

/// Says what was expected, or what else is the matter.
fn sentence(quoted: &str, reason: &str) -> String {
    if reason.starts_with("expected") {
        format!("{quoted} is not understood: {reason}")
    } else {
        format!("{quoted}: {reason}")
    }
}

/// Puts a relative path below the directory that it is relative to.
fn placed(text: &str, base: Option<&Path>) -> PathBuf {
    match base {
        Some(base) => base.join(text),
        None => PathBuf::from(text),
    }
}

fn arguments(words: &[String]) -> Result<Value, String> {
    // Each word is what it is; quoting it only lets the one check look at it.
    let quoted = shlex::try_join(words.iter().map(String::as_str))
        .map_err(|_| "a word has a character that no program can be given".to_owned())?;
    let words = TrivyArguments::parse_extra(&quoted).map_err(|error| error.to_string())?;
    Ok(Value::List(words))
}

fn boolean(text: &str, dialect: Dialect) -> Option<bool> {
    let word = text.trim().to_ascii_lowercase();
    match (word.as_str(), dialect) {
        ("1" | "true" | "yes" | "on", _) => Some(true),
        ("0" | "false" | "no" | "off", _) | (_, Dialect::Older) => Some(false),
        _ => None,
    }
}

fn schedule(
    text: &str,
    dialect: Dialect,
    wrong: &dyn Fn(&str) -> String,
) -> Result<Schedule, String> {
    match dialect {
        Dialect::Ours => text::parse_schedule(text).map_err(|error| wrong(&error)),
        Dialect::Older => text::parse_seconds(text)
            .filter(|pause| !pause.is_zero())
            .map(Schedule::Every)
            .ok_or_else(|| wrong(text::EXPECTED_SECONDS)),
    }
}

fn period(text: &str) -> Option<Value> {
    const DAY: Duration = Duration::from_secs(86_400);
    const SHORTEST: Duration = Duration::from_secs(60);
    match text.trim() {
        "off" => Some(Value::Off),
        "daily" => Some(Value::Duration(DAY)),
        "weekly" => Some(Value::Duration(DAY * 7)),
        other => text::parse_duration(other)
            .filter(|period| *period >= SHORTEST)
            .map(Value::Duration),
    }
}

fn choice(text: &str, choices: &[&str]) -> Option<String> {
    let word = text.trim().to_ascii_lowercase();
    choices.contains(&word.as_str()).then_some(word)
}

fn expected_choice(text: &str, choices: &[&str]) -> String {
    let expected = format!("expected {}", choices.join(", "));
    match nearest(text, choices.iter().copied()) {
        Some(meant) => format!("{expected}; did you mean {meant}?"),
        None => expected,
    }
}

fn check_url(text: &str, schemes: &[&str]) -> Result<(), ()> {
    let url = Url::parse(text.trim()).map_err(|_| ())?;
    let has_place = url.host().is_some() || url.scheme() == "unix" && url.path().len() > 1;
    if schemes.contains(&url.scheme()) && has_place {
        Ok(())
    } else {
        Err(())
    }
}

/// Looks whether a text can be a mail address; what sends mail reads it by the whole grammar.
fn is_mail_address(text: &str) -> bool {
    let address = match (text.find('<'), text.strip_suffix('>')) {
        (Some(start), Some(inner)) => inner.get(start + 1..).unwrap_or_default(),
        (None, None) => text.trim(),
        _ => return false,
    };
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;".contains(c))
    };
    !text.contains(char::is_control)
        && address
            .rsplit_once('@')
            .is_some_and(|(name, host)| is_plain(name) && is_plain(host))
}
