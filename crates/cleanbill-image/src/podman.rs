//! The images that Podman, CRI-O and Buildah keep, read in place: none of them needs to run.
//!
//! They share one store: a list of images with their configurations, a list of layers with their
//! diff ids, and a directory of an overlay file system for each layer. Lists are replaced as whole
//! files, so each reading sees one state.
//!
//! Source: containers/storage 1.x, `docs/containers-storage.conf.5.md`, `images.go`, `layers.go`,
//! `containers.go`, `drivers/overlay/overlay.go`.

mod records;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::layer::LayerError;
use cleanbill_core::{DiffId, Digest, ImageReference};
use tracing::info;

use crate::config::{LayerFacts, ParsedConfig};
use crate::directory::OverlayAttributes;
use crate::docker::{AccessPreference, EngineEnvironment, ImageSummary};
use crate::file::{SETTINGS_BOUND, read_document};
use crate::local::{StoreOptions, choose, choose_container, setting};
use crate::unpacked::{UnpackedLayer, UnpackedLayers, obstacle};
use crate::{Image, ImageError};
pub(crate) use records::try_lists;
use records::{ImageRecord, KeptLayers, LayerRecord, ListState, Store};

const ACCESS: &str = "containers storage in place";
const SETTINGS: [&str; 2] = [
    "etc/containers/storage.conf",
    "usr/share/containers/storage.conf",
];
const USUAL_ROOT: &str = "var/lib/containers/storage";
/// In the user's directories of settings and of data.
const SETTINGS_OF_USER: &str = "containers/storage.conf";
const USUAL_ROOT_OF_USER: &str = "containers/storage";

/// Opens the images of one store.
#[derive(Clone, Debug)]
pub struct PodmanStorage {
    store: Store,
    options: StoreOptions,
}

impl PodmanStorage {
    /// Finds out where the store is.
    ///
    /// # Errors
    ///
    /// Nowhere, or where this process may not read.
    pub fn find(
        environment: &EngineEnvironment,
        options: StoreOptions,
    ) -> Result<Self, ImageError> {
        let mut absent = Vec::new();
        for root in roots(environment)? {
            let store = Store::new(root, &options.context);
            match store.check() {
                Ok(()) => return Ok(Self { store, options }),
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    return Err(ImageError::Unauthorized {
                        place: store.place(),
                        reason: "images are read in place, which needs the rights of root; or let \
                                 Podman answer: systemctl start podman.socket"
                            .to_owned(),
                    });
                }
                Err(_) => absent.push(store.root().display().to_string()),
            }
        }
        Err(ImageError::Unavailable {
            place: "Podman's store".to_owned(),
            reason: format!("there is none at {}", absent.join(", ")),
        })
    }

    /// Says where it is.
    pub(crate) fn place(&self) -> String {
        self.store.place()
    }

    /// Opens an image, see [`crate::LocalImages::open`].
    pub(crate) fn open(&self, name: &str) -> Result<Image, ImageError> {
        let images = self.store.images()?;
        let image = choose(
            &images,
            name,
            &self.place(),
            |image| &image.names,
            ImageRecord::ids,
        )?;
        self.open_record(name, image)
    }

    /// Opens the image of a container, see [`crate::LocalImages::open_container`].
    pub(crate) fn open_container(&self, container: &str) -> Result<Image, ImageError> {
        let containers = self.store.containers()?;
        let found = choose_container(
            &containers,
            container,
            &self.place(),
            |record| &record.names,
            |record| &record.id,
        )?;
        let images = self.store.images()?;
        let image = images.iter().find(|image| image.id == found.image);
        let image = image.ok_or_else(|| ImageError::NotFound {
            what: format!("image {} of container {container}", found.image),
            place: self.place(),
        })?;
        self.open_record(image.names.first().unwrap_or(&image.id), image)
    }

    /// Lists the images, see [`crate::LocalImages::list_images`].
    pub(crate) fn list_images(
        &self,
        include_dangling: bool,
    ) -> Result<Vec<ImageSummary>, ImageError> {
        let mut images = Vec::new();
        for image in self.store.images()? {
            let id = self.id_of(&image)?;
            let (mut tags, mut digests) = (Vec::new(), Vec::new());
            for name in &image.names {
                match name.parse::<ImageReference>() {
                    Ok(reference) if reference.digest.is_none() => tags.push(name.clone()),
                    _ => digests.push(name.clone()),
                }
            }
            tags.sort();
            digests.sort();
            if include_dangling || !image.names.is_empty() {
                images.push(ImageSummary { tags, digests, id });
            }
        }
        images.sort_by_cached_key(|image| (image.name(), image.id));
        Ok(images)
    }

    fn id_of(&self, image: &ImageRecord) -> Result<Digest, ImageError> {
        format!("sha256:{}", image.id)
            .parse()
            .map_err(|error| ImageError::Malformed {
                what: format!("the id '{}' of an image in {}", image.id, self.place()),
                reason: format!("{error}"),
            })
    }

    fn open_record(&self, name: &str, record: &ImageRecord) -> Result<Image, ImageError> {
        self.check_access()?;
        let id = self.id_of(record)?;
        let (layers, state) = self.store.layers()?;
        let chain = self.chain(record, &layers)?;
        let what = format!("configuration {id} in {}", self.place());
        let bytes = self.store.config(&id)?;
        LayerError::check_digest(|| what.clone(), id, Digest::of(&bytes))?;
        let limits = &self.options.context.limits;
        let config = ParsedConfig::parse(&bytes, &what, chain.len(), limits)?;
        let is_same =
            |(layer, diff_id): (&&LayerRecord, &DiffId)| layer.diff_digest == diff_id.to_string();
        if !chain.iter().zip(config.diff_ids()).all(is_same) {
            let reason = "it lists other layers than the store".to_owned();
            return Err(ImageError::Malformed { what, reason });
        }
        let facts = chain.iter().map(|layer| LayerFacts {
            digest: None,
            size_bytes: layer.size_bytes(),
        });
        let (repo_tags, repo_digests) = record.repository_names();
        let mut metadata = config.into_metadata(repo_tags, facts);
        metadata.repo_digests = repo_digests;
        info!(image.name = name, image.id = %id, access = ACCESS, "opened an image of Podman's store");
        Ok(Image {
            name: name.to_owned(),
            source: "podman",
            access: ACCESS.to_owned(),
            metadata,
            layers: Arc::new(self.unpacked(&chain, state)),
        })
    }

    fn check_access(&self) -> Result<(), ImageError> {
        let reason = if self.options.access == AccessPreference::ExportStream {
            Some("without Podman's socket there is no export stream".to_owned())
        } else {
            let obstacle = obstacle(self.options.capabilities).map(str::to_owned);
            obstacle.or_else(|| self.store.obstacle())
        };
        match reason {
            Some(reason) => Err(ImageError::Unauthorized {
                place: self.place(),
                reason: format!("{reason}; or let Podman answer: systemctl start podman.socket"),
            }),
            None => Ok(()),
        }
    }

    /// Returns the layers of an image, base first.
    fn chain<'a>(
        &self,
        image: &ImageRecord,
        layers: &'a [LayerRecord],
    ) -> Result<Vec<&'a LayerRecord>, ImageError> {
        let by_id: HashMap<&str, &LayerRecord> = layers
            .iter()
            .map(|layer| (layer.id.as_str(), layer))
            .collect();
        let max = self.options.context.limits.layers_per_image_max;
        let mut chain = Vec::new();
        let mut next = image.layer.as_str();
        while !next.is_empty() {
            let layer = by_id.get(next).ok_or_else(|| ImageError::NotFound {
                what: format!("layer {next} of image {}", image.id),
                place: self.place(),
            })?;
            if chain.len() as u64 >= max {
                let what = format!("image {} in {}", image.id, self.place());
                return Err(LayerError::exceeded(what, "layers_per_image_max", max).into());
            }
            if layer.is_incomplete() {
                return Err(ImageError::Unavailable {
                    place: format!("layer {next} of image {}", image.id),
                    reason: "it is being made or removed".to_owned(),
                });
            }
            chain.push(*layer);
            next = &layer.parent;
        }
        chain.reverse();
        Ok(chain)
    }

    fn unpacked(&self, chain: &[&LayerRecord], state: ListState) -> UnpackedLayers {
        let layers = chain.iter().map(|layer| UnpackedLayer {
            directory: self.store.directory(layer),
            size_bytes: layer.size_bytes(),
        });
        let ids = chain.iter().map(|layer| layer.id.clone()).collect();
        let kept = KeptLayers::new(self.store.clone(), ids, state);
        UnpackedLayers {
            layers: layers.collect(),
            attributes: OverlayAttributes::Trusted,
            is_kept: Arc::new(move || kept.check()),
            context: self.options.context.clone(),
        }
    }
}

