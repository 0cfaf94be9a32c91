//! Which findings count, from flags and files.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cleanbill_core::count;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ExceptionOutcome, ExceptionReport, ImageReport, ScanReport};
use cleanbill_core::vulnerability::Finding;
use cleanbill_core::{Severity, path};
use cleanbill_engine::apply_policy;
use cleanbill_policy::exceptions::doubtful;
use cleanbill_policy::filter::unfixed_statuses;
use cleanbill_policy::gate::{Subject, Tolerance};
use cleanbill_policy::ignore::{self, IgnoreFileKind, IgnoreUsage};
use cleanbill_policy::sort_by_risk;
use cleanbill_policy::vex::VexDocument;
use cleanbill_policy::{Exceptions, Filter, Gate, IgnoreRules, Verdict, Vex};
use jiff::Timestamp;

use super::super::exceptions::{self, Announcement, announcements, counting_again};
use super::super::gate::{compare_with, plan_words, read_gate};
use crate::bounded_file;
use crate::cli::{FilterArgs, GateComparisonArgs, VerdictArgs};
use crate::error::{CommandError, printable};
use crate::logging;

/// The ignore file that is read without being named, if it is there.
const DEFAULT_IGNORE_FILE: &str = ".trivyignore";

/// Files larger than this are no ignore files or VEX documents of a person's.
const FILE_SIZE_BYTES_MAX: u64 = 256 << 20;

/// Steps to a verdict that passes that are named.
const STEPS_MAX: usize = 10;

/// Holds what decides which findings count and whether the run fails.
pub(in crate::commands) struct Policy {
    filter: Filter,
    usage: IgnoreUsage,
    vex: Vex,
    gate: Gate,
    sorts_by_risk: bool,
    now: SystemTime,
    exceptions: Vec<Exceptions>,
    warn_before: Duration,
}

impl Policy {
    /// Reads flags and the files that they name.
    ///
    /// # Errors
    ///
    /// A file is missing or malformed, or a value makes no sense.
    pub(in crate::commands) fn new(
        filter: &FilterArgs,
        verdict: &VerdictArgs,
        now: Timestamp,
    ) -> Result<Self, CommandError> {
        let now = SystemTime::from(now);
        let severities = if filter.severity.is_empty() {
            Severity::ALL.to_vec()
        } else {
            filter.severity.clone()
        };
        let ignored_statuses = match (&filter.ignore_status, filter.ignore_unfixed) {
            (statuses, _) if !statuses.is_empty() => statuses.clone(),
            (_, true) => unfixed_statuses(),
            (_, false) => Vec::new(),
        };
        let mut exceptions = Vec::new();
        let judges = match (&verdict.policy, &verdict.fail_on) {
            (Some(_), _) => Some("--policy"),
            (None, Some(_)) => Some("--fail-on"),
            (None, None) => None,
        };
        let mut ignore_rules = ignore_rules(&filter.ignorefile, judges, &mut exceptions)?;
        for file in &filter.exceptions.exceptions {
            let read = exceptions::read(file)?;
            ignore_rules.push(read.rules().clone());
            exceptions.push(read);
        }
        let documents: Result<Vec<VexDocument>, CommandError> = filter
            .vex
            .iter()
            .map(|source| vex_document(source))
            .collect();
        let gate = read_gate(
            verdict.policy.as_deref(),
            verdict.fail_on.as_deref(),
            verdict.exit_code,
        )?;
        Ok(Self {
            filter: Filter {
                severities,
                ignored_statuses,
                epss_min: filter.min_epss,
                known_exploited_only: filter.kev_only,
                ignore_rules,
            },
            usage: IgnoreUsage::default(),
            vex: Vex::new(documents?),
            gate,
            sorts_by_risk: false,
            now,
            exceptions,
            warn_before: filter.exceptions.warn_before,
        })
    }

    /// Puts findings in the order of `--sort`.
    pub(in crate::commands) fn with_order(self, order: &str) -> Self {
        Self {
            sorts_by_risk: order == "risk",
            ..self
        }
    }

