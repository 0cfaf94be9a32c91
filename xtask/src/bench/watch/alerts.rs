//! How long it takes from the end of what changed an image to the mail about it.

use std::fs::File;
use std::time::{Duration, Instant};

use cleanbill_testkit::tar::RawTar;

use super::super::judging::editions;
use super::super::registry::Registry;
use super::super::report::{Check, Fact, Report};
use super::super::series::{load, median, percentile};
use super::daemon::Daemon;
use super::images::{APP, app_head, flawed_layer, flawed_package};
use super::local_engine::NAMESPACE;
use super::{Bench, MailSink};

/// What is required of the slowest but five in a hundred.
const SECONDS_MAX: f64 = 3.0;

/// An alert that does not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two events there is some time, as in life; and not always the same.
const REST_FIRST: Duration = Duration::from_millis(100);
const REST_STEP: Duration = Duration::from_millis(37);

/// After a push it is waited for this.
const PUSH_REST: Duration = Duration::from_millis(500);

pub(super) fn run(
    bench: &Bench<'_>,
    daemon: &mut Daemon,
    mail: &MailSink,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut kinds: Vec<(&'static str, [&'static str; 2], Box<Change<'_>>)> = vec![
        (
            "docker build, the name moves",
            ["docker build: median", "docker build: slowest"],
            Box::new(|number| rebuild(bench, number)),
        ),
        (
            "docker load, a new name",
            ["docker load: median", "docker load: slowest"],
            Box::new(|number| load_archive(bench, number)),
        ),
        (
            "docker tag, a new name",
            ["docker tag: median", "docker tag: slowest"],
            Box::new(|number| tag(bench, number)),
        ),
    ];
    let registry = Registry::serve(&bench.tools.directory.join("watch-registry"))?;
    if let Some(registry) = &registry {
        let port = registry.port;
        kinds.push((
            "docker pull, a new name",
            ["docker pull: median", "docker pull: slowest"],
            Box::new(move |number| pull(bench, port, number)),
        ));
    }
    // The name is new once; afterwards it moves.
    rebuild(bench, 0)?;
    mail.next_with("built:1", PATIENCE)?;
    for (place, (name, facts, change)) in kinds.into_iter().enumerate() {
        println!("{} × {name}, load {}", bench.extent.alerts, load());
        let mut latencies = Vec::new();
        for number in 0..bench.extent.alerts {
            let number = 1 + place * bench.extent.alerts + number;
            std::thread::sleep(REST_FIRST + REST_STEP * (number as u32 % 10));
            daemon.forget();
            mail.forget();
            let (changed, told_by) = change(number)?;
            let mail = mail.next_with(&told_by, PATIENCE)?;
            latencies.push(mail.at.saturating_duration_since(changed).as_secs_f64());
        }
        report.checks.push(Check::at_most(
            format!("{name}: alert handed over, p95 of {}", latencies.len()),
            percentile(&mut latencies, 95),
            SECONDS_MAX,
            "s",
        ));
        let [middle, slowest] = facts;
        report
            .facts
            .push(Fact::new(slowest, percentile(&mut latencies, 100), "s"));
        report
            .facts
            .push(Fact::new(middle, median(latencies.into_iter()), "s"));
    }
    Ok(())
}

/// Changes an image. Returns when the engine was done, and what only the mail about it says.
type Change<'a> = dyn Fn(usize) -> anyhow::Result<(Instant, String)> + 'a;

/// Builds the application once more, with another package: the name means another image then.
fn rebuild(bench: &Bench<'_>, number: usize) -> anyhow::Result<(Instant, String)> {
    let at = build(bench, &format!("{NAMESPACE}/built:1"), number)?;
    Ok((at, editions::flaw(number)))
}

/// Builds the application with a flawed package, under a name. Returns when it was built.
fn build(bench: &Bench<'_>, name: &str, number: usize) -> anyhow::Result<Instant> {
    let (package, version) = flawed_package(number);
    let metadata = format!("Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n");
    let target = format!("/usr/lib/python3/dist-packages/{package}-{version}.dist-info/METADATA");
    let context = RawTar::new()
        .file(
            "Dockerfile",
            format!("FROM {APP}\nCOPY METADATA {target}\n").as_bytes(),
        )
        .file("METADATA", metadata.as_bytes())
        .finish();
    bench.engine.build(name, &context)
}

/// Loads an archive with all layers of the application and one more, under a name of its own.
fn load_archive(bench: &Bench<'_>, number: usize) -> anyhow::Result<(Instant, String)> {
    let name = format!("{NAMESPACE}/loaded-{number}:1");
    let directory = &bench.tools.directory;
    let head = app_head(
        directory,
        &bench.images,
        &name,
        Some(&flawed_layer(number)?),
    )?;
    let blobs = File::open(&bench.images.app_blobs)?;
    Ok((bench.engine.load_parts(&head, blobs)?, name))
}

/// Gives an image that is known another name.
fn tag(bench: &Bench<'_>, number: usize) -> anyhow::Result<(Instant, String)> {
    let other = format!("{NAMESPACE}/tagged-{number}:1");
    Ok((bench.engine.tag(APP, &other)?, other))
}

/// Pulls the application with another package from a registry on the loopback. It is pushed under
/// another name of the same registry, which is not watched, and removed: the engine has every layer
/// but the new one then.
fn pull(bench: &Bench<'_>, port: u16, number: usize) -> anyhow::Result<(Instant, String)> {
    let name = format!("{port}/{NAMESPACE}/pulled:{number}");
    let (pushed, pulled) = (format!("localhost:{name}"), format!("127.0.0.1:{name}"));
    build(bench, &pushed, number)?;
    bench.engine.push(&pushed)?;
    bench.engine.remove(&pushed)?;
    // What the monitor does about that is over.
    std::thread::sleep(PUSH_REST);
    Ok((bench.engine.pull(&pulled)?, pulled))
}
