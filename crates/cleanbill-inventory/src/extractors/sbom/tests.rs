use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use cleanbill_core::inventory::LayerInventory;
use proptest::prelude::*;

use super::*;
use crate::testing;

/// Extracts a document as the walk of a layer does.
fn extract(path: &str, bytes: &[u8]) -> (LayerInventory, Result<(), ExtractError>) {
    let limits = Limits::default();
    let mut draft = LayerDraft::new(Arc::new(limits.clone()));
    draft.begin(path, Sbom.name());
    let mut input = FileInput {
        path,
        size_bytes: bytes.len() as u64,
        body: &mut &*bytes,
        limits: &limits,
    };
    let result = Sbom.extract(&mut input, &mut draft);
    (draft.finish(Default::default()), result)
}

/// Lists packages as `<type> <path> <id> <uid>`.
#[track_caller]
fn check(path: &str, document: &str, expected: &[&str]) {
    let (inventory, result) = extract(path, document.as_bytes());
    assert!(result.is_ok(), "{result:?}");
    let line = |kind: &str, path: &str, package: &Package| {
        format!("{kind} {path} {} {}", package.id, package.identifier.uid)
    };
    let mut lines = Vec::new();
    for database in inventory.package_databases.iter() {
        lines.extend(
            database
                .packages
                .iter()
                .map(|p| line("os", database.path, p)),
        );
    }
    for application in testing::applications_of(&inventory) {
        let packages = application.packages.iter();
        lines.extend(packages.map(|p| line(application.kind, application.path, p)));
    }
    assert_eq!(lines, expected);
}

const CYCLONEDX: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [
    {"type": "library", "name": "lodash", "version": "4.17.3", "purl": "pkg:npm/lodash@4.17.3", "bom-ref": "a"},
    {"type": "library", "group": "org.x", "name": "y", "version": "1.3", "purl": "pkg:maven/org.x/y@1.3", "bom-ref": "b"},
    {"type": "library", "name": "nopurl", "version": "1", "bom-ref": "c"},
    {"type": "library", "name": "bash", "version": "5.1-2", "purl": "pkg:deb/debian/bash@5.1-2?arch=amd64&distro=debian-10", "bom-ref": "d"}]}"#;

fn spdx(packages: &[(&str, &str, &str)]) -> String {
    let packages: Vec<String> = packages
        .iter()
        .enumerate()
        .map(|(index, (name, version, purl))| {
            format!(
                r#"{{"SPDXID": "SPDXRef-{index}", "name": "{name}", "versionInfo": "{version}", "externalRefs": [
                {{"referenceCategory": "PACKAGE_MANAGER", "referenceType": "purl", "referenceLocator": "{purl}"}}]}}"#
            )
        })
        .collect();
    format!(
        r#"{{"SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "packages": [{}]}}"#,
        packages.join(",")
    )
}

// The UIDs are those that the reference computes for the same documents.

#[test]
fn cyclonedx_documents_give_os_and_language_packages() {
    check(
        "opt/app/bom.cdx.json",
        CYCLONEDX,
        &[
            "os opt/app/bom.cdx.json bash@5.1-2 ee4d56ad1b5e9e8a",
            "jar opt/app/bom.cdx.json org.x:y:1.3 dcec375cba67836e",
            "node-pkg opt/app/bom.cdx.json lodash@4.17.3 1680b1ad6b69dc8d",
        ],
    );
}

#[test]
fn spdx_documents_give_packages() {
    let document = spdx(&[
        ("axios", "0.19.3", "pkg:npm/axios@0.19.3"),
        (
            "golang.org/x/net",
            "v0.1.3",
            "pkg:golang/golang.org/x/net@v0.1.3",
        ),
    ]);
    check(
        "opt/app/other.spdx.json",
        &document,
        &[
            "gobinary opt/app/other.spdx.json golang.org/x/net@v0.1.3 b11347b3aba45809",
            "node-pkg opt/app/other.spdx.json axios@0.19.3 d01ced4b56944fc7",
        ],
    );
}

#[test]
fn documents_of_bitnami_belong_to_the_component_around_them() {
    let document = spdx(&[
        (
            "postgresql",
            "15.3.0-1",
            "pkg:bitnami/postgresql@15.3.0-1?arch=amd64&distro=debian-11",
        ),
        ("gosu", "1.16.0", "pkg:golang/github.com/tianon/gosu@1.16.0"),
    ]);
    check(
        "opt/bitnami/postgresql/.spdx-postgresql.spdx",
        &document,
        &[
            "bitnami opt/bitnami/postgresql postgresql@15.3.0-1 d13413a8cc2d8d62",
            "gobinary opt/bitnami/postgresql/.spdx-postgresql.spdx gosu@v1.16.0 551d7cc7d950ff52",
        ],
    );
}

