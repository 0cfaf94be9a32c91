//! `cleanbill comment`: one comment on a pull request, written again with every push.

mod compare;
mod forge;
mod target;
mod upsert;

use std::time::{Duration, Instant};

use cleanbill_report::{Comment, CommentStyle, comment};

use super::judging::{hold, judge};
use super::{Setting, print, report};
use crate::api;
use crate::ci_run::CiRun;
use crate::cli::{CommentArgs, ForgeName};
use crate::error::CommandError;
use crate::exit::Exit;

use self::target::Target;
use self::upsert::{Done, Session};

/// Pause before everything is looked at again because a write did not end well.
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) fn run(setting: &Setting, arguments: &CommentArgs) -> Result<Exit, CommandError> {
    let style = match arguments.forge {
        None | Some(ForgeName::GitHub) => CommentStyle::GitHub,
        Some(ForgeName::GitLab) => CommentStyle::GitLab,
        Some(ForgeName::Bitbucket) => CommentStyle::Bitbucket,
    };
    let body = body(setting, arguments, style)?;
    let Some(forge) = arguments.forge.filter(|_| !arguments.markdown) else {
        return print(body.as_bytes());
    };
    let Some(target) = Target::of(forge, arguments, &setting.environment)? else {
        return print(b"This run belongs to no pull request: nothing to comment on.\n");
    };
    let forge = target.forge();
    let session = Session {
        client: target.client(arguments, &setting.environment)?,
        forge: forge.as_ref(),
        marker: style.marker(&arguments.key),
        deadline: Instant::now() + arguments.api.timeout,
        pause: PAUSE,
        context: api::context(),
    };
    if arguments.dry_run {
        let plan = session.plan().map_err(upsert::failure)?;
        return print(format!("{plan}\n{body}").as_bytes());
    }
    let done = session.write(&body).map_err(upsert::failure)?;
    let words = match done {
        Done::Created => "created",
        Done::Updated => "updated",
    };
    print(format!("comment on {} {words}\n", target.words()).as_bytes())
}

/// Writes the body of the comment.
fn body(
    setting: &Setting,
    arguments: &CommentArgs,
    style: CommentStyle,
) -> Result<String, CommandError> {
    let judging = &arguments.judging;
    let mut saved = report::read_all(&arguments.scan_results)?;
    let mut before = match arguments.compare_to.as_slice() {
        [] => None,
        files => Some(report::read_all(files)?),
    };
    let judgement = judge(
        judging,
        &mut saved,
        before.as_ref().map(|before| &before.report),
    )?;
    // What is accepted now is not fixed by this change.
    if let Some(before) = &mut before {
        hold(judging, before)?;
    }
    let comparison = before
        .as_ref()
        .map(|before| compare::compare(&before.report, &saved.report));
    let run = CiRun::of(&setting.environment);
    let run = run
        .as_ref()
        .and_then(|run| Some((run.system, run.url.as_deref()?)));
    let subject = Comment {
        report: &saved.report,
        comparison: comparison.as_ref(),
        reasons: judgement.as_ref().map(|one| one.reasons.as_slice()),
        plan: judgement.as_ref().map_or(&[], |one| one.plan.as_slice()),
        plan_title: judgement.as_ref().map_or("", |one| &one.plan_title),
        selection: &saved.selection,
        run,
        report_url: arguments.report_url.as_deref().unwrap_or_default(),
        tool_version: env!("CARGO_PKG_VERSION"),
    };
    Ok(comment(&subject, style, &arguments.key))
}
