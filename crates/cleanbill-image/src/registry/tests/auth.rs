//! Who gets which credentials, and who does not.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;

fn is_alice(asked: &Asked) -> bool {
    asked.header("authorization")
        == Some(&format!(
            "Basic {}",
            BASE64_STANDARD.encode("alice:hunter2")
        ))
}

/// A token service: `good` for those who know the password, `public` for anybody else.
fn token_service() -> FakeServer {
    FakeServer::start(
        |asked| match (is_alice(asked), asked.header("authorization")) {
            (true, _) => Reply::body(r#"{"token":"good"}"#),
            (false, None) => Reply::body(r#"{"access_token":"public"}"#),
            (false, Some(_)) => Reply::status(401),
        },
    )
}

/// A registry that takes one token and names `realm` for getting it.
fn token_registry(realm: String, token: &'static str) -> FakeServer {
    FakeServer::start(move |asked| {
        if asked.header("authorization") != Some(&format!("Bearer {token}")) {
            let challenge = format!(
                r#"Bearer realm="{realm}",service="fake",scope="s:{}""#,
                asked.target
            );
            return Reply::status(401).header("www-authenticate", challenge);
        }
        match asked.target.as_str() {
            "/v2/" => Reply::body("{}"),
            target if target.contains("manifests") => Reply::body(artifact_manifest(b"blob")),
            _ => Reply::body("blob"),
        }
    })
}

#[test]
fn a_password_is_exchanged_for_a_token_once_and_never_shown_to_the_registry() {
    let service = token_service();
    let server = token_registry(service.url("/token?a=b"), "good");
    let setup = Setup::with_password(&server.name());
    assert_eq!(pull(&setup, &server).unwrap(), b"blob");
    assert_eq!(
        service.log(),
        ["GET /token?a=b&service=fake&scope=s%3A%2Fv2%2Fdb%2Fmanifests%2F2"]
    );
    let shown: Vec<_> = server
        .asked()
        .iter()
        .map(|a| a.header("authorization").map(str::to_owned))
        .collect();
    let good = Some("Bearer good".to_owned());
    // The first question is the one that finds out the scheme.
    assert_eq!(shown, [None, None, good.clone(), good]);
}

#[test]
fn who_has_no_credentials_asks_anonymously() {
    let service = token_service();
    let server = token_registry(service.url("/token"), "public");
    assert_eq!(pull(&Setup::default(), &server).unwrap(), b"blob");
}

#[test]
fn a_denial_says_what_to_do_and_holds_no_password() {
    let service = token_service();
    let server = token_registry(service.url("/token"), "another");
    let error = pull(&Setup::default(), &server).unwrap_err();
    assert!(
        error.contains("denied: 401 Unauthorized; for a private image run `cleanbill login 127")
    );
    let error = pull(&Setup::with_password(&server.name()), &server).unwrap_err();
    assert!(
        error.contains("the credentials from the command line"),
        "{error}"
    );

    let mut setup = Setup::default();
    setup
        .credentials
        .explicit
        .push((server.name(), basic("alice", "wrong-secret")));
    let error = pull(&setup, &server).unwrap_err();
    assert!(error.contains("it refuses the credentials from"), "{error}");
    assert!(!error.contains("wrong-secret"));
}

#[test]
fn credentials_for_one_host_are_not_for_another() {
    let service = token_service();
    let server = token_registry(service.url("/token"), "public");
    // Another port is another host.
    let setup = Setup::with_password("127.0.0.1");
    assert_eq!(pull(&setup, &server).unwrap(), b"blob");
}

#[test]
fn a_token_service_of_another_site_sees_no_credentials() {
    let service = token_service();
    let realm = format!("http://localhost:{}/token", service.address.port());
    let server = token_registry(realm, "good");
    let error = pull(&Setup::with_password(&server.name()), &server).unwrap_err();
    assert!(
        service
            .asked()
            .iter()
            .all(|asked| asked.header("authorization").is_none())
    );
    assert!(error.contains("do not suffice"), "{error}");
}

#[test]
fn realms_that_are_no_safe_address_are_refused() {
    for (realm, expected) in [
        (
            "http://example.test/token",
            "refused to ask http://example.test/token: it is not encr",
        ),
        ("file:///etc/passwd", "realm is no address"),
        ("http://alice@127.0.0.1/", "realm is no address"),
        ("", "realm is no address"),
    ] {
        let server = token_registry(realm.to_owned(), "good");
        let error = pull(&Setup::with_password(&server.name()), &server).unwrap_err();
        assert!(error.contains(expected), "{realm}: {error}");
    }
}

#[test]
fn an_expired_token_is_renewed() {
    let count = Mutex::new(0);
    let service = FakeServer::start(move |_| {
        let mut count = count.lock().unwrap();
        *count += 1;
        Reply::body(format!(r#"{{"token":"t{count}"}}"#))
    });
    let realm = service.url("/");
    let server = FakeServer::start(move |asked| {
        // Each question takes a newer token than the one before.
        let wanted = if asked.target.contains("manifests") {
            "Bearer t1"
        } else {
            "Bearer t2"
        };
        match asked.header("authorization") {
            Some(shown) if shown == wanted && asked.target.contains("manifests") => {
                Reply::body(artifact_manifest(b"blob"))
            }
            Some(shown) if shown == wanted => Reply::body("blob"),
            _ => {
                Reply::status(401).header("www-authenticate", format!(r#"Bearer realm="{realm}""#))
            }
        }
    });
    assert_eq!(pull(&Setup::default(), &server).unwrap(), b"blob");
    assert_eq!(service.asked().len(), 2);
}

#[test]
fn a_registry_may_ask_for_the_password_itself() {
    let server = FakeServer::start(|asked| match is_alice(asked) {
        true if asked.target.contains("blobs") => Reply::body("blob"),
        true => Reply::body(artifact_manifest(b"blob")),
        false => Reply::status(401).header("www-authenticate", r#"Basic realm="x""#),
    });
    assert_eq!(
        pull(&Setup::with_password(&server.name()), &server).unwrap(),
        b"blob"
    );
    assert!(
        pull(&Setup::default(), &server)
            .unwrap_err()
            .contains("cleanbill login")
    );
}

#[test]
fn an_identity_token_is_exchanged_by_a_form() {
    let service = FakeServer::start(|_| Reply::body(r#"{"access_token":"good"}"#));
    let server = token_registry(service.url("/token"), "good");
    let mut setup = Setup::default();
    let token = Credential::IdentityToken(Secret::new("re&fresh"));
    setup.credentials.explicit.push((server.name(), token));
    assert_eq!(pull(&setup, &server).unwrap(), b"blob");
    let asked = service.asked().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("POST", "/token")
    );
    assert!(
        asked.body.contains("grant_type=refresh_token"),
        "{}",
        asked.body
    );
    assert!(
        asked.body.ends_with("refresh_token=re%26fresh"),
        "{}",
        asked.body
    );
}

#[test]
fn a_registry_token_is_shown_as_it_is() {
    let server = token_registry("http://127.0.0.1:1/never".to_owned(), "mine");
    let mut setup = Setup::default();
    let token = Credential::RegistryToken(Secret::new("mine"));
    setup.credentials.explicit.push((server.name(), token));
    assert_eq!(pull(&setup, &server).unwrap(), b"blob");
}

#[test]
fn redirects_carry_no_authorization_to_another_host() {
    let storage = FakeServer::start(|_| Reply::body("blob"));
    // User info would become an authorization of the registry's making.
    let target = format!("http://eve:secret@{}/blob?sig=1", storage.name());
    let service = token_service();
    let realm = service.url("/token");
    let server = FakeServer::start(move |asked| match asked.header("authorization") {
        None => Reply::status(401).header("www-authenticate", format!(r#"Bearer realm="{realm}""#)),
        Some(_) if asked.target.contains("blobs") => Reply::redirect(&target),
        Some(_) => Reply::body(artifact_manifest(b"blob")),
    });
    assert_eq!(
        pull(&Setup::with_password(&server.name()), &server).unwrap(),
        b"blob"
    );
    assert_eq!(storage.log(), ["GET /blob?sig=1"]);
    assert_eq!(storage.asked()[0].header("authorization"), None);
}

#[test]
fn a_redirected_question_may_need_a_token_of_the_other_host() {
    let service = token_service();
    let storage = token_registry(service.url("/token"), "public");
    let target = storage.url("/v2/db/blobs/x");
    let server = serve_artifact(b"blob", move |_| Reply::redirect(&target));
    assert_eq!(
        pull(&Setup::with_password(&server.name()), &server).unwrap(),
        b"blob"
    );
    assert!(
        service
            .asked()
            .iter()
            .all(|asked| asked.header("authorization").is_none())
    );
}

#[test]
fn login_stores_credentials_that_the_registry_takes() {
    let service = token_service();
    let server = token_registry(service.url("/token"), "good");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.json");
    let mut setup = Setup::default();
    setup.credentials.config_files.push(file.clone());
    let client = setup.client();

    let error = client
        .login(&server.name(), "alice", &Secret::new("wrong"))
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::Unauthorized { .. }),
        "{error}"
    );
    assert!(!file.exists());
    assert!(
        client
            .login(&server.name(), "a:b", &Secret::new("x"))
            .is_err()
    );

    let login = client
        .login(&server.name(), "alice", &Secret::new("hunter2"))
        .unwrap();
    assert_eq!(login.stored_in, file.display().to_string());
    assert_eq!(pull(&setup, &server).unwrap(), b"blob");
}