#[test]
fn tag_value_documents_are_read_as_json_ones() {
    let document = "SPDXVersion: SPDX-2.2\nSPDXID: SPDXRef-DOCUMENT\nCreator: Tool: x\n# comment\n\n\
        PackageName: bash\nSPDXID: SPDXRef-Package-1\nPackageVersion: 5.1-2\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/bash@5.1-2?arch=amd64\n\
        PackageSourceInfo: <text>built package from: bash-source 1:5.0-1</text>\n\
        PackageChecksum: SHA1: abc\nPackageAttributionText: PkgID: bash@x\n\
        PackageComment: <text>PackageName: no\n\nPackageName: no</text>\n\
        PackageLicenseDeclared: NONE\n\
        PackageName: libc6\nSPDXID: SPDXRef-Package-2\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libc6@2\n\
        FileName: ./libc.so\nSPDXID: SPDXRef-File-1\nFileChecksum: SHA256: def\n\
        Relationship: SPDXRef-Package-1 DEPENDS_ON SPDXRef-Package-2\n\
        Relationship: SPDXRef-Package-2 DEPENDS_ON SPDXRef-Package-1\n\
        Relationship: SPDXRef-DOCUMENT DESCRIBES NOASSERTION\n";
    let (inventory, result) = extract("a.spdx", document.as_bytes());
    assert!(result.is_ok(), "{result:?}");
    let packages = inventory.package_databases.packages();
    let bash = &packages[0];
    assert_eq!(bash.id, "bash@x");
    assert_eq!(
        (bash.src_name.as_str(), bash.source_version().as_str()),
        ("bash-source", "1:5.0-1")
    );
    assert_eq!((bash.digest.as_str(), bash.licenses.len()), ("sha1:abc", 0));
    assert_eq!(bash.depends_on, ["libc6@2"]);
    let libc = &packages[1];
    assert_eq!(
        (libc.file_path.as_str(), libc.digest.as_str()),
        ("./libc.so", "sha256:def")
    );
    assert_eq!(libc.depends_on, ["bash@x"]);
    assert_eq!(libc.licenses, [""]);
}

#[test]
fn a_document_that_ends_within_a_package_is_told() {
    let problems = |end: &str| {
        let document = format!(
            "SPDXVersion: SPDX-2.2\nSPDXID: SPDXRef-DOCUMENT\nPackageName: a\nSPDXID: SPDXRef-a\n\
             ExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n{end}"
        );
        let (inventory, result) = extract("a.spdx", document.as_bytes());
        assert!(result.is_ok(), "{result:?}");
        let packages = inventory.applications.iter().map(|one| one.packages.len());
        (packages.sum::<usize>(), inventory.problems.len())
    };
    for cut in [
        "PackageName: b",
        "PackageName: b\nPackageVersion: 1",
        "PackageName:",
    ] {
        assert_eq!(problems(cut), (1, 1), "{cut}");
    }
    for whole in [
        "",
        "PackageName: b\n",
        "PackageName: b\nExternalRef: SECURITY cpe23Type cpe:2.3:a",
        "Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-a",
    ] {
        assert_eq!(problems(whole), (1, 0), "{whole}");
    }
}

