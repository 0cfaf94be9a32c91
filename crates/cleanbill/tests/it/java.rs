//! Java archives, and the index that names those that do not name themselves.

use cleanbill_testkit::zip::ZipBuilder;
use cleanbill_testkit::{ImageBuilder, JavaIndexBuilder};
use serde_json::Value;

use crate::http_server::HttpServer;
use crate::samples;
use crate::sandbox::Sandbox;

const MANIFEST: &str = "Implementation-Vendor-Id: org.acme\nImplementation-Title: widget\n\
                        Implementation-Version: 2.0\n";

/// An application that names itself, with a library that only the index can confirm.
fn app() -> Vec<u8> {
    let properties = "groupId=org.acme\nartifactId=app\nversion=1.0\n";
    let library = ZipBuilder::new().file("META-INF/MANIFEST.MF", MANIFEST);
    ZipBuilder::new()
        .file("META-INF/maven/org.acme/app/pom.properties", properties)
        .stored("lib/widget.jar", library.build())
        .build()
}

fn image() -> ImageBuilder {
    samples::debian("shop/java:1").layer(|layer| layer.file("opt/app-1.0.jar", app()))
}

fn index() -> JavaIndexBuilder {
    JavaIndexBuilder::new()
        .metadata(
            r#"{"Version":1,"NextUpdate":"2125-01-01T00:00:00Z","UpdatedAt":"2024-06-01T00:00:00Z",
                "DownloadedAt":"2024-06-01T00:00:00Z"}"#,
        )
        .jar("org.acme", "widget", "1.0", &[7; 20])
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write_image("java.tar", &image());
    sandbox
}

fn install(sandbox: &Sandbox, directory: &str, index: &JavaIndexBuilder) {
    let directory = sandbox.path(directory);
    std::fs::create_dir_all(&directory).unwrap();
    index.write_to(&directory).unwrap();
}

/// Returns the names of the Java packages of a `trivy-json` report.
fn names(report: &Value) -> Vec<&str> {
    let results = report["Results"].as_array().unwrap().iter();
    results
        .filter(|result| result["Type"] == "jar")
        .flat_map(|result| result["Packages"].as_array().unwrap())
        .map(|package| package["Name"].as_str().unwrap())
        .collect()
}

const SCAN: &str = "scan --input java.tar --offline --format trivy-json --list-all-pkgs";

#[test]
fn the_index_names_what_a_manifest_only_claims() {
    let sandbox = sandbox();
    install(&sandbox, "cache/java-db", &index());
    let report = sandbox.run(SCAN).exits(0).json();
    assert_eq!(names(&report), ["org.acme:app", "org.acme:widget"]);
    assert_eq!(
        sandbox.files("cache/java-db"),
        ["metadata.json", "trivy-java.db"],
        "nothing is written beside it"
    );
    // The inventory of the layer is known by now; the index is asked all the same.
    install(
        &sandbox,
        "cache/java-db",
        &JavaIndexBuilder::new().jar("g", "a", "1", &[1; 20]),
    );
    let report = sandbox.run(SCAN).exits(0).json();
    assert_eq!(names(&report), ["org.acme:app"]);
}

#[test]
fn without_an_index_the_rest_is_listed_and_the_gap_is_told() {
    let sandbox = sandbox();
    let outcome = sandbox.run(SCAN).exits(3);
    let report = outcome.json();
    assert_eq!(names(&report), ["org.acme:app"]);
    let problems = report["Cleanbill"].to_string();
    for word in [
        "unidentified-archives",
        "1 Java archives",
        "--offline forbids",
        "cleanbill db update --with java",
        "cleanbill db import",
    ] {
        assert!(problems.contains(word), "{word}: {problems}");
    }
    // Who asks for packages of the distribution only misses nothing.
    sandbox.run(&format!("{SCAN} --pkg-types os")).exits(0);
    // An image without such archives needs no index.
    sandbox.write_image("web.tar", &samples::web());
    sandbox.run("scan --input web.tar --offline").exits(0);
}

#[test]
fn a_damaged_index_is_told() {
    let sandbox = sandbox();
    sandbox.write("cache/java-db/trivy-java.db", "no index");
    let report = sandbox.run(SCAN).exits(3).json();
    let problems = report["Cleanbill"].to_string();
    assert!(problems.contains("cannot be used"), "{problems}");
    sandbox
        .run("db status")
        .exits(4)
        .warns(&["Java index", "--with java --force"]);
}

