//! `cargo xtask agree`: Cleanbill and Trivy over a folder of images, with the same database.
//!
//! Every image is scanned cold by both, one after the other; the reports are compared finding by
//! finding and package by package. Anyone can check us with it: `docs/scoreboard.md` is its output.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use cleanbill_core::report::ImageReport;
use cleanbill_engine::{Agreement, Difference, DifferenceKind};
use cleanbill_report::read_trivy_report;

use crate::bench;
use crate::bench::process::{Cost, Program};

/// What `cargo xtask agree` accepts.
#[derive(Debug, Args)]
pub(crate) struct AgreeArgs {
    /// Trivy's program
    #[arg(long, value_name = "FILE")]
    trivy: PathBuf,
    /// Folder of images: docker-archives, plain or gzip, and OCI layouts
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// Directory with db/trivy.db, and java-db/trivy-java.db where images hold jars
    #[arg(long, value_name = "DIR")]
    database: PathBuf,
    /// Compare only images whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Write the page here as well
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// What one image gave.
struct Row {
    name: String,
    ours: Option<Cost>,
    theirs: Option<Cost>,
    outcome: Result<Agreement, String>,
}

/// Runs both engines over every image.
pub(crate) fn run(arguments: &AgreeArgs) -> anyhow::Result<()> {
    let root = bench::root()?;
    if cfg!(debug_assertions) {
        return bench::run_optimised(&root);
    }
    let cleanbill = root.join("target/release/cleanbill");
    let version = version_of(&arguments.trivy)?;
    let work = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for image in images(&arguments.images)? {
        let name = name_of(&image);
        let is_wanted = arguments
            .only
            .as_ref()
            .is_none_or(|text| name.contains(text.as_str()));
        if is_wanted {
            eprintln!("{name}");
            rows.push(compare(arguments, &cleanbill, &image, &name, work.path())?);
        }
    }
    ensure!(
        !rows.is_empty(),
        "there are no images in {}",
        arguments.images.display()
    );
    let page = page(&rows, &version);
    println!("{page}");
    if let Some(path) = &arguments.markdown {
        std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn version_of(trivy: &Path) -> anyhow::Result<String> {
    let output = bench::process::command(trivy)
        .args(["--version", "--format", "json"])
        .output()
        .with_context(|| format!("cannot start {}", trivy.display()))?;
    let value: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} is no trivy", trivy.display()))?;
    Ok(value["Version"]
        .as_str()
        .unwrap_or("of unknown version")
        .to_owned())
}

/// Lists what can be scanned, sorted.
fn images(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut images = Vec::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        let name = name_of(&path);
        let is_archive = [".tar", ".tar.gz", ".tgz"]
            .iter()
            .any(|end| name.ends_with(end));
        if is_archive || path.join("oci-layout").is_file() {
            images.push(path);
        }
    }
    images.sort();
    Ok(images)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn compare(
    arguments: &AgreeArgs,
    cleanbill: &Path,
    image: &Path,
    name: &str,
    work: &Path,
) -> anyhow::Result<Row> {
    let cache = tempfile::tempdir_in(work)?;
    let (ours_path, theirs_path) = (work.join("ours.json"), work.join("theirs.json"));
    for path in [&ours_path, &theirs_path] {
        if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    let text = |path: &Path| path.display().to_string();
    let database = arguments.database.join("db");
    let mut ours = Program::new(
        cleanbill,
        [
            "scan",
            "--quiet",
            "--offline",
            "--input",
            &text(image),
            "--cache-dir",
        ],
    );
    ours.arguments.extend([
        text(cache.path()),
        "--db-path".to_owned(),
        text(&database),
        "-o".to_owned(),
        format!("trivy-json={}", text(&ours_path)),
    ]);
    let theirs = Program::new(
        &arguments.trivy,
        [
            "image",
            "--quiet",
            "--scanners",
            "vuln",
            "--format",
            "json",
            "--list-all-pkgs",
            "--offline-scan",
            "--skip-db-update",
            "--skip-java-db-update",
            "--skip-version-check",
            "--cache-backend",
            "memory",
            "--cache-dir",
            &text(&arguments.database),
            "--input",
            &text(image),
            "--output",
            &text(&theirs_path),
        ],
    );
    let log = work.join("log");
    // What fails shows in the report or in its absence.
    let ours_cost = ours.measure(&log, &[0, 3]).ok();
    let theirs_cost = theirs.measure(&log, &[0]).ok();
    let outcome = match (read(&ours_path), read(&theirs_path)) {
        (Ok(ours), Ok(theirs)) => Ok(Agreement::of(&ours, &theirs)),
        (Err(error), Err(_)) => Err(format!("both failed: {error:#}")),
        (Err(error), _) => Err(format!("cleanbill failed: {error:#}")),
        (_, Err(error)) => Err(format!("trivy failed: {error:#}")),
    };
    Ok(Row {
        name: name.to_owned(),
        ours: ours_cost,
        theirs: theirs_cost,
        outcome,
    })
}

fn read(path: &Path) -> anyhow::Result<ImageReport> {
    let bytes = std::fs::read(path).context("there is no report")?;
    let report = read_trivy_report(&bytes)?;
    report
        .images
        .into_iter()
        .next()
        .context("the report has no image")
}

/// Renders the page.
fn page(rows: &[Row], version: &str) -> String {
    let mut page = String::from(
        "# Scoreboard\n\nCleanbill and Trivy over the same images with the same database, each image scanned cold by both.\n\
         Written by `cargo xtask agree --trivy BIN --images DIR --database DIR`; run it on your own images.\n\n",
    );
    let agreements = || rows.iter().filter_map(|row| row.outcome.as_ref().ok());
    let equal = agreements()
        .filter(|agreement| agreement.is_complete())
        .count();
    let findings: usize = agreements().map(|agreement| agreement.findings_equal).sum();
    let packages: usize = agreements().map(|agreement| agreement.packages_equal).sum();
    let (ours, theirs) = (total(rows, |row| row.ours), total(rows, |row| row.theirs));
    let _ = writeln!(
        page,
        "Trivy {version}. {} images, {equal} equal in every finding and package; {findings} findings and \
         {packages} packages equal. Together {:.1} s and at most {:.0} MB (Cleanbill), {:.1} s and {:.0} MB (Trivy).\n",
        rows.len(),
        ours.0,
        ours.1,
        theirs.0,
        theirs.1,
    );
    page.push_str(
        "| Image | Findings equal | Packages equal | Differences | Cleanbill s | Trivy s | Cleanbill MB | Trivy MB |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let (findings, packages, differences) = match &row.outcome {
            Ok(agreement) => (
                agreement.findings_equal.to_string(),
                agreement.packages_equal.to_string(),
                agreement.differences.len().to_string(),
            ),
            Err(_) => (String::new(), String::new(), "not compared".to_owned()),
        };
        let _ = writeln!(
            page,
            "| {} | {findings} | {packages} | {differences} | {} | {} | {} | {} |",
            row.name,
            seconds(row.ours),
            seconds(row.theirs),
            megabytes(row.ours),
            megabytes(row.theirs),
        );
    }
    page.push_str(&differences(rows));
    page
}

/// Lists what differs, with the reason; deliberate differences are documented.
fn differences(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        match &row.outcome {
            Ok(agreement) if agreement.is_complete() => {}
            Ok(agreement) => {
                let _ = writeln!(text, "\n### {}\n", row.name);
                for difference in &agreement.differences {
                    let _ = writeln!(text, "- {}", describe(difference));
                }
            }
            Err(reason) => {
                let _ = writeln!(text, "\n### {}\n\nNot compared: {reason}", row.name);
            }
        }
    }
    if text.is_empty() {
        return text;
    }
    format!(
        "\n## Differences\n\nDeliberate ones are explained in [trivy-differences.md](trivy-differences.md).\n{text}"
    )
}

fn describe(difference: &Difference) -> String {
    let what = match &difference.kind {
        DifferenceKind::OnlyNative => "only Cleanbill".to_owned(),
        DifferenceKind::OnlyTrivy => "only Trivy".to_owned(),
        DifferenceKind::Field {
            field,
            native,
            trivy,
        } => {
            format!("{field}: Cleanbill `{native}`, Trivy `{trivy}`")
        }
    };
    let id = match difference.vulnerability_id.as_str() {
        "" => "package",
        id => id,
    };
    format!(
        "{id} in `{}`: {what}: {}",
        difference.package, difference.reason
    )
}

/// Sums up seconds, and takes the largest memory in megabytes.
fn total(rows: &[Row], cost: impl Fn(&Row) -> Option<Cost>) -> (f64, f64) {
    let costs = || rows.iter().filter_map(&cost);
    let seconds = costs().map(|cost| cost.wall_seconds).sum();
    let bytes = costs().map(|cost| cost.peak_rss_bytes).max().unwrap_or(0);
    (seconds, bytes as f64 / 1e6)
}

fn seconds(cost: Option<Cost>) -> String {
    cost.map(|cost| format!("{:.2}", cost.wall_seconds))
        .unwrap_or_default()
}

fn megabytes(cost: Option<Cost>) -> String {
    cost.map(|cost| format!("{:.0}", cost.peak_rss_bytes as f64 / 1e6))
        .unwrap_or_default()
}
