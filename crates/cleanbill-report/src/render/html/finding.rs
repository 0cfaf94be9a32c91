//! One row of the findings.

use std::io::{self, Write};

use cleanbill_core::report::ResultSet;
use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::{Finding, VulnerabilityDetails};

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

/// Writes a row. `data-k` is what a column is sorted by, where that is not its text.
pub(super) fn write_row(
    result: &ResultSet,
    finding: &Finding,
    layers: &Layers<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    write!(
        out,
        "<tr data-s=\"{}\" data-f=\"{}\"><td data-k=\"{}\">{}</td><td data-k=\"{}\">{}",
        words::lower(finding.severity),
        u8::from(!finding.fixed_version.is_empty()),
        4 - finding.severity.number(),
        badge(finding.severity),
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
            "<td class=\"dim\" data-k=\"~\">{}</td>",
            words::fix_status(finding.status)
        )?,
        fixed => write!(
            out,
            "<td class=\"mono fixed\" data-name=\"fixed in\">{}</td>",
            Line(fixed)
        )?,
    }
    match finding.layer.and_then(|layer| layers.find(&layer)) {
        Some((index, _)) => writeln!(
            out,
            "<td class=\"dim\" data-name=\"layer\">#{index}</td></tr>"
        ),
        None => writeln!(out, "<td></td></tr>"),
    }
}

/// Returns the severity as a word on a colour.
pub(super) fn badge(severity: Severity) -> String {
    format!(
        "<span class=\"badge {}\">{severity}</span>",
        words::lower(severity)
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
    let title = cut(words::title(finding), TITLE_MAX);
    let Some(details) = finding
        .details
        .as_deref()
        .filter(|details| has_more(details))
    else {
        return write!(out, "<div class=\"dim\">{}</div>", Line(&title));
    };
    let summary = if title.is_empty() { "details" } else { &title };
    write!(
        out,
        "<details class=\"about\"><summary>{}</summary>",
        Line(summary)
    )?;
    if !details.description.is_empty() {
        let description = cut(details.description.trim(), DESCRIPTION_MAX);
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
        let vector = [&cvss.v40_vector, &cvss.v3_vector, &cvss.v2_vector];
        let vector = vector.into_iter().find(|vector| !vector.is_empty());
        let vector = vector.map(String::as_str).unwrap_or_default();
        Some(format!("{score:.1} ({source}) {vector}"))
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
    ];
    out.write_all(b"<dl>")?;
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        write!(out, "<dt>{name}</dt><dd>{}</dd>", Line(fact))?;
    }
    out.write_all(b"</dl>")
}

fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
