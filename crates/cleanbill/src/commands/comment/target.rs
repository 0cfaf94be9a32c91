//! Which pull request, at which server, with whose token: from flags, else from what the pipeline's
//! system says.

#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::path::Path;

use cleanbill_image::Secret;
use cleanbill_image::http::{ApiClient, ApiCredential};
use serde_json::Value;

use super::forge::{Bitbucket, DataCenter, Forge, GitHub, GitLab};
use crate::api;
use crate::cli::{CommentArgs, ForgeName};
use crate::environment::Environment;
use crate::error::CommandError;

/// Bytes of GitHub's file on an event; GitHub sends at most 25 MB.
const EVENT_SIZE_BYTES_MAX: u64 = 32 << 20;

/// Is a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    forge: ForgeName,
    /// The address of the API.
    api_url: String,
    /// `OWNER/NAME`, or what GitLab knows the project by.
    repository: String,
    number: u64,
}

impl Target {
    /// Finds the pull request; `None` if the run belongs to none.
    ///
    /// # Errors
    ///
    /// A flag or a variable makes no sense, or the repository is not known.
    pub(super) fn of(
        forge: ForgeName,
        arguments: &CommentArgs,
        environment: &Environment,
    ) -> Result<Option<Self>, CommandError> {
        let number = match arguments.pull_request {
            Some(number) => Some(number),
            None => number(forge, environment)?,
        };
        let Some(number) = number else {
            return Ok(None);
        };
        let repository = match &arguments.repository {
            Some(repository) => repository.clone(),
            None => repository(forge, environment).ok_or_else(|| {
                CommandError::usage_text("the repository is not known")
                    .hint(format!("--repository NAME, or {}", needs(forge)))
            })?,
        };
        if forge != ForgeName::GitLab && pair(&repository).is_none() {
            return Err(CommandError::usage_text(format!(
                "'{repository}' is no repository: expected OWNER/NAME"
            )));
        }
        let api_url = arguments.api_url.clone();
        Ok(Some(Self {
            forge,
            api_url: api_url.unwrap_or_else(|| usual_api_url(forge, environment)),
            repository,
            number,
        }))
    }

    /// Returns what knows how to speak of it.
    pub(super) fn forge(&self) -> Box<dyn Forge> {
        let number = self.number;
        let (owner, name) = pair(&self.repository).unwrap_or_default();
        match self.forge {
            ForgeName::GitHub => Box::new(GitHub {
                owner,
                name,
                number,
            }),
            ForgeName::GitLab => Box::new(GitLab {
                project: self.repository.clone(),
                number,
            }),
            ForgeName::Bitbucket if self.is_data_center() => Box::new(DataCenter {
                project: owner,
                name,
                number,
            }),
            ForgeName::Bitbucket => Box::new(Bitbucket {
                workspace: owner,
                name,
                number,
            }),
        }
    }

    /// Returns a client that has the token.
    ///
    /// # Errors
    ///
    /// There is no token, or the address makes no sense.
    pub(super) fn client(
        &self,
        arguments: &CommentArgs,
        environment: &Environment,
    ) -> Result<ApiClient, CommandError> {
        let credential = match &arguments.token_file {
            Some(file) => self.with_token(api::read_secret(file)?),
            None => self.credential(environment).ok_or_else(|| {
                let variable = match self.forge {
                    ForgeName::GitHub => "GITHUB_TOKEN",
                    ForgeName::GitLab => "GITLAB_TOKEN (scope api)",
                    ForgeName::Bitbucket => "BITBUCKET_TOKEN",
                };
                CommandError::usage_text("there is no token to write the comment with")
                    .hint(format!("set {variable}, or name a file with --token-file"))
            })?,
        };
        let options = api::http_options(&arguments.api, environment);
        let may_be_plain = arguments.api.allow_plain_http;
        ApiClient::new(options, &self.api_url, credential, may_be_plain).map_err(|error| {
            CommandError::usage(error)
                .hint("--api-url is the address of the API, see docs/comment.md")
        })
    }

    /// Names it for people.
    pub(super) fn words(&self) -> String {
        let sign = match self.forge {
            ForgeName::GitLab => '!',
            _ => '#',
        };
        let text = format!("{}{sign}{}", self.repository, self.number);
        cleanbill_report::text::clean(&text).into_owned()
    }

    fn is_data_center(&self) -> bool {
        self.api_url.contains("/rest/api/")
    }

    fn with_token(&self, token: Secret) -> ApiCredential {
        match self.forge {
            ForgeName::GitLab => ApiCredential::Header("private-token", token),
            _ => ApiCredential::Bearer(token),
        }
    }

