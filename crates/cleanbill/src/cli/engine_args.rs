//! Flags that choose what finds vulnerabilities.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

/// Which engine finds vulnerabilities.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Engine")]
pub(crate) struct EngineArgs {
    /// Engine that finds vulnerabilities: native, or trivy, which runs an installed Trivy
    #[arg(long, value_name = "ENGINE", default_value = "native", value_parser = ["native", "trivy"], hide_possible_values = true, env = "CLEANBILL_ENGINE")]
    pub(crate) engine: String,

    /// Run both engines and print what they do not agree on, in place of the report; exit code 1
    /// if there is anything
    #[arg(long, env = "CLEANBILL_COMPARE_ENGINES", value_parser = BoolishValueParser::new(), conflicts_with = "engine")]
    pub(crate) compare_engines: bool,

    /// Trivy's program [default: trivy on the search path]
    #[arg(long, value_name = "FILE", env = "CLEANBILL_TRIVY_PATH")]
    pub(crate) trivy_path: Option<PathBuf>,

    /// More flags for Trivy, as in a shell: --trivy-args '--scanners vuln,secret'
    #[arg(
        long,
        value_name = "FLAGS",
        allow_hyphen_values = true,
        env = "CLEANBILL_TRIVY_ARGS"
    )]
    pub(crate) trivy_args: Option<String>,

    /// The setting that asks for Trivy, where it is none of these flags.
    #[arg(skip)]
    pub(crate) trivy_asked_by: Option<String>,
}

impl EngineArgs {
    /// Says whether Trivy is run.
    pub(crate) fn runs_trivy(&self) -> bool {
        self.compare_engines || self.engine == "trivy"
    }
}
