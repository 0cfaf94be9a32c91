//! The lists: what to upgrade, what is new, what is fixed, everything, what is excepted.

use cleanbill_core::count;
use cleanbill_core::report::{ImageReport, SuppressedFinding};
use cleanbill_core::vulnerability::Finding;

use super::page::{List, Page};
use super::summary::NAME_CHARS_MAX;
use super::{Comment, Comparison};
use crate::escape::link::web_address;
use crate::escape::markdown::{Code, Words};
use crate::render::groups::{self, Group};
use crate::render::words::{self, Outcome};

/// Upgrades that are shown without being asked for.
const UPGRADES_MAX: usize = 10;

/// Ids of a row before they are counted, in lists that are read first and in those that are folded.
const IDS_MAX: usize = 4;
const IDS_FOLDED_MAX: usize = 40;

/// New findings that have a row of their own.
const NEW_MAX: usize = 50;

/// Characters of a version, a title and the reason of an exception.
const VERSION_CHARS_MAX: usize = 60;
const TITLE_CHARS_MAX: usize = 80;
const REASON_CHARS_MAX: usize = 160;

pub(super) fn write(page: &mut Page, comment: &Comment<'_>) {
    let images = &comment.report.images;
    let mut upgrades: Vec<(&ImageReport, Group<'_>)> = Vec::new();
    let mut others: Vec<(&ImageReport, Group<'_>)> = Vec::new();
    for image in images {
        for result in &image.results {
            let (fixable, unfixed) = groups::group(&result.findings);
            upgrades.extend(fixable.into_iter().map(|group| (image, group)));
            others.extend(unfixed.into_iter().map(|group| (image, group)));
        }
    }
    sort(&mut upgrades);
    sort(&mut others);
    let is_several = images.len() > 1;
    let (first, rest) = upgrades.split_at(upgrades.len().min(UPGRADES_MAX));
    page.list(List {
        title: match comment.plan {
            [] => "Upgrade first".to_owned(),
            // The plan above names the lowest versions that pass.
            _ => "Upgrade first, to the versions that mend all of it".to_owned(),
        },
        is_folded: false,
        head: UPGRADE_HEAD,
        rows: first
            .iter()
            .map(|group| upgrade(group, is_several, IDS_MAX)),
    });
    if let Some(comparison) = comment.comparison {
        changes(page, comment, comparison);
    }
    page.list(List {
        title: count(rest.len() as u64, "further upgrade"),
        is_folded: true,
        head: UPGRADE_HEAD,
        rows: rest
            .iter()
            .map(|group| upgrade(group, is_several, IDS_FOLDED_MAX)),
    });
    page.list(List {
        title: count(others.len() as u64, "package") + " without a fix yet",
        is_folded: true,
        head: "| Package | Installed | Status | Found | Vulnerabilities |\n|---|---|---|---|---|\n",
        rows: others.iter().map(|group| unfixed(group, is_several)),
    });
    excepted(page, comment);
}

/// Puts the packages with the worst findings first, over all images.
fn sort(groups: &mut [(&ImageReport, Group<'_>)]) {
    groups.sort_by_cached_key(|(image, group)| {
        let counts = group.counts();
        let known = group
            .findings
            .iter()
            .any(|one| one.known_exploited.is_some());
        let worst = cleanbill_core::Severity::ALL.map(|one| std::cmp::Reverse(counts.get(one)));
        let name = (group.name.to_owned(), group.installed.to_owned());
        (!known, worst, name, image.artifact_name.clone())
    });
}

fn changes(page: &mut Page, comment: &Comment<'_>, comparison: &Comparison<'_>) {
    let is_several = comment.report.images.len() > 1;
    let mut new: Vec<(&ImageReport, &Finding)> = new_findings(comment, comparison).collect();
    new.sort_by_cached_key(|(_, finding)| words::worst_first(finding));
    let total = count(new.len() as u64, "new finding");
    let title = match new.len() > NEW_MAX {
        // The others stand in the lists of packages.
        true => format!("{total}, the {NEW_MAX} worst"),
        false => total,
    };
    page.list(List {
        title,
        is_folded: true,
        head: FINDING_HEAD,
        rows: new
            .iter()
            .take(NEW_MAX)
            .map(|(image, one)| finding(image, one, is_several)),
    });
    let images = comment.report.images.iter();
    let has_gap = images.into_iter().any(|image| Outcome::of(image).is_gap());
    let mut fixed: Vec<&(&ImageReport, &Finding)> = comparison.fixed.iter().collect();
    fixed.sort_by_cached_key(|(_, finding)| words::worst_first(finding));
    page.list(List {
        title: match has_gap {
            true => count(fixed.len() as u64, "finding") + " not found any more, perhaps not read",
            false => count(fixed.len() as u64, "fixed finding"),
        },
        is_folded: true,
        head: FINDING_HEAD,
        rows: fixed
            .iter()
            .map(|(image, one)| finding(image, one, is_several)),
    });
}

/// Iterates over the findings that are new, with their images.
pub(super) fn new_findings<'a>(
    comment: &Comment<'a>,
    comparison: &'a Comparison<'_>,
) -> impl Iterator<Item = (&'a ImageReport, &'a Finding)> {
    let images = comment.report.images.iter().enumerate();
    images.flat_map(move |(number, image)| {
        let results = image.results.iter().enumerate();
        results.flat_map(move |(result_number, result)| {
            let findings = result.findings.iter().enumerate();
            findings.filter_map(move |(finding_number, finding)| {
                let place = (result_number, finding_number);
                comparison.is_new(number, place).then_some((image, finding))
            })
        })
    })
}

const UPGRADE_HEAD: &str =
    "| Package | From | To | Mends | Vulnerabilities |\n|---|---|---|---|---|\n";

fn upgrade((image, group): &(&ImageReport, Group<'_>), is_several: bool, ids_max: usize) -> String {
    format!(
        "| {}{} | {} | {} | {} |{} |\n",
        Code(&words::cut(group.name, NAME_CHARS_MAX)),
        of_image(image, is_several),
        Code(&words::cut(group.installed, VERSION_CHARS_MAX)),
        Code(&words::cut(&group.fix(), VERSION_CHARS_MAX)),
        words::severities(&group.counts()),
        ids(group, ids_max)
    )
}

fn unfixed((image, group): &(&ImageReport, Group<'_>), is_several: bool) -> String {
    format!(
        "| {}{} | {} | {} | {} |{} |\n",
        Code(&words::cut(group.name, NAME_CHARS_MAX)),
        of_image(image, is_several),
        Code(&words::cut(group.installed, VERSION_CHARS_MAX)),
        Words(&group.statuses()),
        words::severities(&group.counts()),
        ids(group, IDS_FOLDED_MAX)
    )
}

fn of_image(image: &ImageReport, is_several: bool) -> String {
    match is_several {
        true => format!(
            " in {}",
            Code(&words::cut(&image.artifact_name, NAME_CHARS_MAX))
        ),
        false => String::new(),
    }
}

/// Lists ids, worst first. Only those of short lists are links: an address is longer than an id.
fn ids(group: &Group<'_>, ids_max: usize) -> String {
    let mut text = String::new();
    let mut ids = group.ids();
    for finding in ids.by_ref().take(ids_max) {
        text.push(' ');
        text.push_str(&id(finding, ids_max == IDS_MAX));
    }
    match ids.count() {
        0 => {}
        more => text.push_str(&format!(" and {more} more")),
    }
    text
}

fn id(finding: &Finding, is_link: bool) -> String {
    let shown = words::cut(&finding.vulnerability_id, NAME_CHARS_MAX);
    let words = Words(&shown);
    let mark = match finding.known_exploited {
        Some(_) => " **(exploited)**",
        None => "",
    };
    match web_address(&finding.primary_url) {
        Some(url) if is_link && url.len() <= 300 && !url.contains(['(', ')']) => {
            format!("[{words}]({url}){mark}")
        }
        _ => format!("{words}{mark}"),
    }
}

const FINDING_HEAD: &str = "| Severity | Vulnerability | Package | Installed | Fixed in | Title |\n\
                            |---|---|---|---|---|---|\n";

fn finding(image: &ImageReport, finding: &Finding, is_several: bool) -> String {
    let fix = match finding.fixed_version.as_str() {
        "" => words::fix_status(finding.status).to_owned(),
        fixed => Code(&words::cut(fixed, VERSION_CHARS_MAX)).to_string(),
    };
    format!(
        "| {} | {} | {}{} | {} | {fix} | {} |\n",
        finding.severity,
        id(finding, true),
        Code(&words::cut(&finding.package_name, NAME_CHARS_MAX)),
        of_image(image, is_several),
        Code(&words::cut(&finding.installed_version, VERSION_CHARS_MAX)),
        Words(&words::cut(words::title(finding), TITLE_CHARS_MAX)),
    )
}

fn excepted(page: &mut Page, comment: &Comment<'_>) {
    let images = &comment.report.images;
    let is_several = images.len() > 1;
    let mut all: Vec<(&ImageReport, &SuppressedFinding)> = Vec::new();
    for image in images {
        let suppressed = image.results.iter().flat_map(|result| &result.suppressed);
        all.extend(suppressed.map(|one| (image, one)));
    }
    all.sort_by_cached_key(|(_, one)| words::worst_first(&one.finding));
    page.list(List {
        title: count(all.len() as u64, "excepted finding"),
        is_folded: true,
        head: "| Severity | Vulnerability | Package | Reason | Terms |\n|---|---|---|---|---|\n",
        rows: all.iter().map(|(image, one)| {
            let reason = match one.statement.as_str() {
                "" => &one.status,
                statement => statement,
            };
            format!(
                "| {} | {} | {}{} | {} | {} |\n",
                one.finding.severity,
                id(&one.finding, false),
                Code(&words::cut(&one.finding.package_name, NAME_CHARS_MAX)),
                of_image(image, is_several),
                Words(&words::cut(reason, REASON_CHARS_MAX)),
                Words(&words::cut(&one.terms.words(), REASON_CHARS_MAX))
            )
        }),
    });
}
