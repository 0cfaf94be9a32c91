//! Sentences about a verdict that every format says alike.

use std::cmp::Reverse;

use cleanbill_core::count;
use cleanbill_core::report::{ImageReport, ScanReport, SuppressedFinding};
use cleanbill_policy::gate::{Hit, Verdict};
use cleanbill_policy::upgrade::{Upgrade, UpgradePlan};

/// Characters of a reason where it is one of many.
const REASON_CHARS_MAX: usize = 500;

/// Packages of one source that are named.
const PACKAGES_MAX: usize = 4;

/// Says whether it passed, and how many rules stood against it.
pub(super) fn headline(verdict: &Verdict) -> String {
    let failed = verdict.rules.iter().filter(|rule| rule.fails()).count();
    let rules = count(verdict.rules.len() as u64, "rule");
    match failed {
        0 => format!("passed: nothing stands against {rules}"),
        failed => format!(
            "failed: {failed} of {rules}, exit code {}",
            verdict.exit_code
        ),
    }
}

/// Says what would make a scan pass, one line for each step; empty if nothing is known to.
pub(in crate::commands) fn plan(verdict: &Verdict, report: &ScanReport) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(plan) = &verdict.plan {
        add_upgrades(plan, report, &mut lines);
    }
    let advice = verdict
        .rules
        .iter()
        .filter(|rule| rule.fails() && !rule.advice.is_empty());
    lines.extend(advice.map(|rule| format!("{}: {}", rule.kind.name(), rule.advice)));
    lines
}

/// Says first what upgrades do not mend: those who read only the beginning must not take the rest for
/// enough.
fn add_upgrades(plan: &UpgradePlan, report: &ScanReport, lines: &mut Vec<String>) {
    let left = plan.left.iter();
    lines.extend(left.map(|left| unfixable(left.rule.name(), left.too_many)));
    lines.extend(plan.upgrades.iter().map(|one| upgrade(one, report)));
    if let Some(base) = &plan.base {
        let counts = (base.removed.total(), base.added.total());
        lines.push(better_base(&base.name, counts.0, counts.1));
        lines.extend(
            base.upgrades
                .iter()
                .map(|one| format!("  and {}", upgrade(one, report))),
        );
    }
}

/// Says of a rule that no upgrade makes it pass.
pub(in crate::commands) fn unfixable(rule: &str, too_many: u64) -> String {
    let findings = count(too_many, "finding");
    format!(
        "{rule}: {findings} too many without a fix: wait, replace the package, or write an exception"
    )
}

/// Says above the steps how far they lead; they may be none of upgrades.
pub(in crate::commands) fn title(plan: Option<&UpgradePlan>) -> String {
    plan.map_or_else(|| "To pass".to_owned(), plan_title)
}

/// Says how many steps a plan has, and whether fewer would do.
fn plan_title(plan: &UpgradePlan) -> String {
    title_of(
        plan.upgrades.len() as u64,
        plan.left.is_empty(),
        plan.is_smallest,
    )
}

/// The same of a plan of so many upgrades.
pub(in crate::commands) fn title_of(upgrades: u64, is_enough: bool, is_smallest: bool) -> String {
    let packages = count(upgrades, "package");
    match (is_enough, is_smallest) {
        (true, true) => format!("To pass, upgrade {packages}; fewer will not do"),
        (true, false) => format!("To pass, upgrade {packages}"),
        (false, _) if upgrades == 0 => "No upgrade makes it pass".to_owned(),
        (false, _) => format!("Upgrading {packages} is not enough to pass"),
    }
}

/// Says what to upgrade.
pub(super) fn upgrade(upgrade: &Upgrade, report: &ScanReport) -> String {
    let Upgrade {
        name,
        installed,
        fixed,
        findings,
        severity,
        ..
    } = upgrade;
    let packages = match others(upgrade) {
        None => String::new(),
        Some(packages) => format!(" ({packages})"),
    };
    let place = match report.images.as_slice() {
        [_] => String::new(),
        images => images
            .get(upgrade.image)
            .map(|image| format!(" in {}", image.artifact_name))
            .unwrap_or_default(),
    };
    let covered = count(*findings, "finding");
    let worst = if *findings > 1 { "worst " } else { "" };
    format!(
        "upgrade {name}{packages} from {installed} to {fixed}{place}: {covered}, {worst}{severity}"
    )
}

/// Names the packages that come with a source, unless it is called as the only one.
fn others(upgrade: &Upgrade) -> Option<String> {
    let names: Vec<&str> = upgrade.packages.iter().map(String::as_str).collect();
    if names == [upgrade.name.as_str()] {
        return None;
    }
    let shown = names
        .get(..PACKAGES_MAX.min(names.len()))
        .unwrap_or_default();
    Some(match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    })
}