    /// Gives the gate what the flags name to compare with; `scan` scans an image for that.
    ///
    /// # Errors
    ///
    /// Something cannot be read or scanned.
    pub(super) fn with_comparison(
        mut self,
        arguments: &GateComparisonArgs,
        scan: &dyn Fn(&str) -> Result<ScanReport, CommandError>,
    ) -> Result<Self, CommandError> {
        compare_with(arguments, &mut self.gate, scan)?;
        Ok(self)
    }

    /// Applies filters and VEX.
    pub(in crate::commands) fn apply(&mut self, image: &mut ImageReport) {
        apply_policy(image, &self.filter, &self.vex, self.now, &mut self.usage);
        if self.sorts_by_risk {
            sort_by_risk(image);
        }
    }

    /// Applies the same, in the order of packages, where what exceptions cover does not count as
    /// their use: to an image that is only compared with, or by several threads.
    pub(in crate::commands) fn apply_aside(&self, image: &mut ImageReport) {
        let usage = &mut IgnoreUsage::default();
        apply_policy(image, &self.filter, &self.vex, self.now, usage);
    }

    /// Holds a saved report against the exceptions.
    pub(in crate::commands) fn except(&self, report: &mut ScanReport) {
        for exceptions in &self.exceptions {
            exceptions.apply(report, self.now);
        }
    }

    /// Lists the exceptions that expire soon.
    pub(in crate::commands) fn expiring(&self) -> Vec<Announcement> {
        announcements(&self.exceptions, self.now, self.warn_before)
    }

    /// Names the exceptions that have expired: equal texts mean that the same ones count.
    pub(in crate::commands) fn expired(&self) -> String {
        let of_file = |file: &Exceptions| {
            let list = file.list().iter().enumerate();
            let expired = list.filter(|(_, one)| one.has_expired(self.now));
            let numbers: Vec<String> = expired.map(|(number, _)| number.to_string()).collect();
            format!("{}:{}", file.source(), numbers.join(","))
        };
        let files: Vec<String> = self.exceptions.iter().map(of_file).collect();
        files.join(" ")
    }

    /// Says which findings are shown, if not all are; a table without findings must not read as
    /// if there were none.
    pub(super) fn selection(&self) -> String {
        let mut parts = Vec::new();
        if self.filter.severities.len() < Severity::ALL.len() {
            let shown = |severity: &Severity| self.filter.severities.contains(severity);
            let names: Vec<&str> = Severity::ALL
                .iter()
                .filter(|s| shown(s))
                .map(|s| s.name())
                .collect();
            parts.push(names.join(", "));
        }
        match self.filter.ignored_statuses.as_slice() {
            [] => {}
            statuses if statuses == unfixed_statuses() => parts.push("with a fix".to_owned()),
            statuses => {
                let names: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
                parts.push(format!("without {}", names.join(", ")));
            }
        }
        if let Some(min) = self.filter.epss_min {
            parts.push(format!("EPSS {min} or more"));
        }
        if self.filter.known_exploited_only {
            parts.push("known to be exploited".to_owned());
        }
        parts.join(", ")
    }

