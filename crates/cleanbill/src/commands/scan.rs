//! `cleanbill scan`: the main job.

mod base;
mod compare;
mod policy;
mod retry;
mod sbom;
mod sources;
mod trivy;

pub(super) use policy::Policy;
pub(crate) use sources::engine_environment;
pub(super) use sources::{Sources, Target};
pub(super) use trivy::TrivyEngine;

use std::path::Path;
use std::time::Duration;

use cleanbill_advisories::{Database, Exploitation, Metadata, SeveritySources};
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::{ArtifactType, DatabaseInfo, ImageReport, ScanReport};
use cleanbill_core::{Limits, error_chain};
use cleanbill_engine::{
    JudgeOptions, PackageTypes, ScanOptions, Scanner, database_info, failed_report, is_transient,
};
use cleanbill_image::ReadContext;
use cleanbill_inventory::{EXTRACTORS_VERSION, ExtractOptions, MergeOptions, SkipRules};
use cleanbill_store::LayerCache;
use jiff::{SignedDuration, Timestamp};

use super::java_index::ScanIndex;
use super::{Setting, advisory_database, exploitation, gate};
use crate::cli::{ScanArgs, VerdictArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output::Outputs;
use crate::progress::Progress;
use crate::{places, stop};
use base::Bases;
use compare::Comparison;
use retry::Retries;
use sources::OpenFailure;

/// A database that missed its successor by this long is called stale.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn run(setting: &Setting, arguments: &ScanArgs) -> Result<Exit, CommandError> {
    let now = Timestamp::now();
    let policy = Policy::new(&arguments.filter, &arguments.verdict, now)?
        .with_order(&arguments.sort)
        .with_comparison(&arguments.verdict.comparison, &|image| {
            gate::scan_for_comparison(setting, image, arguments, now)
        })?;
    let engine = &arguments.engine;
    if engine.trivy_args.is_some() && !engine.runs_trivy() {
        return Err(
            CommandError::usage_text("--trivy-args has no effect: the engine is native")
                .hint("run Trivy with: --engine trivy, or both with: --compare-engines"),
        );
    }
    let mut outputs = Outputs::new(
        &arguments.output,
        policy.selection(),
        setting.global.color,
        &setting.environment,
    )?;
    if arguments.engine.compare_engines {
        outputs.spare_stdout();
    }
    let Assessed {
        policy,
        comparison,
        mut exit,
        report,
        database,
        ..
    } = assess(setting, arguments, policy, now, false, &|count| {
        outputs.check(count)
    })?;

    let verdict = policy.verdict(&report);
    if exit == Exit::Incomplete && policy.allows_partial(&report) {
        exit = Exit::Clean;
    }
    exit = exit.and(gate::exit(&verdict));
    outputs.write(&report, &new_report_id())?;
    if let Some(comparison) = &comparison {
        exit = exit.and(comparison.print()?);
    }
    policy::log_verdict(&verdict, &report);
    if let Some(age) = too_old(&arguments.verdict, database.metadata(), now) {
        tracing::error!(
            "the advisory database is {} h old, --max-db-age allows less; fetch a newer one with: \
             cleanbill db update",
            age.as_hours()
        );
        exit = exit.and(Exit::Database);
    }
    Ok(exit)
}

/// What the targets of a call were found to hold.
pub(super) struct Assessed {
    pub(super) policy: Policy,
    /// What the engines do not agree on, where they are compared.
    comparison: Option<Comparison>,
    /// 3 if an image could not be assessed completely, 2 if a file is missing.
    pub(super) exit: Exit,
    /// What is shown.
    pub(super) report: ScanReport,
    /// The same images before anything was filtered.
    pub(super) unfiltered: Vec<ImageReport>,
    pub(super) database: Database,
}

