use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::PrivateKeyDer;
use serde_json::Value;

use super::*;
use crate::docker::{DockerClient, Endpoint, Timeouts};
use crate::http::tls::crypto_provider;
use crate::{ImageError, ReadContext};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// Issues a certificate and its key, both as PEM.
fn issue(authority: &Issuer, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (
        parameters.signed_by(&key, authority).unwrap().pem(),
        key.serialize_pem(),
    )
}

/// Serves engines' answers on a port, to clients whose certificate `clients` issued.
fn serve(server: &Issuer, clients: &Issuer) -> u16 {
    let (certificate, key) = issue(server, "localhost");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(clients.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots.into(), crypto_provider()).build();
    let config = ServerConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        );
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok_and(|count| count > 0) {
                let _ = stream.write_all(
                    b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\
                      Connection: close\r\n\r\n{}",
                );
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    port
}

fn connect(port: u16, directory: &Path) -> Result<Value, ImageError> {
    let tls = TlsFiles {
        directory: Some(directory.to_owned()),
    };
    let endpoint = Endpoint::parse(&format!("tcp://localhost:{port}"), Some(tls)).unwrap();
    let context = ReadContext::default();
    DockerClient::connect(&endpoint, Timeouts::default(), &context)?.get_json(
        &["info"],
        &[],
        &context,
    )
}

/// Writes the three files of `DOCKER_CERT_PATH`.
fn write_files(directory: &Path, ca: &Issuer, client: &Issuer) {
    let (certificate, key) = issue(client, "client");
    fs::write(directory.join("ca.pem"), ca.pem()).unwrap();
    fs::write(directory.join("cert.pem"), certificate).unwrap();
    fs::write(directory.join("key.pem"), key).unwrap();
}

#[test]
fn both_sides_show_certificates() {
    let (server, clients) = (authority(), authority());
    let port = serve(&server, &clients);
    let directory = tempfile::tempdir().unwrap();
    write_files(directory.path(), &server, &clients);
    assert_eq!(
        connect(port, directory.path()).unwrap(),
        serde_json::json!({})
    );
}

#[test]
fn an_engine_of_somebody_elses_is_refused() {
    let (server, clients) = (authority(), authority());
    let port = serve(&server, &clients);
    let directory = tempfile::tempdir().unwrap();
    write_files(directory.path(), &authority(), &clients);
    let error = connect(port, directory.path()).unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    // Without a file of authorities the system's count, which do not know this one either.
    fs::remove_file(directory.path().join("ca.pem")).unwrap();
    assert!(connect(port, directory.path()).is_err());
}

#[test]
fn a_client_without_the_right_certificate_is_refused() {
    let (server, clients) = (authority(), authority());
    let port = serve(&server, &clients);
    let directory = tempfile::tempdir().unwrap();
    write_files(directory.path(), &server, &authority());
    assert!(connect(port, directory.path()).is_err());
    fs::remove_file(directory.path().join("cert.pem")).unwrap();
    assert!(connect(port, directory.path()).is_err());
}

#[test]
fn files_that_make_no_sense_are_named() {
    let (server, clients) = (authority(), authority());
    let directory = tempfile::tempdir().unwrap();
    let check = |name: &str| {
        write_files(directory.path(), &server, &clients);
        fs::write(directory.path().join(name), "nonsense").unwrap();
        let error = connect(1, directory.path()).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    };
    check("ca.pem");
    check("key.pem");
    write_files(directory.path(), &server, &clients);
    fs::remove_file(directory.path().join("key.pem")).unwrap();
    let error = connect(1, directory.path()).unwrap_err().to_string();
    assert!(error.contains("key.pem"), "{error}");
}
