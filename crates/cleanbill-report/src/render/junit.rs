//! JUnit XML, as CI servers read it: an image is a suite, a finding a failed test case.
//!
//! What was not assessed is an error, a notice a passed case, a suppressed finding (where asked
//! for, or if it is excepted) a skipped one with its reason. An image without findings has one
//! passed case, since readers take an empty suite for a broken one; an image that was not assessed
//! has none.
//!
//! Source: the schema of Jenkins (`jenkins-junit.xsd`), which is what most readers agree on.

use std::io::{self, Write};

use cleanbill_core::problem::{AssessmentStatus, Problem};
use cleanbill_core::report::{ImageReport, ResultSet, ScanReport, SuppressedFinding};
use cleanbill_core::vulnerability::Finding;

use super::RenderOptions;
use super::exploitation::{self, Exploitation};
use super::words::{self, Outcome};
use crate::escape::markup::{Line, Lines};

pub(super) fn render(
    report: &ScanReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let totals: Vec<Totals> = report
        .images
        .iter()
        .map(|image| Totals::of(image, options))
        .collect();
    let sum = |figure: fn(&Totals) -> usize| totals.iter().map(figure).sum::<usize>();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="cleanbill" tests="{}" failures="{}" errors="{}" time="0">"#,
        sum(Totals::tests),
        sum(|totals| totals.failures),
        sum(|totals| totals.errors),
    )?;
    for (image, totals) in report.images.iter().zip(&totals) {
        write_suite(report, image, totals, options, out)?;
    }
    writeln!(out, "</testsuites>")
}

/// Counts the cases of a suite.
struct Totals {
    passed: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Totals {
    fn of(image: &ImageReport, options: &RenderOptions) -> Self {
        let problems = words::problems(image);
        let (gaps, notices): (Vec<_>, Vec<_>) = problems.partition(|problem| problem.kind.is_gap());
        let suppressed = image.results.iter().flat_map(|set| &set.suppressed);
        let is_listed = words::listed(options);
        Self {
            passed: notices.len() + usize::from(has_passed(image)),
            failures: image.findings().count(),
            errors: gaps.len(),
            skipped: suppressed.filter(|one| is_listed(one)).count(),
        }
    }

    fn tests(&self) -> usize {
        self.passed + self.failures + self.errors + self.skipped
    }
}

fn has_passed(image: &ImageReport) -> bool {
    image.status == AssessmentStatus::Complete && image.findings().next().is_none()
}

fn write_suite(
    report: &ScanReport,
    image: &ImageReport,
    totals: &Totals,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    write!(
        out,
        r#"  <testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="{}" time="0""#,
        Line(&image.artifact_name),
        totals.tests(),
        totals.failures,
        totals.errors,
        totals.skipped,
    )?;
    if let Some(time) = words::seconds(&report.created_at) {
        write!(out, r#" timestamp="{time}""#)?;
    }
    writeln!(out, ">")?;
    write_properties(image, options, out)?;
    if has_passed(image) {
        let sentence = Outcome::of(image).sentence();
        writeln!(
            out,
            r#"    <testcase classname="assessment" name="{sentence}" time="0"/>"#
        )?;
    }
    for problem in words::problems(image) {
        write_problem(problem, out)?;
    }
    let is_listed = words::listed(options);
    for result in &image.results {
        let class = words::part(image, result);
        for finding in &result.findings {
            write_finding(&class, result, finding, out)?;
        }
        let suppressed = result.suppressed.iter();
        for suppressed in suppressed.filter(|one| is_listed(one)) {
            write_suppressed(&class, suppressed, out)?;
        }
    }
    writeln!(out, "  </testsuite>")
}

fn write_properties(
    image: &ImageReport,
    options: &RenderOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let image_id = image.metadata.image_id.map(|id| id.to_string());
    let properties = [
        ("status", Some(image.status.name().to_owned())),
        ("image_id", image_id),
        ("distro", words::distro(image)),
        ("selection", Some(options.selection.clone())),
        ("tool", Some(format!("cleanbill {}", options.tool_version))),
    ];
    writeln!(out, "    <properties>")?;
    for (name, value) in properties {
        let value = value.unwrap_or_default();
        if !value.is_empty() {
            writeln!(
                out,
                r#"      <property name="{name}" value="{}"/>"#,
                Line(&value)
            )?;
        }
    }
    writeln!(out, "    </properties>")
}

fn write_problem(problem: &Problem, out: &mut impl Write) -> io::Result<()> {
    let kind = problem.kind.name();
    let place = if problem.path.is_empty() {
        "image"
    } else {
        &problem.path
    };
    write!(
        out,
        r#"    <testcase classname="assessment" name="{kind}: {}" time="0""#,
        Line(place)
    )?;
    let message = Line(&problem.message);
    if problem.kind.is_gap() {
        writeln!(out, ">")?;
        writeln!(
            out,
            r#"      <error type="{kind}" message="not assessed: {message}"/>"#
        )?;
    } else {
        writeln!(out, ">")?;
        writeln!(out, "      <system-out>{message}</system-out>")?;
    }
    writeln!(out, "    </testcase>")
}

fn write_finding(
    class: &str,
    result: &ResultSet,
    finding: &Finding,
    out: &mut impl Write,
) -> io::Result<()> {
    open_case(class, finding, out)?;
    write!(
        out,
        r#"      <failure type="{}" message="{}">"#,
        finding.severity.name(),
        Line(&message(finding)),
    )?;
    let facts = [
        ("Package", finding.package_name.as_str()),
        ("Path", &finding.package_path),
        ("Type", &result.kind),
        ("Installed", &finding.installed_version),
        ("Fixed in", &finding.fixed_version),
        ("Status", finding.status.name()),
        ("Link", &finding.primary_url),
    ];
    for (name, fact) in facts {
        if !fact.is_empty() {
            writeln!(out, "{name}: {}", Line(fact))?;
        }
    }
    for (name, fact) in Exploitation::of(finding).facts() {
        writeln!(out, "{name}: {}", Line(&fact))?;
    }
    let description = words::description(finding).trim();
    if !description.is_empty() {
        writeln!(out, "\n{}", Lines(description))?;
    }
    writeln!(out, "</failure>\n    </testcase>")
}

fn write_suppressed(
    class: &str,
    suppressed: &SuppressedFinding,
    out: &mut impl Write,
) -> io::Result<()> {
    open_case(class, &suppressed.finding, out)?;
    writeln!(
        out,
        "      <skipped>{}</skipped>\n    </testcase>",
        Line(&words::suppression(suppressed))
    )
}

/// Names a case so that it stays the same when versions change: CI servers follow cases by name.
fn open_case(class: &str, finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    let place = match finding.package_path.as_str() {
        "" => String::new(),
        path => format!(" ({path})"),
    };
    writeln!(
        out,
        r#"    <testcase classname="{}" name="[{}] {} {}{}" time="0">"#,
        Line(class),
        finding.severity.name(),
        Line(&finding.vulnerability_id),
        Line(&finding.package_name),
        Line(&place),
    )
}

fn message(finding: &Finding) -> String {
    let fix = match finding.fixed_version.as_str() {
        "" => words::fix_status(finding.status).to_owned(),
        fixed => format!("fixed in {fixed}"),
    };
    let title = match words::title(finding) {
        "" => String::new(),
        title => format!(": {title}"),
    };
    format!(
        "{} in {} {} ({fix}{}){title}",
        finding.vulnerability_id,
        finding.package_name,
        finding.installed_version,
        exploitation::mark(finding)
    )
}
