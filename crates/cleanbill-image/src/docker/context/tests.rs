use std::fs;

use super::*;

/// Returns an environment whose every path lies below `root`.
fn environment(root: &Path) -> EngineEnvironment {
    EngineEnvironment {
        docker_config: Some(root.join("home/.docker")),
        runtime_dir: Some(root.join("run/user/7")),
        home: Some(root.join("home")),
        root: root.to_owned(),
        ..EngineEnvironment::default()
    }
}

fn docker(environment: &EngineEnvironment) -> Result<Vec<Candidate>, ImageError> {
    environment.docker_endpoints(&Limits::default())
}

/// Writes a context as `docker context create` does.
fn write_context(root: &Path, name: &str, meta: &str, with_tls: bool) {
    let id = Digest::of(name.as_bytes()).to_hex();
    let contexts = root.join("home/.docker/contexts");
    let directory = contexts.join("meta").join(&id);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("meta.json"), meta).unwrap();
    if with_tls {
        fs::create_dir_all(contexts.join("tls").join(&id).join("docker")).unwrap();
    }
}

fn write_config(root: &Path, text: &str) {
    fs::create_dir_all(root.join("home/.docker")).unwrap();
    fs::write(root.join("home/.docker/config.json"), text).unwrap();
}

const META: &str = r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":
    {"Host":"tcp://far.test:2376","SkipTLSVerify":false}}}"#;

#[test]
fn variables_become_settings() {
    let get = |name: &str| match name {
        "HOME" => Some("/home/u".to_owned()),
        "DOCKER_TLS_VERIFY" => Some("1".to_owned()),
        "DOCKER_HOST" => Some(String::new()),
        _ => None,
    };
    let environment = EngineEnvironment::from_variables(get, 1000);
    assert_eq!(environment.docker_host, None);
    assert!(environment.docker_tls_verify);
    assert_eq!(environment.docker_config, Some("/home/u/.docker".into()));
    assert_eq!(environment.runtime_dir, Some("/run/user/1000".into()));
}

#[test]
fn usual_places_come_in_order() {
    let root = Path::new("/r");
    let places = |candidates: Vec<Candidate>| -> Vec<String> {
        assert!(candidates.iter().all(|candidate| !candidate.is_named()));
        candidates
            .iter()
            .map(|candidate| candidate.endpoint.to_string())
            .collect()
    };
    assert_eq!(
        places(docker(&environment(root)).unwrap()),
        [
            "unix:///r/var/run/docker.sock",
            "unix:///r/run/user/7/docker.sock",
            "unix:///r/home/.docker/run/docker.sock",
            "unix:///r/home/.docker/desktop/docker.sock",
        ]
    );
    assert_eq!(
        places(environment(root).podman_endpoints().unwrap()),
        [
            "unix:///r/run/user/7/podman/podman.sock",
            "unix:///r/run/podman/podman.sock"
        ]
    );
}

#[track_caller]
fn check_named(environment: &EngineEnvironment, endpoint: &str, named_by: &str) {
    let candidates = docker(environment).unwrap();
    let [candidate] = candidates.as_slice() else {
        panic!("{candidates:?}")
    };
    assert_eq!(candidate.endpoint.to_string(), endpoint);
    assert!(
        candidate.named_by.contains(named_by),
        "{}",
        candidate.named_by
    );
}

#[test]
fn an_address_overrides_a_context_and_a_context_the_usual_places() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write_context(root, "far", META, true);
    let near = META.replace("tcp://far.test:2376", "unix:///near.sock");
    write_context(root, "near", &near, false);
    write_config(root, r#"{"auths":{},"currentContext":"far"}"#);

    let mut environment = environment(root);
    check_named(&environment, "tcp://far.test:2376", "context 'far'");
    let Endpoint::Tcp { tls: Some(tls), .. } = &docker(&environment).unwrap()[0].endpoint else {
        panic!("the context has TLS files");
    };
    assert!(tls.directory.as_ref().unwrap().ends_with("docker"));

    environment.docker_context = Some("near".to_owned());
    check_named(&environment, "unix:///near.sock", "context 'near'");
    environment.docker_host = Some("tcp://other.test:1".to_owned());
    check_named(&environment, "tcp://other.test:1", "DOCKER_HOST");
    environment.docker_host = None;
    environment.docker_context = Some("default".to_owned());
    assert_eq!(docker(&environment).unwrap().len(), 4);
}

#[test]
fn certificates_make_tcp_secure() {
    let mut environment = environment(Path::new("/r"));
    environment.docker_host = Some("tcp://h.test".to_owned());
    check_named(&environment, "tcp://h.test:2375", "DOCKER_HOST");
    environment.docker_tls_verify = true;
    check_named(&environment, "tcp://h.test:2376", "DOCKER_HOST");
    environment.docker_tls_verify = false;
    environment.docker_cert_path = Some("/certs".into());
    let Endpoint::Tcp { tls, .. } = &docker(&environment).unwrap()[0].endpoint else {
        panic!()
    };
    assert_eq!(tls.as_ref().unwrap().directory, Some("/certs".into()));
}

#[track_caller]
fn check_error(environment: &EngineEnvironment, expected: &str) {
    let error = docker(environment).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn what_the_user_named_must_be_there_and_make_sense() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let mut environment = environment(root);
    environment.docker_context = Some("gone".to_owned());
    check_error(&environment, "Docker context 'gone' not found");
    write_context(root, "gone", "{", false);
    check_error(&environment, "meta.json is malformed");
    write_context(root, "gone", r#"{"Endpoints":{"kubernetes":{}}}"#, false);
    check_error(&environment, "no endpoint 'docker'");
    write_context(
        root,
        "gone",
        r#"{"Endpoints":{"docker":{"Host":"ssh://x"}}}"#,
        false,
    );
    check_error(&environment, "ssh is not supported");
    environment.docker_host = Some("docker.sock".to_owned());
    check_error(&environment, "DOCKER_HOST");

    environment = super::tests::environment(root);
    write_config(root, "not json");
    check_error(&environment, "config.json is malformed");
    write_config(root, "{}");
    assert_eq!(docker(&environment).unwrap().len(), 4);
}
