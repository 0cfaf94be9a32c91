//! The first pass over images that share bases: what it costs, beside a scan of all in one call and
//! Trivy for each.

use std::fs;
use std::path::Path;

use cleanbill_store::LayerCache;
use rusqlite::{Connection, OpenFlags};

use super::super::process::{Cost, Program};
use super::super::report::{Check, Fact, Report};
use super::super::series::{Series, load};
use super::images::Images;
use super::local_engine::NAMESPACE;
use super::{Bench, daemon};

const PLACE: &str = "100 images on 10 bases";
const FEW: &str = "10 images, one of each base";

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    println!("loading the images of the first pass, load {}", load());
    bench.engine.load(&bench.images.pass)?;
    let directory = bench.tools.directory.join("watch/pass");
    let log = bench.tools.directory.join("last-run.log");
    let programs = [
        (
            PLACE,
            "cleanbill watch --once",
            watch(bench, &directory, "*"),
        ),
        (
            FEW,
            "cleanbill watch --once",
            watch(bench, &directory, "?-0"),
        ),
        (PLACE, "cleanbill scan, one call", scan(bench)),
    ];
    let mut kept = 0;
    let mut runs: [Vec<Cost>; 3] = Default::default();
    let cache = bench.tools.directory.join("cache/watch-scan");
    for number in 0..=report.runs {
        println!("round {number} of {}, load {}", report.runs, load());
        for ((place, contender, program), runs) in programs.iter().zip(&mut runs) {
            daemon::make_empty(&directory)?;
            // It may not be there.
            let _ = fs::remove_dir_all(&cache);
            let cost = program.measure(&log, &[0])?;
            if *place == PLACE && contender.contains("watch") {
                kept = layers_kept(&directory)?;
            }
            // The first round fills the page cache and does not count.
            runs.extend((number > 0).then_some(cost));
        }
    }
    for ((place, contender, program), runs) in programs.iter().zip(runs) {
        report.add(Series::of_runs(
            (*place).to_owned(),
            contender,
            program,
            runs,
        ));
    }
    trivy(bench, &log, report)?;
    figures(bench, kept, report);
    bench.engine.remove_all()
}

fn watch(bench: &Bench<'_>, directory: &Path, children: &str) -> Program {
    let mut arguments = daemon::arguments(bench, directory);
    arguments.extend([
        "--once".to_owned(),
        "--image".to_owned(),
        format!("{NAMESPACE}/pass-{children}:1"),
        "--db-path".to_owned(),
        bench.tools.database.display().to_string(),
    ]);
    Program::new(&bench.tools.cleanbill, arguments)
}

fn scan(bench: &Bench<'_>) -> Program {
    let names: Vec<String> = Images::pass_names().collect();
    let mut arguments = vec!["--docker-host", &*bench.engine.host, "--source", "docker"];
    arguments.extend(names.iter().map(String::as_str));
    bench.tools.scan("watch-scan", &arguments)
}

/// Runs Trivy once for each image, as a script would: it keeps what it knows of layers.
fn trivy(bench: &Bench<'_>, log: &Path, report: &mut Report) -> anyhow::Result<()> {
    let mut total = Cost::default();
    let mut program = None;
    for (number, name) in Images::pass_names().enumerate() {
        let peers = bench.tools.peers(&["--image-src", "docker", &name], "");
        let known = peers
            .into_iter()
            .find(|peer| peer.name == "trivy, known image");
        let Some(mut known) = known else {
            return Ok(());
        };
        if number == 0 {
            println!("trivy for each image, load {}", load());
            let _ = fs::remove_dir_all(bench.tools.trivy_layers());
        }
        let host = ("DOCKER_HOST".to_owned(), bench.engine.host.clone());
        known.program.environment.push(host);
        let cost = known.program.measure(log, known.statuses)?;
        total.wall_seconds += cost.wall_seconds;
        total.cpu_seconds += cost.cpu_seconds;
        total.peak_rss_bytes = total.peak_rss_bytes.max(cost.peak_rss_bytes);
        total.peak_anonymous_bytes = total.peak_anonymous_bytes.max(cost.peak_anonymous_bytes);
        program = Some(known.program);
    }
    if let Some(program) = program {
        let contender = "trivy image for each";
        report.add(Series::of_runs(
            PLACE.to_owned(),
            contender,
            &program,
            vec![total],
        ));
    }
    Ok(())
}

/// Counts the layers whose packages are in the cache of a `watch`.
fn layers_kept(directory: &Path) -> anyhow::Result<u64> {
    let path = directory.join("cache").join(LayerCache::FILE_NAME);
    let cache = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let count: i64 = cache.query_row("SELECT count(*) FROM layer_inventories", [], |row| {
        row.get(0)
    })?;
    Ok(count.unsigned_abs())
}

fn figures(bench: &Bench<'_>, kept: u64, report: &mut Report) {
    let cost = |place: &str, contender: &str| {
        let found = report
            .series
            .iter()
            .find(|series| series.place == place && series.contender.starts_with(contender));
        found.map(|series| series.median)
    };
    let (Some(many), Some(few)) = (cost(PLACE, "cleanbill watch"), cost(FEW, "cleanbill watch"))
    else {
        return;
    };
    let layers = &bench.images.pass_layers;
    let bytes = |layers: &mut dyn Iterator<Item = u64>| layers.sum::<u64>() as f64;
    let unique = bytes(&mut layers.iter().map(|layer| layer.size_bytes));
    let (images, bases) = (Images::pass_names().count(), 10);
    let bases_bytes = bytes(
        &mut layers
            .iter()
            .step_by(1 + images / bases)
            .map(|it| it.size_bytes),
    );
    let own_bytes = unique - bases_bytes;
    let few_bytes = bases_bytes + own_bytes / 10.0;
    let all_bytes = bases_bytes * 10.0 + own_bytes;
    let trivy = cost(PLACE, "trivy");
    let scan = cost(PLACE, "cleanbill scan");
    let fold = many.cpu_seconds / few.cpu_seconds;
    report.checks.push(Check::at_most(
        "first pass: layers read / unique layers",
        kept as f64 / layers.len() as f64,
        1.0,
        "×",
    ));
    report.facts.extend([
        Fact::new(
            "first pass: images a second",
            images as f64 / many.wall_seconds,
            "",
        ),
        Fact::new("first pass: unique layers", layers.len() as f64, ""),
        Fact::new("first pass: unique bytes", unique / 1e6, "MB"),
        Fact::new("first pass: bytes of all images", all_bytes / 1e6, "MB"),
        Fact::new(
            "first pass: unique bytes a second",
            unique / 1e6 / many.wall_seconds,
            "MB/s",
        ),
        Fact::new("first pass: processor time of 100 images to 10", fold, "×"),
        Fact::new(
            "first pass: unique bytes of 100 images to 10",
            unique / few_bytes,
            "×",
        ),
    ]);
    let mut compare = |name, other: Option<Cost>| {
        if let Some(other) = other {
            let ratio = other.wall_seconds / many.wall_seconds;
            report.facts.push(Fact::new(name, ratio, "×"));
        }
    };
    compare("first pass: trivy for each image takes", trivy);
    compare("first pass: a scan of all in one call takes", scan);
}
