//! Values as bytes.

use std::borrow::Cow;
use std::io::Read as _;

use cleanbill_core::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;
use crate::packed::{pack, unpack};

/// No honest value decodes to more.
const JSON_SIZE_BYTES_MAX: u64 = 256 << 20;

/// Holds an inventory as bytes. What it is an inventory of, and its type, is its maker's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedInventory {
    pub(super) bytes: Vec<u8>,
    pub(super) size_bytes: u64,
}

impl PackedInventory {
    /// Encodes an inventory.
    ///
    /// # Errors
    ///
    /// It cannot be encoded.
    pub fn new(inventory: &impl Serialize) -> Result<Self, StoreError> {
        let (bytes, size_bytes) = pack(inventory).map_err(|source| StoreError::EncodeState {
            what: "an inventory",
            source,
        })?;
        Ok(Self { bytes, size_bytes })
    }

    /// Decodes it; `None` if it is damaged or of another type. Then the image is to be read again.
    pub fn unpack<T: DeserializeOwned>(&self) -> Option<T> {
        unpack(&self.bytes, self.size_bytes)
    }
}

/// Holds a value as JSON before it is compressed: most values are those that are stored already.
#[derive(Debug)]
pub(super) struct Json {
    text: Vec<u8>,
    /// The compressed text, if it was compressed already.
    compressed: Option<Vec<u8>>,
    /// Tells whether a stored value is the same.
    pub(super) digest: Digest,
}

impl Json {
    pub(super) fn new(what: &'static str, value: &impl Serialize) -> Result<Self, StoreError> {
        let text = serde_json::to_vec(value).map_err(|source| StoreError::EncodeState {
            what,
            source: source.into(),
        })?;
        let digest = Digest::of(&text);
        Ok(Self {
            text,
            compressed: None,
            digest,
        })
    }

    /// Compresses the value unless it is the one that is stored.
    pub(super) fn compress_unless(
        mut self,
        what: &'static str,
        stored: Option<Digest>,
    ) -> Result<Self, StoreError> {
        if stored != Some(self.digest) {
            self.compressed = Some(self.compress(what)?.into_owned());
        }
        Ok(self)
    }

    pub(super) fn compress(&self, what: &'static str) -> Result<Cow<'_, [u8]>, StoreError> {
        if let Some(bytes) = &self.compressed {
            return Ok(Cow::Borrowed(bytes));
        }
        zstd::bulk::compress(&self.text, 1)
            .map(Cow::Owned)
            .map_err(|source| StoreError::EncodeState { what, source })
    }
}

/// Decodes what [`Json::compress`] made.
pub(super) fn decompress<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let mut text = Vec::new();
    zstd::stream::read::Decoder::with_buffer(bytes)
        .ok()?
        .take(JSON_SIZE_BYTES_MAX)
        .read_to_end(&mut text)
        .ok()?;
    serde_json::from_slice(&text).ok()
}