/// Opens and judges every target. `check` is asked whether so many images can be shown.
///
/// # Errors
///
/// The call makes no sense, there is no usable database, or the user has asked to stop.
pub(super) fn assess(
    setting: &Setting,
    arguments: &ScanArgs,
    policy: Policy,
    now: Timestamp,
    keeps_unfiltered: bool,
    check: &dyn Fn(usize) -> Result<(), CommandError>,
) -> Result<Assessed, CommandError> {
    let options = scan_options(arguments, now)?;
    let context = ReadContext {
        limits: options.extract.limits.clone(),
        cancelled: stop::flag(),
        ..ReadContext::default()
    };
    let sources = Sources::new(setting, arguments, &context)?;
    let retries = Retries::new(&arguments.retry);
    let targets = retries.run("the list of images", || sources.targets(arguments))?;
    check(targets.len())?;
    if let Some(timeout) = arguments.detection.timeout {
        stop::after(timeout);
    }

    let network = &arguments.registry.network;
    let database = retries.run("the advisory database", || {
        advisory_database::obtain(setting, &arguments.database, network, &context)
    })?;
    let trivy = arguments
        .engine
        .runs_trivy()
        .then(|| {
            let store = advisory_database::store(setting, &arguments.database.place)?;
            TrivyEngine::new(setting, arguments, store.directory())
        })
        .transpose()?;
    let exploitation = exploitation::open(setting, arguments, policy.needs_known_exploited())?;
    let cache = open_cache(setting)?;
    let java_index = ScanIndex::new(setting, &arguments.database, network, &context);
    let is_shown = !setting.global.quiet && !setting.global.no_progress;
    let progress = Progress::start(is_shown, Some(targets.len()), context.bytes_read);
    let scanner = Scanner::new(&cache, &database, &options, &progress).with_java_index(&java_index);
    let base = arguments.detection.base.as_deref();
    let bases = Bases::new(&cache, base, now.as_second(), &sources, &scanner)?;
    let mut run = Run {
        scanner,
        bases,
        failure: None,
        merge_options: &options.merge,
        trivy,
        comparison: arguments.engine.compare_engines.then(Comparison::default),
        exploitation: &exploitation,
        policy,
        retries,
        exit: Exit::Clean,
        report: ScanReport::default(),
        unfiltered: Vec::new(),
        keeps_unfiltered,
    };
    for target in &targets {
        run.scan(&sources, target);
        if stop::is_requested() || run.failure.is_some() {
            break;
        }
    }
    progress.finish();
    if stop::is_requested() {
        return Err(stop::error());
    }
    if let Some(failure) = run.failure {
        return Err(failure);
    }
    run.attribute(&sources)?;
    let Run {
        policy,
        comparison,
        mut exit,
        mut report,
        unfiltered,
        ..
    } = run;
    report.created_at = now.to_string();
    let duration = Timestamp::now().duration_since(now);
    report.duration_ms = u64::try_from(duration.as_millis()).ok();
    report.database = Some(DatabaseInfo {
        epss_date: exploitation.epss_date().unwrap_or_default().to_owned(),
        kev_release: exploitation.kev_release().unwrap_or_default().to_owned(),
        ..database_info(database.metadata(), now)
    });
    mark_stale(&mut report, database.metadata(), now);
    check(report.images.len())?;
    report.exceptions = policy.report_rules();
    report.left_out_severities = policy.left_out_severities();
    if report
        .images
        .iter()
        .any(|image| image.status != AssessmentStatus::Complete)
    {
        exit = exit.and(Exit::Incomplete);
    }
    Ok(Assessed {
        policy,
        comparison,
        exit,
        report,
        unfiltered,
        database,
    })
}

/// Collects what is scanned.
struct Run<'a> {
    scanner: Scanner<'a>,
    bases: Bases<'a>,
    /// What makes going on senseless.
    failure: Option<CommandError>,
    merge_options: &'a MergeOptions,
    trivy: Option<TrivyEngine>,
    /// What the engines do not agree on, where they are compared.
    comparison: Option<Comparison>,
    exploitation: &'a Exploitation,
    policy: Policy,
    retries: Retries,
    exit: Exit,
    report: ScanReport,
    /// The images before anything is filtered, where somebody asks for them.
    unfiltered: Vec<ImageReport>,
    keeps_unfiltered: bool,
}

