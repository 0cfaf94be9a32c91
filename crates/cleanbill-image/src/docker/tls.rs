//! TLS with an engine: the files that `docker` calls `ca.pem`, `cert.pem` and `key.pem`.

use std::path::{Path, PathBuf};

use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::endpoint::TlsFiles;
use super::host_file;
use crate::http::tls::{TlsSetupError, TrustedRoots, config_builder};

/// Bytes of a certificate or key file.
const PEM_SIZE_BYTES_MAX: u64 = 1 << 20;

/// Returns a configuration for connections that use no TLS: it trusts nobody.
pub(super) fn unused_config() -> Result<ClientConfig, TlsSetupError> {
    let nobody = rustls::RootCertStore::empty();
    Ok(config_builder()?
        .with_root_certificates(nobody)
        .with_no_client_auth())
}

/// Returns the configuration for an engine. The engine's certificate is always verified: against
/// `ca.pem` alone where it is there, else against the system's authorities.
///
/// # Errors
///
/// A file is malformed, or `cert.pem` has no `key.pem`.
pub(super) fn config(files: Option<&TlsFiles>) -> Result<ClientConfig, TlsSetupError> {
    let Some(files) = files else {
        return unused_config();
    };
    let file = |name: &str| {
        let path = files.directory.as_ref()?.join(name);
        path.exists().then_some(path)
    };
    let roots = match file("ca.pem") {
        Some(path) => TrustedRoots::only(&path)?,
        None => TrustedRoots::load(&[])?,
    };
    let builder = config_builder()?
        .dangerous()
        .with_custom_certificate_verifier(roots.into_verifier(Vec::new())?);
    let Some(certificate) = file("cert.pem") else {
        return Ok(builder.with_no_client_auth());
    };
    let key = file("key.pem").unwrap_or_else(|| certificate.with_file_name("key.pem"));
    Ok(builder.with_client_auth_cert(certificates(&certificate)?, private_key(&key)?)?)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsSetupError> {
    let bytes = read(path)?;
    let certificates = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    certificates.map_err(|error| malformed(path, &error.to_string()))
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsSetupError> {
    let bytes = zeroize::Zeroizing::new(read(path)?);
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| malformed(path, &error.to_string()))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsSetupError> {
    host_file::read(path, PEM_SIZE_BYTES_MAX).map_err(|source| TlsSetupError::Read {
        path: PathBuf::from(path),
        source,
    })
}

fn malformed(path: &Path, reason: &str) -> TlsSetupError {
    TlsSetupError::Malformed {
        path: PathBuf::from(path),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
