//! One module per format.

mod base;
pub mod comment;
mod csv;
mod cyclonedx;
mod excepted;
pub(crate) mod exploitation;
mod fix;
mod gitlab;
mod groups;
mod html;
pub(crate) mod json;
mod junit;
mod justification;
mod lazy;
mod markdown;
mod openvex;
mod sarif;
mod sbom;
mod spdx;
mod table;
pub(crate) mod trend;
mod trivy_json;
mod uuid;
mod words;

pub use table::listing;
pub(crate) use trivy_json::ZERO_TIME;

use std::io::{self, Write};

use cleanbill_core::report::{ImageReport, ScanReport};

use self::trend::Trend;
use crate::format::Format;

/// Says how to render. Everything that differs from run to run or from terminal to terminal is
/// here.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// Columns that the table may take; `None` means [`RenderOptions::DEFAULT_WIDTH`].
    pub width: Option<usize>,
    /// The table is coloured by terminal escapes. Severities are words with or without.
    pub color: bool,
    /// Vulnerability ids in the table are links (OSC 8), for terminals that understand them.
    pub hyperlinks: bool,
    /// Long lists of the table are not folded (`--full`).
    pub full: bool,
    /// Packages are listed; `None` means as the format does by default.
    pub list_all_packages: Option<bool>,
    /// Suppressed findings are shown, with what suppressed them.
    pub show_suppressed: bool,
    /// What the filters let through, in words (`HIGH, CRITICAL with a fix`); empty if everything.
    /// The table says so, since fewer findings must not look like fewer vulnerabilities.
    pub selection: String,
    /// The version of this tool.
    pub tool_version: String,
    /// The identity of this report, a UUID of version 7; empty if it shall have none.
    pub report_id: String,
    /// How images fared until now, for `markdown` and `html`.
    pub trends: Vec<Trend>,
}

impl RenderOptions {
    /// The width of the table where none is known, as in a pipe.
    pub const DEFAULT_WIDTH: usize = 120;
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            width: None,
            color: false,
            hyperlinks: false,
            full: false,
            list_all_packages: None,
            show_suppressed: false,
            selection: String::new(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            report_id: String::new(),
            trends: Vec::new(),
        }
    }
}

/// Says why a report could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The format holds one image.
    #[error("{format} holds one image, but the report has {count}")]
    OneImageOnly {
        /// The format.
        format: Format,
        /// The images of the report.
        count: usize,
    },
    /// The bytes could not be written.
    #[error("cannot write the report")]
    Write(#[from] io::Error),
}

/// Renders a report and flushes.
///
/// # Errors
/// When the format cannot hold the report, or `out` fails.
pub fn render(
    format: Format,
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    let mut out = io::BufWriter::with_capacity(64 * 1024, out);
    match format {
        Format::Table => table::render(report, options, &mut out)?,
        Format::Json => json::render(report, options, &mut out)?,
        Format::TrivyJson => {
            trivy_json::render(report, only_image(format, report)?, options, &mut out)?;
        }
        Format::Gitlab => gitlab::render(report, only_image(format, report)?, options, &mut out)?,
        Format::Junit => junit::render(report, options, &mut out)?,
        Format::Csv => csv::render(report, options, &mut out)?,
        Format::CycloneDx => {
            cyclonedx::render(report, only_image(format, report)?, options, &mut out)?;
        }
        Format::Spdx => spdx::render(report, only_image(format, report)?, options, &mut out)?,
        Format::OpenVex => openvex::render(report, options, &mut out)?,
        Format::Sarif => sarif::render(report, options, &mut out)?,
        Format::Markdown => markdown::render(report, options, &mut out)?,
        Format::Html => html::render(report, options, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

fn only_image(format: Format, report: &ScanReport) -> Result<&ImageReport, RenderError> {
    match report.images.as_slice() {
        [image] => Ok(image),
        images => Err(RenderError::OneImageOnly {
            format,
            count: images.len(),
        }),
    }
}

fn lists_packages(format: Format, options: &RenderOptions) -> bool {
    options
        .list_all_packages
        .unwrap_or(format.info().lists_packages)
}

#[cfg(test)]
mod tests;