    /// Names the flags that leave a finding out.
    pub(in crate::commands) fn left_out_by(&self, finding: &Finding) -> Vec<&'static str> {
        let Filter {
            severities,
            ignored_statuses,
            epss_min,
            known_exploited_only,
            ..
        } = &self.filter;
        let status = match *ignored_statuses == unfixed_statuses() {
            true => "--ignore-unfixed",
            false => "--ignore-status",
        };
        let epss = finding.epss.as_ref().map(|epss| epss.score);
        let flags = [
            ("--severity", !severities.contains(&finding.severity)),
            (status, ignored_statuses.contains(&finding.status)),
            (
                "--min-epss",
                epss_min.is_some_and(|min| epss.is_none_or(|score| score < min)),
            ),
            (
                "--kev-only",
                *known_exploited_only && finding.known_exploited.is_none(),
            ),
        ];
        let flags = flags.into_iter().filter(|(_, leaves_out)| *leaves_out);
        flags.map(|(flag, _)| flag).collect()
    }

    /// Returns the severities that are not shown.
    pub(super) fn left_out_severities(&self) -> Vec<Severity> {
        let severities = Severity::ALL.into_iter();
        severities
            .filter(|severity| !self.filter.severities.contains(severity))
            .collect()
    }

    /// Says whether the verdict depends on what is known to be exploited.
    pub(in crate::commands) fn needs_known_exploited(&self) -> bool {
        self.filter.known_exploited_only || self.gate.needs_known_exploited()
    }

    /// Says whether a report is complete enough for the rules: no image failed, and what was
    /// assessed in part is allowed.
    pub(super) fn allows_partial(&self, report: &ScanReport) -> bool {
        let rules = self.gate.rules.as_ref();
        let allows = rules
            .is_some_and(|rules| !rules.source.is_empty() && rules.incomplete == Tolerance::Allow);
        let mut images = report.images.iter();
        allows && images.all(|image| image.status != AssessmentStatus::Failed)
    }

    /// Judges the whole report.
    pub(super) fn verdict(&self, report: &ScanReport) -> Verdict {
        let database = report.database.as_ref();
        self.gate.judge(&Subject {
            selection: &self.selection(),
            doubtful_exceptions: &doubtful(&self.filter.ignore_rules, &self.usage, database),
            ..Subject::new(report, self.now)
        })
    }

    /// Returns what became of each rule of the ignore files, and says it on standard error: one
    /// line for each file and for each rule that cannot be honoured.
    pub(super) fn report_rules(&self) -> Vec<ExceptionReport> {
        let reports = ignore::report(&self.filter.ignore_rules, &self.usage, self.now);
        for report in &reports {
            log_rule(report);
        }
        for rules in &self.filter.ignore_rules {
            let source = rules.source();
            let of_file = reports.iter().filter(|report| report.source == source);
            if let Some(summary) = summary(of_file) {
                tracing::info!(target: logging::EXCEPTIONS, "{source}: {summary}");
            }
        }
        for one in self.expiring() {
            tracing::warn!(target: logging::EXCEPTIONS, "{}", one.sentence());
        }
        reports
    }
}

/// Says why the gate failed, and what would make it pass.
pub(super) fn log_verdict(verdict: &Verdict, report: &ScanReport) {
    for reason in &verdict.reasons {
        tracing::error!("gate failed: {}", printable(reason));
    }
    for note in &verdict.notes {
        tracing::warn!("gate: {}", printable(note));
    }
    let steps = plan_words(verdict, report);
    for step in steps.iter().take(STEPS_MAX) {
        tracing::warn!("gate: to pass: {}", printable(step.trim()));
    }
    if steps.len() > STEPS_MAX {
        let more = steps.len() - STEPS_MAX;
        tracing::warn!("gate: to pass: {more} more, which cleanbill gate lists");
    }
}

fn log_rule(report: &ExceptionReport) {
    let ExceptionReport {
        source, line, rule, ..
    } = report;
    if report.lapsed_findings > 0 {
        let again = counting_again(report.lapsed_findings);
        let why = match report.outcome {
            ExceptionOutcome::Expired => format!("has expired on {}", report.terms.expires),
            _ => "has ended for what can be fixed now, or is too dangerous".to_owned(),
        };
        tracing::warn!(
            target: logging::EXCEPTIONS,
            "{source}:{line}: the exception of {rule} {why}; {again}"
        );
    }
    match &report.outcome {
        ExceptionOutcome::Applied(count) => {
            tracing::debug!(count, "{source}:{line}: {rule} covers findings");
        }
        ExceptionOutcome::Expired => {
            tracing::debug!("{source}:{line}: {rule} has expired and covers nothing");
        }
        ExceptionOutcome::Unmatched => {
            tracing::debug!("{source}:{line}: {rule} covers nothing");
        }
        ExceptionOutcome::NotUnderstood(reason) => {
            tracing::warn!("{source}:{line}: {rule}: not understood: {reason}");
        }
    }
}