#[test]
fn an_index_that_cannot_answer_costs_names_and_nothing_else() {
    let sandbox = sandbox();
    let unnamed = ZipBuilder::new().file("a", "").build();
    let image = image().layer(|layer| layer.file("opt/other-1.0.jar", unnamed));
    sandbox.write_image("other.tar", &image);
    let index = index().without_archive_types();
    install(&sandbox, "cache/java-db", &index);
    let scan = SCAN.replace("java.tar", "other.tar");
    for _ in ["cold", "known"] {
        let report = sandbox.run(&scan).exits(3).json();
        assert_eq!(names(&report), ["org.acme:app"]);
        let problems = report["Cleanbill"].to_string();
        assert!(problems.contains("2 Java archives"), "{problems}");
        assert!(problems.contains("archive_type"), "{problems}");
    }
    // An image whose questions it can answer is not touched by that, before or after.
    for inputs in ["java.tar --input other.tar", "other.tar --input java.tar"] {
        let call = format!("scan --input {inputs} --offline --format json");
        let report = sandbox.run(&call).exits(3).json();
        let images = report["images"].as_array().unwrap().iter();
        let statuses = images.map(|image| {
            let has_problem = image["problems"].to_string().contains("archive_type");
            (
                image["name"].as_str().unwrap().contains("other"),
                has_problem,
            )
        });
        assert!(statuses.into_iter().all(|(is_other, has)| is_other == has));
    }
}

#[test]
fn the_index_lies_beside_the_database_that_is_named() {
    let sandbox = sandbox();
    let database = sandbox.path("site/db");
    std::fs::create_dir_all(&database).unwrap();
    samples::database().write_to(&database).unwrap();
    install(&sandbox, "site/java-db", &index());
    for path in ["site", "site/db"] {
        let report = sandbox
            .run(&format!("{SCAN} --db-path {path}"))
            .exits(0)
            .json();
        assert_eq!(names(&report).len(), 2, "{path}");
    }
}

#[test]
fn an_archive_that_lies_unpacked_is_read_at_its_place() {
    let sandbox = sandbox();
    install(&sandbox, "cache/java-db", &index());
    sandbox
        .write("root/etc/debian_version", "12.5\n")
        .write("root/opt/app-1.0.jar", app());
    let call = "scan --rootfs root --offline --format trivy-json --list-all-pkgs";
    let report = sandbox.run(call).exits(0).json();
    assert_eq!(names(&report), ["org.acme:app", "org.acme:widget"]);
}

#[test]
fn an_index_is_imported_exported_and_described() {
    let sandbox = sandbox();
    sandbox
        .run("db status")
        .exits(0)
        .prints(&["Java index:   none"]);
    sandbox.run("db export --java javadb.tar.gz").exits(4);
    sandbox.write("javadb.tar.gz", index().archive());
    sandbox
        .run("db import javadb.tar.gz")
        .exits(0)
        .prints(&["Imported the Java index", "java-db"]);
    sandbox.run(SCAN).exits(0);
    let status = sandbox.run("db status --json").exits(0).json();
    assert_eq!(status["java_index"]["schema_version"], 1);

    sandbox
        .run("db export --java out.tar.gz")
        .exits(0)
        .prints(&["Wrote the Java index"]);
    sandbox
        .run("cache clear --all")
        .exits(0)
        .prints(&["Removed the Java index"]);
    assert!(!sandbox.path("cache/java-db").exists());
    sandbox.run("db import out.tar.gz").exits(0);

    // A cache directory of Trivy's has both.
    let database = sandbox.path("trivy/db");
    std::fs::create_dir_all(&database).unwrap();
    samples::database().write_to(&database).unwrap();
    install(&sandbox, "trivy/java-db", &index());
    sandbox
        .run("db import trivy")
        .exits(0)
        .prints(&["the Java index", "the advisory database"]);

    // What cannot be used does not take the place of what can.
    sandbox.write("bad.tar.gz", JavaIndexBuilder::new().archive());
    sandbox
        .run("db import bad.tar.gz")
        .exits(2)
        .warns(&["is empty"]);
    sandbox.run(SCAN).exits(0);
}

#[test]
fn an_index_is_fetched_when_an_image_needs_it() {
    let server = HttpServer::start();
    let blob = server.offer_java_index("mirror/java", &index().archive());
    let repository = format!("{}/mirror/java", server.address());
    let sandbox = sandbox();
    sandbox.write_image("web.tar", &samples::web());
    let flags = format!("--skip-db-update --java-db-repository {repository}");
    sandbox
        .run(&format!("scan --input web.tar {flags}"))
        .exits(0);
    assert!(!server.was_asked(&blob), "no archive needed it");
    sandbox
        .run(&format!("scan --input java.tar {flags}"))
        .exits(0);
    assert!(server.was_asked(&blob));
    let asked = server.requests().len();
    sandbox
        .run(&format!("scan --input java.tar {flags}"))
        .exits(0);
    assert_eq!(server.requests().len(), asked, "it is not due");

    let other = self::sandbox();
    other
        .run(&format!(
            "scan --input java.tar {flags} --skip-java-db-update"
        ))
        .exits(3)
        .prints(&["--skip-java-db-update forbids"]);
    other
        .run(&format!("db import oci:{repository}"))
        .exits(0)
        .prints(&["Imported the Java index"]);
}
