//! What stands at the top: the verdict, its reasons, what was not assessed, the numbers.

use cleanbill_core::count;
use cleanbill_core::report::{ImageReport, SeverityCounts};
use cleanbill_core::severity::Severity;

use super::page::{List, Page};
use super::{Comment, Comparison};
use crate::escape::markdown::{Code, Words};
use crate::render::words::{self, Outcome};
use crate::render::{base, exploitation};

/// Reasons and problems that are listed; the rest is counted.
const REASONS_MAX: usize = 10;

/// Characters of a reason, a message or a name.
const REASON_CHARS_MAX: usize = 300;
pub(super) const NAME_CHARS_MAX: usize = 160;

pub(super) fn write(page: &mut Page, comment: &Comment<'_>) {
    page.write(&format!("### {}\n\n", title(comment)));
    if let Some(reasons) = comment.reasons {
        let lines = reasons.iter().map(|reason| {
            let reason = words::cut(reason, REASON_CHARS_MAX);
            format!("- {}\n", Words(&reason))
        });
        bullets(page, lines, "reason");
    }
    plan(page, comment);
    problems(page, comment);
    match comment.report.images.as_slice() {
        [] => {
            page.write("No image was scanned.\n\n");
        }
        [image] => one_image(page, image),
        images => several_images(page, images, comment.comparison),
    }
    if !comment.selection.is_empty() {
        let selection = words::cut(comment.selection, REASON_CHARS_MAX);
        page.write(&format!("Shown: {}.\n\n", Words(&selection)));
    }
    severities(page, comment);
}

/// Says in one line what is the matter, with a mark for those who only look.
fn title(comment: &Comment<'_>) -> String {
    let images = &comment.report.images;
    let gaps = images.iter().filter(|image| Outcome::of(image).is_gap());
    let gaps = gaps.count() as u64;
    let found = count(comment.report.severity_counts().total(), "finding");
    let total = comment.report.severity_counts().total();
    match comment.reasons {
        Some([]) if gaps > 0 => format!(
            "⚠️ Cleanbill: the gate passes, but {} not assessed completely",
            is_or_are(gaps)
        ),
        Some([]) if total == 0 => "✅ Cleanbill: the gate passes".to_owned(),
        Some([]) => format!("✅ Cleanbill: the gate passes, {found}"),
        Some(_) => format!("❌ Cleanbill: the gate fails, {found}"),
        None if gaps > 0 => format!("❌ Cleanbill: {} not assessed completely", is_or_are(gaps)),
        None if images.is_empty() => "⚠️ Cleanbill: no image".to_owned(),
        None if total == 0 => "✅ Cleanbill: no known vulnerabilities".to_owned(),
        None => format!("⚠️ Cleanbill: {found}"),
    }
}

fn is_or_are(images: u64) -> String {
    let verb = if images == 1 { "is" } else { "are" };
    format!("{} {verb}", count(images, "image"))
}

fn plan(page: &mut Page, comment: &Comment<'_>) {
    if comment.plan.is_empty() {
        return;
    }
    let title = words::cut(comment.plan_title, REASON_CHARS_MAX);
    page.write(&format!("**{}**:\n\n", Words(&title)));
    let lines = comment.plan.iter().map(|line| {
        let line = words::cut(line, REASON_CHARS_MAX);
        format!("- {}\n", Words(&line))
    });
    bullets(page, lines, "step");
}

fn problems(page: &mut Page, comment: &Comment<'_>) {
    let images = comment.report.images.iter();
    let gaps = images.flat_map(|image| {
        let problems = words::problems(image).filter(|problem| problem.kind.is_gap());
        problems.map(move |problem| {
            let place = match problem.path.as_str() {
                "" => String::new(),
                path => format!(", {}", Code(&words::cut(path, NAME_CHARS_MAX))),
            };
            let message = words::cut(&problem.message, REASON_CHARS_MAX);
            format!(
                "- **Not assessed completely**: {}{place}: {}\n",
                Code(&words::cut(&image.artifact_name, NAME_CHARS_MAX)),
                Words(&message)
            )
        })
    });
    bullets(page, gaps, "gap");
}

/// Writes the first few lines and counts the others.
fn bullets(page: &mut Page, mut lines: impl Iterator<Item = String>, noun: &str) {
    let mut has_any = false;
    for line in lines.by_ref().take(REASONS_MAX) {
        has_any |= page.write(&line);
    }
    let more = lines.count() as u64;
    if more > 0 {
        page.write(&format!(
            "- … and {}\n",
            count(more, &format!("more {noun}"))
        ));
    }
    if has_any {
        page.write("\n");
    }
}

fn one_image(page: &mut Page, image: &ImageReport) {
    let mut parts = vec![Code(&words::cut(&image.artifact_name, NAME_CHARS_MAX)).to_string()];
    if let Some(distro) = words::distro(image) {
        let distro = words::cut(&distro, NAME_CHARS_MAX);
        let end = if image.is_end_of_life {
            ", **past its end of life**"
        } else {
            ""
        };
        parts.push(format!("{}{end}", Words(&distro)));
    }
    match exploitation::count_known(image) {
        0 => {}
        known => parts.push(format!("**{known} known to be exploited**")),
    }
    page.write(&format!("{}\n\n", parts.join(" · ")));
    base_sentence(page, image);
}

