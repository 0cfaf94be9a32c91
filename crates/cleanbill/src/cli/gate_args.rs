//! Flags of `gate`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use cleanbill_policy::gate_file::parse_exit_code;

/// What is judged, by which rules, and where the verdict goes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct GateArgs {
    /// Saved reports: in our json, or in Trivy's; - is standard input
    #[arg(value_name = "FILE", required_unless_present = "scan_results")]
    pub(crate) files: Vec<PathBuf>,

    /// The same as FILE (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) scan_results: Vec<PathBuf>,

    /// Rules: our YAML with `version: 1`, or the trivy-config.yaml of older pipelines
    #[arg(
        long,
        value_name = "FILE",
        alias = "policy",
        env = "CLEANBILL_POLICY",
        help_heading = "Rules"
    )]
    pub(crate) config: Option<PathBuf>,

    /// Fail if there are more findings than allowed: critical=0,high=5,total=20,kev=0; goes before
    /// the thresholds of the file
    #[arg(
        long,
        value_name = "THRESHOLDS",
        env = "CLEANBILL_FAIL_ON",
        help_heading = "Rules"
    )]
    pub(crate) fail_on: Option<String>,

    /// Exit with this code if a rule failed: 1, or 5 to 255
    #[arg(
        long,
        value_name = "N",
        value_parser = parse_exit_code,
        env = "CLEANBILL_EXIT_CODE",
        help_heading = "Rules"
    )]
    pub(crate) exit_code: Option<u8>,

    #[command(flatten)]
    pub(crate) comparison: GateComparisonArgs,

    /// Accepted vulnerabilities, exceptions.yaml (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) exceptions: Vec<PathBuf>,

    /// Format of the verdict: text, json, junit, github (annotations), markdown
    #[arg(
        long,
        short,
        value_name = "FORMAT",
        visible_alias = "output-format",
        help_heading = "Output"
    )]
    pub(crate) format: Option<String>,

    /// Write the verdict to a file instead of standard output; FORMAT=FILE writes that format
    /// (repeatable)
    #[arg(
        long,
        short,
        value_name = "FILE",
        visible_alias = "output-file",
        help_heading = "Output"
    )]
    pub(crate) output: Vec<String>,

    /// Append the verdict as Markdown to the file that GITHUB_STEP_SUMMARY names
    #[arg(long, value_parser = BoolishValueParser::new(), help_heading = "Output")]
    pub(crate) step_summary: bool,
}

const AFTER_HELP: &str = "\
Exit codes: 0 passed; 1 a rule failed (--exit-code); 2 usage, rules or a file that cannot be read,
or a rule that the report cannot answer; 3 an image was not assessed completely; 4 the advisory
database is older than max_db_age.";

/// What was there before.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Rules")]
pub(crate) struct GateComparisonArgs {
    /// Count only findings that are not in this file: a baseline of the older scanner, or a saved
    /// report (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Vec<PathBuf>,

    /// Count only what is new against another image, which is scanned, or against a saved report:
    /// fail on nothing but what this change brings
    #[arg(long, value_name = "IMAGE|REPORT")]
    pub(crate) compare_to: Option<String>,
}
