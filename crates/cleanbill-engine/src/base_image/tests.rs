use std::cell::Cell;

use cleanbill_core::base_image::Origin;
use cleanbill_core::image::LayerMetadata;
use cleanbill_core::package::LayerId;
use cleanbill_core::report::ResultSet;
use cleanbill_core::vulnerability::Finding;

use super::*;

fn diff_id(name: &str) -> DiffId {
    DiffId(Digest::of(name.as_bytes()))
}

fn chain(layers: &str) -> Vec<DiffId> {
    layers.split_whitespace().map(diff_id).collect()
}

/// An image with one finding of each layer.
fn image(tag: &str, layers: &str) -> ImageReport {
    let layer = |name: &str| LayerId {
        digest: None,
        diff_id: diff_id(name),
    };
    let mut image = ImageReport {
        artifact_name: tag.to_owned(),
        results: vec![ResultSet {
            findings: layers
                .split_whitespace()
                .map(|name| Finding {
                    layer: Some(layer(name)),
                    ..Finding::default()
                })
                .collect(),
            ..ResultSet::default()
        }],
        ..ImageReport::default()
    };
    image.metadata.repo_tags = vec![tag.to_owned()];
    image.metadata.image_id = Some(Digest::of(tag.as_bytes()));
    image.metadata.layers = layers
        .split_whitespace()
        .map(|name| LayerMetadata {
            id: layer(name),
            size_bytes: None,
            created_by: String::new(),
        })
        .collect();
    image
}

fn label(image: &mut ImageReport, name: &str) {
    let labels = &mut image.metadata.config.config.labels;
    labels.insert(
        "org.opencontainers.image.base.name".to_owned(),
        name.to_owned(),
    );
}

fn cache() -> LayerCache {
    LayerCache::in_memory(1).unwrap()
}

/// Says what was found: how, the names, and the origin of each finding.
fn found(bases: &BaseImages<'_>, image: &ImageReport) -> String {
    let mut image = image.clone();
    match bases.attribute(&mut image) {
        Err(error) => error.to_string(),
        Ok(()) => {
            let origins: Vec<_> = image
                .findings()
                .map(|finding| finding.origin.map_or("-", Origin::name))
                .collect();
            let base = image.base.map_or("none".to_owned(), |base| {
                format!("{} {}", base.basis.name(), base.names.join(" "))
            });
            format!("{base}: {}", origins.join(" "))
        }
    }
}

#[test]
fn the_longest_known_beginning_is_the_base() {
    let cache = cache();
    let bases = BaseImages::new(&cache, 1);
    for (tag, layers) in [
        ("debian:12", "a"),
        ("debian:12.5", "a"),
        ("python:3.12", "a b"),
        ("other:1", "x"),
        ("shop/web:1", "a b c d"),
    ] {
        assert!(bases.remember(&image(tag, layers)), "{tag}");
        assert!(!bases.remember(&image(tag, layers)), "{tag}");
    }
    let check = |layers: &str, expected: &str| {
        assert_eq!(found(&bases, &image("new:1", layers)), expected, "{layers}");
    };
    check("a b c", "chain python:3.12: base base own");
    check("a c", "chain debian:12.5 debian:12: base own");
    check("y a", "none: - -");
    // Another name for the same layers, or a squashed image, is built on nothing that is known.
    check("x", "none: -");
    check("squashed", "none: -");
    check("", "none: ");
    // An image does not become its own base.
    assert_eq!(
        found(&bases, &image("shop/web:1", "a b c d")),
        "chain python:3.12: base base own own"
    );
}

#[test]
fn labels_choose_among_names_and_else_are_only_declared() {
    let cache = cache();
    let bases = BaseImages::new(&cache, 1);
    bases.remember(&image("debian:12.5", "a"));
    bases.remember(&image("debian:12", "a"));
    bases.remember(&image("debian:11", "z"));
    let check = |layers: &str, name: &str, expected: &str| {
        let mut image = image("new:1", layers);
        label(&mut image, name);
        assert_eq!(found(&bases, &image), expected, "{layers} {name}");
    };
    check(
        "a b",
        "docker.io/library/debian:12",
        "chain debian:12 debian:12.5: base own",
    );
    // The layers say more than an inherited label.
    check("a b", "scratch:1", "chain debian:12.5 debian:12: base own");
    check("a b", "debian:11", "chain debian:12.5 debian:12: base own");
    check("y b", "debian:12", "declared debian:12: - -");
    check("y b", "no name at all", "none: - -");
    // Nothing was put on top: the layers cannot tell, but the label and they agree.
    check("a", "debian:12", "chain debian:12 debian:12.5: base");
    check("a", "python:3", "declared python:3: -");
}

