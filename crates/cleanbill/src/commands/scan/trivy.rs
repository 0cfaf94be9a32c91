//! Scanning with an installed Trivy: our flags in its words, its report in our model.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::ImageReport;
use cleanbill_core::{ImageReference, error_chain};
use cleanbill_engine::{
    Trivy, TrivyArguments, TrivyError, TrivyLimits, TrivyTarget, failed_report,
};
use cleanbill_image::split_prefix;
use cleanbill_report::read_trivy_report;

use super::sources::{Sources, Target};
use crate::cli::ScanArgs;
use crate::commands::Setting;
use crate::error::{CommandError, printable};
use crate::exit::Exit;
use crate::stop;

/// Bytes of a report of Trivy's. One of an image with 100,000 findings has 400 MB.
const REPORT_SIZE_BYTES_MAX: u64 = 1 << 30;

/// How long Trivy is told that it may take: `--timeout` is kept by us.
const OWN_TIMEOUT: &str = "8760h";

/// Runs Trivy on targets.
pub(in crate::commands) struct TrivyEngine {
    trivy: Trivy,
    arguments: TrivyArguments,
    limits: TrivyLimits,
}

impl TrivyEngine {
    /// Finds Trivy and translates the flags. `database_directory` holds the advisory database in
    /// use.
    ///
    /// # Errors
    ///
    /// There is no usable Trivy, or it cannot use the database: exit code 2.
    pub(in crate::commands) fn new(
        setting: &Setting,
        flags: &ScanArgs,
        database_directory: &Path,
    ) -> Result<Self, CommandError> {
        let engine = &flags.engine;
        let search_path = setting.environment.get("PATH");
        let trivy = Trivy::find(engine.trivy_path.as_deref(), search_path, &stop::flag())
            .map_err(|error| unusable(error, engine.trivy_asked_by.as_deref()))?;
        let extra = engine.trivy_args.as_deref().unwrap_or_default();
        let arguments = TrivyArguments {
            cache_directory: cache_directory(database_directory)?,
            skips_java_index_update: flags.registry.network.offline
                || flags.database.skip_java_db_update,
            translated: translated(flags)?,
            translated_for_images: translated_for_images(flags),
            environment: credentials(flags),
            extra: TrivyArguments::parse_extra(extra).map_err(CommandError::usage)?,
        };
        tracing::info!(version = %trivy.version(), path = %trivy.path().display(), "trivy found");
        Ok(Self {
            trivy,
            arguments,
            limits: TrivyLimits {
                timeout: flags.detection.timeout,
                cancelled: stop::flag(),
                report_size_bytes_max: REPORT_SIZE_BYTES_MAX,
            },
        })
    }

    /// Scans a target. What fails is in the report.
    pub(in crate::commands) fn scan(&self, sources: &Sources, target: &Target) -> ImageReport {
        let mut report = self
            .run(sources, target)
            .unwrap_or_else(|error| failed_report(target.name(), &*error));
        target.name().clone_into(&mut report.artifact_name);
        report
    }

    /// Says whether a target is a file of the user's that is not there: the call is wrong, not the
    /// image.
    pub(super) fn is_missing(target: &Target) -> bool {
        match target {
            // What follows a colon or an at sign may be a tag or digest.
            Target::Input(argument) => {
                let is_named = |end: char| argument.contains(end);
                !Path::new(argument).exists() && !is_named(':') && !is_named('@')
            }
            Target::Rootfs { path, .. } | Target::Sbom { path, .. } => !path.exists(),
            _ => false,
        }
    }

    fn run(
        &self,
        sources: &Sources,
        target: &Target,
    ) -> Result<ImageReport, Box<dyn std::error::Error>> {
        let (trivy_target, source) = self.target(sources, target)?;
        let mut arguments = self.arguments.clone();
        if let Some(word) = source {
            arguments.translated_for_images.push("--image-src".into());
            arguments.translated_for_images.push(word.into());
        }
        let mut log = |line: &str| {
            // Its lines begin with the time and a tab.
            let text = line.split_once('\t').map_or(line, |(_, text)| text);
            tracing::info!(target: "trivy", "trivy: {}", printable(&text.replace('\t', " ")));
        };
        let output = self
            .trivy
            .scan(&trivy_target, &arguments, &self.limits, &mut log)?;
        let report = read_trivy_report(&output)
            .map_err(|error| format!("cannot read trivy's report: {}", error_chain(&error)))?;
        let mut image = report.images.into_iter().next().unwrap_or_default();
        "trivy".clone_into(&mut image.source);
        note_other_results(&mut image);
        Ok(image)
    }

    /// Names a target in Trivy's words, with the source to take it from.
    fn target(
        &self,
        sources: &Sources,
        target: &Target,
    ) -> Result<(TrivyTarget, Option<&'static str>), Box<dyn std::error::Error>> {
        let absolute = |path: &Path| std::path::absolute(path);
        Ok(match target {
            Target::Image(name) => {
                let (prefix, rest) = split_prefix(name);
                let source = prefix.map(|source| image_source(source.word()));
                (TrivyTarget::Image(rest.to_owned()), source)
            }
            Target::Listed { id, .. } => (TrivyTarget::Image(id.clone()), None),
            Target::Container(container) => (
                TrivyTarget::Image(sources.image_of_container(container)?),
                None,
            ),
            Target::Input(argument) => {
                let path = absolute(Path::new(argument))?;
                (TrivyTarget::Input(path.into()), None)
            }
            Target::Rootfs { path, .. } => (TrivyTarget::Rootfs(absolute(path)?), None),
            Target::Sbom { path, .. } => (TrivyTarget::Sbom(absolute(path)?), None),
        })
    }
}

