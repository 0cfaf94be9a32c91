//! How images fared over several reports, for formats that people read.

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use cleanbill_core::Severity;
use cleanbill_core::count;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::SeverityCounts;

use super::words;
use crate::escape::markdown::{Code, Words};
use crate::escape::markup::Line;

/// Moments of an image that are shown, the latest.
const POINTS_MAX: usize = 60;

/// The bars of a line, none to most.
const BARS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Is how one image fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trend {
    /// The name of the image.
    pub image: String,
    /// What each of its reports says, oldest first.
    pub points: Vec<TrendPoint>,
}

/// Is what one report says of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrendPoint {
    /// When it was scanned (RFC 3339).
    pub scanned_at: String,
    /// How far it was assessed: fewer findings may mean that less was looked at.
    pub status: AssessmentStatus,
    /// The findings that count.
    pub counts: SeverityCounts,
}

impl TrendPoint {
    /// Returns the number of findings; `None` if nobody could look.
    fn total(&self) -> Option<u64> {
        (self.status != AssessmentStatus::Failed).then(|| self.counts.total())
    }

    /// Says what limits the numbers; empty if nothing does.
    fn limit(&self) -> &'static str {
        match self.status {
            AssessmentStatus::Complete => "",
            AssessmentStatus::Partial => "not assessed completely",
            AssessmentStatus::Failed => "not assessed",
        }
    }
}

impl Trend {
    /// Pairs the moments that are shown with the change of the total since the one before that is
    /// known.
    fn shown(&self) -> Vec<(&TrendPoint, String)> {
        let mut before = None;
        let mut rows = Vec::new();
        for point in &self.points {
            let change = match (before, point.total()) {
                (Some(before), Some(total)) => signed(before, total),
                _ => String::new(),
            };
            before = point.total().or(before);
            rows.push((point, change));
        }
        rows.split_off(rows.len().saturating_sub(POINTS_MAX))
    }

    /// Draws the totals as a line of bars.
    fn line(&self) -> String {
        let shown = self.points.iter().rev().take(POINTS_MAX).rev();
        let totals: Vec<Option<u64>> = shown.map(TrendPoint::total).collect();
        let most = totals.iter().flatten().max().copied().unwrap_or(0).max(1);
        let steps = BARS.len() as u64 - 1;
        let bar = |total: Option<u64>| {
            // What is not nothing has a bar.
            let step = total.map(|total| total.saturating_mul(steps).div_ceil(most));
            let step = usize::try_from(step?).ok()?;
            BARS.get(step).copied()
        };
        totals
            .into_iter()
            .map(|one| bar(one).unwrap_or('?'))
            .collect()
    }

    /// Says how much there is, and how much of it is shown.
    fn extent(&self) -> String {
        let reports = count(self.points.len() as u64, "report");
        match self.points.len().saturating_sub(POINTS_MAX) {
            0 => reports,
            _ => format!("{reports}, the latest {POINTS_MAX} shown"),
        }
    }
}

fn signed(before: u64, now: u64) -> String {
    match now.checked_sub(before) {
        Some(0) => "±0".to_owned(),
        Some(more) => format!("+{more}"),
        None => format!("−{}", before.abs_diff(now)),
    }
}

pub(super) fn write_markdown(trends: &[Trend], out: &mut impl Write) -> io::Result<()> {
    for trend in trends {
        writeln!(
            out,
            "## Trend of {}\n\n`{}` {}\n",
            Code(&trend.image),
            trend.line(),
            trend.extent()
        )?;
        write!(out, "| Scanned |")?;
        for severity in Severity::ALL {
            write!(out, " {} |", words::capital(severity))?;
        }
        writeln!(
            out,
            " Total | Change | |\n|---|--:|--:|--:|--:|--:|--:|--:|---|"
        )?;
        for (point, change) in trend.shown() {
            let scanned_at = words::minute(&point.scanned_at);
            write!(out, "| {} |", Words(&scanned_at))?;
            for severity in Severity::ALL {
                match (point.total(), point.counts.get(severity)) {
                    (None, _) => write!(out, " ? |")?,
                    (_, 0) => write!(out, " · |")?,
                    (_, number) => write!(out, " {number} |")?,
                }
            }
            let total = total_of(point);
            writeln!(out, " {total} | {change} | {} |", point.limit())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

pub(super) fn write_html(trends: &[Trend], out: &mut impl Write) -> io::Result<()> {
    for trend in trends {
        write!(
            out,
            "<div class=\"overview\"><h2>Trend of {}</h2>\n\
             <p><span aria-hidden=\"true\">{}</span> {}</p>\n\
             <div class=\"scroll\"><table class=\"stack\"><thead><tr><th>Scanned</th>",
            Line(&trend.image),
            trend.line(),
            trend.extent()
        )?;
        let severities = Severity::ALL.map(words::capital);
        for name in severities.into_iter().chain(["Total", "Change"]) {
            write!(out, "<th class=\"num\">{name}</th>")?;
        }
        out.write_all(b"<th></th></tr></thead>\n<tbody>\n")?;
        for (point, change) in trend.shown() {
            let scanned_at = words::minute(&point.scanned_at);
            write!(out, "<tr><td>{}</td>", Line(&scanned_at))?;
            for severity in Severity::ALL {
                let (class, name) = (severity.lower_name(), words::capital(severity));
                match (point.total(), point.counts.get(severity)) {
                    (None, _) => write!(out, "<td class=\"num dim\">?</td>")?,
                    (_, 0) => write!(out, "<td class=\"num dim\"></td>")?,
                    (_, number) => write!(
                        out,
                        "<td class=\"num {class}-text\" data-name=\"{name}\">{number}</td>"
                    )?,
                }
            }
            writeln!(
                out,
                "<td class=\"num\" data-name=\"Total\">{}</td>\
                 <td class=\"num\" data-name=\"Change\">{change}</td><td>{}</td></tr>",
                total_of(point),
                point.limit()
            )?;
        }
        out.write_all(b"</tbody></table></div></div>\n")?;
    }
    Ok(())
}

fn total_of(point: &TrendPoint) -> String {
    point
        .total()
        .map_or_else(|| "?".to_owned(), |total| total.to_string())
}
