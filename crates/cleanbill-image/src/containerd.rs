//! The images that containerd keeps, read in place while it runs.
//!
//! What it knows about images is a BoltDB file ([`metadata`]); manifests, configurations and
//! layers are blobs under their digests, and are verified like those of any OCI layout. Where the
//! blob of a layer was thrown away after unpacking (`discard_unpacked_layers`, usual on Kubernetes
//! nodes), the snapshot is read that it was unpacked into ([`snapshots`]). No request is made, and
//! nothing is written.
//!
//! Images belong to namespaces; Kubernetes has `k8s.io`. Without `CONTAINERD_NAMESPACE` all are
//! looked at, `default` first.
//!
//! Source: containerd 1.6 and 2.0, `core/metadata/buckets.go`, `docs/content-flow.md`,
//! `plugins/content/local/store.go`, `docs/ops.md` for the directories.

mod metadata;
mod snapshots;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::{DiffId, Digest, ImageReference};
use tracing::info;

use crate::docker::{AccessPreference, EngineEnvironment, ImageSummary};
use crate::file::{SETTINGS_BOUND, read_document};
use crate::local::{StoreOptions, choose, choose_container, setting};
use crate::oci::{Descriptor, Platform};
use crate::oci_layout::{self, Target};
use crate::{Image, ImageError, LayerSource};
pub(crate) use metadata::try_metadata;
use metadata::{Metadata, StoredImage};
use snapshots::Snapshots;

const CONTENT: &str = "io.containerd.content.v1.content";
const METADATA: &str = "io.containerd.metadata.v1.bolt/meta.db";
/// Where containerd's settings lie, and where it keeps everything unless they say otherwise.
const SETTINGS: &str = "etc/containerd/config.toml";
const USUAL_ROOTS: [&str; 3] = [
    "var/lib/containerd",
    "var/lib/rancher/k3s/agent/containerd",
    "var/snap/microk8s/common/var/lib/containerd",
];

/// Opens the images of one containerd.
#[derive(Clone, Debug)]
pub struct Containerd {
    root: PathBuf,
    /// The only namespace that counts, if one was named.
    namespace: Option<String>,
    options: StoreOptions,
}