    fn credential(&self, environment: &Environment) -> Option<ApiCredential> {
        let secret = |name| environment.get(name).map(Secret::new);
        match self.forge {
            ForgeName::GitHub => secret("GITHUB_TOKEN")
                .or_else(|| secret("GH_TOKEN"))
                .map(|token| self.with_token(token)),
            ForgeName::GitLab => {
                let own = secret("GITLAB_TOKEN").map(|token| self.with_token(token));
                let of_job = || secret("CI_JOB_TOKEN");
                own.or_else(|| Some(ApiCredential::Header("job-token", of_job()?)))
            }
            ForgeName::Bitbucket => {
                let token = secret("BITBUCKET_TOKEN").map(|token| self.with_token(token));
                token.or_else(|| {
                    let user = environment.get("BITBUCKET_USERNAME")?;
                    let password = secret("BITBUCKET_APP_PASSWORD")?;
                    Some(ApiCredential::Basic(user.to_owned(), password))
                })
            }
        }
    }
}

fn usual_api_url(forge: ForgeName, environment: &Environment) -> String {
    let (variable, usual) = match forge {
        ForgeName::GitHub => ("GITHUB_API_URL", "https://api.github.com"),
        ForgeName::GitLab => ("CI_API_V4_URL", "https://gitlab.com/api/v4"),
        ForgeName::Bitbucket => ("BITBUCKET_API_URL", "https://api.bitbucket.org/2.0"),
    };
    environment.get(variable).unwrap_or(usual).to_owned()
}

fn needs(forge: ForgeName) -> &'static str {
    match forge {
        ForgeName::GitHub => "GITHUB_REPOSITORY",
        ForgeName::GitLab => "CI_PROJECT_ID",
        ForgeName::Bitbucket => "BITBUCKET_WORKSPACE and BITBUCKET_REPO_SLUG",
    }
}

fn repository(forge: ForgeName, environment: &Environment) -> Option<String> {
    let get = |name| environment.get(name).map(str::to_owned);
    match forge {
        ForgeName::GitHub => get("GITHUB_REPOSITORY"),
        ForgeName::GitLab => get("CI_MERGE_REQUEST_PROJECT_ID").or_else(|| get("CI_PROJECT_ID")),
        ForgeName::Bitbucket => {
            let workspace = environment.get("BITBUCKET_WORKSPACE");
            let name = environment.get("BITBUCKET_REPO_SLUG");
            let both = workspace.zip(name);
            both.map(|(workspace, name)| format!("{workspace}/{name}"))
                .or_else(|| get("BITBUCKET_REPO_FULL_NAME"))
        }
    }
}

fn number(forge: ForgeName, environment: &Environment) -> Result<Option<u64>, CommandError> {
    let variable = match forge {
        ForgeName::GitHub => return number_of_github(environment),
        ForgeName::GitLab => "CI_MERGE_REQUEST_IID",
        ForgeName::Bitbucket => "BITBUCKET_PR_ID",
    };
    let Some(text) = environment.get(variable) else {
        return Ok(None);
    };
    let number = text.parse().map_err(|_| {
        CommandError::usage_text(format!(
            "{variable} '{text}' is no number of a pull request"
        ))
    })?;
    Ok(Some(number))
}

/// Returns the number of the pull request that a workflow runs for. The event is asked first: the
/// reference of an event such as `pull_request_target` is that of the branch.
fn number_of_github(environment: &Environment) -> Result<Option<u64>, CommandError> {
    if let Some(path) = environment.path("GITHUB_EVENT_PATH")
        && let Some(number) = number_of_event(&path)
    {
        return Ok(Some(number));
    }
    let reference = environment.get("GITHUB_REF").unwrap_or_default();
    let number = reference.strip_prefix("refs/pull/");
    let number = number.and_then(|rest| rest.split('/').next()?.parse().ok());
    Ok(number)
}

/// Reads GitHub's file on the event; `None` if it is about no pull request, or cannot be read.
fn number_of_event(path: &Path) -> Option<u64> {
    let file = std::fs::File::open(path).ok()?;
    let mut text = String::new();
    file.take(EVENT_SIZE_BYTES_MAX)
        .read_to_string(&mut text)
        .ok()?;
    let event: Value = serde_json::from_str(&text).ok()?;
    let of_pull_request = event.pointer("/pull_request/number");
    // A comment on a pull request is an event of an issue.
    let is_pull_request = event.pointer("/issue/pull_request").is_some();
    let of_issue = || event.pointer("/issue/number").filter(|_| is_pull_request);
    let of_run = || event.pointer("/workflow_run/pull_requests/0/number");
    of_pull_request
        .or_else(of_issue)
        .or_else(of_run)
        .and_then(Value::as_u64)
}

fn pair(repository: &str) -> Option<(String, String)> {
    let (owner, name) = repository.split_once('/')?;
    let is_plain = |part: &str| !part.is_empty() && !part.contains('/') && part != "..";
    (is_plain(owner) && is_plain(name)).then(|| (owner.to_owned(), name.to_owned()))
}
