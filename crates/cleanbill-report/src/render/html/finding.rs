//! One row of the findings.

use std::io::{self, Write};
use std::sync::LazyLock;

use cleanbill_core::base_image::Origin;
use cleanbill_core::report::ResultSet;
use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::{Finding, VulnerabilityDetails};

use super::super::exploitation::{self, Exploitation};
use super::super::words;
use crate::escape::link::web_address;
use crate::escape::markup::{Line, Lines};
use crate::layers::Layers;

/// Characters of a description: the rest is behind the link.
const DESCRIPTION_MAX: usize = 600;
/// Characters of a title.
const TITLE_MAX: usize = 300;
/// References before the list is cut.
const REFERENCES_MAX: usize = 5;

/// What the rows of a table have in common.
pub(super) struct Table<'a> {
    pub(super) layers: &'a Layers<'a>,
    /// There is a column for EPSS scores.
    pub(super) has_scores: bool,
}

/// Writes a row. `data-k` is what a column is sorted by, where that is not its text.
pub(super) fn write_row(
    result: &ResultSet,
    finding: &Finding,
    table: &Table<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    write!(
        out,
        "<tr data-s=\"{}\" data-f=\"{}\" data-x=\"{}\"{}><td data-k=\"{}\">{}{}</td>\
         <td data-k=\"{}\">{}",
        finding.severity.lower_name(),
        u8::from(!finding.fixed_version.is_empty()),
        u8::from(finding.known_exploited.is_some()),
        finding.origin.map_or("", origin_attribute),
        4 - finding.severity.number(),
        badge(finding.severity),
        exploited_badge(finding),
        Line(&finding.vulnerability_id),
        id(finding),
    )?;
    write_about(finding, out)?;
    write!(
        out,
        "</td><td data-k=\"{0}\"><b>{0}</b>",
        Line(&finding.package_name)
    )?;
    let place = match finding.package_path.as_str() {
        "" => result.kind.as_str(),
        path => path,
    };
    write!(out, "<div class=\"dim small\">{}</div></td>", Line(place))?;
    write!(
        out,
        "<td class=\"mono\" data-name=\"installed\">{}</td>",
        Line(&finding.installed_version)
    )?;
    match finding.fixed_version.as_str() {
        "" => write!(
            out,
            "<td class=\"dim\" data-k=\"~\" data-name=\"state\">{}</td>",
            words::fix_status(finding.status)
        )?,
        fixed => write!(
            out,
            "<td class=\"mono fixed\" data-name=\"fixed in\">{}</td>",
            Line(fixed)
        )?,
    }
    if table.has_scores {
        write_score(finding, out)?;
    }
    match finding.layer.and_then(|layer| table.layers.find(&layer)) {
        Some((index, _)) => writeln!(
            out,
            "<td class=\"dim\" data-name=\"layer\">#{index}{}</td></tr>",
            match finding.origin {
                Some(Origin::Base) => " <span class=\"small\">base</span>",
                _ => "",
            }
        ),
        None => writeln!(out, "<td></td></tr>"),
    }
}

/// Returns what the script filters by.
fn origin_attribute(origin: Origin) -> &'static str {
    match origin {
        Origin::Base => " data-o=\"base\"",
        Origin::Own => " data-o=\"own\"",
    }
}

/// Writes the EPSS score. The greatest comes first when sorted; what has none comes last.
fn write_score(finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    const SCALE: f64 = 1_000_000.0;
    match &finding.epss {
        None => write!(out, "<td data-k=\"9999999\"></td>"),
        Some(epss) => write!(
            out,
            "<td class=\"num\" data-k=\"{:07.0}\" data-name=\"EPSS\">{}</td>",
            (1.0 - epss.score.clamp(0.0, 1.0)) * SCALE,
            exploitation::percent(epss.score)
        ),
    }
}

/// Returns what marks a finding that is known to be exploited.
pub(super) fn exploited_badge(finding: &Finding) -> &'static str {
    match finding.known_exploited {
        Some(_) => " <span class=\"badge exploited\">exploited</span>",
        None => "",
    }
}

/// Returns the severity as a word on a colour.
pub(super) fn badge(severity: Severity) -> String {
    format!(
        "<span class=\"badge {}\">{severity}</span>",
        severity.lower_name()
    )
}

/// Returns the id, as a link where there is an address.
pub(super) fn id(finding: &Finding) -> String {
    let id = Line(&finding.vulnerability_id);
    match web_address(&finding.primary_url) {
        Some(url) => format!(
            "<a class=\"id\" href=\"{}\" rel=\"noreferrer noopener\">{id}</a>",
            Line(url)
        ),
        None => format!("<span class=\"id\">{id}</span>"),
    }
}

fn write_about(finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    static NO_DETAILS: LazyLock<VulnerabilityDetails> = LazyLock::new(Default::default);
    let title = words::cut(words::title(finding), TITLE_MAX);
    let details = finding.details.as_deref().unwrap_or(&NO_DETAILS);
    if !has_more(details) && Exploitation::of(finding).is_empty() {
        return write!(out, "<div class=\"dim\">{}</div>", Line(&title));
    }
    let summary = if title.is_empty() { "details" } else { &title };
    write!(
        out,
        "<details class=\"about\"><summary>{}</summary>",
        Line(summary)
    )?;
    if !details.description.is_empty() {
        let description = words::cut(details.description.trim(), DESCRIPTION_MAX);
        write!(out, "<p>{}</p>", Lines(&description))?;
    }
    write_facts(finding, details, out)?;
    let links: Vec<_> = details
        .references
        .iter()
        .filter_map(|reference| web_address(reference))
        .take(REFERENCES_MAX)
        .collect();
    if !links.is_empty() {
        out.write_all(b"<ul class=\"small\">")?;
        for link in links {
            write!(
                out,
                "<li><a href=\"{0}\" rel=\"noreferrer noopener\">{0}</a></li>",
                Line(link)
            )?;
        }
        out.write_all(b"</ul>")?;
    }
    out.write_all(b"</details>")
}

fn has_more(details: &VulnerabilityDetails) -> bool {
    !details.description.is_empty() || !details.cvss.is_empty() || !details.references.is_empty()
}

fn write_facts(
    finding: &Finding,
    details: &VulnerabilityDetails,
    out: &mut impl Write,
) -> io::Result<()> {
    let score = words::cvss(finding).and_then(|(source, cvss)| {
        let score = words::score(cvss)?;
        Some(format!("{score:.1} ({source}) {}", words::vector(cvss)))
    });
    let source = finding
        .data_source
        .as_ref()
        .map(|source| source.name.clone());
    let facts = [
        ("CVSS", score.unwrap_or_default()),
        ("Rated by", finding.severity_source.clone()),
        ("Weakness", details.cwe_ids.join(", ")),
        ("Supplier's ids", finding.vendor_ids.join(", ")),
        ("Advisory of", source.unwrap_or_default()),
        (
            "Published",
            details.published.get(..10).unwrap_or_default().to_owned(),
        ),
        ("Exception", finding.lapsed_exception.to_string()),
    ];
    out.write_all(b"<dl>")?;
    let facts = Exploitation::of(finding).facts().chain(facts);
    for (name, fact) in facts.filter(|(_, fact)| !fact.is_empty()) {
        write!(out, "<dt>{name}</dt><dd>{}</dd>", Line(&fact))?;
    }
    out.write_all(b"</dl>")
}
