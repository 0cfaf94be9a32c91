//! Flags of `comment`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ApiArgs, JudgingArgs};

#[derive(Args, Debug)]
pub(crate) struct CommentArgs {
    /// Code host whose pull request is commented on; everything else comes from the environment of
    /// its pipelines unless a flag says it
    #[arg(value_enum, required_unless_present = "markdown")]
    pub(crate) forge: Option<ForgeName>,

    /// Saved reports (repeatable); - is standard input
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) scan_results: Vec<PathBuf>,

    /// Saved reports on the target branch: what is new and what is fixed is told (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) compare_to: Vec<PathBuf>,

    /// Tells apart the comments of several pipelines: each key has one
    #[arg(long, value_name = "KEY", default_value = "default", value_parser = parse_key)]
    pub(crate) key: String,

    /// Print the body, and speak with no code host
    #[arg(long)]
    pub(crate) markdown: bool,

    /// Find the comment and say what would be done; write nothing
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) dry_run: bool,

    /// Address of the full report [default: none; the run is linked]
    #[arg(long, value_name = "URL")]
    pub(crate) report_url: Option<String>,

    /// Address of the API, for servers of your own: https://HOST/api/v3 (GitHub),
    /// https://HOST/api/v4 (GitLab), https://HOST/rest/api/1.0 (Bitbucket Data Center)
    #[arg(long, value_name = "URL", env = "CLEANBILL_API_URL")]
    pub(crate) api_url: Option<String>,

    /// Repository: OWNER/NAME, the number or path of a GitLab project, WORKSPACE/NAME or
    /// PROJECT/NAME at Bitbucket
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: Option<String>,

    /// Number of the pull request
    #[arg(long, value_name = "N")]
    pub(crate) pull_request: Option<u64>,

    /// File with the token [default: GITHUB_TOKEN; GITLAB_TOKEN or CI_JOB_TOKEN; BITBUCKET_TOKEN,
    /// or BITBUCKET_USERNAME with BITBUCKET_APP_PASSWORD]
    #[arg(long, value_name = "FILE", env = "CLEANBILL_COMMENT_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) judging: JudgingArgs,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// Code hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForgeName {
    #[value(name = "github")]
    GitHub,
    #[value(name = "gitlab")]
    GitLab,
    Bitbucket,
}

fn parse_key(text: &str) -> Result<String, String> {
    match cleanbill_report::is_comment_key(text) {
        true => Ok(text.to_owned()),
        false => Err("expected 1 to 100 letters, digits and . _ / - (not twice)".to_owned()),
    }
}
