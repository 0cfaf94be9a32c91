//! Docker's `config.json` and podman's `auth.json`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde::de::Deserializer;
use zeroize::Zeroizing;

use super::super::endpoint::canonical_host;
use super::{Credential, CredentialError};
use crate::http::Secret;
use crate::oci::or_default;

/// Bytes of a configuration file; real ones have some kilobytes.
const FILE_SIZE_BYTES_MAX: u64 = 4 << 20;

/// Files written by hand lack the padding now and then.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a configuration file says about a registry.
#[derive(Debug)]
pub(super) enum Opinion<'a> {
    /// Nothing.
    None,
    /// The helper of this name knows.
    Helper(&'a str),
    /// These.
    Inline(Credential),
}

/// Holds the members of a configuration file that concern credentials.
///
/// Source: Docker CLI `cli/config/configfile`, containers-auth.json(5).
#[derive(Debug, Default, Deserialize)]
pub(super) struct ConfigFile {
    #[serde(default, deserialize_with = "or_default")]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credHelpers", deserialize_with = "or_default")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore", deserialize_with = "or_default")]
    default_helper: String,
}

#[derive(Debug, Default, Deserialize)]
struct Entry {
    /// `username:password` in base64.
    #[serde(default, deserialize_with = "secret")]
    auth: Secret,
    #[serde(default, deserialize_with = "or_default")]
    username: String,
    #[serde(default, deserialize_with = "secret")]
    password: Secret,
    #[serde(default, rename = "identitytoken", deserialize_with = "secret")]
    identity_token: Secret,
    #[serde(default, rename = "registrytoken", deserialize_with = "secret")]
    registry_token: Secret,
}

impl ConfigFile {
    /// Reads a file; `None` if there is none.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is no JSON of the right shape.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, CredentialError> {
        let bytes = match read_bytes(path) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(source) => {
                return Err(CredentialError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        Self::parse(&bytes)
            .map(Some)
            .map_err(|reason| CredentialError::Malformed {
                path: PathBuf::from(path),
                reason,
            })
    }

    /// Reads the content of a file. An empty one says nothing.
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let file: Self = serde_json::from_slice(bytes).map_err(|error| {
            // The text of serde's error may quote a secret; the place is enough to find it.
            format!("line {}, column {}", error.line(), error.column())
        })?;
        match file
            .auths
            .iter()
            .find(|(_, entry)| entry.credential().is_err())
        {
            Some((key, _)) => Err(format!("'auth' of '{key}' is no user:password in base64")),
            None => Ok(file),
        }
    }

    /// Returns what the file says about a repository of a registry.
    pub(super) fn opinion(&self, registry: &str, repository: &str) -> Opinion<'_> {
        if let Some(name) = self.helper(registry) {
            return Opinion::Helper(name);
        }
        match self.inline(registry, repository) {
            Some(credential) => Opinion::Inline(credential),
            None => Opinion::None,
        }
    }

    /// Returns the helper that is responsible for a registry.
    pub(super) fn helper(&self, registry: &str) -> Option<&str> {
        let own = self
            .helpers
            .iter()
            .find(|(key, _)| is_key_of(key, registry));
        own.map(|(_, name)| name.as_str())
            .or(Some(self.default_helper.as_str()))
            .filter(|name| !name.is_empty())
    }

    /// Looks for an entry of the repository, of its namespaces from the innermost, then of the
    /// registry.
    fn inline(&self, registry: &str, repository: &str) -> Option<Credential> {
        let namespaces = std::iter::successors(Some(repository), |path| {
            path.rsplit_once('/').map(|(parent, _)| parent)
        });
        let scoped = namespaces
            .filter(|path| !path.is_empty())
            .filter_map(|path| self.auths.get(&format!("{registry}/{path}")));
        let whole = self
            .auths
            .iter()
            .filter(|(key, _)| is_key_of(key, registry))
            .map(|(_, entry)| entry);
        scoped
            .chain(whole)
            .find_map(|entry| entry.credential().ok().flatten())
    }
}

impl Entry {
    /// Returns the credentials of an entry; one without any marks that a helper keeps them.
    fn credential(&self) -> Result<Option<Credential>, ()> {
        if !self.registry_token.is_empty() {
            return Ok(Some(Credential::RegistryToken(self.registry_token.clone())));
        }
        if !self.identity_token.is_empty() {
            return Ok(Some(Credential::IdentityToken(self.identity_token.clone())));
        }
        if !self.auth.is_empty() {
            return decode_auth(self.auth.expose()).map(Some).ok_or(());
        }
        Ok((!self.username.is_empty()).then(|| Credential::Basic {
            username: self.username.clone(),
            password: self.password.clone(),
        }))
    }
}

fn decode_auth(text: &str) -> Option<Credential> {
    let bytes = Zeroizing::new(BASE64.decode(text.trim()).ok()?);
    let (username, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some(Credential::Basic {
        username: username.to_owned(),
        // Docker pads old entries with NUL.
        password: Secret::new(password.trim_matches('\0')),
    })
}

/// Says whether a key of a file names a registry. Keys may be addresses: `https://host/v1/`.
fn is_key_of(key: &str, registry: &str) -> bool {
    let (is_address, rest) = match key.split_once("://") {
        Some(("http" | "https", rest)) => (true, rest),
        _ => (false, key),
    };
    let host = match rest.split_once('/') {
        None => rest,
        Some((host, _)) if is_address => host,
        Some((host, "")) => host,
        Some(_) => return false,
    };
    canonical_host(host) == registry
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

pub(super) fn read_bytes(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?
        .take(FILE_SIZE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_SIZE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "more than {FILE_SIZE_BYTES_MAX} bytes"
        )));
    }
    Ok(bytes)
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    or_default::<D, String>(deserializer).map(Secret::new)
}
