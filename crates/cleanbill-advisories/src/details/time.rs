//! Times as the reference prints them: it parses and prints what the database holds.

/// Returns an RFC 3339 time with at most nine digits of a fraction, no trailing zeros, and `Z` for
/// an offset of zero.
///
/// Source: Go `time.RFC3339Nano`.
pub(super) fn reprinted(time: &str) -> String {
    let zone_start = time.rfind(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(zone_start).unwrap_or((time, ""));
    let zone = match zone {
        "+00:00" | "-00:00" => "Z",
        other => other,
    };
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let fraction = fraction.get(..9).unwrap_or(fraction);
    match fraction.trim_end_matches('0') {
        "" => format!("{seconds}{zone}"),
        fraction => format!("{seconds}.{fraction}{zone}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_end_with_their_last_digit() {
        for (time, expected) in [
            ("2025-04-12T09:15:09.20Z", "2025-04-12T09:15:09.2Z"),
            ("2025-04-12T09:15:09.000Z", "2025-04-12T09:15:09Z"),
            ("2025-04-12T09:15:09Z", "2025-04-12T09:15:09Z"),
            ("2025-04-12T09:15:00Z", "2025-04-12T09:15:00Z"),
            (
                "2025-04-12T09:15:09.1234567891Z",
                "2025-04-12T09:15:09.123456789Z",
            ),
            (
                "2025-04-12T09:15:09.50+02:00",
                "2025-04-12T09:15:09.5+02:00",
            ),
            ("2025-04-12T09:15:09+00:00", "2025-04-12T09:15:09Z"),
            ("", ""),
        ] {
            assert_eq!(reprinted(time), expected);
        }
    }
}
