//! The text forms of Go's `encoding/json` and `time`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// What Go prints for a time that is not set.
pub(crate) const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// Writes a value as `json.MarshalIndent(value, "", "  ")` does, with a final newline.
pub(super) fn write(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    let formatter = GoFormatter {
        pretty: PrettyFormatter::new(),
    };
    value.serialize(&mut Serializer::with_formatter(&mut *out, formatter))?;
    out.write_all(b"\n")
}

/// Reprints an RFC 3339 time as Go does after parsing it: nanoseconds at most, no trailing zeros,
/// `Z` for every offset that is zero. `None` if the text is no such time.
///
/// Source: Go `time.Time.UnmarshalJSON`, `MarshalJSON`.
pub(in crate::render) fn time(text: &str) -> Option<String> {
    let (seconds, rest) = text.split_at_checked(19)?;
    let is_seconds = seconds
        .bytes()
        .zip(*b"0000-00-00T00:00:00")
        .all(|(byte, shape)| {
            if shape == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == shape
            }
        });
    let digits = rest.strip_prefix('.').map_or("", |fraction| {
        let end = fraction
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(fraction.len());
        fraction.get(..end).unwrap_or_default()
    });
    let zone = match digits.len() {
        0 if rest.starts_with('.') => return None,
        0 => rest,
        length => rest.get(length + 1..)?,
    };
    if !is_seconds || !is_zone(zone) {
        return None;
    }
    let fraction = digits.get(..9).unwrap_or(digits).trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let zone = if matches!(zone, "+00:00" | "-00:00") {
        "Z"
    } else {
        zone
    };
    Some(format!("{seconds}{point}{fraction}{zone}"))
}

fn is_zone(text: &str) -> bool {
    let is_offset = |text: &str| {
        text.len() == 6
            && text.bytes().zip(*b"+00:00").skip(1).all(|(byte, shape)| {
                if shape == b'0' {
                    byte.is_ascii_digit()
                } else {
                    byte == shape
                }
            })
    };
    text == "Z" || (text.starts_with(['+', '-']) && is_offset(text))
}

/// Indents by two spaces; escapes what HTML and JavaScript would take for their own; prints floats
/// in Go's shortest form.
struct GoFormatter {
    pretty: PrettyFormatter<'static>,
}

impl Formatter for GoFormatter {
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        let magnitude = value.abs();
        if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
            let text = format!("{value:e}");
            return match text.split_once('e') {
                Some((digits, power)) if !power.starts_with('-') => {
                    write!(out, "{digits}e+{power}")
                }
                _ => out.write_all(text.as_bytes()),
            };
        }
        write!(out, "{value}")
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, char)) = rest.char_indices().find(|(_, char)| is_escaped(*char)) {
            let (before, from) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            write!(out, "\\u{:04x}", u32::from(char))?;
            rest = from.get(char.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(out)
    }
}

fn is_escaped(char: char) -> bool {
    matches!(char, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_time(text: &str, expected: Option<&str>) {
        assert_eq!(time(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn times_are_reprinted() {
        check_time("2026-01-02T03:04:05Z", Some("2026-01-02T03:04:05Z"));
        check_time("2026-01-02T03:04:05+00:00", Some("2026-01-02T03:04:05Z"));
        check_time(
            "2026-01-02T03:04:05.120+02:00",
            Some("2026-01-02T03:04:05.12+02:00"),
        );
        check_time("2026-01-02T03:04:05.000Z", Some("2026-01-02T03:04:05Z"));
        check_time(
            "2026-01-02T03:04:05.1234567899Z",
            Some("2026-01-02T03:04:05.123456789Z"),
        );
        for text in [
            "",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05.Z",
            "x",
        ] {
            check_time(text, None);
        }
        check_time("2026-01-02T03:04:05+0200", None);
        check_time("2026-01-02T03:04:0éZ", None);
    }

    #[track_caller]
    fn check(value: impl Serialize, expected: &str) {
        let mut bytes = Vec::new();
        write(&value, &mut bytes).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), format!("{expected}\n"));
    }

    /// The expected texts were printed by Go 1.26.
    #[test]
    fn values_are_printed_as_go_does() {
        check(5.0, "5");
        check(5.3, "5.3");
        check(0.0, "0");
        check(1e21, "1e+21");
        check(1e20, "100000000000000000000");
        check(1e-7, "1e-7");
        check(0.000001, "0.000001");
        check(
            "<a href='x'>&\u{2028}\u{2029}é\u{7f}",
            "\"\\u003ca href='x'\\u003e\\u0026\\u2028\\u2029é\u{7f}\"",
        );
        check(
            "\u{1}\u{8}\u{c}\n\r\t\"\\/\u{1f}",
            r#""\u0001\b\f\n\r\t\"\\/\u001f""#,
        );
        check([1, 2], "[\n  1,\n  2\n]");
        check(Vec::<u8>::new(), "[]");
        check(std::collections::BTreeMap::<u8, u8>::new(), "{}");
    }
}
