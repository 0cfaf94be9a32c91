//! Base images: which layers of an image are another image's too, and what that says about its
//! findings.
//!
//! An image that was built `FROM` another begins with the layers of that other one. No file of an
//! image names its base reliably, but the layers do: an image whose chain of diff ids is the
//! beginning of another's chain is a base of it. Nothing here is guessed: where a layer does not
//! tell whose it is, a finding has no origin.

mod name;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;

use crate::image::ImageConfig;
use crate::report::{ImageReport, SeverityCounts};
use crate::{DiffId, Digest, ImageReference};

/// Pairs the name of an image with its layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedChain {
    /// The name.
    pub reference: ImageReference,
    /// The digest of the configuration, where known.
    pub image_id: Option<Digest>,
    /// The layers, base first.
    pub diff_ids: Vec<DiffId>,
}

/// Says whose layer brought the package of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A layer of the base image.
    Base,
    /// A layer that was put on top of it.
    Own,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Origin; 2] = [Origin::Base, Origin::Own];

    /// Returns the word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Base => "base",
            Origin::Own => "own",
        }
    }
}

/// Says how a base image is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BaseBasis {
    /// Its chain of layers is the beginning of the image's.
    #[default]
    Chain,
    /// The user named it, and its chain agrees.
    Named,
    /// The image declares it; its chain is not known, so nothing is verified.
    Declared,
}

impl BaseBasis {
    /// Every way.
    pub const ALL: [BaseBasis; 3] = [BaseBasis::Chain, BaseBasis::Named, BaseBasis::Declared];

    /// Returns the word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            BaseBasis::Chain => "chain",
            BaseBasis::Named => "named",
            BaseBasis::Declared => "declared",
        }
    }
}

/// Describes the base of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseImage {
    /// What it is called, the best name first: images with the same layers have several names.
    pub names: Vec<String>,
    /// The digest of its configuration, where known.
    pub image_id: Option<Digest>,
    /// How many layers of the image are the base's, from the lowest; `None` where that is unknown
    /// because the base is only declared.
    pub layer_count: Option<u64>,
    /// How it is known.
    pub basis: BaseBasis,
    /// Bases that would be better, the best first.
    pub advice: Vec<BaseAdvice>,
}

/// Recommends another base of the same repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseAdvice {
    /// What it is called. The name of the base itself means that the name has moved to a newer
    /// image since.
    pub name: String,
    /// The findings of the image that would go.
    pub removed: SeverityCounts,
    /// The findings that would come.
    pub added: SeverityCounts,
}

/// Counts findings by origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OriginCounts {
    /// Those that the base brings.
    pub base: u64,
    /// Those of the own layers.
    pub own: u64,
    /// Those of which no layer is known, or one that both parts have.
    pub unknown: u64,
}

impl OriginCounts {
    /// Returns how many findings there are.
    pub fn total(&self) -> u64 {
        self.base
            .saturating_add(self.own)
            .saturating_add(self.unknown)
    }
}

/// Says where the chain of a supposed base departs from that of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The layer, counted from 0.
    pub index: usize,
    /// What the supposed base has there.
    pub base: DiffId,
    /// What the image has there; `None` if it has no such layer.
    pub image: Option<DiffId>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer {} is {} in the base ", self.index, self.base)?;
        match self.image {
            Some(diff_id) => write!(f, "and {diff_id} in the image"),
            None => write!(f, "and the image has {} layers only", self.index),
        }
    }
}

/// Checks that a chain of layers begins with that of a base. Equal chains do.
///
/// # Errors
///
/// It does not; the error says where.
pub fn check_beginning(base: &[DiffId], image: &[DiffId]) -> Result<(), Divergence> {
    let departs = |(index, diff_id): &(usize, &DiffId)| image.get(*index) != Some(*diff_id);
    match base.iter().enumerate().find(departs) {
        None => Ok(()),
        Some((index, diff_id)) => Err(Divergence {
            index,
            base: *diff_id,
            image: image.get(index).copied(),
        }),
    }
}

