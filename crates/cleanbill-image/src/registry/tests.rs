//! The client against servers of every kind. Nothing waits: pauses are recorded, not made.

mod auth;
pub(crate) mod fake;
mod hostile;
mod pull;
mod transport;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cleanbill_core::{Digest, ImageReference};

use super::*;
use crate::http::{NotedPauses, Pause, RetryPolicy, Secret};
use fake::{Asked, FakeServer, Reply};

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER_TYPE: &str = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip";

/// What a test varies.
struct Setup {
    http: HttpOptions,
    credentials: CredentialOptions,
    context: ReadContext,
    recorder: Arc<NotedPauses>,
}

impl Default for Setup {
    fn default() -> Self {
        let recorder = Arc::new(NotedPauses::default());
        let retry = RetryPolicy {
            attempts_max: 4,
            delay_first: Duration::from_millis(500),
            delay_max: Duration::from_secs(10),
            pause: Arc::clone(&recorder) as Arc<dyn Pause>,
        };
        let http = HttpOptions {
            retry,
            ..HttpOptions::default()
        };
        let (credentials, context) = (CredentialOptions::default(), ReadContext::default());
        Self {
            http,
            credentials,
            context,
            recorder,
        }
    }
}

impl Setup {
    fn with_password(registry: &str) -> Self {
        let mut setup = Self::default();
        setup
            .credentials
            .explicit
            .push((registry.to_owned(), basic("alice", "hunter2")));
        setup
    }

    fn client(&self) -> RegistryClient {
        let (http, credentials) = (self.http.clone(), self.credentials.clone());
        RegistryClient::new(http, credentials, self.context.clone()).unwrap()
    }

    fn pauses_ms(&self) -> Vec<u128> {
        self.recorder
            .0
            .lock()
            .unwrap()
            .iter()
            .map(Duration::as_millis)
            .collect()
    }
}

fn basic(username: &str, password: &str) -> Credential {
    Credential::Basic {
        username: username.to_owned(),
        password: Secret::new(password),
    }
}

fn reference(server: &FakeServer) -> ImageReference {
    format!("{}/db:2", server.name()).parse().unwrap()
}

/// The manifest of an artifact whose one file is `blob`.
fn artifact_manifest(blob: &[u8]) -> String {
    let (digest, size) = (Digest::of(blob), blob.len());
    format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.aquasec.trivy.config.v1+json",
            "digest":"{digest}","size":2}},"layers":[{{"mediaType":"{LAYER_TYPE}","digest":"{digest}",
            "size":{size},"annotations":{{"org.opencontainers.image.title":"db.tar.gz"}}}}]}}"#
    )
}

/// Answers as a registry that holds one artifact and lets everybody in; `blob_reply` answers for
/// the file.
fn serve_artifact(
    blob: &'static [u8],
    blob_reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> FakeServer {
    FakeServer::start(move |asked| match asked.target.as_str() {
        "/v2/" => Reply::body("{}"),
        "/v2/db/manifests/2" => {
            Reply::body(artifact_manifest(blob)).header("content-type", MANIFEST_TYPE)
        }
        target if target == format!("/v2/db/blobs/{}", Digest::of(blob)) => blob_reply(asked),
        _ => Reply::status(404),
    })
}

/// Reads the file of the artifact that a server holds.
fn pull(setup: &Setup, server: &FakeServer) -> Result<Vec<u8>, String> {
    let artifact = setup
        .client()
        .open_artifact(&reference(server))
        .map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    let mut reader = artifact.read().map_err(|e| e.to_string())?;
    reader.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    Ok(bytes)
}
