use cleanbill_core::Limits;
use proptest::prelude::*;

use super::*;

const CYCLONE_DX: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.6",
    "metadata": {"component": {"type": "container", "name": "web", "bom-ref": "root", "properties": [
        {"name": "aquasecurity:trivy:ImageID", "value": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"name": "aquasecurity:trivy:RepoTag", "value": "web:1"},
        {"name": "aquasecurity:trivy:RepoDigest", "value": "web@sha256:00"},
        {"name": "aquasecurity:trivy:DiffID", "value": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"name": "aquasecurity:trivy:DiffID", "value": "nonsense"}]}},
    "components": [
        {"type": "operating-system", "name": "debian", "version": "12.5", "bom-ref": "os"},
        {"type": "library", "name": "bash", "bom-ref": "bash", "purl": "pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12.5",
         "properties": [{"name": "aquasecurity:trivy:LayerDiffID", "value": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]},
        {"type": "library", "name": "qs", "bom-ref": "qs", "purl": "pkg:npm/qs@6.5.0"}],
    "dependencies": [{"ref": "os", "dependsOn": ["bash"]}]}"#;

const CYCLONE_DX_XML: &str = r#"<?xml version="1.0"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.4" serialNumber="urn:uuid:0" version="1">
  <metadata><timestamp>x</timestamp><component type="container" bom-ref="root"><name>web</name>
    <properties><property name="aquasecurity:trivy:RepoTag">web:1</property></properties></component></metadata>
  <components>
    <component type="operating-system" bom-ref="os"><name>debian</name><version>12.5</version></component>
    <component type="library" bom-ref="bash">
      <group/><name> bash </name><version>5.2-1</version>
      <hashes><hash alg="SHA-1">ab</hash></hashes>
      <licenses><license><id>MIT</id></license><license><name>Own</name></license><expression>A OR B</expression><other/></licenses>
      <purl>pkg:deb/debian/bash@5.2-1?arch=amd64&amp;distro=debian-12.5</purl>
      <components><component type="library"><name>inner</name><purl>pkg:npm/inner@1</purl></component></components>
    </component>
    <component type="library" bom-ref="qs"><name>qs</name><purl>pkg:npm/qs@6.5.0</purl></component>
  </components>
  <dependencies><dependency ref="os"><dependency ref="bash"/></dependency><dependency ref="bash"/></dependencies>
</bom>"#;

const SPDX: &str = r#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": [
    {"SPDXID": "SPDXRef-OperatingSystem-1", "name": "debian", "versionInfo": "12.5"},
    {"SPDXID": "SPDXRef-Package-1", "name": "bash", "versionInfo": "5.2-1", "externalRefs": [
        {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
         "referenceLocator": "pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12.5"}]},
    {"SPDXID": "SPDXRef-Package-2", "name": "qs", "versionInfo": "6.5.0", "externalRefs": [
        {"referenceCategory": "PACKAGE_MANAGER", "referenceType": "purl", "referenceLocator": "pkg:npm/qs@6.5.0"}]}],
    "relationships": [{"spdxElementId": "SPDXRef-OperatingSystem-1", "relatedSpdxElement": "SPDXRef-Package-1", "relationshipType": "CONTAINS"}]}"#;

const TAG_VALUE: &str = "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\n\n\
    PackageName: debian\nSPDXID: SPDXRef-OperatingSystem-1\nPackageVersion: 12.5\n\n\
    PackageName: bash\nSPDXID: SPDXRef-Package-1\n\
    ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12.5\n\n\
    PackageName: qs\nSPDXID: SPDXRef-Package-2\nExternalRef: PACKAGE-MANAGER purl pkg:npm/qs@6.5.0\n";

fn read(text: &str) -> Result<SbomDocument, SbomReadError> {
    read_sbom(text.as_bytes(), &MergeOptions::default())
}

