//! The registry client that flags and environment ask for.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Read as _;

use anyhow::Context as _;
use cleanbill_core::ImageReference;
use cleanbill_image::{
    Credential, CredentialOptions, HttpOptions, ProxySettings, ReadContext, RegistryClient, Secret,
};

use crate::cli::{NetworkArgs, PasswordArgs, RegistryArgs};
use crate::commands::Setting;
use crate::error::CommandError;

/// The longest secret that is read from standard input.
const SECRET_SIZE_BYTES_MAX: u64 = 64 * 1024;

/// Holds what registries are reached with. Secrets are read once.
pub(crate) struct Registries {
    http: HttpOptions,
    credentials: CredentialOptions,
    explicit: Option<Credential>,
}

impl Registries {
    /// Reads flags and environment.
    pub(crate) fn new(setting: &Setting, arguments: &NetworkArgs) -> Self {
        let lookup = |name: &str| setting.environment.get(name).map(str::to_owned);
        Self {
            http: HttpOptions {
                ca_files: arguments.ca_cert.clone(),
                proxies: ProxySettings::from_environment(lookup),
                insecure_hosts: arguments.insecure_registry.clone(),
                offline: arguments.offline,
                ..HttpOptions::default()
            },
            credentials: CredentialOptions {
                helper_search_path: lookup("PATH").map(OsString::from),
                ..CredentialOptions::from_environment(|name| lookup(name).map(OsString::from))
            },
            explicit: None,
        }
    }

    /// Adds the credentials of flags and environment; with `--registry-password-stdin` standard
    /// input is read.
    ///
    /// # Errors
    ///
    /// Flags contradict each other, or standard input cannot be read.
    pub(crate) fn with_credential(
        mut self,
        arguments: &RegistryArgs,
    ) -> Result<Self, CommandError> {
        self.explicit = explicit_credential(arguments)?;
        Ok(self)
    }

    /// Returns what other servers are reached with.
    pub(crate) fn http(&self) -> HttpOptions {
        self.http.clone()
    }

    /// Builds a client. Credentials of the flags are sent to `registries` only, which must be one.
    ///
    /// # Errors
    ///
    /// Credentials were given for several registries, or TLS cannot be set up.
    pub(crate) fn client<'a>(
        &self,
        context: &ReadContext,
        references: impl IntoIterator<Item = &'a ImageReference>,
    ) -> Result<RegistryClient, CommandError> {
        let mut credentials = self.credentials.clone();
        if let Some(credential) = &self.explicit {
            let registries: BTreeSet<&str> = references
                .into_iter()
                .map(|reference| reference.registry.as_str())
                .collect();
            if registries.len() > 1 {
                let names: Vec<&str> = registries.into_iter().collect();
                return Err(CommandError::usage_text(format!(
                    "--registry-username and --registry-token are for one registry, but the \
                     images are in {}",
                    names.join(", ")
                ))
                .hint("store credentials for each of them: cleanbill login HOST"));
            }
            credentials.explicit = registries
                .into_iter()
                .map(|r| (r.to_owned(), credential.clone()))
                .collect();
        }
        RegistryClient::new(self.http.clone(), credentials, context.clone())
            .map_err(CommandError::usage)
    }
}

fn explicit_credential(arguments: &RegistryArgs) -> Result<Option<Credential>, CommandError> {
    if let Some(token) = &arguments.registry_token {
        return Ok(Some(Credential::RegistryToken(Secret::new(token.clone()))));
    }
    let password = password(&arguments.password)?;
    match (&arguments.password.registry_username, password) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => Ok(Some(Credential::Basic {
            username: username.clone(),
            password,
        })),
        (Some(_), None) => Err(
            CommandError::usage_text("--registry-username needs a password")
                .hint("give it by CLEANBILL_REGISTRY_PASSWORD or with --registry-password-stdin"),
        ),
        (None, Some(_)) => Err(CommandError::usage_text(
            "a registry password needs --registry-username",
        )),
    }
}

/// Returns the password of the flags, the environment or standard input.
pub(crate) fn password(arguments: &PasswordArgs) -> Result<Option<Secret>, CommandError> {
    if !arguments.registry_password_stdin {
        return Ok(arguments.registry_password.clone().map(Secret::new));
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(SECRET_SIZE_BYTES_MAX)
        .read_to_string(&mut text)
        .context("cannot read the password from standard input")
        .map_err(CommandError::usage)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(CommandError::usage_text(
            "--registry-password-stdin: standard input holds no password",
        ));
    }
    Ok(Some(Secret::new(text)))
}
