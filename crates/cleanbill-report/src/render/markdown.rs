//! Markdown for pull requests and job summaries (GitHub and GitLab flavours).
//!
//! What was not assessed comes before everything else about an image. Findings are grouped by the
//! package that a person would upgrade; the full list is folded behind a heading of its own.

use std::io::{self, Write};

use cleanbill_core::count;
use cleanbill_core::problem::Problem;
use cleanbill_core::report::{ImageReport, ResultSet, ScanReport, SuppressedFinding};
use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::Finding;

use super::excepted;
use super::exploitation::{self, EXPLOITED};
use super::groups::{self, Group};
use super::words::{self, Outcome};
use super::{RenderOptions, base, trend};
use crate::escape::link::web_address;
use crate::escape::markdown::{Code, Words};

/// Ids of a group before the list is cut; the full list follows.
const IDS_MAX: usize = 8;
/// Problems before the list is folded.
const PROBLEMS_MAX: usize = 10;
/// Characters of a title: tables that are wider than the page are scrolled.
const TITLE_MAX: usize = 120;

pub(super) fn render(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "# Vulnerabilities\n")?;
    write_summary(report, options, out)?;
    trend::write_markdown(&options.trends, out)?;
    for image in &report.images {
        write_image(image, options, out)?;
    }
    write_footer(report, options, out)
}

fn write_summary(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    if report.images.is_empty() {
        return writeln!(out, "No image was scanned.\n");
    }
    let gaps = report
        .images
        .iter()
        .filter(|image| Outcome::of(image).is_gap());
    let gaps = gaps.count();
    if gaps > 0 {
        writeln!(
            out,
            "> [!CAUTION]\n> **Not assessed completely: {gaps} of {}.** No finding does not mean \
             clean there.\n",
            count(report.images.len() as u64, "image")
        )?;
    }
    if !options.selection.is_empty() {
        writeln!(out, "Shown: {}.\n", Words(&options.selection))?;
    }
    writeln!(
        out,
        "| Image | Distribution | Critical | High | Medium | Low | Unknown | Result |\n\
         |---|---|--:|--:|--:|--:|--:|---|"
    )?;
    for image in &report.images {
        write!(
            out,
            "| {} | {} |",
            Code(&image.artifact_name),
            Words(&words::distro(image).unwrap_or_default())
        )?;
        let counts = image.severity_counts();
        let is_unknown = Outcome::of(image) == Outcome::NotAssessed;
        for severity in Severity::ALL {
            match counts.get(severity) {
                0 if is_unknown => write!(out, " ? |")?,
                0 => write!(out, " · |")?,
                number => write!(out, " {number} |")?,
            }
        }
        writeln!(out, " {} |", verdict(image))?;
    }
    writeln!(out)
}

fn verdict(image: &ImageReport) -> String {
    let outcome = Outcome::of(image);
    let (mark, words) = match outcome {
        Outcome::NotAssessed | Outcome::NotAssessedCompletely => ("❌", outcome.sentence()),
        // The numbers stand beside it.
        Outcome::Vulnerable => ("⚠", "vulnerable"),
        Outcome::Reserved => ("⚠", outcome.sentence()),
        Outcome::NothingToAssess => ("–", outcome.sentence()),
        Outcome::Clean => ("✅", outcome.sentence()),
    };
    match exploitation::count_known(image) {
        0 => format!("{mark} {words}"),
        known => format!("{mark} {words}, **{known} exploited**"),
    }
}

fn exploited(image: &ImageReport) -> String {
    match exploitation::count_known(image) {
        0 => String::new(),
        known => format!("; **{known} {EXPLOITED}**"),
    }
}