#[test]
fn applications_own_what_they_need_and_properties_count() {
    let document = r#"{"bomFormat": "CycloneDX", "components": [
        {"type": "operating-system", "name": "debian", "version": "12", "bom-ref": "os"},
        {"type": "application", "name": "app/go.mod", "bom-ref": "app",
         "properties": [{"name": "aquasecurity:trivy:Type", "value": "gomod"}]},
        {"type": "library", "name": "a", "purl": "pkg:golang/a@1", "bom-ref": "a",
         "properties": [{"name": "aquasecurity:trivy:PkgID", "value": "a@mine"},
                        {"name": "aquasecurity:trivy:FilePath", "value": "usr/bin/a"},
                        {"name": "aquasecurity:trivy:LayerDiffID", "value": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]},
        {"type": "library", "name": "b", "purl": "pkg:golang/b@1"},
        {"type": "library", "name": "libc6", "purl": "pkg:deb/debian/libc6@2.31-3", "bom-ref": "libc",
         "licenses": [{"license": {"id": "MIT"}}, {"expression": "A OR B"}],
         "hashes": [{"alg": "SHA3-256", "content": "no"}, {"alg": "SHA-256", "content": "abc"}],
         "properties": [{"name": "aquasecurity:trivy:SrcName", "value": "glibc"},
                        {"name": "aquasecurity:trivy:SrcVersion", "value": "2.31"},
                        {"name": "aquasecurity:trivy:SrcRelease", "value": "3"},
                        {"name": "aquasecurity:trivy:SrcEpoch", "value": "1"}]}],
        "dependencies": [{"ref": "os", "dependsOn": ["libc"]}, {"ref": "app", "dependsOn": ["a"]},
                         {"ref": "a", "dependsOn": ["a", "none"]}]}"#;
    let (inventory, result) = extract("x.cdx.json", document.as_bytes());
    assert!(result.is_ok(), "{result:?}");
    let libc = &inventory.package_databases.packages()[0];
    assert_eq!(
        (libc.src_name.as_str(), libc.source_version().as_str()),
        ("glibc", "1:2.31-3")
    );
    assert_eq!(
        (libc.digest.as_str(), &libc.licenses),
        ("sha256:abc", &vec!["MIT".to_owned(), "A OR B".to_owned()])
    );
    let places: Vec<_> = inventory
        .applications
        .iter()
        .map(|a| (a.kind, a.path))
        .collect();
    assert_eq!(
        places,
        [("gomod", "app/go.mod"), ("gobinary", "x.cdx.json")]
    );
    let a = &testing::applications_of(&inventory)[0].packages[0];
    assert_eq!(
        (a.id.as_str(), a.file_path.as_str()),
        ("a@mine", "usr/bin/a")
    );
    assert!(a.layer.is_some());
    // Without a reference of its own a component is named by its URL.
    assert_eq!(
        testing::applications_of(&inventory)[1].packages[0]
            .identifier
            .bom_ref,
        "pkg:golang/b@1"
    );
}

#[test]
fn only_documents_with_packages_are_reported_when_they_cannot_be_read() {
    let refused = |path: &str, text: &str| extract(path, text.as_bytes()).1.unwrap_err();
    for text in [
        "",
        "{}",
        "SPDXVersion: SPDX-2.1\nno colon\n",
        "{\"bomFormat\": \"other\"",
        r#"{"bomFormat": "CycloneDX", "components": {}}"#,
        "VjCD0100",
    ] {
        assert!(
            matches!(refused("a.cdx", text), ExtractError::Ignored),
            "{text}"
        );
    }
    let two_kinds = spdx(&[("a", "1", "pkg:deb/a@1"), ("b", "1", "pkg:rpm/b@1")]);
    let bad_url = spdx(&[("a", "1", "pkg:deb/")]);
    for text in [
        "SPDXVersion: SPDX-2.1\nRelationship: PKG:\n",
        // What ends too early may have listed anything.
        "SPDXVersion: SPDX-2.1\nPackageName: a\nPackageV",
        "SPDXVersion: SPDX-2.1\nPackageName: a\nPackageComment: <text>a",
        "{\"bomFormat\": \"CycloneDX\"",
        "{\"SPDXID\": \"SPDXRef-DOCUMENT\", \"packages\": [{\"name\": \"a\"\n",
        "{\"bomFormat\": \"CycloneDX\", \"components\": [{\"purl\": \"pkg:",
        r#"{"bomFormat": "CycloneDX", "components": {"purl": "pkg:"}}"#,
        r#"{"bomFormat": "CycloneDX", "metadata": {"component": {"purl": "pkg:npm/a"}}}"#,
        r#"{"payloadType": "application/vnd.in-toto+json", "payload": "!"}"#,
        &two_kinds,
        &bad_url,
    ] {
        assert!(
            matches!(refused("a.cdx", text), ExtractError::Malformed(_)),
            "{text}"
        );
    }
    for text in [
        "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.4\">pkg:",
        "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.5\"/>",
        r#"{"bomFormat": "CycloneDX", "specVersion": "9.9", "components": [{"purl": "pkg:"}]}"#,
        "SPDXVersion: SPDX-3.0\nPackageComment: pkg:",
    ] {
        assert!(
            matches!(refused("a.cdx", text), ExtractError::Unsupported(_)),
            "{text}"
        );
    }
}

