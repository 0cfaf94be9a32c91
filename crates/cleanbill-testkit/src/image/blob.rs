//! Blobs and how they are compressed.

use std::io::Write as _;

use flate2::GzBuilder;
use serde_json::{Value, json};

use super::digest;

/// Tells how a layer is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As a plain tar.
    None,
    /// As gzip.
    Gzip,
    /// As zstd.
    Zstd,
}

impl Compression {
    /// Compresses bytes.
    pub fn apply(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::None => bytes.to_vec(),
            Self::Gzip => gzip(bytes),
            Self::Zstd => zstd(bytes),
        }
    }

    /// Returns the media type of an OCI layer.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::None => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

/// Compresses bytes as gzip, without a time.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(bytes)
        .expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

/// Compresses bytes as zstd.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("writing to memory does not fail")
}

/// Holds a blob with what a descriptor says about it.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its media type.
    pub media_type: String,
    /// Its digest as stated.
    pub digest: String,
    /// Its size as stated.
    pub size_bytes: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Blob {
    /// Describes bytes as they are.
    pub fn new(media_type: &str, bytes: Vec<u8>) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest(&bytes),
            size_bytes: bytes.len() as u64,
            bytes,
        }
    }

    /// Returns the descriptor.
    pub fn descriptor(&self) -> Value {
        json!({
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size_bytes,
        })
    }
}
