//! Bitbucket Data Center.
//!
//! Source: Bitbucket Data Center REST API 1.0, "Pull Requests": comments are listed among the
//! activities, and changed by their version.

use cleanbill_image::http::{ApiAnswer, ApiClient, ApiMethod};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{CommentPage, Forge, FoundComment, NoPage, Writing, parse, with_query};

/// A pull request at Bitbucket Data Center.
#[derive(Clone, Debug)]
pub(in crate::commands::comment) struct DataCenter {
    pub(in crate::commands::comment) project: String,
    pub(in crate::commands::comment) name: String,
    pub(in crate::commands::comment) number: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    values: Vec<Activity>,
    #[serde(default)]
    is_last_page: bool,
    next_page_start: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Activity {
    #[serde(default)]
    action: String,
    #[serde(default)]
    comment_action: String,
    comment: Option<Comment>,
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    #[serde(default)]
    version: u64,
    #[serde(default)]
    text: String,
    author: Option<User>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    name: String,
}

impl DataCenter {
    fn pull_request(&self, client: &ApiClient, rest: &[&str]) -> Url {
        let number = self.number.to_string();
        let start = [
            "projects",
            &self.project,
            "repos",
            &self.name,
            "pull-requests",
            &number,
        ];
        client.url(start.into_iter().chain(rest.iter().copied()))
    }

    fn activities(&self, client: &ApiClient, start: u64) -> Url {
        let url = self.pull_request(client, &["activities"]);
        with_query(url, &[("limit", "100"), ("start", &start.to_string())])
    }
}

impl Forge for DataCenter {
    /// No resource of this API says it.
    fn who(&self, _client: &ApiClient) -> Option<Url> {
        None
    }

    fn name_of(&self, _answer: &ApiAnswer) -> Option<String> {
        None
    }

    fn first_page(&self, client: &ApiClient) -> Url {
        self.activities(client, 0)
    }

    fn page(&self, client: &ApiClient, answer: &ApiAnswer) -> Result<CommentPage, NoPage> {
        let page: Page = parse(answer)?;
        let next = page.next_page_start.filter(|_| !page.is_last_page);
        let added = page.values.into_iter().filter(|activity| {
            activity.action == "COMMENTED" && activity.comment_action == "ADDED"
        });
        let comments = added.filter_map(|activity| {
            let comment = activity.comment?;
            Some(FoundComment {
                id: comment.id,
                author: comment.author.map(|user| user.name).unwrap_or_default(),
                version: comment.version,
                body: comment.text,
                ..FoundComment::default()
            })
        });
        Ok(CommentPage {
            comments: comments.collect(),
            next: next.map(|start| self.activities(client, start)),
        })
    }

    fn create(&self, client: &ApiClient, body: &str) -> Writing {
        Writing {
            method: ApiMethod::Post,
            url: self.pull_request(client, &["comments"]),
            json: json!({ "text": body }).to_string(),
        }
    }

    fn update(&self, client: &ApiClient, found: &FoundComment, body: &str) -> Writing {
        Writing {
            method: ApiMethod::Put,
            url: self.pull_request(client, &["comments", &found.id.to_string()]),
            json: json!({ "text": body, "version": found.version }).to_string(),
        }
    }

    fn remove(&self, client: &ApiClient, found: &FoundComment) -> Writing {
        let url = self.pull_request(client, &["comments", &found.id.to_string()]);
        Writing {
            method: ApiMethod::Delete,
            url: with_query(url, &[("version", &found.version.to_string())]),
            json: String::new(),
        }
    }
}
