//! What an engine says while it happens, and the containers that it runs.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use cleanbill_core::Digest;
use cleanbill_core::layer::LayerError;
use serde::Deserialize;

use super::Engine;
use crate::docker::metadata::parse_id;
use crate::oci::or_default;
use crate::{ImageError, ReadContext};

/// An engine may have nothing to say for long; after this it is asked again, so that a connection
/// which died without a word is noticed.
const SILENCE_MAX: Duration = Duration::from_secs(10 * 60);

/// Bytes of one event. Its attributes hold all labels of an image or container.
const EVENT_SIZE_BYTES_MAX: u64 = 1 << 20;

/// Says that something happened to an image or a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineEvent {
    /// `image` or `container`.
    pub kind: String,
    /// `pull`, `tag`, `load`, `delete`, `start`, `die` … in the engine's words.
    pub action: String,
    /// The id of the image or container, or the name of the image.
    pub id: String,
    /// Seconds since 1970.
    pub time_seconds: i64,
}

/// What somebody who follows an engine hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineNews {
    /// Whatever happens from now on will be told. What happened before shows in the list of images.
    Following,
    /// Something happened.
    Happened(EngineEvent),
}

/// Names a container of an engine, running or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerSummary {
    /// The name, without the slash that engines put in front.
    pub name: String,
    /// The id.
    pub id: String,
    /// The image's name as it was given when the container was made.
    pub image: String,
    /// The image that it was made from; `None` if the engine names none.
    pub image_id: Option<Digest>,
    /// It runs.
    pub is_running: bool,
    /// Its labels.
    pub labels: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawEvent {
    #[serde(rename = "Type", deserialize_with = "or_default")]
    kind: String,
    #[serde(rename = "Action", deserialize_with = "or_default")]
    action: String,
    #[serde(rename = "Actor", deserialize_with = "or_default")]
    actor: RawActor,
    #[serde(deserialize_with = "or_default")]
    time: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawActor {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    id: String,
}

/// One element of the answer of `/containers/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RawContainer {
    #[serde(deserialize_with = "or_default")]
    id: String,
    #[serde(deserialize_with = "or_default")]
    names: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    image: String,
    #[serde(rename = "ImageID", deserialize_with = "or_default")]
    image_id: String,
    #[serde(deserialize_with = "or_default")]
    state: String,
    #[serde(deserialize_with = "or_default")]
    labels: std::collections::BTreeMap<String, String>,
}

impl Engine {
    /// Follows what happens to images and containers, from a time on (seconds since 1970; by default
    /// from when it says [`EngineNews::Following`]). Returns when the engine ends the stream or says nothing for ten minutes;
    /// events may have been lost then, so look again before following again.
    ///
    /// # Errors
    ///
    /// The engine does not answer, the connection breaks, or what it sends is no event.
    pub fn follow_events(
        &self,
        since: Option<i64>,
        context: &ReadContext,
        visit: &mut dyn FnMut(EngineNews),
    ) -> Result<(), ImageError> {
        let since = since.map(|seconds| seconds.to_string());
        let mut query = vec![("filters", r#"{"type":["image","container"]}"#)];
        query.extend(since.as_deref().map(|since| ("since", since)));
        let stream = self
            .client
            .get_endless_stream(&["events"], &query, SILENCE_MAX, context)?;
        visit(EngineNews::Following);
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = lines
                .by_ref()
                .take(EVENT_SIZE_BYTES_MAX)
                .read_until(b'\n', &mut line);
            match read {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::TimedOut => return Ok(()),
                Err(source) => {
                    return Err(ImageError::Read {
                        what: format!("the events of {}", self.client.place()),
                        source,
                    });
                }
            }
            if line.len() as u64 == EVENT_SIZE_BYTES_MAX {
                let what = format!("an event of {}", self.client.place());
                return Err(
                    LayerError::exceeded(what, "event_size_bytes", EVENT_SIZE_BYTES_MAX).into(),
                );
            }
            if let Some(event) = self.event(&line)? {
                visit(EngineNews::Happened(event));
            }
        }
    }

    fn event(&self, line: &[u8]) -> Result<Option<EngineEvent>, ImageError> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let raw: RawEvent =
            serde_json::from_slice(line).map_err(|error| ImageError::Malformed {
                what: format!("an event of {}", self.client.place()),
                reason: error.to_string(),
            })?;
        Ok(Some(EngineEvent {
            kind: raw.kind,
            action: raw.action,
            id: raw.actor.id,
            time_seconds: raw.time,
        }))
    }

    /// Lists the containers, running or not, sorted by name.
    ///
    /// # Errors
    ///
    /// The engine does not answer.
    pub fn list_containers(&self) -> Result<Vec<ContainerSummary>, ImageError> {
        let query = [("all", "true")];
        let raw: Vec<RawContainer> =
            self.client
                .get_json(&["containers", "json"], &query, &self.context)?;
        let mut containers: Vec<ContainerSummary> = raw.into_iter().map(summary).collect();
        containers.sort();
        Ok(containers)
    }
}

fn summary(raw: RawContainer) -> ContainerSummary {
    let name = raw.names.first().map_or(raw.id.as_str(), String::as_str);
    ContainerSummary {
        name: name.trim_start_matches('/').to_owned(),
        image_id: parse_id(&raw.image_id).ok(),
        is_running: raw.state == "running",
        id: raw.id,
        image: raw.image,
        labels: raw.labels,
    }
}

#[cfg(test)]
mod tests;