fn write_image(
    image: &ImageReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "## {}\n", Code(&image.artifact_name))?;
    write_problems(image, out)?;
    let counts = image.severity_counts();
    let (outcome, total) = (Outcome::of(image), count(counts.total(), "finding"));
    match (outcome, counts.total()) {
        (Outcome::NotAssessed, _) => {}
        (Outcome::NotAssessedCompletely, 0) => {
            writeln!(out, "Nothing found in what could be read.\n")?;
        }
        (outcome, 0) => writeln!(out, "{}.\n", capitalised(outcome.sentence()))?,
        _ => writeln!(
            out,
            "**{total}**: {}{}.\n",
            words::severities(&counts),
            exploited(image)
        )?,
    }
    if let Some(sentence) = base::sentence(image, &|name| Code(name).to_string()) {
        writeln!(out, "{}.\n", capitalised(&sentence))?;
    }
    for result in &image.results {
        write_result(image, result, options, out)?;
    }
    Ok(())
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|char| char.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn write_problems(image: &ImageReport, out: &mut impl Write) -> io::Result<()> {
    let outcome = Outcome::of(image);
    if outcome.is_gap() {
        writeln!(
            out,
            "> [!CAUTION]\n> **{}** ({})",
            outcome.sentence(),
            image.status.name()
        )?;
    }
    let (gaps, notices): (Vec<_>, Vec<_>) =
        words::problems(image).partition(|problem| problem.kind.is_gap());
    if !outcome.is_gap() && !gaps.is_empty() {
        writeln!(out, "> [!CAUTION]")?;
    }
    let (gaps, folded_gaps) = gaps.split_at(gaps.len().min(PROBLEMS_MAX));
    let (notices, folded_notices) = notices.split_at(notices.len().min(PROBLEMS_MAX));
    list_problems("> ", gaps, out)?;
    if outcome.is_gap() || !gaps.is_empty() {
        writeln!(out)?;
    }
    let lapses = excepted::lapses(image);
    if !notices.is_empty() || !lapses.is_empty() {
        writeln!(out, "> [!WARNING]")?;
        list_problems("> ", notices, out)?;
        for sentence in lapses {
            writeln!(out, "> - **exception**: {}", Words(&sentence))?;
        }
        writeln!(out)?;
    }
    let folded = folded_gaps.len() + folded_notices.len();
    if folded > 0 {
        let title = count(folded as u64, "more problem");
        writeln!(out, "<details><summary>{title}</summary>\n")?;
        list_problems("", folded_gaps, out)?;
        list_problems("", folded_notices, out)?;
        writeln!(out, "\n</details>\n")?;
    }
    Ok(())
}

fn list_problems(margin: &str, problems: &[&Problem], out: &mut impl Write) -> io::Result<()> {
    problems.iter().try_for_each(|problem| {
        let place = match problem.path.as_str() {
            "" => String::new(),
            path => format!("{}: ", Code(path)),
        };
        writeln!(
            out,
            "{margin}- **{}**: {place}{}",
            problem.kind,
            Words(&problem.message)
        )
    })
}

fn write_result(
    image: &ImageReport,
    result: &ResultSet,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let is_listed = words::listed(options);
    let suppressed = result.suppressed.iter();
    let suppressed: Vec<&SuppressedFinding> = suppressed.filter(|one| is_listed(one)).collect();
    if result.findings.is_empty() && suppressed.is_empty() {
        return Ok(());
    }
    writeln!(out, "### {}\n", Words(&words::part(image, result)))?;
    let (upgrades, others) = groups::group(&result.findings);
    write_upgrades(&upgrades, out)?;
    write_unfixed(&others, out)?;
    write_findings(&result.findings, out)?;
    if !suppressed.is_empty() {
        write_suppressed(&suppressed, out)?;
    }
    Ok(())
}

fn write_upgrades(groups: &[Group<'_>], out: &mut impl Write) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "| Upgrade | From | To | Severities | Vulnerabilities |\n|---|---|---|---|---|"
    )?;
    for group in groups {
        write_group(group, &Code(&group.fix()).to_string(), out)?;
    }
    writeln!(out)
}

fn write_unfixed(groups: &[Group<'_>], out: &mut impl Write) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "| No fix yet | Installed | Status | Severities | Vulnerabilities |\n|---|---|---|---|---|"
    )?;
    for group in groups {
        write_group(group, &Words(&group.statuses()).to_string(), out)?;
    }
    writeln!(out)
}

