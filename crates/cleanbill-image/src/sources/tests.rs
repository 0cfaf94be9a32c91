use super::*;

#[track_caller]
fn check_prefix(name: &str, source: Option<SourceName>, rest: &str) {
    assert_eq!(split_prefix(name), (source, rest), "{name}");
}

#[test]
fn a_prefix_counts_where_the_whole_is_no_name() {
    check_prefix(
        "registry:ghcr.io/org/img:1",
        Some(SourceName::Registry),
        "ghcr.io/org/img:1",
    );
    check_prefix("docker:org/img", Some(SourceName::Docker), "org/img");
    check_prefix(
        "podman:alpine:3.20",
        Some(SourceName::Podman),
        "alpine:3.20",
    );
    check_prefix("registry:2", None, "registry:2");
    check_prefix("docker:dind", None, "docker:dind");
    check_prefix("docker:5000/img", None, "docker:5000/img");
    check_prefix("alpine", None, "alpine");
    check_prefix("other:org/img", None, "other:org/img");
    check_prefix("", None, "");
}

#[test]
fn words_are_those_of_the_table() {
    for entry in SOURCES {
        assert_eq!(entry.word.parse(), Ok(entry.name));
        assert_eq!(entry.name.to_string(), entry.word);
    }
    let error = "cri-o".parse::<SourceName>().unwrap_err().to_string();
    assert!(
        error.contains("expected docker, podman, containerd, registry"),
        "{error}"
    );
    assert!(error.contains("Podman's"), "{error}");
    assert!("Docker".parse::<SourceName>().is_err());
}

fn sources(environment: EngineEnvironment, pinned: Option<SourceName>) -> ImageSources {
    let settings = SourceSettings {
        pinned,
        ..SourceSettings::default()
    };
    ImageSources::new(environment, settings, None, ReadContext::default())
}

/// Asks for an image and returns what the error says.
#[track_caller]
fn failure(environment: &EngineEnvironment, pinned: Option<SourceName>, name: &str) -> String {
    sources(environment.clone(), pinned)
        .open(name)
        .unwrap_err()
        .to_string()
}

#[test]
fn without_an_engine_every_source_is_named_with_its_reason() {
    let root = tempfile::tempdir().unwrap();
    let environment = EngineEnvironment {
        root: root.path().to_owned(),
        ..EngineEnvironment::default()
    };
    let error = failure(&environment, None, "alpine");
    assert!(
        error.contains("docker:") && error.contains("var/run/docker.sock"),
        "{error}"
    );
    assert!(
        error.contains("podman:") && error.contains("run/podman/podman.sock"),
        "{error}"
    );
    assert!(error.contains("--source registry"), "{error}");
    for error in [
        failure(&environment, Some(SourceName::Podman), "alpine"),
        failure(&environment, None, "podman:org/alpine"),
    ] {
        assert!(
            error.contains("podman.sock") && !error.contains("docker.sock"),
            "{error}"
        );
    }
}

#[test]
fn what_the_user_named_is_not_passed_over() {
    let root = tempfile::tempdir().unwrap();
    let mut environment = EngineEnvironment {
        root: root.path().to_owned(),
        ..EngineEnvironment::default()
    };
    environment.docker_host = Some("ssh://host".to_owned());
    let error = failure(&environment, None, "alpine");
    assert!(
        error.contains("ssh") && !error.contains("podman"),
        "{error}"
    );
    environment.docker_host = Some(root.path().join("none.sock").display().to_string());
    let error = failure(&environment, None, "alpine");
    assert!(
        error.contains("none.sock") && !error.contains("podman"),
        "{error}"
    );
    let error = failure(&environment, Some(SourceName::Docker), "podman:org/a");
    assert!(error.contains("another source"), "{error}");
}

#[test]
fn registries_are_asked_when_named_and_permitted() {
    let environment = EngineEnvironment::default();
    let error = failure(&environment, Some(SourceName::Registry), "alpine");
    assert!(error.contains("--offline"), "{error}");
    let error = sources(environment, Some(SourceName::Registry))
        .connect()
        .unwrap_err();
    assert!(matches!(error, ImageError::Unsupported { .. }), "{error}");
}
