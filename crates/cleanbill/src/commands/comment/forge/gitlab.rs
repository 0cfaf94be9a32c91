//! GitLab, also self-managed.
//!
//! Source: GitLab REST API v4, "Notes API", merge requests; "Offset-based pagination".

use cleanbill_image::http::{ApiAnswer, ApiClient, ApiMethod};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{CommentPage, Forge, FoundComment, NoPage, Writing, next_of_link, parse, with_query};

/// A merge request at GitLab.
#[derive(Clone, Debug)]
pub(in crate::commands::comment) struct GitLab {
    /// Its number, or its path.
    pub(in crate::commands::comment) project: String,
    pub(in crate::commands::comment) number: u64,
}

#[derive(Deserialize)]
struct Note {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    author: Option<User>,
    #[serde(default)]
    system: bool,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

impl GitLab {
    fn notes(&self, client: &ApiClient, rest: &[&str]) -> Url {
        let number = self.number.to_string();
        let start = [
            "projects",
            &self.project,
            "merge_requests",
            &number,
            "notes",
        ];
        client.url(start.into_iter().chain(rest.iter().copied()))
    }
}

impl Forge for GitLab {
    fn who(&self, client: &ApiClient) -> Option<Url> {
        Some(client.url(["user"]))
    }

    fn name_of(&self, answer: &ApiAnswer) -> Option<String> {
        parse::<User>(answer).ok().map(|user| user.username)
    }

    fn first_page(&self, client: &ApiClient) -> Url {
        let pairs = [
            ("per_page", "100"),
            ("order_by", "created_at"),
            ("sort", "asc"),
        ];
        with_query(self.notes(client, &[]), &pairs)
    }

    fn page(&self, client: &ApiClient, answer: &ApiAnswer) -> Result<CommentPage, NoPage> {
        let notes: Vec<Note> = parse(answer)?;
        let found = notes.into_iter().filter(|note| !note.system);
        let comments = found.map(|note| FoundComment {
            id: note.id,
            author: note.author.map(|user| user.username).unwrap_or_default(),
            body: note.body.unwrap_or_default(),
            ..FoundComment::default()
        });
        Ok(CommentPage {
            comments: comments.collect(),
            next: next_of_link(client, answer)?,
        })
    }

    fn create(&self, client: &ApiClient, body: &str) -> Writing {
        Writing {
            method: ApiMethod::Post,
            url: self.notes(client, &[]),
            json: json!({ "body": body }).to_string(),
        }
    }

    fn update(&self, client: &ApiClient, found: &FoundComment, body: &str) -> Writing {
        Writing {
            method: ApiMethod::Put,
            url: self.notes(client, &[&found.id.to_string()]),
            json: json!({ "body": body }).to_string(),
        }
    }

    fn remove(&self, client: &ApiClient, found: &FoundComment) -> Writing {
        Writing {
            method: ApiMethod::Delete,
            url: self.notes(client, &[&found.id.to_string()]),
            json: String::new(),
        }
    }
}
