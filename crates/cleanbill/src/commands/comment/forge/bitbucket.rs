//! Bitbucket Cloud.
//!
//! Source: Bitbucket Cloud REST API 2.0, "Pullrequests", comments.

use cleanbill_image::http::{ApiAnswer, ApiClient, ApiMethod};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use url::Url;

use super::{CommentPage, Forge, FoundComment, NoPage, Writing, parse, same_server, with_query};

/// A pull request at Bitbucket Cloud.
#[derive(Clone, Debug)]
pub(in crate::commands::comment) struct Bitbucket {
    pub(in crate::commands::comment) workspace: String,
    pub(in crate::commands::comment) name: String,
    pub(in crate::commands::comment) number: u64,
}

#[derive(Deserialize)]
struct Page {
    values: Vec<Comment>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    content: Option<Content>,
    user: Option<User>,
    #[serde(default)]
    deleted: bool,
    inline: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    raw: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    uuid: String,
}

impl Bitbucket {
    fn comments(&self, client: &ApiClient, rest: &[&str]) -> Url {
        let number = self.number.to_string();
        let start = [
            "repositories",
            &self.workspace,
            &self.name,
            "pullrequests",
            &number,
            "comments",
        ];
        client.url(start.into_iter().chain(rest.iter().copied()))
    }

    fn json(body: &str) -> String {
        json!({ "content": { "raw": body } }).to_string()
    }
}

impl Forge for Bitbucket {
    fn who(&self, client: &ApiClient) -> Option<Url> {
        Some(client.url(["user"]))
    }

    fn name_of(&self, answer: &ApiAnswer) -> Option<String> {
        parse::<User>(answer).ok().map(|user| user.uuid)
    }

    fn first_page(&self, client: &ApiClient) -> Url {
        with_query(
            self.comments(client, &[]),
            &[("pagelen", "100"), ("sort", "created_on")],
        )
    }

    fn page(&self, client: &ApiClient, answer: &ApiAnswer) -> Result<CommentPage, NoPage> {
        let page: Page = parse(answer)?;
        let next = page.next.map(|next| same_server(client, &next));
        let found = page.values.into_iter();
        let comments = found
            .filter(|comment| !comment.deleted && comment.inline.is_none())
            .map(|comment| FoundComment {
                id: comment.id,
                author: comment.user.map(|user| user.uuid).unwrap_or_default(),
                body: comment
                    .content
                    .map(|content| content.raw)
                    .unwrap_or_default(),
                ..FoundComment::default()
            });
        Ok(CommentPage {
            comments: comments.collect(),
            next: next.transpose()?,
        })
    }

    fn create(&self, client: &ApiClient, body: &str) -> Writing {
        Writing {
            method: ApiMethod::Post,
            url: self.comments(client, &[]),
            json: Self::json(body),
        }
    }

    fn update(&self, client: &ApiClient, found: &FoundComment, body: &str) -> Writing {
        Writing {
            method: ApiMethod::Put,
            url: self.comments(client, &[&found.id.to_string()]),
            json: Self::json(body),
        }
    }

    fn remove(&self, client: &ApiClient, found: &FoundComment) -> Writing {
        Writing {
            method: ApiMethod::Delete,
            url: self.comments(client, &[&found.id.to_string()]),
            json: String::new(),
        }
    }
}
