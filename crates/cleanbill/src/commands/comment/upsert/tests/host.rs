//! Code hosts in small: one pull request, kept in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink, ReceivedRequest};
use serde_json::{Value, json};

use super::super::super::forge::{Bitbucket, DataCenter, Forge, GitHub, GitLab};

pub(super) const TOKEN: &str = "hunter2";
/// Who has the token.
pub(super) const ME: &str = "cleanbill-bot";

/// Comments of a page: fewer than any host gives, so that there are several.
const PAGE: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    GitHub,
    GitLab,
    Bitbucket,
    DataCenter,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// `/user` is forbidden, as for tokens of workflows.
    NobodyIsMe,
    /// Whatever is to be changed was removed a moment before; once.
    VanishesBeforeUpdate,
    /// Whatever is to be changed was changed a moment before; once.
    ChangesBeforeUpdate,
    /// Makes the comment and hangs up; once.
    LosesAnswerOfCreate,
    /// Too many requests; once for each method.
    Limits429,
    /// The same as GitHub says it.
    Limits403WithReset,
    Fails502Twice,
    /// The same for a while, and only where something is made.
    FailsToCreate,
    AlwaysFails,
    LimitsForHours,
    AnswersHtml,
    EndlessPages,
    NextPageElsewhere,
}

#[derive(Clone, Debug)]
pub(super) struct Stored {
    id: u64,
    author: String,
    version: u64,
    pub(super) body: String,
}

struct State {
    kind: Kind,
    url: String,
    comments: Vec<Stored>,
    next_id: u64,
    trouble: Trouble,
    /// How often the trouble has struck, by method.
    struck: Vec<String>,
}

pub(super) struct Host {
    sink: HttpSink,
    state: Arc<Mutex<State>>,
}

impl Kind {
    pub(super) fn forge(self) -> Box<dyn Forge> {
        let (owner, name, number) = ("shop".to_owned(), "web".to_owned(), 7);
        match self {
            Kind::GitHub => Box::new(GitHub {
                owner,
                name,
                number,
            }),
            Kind::GitLab => Box::new(GitLab {
                project: "shop/web".to_owned(),
                number,
            }),
            Kind::Bitbucket => Box::new(Bitbucket {
                workspace: owner,
                name,
                number,
            }),
            Kind::DataCenter => Box::new(DataCenter {
                project: owner,
                name,
                number,
            }),
        }
    }

    /// Returns the path of the list, and that below which a comment lies.
    fn paths(self) -> (&'static str, &'static str) {
        match self {
            Kind::GitHub => (
                "/api/repos/shop/web/issues/7/comments",
                "/api/repos/shop/web/issues/comments/",
            ),
            Kind::GitLab => (
                "/api/projects/shop%2Fweb/merge_requests/7/notes",
                "/api/projects/shop%2Fweb/merge_requests/7/notes/",
            ),
            Kind::Bitbucket => (
                "/api/repositories/shop/web/pullrequests/7/comments",
                "/api/repositories/shop/web/pullrequests/7/comments/",
            ),
            Kind::DataCenter => (
                "/api/projects/shop/repos/web/pull-requests/7/comments",
                "/api/projects/shop/repos/web/pull-requests/7/comments/",
            ),
        }
    }
}

