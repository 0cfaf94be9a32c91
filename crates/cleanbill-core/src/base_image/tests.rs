use super::*;
use crate::image::LayerMetadata;
use crate::package::LayerId;
use crate::report::{ResultSet, SuppressedFinding};
use crate::vulnerability::Finding;

fn diff_id(name: &str) -> DiffId {
    DiffId(Digest::of(name.as_bytes()))
}

/// A chain of layers, one for each word.
fn chain(words: &str) -> Vec<DiffId> {
    words.split_whitespace().map(diff_id).collect()
}

fn layer(name: &str) -> LayerId {
    LayerId {
        digest: None,
        diff_id: diff_id(name),
    }
}

#[track_caller]
fn check_divergence(base: &str, image: &str, expected: Option<usize>) {
    let found = check_beginning(&chain(base), &chain(image)).err();
    assert_eq!(
        found.map(|divergence| divergence.index),
        expected,
        "{base} | {image}"
    );
}

#[test]
fn a_base_is_a_beginning() {
    check_divergence("a b", "a b c", None);
    check_divergence("a b", "a b", None);
    check_divergence("", "a", None);
    check_divergence("a b c", "a b", Some(2));
    check_divergence("a x c", "a b c", Some(1));
    check_divergence("b", "a b", Some(0));
    // A squashed image has one layer that nothing else has.
    check_divergence("a b", "squashed", Some(0));
    // The same layer twice, and empty layers, are layers like any other.
    check_divergence("a e e", "a e e b", None);
    check_divergence("a e e", "a e b", Some(2));
}

#[test]
fn a_divergence_names_both_layers() {
    let error = check_beginning(&chain("a b"), &chain("a c")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&format!("layer 1 is {}", diff_id("b"))));
    assert!(text.contains(&format!("{} in the image", diff_id("c"))));
    let error = check_beginning(&chain("a b"), &chain("a")).unwrap_err();
    assert!(error.to_string().ends_with("the image has 1 layers only"));
}

#[test]
fn chain_ids_are_those_of_the_image_specification() {
    let ids = chain_ids(&chain("a b c"));
    assert_eq!(ids[0], diff_id("a").0);
    let second = format!("{} {}", diff_id("a"), diff_id("b"));
    assert_eq!(ids[1], Digest::of(second.as_bytes()));
    assert_eq!(ids.len(), 3);
    assert_ne!(chain_ids(&chain("a a"))[1], chain_ids(&chain("a"))[0]);
    assert_eq!(chain_ids(&[]), []);
}

/// Builds an image with a finding of each layer that is named; `-` has none.
fn image(layers: &str, findings: &str) -> ImageReport {
    let mut image = ImageReport::default();
    image.metadata.layers = layers
        .split_whitespace()
        .map(|name| LayerMetadata {
            id: layer(name),
            size_bytes: None,
            created_by: String::new(),
        })
        .collect();
    let finding = |name: &str| Finding {
        layer: (name != "-").then(|| layer(name)),
        ..Finding::default()
    };
    image.results = vec![ResultSet {
        findings: findings.split_whitespace().map(finding).collect(),
        suppressed: vec![SuppressedFinding {
            finding: finding("a"),
            ..SuppressedFinding::default()
        }],
        ..ResultSet::default()
    }];
    image
}

#[track_caller]
fn check_origins(layers: &str, layer_count: usize, findings: &str, expected: &str) {
    let mut image = image(layers, findings);
    image.assign_origins(layer_count);
    let found: Vec<_> = image
        .findings()
        .map(|finding| finding.origin.map_or("-", Origin::name))
        .collect();
    assert_eq!(found.join(" "), expected, "{layers} {layer_count}");
}

#[test]
fn a_finding_belongs_to_whom_its_layer_belongs() {
    check_origins("a b c", 2, "a b c", "base base own");
    check_origins("a b c", 3, "a b c", "base base base");
    check_origins("a b", 9, "a b", "base base");
    check_origins("a b", 0, "a b", "own own");
    // No layer, a layer that the image does not list, and a layer that both parts have.
    check_origins("a b c", 1, "- x", "- -");
    check_origins("a b a c", 2, "a b c", "- base own");
    // Twice in one part is no doubt.
    check_origins("a a b b", 2, "a b", "base own");
}

#[test]
fn suppressed_findings_have_an_origin_too_and_do_not_count() {
    let mut image = image("a b", "a b b -");
    image.assign_origins(1);
    assert_eq!(
        image.results[0].suppressed[0].finding.origin,
        Some(Origin::Base)
    );
    let counts = image.origin_counts();
    assert_eq!((counts.base, counts.own, counts.unknown), (1, 2, 1));
    assert_eq!(counts.total(), 4);
}

#[test]
fn the_most_specific_tag_comes_first() {
    let digest = Digest::of(b"");
    let mut names: Vec<ImageReference> = [
        "debian",
        "debian:bookworm",
        &format!("debian@{digest}"),
        "debian:12",
        "debian:12.5",
        "debian:bookworm-20240612",
        "example.com/debian:12.5",
    ]
    .iter()
    .map(|name| name.parse().unwrap())
    .collect();
    names.sort_by(by_specificity);
    let names: Vec<String> = names.iter().map(ImageReference::familiar).collect();
    assert_eq!(
        names,
        [
            "debian:12.5",
            "example.com/debian:12.5",
            "debian:bookworm-20240612",
            "debian:12",
            "debian:bookworm",
            "debian:latest",
            &format!("debian@{digest}"),
        ]
    );
}

#[test]
fn labels_declare_a_base_by_name_or_digest() {
    let digest = Digest::of(b"").to_string();
    let check = |labels: &[(&str, &str)], expected: Option<&str>| {
        let mut config = ImageConfig::default();
        for (name, value) in labels {
            let name = format!("org.opencontainers.image.base.{name}");
            config.config.labels.insert(name, (*value).to_owned());
        }
        let found = declared(&config).map(|declared| declared.to_string());
        assert_eq!(found.as_deref(), expected, "{labels:?}");
    };
    check(&[], None);
    check(
        &[("name", "docker.io/library/debian:12")],
        Some("debian:12"),
    );
    check(
        &[("name", "debian"), ("digest", &digest)],
        Some("debian:latest"),
    );
    check(&[("digest", &digest)], Some(&digest));
    check(&[("name", "\u{1b}[2J no name"), ("digest", "x")], None);
}
