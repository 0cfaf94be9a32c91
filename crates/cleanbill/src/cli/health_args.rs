//! Flags of `health`.

use std::time::Duration;

use clap::Args;

use super::parse_duration;
use super::status_args::{Reader, SettingArgs};

/// Reads where a running `watch` left its address.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HealthReading;

impl Reader for HealthReading {
    const COMMAND: &'static str = "health";
}

/// Flags of `health`.

#[derive(Args, Debug)]
pub(crate) struct HealthArgs {
    /// Address to ask, such as http://127.0.0.1:9871
    /// [default: the one that a running watch left in its state directory, else metrics.listen]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Ask whether it is ready, not only whether it is alive
    #[arg(long)]
    pub(crate) ready: bool,

    /// Give up after so long
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) settings: SettingArgs<HealthReading>,
}