#[test]
fn a_malformed_url_costs_its_component_only() {
    let document = CYCLONEDX.replace("pkg:npm/lodash@4.17.3", "pkg:npm/");
    let (inventory, result) = extract("a.cdx.json", document.as_bytes());
    assert!(result.is_ok());
    assert_eq!(inventory.problems.len(), 1);
    assert_eq!(inventory.package_databases.packages().len(), 1);
}

#[test]
fn many_files_of_a_package_take_no_room() {
    let files: String = (0..1_000)
        .map(|number| {
            format!("FileName: ./{number}\nSPDXID: SPDXRef-File-{number}\nFileChecksum: SHA1: {number}\n")
        })
        .collect();
    let document = format!(
        "SPDXVersion: SPDX-2.2\nSPDXID: SPDXRef-DOCUMENT\nPackageName: a\nSPDXID: SPDXRef-Package\n\
         ExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n{files}"
    );
    let limits = Limits {
        document_part_size_bytes_max: 1_000,
        ..Limits::default()
    };
    let inventory = testing::extract_with_limits(&Sbom, "a.spdx", document.as_bytes(), limits);
    assert_eq!(inventory.problems, []);
    let package = &testing::applications_of(&inventory)[0].packages[0];
    assert_eq!((&*package.file_path, &*package.digest), ("./0", "sha1:0"));
}

#[test]
fn attestations_are_held_whole_and_bounded() {
    let statement =
        format!(r#"{{"predicateType": "https://cyclonedx.org/bom", "predicate": {CYCLONEDX}}}"#);
    let payload = base64::engine::general_purpose::STANDARD.encode(statement);
    let envelope =
        format!(r#"{{"payloadType": "application/vnd.in-toto+json", "payload": "{payload}"}}"#);
    let size = envelope.len() as u64;
    for (whole_file_size_bytes_max, is_read) in [(size, true), (size / 2, false)] {
        let limits = Limits {
            document_part_size_bytes_max: 1_000,
            whole_file_size_bytes_max,
            ..Limits::default()
        };
        let inventory =
            testing::extract_with_limits(&Sbom, "a.cdx.json", envelope.as_bytes(), limits);
        assert_eq!(
            testing::applications_of(&inventory).len(),
            if is_read { 2 } else { 0 }
        );
        let kinds: Vec<_> = inventory
            .problems
            .iter()
            .map(|problem| problem.kind)
            .collect();
        let expected = (!is_read).then_some(ProblemKind::LimitExceeded);
        assert_eq!(kinds, Vec::from_iter(expected));
    }
}

#[test]
fn long_ids_cannot_be_multiplied_by_dependencies() {
    let id = "x".repeat(1 << 20);
    let refs = vec!["\"b\""; 1000].join(",");
    let document = format!(
        r#"{{"bomFormat": "CycloneDX", "components": [
        {{"type": "library", "name": "a", "purl": "pkg:npm/a@1", "bom-ref": "a"}},
        {{"type": "library", "name": "{id}", "purl": "pkg:npm/b@1", "bom-ref": "b"}}],
        "dependencies": [{{"ref": "a", "dependsOn": [{refs}]}}]}}"#
    );
    let (inventory, result) = extract("a.cdx.json", document.as_bytes());
    assert!(result.is_ok());
    assert_eq!(
        testing::applications_of(&inventory)[0].packages[0].name,
        "a"
    );
    let problems = inventory.problems.iter();
    assert!(
        problems
            .map(|problem| &problem.message)
            .any(|message| message.contains("half of packages_size_bytes_max")),
        "{:?}",
        inventory.problems
    );
}

