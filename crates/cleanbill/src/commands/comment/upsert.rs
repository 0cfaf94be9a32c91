//! Finds our comment and writes it, or makes one.
//!
//! Others write at the same time: a comment that was found may be gone when it is changed, two
//! runs may have made one each, and an answer may be lost after the comment was made. So whenever
//! a write does not end well, everything is looked at again before anything more is written.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};

use cleanbill_core::error_chain;
use cleanbill_image::ReadContext;
use cleanbill_image::http::{ApiAnswer, ApiClient, ApiMethod, ApiRequest, HttpError, PostClient};

use super::forge::{Forge, FoundComment, NoPage, Writing};
use crate::api;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::stop;

/// Pages of comments that are read: 10,000 comments.
const PAGES_MAX: usize = 100;

/// How often somebody else may be the quicker one. What fails is tried until the time is up.
const CONTENTIONS_MAX: u32 = 4;

/// The longest pause before everything is looked at again.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Says why the comment was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommentError {
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The answer is not that of success.
    #[error("{place} answered {status}{text}")]
    Refused {
        /// The server.
        place: String,
        /// The status.
        status: u16,
        /// What it says, with what goes in front of it; may be empty.
        text: String,
        /// What to do about it; may be empty.
        advice: &'static str,
    },
    /// The answer is something else than asked for.
    #[error("{place} does not answer as its API does")]
    Foreign {
        /// The server.
        place: String,
        /// What is wrong.
        #[source]
        source: NoPage,
    },
    /// There are more comments than anybody writes.
    #[error("the pull request has more than {} pages of comments", PAGES_MAX)]
    TooMany,
    /// Whatever was found was changed by somebody else meanwhile.
    #[error("the comment was changed by others each time that it was to be written")]
    Contended,
}

/// Wraps an error for the command.
pub(super) fn failure(error: CommentError) -> CommandError {
    let advice = match &error {
        CommentError::Refused { advice, .. } => *advice,
        CommentError::Foreign {
            source: NoPage::Elsewhere(_),
            ..
        } => "name the address that the server calls itself by with --api-url",
        CommentError::Foreign { .. } => {
            "is --api-url the address of the API, and not that of its pages?"
        }
        CommentError::TooMany => "--markdown prints the body, for those who post it themselves",
        CommentError::Contended => "run it again; every pipeline needs a --key of its own",
        CommentError::Http(_) => "",
    };
    let wrapped = CommandError::with_exit(Exit::Incomplete, error);
    match advice {
        "" => wrapped,
        advice => wrapped.hint(advice),
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Created,
    Updated,
}

/// What would be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Create,
    Update(u64),
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Plan::Create => f.write_str("--- a comment would be created"),
            Plan::Update(id) => write!(f, "--- comment {id} would be updated"),
        }
    }
}

/// Speaks with a code host about one comment.
pub(super) struct Session<'a> {
    pub(super) client: ApiClient,
    pub(super) forge: &'a dyn Forge,
    pub(super) marker: String,
    pub(super) deadline: Instant,
    /// How long to wait before everything is looked at again; it doubles each time.
    pub(super) pause: Duration,
    pub(super) context: ReadContext,
}

