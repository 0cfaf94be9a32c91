use super::*;
use crate::sample::{self, options, rendered};
use crate::{Format, RenderOptions};

fn point(day: u32, status: AssessmentStatus, high: u64) -> TrendPoint {
    let mut counts = SeverityCounts::default();
    counts.set(Severity::High, high);
    TrendPoint {
        scanned_at: format!("2026-11-{day:02}T06:00:00Z"),
        status,
        counts,
    }
}

fn trend() -> Trend {
    use AssessmentStatus::{Complete, Failed, Partial};
    Trend {
        image: "shop/<b>|`web".to_owned(),
        points: vec![
            point(1, Complete, 8),
            point(2, Failed, 0),
            point(3, Partial, 1),
            point(4, Complete, 0),
        ],
    }
}

fn page(format: Format, trends: Vec<Trend>) -> String {
    let options = RenderOptions {
        trends,
        ..options()
    };
    rendered(format, &sample::report(vec![sample::clean()]), &options)
}

#[test]
fn numbers_stand_beside_what_limits_them() {
    assert_eq!(trend().line(), "█?▁·");
    let text = page(Format::Markdown, vec![trend()]);
    for row in [
        "| 2026-11-01 06:00 UTC | · | 8 | · | · | · | 8 |  |  |",
        "| 2026-11-02 06:00 UTC | ? | ? | ? | ? | ? | ? |  | not assessed |",
        "| 2026-11-03 06:00 UTC | · | 1 | · | · | · | 1 | −7 | not assessed completely |",
        "| 2026-11-04 06:00 UTC | · | · | · | · | · | 0 | −1 |  |",
    ] {
        assert!(text.contains(row), "{row}\n{text}");
    }
}

#[test]
fn names_are_escaped() {
    let html = page(Format::Html, vec![trend()]);
    assert!(html.contains("Trend of shop/&lt;b&gt;|`web"), "{html}");
    assert!(!html.contains("<b>|"));
    assert!(!page(Format::Html, Vec::new()).contains("Trend of"));
}

#[test]
fn a_long_history_has_a_bound() {
    let points = (0..POINTS_MAX as u64 + 5).map(|high| point(1, AssessmentStatus::Complete, high));
    let trend = Trend {
        image: "a".to_owned(),
        points: points.collect(),
    };
    assert_eq!(trend.line().chars().count(), POINTS_MAX);
    assert_eq!(trend.shown().len(), POINTS_MAX);
    // The change is that since the report before, which is not shown.
    assert_eq!(trend.shown()[0].1, "+1");
    assert_eq!(trend.extent(), "65 reports, the latest 60 shown");
}
