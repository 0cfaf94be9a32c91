//! Asks a local engine to load, build, tag and remove images.
//!
//! Requests are made by hand, so that a moment is known when the engine has answered, not when a
//! program has ended.

use std::fs::File;
use std::io::{Read, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::super::engine;

/// Images of the benchmark have names below this one.
pub(super) const NAMESPACE: &str = "cleanbill-watchbench";

/// What images that the engine builds are marked with, to find those that lost their name.
const MARK: &str = "cleanbill-watchbench";

/// Who asks a registry, `{}` in base64: an engine wants to be told.
const NOBODY: &str = "e30=";

/// An engine behind a Unix socket.
pub(super) struct LocalEngine {
    /// Its address, as `DOCKER_HOST` has it.
    pub(super) host: String,
    socket: String,
}

impl LocalEngine {
    /// Finds the engine that the environment names.
    pub(super) fn find() -> anyhow::Result<Option<Self>> {
        let Some((host, socket)) = engine::engine() else {
            return Ok(None);
        };
        let found = Self { host, socket };
        found.ask("GET", "/_ping")?;
        Ok(Some(found))
    }

    /// Loads the images of an archive. Returns when they were there.
    pub(super) fn load(&self, archive: &Path) -> anyhow::Result<Instant> {
        let file =
            File::open(archive).with_context(|| format!("cannot read {}", archive.display()))?;
        self.load_parts(&[], file)
    }

    /// Loads an archive that begins in memory and goes on in a file.
    pub(super) fn load_parts(&self, begin: &[u8], rest: File) -> anyhow::Result<Instant> {
        let size = begin.len() as u64 + rest.metadata()?.len();
        let mut body = begin.chain(rest);
        let (_, at) = self.request("POST", "/images/load?quiet=1", size, &mut body)?;
        Ok(at)
    }

    /// Builds an image from a context, a tar with a Dockerfile. Returns when it was built.
    pub(super) fn build(&self, name: &str, context: &[u8]) -> anyhow::Result<Instant> {
        let path = format!("/build?t={name}&labels=%7B%22{MARK}%22%3A%221%22%7D");
        let (_, at) = self.request("POST", &path, context.len() as u64, &mut &*context)?;
        Ok(at)
    }

    /// Gives an image another name. Returns when it had it.
    pub(super) fn tag(&self, name: &str, other: &str) -> anyhow::Result<Instant> {
        let (repository, tag) = other.split_once(':').context("a name without a tag")?;
        let path = format!("/images/{name}/tag?repo={repository}&tag={tag}");
        let (_, at) = self.request("POST", &path, 0, &mut std::io::empty())?;
        Ok(at)
    }

    /// Pushes an image to the registry that its name begins with.
    pub(super) fn push(&self, name: &str) -> anyhow::Result<()> {
        let (repository, tag) = name.rsplit_once(':').context("a name without a tag")?;
        self.ask("POST", &format!("/images/{repository}/push?tag={tag}"))?;
        Ok(())
    }

    /// Pulls an image from the registry that its name begins with. Returns when it was there.
    pub(super) fn pull(&self, name: &str) -> anyhow::Result<Instant> {
        let (repository, tag) = name.rsplit_once(':').context("a name without a tag")?;
        let path = format!("/images/create?fromImage={repository}&tag={tag}");
        let (_, at) = self.request("POST", &path, 0, &mut std::io::empty())?;
        Ok(at)
    }

    /// Takes the name away from an image, which goes if it has no other.
    pub(super) fn remove(&self, name: &str) -> anyhow::Result<()> {
        self.ask("DELETE", &format!("/images/{name}?force=1"))?;
        Ok(())
    }

    /// Lists the names of the benchmark's images, those that lie in a registry among them.
    pub(super) fn names(&self) -> anyhow::Result<Vec<String>> {
        let patterns = format!("%22{NAMESPACE}%2F*%22%2C%22*%2F{NAMESPACE}%2F*%22");
        let filter = format!("%7B%22reference%22%3A%5B{patterns}%5D%7D");
        let answer = self.ask("GET", &format!("/images/json?filters={filter}"))?;
        let list: Vec<Value> =
            serde_json::from_str(&answer).context("the engine's list makes no sense")?;
        let names = list
            .iter()
            .flat_map(|image| image["RepoTags"].as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .filter(|name| name.contains(&format!("{NAMESPACE}/")));
        Ok(names.map(str::to_owned).collect())
    }

    /// Removes every image of the benchmark.
    pub(super) fn remove_all(&self) -> anyhow::Result<()> {
        let names = self.names()?;
        for name in &names {
            // Who else works with the engine may have removed it.
            let _ = self.remove(name);
        }
        let left = self.names()?;
        ensure!(left.is_empty(), "the engine keeps {}", left.join(", "));
        let filter =
            format!("%7B%22dangling%22%3A%5B%22true%22%5D%2C%22label%22%3A%5B%22{MARK}%22%5D%7D");
        self.ask("POST", &format!("/images/prune?filters={filter}"))?;
        Ok(())
    }

    fn ask(&self, method: &str, path: &str) -> anyhow::Result<String> {
        let (answer, _) = self.request(method, path, 0, &mut std::io::empty())?;
        Ok(answer)
    }

    /// Makes a request and returns the answer's body and when it was complete.
    fn request(
        &self,
        method: &str,
        path: &str,
        size: u64,
        body: &mut dyn Read,
    ) -> anyhow::Result<(String, Instant)> {
        let mut stream = UnixStream::connect(&self.socket)
            .with_context(|| format!("cannot reach the engine at {}", self.socket))?;
        // To a client of HTTP/1.0 an answer is sent as it is, and its end is that of the stream.
        write!(
            stream,
            "{method} /v1.41{path} HTTP/1.0\r\nHost: engine\r\n\
             Content-Type: application/x-tar\r\nContent-Length: {size}\r\n\
             X-Registry-Auth: {NOBODY}\r\n\r\n"
        )?;
        std::io::copy(body, &mut stream)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let at = Instant::now();
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let is_fine = head
            .split(' ')
            .nth(1)
            .is_some_and(|code| code.starts_with('2'));
        ensure!(
            is_fine && !body.contains("errorDetail"),
            "{method} {path}: the engine answered {}: {}",
            head.lines().next().unwrap_or_default(),
            body.trim()
        );
        Ok((body.to_owned(), at))
    }
}
