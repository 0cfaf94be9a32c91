//! GitHub, also Enterprise Server.
//!
//! Source: GitHub REST API, version 2022-11-28, "Issue comments" (a pull request is an issue).

use cleanbill_image::http::{ApiAnswer, ApiClient, ApiMethod};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{CommentPage, Forge, FoundComment, NoPage, Writing, next_of_link, parse, with_query};

/// A pull request at GitHub.
#[derive(Clone, Debug)]
pub(in crate::commands::comment) struct GitHub {
    pub(in crate::commands::comment) owner: String,
    pub(in crate::commands::comment) name: String,
    pub(in crate::commands::comment) number: u64,
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    login: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl GitHub {
    fn issues(&self, client: &ApiClient, rest: &[&str]) -> Url {
        let start = ["repos", &self.owner, &self.name, "issues"];
        client.url(start.into_iter().chain(rest.iter().copied()))
    }

    fn comments(&self, client: &ApiClient) -> Url {
        self.issues(client, &[&self.number.to_string(), "comments"])
    }

    fn comment(&self, client: &ApiClient, found: &FoundComment) -> Url {
        self.issues(client, &["comments", &found.id.to_string()])
    }
}

impl Forge for GitHub {
    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("accept", "application/vnd.github+json".to_owned()),
            ("x-github-api-version", "2022-11-28".to_owned()),
        ]
    }

    /// The token of a workflow may not ask who it is; then programs are who we are.
    fn who(&self, client: &ApiClient) -> Option<Url> {
        Some(client.url(["user"]))
    }

    fn name_of(&self, answer: &ApiAnswer) -> Option<String> {
        parse::<User>(answer).ok().map(|user| user.login)
    }

    fn first_page(&self, client: &ApiClient) -> Url {
        with_query(self.comments(client), &[("per_page", "100")])
    }

    fn page(&self, client: &ApiClient, answer: &ApiAnswer) -> Result<CommentPage, NoPage> {
        let comments: Vec<Comment> = parse(answer)?;
        let found = comments.into_iter().map(|comment| {
            let user = comment.user.unwrap_or(User {
                login: String::new(),
                kind: String::new(),
            });
            FoundComment {
                id: comment.id,
                is_by_program: Some(user.kind == "Bot"),
                author: user.login,
                body: comment.body.unwrap_or_default(),
                ..FoundComment::default()
            }
        });
        Ok(CommentPage {
            comments: found.collect(),
            next: next_of_link(client, answer)?,
        })
    }

    fn create(&self, client: &ApiClient, body: &str) -> Writing {
        Writing {
            method: ApiMethod::Post,
            url: self.comments(client),
            json: json!({ "body": body }).to_string(),
        }
    }

    fn update(&self, client: &ApiClient, found: &FoundComment, body: &str) -> Writing {
        Writing {
            method: ApiMethod::Patch,
            url: self.comment(client, found),
            json: json!({ "body": body }).to_string(),
        }
    }

    fn remove(&self, client: &ApiClient, found: &FoundComment) -> Writing {
        Writing {
            method: ApiMethod::Delete,
            url: self.comment(client, found),
            json: String::new(),
        }
    }
}