/// Asserts what each of the documents above lists.
#[track_caller]
fn check(text: &str, format: SbomFormat) {
    let document = read(text).unwrap();
    assert_eq!(document.format, format);
    let inventory = &document.inventory;
    assert_eq!(inventory.problems, []);
    let distro = inventory.distro.as_ref().unwrap();
    assert_eq!(
        (distro.family.as_str(), distro.name.as_str()),
        ("debian", "12.5")
    );
    let [bash] = inventory.packages.as_slice() else {
        panic!("{:?}", inventory.packages);
    };
    assert_eq!(
        (bash.id.as_str(), bash.src_name.as_str()),
        ("bash@5.2-1", "bash")
    );
    assert_eq!(bash.analyzed_by, "");
    let [application] = inventory.applications.as_slice() else {
        panic!("{:?}", inventory.applications);
    };
    assert_eq!(
        (application.kind.as_str(), application.path.as_str()),
        ("node-pkg", "")
    );
    assert_eq!(application.packages[0].id, "qs@6.5.0");
    assert_eq!(application.packages[0].layer, None);
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn statement(kind: &str, predicate: &str) -> String {
    format!(
        r#"{{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "{kind}", "predicate": {predicate}}}"#
    )
}

fn envelope(statement: &str) -> String {
    format!(
        r#"{{"payloadType": "application/vnd.in-toto+json", "payload": "{}", "signatures": []}}"#,
        base64(statement)
    )
}

#[test]
fn every_form_lists_the_same() {
    check(CYCLONE_DX, SbomFormat::CycloneDx);
    check(CYCLONE_DX_XML, SbomFormat::CycloneDx);
    check(&format!("\u{feff}{CYCLONE_DX_XML}"), SbomFormat::CycloneDx);
    check(SPDX, SbomFormat::Spdx);
    check(TAG_VALUE, SbomFormat::Spdx);
}

#[test]
fn documents_are_found_in_what_is_around_them() {
    let spdx = statement("https://spdx.dev/Document", SPDX);
    let cyclone_dx = statement("https://cyclonedx.org/bom", CYCLONE_DX);
    let cosign = statement(
        "https://cyclonedx.org/schema",
        &format!(r#"{{"Data": {CYCLONE_DX}}}"#),
    );
    for (statement, format) in [
        (spdx, SbomFormat::Spdx),
        (cyclone_dx, SbomFormat::CycloneDx),
        (cosign, SbomFormat::CycloneDx),
    ] {
        check(&statement, format);
        let envelope = envelope(&statement);
        check(&envelope, format);
        check(
            &format!(
                r#"{{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": {envelope}}}"#
            ),
            format,
        );
    }
}

#[test]
fn names_of_members_are_read_in_any_case() {
    check(
        &CYCLONE_DX
            .replace("\"components\"", "\"Components\"")
            .replace("bom-ref", "BOM-Ref"),
        SbomFormat::CycloneDx,
    );
    check(
        &SPDX
            .replace("\"packages\"", "\"Packages\"")
            .replace("externalRefs", "externalrefs"),
        SbomFormat::Spdx,
    );
    // Of a name that occurs twice the last counts.
    check(
        &CYCLONE_DX.replace(
            "\"type\": \"library\"",
            "\"type\": \"x\", \"TYPE\": \"library\"",
        ),
        SbomFormat::CycloneDx,
    );
}

#[test]
fn what_trivy_noted_about_the_image_is_taken_over() {
    let document = read(CYCLONE_DX).unwrap();
    let metadata = &document.metadata;
    assert!(metadata.image_id.is_some());
    assert_eq!(metadata.repo_tags, ["web:1"]);
    assert_eq!(metadata.repo_digests, ["web@sha256:00"]);
    assert_eq!(metadata.layers.len(), 1);
    let bash = &document.inventory.packages[0];
    assert_eq!(
        bash.layer.map(|layer| layer.diff_id),
        Some(metadata.layers[0].id.diff_id)
    );
    assert_eq!(read(CYCLONE_DX_XML).unwrap().metadata.repo_tags, ["web:1"]);
}

#[test]
fn xml_says_what_json_says() {
    let bash = read(CYCLONE_DX_XML).unwrap().inventory.packages.remove(0);
    assert_eq!(bash.licenses, ["MIT", "Own", "A OR B"]);
    assert_eq!(bash.digest, "sha1:ab");
    assert_eq!(bash.identifier.bom_ref, "bash");
}

#[test]
fn packages_without_a_distribution_are_a_problem() {
    let document = read(&CYCLONE_DX.replace("operating-system", "platform")).unwrap();
    assert_eq!(document.inventory.packages.len(), 1);
    assert_eq!(document.inventory.problems.len(), 1);
}

#[test]
fn other_files_are_refused() {
    for text in [
        "",
        "{}",
        "[]",
        "{",
        "<bom/>",
        "<html xmlns='http://cyclonedx.org/schema/bom/1.4'>",
        "<bom xmlns='http://cyclonedx.org/schema/bom/9.9'/>",
        r#"{"bomFormat": "CycloneDX", "specVersion": "9"}"#,
        r#"{"bomFormat": "CycloneDX", "components": 1}"#,
        "SPDXVersion: SPDX-3.0\n",
        &statement("https://slsa.dev/provenance", "{}"),
        &envelope("nonsense"),
        r#"{"payloadType": "text/plain", "payload": ""}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    let deep = format!(
        r#"{{"bomFormat": "CycloneDX", "x": {}{}}}"#,
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    assert!(read(&deep).is_err());
}

#[test]
fn cycles_and_many_components_are_no_danger() {
    let count = 20_000;
    let component = |n: usize| {
        format!(
            r#"{{"type": "library", "name": "{n}", "purl": "pkg:npm/{n}@1", "bom-ref": "{n}"}}"#
        )
    };
    let dependency = |n: usize| {
        format!(
            r#"{{"ref": "{n}", "dependsOn": ["{}", "{n}"]}}"#,
            (n + 1) % count
        )
    };
    let components: Vec<_> = (0..count).map(component).collect();
    let dependencies: Vec<_> = (0..count).map(dependency).collect();
    let document = format!(
        r#"{{"bomFormat": "CycloneDX", "components": [{}], "dependencies": [{}]}}"#,
        components.join(","),
        dependencies.join(",")
    );
    let document = read(&document).unwrap();
    assert_eq!(document.inventory.applications[0].packages.len(), count);
}

#[test]
fn a_million_components_are_bounded() {
    let options = MergeOptions {
        limits: Arc::new(Limits {
            packages_per_layer_max: 100,
            ..Limits::default()
        }),
        ..MergeOptions::default()
    };
    let component = |n: usize| format!(r#"{{"type": "library", "purl": "pkg:npm/{n}@1"}}"#);
    let some: Vec<_> = (0..300).map(component).collect();
    let document = format!(
        r#"{{"bomFormat": "CycloneDX", "components": [{}]}}"#,
        some.join(",")
    );
    let inventory = read_sbom(document.as_bytes(), &options).unwrap().inventory;
    assert_eq!(inventory.applications[0].packages.len(), 100);
    let message = &inventory.problems[0].message;
    assert!(message.contains("packages_per_layer_max"), "{message}");

    let million = "{},".repeat(1_000_000);
    let refused = |document: String| read_sbom(document.as_bytes(), &options).is_err();
    assert!(refused(format!(
        r#"{{"bomFormat": "CycloneDX", "components": [{million}{{}}]}}"#
    )));
    assert!(refused(format!(
        r#"{{"SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "packages": [{million}{{}}]}}"#
    )));
    let packages = "PackageName: a\n".repeat(2_000_001);
    assert!(refused(format!("SPDXVersion: SPDX-2.3\n{packages}")));
}

#[test]
fn cycles_end_in_every_form() {
    let cyclone_dx_xml = r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components>
        <component type="library" bom-ref="a"><name>a</name><purl>pkg:npm/a@1</purl></component>
        <component type="library" bom-ref="b"><name>b</name><purl>pkg:npm/b@1</purl></component>
        </components><dependencies><dependency ref="a"><dependency ref="b"/></dependency>
        <dependency ref="b"><dependency ref="a"/><dependency ref="b"/></dependency></dependencies></bom>"#;
    let tag_value = "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\n\
        PackageName: a\nSPDXID: SPDXRef-a\nExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n\
        PackageName: b\nSPDXID: SPDXRef-b\nExternalRef: PACKAGE-MANAGER purl pkg:npm/b@1\n\
        Relationship: SPDXRef-a DEPENDS_ON SPDXRef-b\nRelationship: SPDXRef-b DEPENDS_ON SPDXRef-a\n\
        Relationship: SPDXRef-b CONTAINS SPDXRef-b\n";
    for document in [cyclone_dx_xml, tag_value] {
        let inventory = read(document).unwrap().inventory;
        assert_eq!(inventory.applications[0].packages.len(), 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn damaged_documents_are_accepted_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for text in [CYCLONE_DX, CYCLONE_DX_XML, SPDX, TAG_VALUE] {
            let mut bytes = text.as_bytes().to_vec();
            let at = at.index(bytes.len());
            let _ = read_sbom(&bytes[..at], &MergeOptions::default());
            bytes[at] = byte;
            let _ = read_sbom(&bytes, &MergeOptions::default());
        }
    }
}
