//! TLS: the one crypto provider, and whom we trust.
//!
//! The configuration is always built here and handed to reqwest ready-made. Left to itself,
//! reqwest looks for the system's certificates even for plain HTTP and sockets, and fails on a
//! system without any (seanmonstar/reqwest#2988); a container from scratch has none.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore,
    SignatureScheme,
};
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
    /// Those that the user named, which a server may also show as its own.
    named: Vec<CertificateDer<'static>>,
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
        let mut named = Vec::new();
        for path in files {
            let added = add_file(&mut store, &mut named, path)?;
            origin.push_str(&format!(", {} ({added})", path.display()));
        }
        Ok(Self {
            store,
            named,
            origin,
        })
    }

    /// Trusts the certificates of one file and nobody else: what a Docker host with TLS is
    /// checked against.
    ///
    /// # Errors
    ///
    /// The file cannot be read or has no certificate in it.
    pub fn only(path: &Path) -> Result<Self, TlsSetupError> {
        let mut store = RootCertStore::empty();
        let mut named = Vec::new();
        let added = add_file(&mut store, &mut named, path)?;
        Ok(Self {
            store,
            named,
            origin: format!("{} ({added})", path.display()),
        })
    }

    /// Returns what checks the certificates of servers: against these authorities, or without proof
    /// for the hosts in `insecure_names`.
    pub(crate) fn into_verifier(
        self,
        insecure_names: Vec<String>,
    ) -> Result<Arc<dyn ServerCertVerifier>, TlsSetupError> {
        let store = Arc::new(self.store);
        let strict = WebPkiServerVerifier::builder_with_provider(store, crypto_provider())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(Arc::new(Verifier {
            strict,
            named: self.named,
            insecure_names,
        }))
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

fn add_file(
    store: &mut RootCertStore,
    named: &mut Vec<CertificateDer<'static>>,
    path: &Path,
) -> Result<usize, TlsSetupError> {
    let certificates = read_certificates(path)?;
    let count = certificates.len();
    for certificate in certificates {
        store.add(certificate.clone())?;
        named.push(certificate);
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

/// Returns a configuration that checks certificates against `roots`, but accepts any certificate of
/// the hosts in `insecure_names` (a proxy on the way is still checked).
///
/// # Errors
///
/// As [`config_builder`].
pub(crate) fn verified_config(
    roots: TrustedRoots,
    insecure_names: Vec<String>,
) -> Result<ClientConfig, TlsSetupError> {
    Ok(config_builder()?
        .dangerous()
        .with_custom_certificate_verifier(roots.into_verifier(insecure_names)?)
        .with_no_client_auth())
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

/// Trusts, beside the authorities, what the user named: certificates themselves, and hosts whose
/// proof is not asked for. The handshake itself is always checked.
#[derive(Debug)]
struct Verifier {
    strict: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
    insecure_names: Vec<String>,
}

impl ServerCertVerifier for Verifier {
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
            .insecure_names
            .iter()
            .any(|insecure| insecure.eq_ignore_ascii_case(&name))
        {
            return Ok(ServerCertVerified::assertion());
        }
        let verified = self.strict.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // `openssl req -x509` makes a certificate that is an authority's, and private
            // registries show it as their own.
            Err(error) if is_of_authority(&error) && self.named.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
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

/// Says that a certificate was refused for no other reason than that it is an authority's. The
/// library looks at the period of validity before that.
fn is_of_authority(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(cause)) => {
            cause.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    use super::*;

    /// Makes what `openssl req -x509` does: self-signed, and an authority's.
    fn self_signed() -> rcgen::Certificate {
        let mut parameters = CertificateParams::new(["reg.test".to_owned()]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.not_before = rcgen::date_time_ymd(2024, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2025, 1, 1);
        let key = KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap()
    }

    #[test]
    fn a_certificate_that_is_named_may_be_the_servers_own() {
        let (named, other) = (self_signed(), self_signed());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), named.pem()).unwrap();
        let verifier = TrustedRoots::only(file.path())
            .unwrap()
            .into_verifier(Vec::new())
            .unwrap();
        let check = |certificate: &rcgen::Certificate, name: &'static str, day: u64| {
            let time = UnixTime::since_unix_epoch(Duration::from_secs(day * 86_400));
            let name = ServerName::try_from(name).unwrap();
            let verified = verifier.verify_server_cert(certificate.der(), &[], &name, &[], time);
            verified.map(|_| ()).map_err(|error| error.to_string())
        };
        // 2024-07-01, 2023-12-01 and 2025-12-01.
        let (during, before, after) = (19_905, 19_692, 20_423);
        assert_eq!(check(&named, "reg.test", during), Ok(()));
        for (certificate, name, day, expected) in [
            (&other, "reg.test", during, "CaUsedAsEndEntity"),
            (&named, "other.test", during, "not valid for name"),
            (&named, "reg.test", before, "not valid yet"),
            (&named, "reg.test", after, "expired"),
        ] {
            let error = check(certificate, name, day).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

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
        assert!(roots.store.len() > 1);
    }
}
