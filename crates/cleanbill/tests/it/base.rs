//! Whose layer a finding belongs to, and which base would be better.

use cleanbill_testkit::ImageBuilder;
use serde_json::{Value, json};

use crate::samples::{self, dpkg_status};
use crate::sandbox::{Sandbox, finding_ids};

/// What is put on top of a base: curl, and what the base's list has.
fn on_top(base: ImageBuilder, tag: &str, packages: &[(&str, &str)]) -> ImageBuilder {
    base.tag(tag)
        .layer(|layer| layer.file("var/lib/dpkg/status", dpkg_status(packages)))
        .created_by("RUN apt-get install -y curl")
}

/// The shop is built on `shop/base:1`: two of its three findings come from there.
fn web() -> ImageBuilder {
    on_top(
        base_layers("12.5", "3.0.11-1"),
        "shop/web:1",
        &[
            ("bash", "5.2.15-2"),
            ("curl", "7.88.1-10"),
            ("openssl", "3.0.11-1"),
        ],
    )
}

/// A base with a release of openssl, without a name.
fn base_layers(release: &str, openssl: &str) -> ImageBuilder {
    ImageBuilder::new()
        .layer(|layer| {
            layer
                .file("etc/debian_version", format!("{release}\n"))
                .file(
                    "var/lib/dpkg/status",
                    dpkg_status(&[("bash", "5.2.15-2"), ("openssl", openssl)]),
                )
        })
        .created_by("ADD rootfs.tar.xz /")
}

fn base(tag: &str, openssl: &str) -> ImageBuilder {
    base_layers("12.5", openssl).tag(tag)
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write_image("base.tar", &base("shop/base:1", "3.0.11-1"))
        .write_image("newer.tar", &base("shop/base:2", "3.0.13-1"))
        .write_image("web.tar", &web());
    sandbox
}

#[track_caller]
fn scan(sandbox: &Sandbox, arguments: &str) -> Value {
    let call = format!("scan -f json {arguments}");
    sandbox.run(&call).exits(0).json()
}

/// Scans archives, and takes the names that they claim for what a list says of them.
#[track_caller]
fn learn(sandbox: &Sandbox, archives: &[&str]) {
    for archive in archives {
        scan(sandbox, &format!("--input {archive}"));
        let mut listed = sandbox.run("base list --json").exits(0).json();
        let entries = listed.as_array_mut().unwrap();
        entries.retain(|entry| entry["from"] == "archive");
        sandbox.write("list.json", listed.to_string());
        sandbox.run("base import list.json").exits(0);
    }
}

