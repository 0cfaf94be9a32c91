//! Trying out credentials and keeping them.

use super::credentials::{self, Credential};
use super::{CredentialError, CredentialOptions, RegistryClient, RegistryError};
use crate::http::Secret;

/// What became of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Where the credentials are kept now: a file or a helper program.
    pub stored_in: String,
    /// The address of the registry that took them.
    pub address: String,
}

impl RegistryClient {
    /// Tries credentials at a registry (named as by [`registry_name`]) and, if it takes them,
    /// stores them where Docker would: in the credential helper that its configuration names, else
    /// in the configuration file.
    ///
    /// [`registry_name`]: super::registry_name
    ///
    /// # Errors
    ///
    /// The registry cannot be reached or refuses the credentials; then nothing is stored. Or they
    /// cannot be stored.
    pub fn login(
        &self,
        registry: &str,
        username: &str,
        password: &Secret,
    ) -> Result<Login, RegistryError> {
        if username.is_empty() || username.contains(':') {
            return Err(CredentialError::UserName.into());
        }
        let credential = Credential::Basic {
            username: username.to_owned(),
            password: password.clone(),
        };
        let only_these = CredentialOptions {
            explicit: vec![(registry.to_owned(), credential)],
            ..CredentialOptions::default()
        };
        // A client of its own: tokens that this one has say nothing about these credentials.
        let tester = Self::new(
            self.shared.http.options().clone(),
            only_these,
            self.context().clone(),
        )?;
        let address = tester.ping(registry)?;
        let stored_in = credentials::store(
            &self.shared.credentials,
            registry,
            username,
            password,
            self.context(),
        )?;
        Ok(Login { stored_in, address })
    }
}
