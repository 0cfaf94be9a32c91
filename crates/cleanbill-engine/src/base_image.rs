//! Whose layers an image has: its base is the known image with the longest chain of layers that
//! the image's chain begins with.
//!
//! Images become known by being seen (scanned, or listed by the engine that is scanned) and by
//! being imported. The labels of an image only help to choose among names, or are told for what
//! they are where no base is known: a declaration that nobody has verified.

mod advice;
mod list;
#[cfg(test)]
mod tests;

use cleanbill_core::base_image::{
    BaseBasis, BaseImage, Declared, Divergence, NamedChain, by_specificity, chain_ids,
    check_beginning, declared,
};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ArtifactType, ImageReport};
use cleanbill_core::{DiffId, Digest, ImageReference, error_chain};
use cleanbill_image::ImageError;
use cleanbill_image::docker::ImageSummary;
use cleanbill_store::{KnownChain, LayerCache, NamedBy, StoreError};

pub use list::{BaseListError, read_base_list, write_base_list};

/// Names of one base that a report lists.
const NAMES_MAX: usize = 10;

/// Images of an engine that are asked for their layers in one run. The rest is asked in later runs.
const INSPECTED_MAX: usize = 100;

/// Finds the bases of images.
#[derive(Debug)]
pub struct BaseImages<'a> {
    cache: &'a LayerCache,
    named: Option<NamedBase>,
    now: i64,
}

/// The base that the user named.
#[derive(Debug)]
struct NamedBase {
    /// The name as the user gave it.
    name: String,
    /// The images that the name stands for, the newest first: a tag that moved has several.
    images: Vec<StoodFor>,
}

/// An image that a name stands for.
#[derive(Debug)]
struct StoodFor {
    image_id: Option<Digest>,
    diff_ids: Vec<DiffId>,
}

/// Says why the base that the user named is none.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The image was built on something else.
    #[error("{base} is not the base of {image}: {divergence}")]
    NotTheBase {
        /// The named base.
        base: String,
        /// The image.
        image: String,
        /// Where the chains of layers part.
        divergence: Box<Divergence>,
    },
    /// The base has no layers.
    #[error("{base} has no layers: everything is above it")]
    Empty {
        /// The named base.
        base: String,
    },
    /// There is nothing that a base could be a part of.
    #[error("{image} has no layers, so {base} cannot be its base")]
    NoLayers {
        /// The named base.
        base: String,
        /// What was scanned.
        image: String,
    },
}

impl<'a> BaseImages<'a> {
    /// Looks for bases among the images that a cache knows. `now` is in Unix seconds.
    pub fn new(cache: &'a LayerCache, now: i64) -> Self {
        Self {
            cache,
            named: None,
            now,
        }
    }

    /// Takes the base that the user named for all images. Says whether anything is known of it; if
    /// not, [`Self::add_named`] must say what it is.
    pub fn set_named(&mut self, name: &str) -> bool {
        let reference = name.parse().ok();
        let known = reference.map(|reference| or_none(self.cache.chains_named(&reference)));
        let images = known.unwrap_or_default().into_iter().map(|known| StoodFor {
            image_id: known.chain.image_id,
            diff_ids: known.chain.diff_ids,
        });
        let named = self.named.insert(NamedBase {
            name: name.to_owned(),
            images: images.collect(),
        });
        !named.images.is_empty()
    }

    /// Says what the base that the user named stands for now.
    pub fn add_named(&mut self, image_id: Option<Digest>, diff_ids: Vec<DiffId>) {
        if let Some(named) = &mut self.named {
            named.images.insert(0, StoodFor { image_id, diff_ids });
        }
    }

