//! An engine for tests: it answers, and it stalls, truncates and lies, as no real one does on
//! demand. It writes raw bytes, because an HTTP server library would not let it lie.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::Endpoint;

/// What is sent back to a request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// A status and a JSON body.
    Json(u16, String),
    /// A stream, sent in chunks as engines do.
    Stream(Vec<u8>),
    /// These bytes and nothing more.
    Raw(Vec<u8>),
    /// Nothing, for as long as the client waits.
    Stall,
    /// These bytes, and then nothing for as long as the client waits.
    ThenStall(Vec<u8>),
}

impl Reply {
    pub(super) fn ok(json: impl Into<String>) -> Self {
        Self::Json(200, json.into())
    }

    fn send(&self, stream: &mut UnixStream) -> std::io::Result<()> {
        match self {
            Self::Json(status, body) => write!(
                stream,
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            ),
            Self::Stream(bytes) => {
                stream.write_all(CHUNKED_HEAD)?;
                for chunk in bytes.chunks(7_000) {
                    write!(stream, "{:x}\r\n", chunk.len())?;
                    stream.write_all(chunk)?;
                    stream.write_all(b"\r\n")?;
                }
                stream.write_all(b"0\r\n\r\n")
            }
            Self::Raw(bytes) | Self::ThenStall(bytes) => stream.write_all(bytes),
            Self::Stall => Ok(()),
        }
    }
}

/// The head of an answer that is sent in chunks.
pub(super) const CHUNKED_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";

type Replies = Arc<Mutex<BTreeMap<String, Reply>>>;

/// Listens on a socket in a directory of its own until it is dropped.
pub(super) struct FakeEngine {
    directory: TempDir,
    replies: Replies,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FakeEngine {
    /// Starts an engine that states a version of the API and knows nothing.
    pub(super) fn start(api_version: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("engine.sock")).unwrap();
        let ping = format!(
            "HTTP/1.1 200 OK\r\nApi-Version: {api_version}\r\nContent-Length: 2\r\n\
             Connection: close\r\n\r\nOK"
        );
        let engine = Self {
            directory,
            replies: Replies::default(),
            requests: Arc::default(),
        };
        engine.reply("/_ping", Reply::Raw(ping.into_bytes()));
        let (replies, requests) = (Arc::clone(&engine.replies), Arc::clone(&engine.requests));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (replies, requests) = (Arc::clone(&replies), Arc::clone(&requests));
                std::thread::spawn(move || serve(stream, &replies, &requests));
            }
        });
        engine
    }

    /// Sets what is answered to a path, without the version in front and with the query.
    pub(super) fn reply(&self, path: &str, reply: Reply) {
        self.replies.lock().unwrap().insert(path.to_owned(), reply);
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.directory.path().join("engine.sock")
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(self.socket())
    }

    /// Returns the first lines of all requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: UnixStream, replies: &Replies, requests: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    requests.lock().unwrap().push(first);
    let path = match path
        .strip_prefix("/v")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((version, rest)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("/{rest}")
        }
        _ => path,
    };
    let missing = || Reply::Json(404, format!(r#"{{"message":"no such thing: {path}"}}"#));
    let reply = replies
        .lock()
        .unwrap()
        .get(&path)
        .cloned()
        .unwrap_or_else(missing);
    // A client that is gone is what some tests are about.
    let _ = reply.send(&mut stream);
    if matches!(reply, Reply::Stall | Reply::ThenStall(_)) {
        let mut rest = String::new();
        let _ = BufReader::new(stream).read_line(&mut rest);
    }
}
