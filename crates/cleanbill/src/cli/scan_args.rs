//! Flags of `scan`, in groups that other commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{BoolishValueParser, NonEmptyStringValueParser, RangedU64ValueParser};
use cleanbill_core::Severity;
use cleanbill_core::severity::FixStatus;
use cleanbill_image::docker::Endpoint;

use super::database_args::DatabaseArgs;
use super::engine_args::EngineArgs;
use super::exceptions_args::ExceptionsArgs;
use super::gate_args::GateComparisonArgs;
use super::network_args::RegistryArgs;
use super::parse_duration;

/// Flags of `scan`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ScanArgs {
    /// Images by tag, digest or id; with a source in front to pin it (registry:alpine:3.20)
    pub(crate) images: Vec<String>,

    /// The same as an image without the flag, as older pipelines call it (repeatable)
    #[arg(long = "image", value_name = "IMAGE", value_parser = NonEmptyStringValueParser::new(), help_heading = "Sources")]
    pub(crate) named: Vec<String>,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    #[command(flatten)]
    pub(crate) detection: DetectionArgs,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) verdict: VerdictArgs,
    #[command(flatten)]
    pub(crate) retry: RetryArgs,

    /// Order of findings: package, or risk (severity times probability of exploitation)
    #[arg(long, value_name = "ORDER", default_value = "package", value_parser = ["package", "risk"], hide_possible_values = true, env = "CLEANBILL_SORT", help_heading = "Output")]
    pub(crate) sort: String,
}

/// What is scanned, and where it comes from.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Sources")]
pub(crate) struct SourceArgs {
    /// Scan every image of the local engine, each once however many tags it has
    #[arg(long, env = "CLEANBILL_ALL", value_parser = BoolishValueParser::new())]
    pub(crate) all: bool,

    /// With --all, scan images without a tag too
    #[arg(long, env = "CLEANBILL_INCLUDE_DANGLING", value_parser = BoolishValueParser::new())]
    pub(crate) include_dangling: bool,

    /// Scan the image that a container was made from (name or id; repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) container: Vec<String>,

    /// Scan an archive of images or an OCI layout, file or directory; FILE:TAG or FILE@DIGEST
    /// picks one image (repeatable)
    #[arg(long, value_name = "FILE|DIR", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) input: Vec<String>,

    /// Scan a root directory
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: Vec<PathBuf>,

    /// Judge what an SBOM lists: CycloneDX (JSON, XML) or SPDX (JSON, tag-value), plain or in an
    /// attestation (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) sbom: Vec<PathBuf>,

    /// Take images from this source only: docker, podman, containerd or registry; several are
    /// tried in order [default: docker, podman, containerd: the first that is there]
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        env = "CLEANBILL_SOURCE"
    )]
    pub(crate) source: Vec<String>,

    /// Platform to pick from an image index, such as linux/arm64
    /// [default: that of this host]
    #[arg(long, value_name = "OS/ARCH", env = "CLEANBILL_PLATFORM")]
    pub(crate) platform: Option<String>,

    #[command(flatten)]
    pub(crate) engine: DockerHostArgs,

    /// How the engine's layers are read, for tests and to compare both ways
    #[arg(long, value_name = "WAY", default_value = "auto", value_parser = ["auto", "in-place", "export"], env = "CLEANBILL_DOCKER_ACCESS", hide = true)]
    pub(crate) docker_access: String,
}

/// Where the Docker engine is.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Sources")]
pub(crate) struct DockerHostArgs {
    /// Address of the Docker engine [default: DOCKER_HOST, else the current Docker context]
    #[arg(long, value_name = "URL", value_parser = parse_engine_address, env = "CLEANBILL_DOCKER_HOST")]
    pub(crate) docker_host: Option<String>,
}

/// How packages are found and judged.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Detection")]
pub(crate) struct DetectionArgs {
    /// Kinds of packages: os, library
    #[arg(long, value_name = "KINDS", value_delimiter = ',', default_value = "os,library", value_parser = ["os", "library"], hide_possible_values = true, env = "CLEANBILL_PKG_TYPES")]
    pub(crate) pkg_types: Vec<String>,

    /// Sources of severities, in order of precedence; auto takes the one that knows the package
    /// best
    #[arg(
        long,
        value_name = "SOURCES",
        default_value = "auto",
        env = "CLEANBILL_VULN_SEVERITY_SOURCE"
    )]
    pub(crate) vuln_severity_source: String,

    /// Whether files that OS packages own are reported again as language packages: precise does
    /// not, comprehensive does
    #[arg(long, value_name = "PRIORITY", default_value = "precise", value_parser = ["precise", "comprehensive"], env = "CLEANBILL_DETECTION_PRIORITY")]
    pub(crate) detection_priority: String,

    /// Judge as if the image were of this distribution, such as debian/12
    #[arg(long, value_name = "FAMILY/RELEASE", env = "CLEANBILL_DISTRO")]
    pub(crate) distro: Option<String>,

    /// The image that the scanned ones are built on, by a name, or an archive as for --input
    /// [default: the known image with the longest beginning of the layers]
    #[arg(long, value_name = "IMAGE", env = "CLEANBILL_BASE")]
    pub(crate) base: Option<String>,

    /// Directories to leave out, with patterns such as **/test (repeatable)
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        env = "CLEANBILL_SKIP_DIRS"
    )]
    pub(crate) skip_dirs: Vec<String>,

    /// Files to leave out, with patterns (repeatable)
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        env = "CLEANBILL_SKIP_FILES"
    )]
    pub(crate) skip_files: Vec<String>,

    /// Layers that are read at a time, up to 256; 0 stands for the number of processors
    /// [default: 0]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(0..=256), env = "CLEANBILL_PARALLEL")]
    pub(crate) parallel: Option<usize>,

    /// Give up after so long, such as 10m [default: never]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, env = "CLEANBILL_TIMEOUT")]
    pub(crate) timeout: Option<Duration>,
}

