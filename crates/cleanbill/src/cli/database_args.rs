//! Flags about the advisory database, in groups as commands need them.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

/// Which advisory database is used, for commands that judge.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Advisory database")]
pub(crate) struct DatabaseArgs {
    #[command(flatten)]
    pub(crate) place: DatabasePlaceArgs,
    #[command(flatten)]
    pub(crate) repositories: RepositoryArgs,

    /// Use the advisory database that is there, however old
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, hide_possible_values = true, value_parser = BoolishValueParser::new(), env = "CLEANBILL_SKIP_DB_UPDATE")]
    pub(crate) skip_db_update: bool,

    /// Use the Java index that is there, however old
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, hide_possible_values = true, value_parser = BoolishValueParser::new(), env = "CLEANBILL_SKIP_JAVA_DB_UPDATE")]
    pub(crate) skip_java_db_update: bool,
}

/// Where the database lies.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Advisory database")]
pub(crate) struct DatabasePlaceArgs {
    /// Directory of the advisory database: with trivy.db, or a Trivy cache directory
    /// [default: db in the cache directory]
    #[arg(long, value_name = "DIR", env = "CLEANBILL_DB_PATH")]
    pub(crate) db_path: Option<PathBuf>,
}

/// Where databases are fetched from.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Advisory database")]
pub(crate) struct RepositoryArgs {
    /// Repositories of the advisory database, tried in order (repeatable)
    /// [default: mirror.gcr.io/aquasec/trivy-db:2, ghcr.io/aquasecurity/trivy-db:2]
    #[arg(
        long,
        value_name = "REPOSITORY",
        value_delimiter = ',',
        env = "CLEANBILL_DB_REPOSITORY"
    )]
    pub(crate) db_repository: Vec<String>,

    /// Repositories of the Java index, tried in order (repeatable)
    /// [default: mirror.gcr.io/aquasec/trivy-java-db:1, ghcr.io/aquasecurity/trivy-java-db:1]
    #[arg(
        long,
        value_name = "REPOSITORY",
        value_delimiter = ',',
        env = "CLEANBILL_JAVA_DB_REPOSITORY"
    )]
    pub(crate) java_db_repository: Vec<String>,
}

/// Where the lists of exploited vulnerabilities are fetched from.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Advisory database")]
pub(crate) struct ListArgs {
    /// Address of the EPSS scores for --with epss
    /// [default: https://epss.empiricalsecurity.com/epss_scores-current.csv.gz]
    #[arg(long, value_name = "URL", env = "CLEANBILL_EPSS_URL")]
    pub(crate) epss_url: Option<String>,

    /// Address of the KEV catalogue for --with kev [default: that of CISA]
    #[arg(long, value_name = "URL", env = "CLEANBILL_KEV_URL")]
    pub(crate) kev_url: Option<String>,
}
