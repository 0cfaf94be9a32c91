//! TLS: the one crypto provider, and whom we trust.
//!
//! The configuration is always built here and handed to reqwest ready-made. Left to itself,
//! reqwest looks for the system's certificates even for plain HTTP and sockets, and fails on a
//! system without any (seanmonstar/reqwest#2988); a container from scratch has none.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;

/// Bytes of a file of certificates. The bundle of a distribution has 300 kB.
const CA_FILE_SIZE_BYTES_MAX: u64 = 16 << 20;

/// Says why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// A file of certificates could not be read.
    #[error("cannot read certificate file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file of certificates holds none that can be used.
    #[error("certificate file {} is malformed: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The TLS library refuses the settings.
    #[error("cannot set up TLS")]
    Library(#[from] rustls::Error),
}

/// Returns the crypto provider that every TLS connection uses.
pub fn crypto_provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider()));
    Arc::clone(provider)
}

/// The certificate authorities that are trusted, and where they came from.
#[derive(Clone, Debug)]
pub struct TrustedRoots {
    store: RootCertStore,
    /// The places with the number of certificates of each, for a person:
    /// `system (142), /etc/ca.pem (1)`.
    pub origin: String,
}

impl TrustedRoots {
    /// Loads the system's authorities (or `SSL_CERT_FILE` and `SSL_CERT_DIR`), those built in if
    /// the system has none, and the files in addition.
    ///
    /// # Errors
    ///
    /// One of the files cannot be read or has no certificate in it. Unusable certificates of the
    /// system are passed over, as every browser does.
    pub fn load(files: &[PathBuf]) -> Result<Self, TlsSetupError> {
        let mut store = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::debug!(%error, "cannot read a certificate of the system");
        }
        let (added, _) = store.add_parsable_certificates(system.certs);
        let mut origin = format!("system ({added})");
        if added == 0 {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            origin = format!("built in ({})", store.len());
        }
        for path in files {
            let added = add_file(&mut store, path)?;
            origin.push_str(&format!(", {} ({added})", path.display()));
        }
        Ok(Self { store, origin })
    }

    /// Trusts the certificates of one file and nobody else: what a Docker host with TLS is
    /// checked against.
    ///
    /// # Errors
    ///
    /// The file cannot be read or has no certificate in it.
    pub fn only(path: &Path) -> Result<Self, TlsSetupError> {
        let mut store = RootCertStore::empty();
        let added = add_file(&mut store, path)?;
        Ok(Self {
            store,
            origin: format!("{} ({added})", path.display()),
        })
    }

    /// Returns the store.
    pub fn into_store(self) -> RootCertStore {
        self.store
    }
}

/// Returns the certificates of the authorities that [`TrustedRoots::load`] trusts, for libraries
/// that want to set TLS up themselves: those of the system (`None` if it has none, which stands
/// for those built in) and those of the files.
///
/// # Errors
///
/// As [`TrustedRoots::load`].
pub fn trusted_certificates(
    files: &[PathBuf],
) -> Result<
    (
        Option<Vec<CertificateDer<'static>>>,
        Vec<CertificateDer<'static>>,
    ),
    TlsSetupError,
> {
    let is_usable = |certificate: &CertificateDer<'static>| {
        RootCertStore::empty().add(certificate.clone()).is_ok()
    };
    let mut system = rustls_native_certs::load_native_certs().certs;
    system.retain(is_usable);
    let mut own = Vec::new();
    for path in files {
        own.extend(read_certificates(path)?);
    }
    Ok(((!system.is_empty()).then_some(system), own))
}

fn add_file(store: &mut RootCertStore, path: &Path) -> Result<usize, TlsSetupError> {
    let certificates = read_certificates(path)?;
    let count = certificates.len();
    for certificate in certificates {
        store.add(certificate)?;
    }
    Ok(count)
}

/// Reads a file of certificates, each of which can be used.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsSetupError> {
    let malformed = |reason: String| TlsSetupError::Malformed {
        path: path.to_owned(),
        reason,
    };
    let bytes = read_bounded(path).map_err(|source| TlsSetupError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| malformed(error.to_string()))?;
        RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|error| malformed(error.to_string()))?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(malformed("no certificate in PEM form in it".to_owned()));
    }
    Ok(certificates)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(CA_FILE_SIZE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > CA_FILE_SIZE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "more than {CA_FILE_SIZE_BYTES_MAX} bytes"
        )));
    }
    Ok(bytes)
}

/// Begins a client configuration on our provider.
///
/// # Errors
///
/// The provider knows none of the protocol versions, which does not happen.
pub(crate) fn config_builder()
-> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, TlsSetupError> {
    let builder = ClientConfig::builder_with_provider(crypto_provider());
    Ok(builder.with_safe_default_protocol_versions()?)
}

/// Returns a configuration that checks certificates against `roots`.
///
/// # Errors
///
/// As [`config_builder`].
pub(crate) fn verified_config(roots: TrustedRoots) -> Result<ClientConfig, TlsSetupError> {
    Ok(config_builder()?
        .with_root_certificates(roots.into_store())
        .with_no_client_auth())
}

/// Returns a configuration that accepts any certificate of the hosts in `names` and checks
/// everybody else (a proxy on the way) against `roots`.
///
/// # Errors
///
/// As [`config_builder`].
pub(crate) fn lenient_config(
    roots: TrustedRoots,
    names: Vec<String>,
) -> Result<ClientConfig, TlsSetupError> {
    let store = Arc::new(roots.into_store());
    let strict = WebPkiServerVerifier::builder_with_provider(store, crypto_provider())
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let verifier = Arc::new(LenientVerifier { strict, names });
    let builder = config_builder()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Ok(builder.with_no_client_auth())
}

/// Returns a configuration that accepts no certificate at all: for connections without TLS, where
/// reqwest wants a configuration all the same.
///
/// # Errors
///
/// As [`config_builder`].
pub(crate) fn plain_config() -> Result<ClientConfig, TlsSetupError> {
    Ok(config_builder()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

/// Passes the certificates of hosts that the user called insecure. The handshake itself is still
/// checked.
#[derive(Debug)]
struct LenientVerifier {
    strict: Arc<WebPkiServerVerifier>,
    names: Vec<String>,
}

impl ServerCertVerifier for LenientVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let name = server_name.to_str();
        if self
            .names
            .iter()
            .any(|insecure| insecure.eq_ignore_ascii_case(&name))
        {
            return Ok(ServerCertVerified::assertion());
        }
        self.strict
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.strict.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.strict.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(content: &[u8], expected: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let error = TrustedRoots::only(file.path()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn files_without_usable_certificates_are_refused() {
        check_error(b"", "no certificate in PEM form");
        check_error(b"\0\xff-----BEGIN", "no certificate in PEM form");
        check_error(
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "is malformed",
        );
        let missing = TrustedRoots::load(&[PathBuf::from("/does/not/exist.pem")]).unwrap_err();
        assert!(
            missing.to_string().contains("/does/not/exist.pem"),
            "{missing}"
        );
    }

    #[test]
    fn files_add_to_the_roots_of_the_system() {
        let authority = rcgen::generate_simple_self_signed(["ca.test".to_owned()]).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), authority.cert.pem()).unwrap();
        let roots = TrustedRoots::load(&[file.path().to_owned()]).unwrap();
        assert!(
            roots
                .origin
                .contains(&format!("{} (1)", file.path().display()))
        );
        assert!(roots.into_store().len() > 1);
    }
}