impl Host {
    pub(super) fn start(kind: Kind) -> Self {
        let state = Arc::new(Mutex::new(State {
            kind,
            url: String::new(),
            comments: Vec::new(),
            next_id: 1,
            trouble: Trouble::None,
            struck: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let sink = HttpSink::start_with(move |request| lock(&shared).answer(request));
        let host = Self { sink, state };
        lock(&host.state).url = host.url();
        host
    }

    pub(super) fn url(&self) -> String {
        format!("{}/api", self.sink.url)
    }

    pub(super) fn trouble(&self, trouble: Trouble) {
        let mut state = lock(&self.state);
        state.trouble = trouble;
        state.struck.clear();
    }

    /// Puts a comment there, and returns its id.
    pub(super) fn put(&self, author: &str, body: &str) -> u64 {
        lock(&self.state).put(author, body).id
    }

    pub(super) fn comments(&self) -> Vec<Stored> {
        lock(&self.state).comments.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reply(status: u16, headers: &[&str], body: &Value) -> HttpAnswer {
    let headers = headers.iter().map(|header| (*header).to_owned()).collect();
    HttpAnswer::Reply(status, headers, body.to_string())
}

fn refusal(status: u16, text: &str) -> HttpAnswer {
    reply(status, &[], &json!({ "message": text }))
}

impl State {
    fn put(&mut self, author: &str, body: &str) -> Stored {
        let stored = Stored {
            id: self.next_id,
            author: author.to_owned(),
            version: 0,
            body: body.to_owned(),
        };
        self.next_id += 1;
        self.comments.push(stored.clone());
        stored
    }

    fn answer(&mut self, request: &ReceivedRequest) -> HttpAnswer {
        let (method, target) = request.line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (header, value) = match self.kind {
            Kind::GitLab => ("private-token", TOKEN.to_owned()),
            _ => ("authorization", format!("Bearer {TOKEN}")),
        };
        if request.header(header) != Some(value.as_str()) {
            return refusal(401, "Bad credentials");
        }
        if let Some(answer) = self.general_trouble(method) {
            return answer;
        }
        let (list, below) = self.kind.paths();
        let listed = match self.kind {
            Kind::DataCenter => "/api/projects/shop/repos/web/pull-requests/7/activities",
            _ => list,
        };
        let body: Value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
        match method {
            "GET" if path == "/api/user" => self.me(),
            "GET" if path == listed => self.list(query),
            "POST" if path == list => self.create(&body),
            "PUT" | "PATCH" | "DELETE" if path.starts_with(below) => {
                let id = path[below.len()..].parse().unwrap();
                self.change(method, id, query, &body)
            }
            _ => refusal(404, "Not Found"),
        }
    }

    fn general_trouble(&mut self, method: &str) -> Option<HttpAnswer> {
        let times = self.struck.iter().filter(|one| *one == method).count();
        let answer = match (self.trouble, times) {
            (Trouble::Limits429, 0) => reply(429, &["retry-after: 0"], &json!({})),
            (Trouble::Limits403WithReset, 0) => reply(
                403,
                &[
                    "x-ratelimit-remaining: 0",
                    "x-ratelimit-reset: 0",
                    "date: Sun, 22 Nov 2026 06:30:00 GMT",
                ],
                &json!({ "message": "API rate limit exceeded" }),
            ),
            (Trouble::Fails502Twice, 0 | 1) => {
                // What is made twice would be one too many, so nobody asks again for that here.
                HttpAnswer::reply(502, "<html>Bad gateway</html>")
            }
            (Trouble::FailsToCreate, 0..=7) if method == "POST" => {
                HttpAnswer::reply(500, "not now")
            }
            (Trouble::AlwaysFails, _) => HttpAnswer::reply(503, "down"),
            (Trouble::LimitsForHours, _) => reply(429, &["retry-after: 7200"], &json!({})),
            (Trouble::AnswersHtml, _) => HttpAnswer::reply(200, "<html>Log in</html>"),
            _ => return None,
        };
        self.struck.push(method.to_owned());
        Some(answer)
    }

    fn strikes(&mut self, trouble: Trouble) -> bool {
        let strikes = self.trouble == trouble && self.struck.is_empty();
        if strikes {
            self.struck.push(String::new());
        }
        strikes
    }

    fn me(&self) -> HttpAnswer {
        match self.trouble {
            Trouble::NobodyIsMe => refusal(403, "Resource not accessible by integration"),
            _ => reply(
                200,
                &[],
                &json!({ "login": ME, "username": ME, "uuid": ME, "type": "User" }),
            ),
        }
    }

    fn create(&mut self, body: &Value) -> HttpAnswer {
        let Some(text) = text_of(self.kind, body) else {
            return refusal(422, "Validation Failed");
        };
        let stored = self.put(ME, &text);
        if self.strikes(Trouble::LosesAnswerOfCreate) {
            return HttpAnswer::HangUp;
        }
        reply(201, &[], &self.shown(&stored))
    }

    fn change(&mut self, method: &str, id: u64, query: &str, body: &Value) -> HttpAnswer {
        if method != "DELETE" && self.strikes(Trouble::VanishesBeforeUpdate) {
            self.comments.retain(|comment| comment.id != id);
        }
        if method != "DELETE" && self.strikes(Trouble::ChangesBeforeUpdate) {
            let found = self.comments.iter_mut().find(|one| one.id == id);
            found.unwrap().version += 1;
        }
        let kind = self.kind;
        let Some(index) = self.comments.iter().position(|one| one.id == id) else {
            return refusal(404, "Not Found");
        };
        let stored = &mut self.comments[index];
        if stored.author != ME {
            return refusal(403, "You may not change it");
        }
        if kind == Kind::DataCenter {
            let of_query = query.strip_prefix("version=").map(str::to_owned);
            let of_body = body["version"].as_u64().map(|version| version.to_string());
            if of_query.or(of_body) != Some(stored.version.to_string()) {
                return refusal(409, "The version is out of date");
            }
        }
        if method == "DELETE" {
            self.comments.remove(index);
            return reply(204, &[], &json!({}));
        }
        let expected = match kind {
            Kind::GitHub => "PATCH",
            _ => "PUT",
        };
        let Some(text) = text_of(kind, body).filter(|_| method == expected) else {
            return refusal(405, "Method Not Allowed");
        };
        stored.body = text;
        stored.version += 1;
        let stored = stored.clone();
        reply(200, &[], &self.shown(&stored))
    }

    /// Gives a page, and says where the next one is as each host does.
    fn list(&self, query: &str) -> HttpAnswer {
        let number = |name: &str| {
            let pairs = query.split('&');
            let mut values = pairs.filter_map(|pair| pair.strip_prefix(&format!("{name}=")));
            values.next().and_then(|value| value.parse::<usize>().ok())
        };
        let start = match self.kind {
            Kind::DataCenter => number("start").unwrap_or(0),
            _ => (number("page").unwrap_or(1) - 1) * PAGE,
        };
        let end = (start + PAGE).min(self.comments.len());
        let shown: Vec<Value> = self
            .comments
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .map(|comment| self.shown(comment))
            .collect();
        let has_next = end < self.comments.len() || self.trouble == Trouble::EndlessPages;
        let page = start / PAGE + 2;
        let next = match self.trouble {
            Trouble::NextPageElsewhere => Some("https://evil.example/steal".to_owned()),
            _ => has_next.then(|| {
                let path = self.kind.paths().0.trim_start_matches("/api");
                format!("{}{path}?per_page={PAGE}&page={page}", self.url)
            }),
        };
        match self.kind {
            Kind::GitHub | Kind::GitLab => {
                let first = format!("<{}>; rel=\"first\"", self.url);
                let link = match next {
                    Some(next) => format!("link: {first}, <{next}>; rel=\"next\""),
                    None => format!("link: {first}"),
                };
                reply(200, &[&link], &Value::Array(shown))
            }
            Kind::Bitbucket => {
                let mut body = json!({ "pagelen": PAGE, "values": shown });
                if let Some(next) = next {
                    body["next"] = next.into();
                }
                reply(200, &[], &body)
            }
            Kind::DataCenter => {
                let body = json!({
                    "values": shown,
                    "isLastPage": !has_next,
                    "nextPageStart": has_next.then_some(end),
                });
                reply(200, &[], &body)
            }
        }
    }

    /// Returns a comment as each host shows it.
    fn shown(&self, stored: &Stored) -> Value {
        let Stored {
            id,
            author,
            version,
            body,
        } = stored;
        match self.kind {
            Kind::GitHub => json!({
                "id": id,
                "body": body,
                "user": { "login": author, "type": if author == ME { "Bot" } else { "User" } },
            }),
            Kind::GitLab => json!({
                "id": id,
                "body": body,
                "system": false,
                "author": { "username": author },
            }),
            Kind::Bitbucket => json!({
                "id": id,
                "content": { "raw": body, "html": "" },
                "deleted": false,
                "user": { "uuid": author },
            }),
            Kind::DataCenter => json!({
                "action": "COMMENTED",
                "commentAction": "ADDED",
                "comment": {
                    "id": id,
                    "version": version,
                    "text": body,
                    "author": { "name": author },
                },
            }),
        }
    }
}

fn text_of(kind: Kind, body: &Value) -> Option<String> {
    let text = match kind {
        Kind::GitHub | Kind::GitLab => body.get("body"),
        Kind::Bitbucket => body.pointer("/content/raw"),
        Kind::DataCenter => body.get("text"),
    };
    text.and_then(Value::as_str).map(str::to_owned)
}
