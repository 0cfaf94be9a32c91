//! A page of its own, for people: readable on a phone, on paper, and with scripts off.
//!
//! Everything is in the one file, and a content security policy forbids everything else: the
//! style and the script run because their digests are stated. The script only sorts and filters
//! what is there. Texts are escaped where they are written, addresses become links only if they
//! are web addresses.

mod finding;
mod image;
mod overview;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use cleanbill_core::Digest;
use cleanbill_core::count;
use cleanbill_core::report::ScanReport;

use super::words::{self, Outcome};
use super::{RenderOptions, trend};
use crate::escape::markup::Line;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

pub(super) fn render(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    write_head(report, out)?;
    write_top(report, options, out)?;
    overview::write_tools(report, out)?;
    out.write_all(b"<main>\n")?;
    if report.images.len() > 1 {
        overview::write_table(report, out)?;
    }
    trend::write_html(&options.trends, out)?;
    for (index, image) in report.images.iter().enumerate() {
        image::write(index, image, options, out)?;
    }
    write_footer(report, options, out)?;
    write!(
        out,
        "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn write_head(report: &ScanReport, out: &mut impl Write) -> io::Result<()> {
    let title = match report.images.as_slice() {
        [image] => image.artifact_name.clone(),
        images => count(images.len() as u64, "image"),
    };
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Vulnerabilities of {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        base64(Digest::of(STYLE.as_bytes()).as_bytes()),
        base64(Digest::of(SCRIPT.as_bytes()).as_bytes()),
        Line(&title),
    )
}

/// Writes base64 with padding, as content security policies have it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) & 63;
            match DIGITS.get(digit as usize).filter(|_| place <= chunk.len()) {
                Some(digit) => text.push(char::from(*digit)),
                None => text.push('='),
            }
        }
    }
    text
}

fn write_top(report: &ScanReport, options: &RenderOptions, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"<header class=\"top\"><div>\n<h1>")?;
    match report.images.as_slice() {
        [image] => write!(
            out,
            "<span class=\"wrap\">{}</span>",
            Line(&image.artifact_name)
        )?,
        images => write!(
            out,
            "Vulnerabilities of {}",
            count(images.len() as u64, "image")
        )?,
    }
    out.write_all(b"</h1>\n<p>")?;
    let mut parts = Vec::new();
    if !report.created_at.is_empty() {
        parts.push(format!("Scanned {}", words::minute(&report.created_at)));
    }
    parts.push(match &report.database {
        Some(database) => format!(
            "advisory database of {} ({} old)",
            words::minute(&database.updated_at),
            words::age(database.age_hours)
        ),
        None => "no advisory database is named".to_owned(),
    });
    parts.extend(report.database.as_ref().and_then(words::lists));
    writeln!(out, "{}</p>", Line(&parts.join(" · ")))?;
    write_banner(report, options, out)?;
    overview::write_cards(report, out)?;
    out.write_all(b"</div></header>\n")
}

/// Says first what a reader must not overlook.
fn write_banner(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let outcomes: Vec<Outcome> = report.images.iter().map(Outcome::of).collect();
    let gaps = outcomes.iter().filter(|outcome| outcome.is_gap()).count();
    let images = count(outcomes.len() as u64, "image");
    if outcomes.is_empty() {
        out.write_all(b"<div class=\"banner is-note\">No image was scanned.</div>\n")?;
    }
    if gaps > 0 {
        let subject = match outcomes.as_slice() {
            [Outcome::NotAssessed] => "Not assessed".to_owned(),
            [_] => "Not assessed completely".to_owned(),
            _ => format!("Not assessed completely: {gaps} of {images}"),
        };
        let advice = match outcomes.as_slice() {
            [Outcome::NotAssessed] => "Nothing is known about this image. The reason is below.",
            [_] => {
                "Where something was left out, no finding does not mean that there is no \
                 vulnerability. What was left out is listed below."
            }
            _ => {
                "No finding there does not mean that there is no vulnerability. What was left out \
                 is listed with each image."
            }
        };
        writeln!(
            out,
            "<div class=\"banner is-gap\">✗ {subject}<p>{advice}</p></div>"
        )?;
    }
    if !options.selection.is_empty() {
        writeln!(
            out,
            "<div class=\"banner is-note\">! Shown are only: {}</div>",
            Line(&options.selection)
        )?;
    }
    Ok(())
}

fn write_footer(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    write!(out, "<footer><p>Cleanbill {}", Line(&options.tool_version))?;
    if !options.report_id.is_empty() {
        write!(out, " · report {}", Line(&options.report_id))?;
    }
    if let Some(database) = &report.database {
        write!(
            out,
            " · advisory database schema {}",
            database.schema_version
        )?;
    }
    out.write_all(b"</p></footer>\n")
}