/// Names a base image that needs fewer upgrades.
pub(in crate::commands) fn better_base(name: &str, removed: u64, added: u64) -> String {
    let removed = count(removed, "finding");
    let added = match added {
        0 => String::new(),
        added => format!(" and adds {added}"),
    };
    format!("or build on {name}, which removes {removed}{added}")
}

/// Names what a rule failed on, for formats that print lines.
pub(super) fn hit(hit: &Hit, report: &ScanReport) -> String {
    let (name, text) = match hit {
        Hit::Finding(place) => match place.find(report) {
            Some((image, _, finding)) => {
                let fix = match finding.fixed_version.as_str() {
                    "" => ", no fix".to_owned(),
                    fixed => format!(", fixed in {fixed}"),
                };
                let path = match finding.package_path.as_str() {
                    "" => String::new(),
                    path => format!(" ({path})"),
                };
                (
                    &image.artifact_name,
                    format!(
                        "{} {} in {} {}{path}{fix}",
                        finding.severity,
                        finding.vulnerability_id,
                        finding.package_name,
                        finding.installed_version
                    ),
                )
            }
            None => return String::new(),
        },
        Hit::Package(place) => match place.find(report) {
            Some((image, _, package)) => {
                let path = match package.file_path.as_str() {
                    "" => String::new(),
                    path => format!(" ({path})"),
                };
                let version = package.installed_version();
                (
                    &image.artifact_name,
                    format!("{} {version}{path}", package.name),
                )
            }
            None => return String::new(),
        },
        Hit::Image(number) => {
            let image = report.images.get(*number);
            return image.map_or_else(String::new, |image| image.artifact_name.clone());
        }
    };
    match report.images.len() {
        1 => text,
        _ => format!("{name}: {text}"),
    }
}

/// Lists what exceptions cover, worst first.
pub(super) fn excepted(report: &ScanReport) -> Vec<(&ImageReport, &SuppressedFinding)> {
    let mut all = Vec::new();
    for image in &report.images {
        let suppressed = image.results.iter().flat_map(|result| &result.suppressed);
        let excepted = suppressed.filter(|one| one.is_excepted());
        all.extend(excepted.map(|one| (image, one)));
    }
    all.sort_by(|(_, a), (_, b)| place_in_list(a).cmp(&place_in_list(b)));
    all
}

fn place_in_list(suppressed: &SuppressedFinding) -> impl Ord {
    let finding = &suppressed.finding;
    let badness = (finding.severity, finding.known_exploited.is_some());
    let names = (&finding.vulnerability_id, &finding.package_name);
    (Reverse(badness), names, &suppressed.source)
}

/// Names the first of them, each with its reason, and says how many more there are. What is in
/// several places is named once.
pub(super) fn exceptions(report: &ScanReport, lines_max: usize) -> Vec<String> {
    let excepted = excepted(report);
    let mut left = excepted.len();
    let mut lines = Vec::new();
    for group in excepted.chunk_by(is_same).take(lines_max) {
        let Some((image, one)) = group.first() else {
            continue;
        };
        left -= group.len();
        let line = exception(image, one, report);
        lines.push(match group.len() {
            1 => line,
            times => format!("{line} ({times} times)"),
        });
    }
    if left > 0 {
        lines.push(format!("and {left} more"));
    }
    lines
}

/// Says whether two would be named alike.
fn is_same(
    (image, a): &(&ImageReport, &SuppressedFinding),
    (other, b): &(&ImageReport, &SuppressedFinding),
) -> bool {
    std::ptr::eq(*image, *other)
        && a.source == b.source
        && a.finding.vulnerability_id == b.finding.vulnerability_id
        && a.finding.package_name == b.finding.package_name
        && a.finding.installed_version == b.finding.installed_version
}

fn exception(image: &ImageReport, suppressed: &SuppressedFinding, report: &ScanReport) -> String {
    let finding = &suppressed.finding;
    let place = match report.images.len() {
        1 => String::new(),
        _ => format!("{}: ", image.artifact_name),
    };
    format!(
        "{place}{} {} in {} {}: {}, {}",
        finding.severity,
        finding.vulnerability_id,
        finding.package_name,
        finding.installed_version,
        short_reason(suppressed),
        suppressed.source
    )
}

/// Returns why a finding is excepted, who answers for it and until when, cut to what people read.
pub(super) fn short_reason(suppressed: &SuppressedFinding) -> String {
    let reason = suppressed.reason();
    match reason.char_indices().nth(REASON_CHARS_MAX) {
        None => reason.into_owned(),
        Some((end, _)) => format!("{}…", reason.get(..end).unwrap_or_default()),
    }
}

/// Says how many findings are excepted; `None` if none is.
pub(super) fn exceptions_title(report: &ScanReport) -> Option<String> {
    let number = excepted(report).len() as u64;
    (number > 0).then(|| format!("{} excepted", count(number, "finding")))
}
