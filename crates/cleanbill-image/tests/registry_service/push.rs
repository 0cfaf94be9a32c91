//! The few requests that put an image into a registry. Independent of the client under test.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cleanbill_testkit::{Blob, ImageBuilder};

/// Pushes over plain HTTP.
pub(crate) struct Pusher {
    address: String,
    /// The value of the `Authorization` header.
    authorization: Option<String>,
}

impl Pusher {
    /// Takes the registry's `host:port`, and `user:password` if it wants them.
    pub(crate) fn new(address: &str, user: Option<&str>) -> Self {
        let authorization = user.map(|user| format!("Basic {}", BASE64_STANDARD.encode(user)));
        Self {
            address: address.to_owned(),
            authorization,
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Pushes an image with all its blobs. Returns the digest of its manifest.
    pub(crate) fn push_image(&self, repository: &str, tag: &str, image: &ImageBuilder) -> String {
        let (manifest, blobs) = image.oci_manifest();
        for blob in &blobs {
            self.push_blob(repository, blob);
        }
        self.push_manifest(repository, tag, &manifest);
        manifest.digest
    }

    #[track_caller]
    pub(crate) fn push_blob(&self, repository: &str, blob: &Blob) {
        let target = format!("/v2/{repository}/blobs/uploads/");
        let answer = self.send("POST", &target, "application/octet-stream", b"");
        let location = answer
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .unwrap_or_else(|| panic!("no place to upload to: {answer}"));
        let path = location
            .split_once(&self.address)
            .map_or(location, |(_, path)| path);
        let target = format!("{path}&digest={}", blob.digest);
        let answer = self.send("PUT", &target, "application/octet-stream", &blob.bytes);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }

    #[track_caller]
    pub(crate) fn push_manifest(&self, repository: &str, tag: &str, manifest: &Blob) {
        let target = format!("/v2/{repository}/manifests/{tag}");
        let answer = self.send("PUT", &target, &manifest.media_type, &manifest.bytes);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }

    fn send(&self, method: &str, target: &str, media_type: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let authorization = match &self.authorization {
            Some(value) => format!("Authorization: {value}\r\n"),
            None => String::new(),
        };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{authorization}\
             Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
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
