use super::*;

#[track_caller]
fn check(name: &str, expected: Option<&str>) {
    let stored: Vec<(Vec<String>, Digest)> = [
        "docker.io/library/alpine:3.20",
        "docker.io/library/alpine:latest",
        "localhost/app:1",
        "quay.io/org/app:1",
        "quay.io/org/tool:2",
        "registry.k8s.io/tool:2",
        "registry.k8s.io/pause:3.9",
    ]
    .iter()
    .map(|name| (vec![(*name).to_owned()], Digest::of(name.as_bytes())))
    .collect();
    let found = choose(&stored, name, "here", |item| &item.0, |item| vec![item.1]);
    assert_eq!(
        found.ok().map(|item| item.0[0].as_str()),
        expected,
        "{name}"
    );
}

#[test]
fn names_are_completed_as_people_shorten_them() {
    check("alpine:3.20", Some("docker.io/library/alpine:3.20"));
    check("alpine", Some("docker.io/library/alpine:latest"));
    check(
        "docker.io/library/alpine",
        Some("docker.io/library/alpine:latest"),
    );
    check("app:1", Some("localhost/app:1"));
    check("org/app:1", Some("quay.io/org/app:1"));
    check("pause:3.9", Some("registry.k8s.io/pause:3.9"));
    check("tool:2", None);
    check("pause:3", None);
    check("ause:3.9", None);
    let id = Digest::of(b"quay.io/org/app:1");
    check(&id.to_string(), Some("quay.io/org/app:1"));
    check(&id.to_hex()[..12], Some("quay.io/org/app:1"));
    check(&id.to_hex()[..3], None);
}

#[test]
fn settings_are_read_from_plain_lines() {
    let text = "version = 2\nroot = \"/data/containerd\" # here\n[storage]\n  graphroot='/data/s'\n\
        root = \"/other\"\n[storage.options]\ngraphroot = \"/wrong\"\n";
    assert_eq!(
        setting(text, "", "root").as_deref(),
        Some("/data/containerd")
    );
    assert_eq!(
        setting(text, "storage", "graphroot").as_deref(),
        Some("/data/s")
    );
    assert_eq!(setting(text, "storage", "driver"), None);
    assert_eq!(setting("root = 5", "", "root"), None);
}