impl Session<'_> {
    /// Says what would be written.
    ///
    /// # Errors
    ///
    /// The comments cannot be listed.
    pub(super) fn plan(&self) -> Result<Plan, CommentError> {
        let ours = self.ours(&HashSet::new())?;
        Ok(ours
            .first()
            .map_or(Plan::Create, |found| Plan::Update(found.id)))
    }

    /// Writes the comment. Of several of ours the oldest is kept, the others are removed.
    ///
    /// # Errors
    ///
    /// It is not written, or nobody knows.
    pub(super) fn write(&self, body: &str) -> Result<Done, CommentError> {
        // Comments that look like ours and are not: changing them is forbidden.
        let mut foreign = HashSet::new();
        let mut last = CommentError::Contended;
        let mut contentions = 0;
        for round in 0_u32.. {
            if contentions >= CONTENTIONS_MAX || round > 0 && !self.wait(round) {
                break;
            }
            let ours = self.ours(&foreign)?;
            let (writing, found) = match ours.first() {
                Some(found) => (self.forge.update(&self.client, found, body), Some(found)),
                None => (self.forge.create(&self.client, body), None),
            };
            let answer = match self.send(&writing) {
                Ok(answer) => answer,
                // It may have arrived all the same.
                Err(CommentError::Http(error)) if PostClient::is_temporary(&error) => {
                    last = CommentError::Http(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            match (answer.status, found) {
                (200..=299, found) => {
                    self.remove(ours.get(1..).unwrap_or_default());
                    return Ok(match found {
                        Some(_) => Done::Updated,
                        None => Done::Created,
                    });
                }
                // Somebody removed it, or wrote to it.
                (404 | 409 | 410, Some(_)) => contentions += 1,
                (401 | 403, Some(found)) if answer.pause_wanted.is_none() => {
                    contentions += 1;
                    foreign.insert(found.id);
                }
                (500..=599, _) => last = self.refused(&answer),
                _ => return Err(self.refused(&answer)),
            }
        }
        Err(last)
    }

    /// Lists our comments, oldest first.
    fn ours(&self, foreign: &HashSet<u64>) -> Result<Vec<FoundComment>, CommentError> {
        let mut ours = Vec::new();
        let mut next = Some(self.forge.first_page(&self.client));
        for _ in 0..PAGES_MAX {
            let Some(url) = next.take() else { break };
            let answer = self.get(url)?;
            if !answer.is_success() {
                return Err(self.refused(&answer));
            }
            let page =
                self.forge
                    .page(&self.client, &answer)
                    .map_err(|source| CommentError::Foreign {
                        place: self.client.place(),
                        source,
                    })?;
            let marked = page.comments.into_iter().filter(|comment| {
                let first = comment.body.lines().next().unwrap_or_default();
                first.trim() == self.marker && !foreign.contains(&comment.id)
            });
            ours.extend(marked);
            next = page.next;
        }
        if next.is_some() {
            return Err(CommentError::TooMany);
        }
        self.keep_own(&mut ours)?;
        ours.sort_by_key(|comment| comment.id);
        Ok(ours)
    }

    /// Drops comments that others wrote with our marker in front: who may change anybody's comment
    /// would put words into their mouths.
    fn keep_own(&self, marked: &mut Vec<FoundComment>) -> Result<(), CommentError> {
        if marked.is_empty() {
            return Ok(());
        }
        let Some(url) = self.forge.who(&self.client) else {
            return Ok(());
        };
        let answer = self.get(url)?;
        let name = answer.is_success().then(|| self.forge.name_of(&answer));
        match name.flatten().filter(|name| !name.is_empty()) {
            Some(name) => marked.retain(|comment| comment.author == name),
            // A token that belongs to nobody is that of a program.
            None => marked.retain(|comment| comment.is_by_program != Some(false)),
        }
        Ok(())
    }

    /// Removes what another run made at the same time. It does not matter if that fails: the next
    /// run finds it again.
    fn remove(&self, others: &[FoundComment]) {
        for comment in others {
            let removed = self.send(&self.forge.remove(&self.client, comment));
            let why = match removed {
                Ok(answer) if answer.is_success() || answer.status == 404 => continue,
                Ok(answer) => format!("answered {}", answer.status),
                Err(error) => error_chain(&error),
            };
            tracing::warn!("comment {} is a second one and stays: {why}", comment.id);
        }
    }

    fn get(&self, url: url::Url) -> Result<ApiAnswer, CommentError> {
        self.send(&Writing {
            method: ApiMethod::Get,
            url,
            json: String::new(),
        })
    }

    fn send(&self, writing: &Writing) -> Result<ApiAnswer, CommentError> {
        let mut headers = self.forge.headers();
        if !headers.iter().any(|(name, _)| *name == "accept") {
            headers.push(("accept", "application/json".to_owned()));
        }
        if !writing.json.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        let request = ApiRequest {
            method: writing.method,
            url: writing.url.clone(),
            headers,
            body: writing.json.clone().into_bytes(),
            // A second comment would be one too many.
            is_repeatable: writing.method != ApiMethod::Post,
        };
        Ok(self.client.send(&request, self.deadline, &self.context)?)
    }

    /// Waits before a further round. Returns whether there is time for one.
    fn wait(&self, round: u32) -> bool {
        let doublings = round.saturating_sub(1).min(8);
        let pause = self.pause.saturating_mul(1 << doublings).min(PAUSE_MAX);
        let left = self.deadline.saturating_duration_since(Instant::now());
        pause < left && stop::sleep(pause)
    }

    fn refused(&self, answer: &ApiAnswer) -> CommentError {
        CommentError::Refused {
            place: self.client.place(),
            status: answer.status,
            text: said(answer),
            advice: advice(answer),
        }
    }
}

fn advice(answer: &ApiAnswer) -> &'static str {
    match answer.status {
        _ if answer.pause_wanted.is_some() => {
            "too many requests were made with this token; wait, or give more time with --timeout"
        }
        401 => "is the token right, and has it not expired?",
        403 => {
            "may the token write comments (GitHub: permissions: pull-requests: write; GitLab: scope \
             api; Bitbucket: pullrequest:write)? A pull request from a fork gets a token that may not"
        }
        404 => "is the repository, the pull request and the address of the API (--api-url) right?",
        300..=399 => "it redirects, which is not followed: name its right address with --api-url",
        _ => "",
    }
}

/// Returns how long an answer wants to be left alone and what it says, with colons in front.
fn said(answer: &ApiAnswer) -> String {
    let pause = answer
        .pause_wanted
        .map(|pause| format!(": it wants to be asked again in {} s", pause.as_secs()))
        .unwrap_or_default();
    pause + &api::said(answer)
}