/// Returns the origins by vulnerability.
fn origins(report: &Value, image: usize) -> Vec<(String, String)> {
    let results = report["images"][image]["results"].as_array().unwrap();
    let findings = results
        .iter()
        .flat_map(|result| result["findings"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut origins: Vec<_> = findings
        .map(|finding| (text(&finding["id"]), text(&finding["origin"])))
        .collect();
    origins.sort();
    origins
}

#[track_caller]
fn check_origins(report: &Value, image: usize, expected: [&str; 3]) {
    let ids = ["CVE-2099-0001", "CVE-2099-0002", "CVE-2099-0003"];
    let expected: Vec<_> = ids
        .iter()
        .zip(expected)
        .map(|(id, origin)| ((*id).to_owned(), origin.to_owned()))
        .collect();
    assert_eq!(origins(report, image), expected);
}

#[test]
fn findings_belong_to_the_base_or_to_the_own_layers() {
    let sandbox = sandbox();
    let alone = scan(&sandbox, "--input web.tar");
    assert_eq!(alone["images"][0].get("base"), None);
    check_origins(&alone, 0, ["-", "-", "-"]);

    scan(&sandbox, "--input base.tar");
    let report = scan(&sandbox, "--input web.tar");
    check_origins(&report, 0, ["base", "own", "base"]);
    let base = &report["images"][0]["base"];
    assert_eq!(base["names"], json!(["shop/base:1"]));
    assert_eq!(base["basis"], "chain");
    assert_eq!(base["layer_count"], 1);
    assert_eq!(
        [
            &base["findings_in_base"],
            &base["findings_own"],
            &base["findings_unknown"]
        ],
        [2, 1, 0]
    );
    assert_eq!(base["advice"], json!([]));
    assert_eq!(finding_ids(&alone), finding_ids(&report));
    sandbox
        .run("scan --input web.tar")
        .exits(0)
        .prints(&["2 of 3 come from the base shop/base:1"]);
    // The shapes of other tools have no place for it.
    let trivy = sandbox.run("scan --input web.tar -f trivy-json").exits(0);
    trivy.lacks(&["\"base\"", "origin", "shop/base"]);
}

#[test]
fn one_call_finds_the_base_wherever_it_stands_in_it() {
    for order in [
        "--input web.tar --input base.tar",
        "--input base.tar --input web.tar",
    ] {
        let sandbox = sandbox();
        let report = scan(&sandbox, order);
        let image = usize::from(order.starts_with("--input base"));
        check_origins(&report, image, ["base", "own", "base"]);
        assert_eq!(report["images"][1 - image].get("base"), None, "{order}");
    }
}

#[test]
fn a_newer_base_is_recommended_if_it_is_better() {
    let sandbox = sandbox();
    learn(&sandbox, &["base.tar", "newer.tar"]);
    let report = scan(&sandbox, "--input web.tar");
    let advice = &report["images"][0]["base"]["advice"];
    // The second finding will not be fixed.
    assert_eq!(advice[0]["name"], "shop/base:2");
    assert_eq!(advice[0]["removed"], 1);
    assert_eq!(advice[0]["removed_by_severity"]["CRITICAL"], 1);
    assert_eq!(advice[0]["added"], 0);
    assert_eq!(advice.as_array().unwrap().len(), 1);
    let table = sandbox.run("scan --input web.tar").exits(0);
    table.prints(&["2 of 3 come from the base shop/base:1; shop/base:2 removes 1"]);
    // The other way there is nothing to gain.
    let up = on_top(
        base_layers("12.5", "3.0.13-1"),
        "shop/api:1",
        &[("bash", "5.2.15-2"), ("openssl", "3.0.13-1")],
    );
    sandbox.write_image("api.tar", &up);
    let report = scan(&sandbox, "--input api.tar");
    let base = &report["images"][0]["base"];
    assert_eq!(base["names"], json!(["shop/base:2"]));
    assert_eq!(base["advice"], json!([]));
    // What is not shown does not count.
    let report = scan(&sandbox, "--input web.tar --severity HIGH,LOW");
    let base = &report["images"][0]["base"];
    assert_eq!(base["findings_in_base"], 1);
    assert_eq!(base["advice"], json!([]));
}

#[test]
fn an_archive_cannot_lend_its_name_to_advice() {
    let sandbox = sandbox();
    learn(&sandbox, &["base.tar"]);
    // Whoever made it may call it what they like.
    sandbox.write_image("claims.tar", &base("shop/base:1", "3.0.13-1"));
    scan(&sandbox, "--input claims.tar --input newer.tar");
    let report = scan(&sandbox, "--input web.tar");
    let found = &report["images"][0]["base"];
    assert_eq!(found["names"], json!(["shop/base:1"]));
    assert_eq!(found["advice"], json!([]));
    // Nor does it name layers that have a name already.
    sandbox.write_image("alias.tar", &base("evil/base:1.2.3", "3.0.11-1"));
    scan(&sandbox, "--input alias.tar");
    let report = scan(&sandbox, "--input web.tar");
    let found = &report["images"][0]["base"];
    assert_eq!(found["names"], json!(["shop/base:1"]));
}

#[test]
fn a_name_that_moved_recommends_to_build_again() {
    let sandbox = sandbox();
    sandbox.write_image("moved.tar", &base("shop/base:1", "3.0.13-1"));
    learn(&sandbox, &["base.tar", "moved.tar"]);
    sandbox
        .run("scan --input web.tar")
        .exits(0)
        .prints(&["base shop/base:1; shop/base:1 as it is now removes 1"]);
}

#[test]
fn an_earlier_build_does_not_hide_the_base() {
    let sandbox = sandbox();
    let rebuilt = web().layer(|layer| layer.file("srv/version", "2"));
    sandbox.write_image("rebuilt.tar", &rebuilt);
    scan(&sandbox, "--input base.tar --input web.tar");
    let report = scan(&sandbox, "--input rebuilt.tar");
    check_origins(&report, 0, ["base", "own", "base"]);
    let base = &report["images"][0]["base"];
    assert_eq!(base["names"], json!(["shop/base:1"]));
}

#[test]
fn a_base_that_nobody_could_assess_is_not_recommended() {
    let sandbox = sandbox();
    let unnamed = |image: ImageBuilder, tag: &str| image.tag(tag);
    for (name, image) in [
        ("old.tar", unnamed(samples::retired(), "shop/base:9")),
        ("odd.tar", unnamed(samples::mystery(), "shop/base:8")),
        (
            "none.tar",
            ImageBuilder::new()
                .tag("shop/base:7")
                .layer(|layer| layer.file("etc/debian_version", "12.5\n")),
        ),
    ] {
        sandbox.write_image(name, &image);
        sandbox.run(&format!("scan --input {name}"));
    }
    scan(&sandbox, "--input base.tar");
    let report = scan(&sandbox, "--input web.tar");
    let base = &report["images"][0]["base"];
    assert_eq!(base["names"], json!(["shop/base:1"]));
    assert_eq!(base["advice"], json!([]));
}

#[test]
fn a_base_whose_layers_were_not_read_is_not_judged() {
    let sandbox = sandbox();
    learn(&sandbox, &["base.tar", "newer.tar"]);
    sandbox.run("cache clear").exits(0);
    let report = scan(&sandbox, "--input web.tar");
    let base = &report["images"][0]["base"];
    assert_eq!(base["findings_in_base"], 2);
    assert_eq!(base["advice"], json!([]));
}

#[test]
fn a_base_can_be_named() {
    let sandbox = sandbox();
    // By an archive.
    let report = scan(&sandbox, "--input web.tar --base base.tar");
    check_origins(&report, 0, ["base", "own", "base"]);
    let base = &report["images"][0]["base"];
    assert_eq!(base["basis"], "named");
    assert_eq!(base["names"][1], "shop/base:1");
    // Which made its name known.
    let report = scan(&sandbox, "--input web.tar --base shop/base:1");
    assert_eq!(report["images"][0]["base"]["names"][0], "shop/base:1");
    check_origins(&report, 0, ["base", "own", "base"]);
    // Every image of a call must be built on it; one is built on itself.
    scan(
        &sandbox,
        "--input web.tar --input base.tar --base shop/base:1",
    );
}

#[test]
fn a_named_base_that_is_none_is_refused() {
    let sandbox = sandbox();
    let diff_ids = |image: &ImageBuilder| image.diff_ids()[0].clone();
    let (newer, own) = (base("shop/base:2", "3.0.13-1"), web());
    sandbox
        .run("scan --input web.tar --base newer.tar")
        .exits(2)
        .warns(&[
            "--base",
            "is not the base of",
            "layer 0",
            &diff_ids(&newer),
            &diff_ids(&own),
        ]);
    sandbox
        .run(
            "scan --input web.tar --base missing.tar --source docker --docker-host unix:///nowhere",
        )
        .exits(2)
        .warns(&["--base missing.tar", "cleanbill base list"]);
    sandbox
        .run("scan --input web.tar --base ./missing.tar")
        .exits(2)
        .warns(&["--base ./missing.tar"]);
    sandbox.write("root/etc/debian_version", "12.5\n");
    sandbox
        .run("scan --rootfs root --base base.tar")
        .exits(2)
        .warns(&["root has no layers"]);
    sandbox
        .run("scan --input base.tar --base web.tar")
        .exits(2)
        .warns(&["the image has 1 layers only"]);
}

#[test]
fn a_declared_base_is_told_as_what_it_is() {
    let sandbox = sandbox();
    let labels =
        json!({"Labels": {"org.opencontainers.image.base.name": "docker.io/library/debian:12"}});
    sandbox.write_image("web.tar", &web().config("config", labels));
    let report = scan(&sandbox, "--input web.tar");
    let base = &report["images"][0]["base"];
    assert_eq!(base["basis"], "declared");
    assert_eq!(base["names"], json!(["debian:12"]));
    assert_eq!(base.get("layer_count"), None);
    assert_eq!(base["findings_unknown"], 3);
    check_origins(&report, 0, ["-", "-", "-"]);
    sandbox
        .run("scan --input web.tar")
        .exits(0)
        .prints(&["base debian:12, declared by the image and not verified"]);
}

#[test]
fn known_images_are_listed_carried_and_forgotten() {
    let sandbox = sandbox();
    sandbox
        .run("base list")
        .exits(0)
        .prints(&["No image is known yet"]);
    scan(&sandbox, "--input base.tar --input newer.tar");
    sandbox
        .run("base list")
        .exits(0)
        .prints(&["shop/base:1", "archive"]);
    let exported = sandbox.run("base export").exits(0).stdout;
    assert_eq!(exported, "", "what archives claim is not passed on");
    learn(&sandbox, &["base.tar", "newer.tar"]);
    sandbox
        .run("base list")
        .exits(0)
        .prints(&["NAME", "shop/base:1", "shop/base:2", "import"]);
    let listed = sandbox.run("base list --json").exits(0).json();
    assert_eq!(listed[0]["name"], "shop/base:1");
    assert_eq!(listed[0]["from"], "import");
    let exported = sandbox.run("base export").exits(0).stdout;
    assert_eq!(exported.lines().count(), 2);

    let elsewhere = Sandbox::new();
    elsewhere.write("list.jsonl", &exported);
    elsewhere.write_image("web.tar", &web());
    elsewhere
        .run("base import list.jsonl")
        .exits(0)
        .prints(&["Read 2 images, 2 of them new."]);
    elsewhere
        .run("base import list.jsonl")
        .exits(0)
        .prints(&["Read 2 images, 0 of them new."]);
    assert_eq!(elsewhere.run("base export").exits(0).stdout, exported);
    let listed = elsewhere.run("base list --json").exits(0).json();
    assert_eq!(listed[0]["from"], "import");
    assert_eq!(listed[0]["last_seen"], Value::Null);
    let report = scan(&elsewhere, "--input web.tar");
    check_origins(&report, 0, ["base", "own", "base"]);
    // Nobody has read the layers of the other one here.
    assert_eq!(report["images"][0]["base"]["advice"], json!([]));

    elsewhere
        .run("base rm shop/base:1 shop/base:2")
        .exits(0)
        .prints(&["Forgot shop/base:1."]);
    elsewhere
        .run("base rm shop/base:1")
        .exits(2)
        .warns(&["no image is known as shop/base:1", "base list"]);
    elsewhere.run("base rm ../x").exits(2).warns(&["../x"]);
}

#[test]
fn a_hostile_list_changes_nothing() {
    let sandbox = Sandbox::new();
    let good = json!({"name": "debian:12", "diff_ids": web().diff_ids()}).to_string();
    for (bad, reason) in [
        (
            "{\"name\":\"\\u001b]0;owned\\u0007\",\"diff_ids\":[]}",
            "no image reference",
        ),
        (
            "{\"name\":\"debian:12\",\"diff_ids\":[\"sha256:zz\"]}",
            "not a digest",
        ),
        ("not json", "expected"),
    ] {
        sandbox.write("list", format!("{good}\n{bad}\n"));
        let outcome = sandbox
            .run("base import list")
            .exits(2)
            .warns(&["list", "line 2", reason]);
        assert!(!outcome.stderr.contains('\u{1b}'), "{outcome}");
    }
    sandbox
        .run("base list")
        .exits(0)
        .prints(&["No image is known yet"]);
    sandbox
        .run("base import missing")
        .exits(2)
        .warns(&["missing"]);
    sandbox.run("base import .").exits(2);
}

#[test]
fn a_saved_report_keeps_the_base() {
    let sandbox = sandbox();
    learn(&sandbox, &["base.tar", "newer.tar"]);
    sandbox
        .run("scan --input web.tar -o json=saved.json")
        .exits(0);
    let saved = sandbox.read_json("saved.json");
    let converted = sandbox.run("report saved.json -f json").exits(0).json();
    assert_eq!(converted["images"][0]["base"], saved["images"][0]["base"]);
    check_origins(&converted, 0, ["base", "own", "base"]);
    sandbox
        .run("report saved.json -f markdown")
        .exits(0)
        .prints(&["2 of 3 come from the base `shop/base:1`; `shop/base:2` removes 1"]);
}

#[test]
fn two_scans_say_the_same() {
    let sandbox = sandbox();
    scan(
        &sandbox,
        "--input base.tar --input newer.tar --input web.tar",
    );
    let first = sandbox.run("scan --input web.tar -f markdown").exits(0);
    let second = sandbox.run("scan --input web.tar -f markdown").exits(0);
    let body = |text: &str| text.split("---\n\nCleanbill").next().unwrap().to_owned();
    assert_eq!(body(&first.stdout), body(&second.stdout));
}