/// Counts the rules of a file by what became of them; `None` for a file without rules.
fn summary<'a>(reports: impl Iterator<Item = &'a ExceptionReport>) -> Option<String> {
    let [mut applied, mut expired, mut unmatched, mut not_understood] = [0_u64; 4];
    let mut findings = 0;
    for report in reports {
        match report.outcome {
            ExceptionOutcome::Applied(count) => {
                applied += 1;
                findings += count;
            }
            ExceptionOutcome::Expired => expired += 1,
            ExceptionOutcome::Unmatched => unmatched += 1,
            ExceptionOutcome::NotUnderstood(_) => not_understood += 1,
        }
    }
    let total = applied + expired + unmatched + not_understood;
    let rest = [
        (expired, "expired"),
        (unmatched, "without effect"),
        (not_understood, "not understood"),
    ];
    let rest = rest.into_iter().filter(|(count, _)| *count > 0);
    let rest: String = rest
        .map(|(count, what)| format!(", {count} {what}"))
        .collect();
    (total > 0).then(|| {
        let (rules, covered) = (count(total, "rule"), count(findings, "finding"));
        format!("{rules}, {applied} applied to {covered}{rest}")
    })
}

/// Reads the files that are named, or the default one if it is there and may be taken. Where a flag
/// `judges`, nothing counts but what is named, so that no file of a pull request changes the gate.
/// Files of exceptions among them are kept in their own form too.
fn ignore_rules(
    named: &[PathBuf],
    judges: Option<&str>,
    exceptions: &mut Vec<Exceptions>,
) -> Result<Vec<IgnoreRules>, CommandError> {
    let default = Path::new(DEFAULT_IGNORE_FILE);
    let has_default = named.is_empty() && default.exists();
    if let Some(flag) = judges.filter(|_| has_default) {
        tracing::warn!(
            "with {flag} {DEFAULT_IGNORE_FILE} is not read unless it is named: --ignorefile \
             {DEFAULT_IGNORE_FILE}"
        );
    } else if has_default {
        return Ok(vec![ignore_file(default, exceptions)?]);
    }
    named
        .iter()
        .map(|file| ignore_file(file, exceptions))
        .collect()
}

fn ignore_file(file: &Path, found: &mut Vec<Exceptions>) -> Result<IgnoreRules, CommandError> {
    let name = file.to_string_lossy();
    let text = bounded_file::text(file, FILE_SIZE_BYTES_MAX).map_err(|error| {
        CommandError::usage(error.context(format!("cannot read the ignore file {name}")))
    })?;
    let (kind, source) = (IgnoreFileKind::of(&name, &text), path::clean_lexical(&name));
    if kind == IgnoreFileKind::Exceptions {
        let read = Exceptions::parse(&text, &source);
        let read = read.map_err(|error| exceptions::failed(file, error))?;
        let rules = read.rules().clone();
        found.push(read);
        return Ok(rules);
    }
    IgnoreRules::parse(kind, &text, &source).map_err(|error| {
        CommandError::usage(
            anyhow::Error::new(error).context(format!("the ignore file {name} is malformed")),
        )
    })
}

fn vex_document(source: &str) -> Result<VexDocument, CommandError> {
    let failed = |error: anyhow::Error| {
        CommandError::usage(error.context(format!("cannot use the VEX document {source}")))
    };
    if ["repo", "repository", "oci", "sbom-ref"].contains(&source) {
        return Err(CommandError::usage_text(format!(
            "--vex {source}: VEX repositories and attestations are not supported"
        ))
        .hint("fetch the document and name the file: --vex FILE"));
    }
    let bytes = bounded_file::bytes(Path::new(source), FILE_SIZE_BYTES_MAX).map_err(failed)?;
    VexDocument::parse(&bytes, source).map_err(|error| failed(anyhow::Error::new(error)))
}
