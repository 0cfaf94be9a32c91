//! One image.

use std::collections::BTreeMap;
use std::io;

use cleanbill_core::count;
use cleanbill_core::problem::{AssessmentStatus, Problem};
use cleanbill_core::report::{ImageReport, ResultSet};

use super::Choices;
use super::canvas::{Canvas, Span, Style};
use super::packages::{self, Kind};
use crate::layers::Layers;
use crate::render::base;
use crate::render::excepted;
use crate::render::exploitation::{self, EXPLOITED};
use crate::render::groups::{self, Group};
use crate::render::words::{self, Outcome};
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
    base_image(image, canvas)?;
    problems(image, choices, canvas)?;
    lapses(image, canvas)?;
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
    if let Some(distro) = words::distro(image) {
        let end = if image.is_end_of_life {
            " (end of life)"
        } else {
            ""
        };
        about.push(format!("{distro}{end}"));
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
    let (outcome, counts) = (Outcome::of(image), image.severity_counts());
    let mut line = Vec::new();
    if outcome.is_gap() {
        line.push(Span::new(outcome.sentence(), Style::Alarm));
    }
    if outcome == Outcome::NotAssessedCompletely {
        line.push(Span::plain("–"));
    }
    match (counts.total(), outcome) {
        (0, Outcome::NotAssessed) => {}
        (0, Outcome::NotAssessedCompletely) => {
            let text = "nothing found in what could be read";
            line.extend(Span::words(text, Style::Plain));
        }
        (0, outcome) => line.push(nothing_found(outcome, choices)),
        (total, _) => {
            let total = format!("{}:", count(total, "finding"));
            line.push(Span::new(&total, Style::Bold));
            line.extend(packages::severity_words(&counts));
            line.extend(exploited(image));
        }
    }
    if !choices.selection.is_empty() && image.status != AssessmentStatus::Failed {
        let selection = format!("(shown: {})", choices.selection);
        line.extend(Span::words(&selection, Style::Notice));
    }
    canvas.paragraph("", &line)
}

/// Says whose layers the findings come from.
fn base_image(image: &ImageReport, canvas: &mut Canvas<'_>) -> io::Result<()> {
    match base::sentence(image, &str::to_owned) {
        Some(sentence) => canvas.paragraph("", &Span::words(&sentence, Style::Plain)),
        None => Ok(()),
    }
}

/// Only what was looked at whole may be green.
fn nothing_found(outcome: Outcome, choices: Choices<'_>) -> Span {
    let sentence = outcome.sentence();
    match outcome {
        Outcome::Clean if choices.selection.is_empty() => {
            Span::new(&format!("✓ {sentence}"), Style::Good)
        }
        Outcome::Reserved => Span::new(sentence, Style::Notice),
        _ => Span::plain(sentence),
    }
}

fn exploited(image: &ImageReport) -> Vec<Span> {
    match exploitation::count_known(image) {
        0 => Vec::new(),
        known => vec![
            Span::plain("·"),
            Span::new(&format!("{known} {EXPLOITED}"), Style::Gap),
        ],
    }
}

fn problems(image: &ImageReport, choices: Choices<'_>, canvas: &mut Canvas<'_>) -> io::Result<()> {
    let mut sorted: Vec<&Problem> = words::problems(image).collect();
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
                "… {} (--full shows all)",
                count(more as u64, "more problem")
            );
            canvas.note("  ", &note, Style::Dim)
        }
    }
}

/// Says which exceptions cover findings no more.
fn lapses(image: &ImageReport, canvas: &mut Canvas<'_>) -> io::Result<()> {
    excepted::lapses(image).iter().try_for_each(|sentence| {
        let mut words = vec![
            Span::new("!", Style::Notice),
            Span::new("exception:", Style::Bold),
        ];
        words.extend(Span::words(
            &short(sentence, MESSAGE_MAX).text,
            Style::Plain,
        ));
        canvas.paragraph("  ", &words)
    })
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
    let title = format!("{}:", words::part(image, result));
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
            count(result.suppressed.len() as u64, "finding")
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
        count(findings as u64, "finding")
    )
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

/// Names what is excepted, shortly, and says what else is there but not shown.
fn hidden(image: &ImageReport, choices: Choices<'_>, canvas: &mut Canvas<'_>) -> io::Result<()> {
    if choices.suppressed {
        return Ok(());
    }
    let excepted = excepted::findings(image);
    let suppressed = image.results.iter().map(|result| result.suppressed.len());
    let others = suppressed.sum::<usize>().saturating_sub(excepted.len());
    if !excepted.is_empty() {
        canvas.empty_line()?;
        let title = format!("{}:", count(excepted.len() as u64, "excepted finding"));
        canvas.line(&[Span::new(&title, Style::Bold)])?;
        packages::excepted(&excepted, choices, canvas)?;
    }
    if others == 0 {
        return Ok(());
    }
    canvas.empty_line()?;
    let note = format!(
        "{} suppressed (--show-suppressed shows them)",
        count(others as u64, "finding")
    );
    canvas.note("", &note, Style::Dim)
}
