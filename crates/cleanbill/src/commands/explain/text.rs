//! The answer in words.

use std::fmt::Write as _;

use cleanbill_advisories::ConsideredRow;
use cleanbill_core::Severity;
use cleanbill_core::base_image::Origin;
use cleanbill_core::report::SuppressedFinding;
use cleanbill_core::vulnerability::{Epss, Evidence, Finding, KnownExploited};
use cleanbill_engine::{Explanation, NotAffected, Reported};
use cleanbill_report::text::clean;

/// What is to be said about a vulnerability.
pub(super) struct Answers<'a> {
    /// The vulnerability, as the user called it.
    pub(super) id: &'a str,
    /// One explanation for each image.
    pub(super) explanations: &'a [Explanation],
    /// Names the flags that leave a finding out.
    pub(super) left_out_by: &'a dyn Fn(&Reported) -> Vec<&'static str>,
    /// Flags name parts of the image that were not looked at.
    pub(super) skips_paths: bool,
}

impl Answers<'_> {
    /// Writes one answer for each image.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let details = self.explanations.iter().find_map(|e| e.details.as_ref());
        if let Some(details) = details.filter(|details| !details.title.is_empty()) {
            let _ = writeln!(text, "{}: {}", clean(self.id), clean(&details.title));
        }
        for explanation in self.explanations {
            if !text.is_empty() {
                text.push('\n');
            }
            let _ = writeln!(text, "{}", clean(&explanation.image));
            self.answer(&mut text, explanation);
        }
        text
    }

    fn answer(&self, text: &mut String, explanation: &Explanation) {
        let Explanation {
            reported,
            suppressed,
            filtered,
            not_affected,
            gaps,
            ..
        } = explanation;
        for item in reported {
            finding(text, "reported", item);
        }
        for item in suppressed {
            exception(text, item);
        }
        for item in filtered {
            let flags = (self.left_out_by)(item);
            let verdict = match flags.is_empty() {
                true => "not shown: the filters leave it out".to_owned(),
                false => format!("not shown: {} leaves it out", flags.join(", ")),
            };
            finding(text, &verdict, item);
        }
        for item in not_affected {
            not_applying(text, item);
        }
        let is_empty = reported.is_empty()
            && suppressed.is_empty()
            && filtered.is_empty()
            && not_affected.is_empty();
        if is_empty {
            let _ = writeln!(text, "  {}", self.absent(explanation));
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

    /// Says why nothing is reported about the vulnerability.
    fn absent(&self, explanation: &Explanation) -> String {
        let why = match (explanation.details.is_some(), explanation.lacks_packages) {
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
                clean(self.id)
            ),
        };
        match self.skips_paths {
            true => format!("{why} (what --skip-dirs and --skip-files name was not looked at)"),
            false => why,
        }
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
        line("layer", format!("#{layer}{owner} {step}"));
    }
    for row in &item.rows {
        line("advisory", advisory(row));
    }
    line("compared", compared(&item.finding));
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
    let Finding {
        epss,
        known_exploited,
        ..
    } = &item.finding;
    line("epss", epss.as_ref().map_or_else(String::new, likelihood));
    line(
        "exploited",
        known_exploited
            .as_ref()
            .map_or_else(String::new, |known| exploited(known)),
    );
    let advice = match fixed_version.as_str() {
        "" => "no fix is known; see the states with --ignore-status".to_owned(),
        fixed => format!("upgrade {package_name} to {fixed}"),
    };
    line("what to do", advice);
}

fn likelihood(epss: &Epss) -> String {
    format!(
        "{} probability of exploitation, more than {} of all ({})",
        cleanbill_report::percent(epss.score),
        cleanbill_report::percent(epss.percentile),
        epss.date
    )
}

fn exploited(known: &KnownExploited) -> String {
    let ransomware = match known.is_used_by_ransomware {
        true => ", also by ransomware",
        false => "",
    };
    format!(
        "known since {}{ransomware}, due {}",
        known.date_added, known.due_date
    )
}

/// Says what was held against what; empty if the report does not say, as those in Trivy's form.
fn compared(finding: &Finding) -> String {
    let Evidence {
        bucket,
        compared_version,
        scheme,
        constraint,
        ..
    } = &finding.evidence;
    if bucket.is_empty() && compared_version.is_empty() {
        return String::new();
    }
    if constraint.is_empty() {
        return format!("{compared_version}: every version is affected");
    }
    format!("{compared_version} with {constraint} ({scheme})")
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
        "  excepted: {} {}{}: {} by {}",
        clean(&finding.package_name),
        clean(&finding.installed_version),
        in_file(&finding.package_path),
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
        in_file(&item.path)
    );
    let _ = writeln!(
        text,
        "    {:<13}{}",
        "advisory",
        clean(&advisory(&item.row))
    );
}

fn in_file(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!(" in {}", clean(path)),
    }
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
