//! An opened image.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use cleanbill_core::image::{ImageConfig, ImageMetadata};
use cleanbill_core::layer::{LayerError, LayerReader};

use crate::ImageError;
use crate::oci::Platform;

/// Holds an opened image.
#[derive(Clone)]
pub struct Image {
    /// The name by which reports call it: as the user gave it.
    pub name: String,
    /// The source, by the word that reports print: `docker`, `docker-archive`, `oci-layout`,
    /// `registry`, `rootfs` …
    pub source: &'static str,
    /// How the bytes are reached (`overlay2 in place`, `export stream` …), for the log.
    pub access: String,
    /// What the image says about itself. Every layer has its diff id.
    pub metadata: ImageMetadata,
    /// Opens the layers.
    pub layers: Arc<dyn LayerSource>,
}

impl Image {
    /// Checks that the image is for a platform that was asked for. What it does not say of itself
    /// fits.
    ///
    /// # Errors
    ///
    /// It is for another one: the error names both.
    pub fn check_platform(&self, wanted: &Platform) -> Result<(), ImageError> {
        let config = &self.metadata.config;
        let or_wanted = |own: &str, wanted: &str| match own {
            "" => wanted.to_owned(),
            own => own.to_owned(),
        };
        let own = Platform {
            os: or_wanted(&config.os, &wanted.os),
            architecture: or_wanted(&config.architecture, &wanted.architecture),
            variant: config.variant.clone(),
            os_version: config.os_version.clone(),
        };
        let asked = Platform {
            variant: match own.variant.as_str() {
                "" => String::new(),
                _ => wanted.variant.clone(),
            },
            ..wanted.clone()
        };
        if asked.accepts(&own) {
            return Ok(());
        }
        Err(ImageError::NotFound {
            what: format!("platform {wanted}"),
            place: format!("image {}, which is for {own}", self.name),
        })
    }

    /// Completes the metadata with what came by when the layers were read, see
    /// [`LayerSource::late_config`]. To be asked after that.
    ///
    /// # Errors
    ///
    /// The configuration cannot be had, or is one of other layers.
    pub fn completed(&self) -> Result<Cow<'_, Self>, ImageError> {
        let Some(config) = self.layers.late_config()? else {
            return Ok(Cow::Borrowed(self));
        };
        let mut image = self.clone();
        let layers = &mut image.metadata.layers;
        let is_same = config.diff_ids().is_ok_and(|diff_ids| {
            layers.len() == diff_ids.len()
                && layers
                    .iter()
                    .zip(&diff_ids)
                    .all(|(layer, diff_id)| layer.id.diff_id == *diff_id)
        });
        if !is_same {
            return Err(ImageError::Malformed {
                what: format!("configuration of image {}", self.name),
                reason: "it lists other layers than the engine does".to_owned(),
            });
        }
        let history = config.layer_history(layers.len()).unwrap_or_default();
        for (layer, entry) in layers.iter_mut().zip(history) {
            layer.created_by.clone_from(&entry.created_by);
        }
        image.metadata.config = config;
        Ok(Cow::Owned(image))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("name", &self.name)
            .field("source", &self.source)
            .field("access", &self.access)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// Opens the layers of one image.
pub trait LayerSource: Send + Sync {
    /// Opens the layer at `index` (0 is the base).
    ///
    /// # Errors
    ///
    /// The layer is not there or cannot be reached.
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError>;

    /// Says that opening one layer costs about as much as reading all of them (one stream holds
    /// them): then [`LayerSource::read_all`] is the way to read several.
    fn is_sequential(&self) -> bool {
        false
    }

    /// Says that a layer's diff id is the digest of its content, so that its inventory may be
    /// kept under it. A directory on disk has no such identity.
    fn is_content_addressed(&self) -> bool {
        true
    }

    /// Returns the stored configuration, where opening the image left it out because it stands in
    /// one stream with the layers: after these were read it costs nothing, before it costs a pass
    /// of its own. `None` where the metadata are complete.
    ///
    /// # Errors
    ///
    /// It is needed, and cannot be had.
    fn late_config(&self) -> Result<Option<ImageConfig>, ImageError> {
        Ok(None)
    }

    /// Returns the bytes of a layer as it is stored, where known: layers are read largest first.
    fn stored_size_bytes(&self, _index: usize) -> Option<u64> {
        None
    }

    /// Streams every layer once, in the order in which they are stored. Each is walked by the
    /// sink and identified by the diff id of the summary that the walk returns.
    ///
    /// # Errors
    ///
    /// The stream failed, is malformed, or does not hold what the image states.
    fn read_all(&self, sink: &mut dyn LayerSink) -> Result<(), ImageError>;
}

/// Takes layers as they come by.
pub trait LayerSink {
    /// Walks one layer.
    ///
    /// # Errors
    ///
    /// The walk failed.
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoLayers;

    fn no_layer() -> ImageError {
        ImageError::NotFound {
            what: "a layer".to_owned(),
            place: "this image".to_owned(),
        }
    }

    impl LayerSource for NoLayers {
        fn open_layer(&self, _: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError> {
            Err(no_layer())
        }

        fn read_all(&self, _: &mut dyn LayerSink) -> Result<(), ImageError> {
            Err(no_layer())
        }
    }

    #[track_caller]
    fn check(own: [&str; 3], wanted: &str, error: Option<&str>) {
        let [os, architecture, variant] = own.map(str::to_owned);
        let image = Image {
            name: "web:1".to_owned(),
            source: "docker",
            access: String::new(),
            metadata: ImageMetadata {
                config: ImageConfig {
                    os,
                    architecture,
                    variant,
                    ..ImageConfig::default()
                },
                ..ImageMetadata::default()
            },
            layers: Arc::new(NoLayers),
        };
        let outcome = image.check_platform(&wanted.parse().unwrap());
        let said = outcome.err().map(|error| error.to_string());
        assert_eq!(said.as_deref(), error, "{own:?} {wanted}");
    }

    #[test]
    fn an_image_for_another_platform_is_refused() {
        check(["linux", "amd64", ""], "linux/amd64", None);
        check(["linux", "arm64", ""], "linux/aarch64/v8", None);
        check(["linux", "arm", "v6"], "linux/arm", None);
        check(["", "", ""], "linux/arm64/v8", None);
        check(["", "arm", ""], "linux/arm/v5", None);
        check(
            ["linux", "amd64", ""],
            "linux/arm64",
            Some("platform linux/arm64 not found in image web:1, which is for linux/amd64"),
        );
        check(
            ["linux", "arm", "v6"],
            "linux/arm/v7",
            Some("platform linux/arm/v7 not found in image web:1, which is for linux/arm/v6"),
        );
        check(
            ["windows", "amd64", ""],
            "linux/amd64",
            Some("platform linux/amd64 not found in image web:1, which is for windows/amd64"),
        );
    }
}
