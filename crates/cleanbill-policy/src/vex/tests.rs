use cleanbill_core::Digest;
use cleanbill_core::package::Package;
use cleanbill_core::report::ResultClass;
use serde_json::json;

use super::*;
use crate::oracle;

/// Applies the case's document to the report of its image and compares with the case's report.
#[track_caller]
fn check_case(case: &str, image: &str, shows_suppressed: bool) {
    let Some(document) = oracle::read(&format!("cases/{case}/vex.json")) else {
        return;
    };
    let mut actual = oracle::image(&format!("expected/{image}.json")).unwrap();
    let expected = oracle::image(&format!("cases/{case}/expected.json")).unwrap();
    vex(&document).apply(&mut actual);
    if !shows_suppressed {
        actual
            .results
            .iter_mut()
            .for_each(|result| result.suppressed.clear());
    }
    assert_eq!(
        oracle::summary(&actual),
        oracle::summary(&expected),
        "{case}"
    );
}

fn vex(document: &[u8]) -> Vex {
    Vex::new(vec![VexDocument::parse(document, "vex.json").unwrap()])
}

#[test]
fn documents_decide_as_in_the_oracle() {
    check_case("openvex-deb", "os-debian-9", true);
    for case in [
        "openvex-affected",
        "openvex-alias",
        "openvex-exact",
        "openvex-fixed",
        "openvex-last-wins",
        "openvex-no-version",
        "openvex-other-version",
        "openvex-under-investigation",
    ] {
        check_case(case, "real-python", false);
    }
    check_case("openvex-suppressed", "real-python", true);
    check_case("csaf", "real-python", true);
}

#[test]
fn other_files_are_refused() {
    let error = |text: &str| VexDocument::parse(text.as_bytes(), "f").unwrap_err();
    assert!(matches!(error("{"), VexError::Json { .. }));
    for text in [
        "{\"what\": 1}",
        "{\"vulnerabilities\": {\"a\": [1, null, true]}}",
        "{\"bomFormat\": null, \"@context\": \"\", \"vulnerabilities\": -1.5}",
        "{\"@context\": [\"x\"]}",
    ] {
        assert!(matches!(error(text), VexError::UnknownKind(_)), "{text}");
    }
    assert!(matches!(
        error("{\"bomFormat\": \"CycloneDX\", \"vulnerabilities\": [{\"id\": 1}]}"),
        VexError::Malformed {
            kind: "CycloneDX",
            ..
        }
    ));
    assert!(matches!(
        error("{\"@context\": \"x\", \"statements\": [{\"products\": [\"pkg:a/b\"]}]}"),
        VexError::Malformed {
            kind: "OpenVEX",
            ..
        }
    ));
    assert!(matches!(
        error("{\"vulnerabilities\": [{\"cve\": 1}]}"),
        VexError::Malformed { kind: "CSAF", .. }
    ));
}

/// An image with a Go program: root module `app`, which needs `mid`, which needs `leaf`; `leaf` is
/// needed by `other` too if `two_ways`.
fn program(two_ways: bool) -> ImageReport {
    let package = |name: &str, depends_on: &[&str]| Package {
        id: name.to_owned(),
        name: name.to_owned(),
        identifier: cleanbill_core::package::PackageIdentifier {
            uid: format!("uid-{name}"),
            purl: Some(format!("pkg:golang/{name}@1").parse().unwrap()),
            bom_ref: String::new(),
        },
        depends_on: depends_on.iter().map(|text| (*text).to_owned()).collect(),
        ..Package::default()
    };
    let packages = vec![
        package("app", &["mid"]),
        package("leaf", &[]),
        package("mid", &["leaf"]),
        package("other", if two_ways { &["leaf"] } else { &[] }),
    ];
    let finding = Finding {
        vulnerability_id: "CVE-1".to_owned(),
        package_identifier: packages[1].identifier.clone(),
        ..Finding::default()
    };
    let mut image = ImageReport {
        results: vec![ResultSet {
            target: "bin/app".to_owned(),
            class: ResultClass::LanguagePackages,
            kind: "gobinary".to_owned(),
            packages,
            findings: vec![finding],
            ..ResultSet::default()
        }],
        ..ImageReport::default()
    };
    image.metadata.repo_digests = vec![format!("example.com/team/img@{}", Digest::of(b""))];
    image.metadata.config.architecture = "amd64".to_owned();
    image
}

