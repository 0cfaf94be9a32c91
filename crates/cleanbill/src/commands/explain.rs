//! `cleanbill explain`: why a vulnerability is reported for an image, or why not.

mod text;

use cleanbill_advisories::Database;
use cleanbill_core::report::ImageReport;
use cleanbill_engine::{Explanation, explain};
use jiff::Timestamp;

use super::scan::{self, Policy};
use super::{Setting, advisory_database, print, report};
use crate::cli::{ExplainArgs, VerdictArgs};
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
    let policy = Policy::new(&arguments.filter, &VerdictArgs::default(), now)?;
    let mut exit = Exit::Clean;
    let mut explanations = Vec::new();
    if !arguments.report.is_empty() {
        let database = advisory_database::store(setting, &arguments.database.place)?
            .open()
            .map_err(CommandError::database)?;
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
        let assessed = scan::assess(setting, &scan, policy, now, true, &|_| Ok(()))?;
        exit = assessed.exit;
        explanations.extend(explain_all(
            &assessed.database,
            &id,
            &assessed.report.images,
            &assessed.unfiltered,
            now,
        )?);
    }
    let text = text::of(&id, &explanations);
    print(text.as_bytes()).map(|printed| exit.and(printed))
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
