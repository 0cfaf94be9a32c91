//! What an image says about itself, from the engine's answers.
//!
//! The engine gives no configuration file, only its members one by one. Trivy puts one together
//! from them where it can tell which history entries made layers, and else takes the one of the
//! exported archive. Reports print what it has, so the same is done here, with the same members.
//!
//! Source: spec 03 section 1.1, last paragraph; Trivy `pkg/fanal/image/daemon/image.go`.

use cleanbill_core::image::{
    ContainerConfig, Healthcheck, HistoryEntry, ImageConfig, ImageMetadata, LayerMetadata,
};
use cleanbill_core::layer::LayerError;
use cleanbill_core::package::LayerId;
use cleanbill_core::{DiffId, Digest, Limits};
use jiff::Timestamp;

use super::model::{HistoryItem, ImageInspect};
use crate::ImageError;

/// Names an inspected image whose answer made sense.
#[derive(Clone, Debug)]
pub(super) struct Inspected {
    /// The id: digest of the configuration, or of the manifest or index.
    pub(super) id: Digest,
    /// The diff ids, base first; empty if the engine does not say (old Podman).
    pub(super) diff_ids: Vec<DiffId>,
    /// The whole answer.
    pub(super) answer: ImageInspect,
}

impl Inspected {
    /// Checks an answer.
    ///
    /// # Errors
    ///
    /// An id is no digest, there are too many layers, or the image is one for Windows.
    pub(super) fn new(
        answer: ImageInspect,
        name: &str,
        limits: &Limits,
    ) -> Result<Self, ImageError> {
        if answer.os.eq_ignore_ascii_case("windows") {
            return Err(ImageError::Unsupported {
                what: format!("image {name}"),
                reason: "it is a Windows image; only Linux images can be scanned".to_owned(),
            });
        }
        let malformed = |reason: String| ImageError::Malformed {
            what: format!("the engine's description of image {name}"),
            reason,
        };
        let layer_count = answer.root_fs.layers.len() as u64;
        if layer_count > limits.layers_per_image_max {
            let what = format!("image {name} with {layer_count} layers");
            let max = limits.layers_per_image_max;
            return Err(LayerError::exceeded(what, "layers_per_image_max", max).into());
        }
        let id = parse_id(&answer.id).map_err(|error| malformed(error.to_string()))?;
        let diff_ids = answer.root_fs.layers.iter().map(|text| text.parse());
        let diff_ids = diff_ids
            .collect::<Result<_, _>>()
            .map_err(|error: cleanbill_core::digest::DigestError| malformed(error.to_string()))?;
        Ok(Self {
            id,
            diff_ids,
            answer,
        })
    }
}

/// Reads an image id. Podman's has no algorithm in front.
pub(super) fn parse_id(text: &str) -> Result<Digest, cleanbill_core::digest::DigestError> {
    if text.contains(':') {
        text.parse()
    } else {
        format!("sha256:{text}").parse()
    }
}

/// Puts the configuration together, or returns `None` where the history does not tell which of its
/// entries made the layers: then the stored configuration must be read.
pub(super) fn config_from_answers(
    inspected: &Inspected,
    history: &[HistoryItem],
) -> Option<ImageConfig> {
    let history: Vec<HistoryEntry> = history.iter().rev().map(history_entry).collect();
    let layer_count = history.iter().filter(|entry| !entry.empty_layer).count();
    if inspected.diff_ids.is_empty() || layer_count != inspected.diff_ids.len() {
        return None;
    }
    Some(ImageConfig {
        history,
        ..config_without_history(inspected)
    })
}

/// Puts together what the engine's description tells.
pub(super) fn config_without_history(inspected: &Inspected) -> ImageConfig {
    let answer = &inspected.answer;
    ImageConfig {
        architecture: answer.architecture.clone(),
        author: answer.author.clone(),
        created: answer.created.clone(),
        os: answer.os.clone(),
        rootfs: (&answer.root_fs).into(),
        config: container_config(&answer.config),
        ..ImageConfig::default()
    }
}

