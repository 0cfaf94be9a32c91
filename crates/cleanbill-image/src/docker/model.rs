//! The engine's answers, as far as they are used.
//!
//! Unknown members are ignored, absent and `null` ones are empty, and every word is an open string:
//! Podman and engines of other ages answer with members and words of their own.
//!
//! Source: Docker Engine API 1.24 to 1.52 (`api/swagger.yaml` of moby), Podman's compatible API.

use cleanbill_core::image::{ContainerConfig, RootFs};
use serde::Deserialize;

use crate::oci::or_default;

/// Answer of `/images/{name}/json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ImageInspect {
    /// The digest of the configuration; with the containerd image store that of the manifest or
    /// index.
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) repo_tags: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) repo_digests: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) architecture: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) variant: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) os: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) author: String,
    /// RFC 3339; empty or absent if the image does not say.
    #[serde(deserialize_with = "or_default")]
    pub(super) created: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) config: ContainerConfig,
    #[serde(rename = "RootFS", deserialize_with = "or_default")]
    pub(super) root_fs: InspectedRootFs,
    #[serde(deserialize_with = "or_default")]
    pub(super) graph_driver: GraphDriver,
}

/// Lists the diff ids of an inspected image, base first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct InspectedRootFs {
    #[serde(rename = "Type", deserialize_with = "or_default")]
    pub(super) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) layers: Vec<String>,
}

impl From<&InspectedRootFs> for RootFs {
    fn from(root_fs: &InspectedRootFs) -> Self {
        Self {
            kind: root_fs.kind.clone(),
            diff_ids: root_fs.layers.clone(),
        }
    }
}

/// Says where the engine unpacked an image. Absent with the containerd image store.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct GraphDriver {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) data: GraphDriverData,
}

/// The members that overlay2 fills; other drivers have others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct GraphDriverData {
    /// The directory of the topmost layer.
    #[serde(deserialize_with = "or_default")]
    pub(super) upper_dir: String,
    /// The directories below it, top first, with `:` between them.
    #[serde(deserialize_with = "or_default")]
    pub(super) lower_dir: String,
}

/// One element of the answer of `/images/{name}/history`, newest first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct HistoryItem {
    /// Seconds since 1970.
    #[serde(deserialize_with = "or_default")]
    pub(super) created: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) created_by: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) comment: String,
    /// Bytes that the step added.
    #[serde(deserialize_with = "or_default")]
    pub(super) size: i64,
}

/// One element of the answer of `/images/json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ImageListItem {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) repo_tags: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) repo_digests: Vec<String>,
}

/// Answer of `/containers/{id}/json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ContainerInspect {
    /// The id of the image that it runs.
    #[serde(deserialize_with = "or_default")]
    pub(super) image: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) config: InspectedContainerConfig,
}

/// The part of a container's configuration that names its image.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct InspectedContainerConfig {
    /// The name by which the container was started.
    #[serde(deserialize_with = "or_default")]
    pub(super) image: String,
}

/// Answer of `/info`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct EngineInfo {
    /// The graph driver (`overlay2`) or the snapshotter (`overlayfs`).
    #[serde(deserialize_with = "or_default")]
    pub(super) driver: String,
    /// Pairs of a name and a value.
    #[serde(deserialize_with = "or_default")]
    pub(super) driver_status: Vec<Vec<String>>,
    /// The engine's data directory, as the engine sees it.
    #[serde(deserialize_with = "or_default")]
    pub(super) docker_root_dir: String,
}

impl EngineInfo {
    /// Returns a value of the driver's status.
    pub(super) fn driver_status(&self, wanted: &str) -> Option<&str> {
        self.driver_status
            .iter()
            .find_map(|pair| match pair.as_slice() {
                [name, value] if name == wanted => Some(value.as_str()),
                _ => None,
            })
    }

    /// Says that the engine keeps images in containerd's content store instead of a graph driver.
    ///
    /// Source: moby `daemon/info.go`, which states the snapshotter's plugin type there.
    pub(super) fn has_containerd_store(&self) -> bool {
        self.driver_status("driver-type") == Some("io.containerd.snapshotter.v1")
    }
}

/// Answer of `/version`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct EngineVersion {
    #[serde(deserialize_with = "or_default")]
    pub(super) version: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) os: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) components: Vec<EngineComponent>,
}

/// One program of the engine.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct EngineComponent {
    /// `Engine`, `Podman Engine`, `containerd` …
    #[serde(deserialize_with = "or_default")]
    pub(super) name: String,
}

/// Body of an answer that is an error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorAnswer {
    #[serde(deserialize_with = "or_default")]
    pub(super) message: String,
}