impl Run<'_> {
    fn scan(&mut self, sources: &Sources, target: &Target) {
        let theirs = self.trivy.as_ref().map(|trivy| trivy.scan(sources, target));
        if stop::is_requested() {
            return;
        }
        let before = self.report.images.len();
        match (theirs, self.comparison.take()) {
            (Some(theirs), Some(mut comparison)) => {
                self.scan_natively(sources, target);
                let ours = self.report.images.get(before..).unwrap_or_default();
                comparison.add(target.name(), ours, &theirs);
                self.comparison = Some(comparison);
            }
            (Some(theirs), None) => {
                self.report.images.push(theirs);
                if TrivyEngine::is_missing(target) {
                    self.exit = self.exit.and(Exit::Usage);
                }
            }
            (None, _) => self.scan_natively(sources, target),
        }
        self.apply_policy(before);
    }

    /// Applies filters and VEX to the reports from an index on.
    fn apply_policy(&mut self, from: usize) {
        for report in self.report.images.iter_mut().skip(from) {
            for result in &mut report.results {
                self.exploitation.fill(&mut result.findings);
            }
            if self.keeps_unfiltered {
                self.unfiltered.push(report.clone());
            }
            self.policy.apply(report);
        }
    }

    /// Says of all findings whose layers they belong to, once every image of the call is known.
    fn attribute(&mut self, sources: &Sources) -> Result<(), CommandError> {
        self.bases.remember(&self.report.images, sources);
        for image in self.report.images.iter_mut().chain(&mut self.unfiltered) {
            self.bases.attribute(image)?;
        }
        // What another engine found cannot be compared with what we know of other bases.
        if self.trivy.is_some() && self.comparison.is_none() {
            return Ok(());
        }
        let (exploitation, policy) = (self.exploitation, &self.policy);
        for image in &mut self.report.images {
            self.bases.advise(&self.scanner, image, &mut |other| {
                for result in &mut other.results {
                    exploitation.fill(&mut result.findings);
                }
                policy.apply_aside(other);
            });
        }
        Ok(())
    }

    fn scan_natively(&mut self, sources: &Sources, target: &Target) {
        if let Target::Sbom { name, path } = target {
            self.scan_sbom(name, path);
            return;
        }
        let before = self.report.images.len();
        let mut attempt = 1;
        while let Some(reason) = self.attempt(sources, target) {
            if !self.retries.wait(target.name(), attempt, &reason) {
                return;
            }
            attempt += 1;
            self.report.images.truncate(before);
        }
    }

    /// Opens and scans a target once. Returns why that failed, if trying again may help.
    fn attempt(&mut self, sources: &Sources, target: &Target) -> Option<String> {
        let opened = {
            let mut sink = self
                .scanner
                .inventories()
                .sink(target.name(), self.scanner.observer());
            sources.open(target, &mut sink)
        };
        let mut transient = None;
        match opened {
            Ok(images) => {
                for image in &images {
                    if stop::is_requested() {
                        return None;
                    }
                    if let Err(error) = self.bases.check(image, sources, &self.scanner) {
                        self.failure = Some(error);
                        return None;
                    }
                    let (mut report, may_retry) = self.scanner.attempt(image);
                    if may_retry {
                        let problem = report.problems.first();
                        transient = problem.map(|problem| problem.message.clone());
                    }
                    if matches!(target, Target::Rootfs { .. }) {
                        describe_filesystem(&mut report);
                    }
                    self.report.images.push(report);
                }
                self.scanner.inventories().release();
            }
            Err(OpenFailure { error, is_usage }) => {
                if is_transient(&error) {
                    transient = Some(error_chain(&error));
                }
                self.report
                    .images
                    .push(failed_report(target.name(), &error));
                if is_usage {
                    self.exit = self.exit.and(Exit::Usage);
                }
            }
        }
        transient
    }

    fn scan_sbom(&mut self, name: &str, path: &Path) {
        let report = match sbom::open(path, self.merge_options) {
            Ok(document) => self.scanner.scan_sbom(name, document),
            Err(failure) => {
                if failure.is_usage() {
                    self.exit = self.exit.and(Exit::Usage);
                }
                failed_report(name, &failure)
            }
        };
        self.report.images.push(report);
    }
}

/// Describes a root directory, which has no layers: the one that stood for it goes.
fn describe_filesystem(report: &mut ImageReport) {
    report.artifact_type = ArtifactType::Filesystem;
    report.metadata.layers.clear();
    for result in &mut report.results {
        for package in &mut result.packages {
            package.layer = None;
        }
        for finding in &mut result.findings {
            finding.layer = None;
        }
    }
}