fn history_entry(item: &HistoryItem) -> HistoryEntry {
    HistoryEntry {
        created: Timestamp::from_second(item.created)
            .map(|time| time.to_string())
            .unwrap_or_default(),
        created_by: item.created_by.clone(),
        comment: item.comment.clone(),
        empty_layer: is_empty_layer(item),
        author: String::new(),
    }
}

/// Instructions that never make a layer.
const EMPTY_INSTRUCTIONS: [&str; 12] = [
    "ENV",
    "MAINTAINER",
    "LABEL",
    "CMD",
    "ENTRYPOINT",
    "HEALTHCHECK",
    "EXPOSE",
    "USER",
    "VOLUME",
    "STOPSIGNAL",
    "SHELL",
    "ARG",
];

/// Guesses whether a step made no layer. The guess may be wrong; counting the layers shows it.
///
/// The characters of the shell prefix are cut off one by one, not as a prefix, because Trivy does
/// (Go's `TrimLeft`): of `/bin/sh -c chown …` remains `wn …`.
fn is_empty_layer(item: &HistoryItem) -> bool {
    if item.size != 0 {
        return false;
    }
    let shell_characters = |c: char| "/bin/sh -c #(nop)".contains(c);
    let created_by = item.created_by.trim_start_matches(shell_characters).trim();
    if EMPTY_INSTRUCTIONS
        .iter()
        .any(|instruction| created_by.starts_with(instruction))
    {
        return true;
    }
    if item.comment.starts_with("buildkit.dockerfile") {
        created_by == "WORKDIR /"
    } else {
        created_by.starts_with("WORKDIR")
    }
}

/// Keeps the members that Trivy keeps.
fn container_config(config: &ContainerConfig) -> ContainerConfig {
    ContainerConfig {
        user: config.user.clone(),
        cmd: config.cmd.clone(),
        entrypoint: config.entrypoint.clone(),
        env: config.env.clone(),
        labels: config.labels.clone(),
        working_dir: config.working_dir.clone(),
        stop_signal: config.stop_signal.clone(),
        args_escaped: config.args_escaped,
        on_build: config.on_build.clone(),
        shell: config.shell.clone(),
        exposed_ports: config.exposed_ports.clone(),
        volumes: config.volumes.clone(),
        healthcheck: config.healthcheck.as_ref().map(|check| Healthcheck {
            start_interval: 0,
            ..check.clone()
        }),
        ..ContainerConfig::default()
    }
}

/// Describes the image. `config` decides about layers where the engine states none.
///
/// # Errors
///
/// The configuration names other layers than the engine, or a diff id that is no digest.
pub(super) fn image_metadata(
    inspected: &Inspected,
    config: ImageConfig,
) -> Result<ImageMetadata, ImageError> {
    let malformed = |reason: String| ImageError::Malformed {
        what: format!("configuration of image {}", inspected.id),
        reason,
    };
    let diff_ids = config
        .diff_ids()
        .map_err(|error| malformed(error.to_string()))?;
    if !inspected.diff_ids.is_empty() && diff_ids != inspected.diff_ids {
        return Err(malformed(
            "it lists other layers than the engine does".to_owned(),
        ));
    }
    let history = config.layer_history(diff_ids.len());
    let created_by = |index: usize| {
        let entry = history.as_ref().and_then(|entries| entries.get(index));
        entry
            .map(|entry| entry.created_by.clone())
            .unwrap_or_default()
    };
    let layers = diff_ids
        .iter()
        .enumerate()
        .map(|(index, diff_id)| LayerMetadata {
            id: LayerId {
                digest: None,
                diff_id: *diff_id,
            },
            size_bytes: None,
            created_by: created_by(index),
        });
    Ok(ImageMetadata {
        image_id: Some(inspected.id),
        repo_tags: inspected.answer.repo_tags.clone(),
        repo_digests: inspected.answer.repo_digests.clone(),
        layers: layers.collect(),
        config,
    })
}

#[cfg(test)]
mod tests;
