//! `cleanbill explain`: why a vulnerability is reported for an image, or why not.

mod text;

use cleanbill_advisories::Database;
use cleanbill_core::report::{ImageReport, ResultClass};
use cleanbill_engine::{Explanation, explain};
use jiff::Timestamp;

use super::scan::{self, Policy};
use super::{Setting, advisory_database, print, report};
use crate::cli::{DetectionArgs, ExplainArgs, VerdictArgs};
use crate::error::CommandError;
use crate::exit::Exit;

pub(crate) fn run(setting: &Setting, arguments: ExplainArgs) -> Result<Exit, CommandError> {
    let now = Timestamp::now();
    let id = arguments.id.trim().to_owned();
    if !arguments.names_images() && arguments.report.is_empty() {
        return Err(CommandError::usage_text("no image is named").hint(format!(
            "name an image (cleanbill explain {id} alpine:3.20), or use --input FILE or --report FILE"
        )));
    }
    let mut policy = Policy::new(&arguments.filter, &VerdictArgs::default(), now)?;
    let detection = arguments.detection.clone();
    let mut exit = Exit::Clean;
    let mut explanations = Vec::new();
    if !arguments.report.is_empty() {
        let database = advisory_database::open(setting, &arguments.database.place)?;
        for file in &arguments.report {
            let saved = report::read(file)?.report;
            let mut shown = saved.clone();
            policy.except(&mut shown);
            explanations.extend(explain_all(
                &database,
                &id,
                &shown.images,
                &saved.images,
                now,
            )?);
        }
    }
    if arguments.names_images() {
        let scan = arguments.into_scan();
        let mut assessed = scan::assess(setting, &scan, policy, now, true, &|_| Ok(()))?;
        for image in &mut assessed.report.images {
            leave_out_kinds(image, &detection);
        }
        policy = assessed.policy;
        exit = assessed.exit;
        explanations.extend(explain_all(
            &assessed.database,
            &id,
            &assessed.report.images,
            &assessed.unfiltered,
            now,
        )?);
    }
    let answers = text::Answers {
        id: &id,
        explanations: &explanations,
        left_out_by: &|item| {
            let of_kind = (!is_wanted(item.class, &detection)).then_some("--pkg-types");
            let flags = policy.left_out_by(&item.finding);
            of_kind.into_iter().chain(flags).collect()
        },
        skips_paths: !(detection.skip_dirs.is_empty() && detection.skip_files.is_empty()),
    };
    let text = answers.text();
    print(text.as_bytes()).map(|printed| exit.and(printed))
}

/// Takes away what `--pkg-types` does not ask for; the scan looked for it to be able to say so.
fn leave_out_kinds(image: &mut ImageReport, detection: &DetectionArgs) {
    for result in &mut image.results {
        if !is_wanted(result.class, detection) {
            result.findings.clear();
            result.suppressed.clear();
        }
    }
}

fn is_wanted(class: ResultClass, detection: &DetectionArgs) -> bool {
    let word = match class {
        ResultClass::OsPackages => "os",
        ResultClass::LanguagePackages => "library",
    };
    detection.pkg_types.iter().any(|kind| kind == word)
}

fn explain_all(
    database: &Database,
    id: &str,
    shown: &[ImageReport],
    all: &[ImageReport],
    now: Timestamp,
) -> Result<Vec<Explanation>, CommandError> {
    shown
        .iter()
        .zip(all)
        .map(|(shown, all)| explain(database, id, shown, all, now).map_err(CommandError::database))
        .collect()
}
