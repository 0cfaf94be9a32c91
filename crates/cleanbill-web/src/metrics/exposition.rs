//! The text that Prometheus reads.
//!
//! Source: Prometheus, "Exposition formats", text-based format 0.0.4.

use std::fmt::{self, Write as _};

use cleanbill_report::text::clean;

use super::families::{Family, Kind};

/// Names the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A value; shown in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// Things, or bytes.
    Count(u64),
    /// Milliseconds, shown as seconds.
    Milliseconds(i64),
}

impl From<bool> for Number {
    fn from(value: bool) -> Self {
        Number::Count(u64::from(value))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Number::Count(count) => count.fmt(f),
            // Never with an exponent, and exact: milliseconds of thousands of years fit.
            Number::Milliseconds(milliseconds) => (milliseconds as f64 / 1000.0).fmt(f),
        }
    }
}

/// Holds durations sorted by bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    /// How many were not longer than each bound.
    pub(super) within: Vec<u64>,
    pub(super) count: u64,
    pub(super) sum_ms: u64,
}

impl Buckets {
    /// Adds what was sorted by the same bounds.
    pub(super) fn add(&mut self, within: &[u64], count: u64, sum_ms: u64) {
        self.within.resize(within.len().max(self.within.len()), 0);
        for (total, more) in self.within.iter_mut().zip(within) {
            *total = total.saturating_add(*more);
        }
        self.count = self.count.saturating_add(count);
        self.sum_ms = self.sum_ms.saturating_add(sum_ms);
    }
}

/// Is the text while it is written.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// Writes a metric that has one series.
    pub(super) fn one(&mut self, family: &Family, value: Number) {
        self.rows(family, [([] as [&str; 0], value)]);
    }

    /// Writes a metric that has one series, if there is a value.
    pub(super) fn maybe(&mut self, family: &Family, value: Option<Number>) {
        if let Some(value) = value {
            self.one(family, value);
        }
    }

    /// Writes a metric, one row for each series: the values of its labels, in their order, and
    /// its own. No two rows have the same labels. Without rows nothing is written.
    pub(super) fn rows<const N: usize, L: AsRef<str>>(
        &mut self,
        family: &Family,
        rows: impl IntoIterator<Item = ([L; N], Number)>,
    ) {
        debug_assert_eq!(family.labels.len(), N, "{}", family.name);
        debug_assert_ne!(family.kind, Kind::Histogram, "{}", family.name);
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_some() {
            self.head(family);
        }
        for (values, number) in rows {
            self.0.push_str(family.name);
            let labels = family.labels.iter().zip(&values);
            for (index, (label, value)) in labels.enumerate() {
                let separator = if index == 0 { '{' } else { ',' };
                let value = escape(value.as_ref());
                self.write(format_args!("{separator}{label}=\"{value}\""));
            }
            let end = if N == 0 { "" } else { "}" };
            self.write(format_args!("{end} {number}\n"));
        }
    }

    /// Writes a histogram that has no labels of its own.
    pub(super) fn histogram(&mut self, family: &Family, bounds_ms: &[u64], buckets: &Buckets) {
        debug_assert_eq!(family.kind, Kind::Histogram, "{}", family.name);
        self.head(family);
        let (name, count) = (family.name, buckets.count);
        for (index, bound_ms) in bounds_ms.iter().enumerate() {
            let bound = milliseconds(*bound_ms);
            let within = buckets.within.get(index).copied().unwrap_or(0);
            self.write(format_args!("{name}_bucket{{le=\"{bound}\"}} {within}\n"));
        }
        self.write(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}\n"));
        self.write(format_args!(
            "{name}_sum {}\n",
            milliseconds(buckets.sum_ms)
        ));
        self.write(format_args!("{name}_count {count}\n"));
    }

    /// Returns the text.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn head(&mut self, family: &Family) {
        let (name, help, kind) = (family.name, family.help(), family.kind.name());
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        // Writing into memory does not fail.
        let _ = self.0.write_fmt(text);
    }
}

