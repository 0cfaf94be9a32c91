use super::*;

const A: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn parse(text: &str, media_type: Option<&str>) -> Result<Document, String> {
    Document::parse(text.as_bytes(), media_type, "manifest", &Limits::default())
        .map_err(|error| error.to_string())
}

#[track_caller]
fn check_error(text: &str, media_type: Option<&str>, expected: &str) {
    let error = parse(text, media_type).unwrap_err();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_manifest_is_read_with_nulls_and_strange_members() {
    let text = format!(
        r#"{{"schemaVersion":2,"config":{{"digest":"{A}","size":7,"urls":null,"x":1}},
            "layers":[{{"mediaType":null,"digest":"{A}"}}],"annotations":{{}}}}"#
    );
    let Document::Manifest(manifest) = parse(&text, None).unwrap() else {
        panic!("an index")
    };
    assert_eq!(manifest.config.size_bytes, 7);
    assert_eq!(manifest.layers.len(), 1);
}

#[test]
fn ambiguous_and_foreign_documents_are_refused() {
    let config = format!(r#""config":{{"digest":"{A}"}}"#);
    check_error(
        &format!(r#"{{{config},"manifests":[]}}"#),
        None,
        "both an index and a manifest",
    );
    check_error(
        &format!("{{{config}}}"),
        Some(OCI_INDEX),
        "it is a manifest, stated is",
    );
    check_error(
        r#"{"manifests":[]}"#,
        Some(OCI_MANIFEST),
        "it is an index, stated is",
    );
    check_error(r#"{"schemaVersion":1,"fsLayers":[]}"#, None, "schema 1");
    check_error("{}", None, "neither");
    check_error("[", None, "malformed");
    check_error(r#"{"config":{"digest":"sha512:00"}}"#, None, "sha512");
    check_error(
        &format!(r#"{{{config},"artifactType":"application/vnd.x"}}"#),
        None,
        "artifact of type application/vnd.x",
    );
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    check_error(
        &format!(r#"{{{config},"layers":[{{"mediaType":"{foreign}","digest":"{A}"}}]}}"#),
        None,
        "foreign layer sha256:e3b0",
    );
}

#[test]
fn layers_and_bytes_are_bounded() {
    let layer = format!(r#"{{"digest":"{A}"}}"#);
    let layers = vec![layer.as_str(); 5_000].join(",");
    let text = format!(r#"{{"config":{{"digest":"{A}"}},"layers":[{layers}]}}"#);
    check_error(&text, None, "layers_per_image_max = 4096");
    check_error(&" ".repeat((16 << 20) + 1), None, "manifest_size_bytes_max");
}

#[test]
fn platforms_are_chosen() {
    let entry = |platform: &str| format!(r#"{{"digest":"{A}","platform":{platform}}}"#);
    let text = format!(
        r#"{{"manifests":[{},{},{},{}]}}"#,
        entry(r#"{"os":"unknown","architecture":"unknown"}"#),
        entry(r#"{"os":"linux","architecture":"arm64"}"#),
        entry(r#"{"os":"linux","architecture":"arm","variant":"v6"}"#),
        entry("null"),
    );
    let Document::Index(index) =
        parse(&text, Some("application/vnd.oci.image.index.v1+json; x=y")).unwrap()
    else {
        panic!("a manifest")
    };
    let position = |platform: Option<&str>| {
        let platform: Option<Platform> = platform.map(|text| text.parse().unwrap());
        select_manifest(&index, platform.as_ref(), "index").map(|entry| {
            index
                .manifests
                .iter()
                .position(|other| std::ptr::eq(other, entry))
                .unwrap()
        })
    };
    assert_eq!(position(None).unwrap(), 1);
    assert_eq!(position(Some("linux/arm64/v8")).unwrap(), 1);
    assert_eq!(position(Some("linux/aarch64")).unwrap(), 1);
    assert_eq!(position(Some("linux/arm")).unwrap(), 2);
    assert_eq!(position(Some("linux/amd64")).unwrap(), 3);
    assert_eq!(position(Some("*/amd64")).unwrap(), 3);
    assert_eq!(
        position(Some("linux/arm/v7")).unwrap_err().to_string(),
        "platform linux/arm/v7 (there are: linux/arm64, linux/arm/v6, linux/amd64) not found in index"
    );
}

#[test]
fn platform_texts_are_checked() {
    for text in [
        "",
        "linux",
        "linux/",
        "/amd64",
        "linux/amd64/",
        "a/b/c/d",
        "l x/amd64",
    ] {
        assert!(text.parse::<Platform>().is_err(), "{text}");
    }
    assert_eq!(
        "linux/x86_64".parse::<Platform>().unwrap().to_string(),
        "linux/amd64"
    );
}