fn unusable(error: TrivyError, asked_by: Option<&str>) -> CommandError {
    let hint = match &error {
        TrivyError::NotFound => {
            "install Trivy, or name its program with --trivy-path; the native engine needs none"
        }
        TrivyError::TooOld { .. } => "install a newer Trivy, or use the native engine",
        _ => "name the program with --trivy-path",
    };
    let exit = match error {
        TrivyError::Cancelled => Exit::Interrupted,
        _ => Exit::Usage,
    };
    let error = CommandError::with_exit(exit, error).hint(hint);
    match asked_by {
        Some(setting) => error.hint(format!(
            "{setting} asks for Trivy: without it the native engine is used, which finds the same"
        )),
        None => error,
    }
}

/// Returns the directory in whose `db` the database lies, which is how Trivy finds it.
fn cache_directory(database_directory: &Path) -> Result<PathBuf, CommandError> {
    let path = std::path::absolute(database_directory).map_err(CommandError::usage)?;
    match path.parent() {
        Some(parent) if path.file_name().is_some_and(|name| name == "db") => Ok(parent.to_owned()),
        _ => Err(CommandError::usage_text(format!(
            "trivy finds its database only in a directory that is called db, and {} is not",
            path.display()
        ))
        .hint("name a directory with db/trivy.db: --db-path DIR")),
    }
}

/// Translates the flags that mean the same for every kind of target.
///
/// # Errors
///
/// One of them cannot be said in Trivy's words.
fn translated(flags: &ScanArgs) -> Result<Vec<OsString>, CommandError> {
    let detection = &flags.detection;
    let mut words: Vec<OsString> = Vec::new();
    let mut push = |name: &str, value: &str| words.extend([name.into(), value.into()]);
    push("--timeout", OWN_TIMEOUT);
    push("--pkg-types", &detection.pkg_types.join(","));
    push("--vuln-severity-source", &detection.vuln_severity_source);
    push("--detection-priority", &detection.detection_priority);
    for (name, values) in [
        ("--skip-dirs", &detection.skip_dirs),
        ("--skip-files", &detection.skip_files),
    ] {
        values.iter().for_each(|value| push(name, value));
    }
    for repository in &flags.database.repositories.java_db_repository {
        push("--java-db-repository", repository);
    }
    if let Some(distro) = &detection.distro {
        push("--distro", distro);
    }
    if let Some(threads) = detection.parallel {
        push("--parallel", &threads.to_string());
    }
    let network = &flags.registry.network;
    match network.ca_cert.as_slice() {
        [] => {}
        // It does not run where the user stands.
        [file] => words.extend([
            "--cacert".into(),
            std::path::absolute(file)
                .map_err(CommandError::usage)?
                .into(),
        ]),
        several => {
            return Err(CommandError::usage_text(format!(
                "trivy takes one --ca-cert, and {} are named",
                several.len()
            ))
            .hint("put all certificates into one file"));
        }
    }
    if network.offline {
        words.push("--offline-scan".into());
    }
    Ok(words)
}

/// Translates the flags about images of engines and registries.
fn translated_for_images(flags: &ScanArgs) -> Vec<OsString> {
    let source = &flags.source;
    let mut words: Vec<OsString> = Vec::new();
    let mut push = |name: &str, value: &str| words.extend([name.into(), value.into()]);
    if let Some(platform) = &source.platform {
        push("--platform", platform);
    }
    if let Some(host) = &source.engine.docker_host {
        push("--docker-host", host);
    }
    if !source.source.is_empty() {
        let sources: Vec<&str> = source
            .source
            .iter()
            .map(|word| image_source(word))
            .collect();
        push("--image-src", &sources.join(","));
    }
    let is_insecure = |argument: &String| {
        let name = split_prefix(argument).1;
        name.parse::<ImageReference>().is_ok_and(|reference| {
            flags
                .registry
                .network
                .insecure_registry
                .contains(&reference.registry)
        })
    };
    if flags.images.iter().any(is_insecure) {
        words.push("--insecure".into());
    }
    words
}

fn image_source(word: &str) -> &'static str {
    match word {
        "podman" => "podman",
        "containerd" => "containerd",
        "registry" => "remote",
        _ => "docker",
    }
}

/// Passes credentials where nobody can read them from the list of processes.
fn credentials(flags: &ScanArgs) -> Vec<(&'static str, String)> {
    let registry = &flags.registry;
    [
        ("TRIVY_USERNAME", &registry.password.registry_username),
        ("TRIVY_PASSWORD", &registry.password.registry_password),
        ("TRIVY_REGISTRY_TOKEN", &registry.registry_token),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.clone()?)))
    .collect()
}

/// Says that there are results which only `trivy-json` shows.
fn note_other_results(image: &mut ImageReport) {
    if image.other_results.is_empty() || image.status == AssessmentStatus::Failed {
        return;
    }
    let count = image.other_results.len();
    image.problems.push(Problem::new(
        ProblemKind::OtherResults,
        format!(
            "trivy also reported other kinds of results (secrets, misconfiguration, licences) in \
             {count} places: use --format trivy-json"
        ),
    ));
}
