//! Sentences about a verdict that every format says alike.

use std::cmp::Reverse;

use cleanbill_core::report::{ImageReport, ScanReport, SuppressedFinding};
use cleanbill_policy::gate::{Hit, Verdict};
use cleanbill_policy::upgrade::{BaseUpgrade, Upgrade, UpgradePlan};

use super::super::status::words::count;

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
    lines.extend(plan.upgrades.iter().map(|one| upgrade(one, report)));
    for left in &plan.left {
        let findings = count(left.too_many, "finding");
        lines.push(format!(
            "{}: {findings} too many without a fix: wait, replace the package, or write an exception",
            left.rule.name()
        ));
    }
    if let Some(base) = &plan.base {
        lines.push(better_base(base));
        lines.extend(
            base.upgrades
                .iter()
                .map(|one| format!("  and {}", upgrade(one, report))),
        );
    }
}

/// Says how many steps a plan has, and whether fewer would do.
pub(super) fn plan_title(plan: &UpgradePlan) -> String {
    let packages = count(plan.upgrades.len() as u64, "package");
    match (plan.left.is_empty(), plan.is_smallest) {
        (true, true) => format!("To pass, upgrade {packages}; fewer will not do"),
        (true, false) => format!("To pass, upgrade {packages}"),
        (false, _) if plan.upgrades.is_empty() => "No upgrade makes it pass".to_owned(),
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

fn better_base(base: &BaseUpgrade) -> String {
    let removed = count(base.removed.total(), "finding");
    let added = match base.added.total() {
        0 => String::new(),
        added => format!(" and adds {added}"),
    };
    format!("or build on {}, which removes {removed}{added}", base.name)
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
    all.sort_by_key(|(_, one)| {
        let finding = &one.finding;
        Reverse((finding.severity, finding.known_exploited.is_some()))
    });
    all
}

/// Names the first of them, each with its reason, and says how many more there are.
pub(super) fn exceptions(report: &ScanReport, lines_max: usize) -> Vec<String> {
    let excepted = excepted(report);
    let more = excepted.len().saturating_sub(lines_max);
    let named = excepted.into_iter().take(lines_max);
    let named = named.map(|(image, one)| exception(image, one, report));
    let rest = (more > 0).then(|| format!("and {more} more"));
    named.chain(rest).collect()
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