pub(super) fn scan_options(
    arguments: &ScanArgs,
    now: Timestamp,
) -> Result<ScanOptions, CommandError> {
    let detection = &arguments.detection;
    let kinds = |kind: &str| detection.pkg_types.iter().any(|given| given == kind);
    let package_types = PackageTypes {
        os: kinds("os"),
        library: kinds("library"),
    };
    let severity_sources: SeveritySources = detection
        .vuln_severity_source
        .parse()
        .map_err(|error| CommandError::usage_text(format!("--vuln-severity-source: {error}")))?;
    let distro = detection.distro.as_deref().map(parse_distro).transpose()?;
    let threads = match detection.parallel {
        None | Some(0) => std::thread::available_parallelism().map_or(1, usize::from),
        Some(threads) => threads,
    };
    Ok(ScanOptions {
        extract: ExtractOptions {
            limits: Limits::default().into(),
            skip: SkipRules::parse(&detection.skip_dirs, &detection.skip_files).map_err(
                |error| CommandError::usage_text(format!("--skip-dirs or --skip-files: {error}")),
            )?,
        },
        merge: MergeOptions {
            distro,
            includes_os_packages: package_types.os,
            includes_applications: package_types.library,
            is_comprehensive: detection.detection_priority == "comprehensive",
            ..MergeOptions::default()
        },
        judge: JudgeOptions {
            severity_sources,
            package_types,
        },
        threads,
        now,
    })
}

fn parse_distro(text: &str) -> Result<cleanbill_core::distro::Distro, CommandError> {
    match text.split_once('/') {
        Some((family, name)) if is_family(family) && !name.is_empty() => {
            Ok(cleanbill_core::distro::Distro {
                family: cleanbill_core::distro::Family::new(family),
                name: name.to_owned(),
                ..Default::default()
            })
        }
        _ => Err(CommandError::usage_text(format!(
            "--distro {text}: expected family/release, such as debian/12 or alpine/3.20, the family \
             by the word that reports print"
        ))),
    }
}

/// Says whether Trivy takes a family too; some have no advisories.
fn is_family(word: &str) -> bool {
    const WITHOUT_ADVISORIES: [&str; 4] = ["activestate", "centos-stream", "fedora", "opensuse"];
    let family = cleanbill_core::distro::Family::new(word);
    cleanbill_advisories::is_supported(&family) || WITHOUT_ADVISORIES.contains(&family.as_str())
}

/// Opens the layer cache; where it cannot be had, scans go on without one.
pub(super) fn open_cache(setting: &Setting) -> Result<LayerCache, CommandError> {
    let directory = places::cache_directory(setting.global.cache_dir.clone(), &setting.environment);
    LayerCache::open(&directory, EXTRACTORS_VERSION).or_else(|error| {
        tracing::warn!(
            "{:#}; going on without the layer cache",
            anyhow::Error::new(error)
        );
        LayerCache::in_memory(EXTRACTORS_VERSION).map_err(CommandError::usage)
    })
}

/// Marks every image of the report if the database should have been replaced long ago.
fn mark_stale(report: &mut ScanReport, metadata: &Metadata, now: Timestamp) {
    let late = now.duration_since(metadata.next_update);
    if metadata.next_update == Metadata::ZERO_TIME || late < STALE_AFTER {
        return;
    }
    let age = now.duration_since(metadata.updated_at).as_hours();
    for image in &mut report.images {
        image.problems.push(Problem::new(
            ProblemKind::StaleDatabase,
            format!(
                "the advisory database is {age} h old: newer vulnerabilities are missing; fetch a \
                 newer one with: cleanbill db update"
            ),
        ));
        image.problems.sort();
    }
}

pub(super) fn too_old(
    arguments: &VerdictArgs,
    metadata: &Metadata,
    now: Timestamp,
) -> Option<SignedDuration> {
    let max: Duration = arguments.max_db_age?;
    let age = now.duration_since(metadata.updated_at);
    (age > SignedDuration::try_from(max).unwrap_or(SignedDuration::MAX)).then_some(age)
}

fn new_report_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
