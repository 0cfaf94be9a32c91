//! Saved reports as of today: what has expired since they were made, and what nobody can tell.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use cleanbill_core::report::{
    DatabaseInfo, ExceptionOutcome, ExceptionReport, ExceptionTerms, ScanReport, SuppressedFinding,
};
use jiff::Timestamp;

use super::{Exceptions, ExceptionsUsage, date, text};
use crate::ignore::rule::{End, Rule};
use crate::ignore::{IgnoreRules, IgnoreUsage, expired_words};
use crate::time;

/// Says what a report looks like that is held against exceptions again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renewal {
    /// The exceptions whose time is over, with the findings that count again.
    pub expired: Vec<ExceptionReport>,
    /// The exceptions of which nobody can tell whether they still hold.
    pub doubtful: Vec<DoubtfulException>,
    /// The findings that the files cover now.
    pub covered: u64,
    /// The exceptions that have ended for findings before their time, or had expired at the scan.
    pub ended: Vec<EndedException>,
}

/// Is an exception that does not cover findings any more which it would cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedException {
    /// The file with the line, and why: `exceptions.yaml:3 has ended: a fix is available`.
    pub words: String,
    /// The findings that count.
    pub findings: u64,
    /// The vulnerability of the first of them.
    pub id: String,
}

/// Is an exception that covers findings although nobody can tell whether it still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubtfulException {
    /// The file with the line.
    pub name: String,
    /// Why nobody can tell.
    pub doubt: Doubt,
}

/// Says why nobody can tell whether an exception still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// It ends for what is known to be exploited, and the report was made without the catalogue.
    KnownExploited,
    /// It ends for what has a higher EPSS score, and the report was made without scores.
    Epss,
    /// Its time is over, and the report does not hold the findings that it covered.
    Hidden,
}

impl Doubt {
    /// Every reason, in the order in which they are named.
    pub const ALL: [Doubt; 3] = [Doubt::KnownExploited, Doubt::Epss, Doubt::Hidden];
}

/// Holds a saved report against the time and against what files say today. Findings that an
/// exception covered whose time is over count again, whether its file is named or not.
pub fn renew(report: &mut ScanReport, files: &[Exceptions], now: SystemTime) -> Renewal {
    let mut renewal = Renewal {
        expired: lapse(report, time::timestamp(now)),
        ..Renewal::default()
    };
    let mut hidden = hidden(report, time::timestamp(now));
    for file in files {
        let usage = file.apply(report, now);
        // What the file says today counts, not what it said then.
        renewal.expired.retain(|one| one.source != file.source());
        hidden.retain(|one| !prolongs(&usage, one));
        renewal.covered = renewal.covered.saturating_add(usage.covered());
        renewal.expired.extend(usage.expired().cloned());
        renewal.doubtful.extend(usage.doubtful);
    }
    let hidden = hidden.iter().map(|one| DoubtfulException {
        name: name(one),
        doubt: Doubt::Hidden,
    });
    renewal.doubtful.extend(hidden);
    renewal.ended = ended(report, &renewal.expired);
    renewal
}

/// Lists what findings that count say of exceptions, but for those that are named already.
fn ended(report: &ScanReport, named: &[ExceptionReport]) -> Vec<EndedException> {
    let named: BTreeSet<String> = named
        .iter()
        .map(|one| expired_words(&name(one), &one.terms.expires))
        .collect();
    let mut found: BTreeMap<&str, EndedException> = BTreeMap::new();
    for finding in report.images.iter().flat_map(|image| image.findings()) {
        let words = &*finding.lapsed_exception;
        if words.is_empty() || named.contains(words) {
            continue;
        }
        let known = found.entry(words);
        let one = known.or_insert_with(|| EndedException {
            words: words.to_owned(),
            findings: 0,
            id: finding.vulnerability_id.clone(),
        });
        one.findings += 1;
    }
    found.into_values().collect()
}

