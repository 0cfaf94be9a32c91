//! A real registry that takes pushes without TLS: `CLEANBILL_TEST_REGISTRY=host:port`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use cleanbill_testkit::{Blob, Compression, ImageBuilder};

use crate::samples;
use crate::sandbox::{Sandbox, finding_ids};
use crate::service_docker::service;

/// The few requests that put an image into a registry. Independent of the client under test.
struct Registry {
    address: String,
}

impl Registry {
    fn connect() -> Option<Self> {
        service("CLEANBILL_TEST_REGISTRY").map(|address| Self { address })
    }

    /// Pushes an image. Returns the digest of its manifest.
    fn push(&self, repository: &str, tag: &str, image: &ImageBuilder) -> String {
        let (manifest, blobs) = image.oci_manifest();
        for blob in &blobs {
            self.push_blob(repository, blob);
        }
        let target = format!("/v2/{repository}/manifests/{tag}");
        let answer = self.send("PUT", &target, &manifest.media_type, &manifest.bytes);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        manifest.digest
    }

    fn push_blob(&self, repository: &str, blob: &Blob) {
        let target = format!("/v2/{repository}/blobs/uploads/");
        let answer = self.send("POST", &target, "application/octet-stream", b"");
        let place = answer
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .unwrap();
        let path = place
            .split_once(&self.address)
            .map_or(place, |(_, path)| path);
        let target = format!("{path}&digest={}", blob.digest);
        let answer = self.send("PUT", &target, "application/octet-stream", &blob.bytes);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }

    fn send(&self, method: &str, target: &str, media_type: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: {media_type}\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[test]
fn an_image_is_scanned_by_tag_and_digest_however_it_is_compressed() {
    let Some(registry) = Registry::connect() else {
        return;
    };
    for (tag, compression) in [
        ("plain", Compression::None),
        ("gzip", Compression::Gzip),
        ("zstd", Compression::Zstd),
    ] {
        let sandbox = Sandbox::new();
        let digest = registry.push(
            "cleanbill-e2e/web",
            tag,
            &samples::web().compression(compression),
        );
        let repository = format!("registry:{}/cleanbill-e2e/web", registry.address);
        for name in [
            format!("{repository}:{tag}"),
            format!("{repository}@{digest}"),
        ] {
            let report = sandbox
                .run(&format!("scan -f json {name}"))
                .exits(0)
                .warns_nothing()
                .json();
            assert_eq!(finding_ids(&report)[0].len(), 3, "{name}");
            assert!(
                report["images"][0]["repo_digests"]
                    .to_string()
                    .contains(&digest),
                "{report:#}"
            );
        }
    }
}

#[test]
fn layers_that_are_known_are_not_fetched() {
    let Some(registry) = Registry::connect() else {
        return;
    };
    let sandbox = Sandbox::new();
    // The registry never gets the layers: only the manifest and the configuration are there.
    let image = samples::debian("known:1").layer(|layer| layer.file("srv/known", "1"));
    let (manifest, blobs) = image.oci_manifest();
    registry.push("cleanbill-e2e/known", "whole", &image);
    let name = format!("registry:{}/cleanbill-e2e/known:whole", registry.address);
    let first = sandbox.run(&format!("scan -f json {name}")).exits(0).json();
    for blob in &blobs[1..] {
        let target = format!("/v2/cleanbill-e2e/known/blobs/{}", blob.digest);
        registry.send("DELETE", &target, "", b"");
    }
    let second = sandbox.run(&format!("scan -f json {name}")).exits(0).json();
    assert_eq!(first["images"], second["images"]);
    // The deletion counts: without the cache the scan fails, if the registry allows deletions.
    let target = format!("/v2/cleanbill-e2e/known/blobs/{}", blobs[1].digest);
    if registry
        .send("GET", &target, "", b"")
        .starts_with("HTTP/1.1 404")
    {
        sandbox
            .run(&format!("--cache-dir fresh scan --db-path cache/db {name}"))
            .exits(3);
    } else {
        eprintln!("the registry allows no deletions: {}", manifest.digest);
    }
}

#[test]
fn what_the_registry_has_not_is_exit_3() {
    let Some(registry) = Registry::connect() else {
        return;
    };
    let sandbox = Sandbox::new();
    let name = format!("registry:{}/cleanbill-e2e/absent:1", registry.address);
    sandbox
        .run(&format!("scan {name}"))
        .exits(3)
        .prints(&["cleanbill-e2e/absent:1", "404"]);
}

#[test]
fn the_doctor_reaches_the_registry() {
    let Some(registry) = Registry::connect() else {
        return;
    };
    let sandbox = Sandbox::new();
    let call = format!("doctor {0} --db-repository {0}/db", registry.address);
    let outcome = sandbox.run(&call);
    outcome.prints(&[&format!("{} answers at", registry.address)]);
}