/// Returns the places where the store may be: that of the system, then the user's own, each where its
/// settings say or at the usual place. Settings that the user named are the only ones.
///
/// Source: containers/storage 1.x, `types/options.go`.
fn roots(environment: &EngineEnvironment) -> Result<Vec<PathBuf>, ImageError> {
    let usual = environment.fixed(USUAL_ROOT);
    if let Some(path) = &environment.containers_storage_conf {
        let text = settings_text(path).ok_or_else(|| ImageError::Unavailable {
            place: "Podman's store".to_owned(),
            reason: format!(
                "CONTAINERS_STORAGE_CONF names {}, which cannot be read",
                path.display()
            ),
        })?;
        return Ok(vec![graph_root(environment, &text).unwrap_or(usual)]);
    }
    let of_file = |path: &Path| graph_root(environment, &settings_text(path)?);
    let of_system = SETTINGS
        .into_iter()
        .find_map(|path| of_file(&environment.fixed(path)));
    let EngineEnvironment {
        config_home,
        data_home,
        ..
    } = environment;
    let of_user = config_home
        .as_ref()
        .and_then(|home| of_file(&home.join(SETTINGS_OF_USER)))
        .or_else(|| data_home.as_ref().map(|home| home.join(USUAL_ROOT_OF_USER)));
    let mut roots = vec![of_system.unwrap_or(usual)];
    roots.extend(of_user);
    Ok(roots)
}

fn settings_text(path: &Path) -> Option<String> {
    let bytes = read_document(path, SETTINGS_BOUND).ok()?;
    String::from_utf8(bytes).ok()
}

fn graph_root(environment: &EngineEnvironment, settings: &str) -> Option<PathBuf> {
    let root = setting(settings, "storage", "graphroot")?;
    let is_absolute = Path::new(&root).is_absolute();
    is_absolute.then(|| environment.fixed(root.trim_start_matches('/')))
}
