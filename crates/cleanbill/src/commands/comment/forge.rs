//! Code hosts: how each lists, makes, changes and removes comments. Pure: what is asked and what
//! an answer means; nothing here opens a connection.

mod bitbucket;
mod data_center;
mod github;
mod gitlab;

use cleanbill_image::http::{ApiAnswer, ApiClient, ApiMethod};
use cleanbill_report::text::clean;
use serde::de::DeserializeOwned;
use url::Url;

pub(super) use bitbucket::Bitbucket;
pub(super) use data_center::DataCenter;
pub(super) use github::GitHub;
pub(super) use gitlab::GitLab;

/// Characters of an address that errors show.
const LINK_CHARS_MAX: usize = 200;

/// Knows one kind of code host.
pub(super) trait Forge {
    /// Returns headers that every request has.
    fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Returns the address that says who we are; `None` if there is none.
    fn who(&self, client: &ApiClient) -> Option<Url>;

    /// Reads who we are from its answer.
    fn name_of(&self, answer: &ApiAnswer) -> Option<String>;

    /// Returns the address of the first page of comments, oldest first where the host can.
    fn first_page(&self, client: &ApiClient) -> Url;

    /// Reads a page.
    ///
    /// # Errors
    ///
    /// It is no page of comments.
    fn page(&self, client: &ApiClient, answer: &ApiAnswer) -> Result<CommentPage, NoPage>;

    /// Describes the request that makes a comment.
    fn create(&self, client: &ApiClient, body: &str) -> Writing;

    /// Describes the request that changes a comment.
    fn update(&self, client: &ApiClient, found: &FoundComment, body: &str) -> Writing;

    /// Describes the request that removes a comment.
    fn remove(&self, client: &ApiClient, found: &FoundComment) -> Writing;
}

/// Is a page of comments.
#[derive(Debug, Default)]
pub(super) struct CommentPage {
    pub(super) comments: Vec<FoundComment>,
    pub(super) next: Option<Url>,
}

/// Is a comment that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FoundComment {
    pub(super) id: u64,
    /// Who wrote it; empty if nobody says.
    pub(super) author: String,
    /// A program wrote it; `None` if nobody says.
    pub(super) is_by_program: Option<bool>,
    /// What has to be named when it is changed, where the host wants that.
    pub(super) version: u64,
    pub(super) body: String,
}

/// Describes a request that writes.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) method: ApiMethod,
    pub(super) url: Url,
    /// The body as JSON; empty for none.
    pub(super) json: String,
}

/// Says that an answer is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPage {
    /// It is something else.
    #[error("the answer is no list of comments")]
    NoList(#[from] serde_json::Error),
    /// The next page is said to be where our token does not go. To stop there would mean not to
    /// find our comment, and to write a second one.
    #[error("the next page of comments is said to be at {0}, which is another server")]
    Elsewhere(String),
}

fn parse<T: DeserializeOwned>(answer: &ApiAnswer) -> Result<T, serde_json::Error> {
    serde_json::from_str(&answer.body)
}

/// Returns the next page that the header `Link` names.
///
/// Source: RFC 8288 section 3.
fn next_of_link(client: &ApiClient, answer: &ApiAnswer) -> Result<Option<Url>, NoPage> {
    let links = answer.header("link").unwrap_or_default();
    let next = links.split(',').find_map(|link| {
        let (target, parameters) = link.split_once(';')?;
        let is_next = parameters
            .split(';')
            .any(|one| matches!(one.trim(), "rel=\"next\"" | "rel=next"));
        let target = target.trim().strip_prefix('<')?.strip_suffix('>')?;
        is_next.then_some(target)
    });
    next.map(|next| same_server(client, next)).transpose()
}

/// Returns the address of a page on the same server.
fn same_server(client: &ApiClient, link: &str) -> Result<Url, NoPage> {
    let elsewhere = || NoPage::Elsewhere(clean(link).chars().take(LINK_CHARS_MAX).collect());
    client.link(link).ok_or_else(elsewhere)
}

fn with_query(mut url: Url, pairs: &[(&str, &str)]) -> Url {
    url.query_pairs_mut().extend_pairs(pairs);
    url
}
