//! Flags about registries and other servers, in groups as commands need them.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

/// How registries are reached, for commands that read images.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Registries")]
pub(crate) struct RegistryArgs {
    #[command(flatten)]
    pub(crate) password: PasswordArgs,

    /// Bearer token for the registry, sent as it is; better given by the environment
    #[arg(
        long,
        value_name = "TOKEN",
        env = "CLEANBILL_REGISTRY_TOKEN",
        hide_env_values = true,
        conflicts_with = "registry_username"
    )]
    pub(crate) registry_token: Option<String>,

    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// Who asks a registry.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Registries")]
pub(crate) struct PasswordArgs {
    /// User name for the registry
    #[arg(
        long,
        value_name = "NAME",
        visible_alias = "username",
        env = "CLEANBILL_REGISTRY_USERNAME"
    )]
    pub(crate) registry_username: Option<String>,

    /// Password or token; better given by the environment or on standard input
    #[arg(
        long,
        value_name = "SECRET",
        alias = "password",
        env = "CLEANBILL_REGISTRY_PASSWORD",
        hide_env_values = true,
        hide = true
    )]
    pub(crate) registry_password: Option<String>,

    /// Read the password or token from standard input
    #[arg(
        long,
        visible_alias = "password-stdin",
        conflicts_with = "registry_password"
    )]
    pub(crate) registry_password_stdin: bool,
}

/// How any server is reached, if at all.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Registry that may be reached by plain HTTP or with an unverified certificate (repeatable)
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        env = "CLEANBILL_INSECURE_REGISTRY"
    )]
    pub(crate) insecure_registry: Vec<String>,

    /// File with certificates of authorities to trust besides the system's (PEM; repeatable)
    #[arg(long, value_name = "FILE", env = "CLEANBILL_CA_CERT")]
    pub(crate) ca_cert: Vec<PathBuf>,

    /// Open no connection to any network
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, hide_possible_values = true, value_parser = BoolishValueParser::new(), env = "CLEANBILL_OFFLINE")]
    pub(crate) offline: bool,
}
