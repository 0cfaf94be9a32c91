//! Values as bytes.

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

/// Is a value as it is stored, compressed JSON; or the knowledge that it is stored already, as most
/// are.
#[derive(Debug)]
pub(super) struct PackedJson {
    /// Tells whether a stored value is the same.
    pub(super) digest: Digest,
    /// `None` if the stored value is the same.
    pub(super) bytes: Option<Vec<u8>>,
}

impl PackedJson {
    /// Encodes a value, and compresses it unless it is the one that is stored.
    pub(super) fn new(
        what: &'static str,
        value: &impl Serialize,
        stored: Option<Digest>,
    ) -> Result<Self, StoreError> {
        let text = to_json(what, value)?;
        let digest = Digest::of(&text);
        let is_other = stored != Some(digest);
        let bytes = is_other.then(|| compress(what, &text)).transpose()?;
        Ok(Self { digest, bytes })
    }
}

/// Encodes and compresses a value.
pub(super) fn pack_json(what: &'static str, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    compress(what, &to_json(what, value)?)
}

fn to_json(what: &'static str, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|source| StoreError::EncodeState {
        what,
        source: source.into(),
    })
}

fn compress(what: &'static str, text: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(text, 1).map_err(|source| StoreError::EncodeState { what, source })
}

/// Decodes what [`pack_json`] made.
pub(super) fn decompress<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let size = zstd::zstd_safe::get_frame_content_size(bytes).ok()??;
    if size > JSON_SIZE_BYTES_MAX {
        return None;
    }
    let text = zstd::bulk::decompress(bytes, usize::try_from(size).ok()?).ok()?;
    serde_json::from_slice(&text).ok()
}
