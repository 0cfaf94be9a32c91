//! Measures `cleanbill watch` on a real engine: how soon it tells, what it costs while nothing
//! happens, its first pass, and how long it takes to judge everything again.
//!
//! The images are made up and loaded into the engine below names of their own; they are removed at
//! the end. Mail goes to a server in this process that takes everything.

mod alerts;
mod daemon;
mod first_pass;
mod idle;
mod images;
mod local_engine;
mod mail;
mod rejudging;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::judging;
use super::places::Tools;
use super::report::Report;
use super::series::load;
use daemon::Daemon;
use images::Images;
use local_engine::LocalEngine;
use mail::MailSink;

/// What is measured besides the runs of programs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Images that one kind of event makes.
    pub(crate) alerts: usize,
    /// How long it is watched while nothing happens.
    pub(crate) idle: Duration,
    /// What sizes and numbers are divided by.
    pub(crate) scale: usize,
}

/// Everything that the parts share.
struct Bench<'a> {
    tools: &'a Tools,
    engine: LocalEngine,
    images: Images,
    extent: Extent,
    /// Two builds of an advisory database, the second with one advisory more.
    databases: [PathBuf; 2],
}

/// Measures everything, or what `only` names.
pub(crate) fn run(
    tools: &Tools,
    extent: Extent,
    only: Option<&str>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let engine = LocalEngine::find()?
        .context("no local engine: set CLEANBILL_TEST_DOCKER_HOST=unix:///…")?;
    engine.remove_all()?;
    let databases = [
        judging::database(&tools.directory, extent.scale, &judging::editions::FIRST)?,
        judging::database(&tools.directory, extent.scale, &judging::editions::SECOND)?,
    ];
    let bench = Bench {
        tools,
        engine,
        images: Images::obtain(&tools.directory, extent.scale)?,
        extent,
        databases,
    };
    let outcome = measure(&bench, only, report);
    // Whatever happened, the engine is left as it was.
    bench.engine.remove_all()?;
    outcome
}

fn measure(bench: &Bench<'_>, only: Option<&str>, report: &mut Report) -> anyhow::Result<()> {
    let is_wanted = |part: &str| only.is_none_or(|text| part.contains(text));
    if is_wanted("first pass") {
        first_pass::run(bench, report)?;
    }
    if ["idle", "database", "alerts"].into_iter().any(is_wanted) {
        with_daemon(bench, &is_wanted, report)?;
    }
    Ok(())
}

/// Measures what a process does that knows 500 images.
fn with_daemon(
    bench: &Bench<'_>,
    is_wanted: &dyn Fn(&str) -> bool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mail = MailSink::start()?;
    println!("loading the fleet, load {}", load());
    bench.engine.load(&bench.images.fleet)?;
    let head = images::app_head(&bench.tools.directory, &bench.images, images::APP, None)?;
    let blobs = std::fs::File::open(&bench.images.app_blobs)?;
    bench.engine.load_parts(&head, blobs)?;
    let names = bench.engine.names()?;
    ensure!(
        names.len() > bench.images.fleet_count,
        "only {} images were loaded",
        names.len()
    );
    println!("first pass over {} images, load {}", names.len(), load());
    let mut daemon = Daemon::start(bench, &mail, "fleet")?;
    daemon.wait_for("pass ends")?;
    // What the pass found is told before anything is measured.
    mail.next(daemon::PATIENCE)?;
    if is_wanted("idle") {
        idle::run(bench, &mut daemon, report)?;
    }
    if is_wanted("database") {
        rejudging::run(bench, &mut daemon, &mail, report)?;
    }
    if is_wanted("alerts") {
        alerts::run(bench, &mut daemon, &mail, report)?;
    }
    daemon.stop()
}
