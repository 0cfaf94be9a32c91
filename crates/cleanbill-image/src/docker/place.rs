//! Layers where the engine keeps them: what decides, and what comes of it.

use std::fmt;
use std::sync::Arc;

use cleanbill_core::image::ImageConfig;
use cleanbill_core::{Digest, Limits};

use super::model::EngineInfo;
use crate::capabilities::Capabilities;
use crate::{LayerSource, ReadContext};

/// Holds what the decision depends on besides the image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) info: &'a EngineInfo,
    pub(super) capabilities: Capabilities,
    pub(super) context: &'a ReadContext,
}

/// Offers an image's layers in place.
pub(super) struct InPlace {
    /// What the log and reports call the way.
    pub(super) access: &'static str,
    /// The layers.
    pub(super) layers: Arc<dyn LayerSource>,
    /// The digests of layers that are stored compressed, base first; empty if none is.
    pub(super) digests: Vec<Option<Digest>>,
    /// The stored configuration, where it could be read.
    pub(super) config: Option<ImageConfig>,
}

/// Says why an image's layers are not read in place.
#[derive(Debug)]
pub(super) struct NotInPlace(String);

impl NotInPlace {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for NotInPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a configuration whose digest is known.
pub(super) fn parse_config(
    bytes: &[u8],
    expected: &Digest,
    limits: &Limits,
) -> Result<ImageConfig, NotInPlace> {
    let actual = Digest::of(bytes);
    if actual != *expected {
        return Err(NotInPlace(format!(
            "configuration {expected} has digest {actual}"
        )));
    }
    crate::oci::parse_json(bytes, &format!("configuration {expected}"), limits)
        .map_err(|error| NotInPlace(error.to_string()))
}