fn base_sentence(page: &mut Page, image: &ImageReport) {
    if let Some(sentence) = base::sentence(image, &|name| Code(name).to_string()) {
        let mut chars = sentence.chars();
        let first = chars.next().map(|char| char.to_ascii_uppercase());
        let sentence: String = first.into_iter().chain(chars).collect();
        page.write(&format!("{sentence}.\n\n"));
    }
}

fn several_images(page: &mut Page, images: &[ImageReport], comparison: Option<&Comparison<'_>>) {
    let rows = images.iter().enumerate().map(|(number, image)| {
        let counts = image.severity_counts();
        let outcome = Outcome::of(image);
        let cells = Severity::ALL.map(|severity| match outcome {
            Outcome::NotAssessed => "?".to_owned(),
            _ => number_or_dot(counts.get(severity)),
        });
        let new = match comparison {
            None => String::new(),
            Some(comparison) => {
                let new = comparison.new.get(number).map_or(0, |new| new.len() as u64);
                format!(" {} |", number_or_dot(new))
            }
        };
        let known = match exploitation::count_known(image) {
            0 => String::new(),
            known => format!(", **{known} exploited**"),
        };
        format!(
            "| {} | {} |{new} {}{known} |\n",
            Code(&words::cut(&image.artifact_name, NAME_CHARS_MAX)),
            cells.join(" | "),
            outcome.sentence()
        )
    });
    let head = match comparison {
        None => {
            "| Image | Critical | High | Medium | Low | Unknown | Result |\n\
             |---|--:|--:|--:|--:|--:|---|\n"
        }
        Some(_) => {
            "| Image | Critical | High | Medium | Low | Unknown | New | Result |\n\
             |---|--:|--:|--:|--:|--:|--:|---|\n"
        }
    };
    page.list(List {
        title: count(images.len() as u64, "image"),
        is_folded: images.len() > 10,
        head,
        rows,
    });
}

/// Writes the numbers by severity, with the change where there is something to compare with.
fn severities(page: &mut Page, comment: &Comment<'_>) {
    let images = &comment.report.images;
    if images
        .iter()
        .all(|image| Outcome::of(image) == Outcome::NotAssessed)
    {
        return;
    }
    let now = comment.report.severity_counts();
    let table = match comment.comparison {
        None => plain_table(&now, &fixable(comment)),
        Some(comparison) => {
            let has_gap = images.iter().any(|image| Outcome::of(image).is_gap());
            change_table(comment, comparison, &now, has_gap)
        }
    };
    page.write(&table);
}

fn plain_table(now: &SeverityCounts, fixable: &SeverityCounts) -> String {
    let mut table = "| Severity | Found | Fix available |\n|---|--:|--:|\n".to_owned();
    for severity in Severity::ALL {
        table.push_str(&format!(
            "| {} | {} | {} |\n",
            words::capital(severity),
            number_or_dot(now.get(severity)),
            number_or_dot(fixable.get(severity))
        ));
    }
    let (now, fixable) = (now.total(), fixable.total());
    table.push_str(&format!("| **Total** | **{now}** | **{fixable}** |\n\n"));
    table
}

fn change_table(
    comment: &Comment<'_>,
    comparison: &Comparison<'_>,
    now: &SeverityCounts,
    has_gap: bool,
) -> String {
    let new: SeverityCounts = super::lists::new_findings(comment, comparison)
        .map(|(_, finding)| finding.severity)
        .collect();
    let fixed: SeverityCounts = comparison
        .fixed
        .iter()
        .map(|(_, finding)| finding.severity)
        .collect();
    let mut table =
        "| Severity | Now | New | Fixed | Unchanged |\n|---|--:|--:|--:|--:|\n".to_owned();
    let gone = |count: u64| match has_gap {
        // What is not found where not everything was read may still be there.
        true => "?".to_owned(),
        false => number_or_dot(count),
    };
    for severity in Severity::ALL {
        let (now, new) = (now.get(severity), new.get(severity));
        table.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            words::capital(severity),
            number_or_dot(now),
            number_or_dot(new),
            gone(fixed.get(severity)),
            number_or_dot(now.saturating_sub(new))
        ));
    }
    let (now, new) = (now.total(), new.total());
    table.push_str(&format!(
        "| **Total** | **{now}** | **{new}** | **{}** | **{}** |\n\n",
        match has_gap {
            true => "?".to_owned(),
            false => fixed.total().to_string(),
        },
        now.saturating_sub(new)
    ));
    table
}

fn fixable(comment: &Comment<'_>) -> SeverityCounts {
    let findings = comment.report.images.iter().flat_map(ImageReport::findings);
    findings
        .filter(|finding| !finding.fixed_version.is_empty())
        .map(|finding| finding.severity)
        .collect()
}

/// Prints a number; none is a dot, so that the others stand out.
fn number_or_dot(number: u64) -> String {
    match number {
        0 => "·".to_owned(),
        number => number.to_string(),
    }
}
