//! What an image says about itself.

use std::collections::BTreeMap;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use crate::digest::{DiffId, Digest};
use crate::package::LayerId;

/// Describes an image apart from its content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageMetadata {
    /// The digest of the configuration.
    pub image_id: Option<Digest>,
    /// The tags it was found under.
    pub repo_tags: Vec<String>,
    /// The digests it is known by in registries (`repository@sha256:…`).
    pub repo_digests: Vec<String>,
    /// The configuration.
    pub config: ImageConfig,
    /// The layers, base first.
    pub layers: Vec<LayerMetadata>,
}

/// Describes a layer apart from its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerMetadata {
    /// Its identity.
    pub id: LayerId,
    /// Bytes of the uncompressed tar stream, where known.
    pub size_bytes: Option<u64>,
    /// The history line that made it, where history and layers can be paired.
    pub created_by: String,
}

/// Holds an OCI image configuration: the members that reports print.
///
/// Absent and `null` members mean empty, as for Go's decoder. Source: OCI image-spec 1.1
/// config.md, Docker image-spec 1.3, spec 03 section 7.1.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// The architecture, `amd64`.
    #[serde(deserialize_with = "or_default")]
    pub architecture: String,
    /// Who made it.
    #[serde(deserialize_with = "or_default")]
    pub author: String,
    /// The container it was committed from.
    #[serde(deserialize_with = "or_default")]
    pub container: String,
    /// When it was made, RFC 3339; empty if not stated.
    #[serde(deserialize_with = "or_default")]
    pub created: String,
    /// The engine that made it.
    #[serde(deserialize_with = "or_default")]
    pub docker_version: String,
    /// The steps that made it.
    #[serde(deserialize_with = "or_default")]
    pub history: Vec<HistoryEntry>,
    /// The operating system, `linux`.
    #[serde(deserialize_with = "or_default")]
    pub os: String,
    /// The layers.
    #[serde(deserialize_with = "or_default")]
    pub rootfs: RootFs,
    /// How containers are started.
    #[serde(deserialize_with = "or_default")]
    pub config: ContainerConfig,
    /// The version of the operating system (Windows).
    #[serde(rename = "os.version", deserialize_with = "or_default")]
    pub os_version: String,
    /// The variant of the architecture, `v8`.
    #[serde(deserialize_with = "or_default")]
    pub variant: String,
    /// Features that the operating system must have (Windows).
    #[serde(rename = "os.features", deserialize_with = "or_default")]
    pub os_features: Vec<String>,
}

/// Records one step that made an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HistoryEntry {
    /// Who.
    #[serde(deserialize_with = "or_default")]
    pub author: String,
    /// When, RFC 3339; empty if not stated.
    #[serde(deserialize_with = "or_default")]
    pub created: String,
    /// The command.
    #[serde(deserialize_with = "or_default")]
    pub created_by: String,
    /// A remark.
    #[serde(deserialize_with = "or_default")]
    pub comment: String,
    /// The step made no layer.
    #[serde(deserialize_with = "or_default")]
    pub empty_layer: bool,
}

/// Lists the layers of an image by diff id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// The diff ids as written, base first.
    #[serde(deserialize_with = "or_default")]
    pub diff_ids: Vec<String>,
}

/// Says how containers of an image are started.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[expect(
    missing_docs,
    reason = "the names are those of the Docker image specification"
)]
pub struct ContainerConfig {
    #[serde(deserialize_with = "or_default")]
    pub attach_stderr: bool,
    #[serde(deserialize_with = "or_default")]
    pub attach_stdin: bool,
    #[serde(deserialize_with = "or_default")]
    pub attach_stdout: bool,
    #[serde(deserialize_with = "or_default")]
    pub cmd: Vec<String>,
    pub healthcheck: Option<Healthcheck>,
    #[serde(deserialize_with = "or_default")]
    pub domainname: String,
    #[serde(deserialize_with = "or_default")]
    pub entrypoint: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub env: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub hostname: String,
    #[serde(deserialize_with = "or_default")]
    pub image: String,
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub on_build: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub open_stdin: bool,
    #[serde(deserialize_with = "or_default")]
    pub stdin_once: bool,
    #[serde(deserialize_with = "or_default")]
    pub tty: bool,
    #[serde(deserialize_with = "or_default")]
    pub user: String,
    #[serde(deserialize_with = "or_default")]
    pub volumes: BTreeMap<String, Empty>,
    #[serde(deserialize_with = "or_default")]
    pub working_dir: String,
    #[serde(deserialize_with = "or_default")]
    pub exposed_ports: BTreeMap<String, Empty>,
    #[serde(deserialize_with = "or_default")]
    pub args_escaped: bool,
    #[serde(deserialize_with = "or_default")]
    pub network_disabled: bool,
    #[serde(deserialize_with = "or_default")]
    pub mac_address: String,
    #[serde(deserialize_with = "or_default")]
    pub stop_signal: String,
    #[serde(deserialize_with = "or_default")]
    pub shell: Vec<String>,
}

/// Stands for Go's `struct{}`: any object, its members dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Empty {}

/// Says how a container's health is asked for. Durations are nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[expect(
    missing_docs,
    reason = "the names are those of the Docker image specification"
)]
pub struct Healthcheck {
    #[serde(deserialize_with = "or_default")]
    pub test: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub interval: i64,
    #[serde(deserialize_with = "or_default")]
    pub timeout: i64,
    #[serde(deserialize_with = "or_default")]
    pub start_period: i64,
    #[serde(deserialize_with = "or_default")]
    pub start_interval: i64,
    #[serde(deserialize_with = "or_default")]
    pub retries: i64,
}

impl ImageConfig {
    /// Returns the diff ids, parsed.
    ///
    /// # Errors
    ///
    /// One of them is no SHA-256 digest.
    pub fn diff_ids(&self) -> Result<Vec<DiffId>, crate::digest::DigestError> {
        self.rootfs
            .diff_ids
            .iter()
            .map(|text| text.parse())
            .collect()
    }

    /// Pairs layers with the history lines that made them: `None` where the number of non-empty
    /// history entries is not the number of layers.
    pub fn layer_history(&self, layer_count: usize) -> Option<Vec<&HistoryEntry>> {
        let entries: Vec<_> = self
            .history
            .iter()
            .filter(|entry| !entry.empty_layer)
            .collect();
        (entries.len() == layer_count).then_some(entries)
    }
}

fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