/// Which findings count.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Severities to report: UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL [default: all]
    #[arg(
        long,
        short,
        value_name = "LIST",
        value_delimiter = ',',
        env = "CLEANBILL_SEVERITY"
    )]
    pub(crate) severity: Vec<Severity>,

    /// Report only what a fix exists for
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, hide_possible_values = true, value_parser = BoolishValueParser::new(), env = "CLEANBILL_IGNORE_UNFIXED")]
    pub(crate) ignore_unfixed: bool,

    /// Report only what EPSS gives this probability of exploitation or more, 0 to 1
    #[arg(long, value_name = "SCORE", value_parser = parse_probability, env = "CLEANBILL_MIN_EPSS")]
    pub(crate) min_epss: Option<f64>,

    /// Report only what CISA's catalogue says is exploited
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CLEANBILL_KEV_ONLY")]
    pub(crate) kev_only: bool,

    /// States of a fix to leave out: affected, fixed, under_investigation, will_not_fix,
    /// fix_deferred, end_of_life, unknown, not_affected
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        env = "CLEANBILL_IGNORE_STATUS"
    )]
    pub(crate) ignore_status: Vec<FixStatus>,

    #[command(flatten)]
    pub(crate) exceptions: ExceptionsArgs,

    /// File of accepted vulnerabilities, in the form that its name tells: .trivyignore, Trivy's
    /// YAML form (.yaml, .yml), .grype.yaml, osv-scanner.toml or exceptions.yaml (repeatable)
    /// [default: .trivyignore if it exists, unless --policy or --fail-on judges]
    #[arg(
        long,
        value_name = "FILE",
        value_delimiter = ',',
        env = "CLEANBILL_IGNOREFILE"
    )]
    pub(crate) ignorefile: Vec<PathBuf>,

    /// VEX document (OpenVEX, CSAF or CycloneDX) whose statements take findings out (repeatable)
    #[arg(
        long,
        value_name = "FILE",
        value_delimiter = ',',
        env = "CLEANBILL_VEX"
    )]
    pub(crate) vex: Vec<String>,
}

/// What is printed, and where.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Format of the report: table, json, trivy-json, cyclonedx, spdx, openvex, sarif, gitlab, junit,
    /// csv, markdown, html
    #[arg(
        long,
        short,
        value_name = "FORMAT",
        visible_alias = "output-format",
        env = "CLEANBILL_FORMAT"
    )]
    pub(crate) format: Option<String>,

    /// Write the report to a file instead of standard output; FORMAT=FILE writes that format,
    /// FORMAT=DIR/ one file per image (repeatable)
    #[arg(
        long,
        short,
        value_name = "FILE",
        visible_alias = "output-file",
        env = "CLEANBILL_OUTPUT"
    )]
    pub(crate) output: Vec<String>,

    /// List every package, not only those with findings
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new(), env = "CLEANBILL_LIST_ALL_PKGS")]
    pub(crate) list_all_pkgs: Option<bool>,

    /// Show findings that an ignore file or a VEX document takes out too, not only excepted ones
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, hide_possible_values = true, value_parser = BoolishValueParser::new(), env = "CLEANBILL_SHOW_SUPPRESSED")]
    pub(crate) show_suppressed: bool,

    /// Print long lists of the table whole
    #[arg(long, env = "CLEANBILL_FULL", value_parser = BoolishValueParser::new())]
    pub(crate) full: bool,
}

/// When the run fails.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Verdict")]
pub(crate) struct VerdictArgs {
    /// Exit with this code if any finding is left, or a threshold of --fail-on is passed
    #[arg(long, value_name = "N", env = "CLEANBILL_EXIT_CODE")]
    pub(crate) exit_code: Option<u8>,

    /// Fail if there are more findings than allowed: critical=0,high=5,total=20,kev=0 (kev counts
    /// what is known to be exploited); a severity alone means none of it and above
    #[arg(long, value_name = "THRESHOLDS", env = "CLEANBILL_FAIL_ON")]
    pub(crate) fail_on: Option<String>,

    /// Fail by the rules of a file (docs/gate.md); --fail-on and --exit-code go before them
    #[arg(
        long,
        value_name = "FILE",
        visible_alias = "config",
        env = "CLEANBILL_POLICY"
    )]
    pub(crate) policy: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) comparison: GateComparisonArgs,

    /// Fail with exit code 4 if the advisory database is older, such as 48h
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, env = "CLEANBILL_MAX_DB_AGE")]
    pub(crate) max_db_age: Option<Duration>,
}

/// Whether what failed is tried again.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Retries")]
pub(crate) struct RetryArgs {
    /// Try a failed image again so often, where the network or the engine failed; never where
    /// trying again cannot help
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        value_parser = clap::value_parser!(u32).range(0..=20),
        env = "CLEANBILL_RETRIES"
    )]
    pub(crate) retries: u32,

    /// Pause before the first retry; it doubles with each further one, up to a minute
    /// [default: 2s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, env = "CLEANBILL_RETRY_DELAY")]
    pub(crate) retry_delay: Option<Duration>,
}

/// Checks the address of an engine, which is kept as it is.
fn parse_engine_address(text: &str) -> Result<String, String> {
    match Endpoint::parse(text, None) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.reason),
    }
}

/// Parses a number from 0 to 1.
fn parse_probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1, such as 0.1".to_owned()),
    }
}