fn write_group(group: &Group<'_>, third: &str, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "| {} | {} | {third} | {} |",
        Code(group.name),
        Code(group.installed),
        words::severities(&group.counts())
    )?;
    let mut ids = group.ids();
    for finding in ids.by_ref().take(IDS_MAX) {
        write!(out, " {}", id(finding))?;
    }
    match ids.count() {
        0 => writeln!(out, " |"),
        more => writeln!(out, " and {more} more |"),
    }
}

/// Returns the id, as a link where there is an address, with a mark if it is known to be
/// exploited.
fn id(finding: &Finding) -> String {
    let words = Words(&finding.vulnerability_id);
    let mark = match finding.known_exploited {
        Some(_) => " **(exploited)**",
        None => "",
    };
    match web_address(&finding.primary_url) {
        Some(url) if !url.contains(['(', ')']) => format!("[{words}]({url}){mark}"),
        _ => format!("{words}{mark}"),
    }
}

fn write_findings(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let has_scores = findings.iter().any(|finding| finding.epss.is_some());
    let (title, line) = match has_scores {
        true => (" EPSS |", "--:|"),
        false => ("", ""),
    };
    writeln!(
        out,
        "<details><summary>{}</summary>\n\n\
         | Severity | Vulnerability |{title} Package | Installed | Fixed in | Title |\n\
         |---|---|{line}---|---|---|---|",
        count(findings.len() as u64, "finding")
    )?;
    let mut findings: Vec<&Finding> = findings.iter().collect();
    findings.sort_by_key(|finding| words::worst_first(finding));
    for finding in findings {
        let place = match finding.package_path.as_str() {
            "" => String::new(),
            path => format!(" {}", Code(path)),
        };
        let fix = match finding.fixed_version.as_str() {
            "" => words::fix_status(finding.status).to_owned(),
            fixed => Code(fixed).to_string(),
        };
        writeln!(
            out,
            "| {} | {} |{} {}{place} | {} | {fix} | {} |",
            finding.severity,
            id(finding),
            score(finding, has_scores),
            Code(&finding.package_name),
            Code(&finding.installed_version),
            Words(&words::cut(words::title(finding), TITLE_MAX)),
        )?;
    }
    writeln!(out, "\n</details>\n")
}

/// Returns the cell of the EPSS score, where there is such a column.
fn score(finding: &Finding, has_scores: bool) -> String {
    match &finding.epss {
        _ if !has_scores => String::new(),
        // The number and its sign stay on one line.
        Some(epss) => {
            let percent = exploitation::percent(epss.score).replace(' ', "&nbsp;");
            format!(" {percent} |")
        }
        None => " |".to_owned(),
    }
}

fn write_suppressed(list: &[&SuppressedFinding], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<details><summary>{} suppressed</summary>\n\n\
         | Severity | Vulnerability | Package | Status | Reason | Said by |\n\
         |---|---|---|---|---|---|",
        count(list.len() as u64, "finding")
    )?;
    for suppressed in list {
        let finding = &suppressed.finding;
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            finding.severity,
            id(finding),
            Code(&finding.package_name),
            Words(&words::status(suppressed)),
            Words(&suppressed.reason()),
            Code(&suppressed.source),
        )?;
    }
    writeln!(out, "\n</details>\n")
}

fn write_footer(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut parts = vec![format!("Cleanbill {}", Words(&options.tool_version))];
    if !report.created_at.is_empty() {
        let time = words::minute(&report.created_at);
        parts.push(format!("scanned {}", Words(&time)));
    }
    if let Some(database) = &report.database {
        let built = words::minute(&database.updated_at);
        parts.push(format!(
            "advisory database of {} ({} old)",
            Words(&built),
            words::age(database.age_hours)
        ));
        let lists = words::lists(database);
        parts.extend(lists.map(|lists| Words(&lists).to_string()));
    }
    writeln!(out, "---\n\n{}", parts.join(" · "))
}
