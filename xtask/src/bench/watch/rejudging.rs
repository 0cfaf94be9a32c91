//! How long it takes to judge everything again when the advisory database is another.

use anyhow::ensure;
use cleanbill_store::state::StateReader;

use super::super::report::{Check, Fact, Report};
use super::super::series::median;
use super::daemon::{Daemon, PATIENCE};
use super::{Bench, MailSink};

/// What is required for 500 images.
const SECONDS_MAX: f64 = 1.0;

/// Gives the process one database and the other in turn. From the signal that follows the
/// replacement until what came out is written.
pub(super) fn run(
    bench: &Bench<'_>,
    daemon: &mut Daemon,
    mail: &MailSink,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (mut judged, mut told) = (Vec::new(), Vec::new());
    let mut count = 0;
    for number in 0..=report.runs {
        let place = (number + 1) % 2;
        let Some(database) = bench.databases.get(place) else {
            continue;
        };
        daemon.forget();
        mail.forget();
        let begin = daemon.replace_database(database)?;
        let line = daemon.wait_for("judged again")?;
        // The second database has an advisory more: it is told as new, then as resolved.
        let mail = mail.next(PATIENCE)?;
        // The first run reads a file that nobody has read.
        if number > 0 {
            judged.push((line.at - begin).as_secs_f64());
            told.push((mail.at - begin).as_secs_f64());
        }
        println!("judged again in {:.2} s", (line.at - begin).as_secs_f64());
        count = check(bench, place)?;
    }
    report.checks.push(Check::at_most(
        format!("{count} stored images judged again, from SIGHUP to what is written"),
        median(judged.into_iter()),
        SECONDS_MAX,
        "s",
    ));
    report.facts.push(Fact::new(
        "database: from SIGHUP to the mail about it",
        median(told.into_iter()),
        "s",
    ));
    Ok(())
}

/// Makes sure that every image was judged by the database. Returns how many there are: who else
/// works with the engine may have removed some.
fn check(bench: &Bench<'_>, place: usize) -> anyhow::Result<usize> {
    let directory = bench.tools.directory.join("watch/fleet/state");
    let reader = StateReader::open(&directory)?;
    let expected = super::judging::editions::ALL
        .get(place)
        .map_or("", |edition| edition.updated_at);
    let mut images = reader.image_list()?;
    images.retain(|image| image.gone_at.is_none());
    for image in &images {
        let by = image.assessment.as_ref().map(|it| &*it.database_updated_at);
        ensure!(
            by == Some(expected),
            "{} was judged by {by:?}, not {expected}",
            image.name
        );
    }
    Ok(images.len())
}
