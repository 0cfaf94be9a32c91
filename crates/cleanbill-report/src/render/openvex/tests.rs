use cleanbill_core::Digest;
use cleanbill_core::report::ImageReport;
use serde_json::{Value, json};

use crate::Format;
use crate::sample::{self, options, rendered};

fn document(images: Vec<ImageReport>) -> Value {
    let text = rendered(Format::OpenVex, &sample::report(images), &options());
    serde_json::from_str(&text).unwrap()
}

fn pushed() -> ImageReport {
    let mut image = sample::suppressed();
    image.metadata.repo_digests = vec![format!("example.com/team/shop@{}", Digest::of(b"m"))];
    image
}

#[test]
fn exceptions_are_statements_about_parts_of_the_image() {
    let document = document(vec![pushed()]);
    let image = format!(
        "pkg:oci/shop@{}?arch=amd64&repository_url=example.com%2Fteam%2Fshop",
        Digest::of(b"m").to_string().replace(':', "%3A")
    );
    let image = image.replace("sha256%3A", "sha256:");
    assert_eq!(
        document["statements"],
        json!([
            {
                "vulnerability": {"name": "CVE-2026-1001"},
                "products": [{
                    "@id": image,
                    "subcomponents": [
                        {"@id": "pkg:apk/alpine/openssl@3.3.1-r0?arch=x86_64&distro=3.20.3"},
                    ],
                }],
                "status": "affected",
                "action_statement": "the risk is accepted: accepted until the next release",
                "status_notes": "stated by .trivyignore.yaml",
            },
            {
                "vulnerability": {"name": "CVE-2026-2001"},
                "products": [{
                    "@id": image,
                    "subcomponents": [
                        {"@id": "pkg:apk/alpine/curl@8.9.0-r0?arch=x86_64&distro=3.20.3"},
                    ],
                }],
                "status": "not_affected",
                "justification": "vulnerable_code_not_present",
                "status_notes": "stated by vex.json",
            },
        ])
    );
}

#[test]
fn without_a_digest_the_package_itself_is_the_product() {
    let document = document(vec![sample::suppressed(), sample::suppressed()]);
    let statements = document["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 2, "the same is said once");
    assert_eq!(
        statements[1]["products"],
        json!([{"@id": "pkg:apk/alpine/curl@8.9.0-r0?arch=x86_64&distro=3.20.3"}])
    );
}

#[test]
fn the_id_depends_on_the_statements_alone() {
    let id = |image| document(vec![image])["@id"].clone();
    assert_eq!(id(pushed()), id(pushed()));
    assert_ne!(id(pushed()), id(sample::suppressed()));
    assert_eq!(document(vec![])["statements"], json!([]));
}
