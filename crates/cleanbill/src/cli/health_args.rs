//! Flags of `health`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::parse_duration;

#[derive(Args, Debug)]
pub(crate) struct HealthArgs {
    /// Address to ask, such as http://127.0.0.1:9871
    /// [default: metrics.listen of the settings of watch]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Ask whether it is ready, not only whether it is alive
    #[arg(long)]
    pub(crate) ready: bool,

    /// Give up after so long
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,

    /// Configuration file [default: $XDG_CONFIG_HOME/cleanbill/config.yaml, else
    /// /etc/cleanbill/config.yaml]
    #[arg(long, value_name = "FILE", env = "CLEANBILL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}
