//! SBOMs given by `--sbom`.

use serde_json::{Value, json};

use crate::sandbox::{Sandbox, finding_ids};

/// Lists what the image [`crate::samples::web`] holds, by two forms.
fn cyclone_dx() -> Value {
    let package = |name: &str, version: &str| {
        json!({
            "type": "library", "name": name, "bom-ref": name,
            "purl": format!("pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-12.5"),
        })
    };
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "components": [
            {"type": "operating-system", "name": "debian", "version": "12.5", "bom-ref": "os"},
            package("bash", "5.2.15-2"), package("curl", "7.88.1-10"), package("openssl", "3.0.11-1"),
        ],
        "dependencies": [{"ref": "os", "dependsOn": ["bash", "curl", "openssl"]}],
    })
}

fn spdx() -> String {
    let package = |name: &str, version: &str| {
        format!(
            "PackageName: {name}\nSPDXID: SPDXRef-Package-{name}\nPackageVersion: {version}\n\
             ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/{name}@{version}?distro=debian-12.5\n\n"
        )
    };
    format!(
        "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\n\n\
         PackageName: debian\nSPDXID: SPDXRef-OperatingSystem-1\nPackageVersion: 12.5\n\n{}{}{}",
        package("bash", "5.2.15-2"),
        package("curl", "7.88.1-10"),
        package("openssl", "3.0.11-1"),
    )
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write("web.cdx.json", cyclone_dx().to_string())
        .write("web.spdx", spdx());
    sandbox
}

#[test]
fn an_sbom_is_judged_like_the_image() {
    let sandbox = sandbox();
    sandbox.write_image("web.tar", &crate::samples::web());
    let outcome = sandbox
        .run("scan -f json --input web.tar --sbom web.cdx.json --sbom web.spdx")
        .exits(0)
        .warns_nothing();
    let report = outcome.json();
    let ids = finding_ids(&report);
    assert_eq!(ids[0].len(), 3, "{outcome}");
    assert_eq!(ids[1], ids[0], "{outcome}");
    assert_eq!(ids[2], ids[0], "{outcome}");
}

#[test]
fn the_report_names_the_kind_of_document() {
    let sandbox = sandbox();
    for (name, kind) in [("web.cdx.json", "cyclonedx"), ("web.spdx", "spdx")] {
        let outcome = sandbox
            .run(&format!("scan -f trivy-json --sbom {name}"))
            .exits(0);
        let report = outcome.json();
        assert_eq!(report["ArtifactName"], name);
        assert_eq!(report["ArtifactType"], kind);
        assert_eq!(report["Metadata"]["OS"]["Family"], "debian");
        assert_eq!(
            report["Results"][0]["Target"],
            format!("{name} (debian 12.5)")
        );
        assert!(report["Results"][0]["Packages"][0]["Layer"].is_null());
    }
}

#[test]
fn a_bad_document_is_named_and_the_others_are_judged() {
    let sandbox = sandbox();
    sandbox.write(
        "bad.json",
        "{\"bomFormat\": \"CycloneDX\", \"components\": [",
    );
    for (call, exit) in [("--sbom missing.json", 2), ("--sbom bad.json", 3)] {
        let outcome = sandbox
            .run(&format!("scan -f json {call} --sbom web.spdx"))
            .exits(exit);
        let report = outcome.json();
        let bad = call.split(' ').next_back().unwrap();
        let problem = report["images"][0]["problems"][0]["message"]
            .as_str()
            .unwrap();
        assert!(problem.contains(bad), "{outcome}");
        assert_eq!(finding_ids(&report)[1].len(), 3, "{outcome}");
    }
}

#[test]
fn packages_of_an_unknown_distribution_are_not_clean() {
    let sandbox = sandbox();
    let document = cyclone_dx()
        .to_string()
        .replace("operating-system", "platform");
    sandbox.write("unknown.json", document);
    sandbox.run("scan -f json --sbom unknown.json").exits(3);
}

#[test]
fn filters_and_gates_count_for_sboms() {
    let sandbox = sandbox();
    let outcome = sandbox
        .run("scan -f json --sbom web.spdx --severity CRITICAL")
        .exits(0);
    assert_eq!(finding_ids(&outcome.json())[0].len(), 1, "{outcome}");
    sandbox
        .run("scan --sbom web.spdx --fail-on critical")
        .exits(1);
}