fn statement(products: &str) -> String {
    format!(
        "{{\"vulnerability\": {{\"name\": \"CVE-1\"}}, \"status\": \"not_affected\", \
         \"justification\": \"j\", \"products\": [{products}]}}"
    )
}

fn openvex(products: &str) -> Vex {
    let text = format!(
        "{{\"@context\": \"c\", \"statements\": [{}]}}",
        statement(products)
    );
    vex(text.as_bytes())
}

fn with_sub(product: &str, sub: &str) -> String {
    format!("{{\"@id\": \"{product}\", \"subcomponents\": [{{\"@id\": \"{sub}\"}}]}}")
}

#[track_caller]
fn check(vex: &Vex, two_ways: bool, is_suppressed: bool) {
    let mut image = program(two_ways);
    vex.apply(&mut image);
    let result = &image.results[0];
    assert_eq!(result.suppressed.len(), usize::from(is_suppressed));
    assert_eq!(result.findings.len(), usize::from(!is_suppressed));
}

#[test]
fn a_statement_about_the_package_covers_it_everywhere() {
    check(&openvex("{\"@id\": \"pkg:golang/leaf\"}"), true, true);
    check(&openvex("{\"@id\": \"pkg:golang/leaf@2\"}"), true, false);
    check(
        &openvex("{\"identifiers\": {\"purl\": \"pkg:golang/leaf@1\"}}"),
        true,
        true,
    );
    check(
        &openvex("{\"hashes\": {\"sha-256\": \"pkg:golang/leaf@1\"}}"),
        true,
        true,
    );
}

#[test]
fn a_statement_about_a_dependant_cuts_its_way_only() {
    let vex = openvex(&with_sub("pkg:golang/mid", "pkg:golang/leaf"));
    check(&vex, false, true);
    check(&vex, true, false);
    check(
        &openvex(&with_sub("pkg:golang/mid", "pkg:golang/other")),
        false,
        false,
    );
}

#[test]
fn a_statement_about_the_image_cuts_every_way() {
    let image = "pkg:oci/img?repository_url=example.com/team/img";
    check(&openvex(&with_sub(image, "pkg:golang/leaf")), true, true);
    check(&openvex(&format!("{{\"@id\": \"{image}\"}}")), true, true);
    check(
        &openvex(&with_sub("pkg:oci/img?arch=arm64", "pkg:golang/leaf")),
        true,
        false,
    );
}

#[test]
fn an_image_without_a_digest_is_no_product() {
    let mut image = program(false);
    image.metadata.repo_digests.clear();
    openvex("{\"@id\": \"pkg:oci/img\"}").apply(&mut image);
    assert_eq!(image.results[0].findings.len(), 1);
}

#[test]
fn the_first_document_that_decides_is_printed() {
    let document = |justification: &str, source: &str| {
        let text = format!(
            "{{\"@context\": \"c\", \"statements\": [{}]}}",
            statement("{\"@id\": \"pkg:golang/leaf\"}")
                .replace("\"j\"", &format!("\"{justification}\""))
        );
        VexDocument::parse(text.as_bytes(), source).unwrap()
    };
    let mut image = program(false);
    Vex::new(vec![document("a", "first"), document("b", "second")]).apply(&mut image);
    let suppressed = &image.results[0].suppressed[0];
    assert_eq!(
        (&*suppressed.statement, &*suppressed.source),
        ("a", "first")
    );
    assert_eq!(suppressed.status, "not_affected");
}

