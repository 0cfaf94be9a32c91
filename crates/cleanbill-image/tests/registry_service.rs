//! Against a real registry (distribution's `docker-registry`).
//!
//! - `CLEANBILL_TEST_REGISTRY=host:port`: one that lets everybody push, without TLS.
//! - `CLEANBILL_TEST_REGISTRY_AUTH=user:password@host:port`: one that wants a password (`htpasswd`).
//!
//! Without them the tests are skipped, unless `CLEANBILL_TEST_REQUIRE_SERVICES=1`.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are test code")]
#![expect(clippy::print_stderr, reason = "a skipped test says why")]

#[path = "registry_service/push.rs"]
mod push;

use std::io::Read as _;

use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor, LayerError, LayerReader};
use cleanbill_core::{Digest, ImageReference};
use cleanbill_image::oci::Platform;
use cleanbill_image::registry::RegistryClient;
use cleanbill_image::{
    Credential, CredentialOptions, HttpOptions, LayerSink, ReadContext, RegistryError, Secret,
};
use cleanbill_testkit::{Blob, Compression, ImageBuilder};
use push::Pusher;

/// Returns the value of a variable that names a service; without it the test is skipped.
fn service(variable: &str) -> Option<String> {
    let value = std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty());
    if value.is_none() {
        let is_required =
            std::env::var("CLEANBILL_TEST_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
        assert!(
            !is_required,
            "{variable} is not set, but services are required"
        );
        eprintln!("skipped: {variable} names no registry");
    }
    value
}

fn open_registry() -> Option<Pusher> {
    service("CLEANBILL_TEST_REGISTRY").map(|address| Pusher::new(&address, None))
}

fn client(credentials: CredentialOptions) -> RegistryClient {
    RegistryClient::new(HttpOptions::default(), credentials, ReadContext::default()).unwrap()
}

fn anonymous() -> RegistryClient {
    client(CredentialOptions::default())
}

/// Collects the paths of an image's entries.
#[derive(Default)]
struct Paths(Vec<String>);

impl EntryVisitor for Paths {
    fn visit(&mut self, entry: &EntryHeader<'_>, _: &mut dyn EntryBody) -> std::io::Result<()> {
        self.0.push(entry.path.to_owned());
        Ok(())
    }
}

impl LayerSink for Paths {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        reader.walk(self).map(drop)
    }
}

fn sample(word: &str) -> ImageBuilder {
    ImageBuilder::new()
        .layer(|layer| layer.file("etc/first", word))
        // Larger than what is read ahead, so that it comes in many pieces.
        .layer(|layer| {
            layer
                .file("opt/large", noise(8 << 20))
                .file("etc/last", word)
        })
}

/// Bytes that do not compress.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next)
        .flatten()
        .take(size)
        .collect()
}

#[test]
fn images_are_pulled_as_they_were_pushed() {
    let Some(registry) = open_registry() else {
        return;
    };
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let image = sample("x").compression(compression);
        let manifest = registry.push_image("service/app", "1", &image);
        let name = format!("{}/service/app:1", registry.address());
        let opened = anonymous()
            .open_image(&name, &name.parse().unwrap(), None)
            .unwrap();
        assert_eq!(
            opened.metadata.image_id.unwrap().to_string(),
            image.image_id()
        );
        assert_eq!(
            opened.metadata.repo_digests,
            [format!("{}/service/app@{manifest}", registry.address())]
        );
        let mut paths = Paths::default();
        opened.layers.read_all(&mut paths).unwrap();
        assert_eq!(paths.0, ["etc/first", "opt/large", "etc/last"]);
    }
}

#[test]
fn an_index_is_resolved() {
    let Some(registry) = open_registry() else {
        return;
    };
    let arm = sample("arm").platform("linux", "arm64", "v8");
    let amd = sample("amd").platform("linux", "amd64", "");
    let entries: Vec<_> = [(&arm, "arm64"), (&amd, "amd64")]
        .map(|(image, architecture)| {
            registry.push_image("service/index", architecture, image);
            let mut entry = image.oci_manifest().0.descriptor();
            entry["platform"] = serde_json::json!({ "os": "linux", "architecture": architecture });
            entry
        })
        .into();
    let index_type = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({
        "schemaVersion": 2, "mediaType": index_type, "manifests": entries,
    });
    let index = Blob::new(index_type, index.to_string().into_bytes());
    registry.push_manifest("service/index", "all", &index);

    let name = format!("{}/service/index:all", registry.address());
    let platform: Platform = "linux/arm64".parse().unwrap();
    let opened = anonymous()
        .open_image(&name, &name.parse().unwrap(), Some(&platform))
        .unwrap();
    assert_eq!(
        opened.metadata.image_id.unwrap().to_string(),
        arm.image_id()
    );
    assert!(opened.metadata.repo_digests[0].ends_with(&index.digest));
}

