//! One image.

use std::collections::BTreeMap;
use std::io;

use cleanbill_core::problem::{AssessmentStatus, Problem};
use cleanbill_core::report::{ImageReport, ResultClass, ResultSet};

use super::Choices;
use super::canvas::{Canvas, Span, Style};
use super::packages::{self, Kind};
use crate::layers::Layers;
use crate::render::groups::{self, Group};
use crate::render::words::count;
use crate::text;

/// Columns of a name or path; longer ones are cut.
const PATH_MAX: usize = 600;
/// Columns of a message; longer ones are cut. Those that name every source that was tried, each
/// with its reason, have a thousand.
const MESSAGE_MAX: usize = 2_000;
/// Problems before the list is folded.
const PROBLEMS_MAX: usize = 10;

pub(super) fn render(
    image: &ImageReport,
    choices: Choices<'_>,
    canvas: &mut Canvas<'_>,
) -> io::Result<()> {
    header(image, canvas)?;
    verdict(image, choices, canvas)?;
    problems(image, choices, canvas)?;
    let layers = Layers::of(image);
    let mut used = BTreeMap::new();
    for result in &image.results {
        section(image, result, &layers, choices, canvas)?;
        for layer in result.findings.iter().filter_map(|finding| finding.layer) {
            used.extend(layers.find(&layer));
        }
    }
    legend(&used, canvas)?;
    hidden(image, choices, canvas)
}

/// Writes the name and what the image is.
fn header(image: &ImageReport, canvas: &mut Canvas<'_>) -> io::Result<()> {
    let mut about = Vec::new();
    if let Some(distro) = &image.distro {
        let end = if image.is_end_of_life {
            " (end of life)"
        } else {
            ""
        };
        about.push(format!("{} {}{end}", distro.family, distro.release()));
    } else if image.status != AssessmentStatus::Failed {
        about.push("no distribution".to_owned());
    }
    let packages: u64 = image.results.iter().map(ResultSet::package_count).sum();
    if image.status != AssessmentStatus::Failed {
        about.push(count(packages, "package"));
    }
    if !image.source.is_empty() {
        about.push(image.source.clone());
    }
    let name = Span {
        style: Style::Bold,
        ..short(&image.artifact_name, PATH_MAX)
    };
    canvas.paragraph("", &[name])?;
    if about.is_empty() {
        return Ok(());
    }
    canvas.note("", &about.join(" · "), Style::Dim)
}

/// Writes the counts. Only an image that was assessed completely, and without reservation, looks
/// clean.
fn verdict(image: &ImageReport, choices: Choices<'_>, canvas: &mut Canvas<'_>) -> io::Result<()> {
    let counts = image.severity_counts();
    let mut line = match image.status {
        AssessmentStatus::Failed => vec![Span::new("NOT ASSESSED", Style::Alarm)],
        AssessmentStatus::Partial => vec![
            Span::new("NOT ASSESSED COMPLETELY", Style::Alarm),
            Span::plain("–"),
        ],
        AssessmentStatus::Complete => Vec::new(),
    };
    match (counts.total(), image.status) {
        (0, AssessmentStatus::Failed) => {}
        (0, AssessmentStatus::Partial) => {
            let text = "nothing found in what could be read";
            line.extend(Span::words(text, Style::Plain));
        }
        (0, AssessmentStatus::Complete) => line.push(nothing_found(image)),
        (total, _) => {
            let total = format!("{}:", count(total, "vulnerability"));
            line.push(Span::new(&total, Style::Bold));
            line.extend(packages::severity_words(&counts));
        }
    }
    if !choices.selection.is_empty() && image.status != AssessmentStatus::Failed {
        let selection = format!("(shown: {})", choices.selection);
        line.extend(Span::words(&selection, Style::Notice));
    }
    canvas.paragraph("", &line)
}

fn nothing_found(image: &ImageReport) -> Span {
    if image
        .results
        .iter()
        .all(|result| result.package_count() == 0)
    {
        Span::plain("nothing to assess: no packages")
    } else if is_clean(image) {
        Span::new("✓ no known vulnerabilities", Style::Good)
    } else {
        Span::new("no known vulnerabilities, with reservations", Style::Notice)
    }
}

/// Says whether an image without findings may be shown in green.
pub(super) fn is_clean(image: &ImageReport) -> bool {
    image.status == AssessmentStatus::Complete
        && image.problems.is_empty()
        && !image.is_end_of_life
        && image.severity_counts().total() == 0
}