/// Names the rules that cover findings by conditions that need a list which the report was made
/// without.
pub fn doubtful(
    files: &[IgnoreRules],
    usage: &IgnoreUsage,
    database: Option<&DatabaseInfo>,
) -> Vec<DoubtfulException> {
    let lacks = |list: fn(&DatabaseInfo) -> &String| {
        database.is_none_or(|database| list(database).is_empty())
    };
    let lacks_kev = lacks(|database| &database.kev_release);
    let lacks_epss = lacks(|database| &database.epss_date);
    if !lacks_kev && !lacks_epss {
        return Vec::new();
    }
    let doubts = |rule: &Rule| {
        let doubts = rule.ends.iter().filter_map(|end| match end {
            End::KnownExploited if lacks_kev => Some(Doubt::KnownExploited),
            End::EpssAbove(_) if lacks_epss => Some(Doubt::Epss),
            _ => None,
        });
        doubts.collect::<Vec<Doubt>>()
    };
    let mut found = Vec::new();
    for (name, rule) in usage.applied(files) {
        found.extend(doubts(rule).into_iter().map(|doubt| DoubtfulException {
            name: name.clone(),
            doubt,
        }));
    }
    found
}

/// Lets findings count again that exceptions covered whose time is over, and says so in the report.
fn lapse(report: &mut ScanReport, now: Timestamp) -> Vec<ExceptionReport> {
    let mut lapsed: BTreeMap<String, ExceptionReport> = BTreeMap::new();
    for result in report
        .images
        .iter_mut()
        .flat_map(|image| &mut image.results)
    {
        text::take_back(result, |one| {
            let is_over = is_over(&one.terms, now);
            if is_over {
                let expires = &one.terms.expires;
                one.finding.lapsed_exception = expired_words(&one.source, expires).into();
                let known = lapsed.entry(one.source.clone());
                known.or_insert_with(|| report_of(one)).lapsed_findings += 1;
            }
            is_over
        });
    }
    // Reports that were joined have a record each, and not each of them need hold its findings.
    let mut left: BTreeMap<String, u64> = lapsed
        .iter()
        .map(|(name, one)| (name.clone(), one.lapsed_findings))
        .collect();
    for record in &mut report.exceptions {
        let ExceptionOutcome::Applied(count) = record.outcome else {
            continue;
        };
        let name = name(record);
        let rest = left.get(&name).and_then(|left| left.checked_sub(count));
        if let (Some(rest), Some(one)) = (rest, lapsed.get_mut(&name)) {
            one.rule.clone_from(&record.rule);
            record.outcome = ExceptionOutcome::Expired;
            record.lapsed_findings = record.lapsed_findings.saturating_add(count);
            left.insert(name, rest);
        }
    }
    lapsed.into_values().collect()
}

/// Lists the exceptions that cover findings by the word of the report, though their time is over.
fn hidden(report: &ScanReport, now: Timestamp) -> Vec<ExceptionReport> {
    let covers = |one: &&ExceptionReport| matches!(one.outcome, ExceptionOutcome::Applied(1..));
    let hidden = report.exceptions.iter().filter(covers);
    hidden
        .filter(|one| is_over(&one.terms, now))
        .cloned()
        .collect()
}

/// Says whether a file has given an exception more time.
fn prolongs(usage: &ExceptionsUsage, exception: &ExceptionReport) -> bool {
    usage.reports.iter().any(|one| {
        one.source == exception.source
            && one.rule == exception.rule
            && one.outcome != ExceptionOutcome::Expired
    })
}

fn is_over(terms: &ExceptionTerms, now: Timestamp) -> bool {
    date::end(&terms.expires).is_some_and(|end| end < now)
}

/// Returns what a report says of the exception that covered a finding.
fn report_of(suppressed: &SuppressedFinding) -> ExceptionReport {
    let (source, line) = suppressed
        .exception_place()
        .unwrap_or((&suppressed.source, 0));
    ExceptionReport {
        source: source.to_owned(),
        line,
        rule: suppressed.finding.vulnerability_id.clone(),
        statement: suppressed.statement.clone(),
        terms: suppressed.terms.clone(),
        lapsed_findings: 0,
        outcome: ExceptionOutcome::Expired,
    }
}

fn name(exception: &ExceptionReport) -> String {
    format!("{}:{}", exception.source, exception.line)
}
