//! With which credentials a registry is asked.
//!
//! Looked up in this order, for the exact host (with its port) and nobody else: those given
//! explicitly, Docker's configuration file with its credential helpers, podman's authentication
//! file. A helper that is configured for a registry is authoritative: if it knows nothing, the
//! registry is asked anonymously, whatever else the files hold.

mod config_file;
mod helper;
mod store;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::reference::DEFAULT_REGISTRY;

use crate::ReadContext;
use crate::http::Secret;
use config_file::{ConfigFile, Opinion};
use helper::Helper;

/// The key of Docker Hub in configuration files and helpers: the address of its first index.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Proves to a registry who asks.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A name and a password or access token.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token that the registry's token service exchanges for access tokens.
    IdentityToken(Secret),
    /// An access token that the registry itself takes.
    RegistryToken(Secret),
}

/// Says where credentials are looked for.
#[derive(Clone, Debug)]
pub struct CredentialOptions {
    /// Credentials that the user gave, each for one registry as [`ImageReference::registry`] names
    /// it.
    ///
    /// [`ImageReference::registry`]: cleanbill_core::ImageReference
    pub explicit: Vec<(String, Credential)>,
    /// Configuration files in the order in which they are asked; those that do not exist are
    /// passed over. The first is Docker's, where [`RegistryClient::login`] stores.
    ///
    /// [`RegistryClient::login`]: super::RegistryClient::login
    pub config_files: Vec<PathBuf>,
    /// Where `docker-credential-…` programs are looked for; `None` means `PATH`.
    pub helper_search_path: Option<OsString>,
    /// How long a helper may take. Some ask a cloud for a token, or a person for a finger.
    pub helper_timeout: Duration,
}

impl Default for CredentialOptions {
    /// Looks nowhere.
    fn default() -> Self {
        Self {
            explicit: Vec::new(),
            config_files: Vec::new(),
            helper_search_path: None,
            helper_timeout: Duration::from_secs(30),
        }
    }
}

impl CredentialOptions {
    /// Finds the configuration files through `lookup`, which reads environment variables:
    /// `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`, then `$REGISTRY_AUTH_FILE`,
    /// `$XDG_RUNTIME_DIR/containers/auth.json` and `~/.config/containers/auth.json`.
    ///
    /// Source: Docker CLI `cli/config`, containers-auth.json(5).
    pub fn from_environment(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let directory = |name: &str| {
            lookup(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = directory("HOME");
        let docker = directory("DOCKER_CONFIG").or_else(|| Some(home.as_ref()?.join(".docker")));
        let config_files = [
            docker.map(|path| path.join("config.json")),
            directory("REGISTRY_AUTH_FILE"),
            directory("XDG_RUNTIME_DIR").map(|path| path.join("containers/auth.json")),
            home.map(|path| path.join(".config/containers/auth.json")),
        ];
        Self {
            config_files: config_files.into_iter().flatten().collect(),
            ..Self::default()
        }
    }
}

/// Says why credentials could not be found out or stored.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A configuration file could not be read.
    #[error("cannot read credentials from {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A configuration file could not be written.
    #[error("cannot write credentials to {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A configuration file makes no sense.
    #[error("credentials file {} is malformed: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// A helper could not be run, failed, or said something else than it should.
    #[error("credential helper {program} (named in {}) failed: {reason}", config_file.display())]
    Helper {
        /// The program.
        program: String,
        /// The configuration file that names it.
        config_file: PathBuf,
        /// What happened.
        reason: String,
    },
    /// There is no place to store credentials.
    #[error("no place to store credentials: neither DOCKER_CONFIG nor HOME is set")]
    NoPlace,
    /// What the user gave cannot be stored.
    #[error("the user name must not be empty or contain ':'")]
    UserName,
    /// The scan was stopped while a helper ran.
    #[error("stopped")]
    Stopped(#[source] io::Error),
}

/// Credentials with the place they are from.
#[derive(Clone, Debug)]
pub struct FoundCredential {
    /// The credentials.
    pub credential: Credential,
    /// The place, for a person: `/home/x/.docker/config.json`, `docker-credential-pass`.
    pub origin: String,
}

/// Looks up the credentials for a repository of a registry.
///
/// # Errors
///
/// A file that exists cannot be read or makes no sense, or a helper failed: going on anonymously
/// would end in a denial that explains nothing.
pub fn find(
    options: &CredentialOptions,
    registry: &str,
    repository: &str,
    context: &ReadContext,
) -> Result<Option<FoundCredential>, CredentialError> {
    if let Some((_, credential)) = options.explicit.iter().find(|(host, _)| host == registry) {
        let origin = "the command line or environment".to_owned();
        return Ok(Some(FoundCredential {
            credential: credential.clone(),
            origin,
        }));
    }
    for path in &options.config_files {
        let Some(file) = ConfigFile::read(path)? else {
            continue;
        };
        match file.opinion(registry, repository) {
            Opinion::None => {}
            Opinion::Inline(credential) => {
                let origin = path.display().to_string();
                return Ok(Some(FoundCredential { credential, origin }));
            }
            Opinion::Helper(name) => {
                let helper = Helper::new(name, path, options, context)?;
                return helper.get(server_key(registry));
            }
        }
    }
    Ok(None)
}

/// Stores credentials where Docker would: in the helper that its configuration names, else in the
/// configuration file itself. Returns the place.
///
/// # Errors
///
/// The helper failed, or the file cannot be read or written.
pub(super) fn store(
    options: &CredentialOptions,
    registry: &str,
    username: &str,
    password: &Secret,
    context: &ReadContext,
) -> Result<String, CredentialError> {
    let path = options
        .config_files
        .first()
        .ok_or(CredentialError::NoPlace)?;
    let file = ConfigFile::read(path)?;
    let key = server_key(registry);
    if let Some(name) = file.as_ref().and_then(|file| file.helper(registry)) {
        return Helper::new(name, path, options, context)?.store(key, username, password);
    }
    store::write_inline(path, key, username, password)?;
    Ok(path.display().to_string())
}

/// Returns the key by which files and helpers know a registry.
fn server_key(registry: &str) -> &str {
    if registry == DEFAULT_REGISTRY {
        DOCKER_HUB_KEY
    } else {
        registry
    }
}

#[cfg(test)]
mod tests;
