//! Finds the engine: flags, environment, Docker contexts, and the places where sockets lie.
//!
//! Source: `docker context` of Docker's command line (`cli/command/cli.go`,
//! `cli/context/store`), whose order is followed: an address overrides a context, a context
//! overrides the default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cleanbill_core::{Digest, Limits};
use serde::Deserialize;

use super::endpoint::{Endpoint, TlsFiles};
use super::host_file;
use crate::ImageError;

/// Holds what decides where engines are looked for. Nothing below reads the process's environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineEnvironment {
    /// `--docker-host`, else `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// `DOCKER_TLS_VERIFY` has a value.
    pub docker_tls_verify: bool,
    /// `DOCKER_CERT_PATH`.
    pub docker_cert_path: Option<PathBuf>,
    /// `DOCKER_CONFIG`, else `.docker` in the home directory.
    pub docker_config: Option<PathBuf>,
    /// `--podman-host`, else `CONTAINER_HOST`.
    pub podman_host: Option<String>,
    /// `CONTAINERD_NAMESPACE`: the only namespace that counts.
    pub containerd_namespace: Option<String>,
    /// `CONTAINERS_STORAGE_CONF`: the only settings of Podman's store that count.
    pub containers_storage_conf: Option<PathBuf>,
    /// `XDG_DATA_HOME`, else `.local/share` in the home directory.
    pub data_home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, else `.config` in the home directory.
    pub config_home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, else `/run/user/<user id>`.
    pub runtime_dir: Option<PathBuf>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// Stands in front of the fixed paths (`/var/run/docker.sock` …). Empty except in tests.
    pub root: PathBuf,
}

impl EngineEnvironment {
    /// Collects the settings from variables. Empty ones count as unset.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>, user_id: u32) -> Self {
        let get = |name| get(name).filter(|value| !value.is_empty());
        let home = get("HOME").map(PathBuf::from);
        let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let directory = |name| {
            get(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        Self {
            docker_host: get("DOCKER_HOST"),
            docker_context: get("DOCKER_CONTEXT"),
            docker_tls_verify: get("DOCKER_TLS_VERIFY").is_some(),
            docker_cert_path: get("DOCKER_CERT_PATH").map(PathBuf::from),
            docker_config: get("DOCKER_CONFIG")
                .map(PathBuf::from)
                .or_else(|| in_home(".docker")),
            podman_host: get("CONTAINER_HOST"),
            containerd_namespace: get("CONTAINERD_NAMESPACE"),
            containers_storage_conf: get("CONTAINERS_STORAGE_CONF").map(PathBuf::from),
            data_home: directory("XDG_DATA_HOME").or_else(|| in_home(".local/share")),
            config_home: directory("XDG_CONFIG_HOME").or_else(|| in_home(".config")),
            runtime_dir: get("XDG_RUNTIME_DIR")
                .map(PathBuf::from)
                .or_else(|| Some(format!("/run/user/{user_id}").into())),
            home,
            root: PathBuf::new(),
        }
    }

    /// Returns where a Docker engine may listen, in the order in which they are tried. Where the
    /// user named one, it is the only one.
    ///
    /// # Errors
    ///
    /// The named address or context makes no sense or cannot be read.
    pub fn docker_endpoints(&self, limits: &Limits) -> Result<Vec<Candidate>, ImageError> {
        if let Some(host) = &self.docker_host {
            return Ok(vec![parse(
                host,
                self.tls(),
                "DOCKER_HOST or --docker-host",
            )?]);
        }
        if let Some(name) = self.context_name(limits)? {
            return Ok(vec![self.context(&name, limits)?]);
        }
        let mut paths = vec![self.fixed("var/run/docker.sock")];
        paths.extend(self.runtime_dir.as_ref().map(|dir| dir.join("docker.sock")));
        if let Some(home) = &self.home {
            paths.push(home.join(".docker/run/docker.sock"));
            paths.push(home.join(".docker/desktop/docker.sock"));
        }
        Ok(paths.into_iter().map(Candidate::usual).collect())
    }

    /// Returns where Podman may listen, as [`Self::docker_endpoints`].
    ///
    /// # Errors
    ///
    /// The named address makes no sense.
    pub fn podman_endpoints(&self) -> Result<Vec<Candidate>, ImageError> {
        if let Some(host) = &self.podman_host {
            return Ok(vec![parse(host, None, "CONTAINER_HOST or --podman-host")?]);
        }
        let rootless = self
            .runtime_dir
            .as_ref()
            .map(|dir| dir.join("podman/podman.sock"));
        let paths = rootless
            .into_iter()
            .chain([self.fixed("run/podman/podman.sock")]);
        Ok(paths.map(Candidate::usual).collect())
    }

    /// Returns where a path of the host lies.
    pub(crate) fn fixed(&self, path: &str) -> PathBuf {
        if self.root.as_os_str().is_empty() {
            Path::new("/").join(path)
        } else {
            self.root.join(path)
        }
    }

    /// Docker's client leaves the certificate unverified when only `DOCKER_CERT_PATH` is set; here
    /// it is always verified.
    fn tls(&self) -> Option<TlsFiles> {
        if !self.docker_tls_verify && self.docker_cert_path.is_none() {
            return None;
        }
        let directory = self
            .docker_cert_path
            .clone()
            .or_else(|| self.docker_config.clone());
        Some(TlsFiles { directory })
    }

    fn context_name(&self, limits: &Limits) -> Result<Option<String>, ImageError> {
        let name = match (&self.docker_context, &self.docker_config) {
            (Some(name), _) => name.clone(),
            (None, Some(directory)) => {
                let path = directory.join("config.json");
                read_json::<ConfigFile>(&path, limits)?
                    .unwrap_or_default()
                    .current_context
            }
            (None, None) => String::new(),
        };
        Ok(Some(name).filter(|name| !name.is_empty() && name != "default"))
    }

    fn context(&self, name: &str, limits: &Limits) -> Result<Candidate, ImageError> {
        let contexts = self
            .docker_config
            .clone()
            .unwrap_or_default()
            .join("contexts");
        let id = Digest::of(name.as_bytes()).to_hex();
        let path = contexts.join("meta").join(&id).join("meta.json");
        let meta: ContextMeta = read_json(&path, limits)?.ok_or_else(|| ImageError::NotFound {
            what: format!("Docker context '{name}'"),
            place: format!("{} ('docker context ls' lists them)", contexts.display()),
        })?;
        let endpoint = meta
            .endpoints
            .get("docker")
            .ok_or_else(|| ImageError::Malformed {
                what: path.display().to_string(),
                reason: "it has no endpoint 'docker'".to_owned(),
            })?;
        let files = contexts.join("tls").join(&id).join("docker");
        let tls = files.is_dir().then_some(TlsFiles {
            directory: Some(files),
        });
        parse(&endpoint.host, tls, &format!("Docker context '{name}'"))
    }
}

/// Holds one place where an engine may listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The place.
    pub endpoint: Endpoint,
    /// What named it; empty for a place that is merely usual.
    pub named_by: String,
}

