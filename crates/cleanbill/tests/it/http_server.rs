//! A server on the loopback that answers as a test tells it to: a registry or an engine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use cleanbill_testkit::{Blob, ImageBuilder};
use serde_json::{Value, json};

/// What is answered to a request.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    media_type: String,
    body: Vec<u8>,
    /// Sends only so much of the body; then the connection stays open and silent, or is closed.
    cut: Option<(usize, AfterCut)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterCut {
    Close,
    Hang,
}

impl Reply {
    pub(crate) fn ok(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            media_type: media_type.to_owned(),
            body: body.into(),
            cut: None,
        }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::ok("application/json", value.to_string())
    }

    /// An error of a registry with its code.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let body = json!({"errors": [{"code": code, "message": "as the test wants"}]});
        Self {
            status,
            ..Self::json(&body)
        }
    }

    /// Sends the first half of the body only.
    pub(crate) fn half(mut self, after: AfterCut) -> Self {
        self.cut = Some((self.body.len() / 2, after));
        self
    }
}

/// Serves until the test ends.
pub(crate) struct HttpServer {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Replies by path, without a query.
    replies: Vec<(String, Reply)>,
    requests: Vec<String>,
}

impl HttpServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        // The thread ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { port, state }
    }

    /// Returns `host:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sets what is answered to a path, in place of what was.
    pub(crate) fn reply(&self, path: &str, reply: Reply) -> &Self {
        self.state
            .lock()
            .unwrap()
            .replies
            .insert(0, (path.to_owned(), reply));
        self
    }

    /// Returns the requests so far (`GET /v2/`).
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Says whether a request for such a path has come.
    pub(crate) fn was_asked(&self, part: &str) -> bool {
        self.requests().iter().any(|request| request.contains(part))
    }

    /// Offers an image as a registry does.
    pub(crate) fn offer_image(
        &self,
        repository: &str,
        tag: &str,
        image: &ImageBuilder,
    ) -> Vec<Blob> {
        let (manifest, blobs) = image.oci_manifest();
        self.offer_manifest(repository, tag, &manifest);
        for blob in &blobs {
            self.offer_blob(repository, blob);
        }
        blobs
    }

    /// Offers an advisory database as a registry does. Returns the path of its archive.
    pub(crate) fn offer_database(&self, repository: &str, archive: &[u8]) -> String {
        self.offer_artifact(repository, "2", "db", archive)
    }

    /// Offers a Java index as a registry does. Returns the path of its archive.
    pub(crate) fn offer_java_index(&self, repository: &str, archive: &[u8]) -> String {
        self.offer_artifact(repository, "1", "javadb", archive)
    }

    fn offer_artifact(&self, repository: &str, tag: &str, name: &str, archive: &[u8]) -> String {
        let blob = Blob::new(
            &format!("application/vnd.aquasec.trivy.{name}.layer.v1.tar+gzip"),
            archive.to_vec(),
        );
        let mut layer = blob.descriptor();
        layer["annotations"] = json!({"org.opencontainers.image.title": format!("{name}.tar.gz")});
        let manifest = json!({
            "schemaVersion": 2,
            "config": Blob::new("application/vnd.aquasec.trivy.config.v1+json", b"{}".to_vec()).descriptor(),
            "layers": [layer],
        });
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        self.offer_manifest(
            repository,
            tag,
            &Blob::new(media_type, manifest.to_string().into_bytes()),
        );
        self.offer_blob(repository, &blob)
    }

    fn offer_manifest(&self, repository: &str, tag: &str, manifest: &Blob) {
        self.reply("/v2/", Reply::json(&json!({})));
        for name in [tag, manifest.digest.as_str()] {
            let reply = Reply::ok(&manifest.media_type, manifest.bytes.clone());
            self.reply(&format!("/v2/{repository}/manifests/{name}"), reply);
        }
    }

    fn offer_blob(&self, repository: &str, blob: &Blob) -> String {
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        self.reply(
            &path,
            Reply::ok("application/octet-stream", blob.bytes.clone()),
        );
        path
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    if reader.read_line(&mut first).is_err() {
        return;
    }
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|size| size > 2) {
        line.clear();
    }
    let mut words = first.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    // An engine's paths begin with the version of its API.
    let path = target.split('?').next().unwrap_or_default();
    let path = path
        .strip_prefix("/v1.43")
        .unwrap_or(path)
        .replace("%2F", "/")
        .replace("%3A", ":");
    let reply = {
        let mut state = state.lock().unwrap();
        state.requests.push(format!("{method} {target}"));
        let found = state.replies.iter().find(|(other, _)| *other == path);
        found.map_or_else(
            || Reply::error(404, "NAME_UNKNOWN"),
            |(_, reply)| reply.clone(),
        )
    };
    // The client may have gone away: then there is nobody to answer.
    let _ = answer(&mut stream, method, &reply);
}

fn answer(stream: &mut TcpStream, method: &str, reply: &Reply) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {} X\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\nApi-Version: 1.43\r\n\r\n",
        reply.status,
        reply.media_type,
        reply.body.len()
    );
    stream.write_all(head.as_bytes())?;
    if method == "HEAD" {
        return Ok(());
    }
    let Some((size, after)) = reply.cut else {
        return stream.write_all(&reply.body);
    };
    stream.write_all(&reply.body[..size])?;
    stream.flush()?;
    if after == AfterCut::Hang {
        // Until the client goes away.
        std::io::copy(stream, &mut std::io::sink())?;
    }
    Ok(())
}