#[test]
fn csaf_relationships_name_a_part_of_a_product() {
    let text = r#"{
        "product_tree": {
            "full_product_names": [
                {"product_id": "M", "product_identification_helper": {"purl": "pkg:golang/mid@1"}},
                {"product_id": "L", "product_identification_helper": {"purl": "pkg:golang/leaf"}}
            ],
            "relationships": [{
                "category": "CATEGORY",
                "full_product_name": {"product_id": "ML"},
                "product_reference": "L",
                "relates_to_product_reference": "M"
            }]
        },
        "vulnerabilities": [{
            "cve": "CVE-1",
            "product_status": {"fixed": ["ML"]},
            "threats": [{"category": "impact", "details": "none"}]
        }]
    }"#;
    check(
        &vex(text.replace("CATEGORY", "default_component_of").as_bytes()),
        false,
        true,
    );
    check(
        &vex(text.replace("CATEGORY", "default_component_of").as_bytes()),
        true,
        false,
    );
    check(
        &vex(text.replace("CATEGORY", "optional_component_of").as_bytes()),
        false,
        false,
    );
    let mut image = program(false);
    vex(text.replace("CATEGORY", "installed_on").as_bytes()).apply(&mut image);
    let suppressed = &image.results[0].suppressed[0];
    assert_eq!(
        (&*suppressed.status, &*suppressed.statement),
        ("fixed", "none")
    );
}

/// Each of 50,000 mentions names the same product with 2,000 package URLs: what a mention costs must
/// not depend on what it mentions.
#[test]
fn a_csaf_document_may_mention_a_large_product_often() {
    const MENTIONS: usize = 50_000;
    let names = (0..2_000).map(|number| {
        let purl = format!("pkg:golang/other{number}");
        json!({"product_id": "P", "product_identification_helper": {"purl": purl}})
    });
    let mut names: Vec<_> = names.collect();
    let leaf = json!({"purl": "pkg:golang/leaf"});
    names.push(json!({"product_id": "L", "product_identification_helper": leaf}));
    let relationship = |id: &str, product: &str, part: &str| {
        json!({
            "category": "installed_on", "full_product_name": {"product_id": id},
            "relates_to_product_reference": product, "product_reference": part,
        })
    };
    let document = json!({
        "product_tree": {
            "full_product_names": names,
            "relationships": vec![relationship("C", "P", "P"); MENTIONS],
        },
        "vulnerabilities": [
            {"cve": "CVE-1", "product_status": {
                "known_not_affected": vec!["P"; MENTIONS], "fixed": ["C", "P", "L"],
            }},
            {"cve": "CVE-2", "product_status": {"fixed": vec!["C"; MENTIONS]}},
        ],
    });
    let mut image = program(false);
    vex(document.to_string().as_bytes()).apply(&mut image);
    assert_eq!(image.results[0].suppressed[0].status, "fixed");
}

#[test]
fn packages_without_an_id_get_one_when_documents_are_applied() {
    let mut image = program(false);
    image.results[0].packages[0].id.clear();
    Vex::default().apply(&mut image);
    assert_eq!(image.results[0].packages[0].id, "");
    openvex("{\"@id\": \"x\"}").apply(&mut image);
    assert_eq!(image.results[0].packages[0].id, "app@");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

    #[test]
    fn hostile_documents_do_not_panic(bytes in proptest::collection::vec(0..=255_u8, 0..64)) {
        let _ = VexDocument::parse(&bytes, "f");
    }

    /// On graphs without circles a finding stays exactly if the root, or a package that nobody
    /// needs and nothing contains, can be reached without crossing a cut.
    #[test]
    fn diamonds_are_walked_like_a_search(
        edges in proptest::collection::vec((0..12_usize, 0..12_usize), 0..40),
        cut in 0..12_usize,
    ) {
        let mut image = program(false);
        let template = image.results[0].packages[0].clone();
        let packages: Vec<Package> = (0..12)
            .map(|index| {
                let mut package = template.clone();
                package.id = index.to_string();
                package.identifier.uid = format!("uid-{index}");
                package.identifier.purl = Some(format!("pkg:golang/p{index}@1").parse().unwrap());
                package.depends_on = edges
                    .iter()
                    .filter(|(from, to)| *from == index && from > to)
                    .map(|(_, to)| to.to_string())
                    .collect();
                package
            })
            .collect();
        image.results[0].findings[0].package_identifier = packages[0].identifier.clone();
        image.results[0].packages = packages;
        let mut above = std::collections::BTreeSet::from([0]);
        let mut stays = false;
        for index in 0..12 {
            if !above.contains(&index) || index == cut {
                continue;
            }
            let parents: Vec<_> =
                edges.iter().filter(|(from, to)| from > to && *to == index).collect();
            stays |= parents.is_empty();
            above.extend(parents.into_iter().map(|(from, _)| *from));
        }
        let product = with_sub(&format!("pkg:golang/p{cut}"), "pkg:golang/p0");
        openvex(&product).apply(&mut image);
        proptest::prop_assert_eq!(image.results[0].findings.len(), usize::from(stays));
    }
}

