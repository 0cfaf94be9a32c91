//! Images that are judged without being there.

use cleanbill_core::image::ImageMetadata;
use cleanbill_image::Image;

use crate::inventories::Inventoried;

/// Is an image whose inventory is known: all that judging needs. The image itself may be gone.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownImage {
    /// The name by which reports call it.
    pub name: String,
    /// The source, by the word that reports print.
    pub source: String,
    /// What the image says about itself.
    pub metadata: ImageMetadata,
    /// What is installed in it.
    pub inventoried: Inventoried,
}

impl KnownImage {
    /// Takes over what judging needs of an opened image.
    pub fn new(image: &Image, inventoried: Inventoried) -> Self {
        Self {
            name: image.name.clone(),
            source: image.source.to_owned(),
            metadata: image.metadata.clone(),
            inventoried,
        }
    }
}