fn problems(image: &ImageReport, choices: Choices<'_>, canvas: &mut Canvas<'_>) -> io::Result<()> {
    let mut sorted: Vec<&Problem> = image.problems.iter().collect();
    sorted.sort_by_key(|problem| !problem.kind.is_gap());
    let shown = if choices.full {
        sorted.len()
    } else {
        PROBLEMS_MAX
    };
    for problem in sorted.iter().take(shown) {
        let (mark, style) = match problem.kind.is_gap() {
            true => ("✗", Style::Gap),
            false => ("!", Style::Notice),
        };
        let kind = format!("{}:", problem.kind.name());
        let mut words = vec![Span::new(mark, style), Span::new(&kind, Style::Bold)];
        if !problem.path.is_empty() {
            words.push(short(&format!("{}:", problem.path), PATH_MAX));
        }
        words.extend(Span::words(
            &short(&problem.message, MESSAGE_MAX).text,
            Style::Plain,
        ));
        canvas.paragraph("  ", &words)?;
    }
    match sorted.len().saturating_sub(shown) {
        0 => Ok(()),
        more => {
            let note = format!(
                "… {} more (--full shows all)",
                count(more as u64, "problem")
            );
            canvas.note("  ", &note, Style::Dim)
        }
    }
}

/// Cuts what is longer than a person reads.
fn short(text: &str, max: usize) -> Span {
    let span = Span::plain(text);
    span.with_text(&text::truncate(&span.text, max))
}

/// Writes the findings of one kind of packages.
fn section(
    image: &ImageReport,
    result: &ResultSet,
    layers: &Layers<'_>,
    choices: Choices<'_>,
    canvas: &mut Canvas<'_>,
) -> io::Result<()> {
    let shows_suppressed = choices.suppressed && !result.suppressed.is_empty();
    let shows_packages = choices.packages && !result.packages.is_empty();
    if result.findings.is_empty() && !shows_suppressed && !shows_packages {
        return Ok(());
    }
    let title = title(image, result);
    let (upgrades, others) = groups::group(&result.findings);
    for (kind, groups) in [(Kind::Upgrade, upgrades), (Kind::NoFix, others)] {
        if groups.is_empty() {
            continue;
        }
        canvas.empty_line()?;
        let about = match kind {
            Kind::Upgrade => format!("upgrade {}", extent(&groups, "to fix")),
            Kind::NoFix => format!("no fix yet for {}", extent(&groups, "with")),
        };
        heading(&title, &about, canvas)?;
        packages::groups(&groups, kind, layers, choices, canvas)?;
    }
    if shows_suppressed {
        canvas.empty_line()?;
        let about = format!(
            "{} suppressed",
            count(result.suppressed.len() as u64, "vulnerability")
        );
        heading(&title, &about, canvas)?;
        packages::suppressed(&result.suppressed, choices, canvas)?;
    }
    if shows_packages {
        canvas.empty_line()?;
        let about = format!(
            "{} installed",
            count(result.packages.len() as u64, "package")
        );
        heading(&title, &about, canvas)?;
        packages::installed(&result.packages, layers, canvas)?;
    }
    Ok(())
}

fn heading(title: &str, about: &str, canvas: &mut Canvas<'_>) -> io::Result<()> {
    let mut words = vec![Span {
        style: Style::Bold,
        ..short(title, PATH_MAX)
    }];
    words.extend(Span::words(about, Style::Plain));
    canvas.paragraph("", &words)
}

fn extent(groups: &[Group<'_>], joint: &str) -> String {
    let findings: usize = groups.iter().map(|group| group.findings.len()).sum();
    format!(
        "{} {joint} {}",
        count(groups.len() as u64, "package"),
        count(findings as u64, "vulnerability")
    )
}

fn title(image: &ImageReport, result: &ResultSet) -> String {
    match (result.class, &image.distro) {
        (ResultClass::OsPackages, Some(distro)) => {
            format!("{} {}:", distro.family, distro.release())
        }
        _ if result.target.is_empty() => format!("{}:", result.kind),
        _ => format!("{}:", result.target),
    }
}

/// Says what the numbers of layers mean.
fn legend(used: &BTreeMap<usize, &str>, canvas: &mut Canvas<'_>) -> io::Result<()> {
    if used.is_empty() {
        return Ok(());
    }
    canvas.empty_line()?;
    canvas.line(&[Span::new("Layers that brought them", Style::Bold)])?;
    for (index, created_by) in used {
        let mark = format!("  #{index:<3} ");
        let line = match created_by.trim() {
            "" => Span::new("(no history line)", Style::Dim),
            created_by => Span::plain(created_by),
        };
        let room = canvas.width.saturating_sub(text::width(&mark));
        let shortened = text::truncate(&line.text, room);
        canvas.line(&[Span::new(&mark, Style::Dim), line.with_text(&shortened)])?;
    }
    Ok(())
}

/// Says what is there but not shown.
fn hidden(image: &ImageReport, choices: Choices<'_>, canvas: &mut Canvas<'_>) -> io::Result<()> {
    let suppressed: usize = image
        .results
        .iter()
        .map(|result| result.suppressed.len())
        .sum();
    if suppressed == 0 || choices.suppressed {
        return Ok(());
    }
    canvas.empty_line()?;
    let note = format!(
        "{} suppressed by exceptions (--show-suppressed shows them)",
        count(suppressed as u64, "vulnerability")
    );
    canvas.note("", &note, Style::Dim)
}
