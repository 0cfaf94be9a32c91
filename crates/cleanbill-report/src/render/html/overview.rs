//! What stands above the images: figures, filters, and the table of images.

use std::io::{self, Write};

use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_core::severity::Severity;

use super::super::exploitation;
use super::super::words::{self, Outcome};
use crate::escape::markup::Line;

pub(super) fn write_cards(report: &ScanReport, out: &mut impl Write) -> io::Result<()> {
    let counts = report.severity_counts();
    let images = &report.images;
    let fixable = images
        .iter()
        .flat_map(ImageReport::findings)
        .filter(|finding| !finding.fixed_version.is_empty())
        .count();
    let suppressed: usize = images
        .iter()
        .flat_map(|image| &image.results)
        .map(|result| result.suppressed.len())
        .sum();
    let gaps = images.iter().filter(|image| Outcome::of(image).is_gap());
    out.write_all(b"<div class=\"cards\">\n")?;
    if images.len() > 1 {
        write_card("plain", images.len() as u64, "images", out)?;
    }
    for severity in Severity::ALL {
        let word = severity.lower_name();
        write_card(word, counts.get(severity), word, out)?;
    }
    if let Some(known) = known_exploited(report) {
        write_card("gap", known, "exploited", out)?;
    }
    write_card("plain", fixable as u64, "with a fix", out)?;
    write_card("plain", suppressed as u64, "suppressed", out)?;
    write_card("gap", gaps.count() as u64, "not assessed", out)?;
    out.write_all(b"</div>\n")
}

/// Counts the findings that are known to be exploited; `None` where nobody knows, since there was
/// no catalogue.
fn known_exploited(report: &ScanReport) -> Option<u64> {
    let known = report.images.iter().map(exploitation::count_known).sum();
    let database = report.database.as_ref();
    let has_catalogue = database.is_some_and(|database| !database.kev_release.is_empty());
    (known > 0 || has_catalogue).then_some(known)
}

fn write_card(class: &str, number: u64, word: &str, out: &mut impl Write) -> io::Result<()> {
    let zero = if number == 0 { " zero" } else { "" };
    writeln!(
        out,
        "<div class=\"card {class}{zero}\"><b>{number}</b><span>{word}</span></div>"
    )
}

/// Writes the filters. They stay hidden until the script shows them: without it they do nothing.
pub(super) fn write_tools(report: &ScanReport, out: &mut impl Write) -> io::Result<()> {
    out.write_all(
        b"<div class=\"tools\" id=\"tools\" hidden><form role=\"search\">\n\
          <input type=\"search\" placeholder=\"Filter by vulnerability, package, path, title\" \
          aria-label=\"Filter findings\">\n",
    )?;
    for severity in Severity::ALL {
        let word = severity.lower_name();
        writeln!(
            out,
            "<label class=\"{word}-text\"><input type=\"checkbox\" name=\"severity\" \
             value=\"{word}\" checked>{word}</label>"
        )?;
    }
    if known_exploited(report).is_some_and(|known| known > 0) {
        out.write_all(
            b"<label class=\"critical-text\"><input type=\"checkbox\" name=\"exploited\">\
              exploited</label>\n",
        )?;
    }
    let mut findings = report.images.iter().flat_map(ImageReport::findings);
    if findings.any(|finding| finding.origin.is_some()) {
        out.write_all(
            b"<label><input type=\"checkbox\" name=\"own\">not of the base image</label>\n",
        )?;
    }
    out.write_all(
        b"<label><input type=\"checkbox\" name=\"fixable\">with a fix</label>\n\
          <output aria-live=\"polite\"></output>\n</form></div>\n",
    )
}

/// Writes one row per image, in the order of the report.
pub(super) fn write_table(report: &ScanReport, out: &mut impl Write) -> io::Result<()> {
    out.write_all(
        b"<div class=\"overview\"><h2>Images</h2>\n<div class=\"scroll\"><table class=\"stack\">\
          <thead><tr><th>Image</th><th>Distribution</th>",
    )?;
    for severity in Severity::ALL {
        write!(out, "<th class=\"num\">{}</th>", words::capital(severity))?;
    }
    out.write_all(b"<th>Result</th></tr></thead>\n<tbody>\n")?;
    for (index, image) in report.images.iter().enumerate() {
        write!(
            out,
            "<tr><td class=\"wrap\"><a href=\"#image-{index}\">{}</a></td><td>{}</td>",
            Line(&image.artifact_name),
            Line(&words::distro(image).unwrap_or_default())
        )?;
        let counts = image.severity_counts();
        let is_unknown = Outcome::of(image) == Outcome::NotAssessed;
        for severity in Severity::ALL {
            let (class, name) = (severity.lower_name(), words::capital(severity));
            match counts.get(severity) {
                0 if is_unknown => write!(out, "<td class=\"num dim\">?</td>")?,
                0 => write!(out, "<td class=\"num dim\"></td>")?,
                number => write!(
                    out,
                    "<td class=\"num {class}-text\" data-name=\"{name}\">{number}</td>"
                )?,
            }
        }
        writeln!(
            out,
            "<td>{}{}</td></tr>",
            badge(image),
            exploited_badge(image)
        )?;
    }
    out.write_all(b"</tbody></table></div></div>\n")
}

/// Returns a mark with the number of findings that are known to be exploited, if there are any.
pub(super) fn exploited_badge(image: &ImageReport) -> String {
    match exploitation::count_known(image) {
        0 => String::new(),
        known => format!(" <span class=\"badge exploited\">{known} exploited</span>"),
    }
}

/// Returns the word about an image as a whole. Only a clean one is green.
pub(super) fn badge(image: &ImageReport) -> String {
    let outcome = Outcome::of(image);
    let (class, mark) = match outcome {
        Outcome::NotAssessed | Outcome::NotAssessedCompletely => ("gap", "✗ "),
        Outcome::Reserved => ("note", "! "),
        Outcome::Vulnerable | Outcome::NothingToAssess => ("unknown", ""),
        Outcome::Clean => ("good", "✓ "),
    };
    format!(
        "<span class=\"badge {class}\">{mark}{}</span>",
        outcome.sentence()
    )
}