    /// Checks that the base that the user named, if any, can be that of an image.
    ///
    /// # Errors
    ///
    /// It cannot.
    pub fn check(&self, image_name: &str, diff_ids: &[DiffId]) -> Result<(), BaseError> {
        match &self.named {
            Some(named) => named.image_below(image_name, diff_ids).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Remembers an image under its names. Says whether any of them was new.
    pub fn remember(&self, image: &ImageReport) -> bool {
        let diff_ids = image.diff_ids();
        if !has_layers_of_its_own(image) || diff_ids.is_empty() {
            return false;
        }
        let metadata = &image.metadata;
        let names = match metadata.repo_tags.as_slice() {
            [] => metadata.repo_digests.get(..1).unwrap_or_default(),
            tags => tags,
        };
        let references = names.iter().filter_map(|name| name.parse().ok());
        self.remember_as(
            references,
            named_by(&image.source),
            metadata.image_id,
            &diff_ids,
        )
    }

    /// Remembers an image under names. Says whether any of them was new.
    pub fn remember_as(
        &self,
        references: impl IntoIterator<Item = ImageReference>,
        named_by: NamedBy,
        image_id: Option<Digest>,
        diff_ids: &[DiffId],
    ) -> bool {
        let mut is_new = false;
        for reference in references {
            let chain = NamedChain {
                reference,
                image_id,
                diff_ids: diff_ids.to_vec(),
            };
            match self.cache.chain_put(&chain, named_by, self.now) {
                Ok(was_new) => is_new |= was_new,
                // What is not remembered is found again when it is scanned again.
                Err(error) => tracing::debug!("{}", error_chain(&error)),
            }
        }
        is_new
    }

    /// Remembers the images of an engine. Those whose id is not known are asked for their layers.
    pub fn learn(
        &self,
        listed: &[ImageSummary],
        diff_ids: impl Fn(&Digest) -> Result<Option<Vec<DiffId>>, ImageError>,
    ) {
        let mut inspected = 0;
        for image in listed.iter().filter(|image| !image.tags.is_empty()) {
            let known = or_none(self.cache.chain_of_image(&image.id));
            let layers = match known {
                Some(known) => known.chain.diff_ids,
                None if inspected == INSPECTED_MAX => continue,
                None => {
                    inspected += 1;
                    match diff_ids(&image.id) {
                        Ok(layers) => layers.unwrap_or_default(),
                        Err(error) => {
                            tracing::debug!(image.id = %image.id, "{}", error_chain(&error));
                            continue;
                        }
                    }
                }
            };
            let references = image.tags.iter().filter_map(|tag| tag.parse().ok());
            self.remember_as(references, NamedBy::Source, Some(image.id), &layers);
        }
    }

    /// Finds the base of an image, and says of each finding whose it is.
    ///
    /// # Errors
    ///
    /// The base that the user named cannot be that of the image.
    pub fn attribute(&self, image: &mut ImageReport) -> Result<(), BaseError> {
        image.base = self.base_of(image)?;
        let layer_count = image.base.as_ref().and_then(|base| base.layer_count);
        if let Some(layer_count) = layer_count {
            image.assign_origins(usize::try_from(layer_count).unwrap_or(usize::MAX));
        }
        Ok(())
    }

    fn base_of(&self, image: &ImageReport) -> Result<Option<BaseImage>, BaseError> {
        if image.status == AssessmentStatus::Failed {
            return Ok(None);
        }
        let diff_ids = match has_layers_of_its_own(image) {
            true => image.diff_ids(),
            false => Vec::new(),
        };
        let ids = chain_ids(&diff_ids);
        if let Some(named) = &self.named {
            let below = named.image_below(&image.artifact_name, &diff_ids)?;
            let ids = ids.get(..below.diff_ids.len()).unwrap_or_default();
            let mut same = or_none(self.cache.chains_longest(ids, |_| true));
            same.retain(|known| known.chain.diff_ids == below.diff_ids);
            drop_claims(&mut same);
            let mut base = base_image(&same, None, BaseBasis::Named);
            base.layer_count = Some(below.diff_ids.len() as u64);
            base.image_id = below.image_id.or(base.image_id);
            base.names.retain(|name| *name != named.familiar());
            base.names.insert(0, named.familiar());
            base.names.truncate(NAMES_MAX);
            return Ok(Some(base));
        }
        let declared = declared(&image.metadata.config);
        let known = self.known_base(&own_names(image), &ids, declared.as_ref());
        Ok(known.or_else(|| {
            let declared = declared.filter(|_| !ids.is_empty())?;
            Some(BaseImage {
                names: vec![declared.to_string()],
                basis: BaseBasis::Declared,
                ..BaseImage::default()
            })
        }))
    }

    /// Finds the known image with the longest chain that an image's chain begins with. One with all
    /// its layers is its base only if it declares so: else it may be the same under another name.
    /// What has the image's own name is an earlier build of it, and what is in its own repository
    /// may be one: the latter is its base only if it declares so.
    fn known_base(
        &self,
        own_names: &[ImageReference],
        chain_ids: &[Digest],
        declared: Option<&Declared>,
    ) -> Option<BaseImage> {
        let (all, below) = chain_ids.split_last()?;
        let can_be_base = |known: &KnownChain| {
            let reference = &known.chain.reference;
            let is_declared = match declared {
                Some(Declared::Name(name)) => name == reference,
                Some(Declared::Digest(digest)) => reference.digest == Some(*digest),
                None => false,
            };
            own_names.iter().all(|own| {
                own != reference && (is_declared || own.context() != reference.context())
            })
        };
        if let Some(Declared::Name(reference)) = declared {
            let mut same = or_none(self.cache.chains_longest(&[*all], can_be_base));
            drop_claims(&mut same);
            if same.iter().any(|known| known.chain.reference == *reference) {
                return Some(base_image(&same, Some(reference), BaseBasis::Chain));
            }
        }
        let mut found = or_none(self.cache.chains_longest(below, can_be_base));
        drop_claims(&mut found);
        let reference = match declared {
            Some(Declared::Name(reference)) => Some(reference),
            _ => None,
        };
        (!found.is_empty()).then(|| base_image(&found, reference, BaseBasis::Chain))
    }
}

impl NamedBase {
    /// Returns the image with the longest chain that a chain of layers begins with.
    fn image_below(&self, image_name: &str, diff_ids: &[DiffId]) -> Result<&StoodFor, BaseError> {
        if diff_ids.is_empty() {
            return Err(BaseError::NoLayers {
                base: self.familiar(),
                image: image_name.to_owned(),
            });
        }
        let mut divergence = None;
        let mut longest: Option<&StoodFor> = None;
        for image in self
            .images
            .iter()
            .filter(|image| !image.diff_ids.is_empty())
        {
            match check_beginning(&image.diff_ids, diff_ids) {
                Ok(()) if longest.is_none_or(|one| one.diff_ids.len() < image.diff_ids.len()) => {
                    longest = Some(image);
                }
                Ok(()) => {}
                Err(error) => {
                    divergence.get_or_insert(error);
                }
            }
        }
        longest.ok_or_else(|| match divergence {
            None => BaseError::Empty {
                base: self.familiar(),
            },
            Some(divergence) => BaseError::NotTheBase {
                base: self.familiar(),
                image: image_name.to_owned(),
                divergence: Box::new(divergence),
            },
        })
    }

    /// Returns the name as reports print it: completed, if it is one of an image.
    fn familiar(&self) -> String {
        match self.name.parse::<ImageReference>() {
            Ok(reference) => reference.familiar(),
            Err(_) => self.name.clone(),
        }
    }
}

/// Returns the names that an image has itself, where it was scanned.
fn own_names(image: &ImageReport) -> Vec<ImageReference> {
    let metadata = &image.metadata;
    let names = metadata.repo_tags.iter().chain(&metadata.repo_digests);
    names.filter_map(|name| name.parse().ok()).collect()
}

/// Says who names the images of a source, by the word that reports print for it.
fn named_by(source: &str) -> NamedBy {
    match source {
        "docker" | "podman" | "containerd" | "registry" => NamedBy::Source,
        _ => NamedBy::Archive,
    }
}

/// Leaves out the names that only archives have for an image, if it has others.
fn drop_claims(known: &mut Vec<KnownChain>) {
    if known.iter().any(|known| !known.is_claimed) {
        known.retain(|known| !known.is_claimed);
    }
}

/// Describes known images with equal chains as one base; the preferred name comes first.
fn base_image(
    known: &[KnownChain],
    preferred: Option<&ImageReference>,
    basis: BaseBasis,
) -> BaseImage {
    let mut references: Vec<&ImageReference> =
        known.iter().map(|known| &known.chain.reference).collect();
    references.sort_by(|a, b| {
        let is_other = |reference: &&ImageReference| Some(*reference) != preferred;
        let order = is_other(a).cmp(&is_other(b));
        order.then_with(|| by_specificity(a, b))
    });
    let first = references.first();
    let of_first = known
        .iter()
        .find(|known| Some(&&known.chain.reference) == first);
    BaseImage {
        image_id: of_first.and_then(|known| known.chain.image_id),
        layer_count: of_first.map(|known| known.chain.diff_ids.len() as u64),
        names: references
            .iter()
            .take(NAMES_MAX)
            .map(|reference| reference.familiar())
            .collect(),
        basis,
        advice: Vec::new(),
    }
}

/// Says whether the layers of a report are those of what was scanned: an SBOM names the layers of
/// the image that it describes.
fn has_layers_of_its_own(image: &ImageReport) -> bool {
    image.artifact_type == ArtifactType::ContainerImage && image.status != AssessmentStatus::Failed
}

/// A cache that cannot be used makes bases unknown, not wrong.
fn or_none<T: Default>(found: Result<T, StoreError>) -> T {
    found.unwrap_or_else(|error| {
        tracing::warn!("{}; going on without the known images", error_chain(&error));
        T::default()
    })
}