#[test]
fn an_earlier_build_of_an_image_is_not_its_base() {
    let cache = cache();
    let bases = BaseImages::new(&cache, 1);
    bases.remember(&image("debian:12", "a"));
    bases.remember(&image("shop/web:dev", "a b c"));
    let check = |image: &ImageReport, expected: &str| {
        bases.remember(image);
        assert_eq!(found(&bases, image), expected, "{}", image.artifact_name);
    };
    let own = "chain debian:12: base own own own";
    let mut rebuilt = image("shop/web:dev", "a b c d");
    check(&rebuilt, own);
    // The name alone says so, whatever the image declares.
    label(&mut rebuilt, "shop/web:dev");
    check(&rebuilt, own);
    check(&image("shop/web:2", "a b c e"), own);
    let mut pulled = image("shop/web:3", "a b c f");
    pulled.metadata.repo_digests = vec![format!("shop/web@{}", Digest::of(b"f"))];
    pulled.metadata.repo_tags.clear();
    check(&pulled, own);
    // In the same repository, an image is a base only if it is declared.
    let mut derived = image("shop/web:derived", "a b c g");
    label(&mut derived, "shop/web:dev");
    check(&derived, "chain shop/web:dev: base base base own");
    check(
        &image("shop/api:1", "a b c h"),
        "chain shop/web:dev: base base base own",
    );
    // The layers of an earlier build have other names too.
    bases.remember(&image("shop/common:1", "a b c"));
    check(
        &image("shop/web:4", "a b c i"),
        "chain shop/common:1: base base base own",
    );
    // The user knows better.
    let mut bases = BaseImages::new(&cache, 1);
    assert!(bases.set_named("shop/web:2"));
    assert_eq!(
        found(&bases, &image("shop/web:5", "a b c e j")),
        "named shop/web:2: base base base base own"
    );
}

#[test]
fn a_named_base_must_be_the_beginning() {
    let cache = cache();
    let mut bases = BaseImages::new(&cache, 1);
    bases.remember(&image("debian:12", "a"));
    bases.remember(&image("python:3", "a b"));
    assert!(bases.set_named("debian:12"));
    let check = |bases: &BaseImages<'_>, layers: &str, expected: &str| {
        assert_eq!(found(bases, &image("new:1", layers)), expected, "{layers}");
        let is_base = expected.starts_with("named");
        assert_eq!(bases.check("new:1", &chain(layers)).is_ok(), is_base);
    };
    check(&bases, "a b c", "named debian:12: base own own");
    check(&bases, "a", "named debian:12: base");
    let error = format!(
        "debian:12 is not the base of new:1: layer 0 is {} in the base and {} in the image",
        diff_id("a"),
        diff_id("b")
    );
    check(&bases, "b a", &error);
    check(
        &bases,
        "",
        "new:1 has no layers, so debian:12 cannot be its base",
    );
    // What could not be read is not the flag's fault.
    let mut failed = image("gone:1", "");
    failed.status = AssessmentStatus::Failed;
    assert_eq!(found(&bases, &failed), "none: ");

    assert!(!bases.set_named("somewhere/archive.tar"));
    bases.add_named(None, chain("a b"));
    check(
        &bases,
        "a b c",
        "named somewhere/archive.tar:latest python:3: base base own",
    );
    bases.add_named(None, Vec::new());
    check(
        &bases,
        "a b c",
        "named somewhere/archive.tar:latest python:3: base base own",
    );
    assert!(!bases.set_named("./empty.tar"));
    bases.add_named(None, Vec::new());
    check(
        &bases,
        "a",
        "./empty.tar has no layers: everything is above it",
    );
}

#[test]
fn a_name_that_moved_fits_images_of_both_times() {
    let cache = cache();
    BaseImages::new(&cache, 1).remember(&image("debian:12", "old"));
    let mut bases = BaseImages::new(&cache, 2);
    bases.remember(&image("debian:12", "new"));
    assert!(bases.set_named("debian:12"));
    for layers in ["old x", "new x"] {
        assert_eq!(
            found(&bases, &image("app:1", layers)),
            "named debian:12: base own"
        );
    }
    // The error speaks of what the name means now.
    let error = found(&bases, &image("app:1", "x"));
    assert!(
        error.contains(&diff_id("new").to_string()) && !error.contains(&diff_id("old").to_string()),
        "{error}"
    );
}

#[test]
fn what_has_no_layers_of_its_own_is_not_remembered() {
    let cache = cache();
    let bases = BaseImages::new(&cache, 1);
    for kind in ArtifactType::ALL {
        let mut image = image("a:1", "x y");
        image.artifact_type = kind;
        image.status = AssessmentStatus::Partial;
        assert_eq!(
            bases.remember(&image),
            kind == ArtifactType::ContainerImage,
            "{kind:?}"
        );
    }
    let mut failed = image("b:1", "x y z");
    failed.status = AssessmentStatus::Failed;
    assert!(!bases.remember(&failed));
    let mut nameless = image("c.tar", "x y z");
    nameless.metadata.repo_tags.clear();
    assert!(!bases.remember(&nameless));
}

