//! Checked values.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::Severity;
use cleanbill_core::severity::FixStatus;
use cleanbill_image::Secret;
use jiff::civil::Time;

use super::text::print_duration;

/// What stands in place of a secret wherever settings are shown.
pub(crate) const REDACTED: &str = "(redacted)";

/// Holds the value of a setting.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing was given and there is no default.
    Unset,
    /// Switched off where there would be a value.
    Off,
    Text(String),
    Secret(Secret),
    Path(PathBuf),
    Boolean(bool),
    Number(u64),
    Size(u64),
    Duration(Duration),
    Schedule(Schedule),
    List(Vec<String>),
    Severities(Vec<Severity>),
    Statuses(Vec<FixStatus>),
    Time(Time),
    Hours(QuietHours),
    Listen(SocketAddr),
}

/// Says when the next pass begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// So long after the end of the last.
    Every(Duration),
    /// Whenever the expression says; it is known to be well formed and to come true.
    Cron(String),
}

/// Names the hours of each day in which nothing is sent. They may pass midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuietHours {
    /// The first moment.
    pub(crate) from: Time,
    /// The first moment after; never equal to `from`.
    pub(crate) to: Time,
}

impl Value {
    /// Says whether two values mean the same. Secrets are compared by what they hold.
    pub(crate) fn is_same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Secret(left), Value::Secret(right)) => left.expose() == right.expose(),
            (left, right) => left.to_string() == right.to_string(),
        }
    }

    /// Returns the value for a machine, secrets redacted.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Unset | Value::Off => serde_json::Value::Null,
            Value::Boolean(value) => (*value).into(),
            Value::Number(value) | Value::Size(value) => (*value).into(),
            Value::List(items) => items.clone().into(),
            Value::Severities(items) => texts(items).into(),
            Value::Statuses(items) => texts(items).into(),
            other => other.to_string().into(),
        }
    }
}

impl fmt::Display for Value {
    /// Prints the value as it can be given again, secrets redacted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Unset => Ok(()),
            Value::Off => f.write_str("off"),
            Value::Text(text) => f.write_str(&without_user(text)),
            Value::Secret(_) => f.write_str(REDACTED),
            Value::Path(path) => write!(f, "{}", path.display()),
            Value::Boolean(value) => write!(f, "{value}"),
            Value::Number(value) => write!(f, "{value}"),
            Value::Size(bytes) => f.write_str(&print_size(*bytes)),
            Value::Duration(duration) => f.write_str(&print_duration(*duration)),
            Value::Schedule(Schedule::Every(pause)) => f.write_str(&print_duration(*pause)),
            Value::Schedule(Schedule::Cron(expression)) => f.write_str(expression),
            Value::List(items) => f.write_str(&items.join(",")),
            Value::Severities(items) => f.write_str(&texts(items).join(",")),
            Value::Statuses(items) => f.write_str(&texts(items).join(",")),
            Value::Time(time) => write!(f, "{}", time.strftime("%H:%M")),
            Value::Hours(QuietHours { from, to }) => {
                write!(f, "{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M"))
            }
            Value::Listen(address) => write!(f, "{address}"),
        }
    }
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(T::to_string).collect()
}

/// Takes user and password out of an address.
fn without_user(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            match authority.rsplit_once('@') {
                Some((_, host)) => format!("{scheme}://{REDACTED}@{host}{path}"),
                None => text.to_owned(),
            }
        }
        None => text.to_owned(),
    }
}

fn print_size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (1 << 30, "GiB"),
        (1_000_000_000, "GB"),
        (1 << 20, "MiB"),
        (1_000_000, "MB"),
        (1 << 10, "KiB"),
        (1_000, "kB"),
    ];
    let unit = UNITS
        .iter()
        .find(|(factor, _)| bytes > 0 && bytes.is_multiple_of(*factor));
    match unit {
        Some((factor, word)) => format!("{}{word}", bytes / factor),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_not_printed() {
        assert_eq!(Value::Secret(Secret::new("hunter2")).to_string(), REDACTED);
        let url = Value::Text("http://me:pw@push:9091/a@b".to_owned());
        assert_eq!(url.to_string(), "http://(redacted)@push:9091/a@b");
    }

    #[test]
    fn sizes_are_printed_as_they_can_be_given() {
        for text in ["1GiB", "500MB", "3kB", "17"] {
            let bytes = crate::cli::parse_size(text).unwrap();
            assert_eq!(print_size(bytes), text);
        }
    }
}