impl Containerd {
    /// Finds out where containerd keeps its images.
    ///
    /// # Errors
    ///
    /// Nowhere, or where this process may not read.
    pub fn find(
        environment: &EngineEnvironment,
        options: StoreOptions,
    ) -> Result<Self, ImageError> {
        let mut absent = Vec::new();
        for root in roots(environment) {
            let path = root.join(METADATA);
            match std::fs::File::open(&path) {
                Ok(_) => {
                    return Ok(Self {
                        root,
                        namespace: environment.containerd_namespace.clone(),
                        options,
                    });
                }
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    return Err(ImageError::Unauthorized {
                        place: path.display().to_string(),
                        reason: "containerd's images are read in place, which needs the rights of \
                                 root"
                            .to_owned(),
                    });
                }
                Err(_) => absent.push(path.display().to_string()),
            }
        }
        Err(ImageError::Unavailable {
            place: "containerd".to_owned(),
            reason: format!("there is no {}", absent.join(", ")),
        })
    }

    /// Says where it is.
    pub(crate) fn place(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!(
                "containerd at {} (namespace {namespace})",
                self.root.display()
            ),
            None => format!("containerd at {}", self.root.display()),
        }
    }

    /// Opens an image, see [`crate::LocalImages::open`].
    pub(crate) fn open(&self, name: &str) -> Result<Image, ImageError> {
        let metadata = self.metadata()?;
        let images = metadata.images(self.namespace.as_deref())?;
        let image = choose(
            &images,
            name,
            &self.place(),
            |image| std::slice::from_ref(&image.name),
            |image| image.ids(),
        )?;
        self.open_stored(name, image, &metadata)
    }

    /// Opens the image of a container, see [`crate::LocalImages::open_container`].
    pub(crate) fn open_container(&self, container: &str) -> Result<Image, ImageError> {
        let metadata = self.metadata()?;
        let containers = metadata.containers(self.namespace.as_deref())?;
        let found = choose_container(
            &containers,
            container,
            &self.place(),
            |_| &[],
            |found| &found.id,
        )?;
        let images = metadata.images(Some(&found.namespace))?;
        let image = images.iter().find(|image| image.name == found.image);
        let image = image.ok_or_else(|| ImageError::NotFound {
            what: format!("image {} of container {container}", found.image),
            place: self.place(),
        })?;
        self.open_stored(&image.name, image, &metadata)
    }

    /// Lists the images, see [`crate::LocalImages::list_images`]. All of them have names.
    pub(crate) fn list_images(&self) -> Result<Vec<ImageSummary>, ImageError> {
        let mut by_id: BTreeMap<Digest, ImageSummary> = BTreeMap::new();
        for image in self.metadata()?.images(self.namespace.as_deref())? {
            let id = image.target.digest;
            let summary = by_id.entry(id).or_insert_with(|| ImageSummary {
                tags: Vec::new(),
                digests: Vec::new(),
                id,
            });
            match image.name.parse::<ImageReference>() {
                Ok(reference) if reference.digest.is_some() => summary.digests.push(image.name),
                Ok(_) => summary.tags.push(image.name),
                // The interface of Kubernetes names each image by its id, too.
                Err(_) => {}
            }
        }
        let mut images: Vec<_> = by_id.into_values().collect();
        for image in &mut images {
            for names in [&mut image.tags, &mut image.digests] {
                names.sort();
                names.dedup();
            }
        }
        images.sort_by_cached_key(|image| (image.name(), image.id));
        Ok(images)
    }

    fn metadata(&self) -> Result<Metadata, ImageError> {
        Metadata::read(&self.root.join(METADATA), &self.options.context)
    }

    fn open_stored(
        &self,
        name: &str,
        stored: &StoredImage,
        metadata: &Metadata,
    ) -> Result<Image, ImageError> {
        if self.options.access == AccessPreference::ExportStream {
            return Err(ImageError::Unsupported {
                what: "an export stream of containerd".to_owned(),
                reason: "its images are read in place only".to_owned(),
            });
        }
        let wanted = self.options.platform.clone().unwrap_or_else(Platform::host);
        let content = self.root.join(CONTENT);
        let target = Target {
            name,
            place: &self.place(),
            descriptor: &stored.target,
            platform: &wanted,
            is_platform_named: self.options.platform.is_some(),
        };
        let unpacked = |diff_ids: &[DiffId]| self.unpacked(&stored.namespace, diff_ids, metadata);
        let mut image =
            oci_layout::open_target(&content, &target, &unpacked, &self.options.context)?;
        image.source = "containerd";
        (image.metadata.repo_tags, image.metadata.repo_digests) = names(stored);
        let (access, namespace) = (&image.access, &stored.namespace);
        info!(
            image.name = name,
            namespace, access, "opened an image of containerd"
        );
        Ok(image)
    }

    /// Offers the snapshots that hold layers whose blobs are gone.
    fn unpacked(
        &self,
        namespace: &str,
        diff_ids: &[DiffId],
        metadata: &Metadata,
    ) -> Result<Arc<dyn LayerSource>, ImageError> {
        let snapshots = Snapshots {
            root: &self.root,
            metadata,
            capabilities: self.options.capabilities,
            context: &self.options.context,
        };
        snapshots.layers(namespace, diff_ids)
    }
}

/// Returns the places where containerd may keep its images. Where its settings name one, it is the
/// only one.
fn roots(environment: &EngineEnvironment) -> Vec<PathBuf> {
    let settings = environment.fixed(SETTINGS);
    let settings = read_document(&settings, SETTINGS_BOUND);
    let settings = settings
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match settings.and_then(|text| setting(&text, "", "root")) {
        Some(root) if Path::new(&root).is_absolute() => {
            vec![environment.fixed(root.trim_start_matches('/'))]
        }
        _ => USUAL_ROOTS
            .iter()
            .map(|root| environment.fixed(root))
            .collect(),
    }
}

/// Returns the tags and digests that reports print. Source: spec 03 section 1.1.
fn names(stored: &StoredImage) -> (Vec<String>, Vec<String>) {
    let Ok(reference) = stored.name.parse::<ImageReference>() else {
        return (Vec::new(), Vec::new());
    };
    let repository = reference.familiar_repository();
    let Descriptor { digest, .. } = &stored.target;
    let tags = reference.tag.map(|tag| format!("{repository}:{tag}"));
    (
        tags.into_iter().collect(),
        vec![format!("{repository}@{digest}")],
    )
}
