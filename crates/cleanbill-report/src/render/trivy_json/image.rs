//! `Metadata`: what the image says about itself.

use std::collections::BTreeMap;

use cleanbill_core::image::{
    ContainerConfig, Empty, Healthcheck, HistoryEntry, ImageConfig, ImageMetadata, LayerMetadata,
};
use cleanbill_core::report::ImageReport;
use serde::Serialize;

use super::go;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metadata<'a> {
    #[serde(skip_serializing_if = "is_zero")]
    size: u64,
    #[serde(rename = "OS", skip_serializing_if = "Option::is_none")]
    os: Option<Os<'a>>,
    #[serde(rename = "ImageID", skip_serializing_if = "String::is_empty")]
    image_id: String,
    #[serde(rename = "DiffIDs", skip_serializing_if = "Vec::is_empty")]
    diff_ids: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    repo_tags: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    repo_digests: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_config: Option<Config<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Layer>,
}

impl<'a> Metadata<'a> {
    /// Returns nothing for an image that could not be opened.
    pub(super) fn of(image: &'a ImageReport) -> Option<Self> {
        let metadata = &image.metadata;
        if *metadata == ImageMetadata::default() && image.distro.is_none() {
            return None;
        }
        let layers = &metadata.layers;
        Some(Self {
            size: layers
                .iter()
                .filter_map(|layer| layer.size_bytes)
                .fold(0, u64::saturating_add),
            os: image.distro.as_ref().map(|distro| Os {
                family: distro.family.as_str(),
                name: &distro.name,
                eosl: image.is_end_of_life,
                supplier: &distro.supplier,
                extended: distro.extended,
            }),
            image_id: metadata
                .image_id
                .map(|id| id.to_string())
                .unwrap_or_default(),
            diff_ids: layers
                .iter()
                .map(|layer| layer.id.diff_id.to_string())
                .collect(),
            repo_tags: &metadata.repo_tags,
            repo_digests: &metadata.repo_digests,
            reference: image.reference(),
            image_config: Config::of(&metadata.config),
            layers: match image.artifact_type.is_sbom() {
                true => Vec::new(),
                false => layers.iter().map(Layer::of).collect(),
            },
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Os<'a> {
    family: &'a str,
    name: &'a str,
    #[serde(rename = "EOSL", skip_serializing_if = "is_false")]
    eosl: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    supplier: &'a str,
    #[serde(rename = "extended", skip_serializing_if = "is_false")]
    extended: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Layer {
    #[serde(skip_serializing_if = "is_zero")]
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(rename = "DiffID")]
    diff_id: String,
}

impl Layer {
    fn of(layer: &LayerMetadata) -> Self {
        Self {
            size: layer.size_bytes.unwrap_or_default(),
            digest: layer.id.digest.map(|digest| digest.to_string()),
            diff_id: layer.id.diff_id.to_string(),
        }
    }
}

/// The configuration, in the form of the OCI image specification.
#[derive(Serialize)]
pub(in crate::render) struct Config<'a> {
    architecture: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    author: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    container: &'a str,
    created: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    docker_version: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<History<'a>>,
    os: &'a str,
    rootfs: RootFs<'a>,
    config: Container<'a>,
    #[serde(rename = "os.version", skip_serializing_if = "str::is_empty")]
    os_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    variant: &'a str,
    #[serde(rename = "os.features", skip_serializing_if = "<[_]>::is_empty")]
    os_features: &'a [String],
}

impl<'a> Config<'a> {
    /// Returns nothing for a configuration that states nothing.
    pub(in crate::render) fn of(config: &'a ImageConfig) -> Option<Self> {
        (*config != ImageConfig::default()).then(|| Self {
            architecture: &config.architecture,
            author: &config.author,
            container: &config.container,
            created: time(&config.created),
            docker_version: &config.docker_version,
            history: config.history.iter().map(History::of).collect(),
            os: &config.os,
            rootfs: RootFs {
                kind: &config.rootfs.kind,
                diff_ids: Some(config.rootfs.diff_ids.as_slice()).filter(|ids| !ids.is_empty()),
            },
            config: Container::of(&config.config),
            os_version: &config.os_version,
            variant: &config.variant,
            os_features: &config.os_features,
        })
    }
}

#[derive(Serialize)]
struct History<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    author: &'a str,
    created: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    created_by: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    empty_layer: bool,
}

impl<'a> History<'a> {
    fn of(entry: &'a HistoryEntry) -> Self {
        Self {
            author: &entry.author,
            created: time(&entry.created),
            created_by: &entry.created_by,
            comment: &entry.comment,
            empty_layer: entry.empty_layer,
        }
    }
}

#[derive(Serialize)]
struct RootFs<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    diff_ids: Option<&'a [String]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Container<'a> {
    #[serde(skip_serializing_if = "is_false")]
    attach_stderr: bool,
    #[serde(skip_serializing_if = "is_false")]
    attach_stdin: bool,
    #[serde(skip_serializing_if = "is_false")]
    attach_stdout: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cmd: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    healthcheck: Option<Health<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    domainname: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    entrypoint: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    env: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    hostname: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    image: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    on_build: &'a [String],
    #[serde(skip_serializing_if = "is_false")]
    open_stdin: bool,
    #[serde(skip_serializing_if = "is_false")]
    stdin_once: bool,
    #[serde(skip_serializing_if = "is_false")]
    tty: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    user: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    volumes: &'a BTreeMap<String, Empty>,
    #[serde(skip_serializing_if = "str::is_empty")]
    working_dir: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    exposed_ports: &'a BTreeMap<String, Empty>,
    #[serde(skip_serializing_if = "is_false")]
    args_escaped: bool,
    #[serde(skip_serializing_if = "is_false")]
    network_disabled: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    mac_address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    stop_signal: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    shell: &'a [String],
}

impl<'a> Container<'a> {
    fn of(config: &'a ContainerConfig) -> Self {
        Self {
            attach_stderr: config.attach_stderr,
            attach_stdin: config.attach_stdin,
            attach_stdout: config.attach_stdout,
            cmd: &config.cmd,
            healthcheck: config.healthcheck.as_ref().map(Health::of),
            domainname: &config.domainname,
            entrypoint: &config.entrypoint,
            env: &config.env,
            hostname: &config.hostname,
            image: &config.image,
            labels: &config.labels,
            on_build: &config.on_build,
            open_stdin: config.open_stdin,
            stdin_once: config.stdin_once,
            tty: config.tty,
            user: &config.user,
            volumes: &config.volumes,
            working_dir: &config.working_dir,
            exposed_ports: &config.exposed_ports,
            args_escaped: config.args_escaped,
            network_disabled: config.network_disabled,
            mac_address: &config.mac_address,
            stop_signal: &config.stop_signal,
            shell: &config.shell,
        }
    }
}

/// Has no `StartInterval`: the reference's library does not know it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Health<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    test: &'a [String],
    #[serde(skip_serializing_if = "is_zero_signed")]
    interval: i64,
    #[serde(skip_serializing_if = "is_zero_signed")]
    timeout: i64,
    #[serde(skip_serializing_if = "is_zero_signed")]
    start_period: i64,
    #[serde(skip_serializing_if = "is_zero_signed")]
    retries: i64,
}

impl<'a> Health<'a> {
    fn of(check: &'a Healthcheck) -> Self {
        Self {
            test: &check.test,
            interval: check.interval,
            timeout: check.timeout,
            start_period: check.start_period,
            retries: check.retries,
        }
    }
}

/// A time that is missing or malformed prints as Go's zero time.
fn time(text: &str) -> String {
    go::time(text).unwrap_or_else(|| go::ZERO_TIME.to_owned())
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_zero_signed(number: &i64) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !*flag
}