#[test]
fn a_long_directory_cannot_be_multiplied_by_packages() {
    let components: Vec<_> = (0..100)
        .map(|n| format!(r#"{{"type": "library", "name": "p{n}", "purl": "pkg:npm/p{n}@1", "bom-ref": "p{n}"}}"#))
        .collect();
    let document = format!(
        r#"{{"bomFormat": "CycloneDX", "components": [{}]}}"#,
        components.join(",")
    );
    let path = format!("opt/bitnami/{}/a.cdx.json", "d".repeat(4_000));
    let limits = testing::little_room();
    let inventory = testing::extract_with_limits(&Sbom, &path, document.as_bytes(), limits);
    let packages = &testing::applications_of(&inventory)[0].packages;
    assert_eq!(packages.len(), 100);
    let paths: usize = packages.iter().map(|package| package.file_path.len()).sum();
    assert!((4_000..200_000).contains(&paths), "{paths}");
    assert_eq!(inventory.problems[0].kind, ProblemKind::LimitExceeded);
}

#[test]
fn a_long_chain_of_dependencies_needs_no_stack() {
    let count = 100_000;
    let component = |n: usize| {
        format!(
            r#"{{"type": "library", "name": "{n}", "purl": "pkg:npm/{n}@1", "bom-ref": "{n}"}}"#
        )
    };
    let dependency = |n: usize| format!(r#"{{"ref": "{n}", "dependsOn": ["{}"]}}"#, n + 1);
    let components: Vec<_> = (0..count).map(component).collect();
    let dependencies: Vec<_> = (0..count).map(dependency).collect();
    let document = format!(
        r#"{{"bomFormat": "CycloneDX", "components": [
        {{"type": "application", "name": "x", "bom-ref": "x", "properties": [{{"name": "Type", "value": "npm"}}]}}, {}],
        "dependencies": [{{"ref": "x", "dependsOn": ["0"]}}, {}]}}"#,
        components.join(","),
        dependencies.join(",")
    );
    let (inventory, _) = extract("a.cdx.json", document.as_bytes());
    assert_eq!(
        testing::applications_of(&inventory)[0].packages.len(),
        count
    );
}

#[test]
fn documents_of_the_corpus_hold_what_the_reference_finds() {
    let root = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/corpus/sbom"
    ));
    if !root.is_dir() {
        eprintln!("skipped: no corpus beside the project");
        return;
    }
    for (file, os, language) in [
        (
            "alpine-3.17-by-three-tools/depscan-alpine-3.17-sbom.json",
            19,
            0,
        ),
        (
            "alpine-3.17-by-three-tools/anchore-alpine-3.17-sbom.json",
            15,
            0,
        ),
        (
            "alpine-3.17-by-three-tools/cdxgen-alpine-3.17-sbom.json",
            0,
            0,
        ),
        (
            "alpine-3.17-by-three-tools/osv-scanner-alpine-3.17-sbom.spdx.json",
            15,
            0,
        ),
        (
            "alpine-3.17-by-three-tools/trivy-alpine-3.17-sbom.json",
            15,
            0,
        ),
        ("cyclonedx-examples/dropwizard-1.3.15/bom.json", 0, 168),
        (
            "cyclonedx-examples/protonmail-webclient-v4-0912dff/bom.json",
            0,
            884,
        ),
        ("trivy/artifact/sbom.cdx.intoto.jsonl", 1, 5),
        ("trivy/integration/centos-7-spdx.txt", 2, 0),
        (
            "trivy/sbom/cyclonedx/testdata/happy/infinite-loop-bom.json",
            2,
            0,
        ),
        ("trivy/sbom/spdx/testdata/happy/bom.json", 1, 5),
    ] {
        let bytes = std::fs::read(root.join(file)).unwrap();
        let (inventory, result) = extract("a.spdx", &bytes);
        assert!(result.is_ok(), "{file}: {result:?}");
        let databases = inventory.package_databases.iter();
        let applications = inventory.applications.iter();
        let found = (
            databases
                .map(|database| database.packages.len())
                .sum::<usize>(),
            applications
                .map(|application| application.packages.len())
                .sum::<usize>(),
        );
        assert_eq!(found, (os, language), "{file}");
    }
}

#[test]
fn documents_are_wanted_by_their_names() {
    for (path, expected) in [
        ("opt/bitnami/x/.spdx-x.spdx", true),
        ("a.cdx.json", true),
        ("a.cdx", true),
        ("a.spdx.json", true),
        ("a.json", false),
        ("x.dist-info/sboms/a.cdx.json", false),
    ] {
        assert_eq!(Sbom.wants(path, 1), expected, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_damaged_document_is_accepted_or_refused(
        cut in 0..CYCLONEDX.len(), at in 0..CYCLONEDX.len(), byte in any::<u8>(),
    ) {
        let mut bytes = CYCLONEDX.as_bytes().to_vec();
        bytes[at] = byte;
        let _ = extract("a.cdx.json", &bytes);
        let _ = extract("a.cdx.json", &bytes[..cut]);
    }

    #[test]
    fn any_tag_values_are_accepted_or_refused(
        text in "SPDXVersion: SPDX-2.3\n((PackageName|SPDXID|FileName|Relationship|ExternalRef|FileChecksum|PackageChecksum): [a-zA-Z<>/: @-]{0,30}\n){0,12}",
    ) {
        let _ = extract("a.spdx", text.as_bytes());
    }
}
