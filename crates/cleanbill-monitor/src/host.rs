//! What the monitor sees of a host: its images, and what can be found out about them.

use std::error::Error;
use std::fmt;

use cleanbill_core::image::{ImageMetadata, LayerMetadata};
use cleanbill_core::inventory::ImageInventory;
use cleanbill_core::package::LayerId;
use cleanbill_core::report::ImageReport;
use cleanbill_core::{DiffId, Digest};
use cleanbill_engine::{Inventoried, KnownImage};
use serde::{Deserialize, Serialize};

use crate::notify::ExpiringException;
use crate::watchlist::{Listing, WatchedImage};

/// Is the host that is watched. The real one speaks with an engine; tests have others.
pub trait Host: Sync {
    /// Names it in messages.
    fn place(&self) -> String;

    /// Lists what is there now.
    ///
    /// # Errors
    ///
    /// The engine does not answer.
    fn list(&self) -> Result<Listing, HostError>;

    /// Looks at an image: reads what is not known of it, and judges it. What fails is in the
    /// report. Findings of every severity are in it; exceptions have been applied.
    fn look(&self, image: &WatchedImage) -> Look;

    /// Judges an image again that was looked at before, as [`Host::look`] does.
    fn judge(&self, name: &str, image: StoredImage) -> ImageReport;

    /// Says what determines the findings beside the images.
    fn grounds(&self) -> Grounds;

    /// Gets a newer advisory database if one is due. Returns whether the grounds are others now.
    ///
    /// # Errors
    ///
    /// A newer one was due and could not be had; the one in use stays.
    fn refresh(&self) -> Result<bool, HostError>;

    /// Says whether the program is about to end: what was read may have been cut short.
    fn is_over(&self) -> bool {
        false
    }

    /// Lists the exceptions that expire soon, the first to expire first.
    fn expiring(&self) -> Vec<ExpiringException> {
        Vec::new()
    }

    /// Makes room: removes what is kept for speed only and was not needed for long.
    fn tidy(&self) {}

    /// Forgets what is kept in memory for speed only: there was much to do, and there is nothing now.
    fn rest(&self) {}

    /// Calls back when it follows, since what happened before shows in the list only, and whenever
    /// something happened to an image or a container, until the connection ends: follow again then.
    ///
    /// # Errors
    ///
    /// The engine does not answer, or the connection broke.
    fn follow(&self, happened: &mut dyn FnMut()) -> Result<(), HostError>;
}

/// Says why a host did not do what it was asked for.
#[derive(Debug)]
pub struct HostError(Box<dyn Error + Send + Sync>);

impl HostError {
    /// Wraps a cause.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cleanbill_core::error_chain(self.0.as_ref()))
    }
}

impl Error for HostError {}

/// What a look at an image found.
#[derive(Debug)]
pub struct Look {
    /// The report, with findings of every severity.
    pub report: ImageReport,
    /// What is installed in it; `None` if it could not be read.
    pub image: Option<StoredImage>,
}

/// What determines findings beside the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// When the advisory database was built, RFC 3339; empty if there is none.
    pub database_updated_at: String,
    /// Filters, exceptions, the version of the extractors: equal texts mean equal rules.
    pub rules: String,
    /// What made the inventories: the version of the extractors, and what is left out.
    pub reading: String,
}

/// Is an image as it is kept to be judged again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredImage {
    source: String,
    image_id: Option<Digest>,
    repo_tags: Vec<String>,
    repo_digests: Vec<String>,
    layers: Vec<StoredLayer>,
    inventory: ImageInventory,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredLayer {
    digest: Option<Digest>,
    diff_id: DiffId,
    size_bytes: Option<u64>,
    created_by: String,
}

impl From<KnownImage> for StoredImage {
    fn from(mut image: KnownImage) -> Self {
        image.inventoried.inventory.forget_files();
        let sizes = image.inventoried.layer_sizes_bytes;
        let layers = image.metadata.layers.into_iter().enumerate();
        Self {
            source: image.source,
            image_id: image.metadata.image_id,
            repo_tags: image.metadata.repo_tags,
            repo_digests: image.metadata.repo_digests,
            layers: layers
                .map(|(index, layer)| StoredLayer {
                    digest: layer.id.digest,
                    diff_id: layer.id.diff_id,
                    size_bytes: layer.size_bytes.or(sizes.get(index).copied().flatten()),
                    created_by: layer.created_by,
                })
                .collect(),
            inventory: image.inventoried.inventory,
        }
    }
}

impl StoredImage {
    /// Returns what judging needs, under a name.
    pub fn into_known(self, name: &str) -> KnownImage {
        let layer_sizes_bytes = self.layers.iter().map(|layer| layer.size_bytes).collect();
        let layers = self.layers.into_iter().map(|layer| LayerMetadata {
            id: LayerId {
                digest: layer.digest,
                diff_id: layer.diff_id,
            },
            size_bytes: layer.size_bytes,
            created_by: layer.created_by,
        });
        KnownImage {
            name: name.to_owned(),
            source: self.source,
            metadata: ImageMetadata {
                image_id: self.image_id,
                repo_tags: self.repo_tags,
                repo_digests: self.repo_digests,
                layers: layers.collect(),
                ..ImageMetadata::default()
            },
            inventoried: Inventoried {
                inventory: self.inventory,
                layer_sizes_bytes,
            },
        }
    }
}