fn milliseconds(milliseconds: u64) -> Number {
    Number::Milliseconds(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

/// Makes a text fit for the value of a label. Names come from engines: what steers a terminal is
/// replaced, because people look at metrics with one.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in clean(text).chars() {
        match char {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::families::{FAMILIES, FINDINGS, IMAGE_FINDINGS, SCAN_DURATION, STARTED};
    use super::*;
    use crate::testing::parse;

    fn written(write: impl FnOnce(&mut Exposition)) -> String {
        let mut text = Exposition::default();
        write(&mut text);
        text.finish()
    }

    #[test]
    fn a_metric_has_its_help_its_kind_and_its_series() {
        let text = written(|text| {
            text.one(&STARTED, Number::Milliseconds(1_795_329_000_123));
            text.rows(
                &FINDINGS,
                [
                    (["high"], Number::Count(3)),
                    (["low"], Number::Count(u64::MAX)),
                ],
            );
        });
        assert_eq!(
            text,
            "# HELP cleanbill_watch_start_timestamp_seconds When the process began to watch\n\
             # TYPE cleanbill_watch_start_timestamp_seconds gauge\n\
             cleanbill_watch_start_timestamp_seconds 1795329000.123\n\
             # HELP cleanbill_findings Findings of watched images that no exception covers\n\
             # TYPE cleanbill_findings gauge\n\
             cleanbill_findings{severity=\"high\"} 3\n\
             cleanbill_findings{severity=\"low\"} 18446744073709551615\n"
        );
    }

    #[test]
    fn a_histogram_counts_up_to_infinity() {
        let buckets = Buckets {
            within: vec![1, 2],
            count: 3,
            sum_ms: 12_345,
        };
        let text = written(|text| text.histogram(&SCAN_DURATION, &[100, 2_000], &buckets));
        let series: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            series,
            [
                "cleanbill_scan_duration_seconds_bucket{le=\"0.1\"} 1",
                "cleanbill_scan_duration_seconds_bucket{le=\"2\"} 2",
                "cleanbill_scan_duration_seconds_bucket{le=\"+Inf\"} 3",
                "cleanbill_scan_duration_seconds_sum 12.345",
                "cleanbill_scan_duration_seconds_count 3",
            ]
        );
    }

    #[test]
    fn what_has_no_series_is_not_mentioned() {
        let none: [([&str; 1], Number); 0] = [];
        assert_eq!(written(|text| text.rows(&FINDINGS, none)), "");
        assert_eq!(written(|text| text.maybe(&STARTED, None)), "");
    }

    #[test]
    fn numbers_have_no_exponent() {
        let shown = |milliseconds| Number::Milliseconds(milliseconds).to_string();
        assert_eq!(shown(0), "0");
        assert_eq!(shown(1), "0.001");
        assert_eq!(shown(-1_500), "-1.5");
        for extreme in [i64::MIN, i64::MAX] {
            assert!(shown(extreme).parse::<f64>().is_ok_and(f64::is_finite));
            assert!(!shown(extreme).contains(['e', 'E']));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_label_comes_out_as_it_went_in(name in any::<String>(), other in "[ -~\\\\\"\\n]{0,20}") {
            for name in [name, other] {
                let text = written(|text| {
                    text.rows(&IMAGE_FINDINGS, [([name.as_str(), "high"], Number::Count(7))]);
                });
                let parsed = parse(&text);
                let series = &parsed.series;
                prop_assert_eq!(series.len(), 1);
                prop_assert_eq!(&series[0].labels[0].1, &clean(&name).into_owned());
                prop_assert_eq!(series[0].value, 7.0);
                prop_assert!(!text.chars().any(|char| char.is_control() && char != '\n'));
                prop_assert_eq!(text.lines().count(), 3);
            }
        }
    }

    #[test]
    fn the_parser_of_the_tests_refuses_what_is_wrong() {
        for wrong in [
            "name{label=\"open} 1\n",
            "name{label=\"a\\q\"} 1\n",
            "name 1",
            "na-me 1\n",
            "name one\n",
        ] {
            assert!(
                std::panic::catch_unwind(|| parse(wrong)).is_err(),
                "{wrong}"
            );
        }
        assert!(!FAMILIES.is_empty());
    }
}
