//! One image.

use std::collections::BTreeMap;
use std::io::{self, Write};

use cleanbill_core::count;
use cleanbill_core::problem::{Problem, ProblemKind};
use cleanbill_core::report::{ImageReport, ResultSet, SuppressedFinding};
use cleanbill_core::severity::Severity;

use super::super::words::{self, Outcome};
use super::super::{RenderOptions, base, excepted, exploitation, lists_packages};
use super::{finding, overview};
use crate::escape::markup::Line;
use crate::format::Format;
use crate::layers::Layers;

/// Problems of one kind before the list is folded.
const PROBLEMS_MAX: usize = 8;

pub(super) fn write(
    index: usize,
    image: &ImageReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let layers = Layers::of(image);
    writeln!(out, "<section id=\"image-{index}\">")?;
    write_header(image, out)?;
    write_problems(image, out)?;
    write_verdict(image, options, out)?;
    if let Some(sentence) = base::sentence(image, &str::to_owned) {
        writeln!(out, "<p class=\"base\">{}</p>", Line(&sentence))?;
    }
    write_findings(image, &layers, out)?;
    write_suppressed(image, out)?;
    if lists_packages(Format::Html, options) {
        write_packages(image, &layers, out)?;
    }
    write_layers(image, &layers, out)?;
    out.write_all(b"</section>\n")
}

fn write_header(image: &ImageReport, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "<header><h2>{}</h2><div class=\"counts\">",
        Line(&image.artifact_name)
    )?;
    let counts = image.severity_counts();
    for severity in Severity::ALL {
        let (number, word) = (counts.get(severity), severity.lower_name());
        if number > 0 {
            write!(out, "<span class=\"badge {word}\">{number} {word}</span>")?;
        }
    }
    out.write_all(overview::exploited_badge(image).as_bytes())?;
    if counts.total() == 0 || Outcome::of(image).is_gap() {
        out.write_all(overview::badge(image).as_bytes())?;
    }
    out.write_all(b"</div></header>\n<ul class=\"facts\">")?;
    let packages: u64 = image.results.iter().map(ResultSet::package_count).sum();
    let facts = [
        words::distro(image).unwrap_or_default(),
        if image.is_end_of_life {
            "end of life".to_owned()
        } else {
            String::new()
        },
        if packages > 0 {
            count(packages, "package")
        } else {
            String::new()
        },
        image.source.clone(),
        image
            .metadata
            .image_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        image
            .reference()
            .filter(|reference| *reference != image.artifact_name)
            .unwrap_or_default()
            .to_owned(),
    ];
    for fact in facts.iter().filter(|fact| !fact.is_empty()) {
        write!(out, "<li>{}</li>", Line(fact))?;
    }
    out.write_all(b"</ul>\n")
}

/// Writes gaps first, then notices, each kind in a box of its own.
fn write_problems(image: &ImageReport, out: &mut impl Write) -> io::Result<()> {
    let mut kinds: BTreeMap<(bool, ProblemKind), Vec<&Problem>> = BTreeMap::new();
    for problem in words::problems(image) {
        let key = (!problem.kind.is_gap(), problem.kind);
        kinds.entry(key).or_default().push(problem);
    }
    for ((_, kind), problems) in kinds {
        write_kind(kind, &problems, out)?;
    }
    write_lapses(image, out)
}

/// Writes which exceptions cover findings no more.
fn write_lapses(image: &ImageReport, out: &mut impl Write) -> io::Result<()> {
    let lapses = excepted::lapses(image);
    if lapses.is_empty() {
        return Ok(());
    }
    out.write_all(b"<div class=\"problem is-note\"><b>! Note: exception</b><ul>")?;
    for sentence in lapses {
        write!(out, "<li>{}</li>", Line(&sentence))?;
    }
    out.write_all(b"</ul></div>\n")
}

fn write_kind(kind: ProblemKind, problems: &[&Problem], out: &mut impl Write) -> io::Result<()> {
    let (class, mark) = match kind.is_gap() {
        true => ("is-gap", "✗ Not assessed"),
        false => ("is-note", "! Note"),
    };
    write!(out, "<div class=\"problem {class}\"><b>{mark}: {kind}</b>")?;
    if let [problem] = problems {
        write_problem(problem, out)?;
        return out.write_all(b"</div>\n");
    }
    let (shown, folded) = problems.split_at(problems.len().min(PROBLEMS_MAX));
    write!(out, " ({})", problems.len())?;
    write_list(shown, out)?;
    if !folded.is_empty() {
        let more = folded.len();
        write!(
            out,
            "<details class=\"rest\"><summary>{more} more</summary>"
        )?;
        write_list(folded, out)?;
        out.write_all(b"</details>")?;
    }
    out.write_all(b"</div>\n")
}

fn write_list(problems: &[&Problem], out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"<ul>")?;
    for problem in problems {
        out.write_all(b"<li>")?;
        write_problem(problem, out)?;
        out.write_all(b"</li>\n")?;
    }
    out.write_all(b"</ul>")
}

fn write_problem(problem: &Problem, out: &mut impl Write) -> io::Result<()> {
    if !problem.path.is_empty() {
        write!(out, " <code>{}</code>", Line(&problem.path))?;
    }
    write!(out, " {}", Line(&problem.message))
}