impl Candidate {
    fn usual(path: PathBuf) -> Self {
        Self {
            endpoint: Endpoint::Unix(path),
            named_by: String::new(),
        }
    }

    /// Returns the socket if nothing is at this usual place. A place that the user named is tried
    /// all the same: its error says more.
    pub(super) fn absent_socket(&self) -> Option<&Path> {
        let socket = self.endpoint.socket()?;
        let is_absent = matches!(
            socket.symlink_metadata(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound
        );
        (is_absent && !self.is_named()).then_some(socket)
    }

    /// Says that the user named the place, so that no other is tried.
    pub fn is_named(&self) -> bool {
        !self.named_by.is_empty()
    }
}

fn parse(host: &str, tls: Option<TlsFiles>, named_by: &str) -> Result<Candidate, ImageError> {
    let endpoint = Endpoint::parse(host, tls).map_err(|error| ImageError::Malformed {
        what: named_by.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Candidate {
        endpoint,
        named_by: named_by.to_owned(),
    })
}

#[derive(Debug, Default, Deserialize)]
struct ConfigFile {
    #[serde(rename = "currentContext", default)]
    current_context: String,
}

#[derive(Debug, Deserialize)]
struct ContextMeta {
    #[serde(rename = "Endpoints", default)]
    endpoints: BTreeMap<String, ContextEndpoint>,
}

#[derive(Debug, Deserialize)]
struct ContextEndpoint {
    #[serde(rename = "Host", default)]
    host: String,
}

/// Reads a JSON file; `None` if it is not there.
fn read_json<T: for<'de> Deserialize<'de>>(
    path: &Path,
    limits: &Limits,
) -> Result<Option<T>, ImageError> {
    let bytes = match host_file::read(path, limits.manifest_size_bytes_max) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let what = path.display().to_string();
            return Err(ImageError::Read { what, source });
        }
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| ImageError::Malformed {
            what: path.display().to_string(),
            reason: error.to_string(),
        })
}

#[cfg(test)]
mod tests;