const SERIAL: &str = "3e671687-395b-41f5-a30f-a58921a69b79";

fn cyclonedx(state: &str, reference: &str) -> Vex {
    let text = serde_json::json!({
        "bomFormat": "CycloneDX",
        "components": [{"components": [{"bom-ref": "l", "purl": "pkg:golang/leaf@1"}]}],
        "vulnerabilities": [
            {"id": "CVE-1", "analysis": {"state": "in_triage"}, "affects": [{"ref": "l"}]},
            {
                "id": "CVE-1",
                "analysis": {"state": state, "justification": "code_not_reachable"},
                "affects": [{"ref": reference}],
            },
        ],
    });
    vex(text.to_string().as_bytes())
}

/// Says what becomes of the finding of an image, and of the same in a scanned document whose
/// package has the reference `ref-leaf`.
#[track_caller]
fn check_cyclonedx(state: &str, reference: &str, in_image: bool, in_document: bool) {
    let vex = cyclonedx(state, reference);
    for (is_document, expected) in [(false, in_image), (true, in_document)] {
        let mut image = program(true);
        if is_document {
            image.sbom = Some(SbomIdentity {
                serial_number: format!("urn:uuid:{SERIAL}"),
                version: 1,
            });
            let result = &mut image.results[0];
            for identifier in [
                &mut result.packages[1].identifier,
                &mut result.findings[0].package_identifier,
            ] {
                identifier.bom_ref = "ref-leaf".to_owned();
            }
        }
        vex.apply(&mut image);
        let suppressed = &image.results[0].suppressed;
        let is_suppressed = !suppressed.is_empty();
        assert_eq!(is_suppressed, expected, "{state} {reference} {is_document}");
        for suppressed in suppressed {
            assert_eq!(suppressed.statement, "code_not_reachable");
            assert_eq!(suppressed.source, "CycloneDX VEX");
        }
    }
}

#[test]
fn cyclonedx_statements_name_components() {
    let link = |rest: &str| format!("urn:cdx:{SERIAL}/{rest}");
    let check = |reference: &str, in_image, in_document| {
        check_cyclonedx("not_affected", reference, in_image, in_document);
    };
    check(&link("1#pkg:golang/leaf@1"), true, true);
    check(&link("1#pkg%3Agolang%2Fleaf%401"), true, true);
    check(&link("1#pkg:golang/leaf@2"), false, false);
    check(&link("1#ref-leaf"), false, true);
    check(&link("2#pkg:golang/leaf@1"), true, false);
    check(&link("1"), false, true);
    check(&link("1#%4"), false, false);
    check("urn:cdx:nothing", false, false);
    check("l", true, true);
    check("pkg:golang/leaf@1", true, true);
    check("ref-other", false, false);
    check("", false, false);
}

#[test]
fn cyclonedx_states_decide() {
    for (state, decides) in [
        ("resolved", true),
        ("resolved_with_pedigree", true),
        ("false_positive", true),
        ("not_affected", true),
        ("exploitable", false),
        ("in_triage", false),
        ("", false),
    ] {
        check_cyclonedx(state, "pkg:golang/leaf@1", decides, decides);
    }
}