#[test]
fn what_is_not_there_is_not_found() {
    let Some(registry) = open_registry() else {
        return;
    };
    let reference = |suffix: &str| -> ImageReference {
        format!("{}/service/{suffix}", registry.address())
            .parse()
            .unwrap()
    };
    for suffix in ["none:1".to_owned(), format!("app@{}", Digest::of(b"none"))] {
        let error = anonymous().open_artifact(&reference(&suffix)).unwrap_err();
        let RegistryError::NotFound { answer, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(answer.codes, ["MANIFEST_UNKNOWN"]);
        assert!(!error.is_temporary());
    }
}

#[test]
fn an_artifact_is_one_verified_stream() {
    let Some(registry) = open_registry() else {
        return;
    };
    let layer_type = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip";
    let config = Blob::new(
        "application/vnd.aquasec.trivy.config.v1+json",
        b"{}".to_vec(),
    );
    let file = Blob::new(layer_type, noise(9 << 20));
    let mut layer = file.descriptor();
    layer["annotations"] = serde_json::json!({ "org.opencontainers.image.title": "db.tar.gz" });
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": manifest_type,
        "config": config.descriptor(), "layers": [layer],
    });
    let manifest = Blob::new(manifest_type, manifest.to_string().into_bytes());
    for blob in [&config, &file] {
        registry.push_blob("service/db", blob);
    }
    registry.push_manifest("service/db", "2", &manifest);

    let reference = format!("{}/service/db:2", registry.address())
        .parse()
        .unwrap();
    let context = ReadContext::default();
    let client = RegistryClient::new(
        HttpOptions::default(),
        CredentialOptions::default(),
        context.clone(),
    )
    .unwrap();
    let artifact = client.open_artifact(&reference).unwrap();
    assert_eq!(
        (artifact.media_type.as_str(), artifact.title.as_str()),
        (layer_type, "db.tar.gz")
    );
    assert_eq!(artifact.manifest_digest.to_string(), manifest.digest);
    let mut bytes = Vec::new();
    artifact.read().unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(Digest::of(&bytes), artifact.digest);
    let counted = context
        .bytes_read
        .load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(
        (counted, artifact.size_bytes),
        (bytes.len() as u64, bytes.len() as u64)
    );
}

#[test]
fn a_registry_that_wants_a_password_gets_it() {
    let Some(value) = service("CLEANBILL_TEST_REGISTRY_AUTH") else {
        return;
    };
    let (user, address) = value.rsplit_once('@').expect("user:password@host:port");
    let (username, password) = user.split_once(':').expect("user:password@host:port");
    let registry = Pusher::new(address, Some(user));
    registry.push_image("service/private", "1", &sample("secret"));
    let name = format!("{address}/service/private:1");
    let open = |client: &RegistryClient| client.open_image(&name, &name.parse().unwrap(), None);

    let error = open(&anonymous()).unwrap_err().to_string();
    assert!(
        error.contains(&format!("`cleanbill login {address}`")),
        "{error}"
    );

    let explicit = |password: &str| CredentialOptions {
        explicit: vec![(
            address.to_owned(),
            Credential::Basic {
                username: username.to_owned(),
                password: Secret::new(password),
            },
        )],
        ..CredentialOptions::default()
    };
    let error = open(&client(explicit("not it"))).unwrap_err().to_string();
    assert!(error.contains("do not suffice"), "{error}");
    let mut paths = Paths::default();
    open(&client(explicit(password)))
        .unwrap()
        .layers
        .read_all(&mut paths)
        .unwrap();
    assert_eq!(paths.0.len(), 3);

    let directory = tempfile::tempdir().unwrap();
    let stored = CredentialOptions {
        config_files: vec![directory.path().join("config.json")],
        ..CredentialOptions::default()
    };
    let stored = client(stored);
    assert!(open(&stored).is_err());
    assert!(
        stored
            .login(address, username, &Secret::new("not it"))
            .is_err()
    );
    stored
        .login(address, username, &Secret::new(password))
        .unwrap();
    open(&stored).unwrap();
}