#[test]
fn an_engine_is_asked_once_for_each_image() {
    let cache = cache();
    let bases = BaseImages::new(&cache, 1);
    let summary = |tags: &[&str], name: &str| ImageSummary {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        digests: Vec::new(),
        id: Digest::of(name.as_bytes()),
    };
    let asked = Cell::new(0);
    let learn = |listed: &[ImageSummary]| {
        asked.set(0);
        bases.learn(listed, |id| {
            asked.set(asked.get() + 1);
            if *id == Digest::of(b"gone") {
                return Err(ImageError::NotFound {
                    what: "image".to_owned(),
                    place: "engine".to_owned(),
                });
            }
            Ok(Some(chain(&id.to_string())))
        });
        asked.get()
    };
    let listed = [
        summary(&["a:1", "a:2"], "a"),
        summary(&["gone:1"], "gone"),
        summary(&[], "dangling"),
        summary(&["b:1"], "b"),
    ];
    assert_eq!(learn(&listed), 3);
    assert_eq!(learn(&listed), 1, "only what is not known");
    // A further tag costs nothing.
    assert_eq!(learn(&[summary(&["a:1", "a:3"], "a")]), 0);
    let names: Vec<_> = cache
        .chains()
        .unwrap()
        .iter()
        .map(|known| known.chain.reference.familiar())
        .collect();
    assert_eq!(names, ["a:1", "a:2", "a:3", "b:1"]);
    let many: Vec<_> = (0..INSPECTED_MAX + 20)
        .map(|number| summary(&[&format!("many:{number}")], &format!("many-{number}")))
        .collect();
    assert_eq!(learn(&many), INSPECTED_MAX);
    assert_eq!(learn(&many), 20);
}

#[test]
fn a_written_list_is_read_as_it_was() {
    let named = |name: &str, layers: &str, image_id: Option<Digest>| NamedChain {
        reference: name.parse().unwrap(),
        image_id,
        diff_ids: chain(layers),
    };
    let chains = [
        named("debian:12", "a b", Some(Digest::of(b"id"))),
        named("ghcr.io/org/app:1", "c", None),
    ];
    let text = write_base_list(&chains);
    assert_eq!(text.lines().count(), 2);
    let read = |text: &str| read_base_list(text.as_bytes());
    assert_eq!(read(&text).unwrap(), chains);
    let array = format!("\n [{}]", text.trim_end().replace('\n', ",\n"));
    assert_eq!(read(&array).unwrap(), chains);
    let spaced = format!("\r\n{}\n\n", text.replace('\n', "\r\n\r\n"));
    assert_eq!(read(&spaced).unwrap(), chains);
    for empty in ["", "\n \n", "[]"] {
        assert_eq!(read(empty).unwrap(), [], "{empty:?}");
    }
}

#[track_caller]
fn check_refused(text: &str, line: usize, reason: &str) {
    let error = read_base_list(text.as_bytes()).unwrap_err();
    assert_eq!(error.line, line, "{error}");
    assert!(error.reason.contains(reason), "{error}");
    assert!(error.reason.len() < 1_500, "{error}");
}

#[test]
fn a_hostile_list_is_refused_with_its_line() {
    let good = write_base_list(&[NamedChain {
        reference: "debian:12".parse().unwrap(),
        image_id: None,
        diff_ids: chain("a"),
    }]);
    let digest = Digest::of(b"").to_string();
    let entry = |name: &str, diff_ids: &str| format!("{{\"name\":{name},\"diff_ids\":{diff_ids}}}");
    let layers = format!("[\"{digest}\"]");
    for (bad, reason) in [
        ("no json".to_owned(), "expected"),
        ("7".to_owned(), "invalid type"),
        ("{}".to_owned(), "missing field `name`"),
        (entry("\"a:1\"", "[]"), "at least 1 layer"),
        (entry("\"a:1\"", "[\"sha256:12\"]"), "not a digest"),
        (entry("\"a:1\"", "[\"md5:12\"]"), "md5"),
        (entry("\"\\u001b[2J\"", &layers), "no image reference"),
        (entry("\"../etc\"", &layers), "no image reference"),
        (entry("7", &layers), "invalid type"),
        (
            entry(&format!("\"{}\"", "x".repeat(100_000)), &layers),
            "255",
        ),
        (
            format!("{{\"x\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000)),
            "missing field `name`",
        ),
        (
            entry("\"a:1\"", &format!("[{}0]", "0,".repeat(10))),
            "invalid type",
        ),
        (
            entry(
                "\"a:1\"",
                // What comes after the layer that is too many is not read.
                &format!(
                    "[{}\"{digest}\", no json",
                    format!("\"{digest}\",").repeat(4_096)
                ),
            ),
            "at most 4096 layers",
        ),
    ] {
        check_refused(&format!("{good}\n{bad}"), 3, reason);
        check_refused(&format!("[{},\n\n{bad}\n]", good.trim_end()), 3, reason);
    }
    check_refused(&format!("{} {good}", good.trim_end()), 1, "trailing");
    check_refused(&format!("[{good}"), 2, "EOF");
    check_refused(&format!("[{good}]\n{good}"), 3, "trailing");
    // What comes after the entry that is too many is not read.
    let many = good.repeat(100_001);
    check_refused(&format!("{many}no json"), 100_001, "at most 100000 entries");
    let many = many.trim_end().replace('\n', ",\n");
    check_refused(
        &format!("[{many}, no json"),
        100_001,
        "at most 100000 entries",
    );
}
