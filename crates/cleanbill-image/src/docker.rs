//! The local engine: Docker, and Podman through its compatible API.
//!
//! An image is described by the engine, and its layers are read where the engine keeps them:
//! in the directories of overlay2 or in containerd's content store. Where that cannot be done
//! rightly (another host, no permission, another driver), they come through the engine's export,
//! as a stream, without touching the disk. Which way was taken, and why not the better one, stands
//! in [`crate::Image::access`] and in the log.
//!
//! Nothing here can change the engine: there is no request but GET.

mod client;
mod content_store;
mod context;
mod endpoint;
mod engine;
mod export;
#[cfg(test)]
mod fake_engine;
mod host_file;
mod layer_database;
mod metadata;
mod model;
mod overlay;
mod path;
mod place;
mod tar_split;
mod tls;

pub use client::{ApiVersion, DockerClient, Timeouts};
pub use context::{Candidate, EngineEnvironment};
pub use endpoint::{Endpoint, EndpointError, TlsFiles};
pub(crate) use layer_database::chain_ids;

pub use engine::{
    AccessPreference, ContainerSummary, Engine, EngineDescription, EngineEvent, EngineNews,
    EngineOptions, ImageSummary,
};