/// Says what no findings mean.
fn write_verdict(
    image: &ImageReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let has_findings = image.findings().next().is_some();
    let selection = match options.selection.as_str() {
        "" => String::new(),
        selection => format!(" (shown: {selection})"),
    };
    let (class, text) = match Outcome::of(image) {
        Outcome::NotAssessed => (
            "is-gap",
            "✗ Not assessed: nothing is known about this image",
        ),
        Outcome::NotAssessedCompletely if has_findings => return Ok(()),
        Outcome::NotAssessedCompletely => ("is-gap", "Nothing found in what could be read"),
        Outcome::Vulnerable => return Ok(()),
        Outcome::Reserved => ("is-note", "No known vulnerabilities, with reservations"),
        Outcome::NothingToAssess => ("is-plain", "Nothing to assess: no packages"),
        Outcome::Clean if !selection.is_empty() => ("is-plain", "None of those that are shown"),
        Outcome::Clean => ("is-good", "✓ No known vulnerabilities"),
    };
    writeln!(
        out,
        "<p class=\"none {class}\">{text}{}</p>",
        Line(&selection)
    )
}

fn write_findings(
    image: &ImageReport,
    layers: &Layers<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    if image.findings().next().is_none() {
        return Ok(());
    }
    let table = finding::Table {
        layers,
        has_scores: exploitation::has_scores(image),
    };
    writeln!(
        out,
        "<div class=\"scroll\"><table class=\"findings stack\"><thead><tr>\
         <th class=\"is-short\">Severity</th><th class=\"is-long\">Vulnerability</th>\
         <th>Package</th><th class=\"is-version\">Installed</th>\
         <th class=\"is-version\">Fixed in</th>{}<th class=\"is-number\">Layer</th></tr></thead>\n\
         <tbody>",
        if table.has_scores {
            "<th class=\"is-number num\">EPSS</th>"
        } else {
            ""
        }
    )?;
    let mut findings: Vec<_> = image
        .results
        .iter()
        .flat_map(|result| result.findings.iter().map(move |finding| (result, finding)))
        .collect();
    findings.sort_by_key(|(_, finding)| words::worst_first(finding));
    for (result, one) in findings {
        finding::write_row(result, one, &table, out)?;
    }
    out.write_all(b"</tbody></table></div>\n")
}

/// Writes what exceptions and VEX statements took out, always: a page is read by people who did
/// not choose its flags.
fn write_suppressed(image: &ImageReport, out: &mut impl Write) -> io::Result<()> {
    let mut suppressed: Vec<&SuppressedFinding> = image
        .results
        .iter()
        .flat_map(|result| &result.suppressed)
        .collect();
    if suppressed.is_empty() {
        return Ok(());
    }
    suppressed.sort_by_key(|suppressed| words::worst_first(&suppressed.finding));
    write!(
        out,
        "<details class=\"more\"><summary>{} suppressed</summary><div class=\"scroll\">\
         <table class=\"suppressed stack\"><thead><tr><th>Severity</th><th>Vulnerability</th><th>Package</th>\
         <th>Status</th><th>Reason</th><th>Said by</th></tr></thead>\n<tbody>\n",
        count(suppressed.len() as u64, "finding")
    )?;
    for exception in suppressed {
        let SuppressedFinding {
            source,
            finding: one,
            ..
        } = exception;
        writeln!(
            out,
            "<tr><td>{}{}</td><td>{}</td><td class=\"wrap\">{} {}</td><td>{}</td>\
             <td class=\"wrap\">{}</td><td class=\"wrap\">{}</td></tr>",
            finding::badge(one.severity),
            finding::exploited_badge(one),
            finding::id(one),
            Line(&one.package_name),
            Line(&one.installed_version),
            Line(&words::status(exception)),
            match exception.reason().as_ref() {
                "" => Line("no reason given"),
                reason => Line(reason),
            },
            Line(source),
        )?;
    }
    out.write_all(b"</tbody></table></div></details>\n")
}

fn write_packages(
    image: &ImageReport,
    layers: &Layers<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    for result in image
        .results
        .iter()
        .filter(|result| !result.packages.is_empty())
    {
        write!(
            out,
            "<details class=\"more\"><summary>{} of {}</summary><div class=\"scroll\"><table>\
             <thead><tr><th>Package</th><th>Version</th><th>Licences</th><th>Layer</th></tr>\
             </thead>\n<tbody>\n",
            count(result.packages.len() as u64, "package"),
            Line(&words::part(image, result)),
        )?;
        for package in &result.packages {
            let layer = package.layer.and_then(|layer| layers.find(&layer));
            writeln!(
                out,
                "<tr><td class=\"wrap\">{}</td><td class=\"wrap\">{}</td><td class=\"wrap\">{}</td>\
                 <td>{}</td></tr>",
                Line(&package.name),
                Line(&package.installed_version()),
                Line(&package.licenses.join(", ")),
                layer
                    .map(|(index, _)| format!("#{index}"))
                    .unwrap_or_default(),
            )?;
        }
        out.write_all(b"</tbody></table></div></details>\n")?;
    }
    Ok(())
}

/// Says what the numbers of layers mean.
fn write_layers(image: &ImageReport, layers: &Layers<'_>, out: &mut impl Write) -> io::Result<()> {
    let used: BTreeMap<usize, &str> = image
        .findings()
        .filter_map(|finding| layers.find(&finding.layer?))
        .collect();
    if used.is_empty() {
        return Ok(());
    }
    out.write_all(b"<details class=\"more\" open><summary>Layers that brought them</summary><ul class=\"layers\">\n")?;
    for (index, created_by) in used {
        let created_by = match created_by.trim() {
            "" => "(no history line)",
            created_by => created_by,
        };
        writeln!(
            out,
            "<li><span class=\"dim\">#{index}</span><code>{}</code></li>",
            Line(created_by)
        )?;
    }
    out.write_all(b"</ul></details>\n")
}
