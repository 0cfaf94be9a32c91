//! TLS, proxies, offline: how a registry is reached.

use std::path::Path;

use super::*;

fn serve_tls(names: &[&str]) -> (FakeServer, String) {
    FakeServer::start_tls(names, |asked| match asked.target.as_str() {
        "/v2/" => Reply::body("{}"),
        target if target.contains("manifests") => Reply::body(artifact_manifest(b"blob")),
        _ => Reply::body("blob"),
    })
}

fn write_pem(directory: &Path, pem: &str) -> std::path::PathBuf {
    let path = directory.join("ca.pem");
    std::fs::write(&path, pem).unwrap();
    path
}

#[test]
fn a_private_authority_is_trusted_when_named() {
    let directory = tempfile::tempdir().unwrap();
    let (server, pem) = serve_tls(&["127.0.0.1"]);
    let error = pull(&Setup::default(), &server).unwrap_err();
    assert!(
        error.contains("no trusted TLS connection to https://127.0.0.1"),
        "{error}"
    );
    assert!(error.contains("--ca-cert"), "{error}");

    let mut setup = Setup::default();
    setup.http.ca_files.push(write_pem(directory.path(), &pem));
    assert_eq!(pull(&setup, &server).unwrap(), b"blob");
}

#[test]
fn an_insecure_registry_needs_no_certificate() {
    let (server, _) = serve_tls(&["another.test"]);
    let mut setup = Setup::default();
    setup.http.insecure_hosts.push(server.name());
    assert_eq!(pull(&setup, &server).unwrap(), b"blob");
    // Only that one.
    let mut setup = Setup::default();
    setup.http.insecure_hosts.push("127.0.0.1:1".to_owned());
    assert!(
        pull(&setup, &server)
            .unwrap_err()
            .contains("no trusted TLS")
    );
}

#[test]
fn offline_opens_no_connection() {
    let server = serve_artifact(b"blob", |_| Reply::body("blob"));
    let mut setup = Setup::default();
    setup.http.offline = true;
    assert!(pull(&setup, &server).unwrap_err().contains("offline"));
    assert!(server.asked().is_empty());
}

#[test]
fn a_refused_connection_is_tried_again_then_named() {
    // A port on which nobody listens, and that nobody else can take meanwhile.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let address = taken.local_addr().unwrap();
    let setup = Setup::default();
    let reference = format!("{address}/db:2").parse().unwrap();
    let error = setup.client().open_artifact(&reference).unwrap_err();
    assert!(error.to_string().contains("Connection refused"), "{error}");
    assert_eq!(setup.pauses_ms(), [500, 1000, 2000]);
    assert!(error.is_temporary());
}

/// A proxy that knows one registry, `reg.test:443`, with TLS.
fn proxy_for(upstream: &FakeServer) -> FakeServer {
    let address = upstream.address;
    FakeServer::start(
        move |asked| match (asked.method.as_str(), asked.target.as_str()) {
            ("CONNECT", "reg.test:443") => Reply::tunnel(address),
            ("GET", "http://plain.test/v2/db/manifests/2") => {
                Reply::body(artifact_manifest(b"blob"))
            }
            ("GET", target) if target.starts_with("http://plain.test/v2/db/blobs/") => {
                Reply::redirect("https://169.254.169.254/latest/meta-data/")
            }
            ("GET", "http://plain.test/v2/") => Reply::body("{}"),
            _ => Reply::status(502),
        },
    )
}

#[test]
fn a_tunnel_through_a_proxy_ends_at_the_registry() {
    let directory = tempfile::tempdir().unwrap();
    let (server, pem) = serve_tls(&["reg.test"]);
    let proxy = proxy_for(&server);
    let mut setup = Setup::default();
    setup.http.ca_files.push(write_pem(directory.path(), &pem));
    setup.http.proxies.https = Some(format!("http://user:pass@{}", proxy.name()));
    let artifact = setup
        .client()
        .open_artifact(&"reg.test/db:2".parse().unwrap())
        .unwrap();
    assert_eq!(artifact.media_type, LAYER_TYPE);
    let asked = proxy.asked().remove(0);
    assert_eq!(asked.target, "reg.test:443");
    assert_eq!(
        asked.header("proxy-authorization"),
        Some("Basic dXNlcjpwYXNz")
    );
    assert_eq!(server.asked()[0].header("proxy-authorization"), None);
}

#[test]
fn an_answer_cannot_send_us_to_an_address_of_this_machine_or_link() {
    let proxy = proxy_for(&serve_tls(&["reg.test"]).0);
    let mut setup = Setup::default();
    setup.http.proxies.all = Some(proxy.name());
    setup.http.insecure_hosts.push("plain.test".to_owned());
    let artifact = setup
        .client()
        .open_artifact(&"plain.test/db:2".parse().unwrap())
        .unwrap();
    let error = artifact.read().map(drop).unwrap_err().to_string();
    assert_eq!(
        error,
        "refused to ask https://169.254.169.254/latest/meta-data/: it is an address of this \
         machine or link"
    );
}
