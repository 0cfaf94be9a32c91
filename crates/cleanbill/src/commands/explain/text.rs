//! The answer in words.

use std::fmt::Write as _;

use cleanbill_advisories::ConsideredRow;
use cleanbill_core::Severity;
use cleanbill_core::base_image::Origin;
use cleanbill_core::report::SuppressedFinding;
use cleanbill_core::vulnerability::Finding;
use cleanbill_engine::{Explanation, NotAffected, Reported};
use cleanbill_report::text::clean;

/// Writes one answer for each image.
pub(super) fn of(id: &str, explanations: &[Explanation]) -> String {
    let mut text = String::new();
    let details = explanations.iter().find_map(|e| e.details.as_ref());
    if let Some(details) = details.filter(|details| !details.title.is_empty()) {
        let _ = writeln!(text, "{}: {}", clean(id), clean(&details.title));
    }
    for explanation in explanations {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{}", clean(&explanation.image));
        answer(&mut text, id, explanation);
    }
    text
}

fn answer(text: &mut String, id: &str, explanation: &Explanation) {
    let Explanation {
        details,
        reported,
        suppressed,
        filtered,
        not_affected,
        gaps,
        lacks_packages,
        ..
    } = explanation;
    for item in reported {
        finding(text, "reported", item);
    }
    for item in suppressed {
        exception(text, item);
    }
    for item in filtered {
        finding(
            text,
            "not shown: the filters leave it out (severity, state, EPSS or KEV)",
            item,
        );
    }
    for item in not_affected {
        not_applying(text, item);
    }
    let is_empty = reported.is_empty()
        && suppressed.is_empty()
        && filtered.is_empty()
        && not_affected.is_empty();
    if is_empty {
        let why = match (details.is_some(), lacks_packages) {
            (_, true) => {
                "not reported; the report lists no packages, so more cannot be said: explain the \
                 image, or save reports with --list-all-pkgs"
                    .to_owned()
            }
            (true, false) => {
                "not reported: the database knows it, but has nothing about any package of this \
                 image"
                    .to_owned()
            }
            (false, false) => format!(
                "not reported: the advisory database does not know {}; is it spelled right, and \
                 the database recent (cleanbill db status)?",
                clean(id)
            ),
        };
        let _ = writeln!(text, "  {why}");
    }
    for gap in gaps {
        let _ = writeln!(
            text,
            "  ✗ not assessed: {}: {}; what lies there cannot be answered",
            gap.kind,
            clean(&gap.message)
        );
    }
}

fn finding(text: &mut String, verdict: &str, item: &Reported) {
    let Finding {
        package_name,
        package_path,
        installed_version,
        fixed_version,
        severity,
        severity_source,
        status,
        evidence,
        ..
    } = &item.finding;
    let _ = writeln!(
        text,
        "  {verdict}: {} {} in {}",
        clean(package_name),
        clean(installed_version),
        clean(&item.target)
    );
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "    {name:<13}{}", clean(&value));
        }
    };
    line("also called", item.finding.vendor_ids.join(", "));
    line("file", package_path.clone());
    if let Some((layer, step)) = &item.layer {
        let owner = match item.finding.origin {
            Some(Origin::Base) => " (base image)",
            Some(Origin::Own) => " (not of the base image)",
            None => "",
        };
        line("layer", format!("{layer}{owner} {step}"));
    }
    for row in &item.rows {
        line("advisory", advisory(row));
    }
    let constraint = match evidence.constraint.as_str() {
        "" => "every version is affected",
        constraint => constraint,
    };
    line(
        "compared",
        format!(
            "{} with {constraint} ({})",
            evidence.compared_version, evidence.scheme
        ),
    );
    let rated_by = match severity_source.as_str() {
        "" => "the merged record",
        source => source,
    };
    line(
        "severity",
        format!("{severity} by {rated_by}{}", other_ratings(&item.finding)),
    );
    line("state", status.name().to_owned());
    line("exception", item.finding.lapsed_exception.to_string());
    if let Some(epss) = &item.finding.epss {
        let percent = cleanbill_report::percent;
        line(
            "epss",
            format!(
                "{} probability of exploitation, more than {} of all ({})",
                percent(epss.score),
                percent(epss.percentile),
                epss.date
            ),
        );
    }
    if let Some(known) = &item.finding.known_exploited {
        let ransomware = match known.is_used_by_ransomware {
            true => ", also by ransomware",
            false => "",
        };
        line(
            "exploited",
            format!(
                "known since {}{ransomware}, due {}",
                known.date_added, known.due_date
            ),
        );
    }
    let advice = match fixed_version.as_str() {
        "" => "no fix is known; see the states with --ignore-status".to_owned(),
        fixed => format!("upgrade {package_name} to {fixed}"),
    };
    line("what to do", advice);
}

/// Lists what the other sources say.
fn other_ratings(finding: &Finding) -> String {
    let ratings: Vec<String> = finding
        .vendor_severity
        .iter()
        .filter(|(source, _)| **source != finding.severity_source)
        .map(|(source, number)| {
            let number = u8::try_from(*number).unwrap_or(0);
            let severity = Severity::ALL.into_iter().find(|s| s.number() == number);
            format!("{source} {}", severity.unwrap_or(Severity::Unknown))
        })
        .collect();
    match ratings.is_empty() {
        true => String::new(),
        false => format!("; others: {}", ratings.join(", ")),
    }
}

fn exception(text: &mut String, item: &SuppressedFinding) {
    let SuppressedFinding {
        status,
        statement,
        source,
        finding,
        terms,
    } = item;
    let _ = writeln!(
        text,
        "  excepted: {} {}: {} by {}",
        clean(&finding.package_name),
        clean(&finding.installed_version),
        clean(status),
        clean(source)
    );
    for (name, value) in [
        ("reason", statement),
        ("owner", &terms.owner),
        ("ticket", &terms.ticket),
        ("until", &terms.expires),
    ] {
        if !value.is_empty() {
            let _ = writeln!(text, "    {name:<13}{}", clean(value));
        }
    }
}

fn not_applying(text: &mut String, item: &NotAffected) {
    let _ = writeln!(
        text,
        "  not affected: {} {}{}",
        clean(&item.package),
        clean(&item.version),
        match item.path.as_str() {
            "" => String::new(),
            path => format!(" in {}", clean(path)),
        }
    );
    let _ = writeln!(
        text,
        "    {:<13}{}",
        "advisory",
        clean(&advisory(&item.row))
    );
}

/// Describes a row of the database.
fn advisory(row: &ConsideredRow) -> String {
    let advisory = &row.advisory;
    let mut parts = Vec::new();
    let mut part = |name: &str, value: &str| {
        if !value.is_empty() {
            parts.push(format!("{name} {value}"));
        }
    };
    part("fixed in", &advisory.fixed_version);
    part("affected from", &advisory.affected_version);
    part("affected", &advisory.vulnerable_versions.join(" || "));
    part("patched", &advisory.patched_versions.join(" || "));
    part("unaffected", &advisory.unaffected_versions.join(" || "));
    for entry in &advisory.entries {
        part("fixed in", &entry.fixed_version);
        part("for", &entry.arches.join(", "));
    }
    let stated = match parts.is_empty() {
        true => "every version, no fix".to_owned(),
        false => parts.join(", "),
    };
    format!(
        "{} for '{}' in '{}': {stated}",
        advisory.vulnerability_id, row.package, advisory.bucket
    )
}
