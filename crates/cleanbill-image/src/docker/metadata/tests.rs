use super::*;

fn item(created_by: &str, size: i64, comment: &str) -> HistoryItem {
    HistoryItem {
        created: 0,
        created_by: created_by.to_owned(),
        comment: comment.to_owned(),
        size,
    }
}

#[track_caller]
fn check_empty(created_by: &str, comment: &str, expected: bool) {
    assert_eq!(
        is_empty_layer(&item(created_by, 0, comment)),
        expected,
        "{created_by}"
    );
    assert!(
        !is_empty_layer(&item(created_by, 1, comment)),
        "{created_by}"
    );
}

#[test]
fn steps_without_a_layer_are_guessed_as_trivy_guesses() {
    check_empty("/bin/sh -c #(nop)  CMD [\"/bin/sh\"]", "", true);
    check_empty("/bin/sh -c #(nop) WORKDIR /srv", "", true);
    check_empty("ENV A=b", "buildkit.dockerfile.v0", true);
    check_empty("ARG X", "buildkit.dockerfile.v0", true);
    check_empty("WORKDIR /", "buildkit.dockerfile.v0", true);
    check_empty("WORKDIR /srv", "buildkit.dockerfile.v0", false);
    check_empty(
        "RUN /bin/sh -c true # buildkit",
        "buildkit.dockerfile.v0",
        false,
    );
    check_empty("/bin/sh -c #(nop) COPY file:a in /b ", "", false);
    check_empty("/bin/sh -c true", "", false);
    check_empty("", "Imported from -", false);
    // Characters are cut, not a prefix: the command `bin/ENV` looks like an instruction.
    check_empty("/bin/sh -c bin/ENV", "", true);
}

const DIFF_ID: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn answer(json: &str) -> ImageInspect {
    serde_json::from_str(&json.replace("DIFF", DIFF_ID)).unwrap()
}

fn inspected(json: &str) -> Result<Inspected, ImageError> {
    Inspected::new(answer(json), "name", &Limits::default())
}

const LINUX: &str = r#"{"Id":"DIFF","Os":"linux","Architecture":"arm64","Variant":"v8",
    "Author":"me","Created":"2026-11-22T05:58:13.247635675Z","RepoTags":["b:1","a:1"],
    "RepoDigests":null,"Container":"abc","DockerVersion":"20.10",
    "Config":{"Hostname":"h","User":"u","Cmd":["c"],"Entrypoint":null,"Env":["A=b"],
      "Labels":{"l":"m"},"ExposedPorts":{"80/tcp":{}},"Volumes":{"/v":{}},"WorkingDir":"/w",
      "StopSignal":"SIGINT","OnBuild":["RUN x"],"Shell":["sh"],"Image":"sha256:x","Tty":true,
      "Healthcheck":{"Test":["CMD","x"],"Interval":5,"StartInterval":7}},
    "RootFS":{"Type":"layers","Layers":["DIFF"]},"Unknown":{"a":[1]}}"#;

#[test]
fn the_configuration_has_the_members_that_trivy_keeps() {
    let inspected = inspected(LINUX).unwrap();
    let history = [item("CMD c", 0, ""), item("ADD x", 5, "note")];
    let config = config_from_answers(&inspected, &history).unwrap();
    assert_eq!(
        (config.architecture.as_str(), config.os.as_str()),
        ("arm64", "linux")
    );
    assert_eq!(config.created, "2026-11-22T05:58:13.247635675Z");
    assert_eq!(
        (config.variant.as_str(), config.docker_version.as_str()),
        ("", "")
    );
    assert_eq!(config.container, "");
    let steps: Vec<_> = config
        .history
        .iter()
        .map(|entry| {
            (
                entry.created_by.as_str(),
                entry.comment.as_str(),
                entry.empty_layer,
            )
        })
        .collect();
    assert_eq!(steps, [("ADD x", "note", false), ("CMD c", "", true)]);
    assert_eq!(config.history[0].created, "1970-01-01T00:00:00Z");
    let settings = &config.config;
    assert_eq!(
        (
            settings.hostname.as_str(),
            settings.image.as_str(),
            settings.tty
        ),
        ("", "", false)
    );
    assert_eq!(
        (
            settings.user.as_str(),
            settings.cmd.len(),
            settings.shell.len()
        ),
        ("u", 1, 1)
    );
    assert!(settings.exposed_ports.contains_key("80/tcp") && settings.volumes.contains_key("/v"));
    let check = settings.healthcheck.as_ref().unwrap();
    assert_eq!((check.interval, check.start_interval), (5, 0));

    let metadata = image_metadata(&inspected, config).unwrap();
    assert_eq!(metadata.repo_tags, ["b:1", "a:1"]);
    assert_eq!(metadata.image_id.unwrap().to_string(), DIFF_ID);
    assert_eq!(metadata.layers.len(), 1);
    assert_eq!(metadata.layers[0].created_by, "ADD x");
    assert_eq!(metadata.layers[0].id.digest, None);
}

#[test]
fn a_history_that_does_not_fit_leaves_the_stored_configuration() {
    let inspected = inspected(LINUX).unwrap();
    assert!(config_from_answers(&inspected, &[item("a", 1, ""), item("b", 1, "")]).is_none());
    assert!(config_from_answers(&inspected, &[]).is_none());
    let podman = super::tests::inspected(r#"{"Id":"DIFF","Os":"linux"}"#).unwrap();
    assert!(config_from_answers(&podman, &[]).is_none());
}

#[test]
fn a_stored_configuration_must_list_the_same_layers() {
    let inspected = inspected(LINUX).unwrap();
    let error = image_metadata(&inspected, ImageConfig::default()).unwrap_err();
    assert!(error.to_string().contains("other layers"), "{error}");
    let podman = super::tests::inspected(r#"{"Id":"DIFF","Os":"linux"}"#).unwrap();
    let mut config = ImageConfig::default();
    config.rootfs.diff_ids = vec![DIFF_ID.to_owned()];
    assert_eq!(image_metadata(&podman, config).unwrap().layers.len(), 1);
}

#[track_caller]
fn check_refused(json: &str, expected: &str) {
    let error = inspected(json).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn answers_that_make_no_sense_are_refused() {
    check_refused(r#"{"Id":"DIFF","Os":"windows"}"#, "Windows image");
    check_refused(r#"{"Id":"","Os":"linux"}"#, "malformed");
    check_refused(
        r#"{"Id":"DIFF","RootFS":{"Layers":["sha512:00"]}}"#,
        "sha512",
    );
    let limits = Limits {
        layers_per_image_max: 0,
        ..Limits::default()
    };
    let error = Inspected::new(answer(LINUX), "name", &limits).unwrap_err();
    assert!(
        error.to_string().contains("layers_per_image_max = 0"),
        "{error}"
    );
}

#[test]
fn ids_without_algorithm_are_podmans() {
    assert_eq!(
        parse_id(DIFF_ID.trim_start_matches("sha256:"))
            .unwrap()
            .to_string(),
        DIFF_ID
    );
    assert!(parse_id("abc").is_err());
}