/// Returns the chain ids of every beginning of a chain, that of the lowest layer first: two chains
/// have the same chain id only if they are equal.
///
/// Source: OCI image-spec 1.1, config.md ("Layer ChainID").
pub fn chain_ids(diff_ids: &[DiffId]) -> Vec<Digest> {
    let mut ids: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        ids.push(match ids.last() {
            None => diff_id.0,
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
        });
    }
    ids
}

/// Returns the base that an image declares by its labels: a name, else a digest.
///
/// Labels are inherited: they may have been meant for the base of the base. Source: OCI image-spec
/// 1.1, annotations.md (`org.opencontainers.image.base.name`, `.base.digest`).
pub fn declared(config: &ImageConfig) -> Option<Declared> {
    let label = |name: &str| {
        let name = format!("org.opencontainers.image.base.{name}");
        config.config.labels.get(&name).map(String::as_str)
    };
    let name = label("name").and_then(|text| text.parse().ok());
    let digest = label("digest").and_then(|text| text.parse().ok());
    match (name, digest) {
        (Some(reference), _) => Some(Declared::Name(reference)),
        (None, Some(digest)) => Some(Declared::Digest(digest)),
        (None, None) => None,
    }
}

/// Is what an image declares as its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// The name.
    Name(ImageReference),
    /// The digest of the manifest.
    Digest(Digest),
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Declared::Name(reference) => f.write_str(&reference.familiar()),
            Declared::Digest(digest) => digest.fmt(f),
        }
    }
}

impl NamedChain {
    /// Returns the chain id of all layers; `None` for an image without layers.
    pub fn chain_id(&self) -> Option<Digest> {
        chain_ids(&self.diff_ids).pop()
    }
}

/// Orders references to the same layers: the most specific tag first, so that `debian:12.5` comes
/// before `debian:12` and both before `debian:latest`; then the shortest repository. Digests come
/// last, because nobody can tell what they mean.
pub fn by_specificity(a: &ImageReference, b: &ImageReference) -> std::cmp::Ordering {
    name::specificity(b)
        .cmp(&name::specificity(a))
        .then_with(|| {
            let length = |reference: &ImageReference| reference.familiar_repository().len();
            length(a).cmp(&length(b))
        })
        .then_with(|| a.cmp(b))
}

impl ImageReport {
    /// Returns the diff ids, base first.
    pub fn diff_ids(&self) -> Vec<DiffId> {
        let layers = self.metadata.layers.iter();
        layers.map(|layer| layer.id.diff_id).collect()
    }

    /// Says of every finding whether one of the lowest `layer_count` layers brought its package, or
    /// one above. A layer that occurs in both parts does not tell.
    pub fn assign_origins(&mut self, layer_count: usize) {
        let diff_ids = self.diff_ids();
        let (base, own) = diff_ids.split_at(layer_count.min(diff_ids.len()));
        let base: HashSet<&DiffId> = base.iter().collect();
        let own: HashSet<&DiffId> = own.iter().collect();
        let origin = |diff_id: &DiffId| match (base.contains(diff_id), own.contains(diff_id)) {
            (true, false) => Some(Origin::Base),
            (false, true) => Some(Origin::Own),
            _ => None,
        };
        for result in &mut self.results {
            let suppressed = result.suppressed.iter_mut().map(|one| &mut one.finding);
            for finding in result.findings.iter_mut().chain(suppressed) {
                finding.origin = finding
                    .layer
                    .as_ref()
                    .and_then(|layer| origin(&layer.diff_id));
            }
        }
    }

    /// Counts the findings that count by their origin.
    pub fn origin_counts(&self) -> OriginCounts {
        let mut counts = OriginCounts::default();
        for finding in self.findings() {
            match finding.origin {
                Some(Origin::Base) => counts.base += 1,
                Some(Origin::Own) => counts.own += 1,
                None => counts.unknown += 1,
            }
        }
        counts
    }
}
