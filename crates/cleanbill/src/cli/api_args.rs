//! Flags of commands that speak with the API of a server, and of those that tell others what a gate
//! says.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::parse_duration;

/// How the server is reached.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub(crate) struct ApiArgs {
    /// Give up after so long, all attempts together
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,

    /// Send the password or token also to an http:// address that is not of this host
    #[arg(long, env = "CLEANBILL_ALLOW_PLAIN_HTTP", value_parser = BoolishValueParser::new())]
    pub(crate) allow_plain_http: bool,

    /// File with certificates of authorities to trust besides the system's (PEM; repeatable)
    #[arg(long, value_name = "FILE", env = "CLEANBILL_CA_CERT")]
    pub(crate) ca_cert: Vec<PathBuf>,

    /// Open no connection to any network
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, hide_possible_values = true, value_parser = BoolishValueParser::new(), env = "CLEANBILL_OFFLINE")]
    pub(crate) offline: bool,
}

/// What a gate says of the reports. Without a verdict, rules or thresholds nothing judges them.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Gate")]
pub(crate) struct JudgingArgs {
    /// Take the verdict from this file, which gate -f json wrote
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policy", "fail_on"])]
    pub(crate) verdict: Option<PathBuf>,

    /// Judge by these rules, as gate --config does
    #[arg(long, value_name = "FILE", env = "CLEANBILL_POLICY")]
    pub(crate) policy: Option<PathBuf>,

    /// Judge by these thresholds, as gate --fail-on does: critical=0,high=5,kev=0
    #[arg(long, value_name = "THRESHOLDS", env = "CLEANBILL_FAIL_ON")]
    pub(crate) fail_on: Option<String>,

    /// Accepted vulnerabilities, exceptions.yaml, as gate --exceptions takes them: what they cover
    /// does not count (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) exceptions: Vec<PathBuf>,
}

impl JudgingArgs {
    /// Says whether anything judges the reports.
    pub(crate) fn names_a_gate(&self) -> bool {
        self.verdict.is_some() || self.policy.is_some() || self.fail_on.is_some()
    }
}
