use cleanbill_core::Package;
use cleanbill_core::inventory::LayerInventory;
use proptest::prelude::*;

use crate::testing::{FakeLayer, applications_of};

const LOCK: &str = "version = 4\n\n\
    [[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"regex\",\n \"tempfile\",\n]\n\n\
    [[package]]\nname = \"memchr\"\nversion = \"1.0.2\"\n\n\
    [[package]]\nname = \"memchr\"\nversion = \"2.5.0\"\nsource = \"registry+x\"\n\n\
    [[package]]\nname = \"regex\"\nversion = \"1.7.3\"\ndependencies = [\"memchr 2.5.0\"]\n\n\
    [[package]]\nname = \"tempfile\"\nversion = \"3.0.0\"\ndependencies = [\"memchr 1.0.2 (registry+x)\"]\n";

fn inventory(files: &[(&str, &str)]) -> LayerInventory {
    let layer = files
        .iter()
        .fold(FakeLayer::new(), |layer, (path, content)| {
            layer.file(path, content.as_bytes())
        });
    layer.inventory()
}

/// Lists packages as `<id> <relationship> <what it needs>`, the application at each path.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let inventory = inventory(files);
    assert_eq!(inventory.problems, []);
    let line = |path: &str, package: &Package| {
        let depends_on = package.depends_on.join(",");
        let relationship = package.relationship.name();
        format!("{path} {} {relationship} {depends_on}", package.id)
    };
    let applications = inventory.applications.iter();
    let lines: Vec<_> = applications
        .flat_map(|a| a.packages.iter().map(move |package| line(a.path, package)))
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_lock_file_alone_lists_everything() {
    check(
        &[("srv/Cargo.lock", LOCK)],
        &[
            "srv/Cargo.lock app@0.1.0  regex@1.7.3,tempfile@3.0.0",
            "srv/Cargo.lock memchr@1.0.2  ",
            "srv/Cargo.lock memchr@2.5.0  ",
            "srv/Cargo.lock regex@1.7.3  memchr@2.5.0",
            "srv/Cargo.lock tempfile@3.0.0  memchr@1.0.2",
        ],
    );
    let inventory = inventory(&[("Cargo.lock", LOCK)]);
    let app = &applications_of(&inventory)[0].packages[0];
    let [location] = app.locations.as_slice() else {
        panic!("{:?}", app.locations);
    };
    assert_eq!((location.start_line, location.end_line), (3, 9));
}

#[test]
fn a_bare_name_means_the_last_entry_of_it() {
    let lock = "[[package]]\nname = 'a'\nversion = '2'\n[[package]]\nname = 'a'\nversion = '1'\n\
        [[package]]\nname = 'b'\nversion = '1'\ndependencies = ['a', 'none', '1 2 3 4']";
    check(
        &[("Cargo.lock", lock)],
        &[
            "Cargo.lock a@1  ",
            "Cargo.lock a@2  ",
            "Cargo.lock b@1  a@1",
        ],
    );
}

#[test]
fn what_tests_need_is_left_out() {
    let manifest = "[package]\nname = 'app'\nversion = '0.1.0'\n[dependencies]\nregex = '1.5'\n\
        [dev-dependencies]\ntempfile = '3'\n";
    check(
        &[("srv/Cargo.toml", manifest), ("srv/Cargo.lock", LOCK)],
        &[
            "srv/Cargo.lock app@0.1.0 root regex@1.7.3",
            "srv/Cargo.lock regex@1.7.3 direct memchr@2.5.0",
            "srv/Cargo.lock memchr@2.5.0 indirect ",
        ],
    );
}

#[test]
fn dependencies_of_targets_and_of_the_workspace_count() {
    let manifest = "[package]\nname = 'app'\nversion = '0.1.0'\n\
        [target.'cfg(unix)'.dependencies]\nregex = { version = '1', default-features = false }\n\
        [dependencies]\nmemchr = { git = 'x' }\n\
        [workspace.dependencies]\ntempfile = '=3.0.0'\n";
    check(
        &[("Cargo.lock", LOCK), ("Cargo.toml", manifest)],
        &[
            "Cargo.lock app@0.1.0 root regex@1.7.3,tempfile@3.0.0",
            "Cargo.lock regex@1.7.3 direct memchr@2.5.0",
            "Cargo.lock tempfile@3.0.0 direct memchr@1.0.2",
            "Cargo.lock memchr@1.0.2 indirect ",
            "Cargo.lock memchr@2.5.0 indirect ",
        ],
    );
}

#[test]
fn a_workspace_has_its_members_dependencies() {
    let root = "[workspace]\nmembers = ['crates/*']\n[workspace.package]\nversion = '0.1.0'\n";
    let member = "[package]\nname = 'app'\nversion.workspace = true\n[dependencies]\nregex = '1'\n";
    check(
        &[
            ("srv/Cargo.lock", LOCK),
            ("srv/Cargo.toml", root),
            ("srv/crates/app/Cargo.toml", member),
            ("srv/crates/broken/Cargo.toml", "["),
        ],
        &[
            "srv/Cargo.lock 52a8d28e6c5562ea root app@0.1.0",
            "srv/Cargo.lock app@0.1.0 workspace regex@1.7.3",
            "srv/Cargo.lock regex@1.7.3 direct memchr@2.5.0",
            "srv/Cargo.lock memchr@2.5.0 indirect ",
        ],
    );
}

// The hashes are those that the reference computes for the same files.
#[test]
fn a_manifest_without_a_package_is_named_by_its_hash() {
    let root = "[workspace]\nmembers = []\n[workspace.dependencies]\n\
        regex={version='1',x=[1,2.5,true,{a='b'}]}\n[dependencies]\n\
        [target.'cfg(unix)'.dependencies]\ntempfile = '3'\n[package]\nversion = '1'\n";
    check(
        &[("Cargo.lock", LOCK), ("Cargo.toml", root)],
        &[
            "Cargo.lock 9ca539df9604ad21 root ",
            "Cargo.lock regex@1.7.3 direct memchr@2.5.0",
            "Cargo.lock tempfile@3.0.0 direct memchr@1.0.2",
            "Cargo.lock memchr@1.0.2 indirect ",
            "Cargo.lock memchr@2.5.0 indirect ",
        ],
    );
    let inventory = inventory(&[("srv2/Cargo.lock", LOCK), ("srv2/Cargo.toml", root)]);
    let root = &applications_of(&inventory)[0].packages[0];
    assert_eq!(root.identifier.uid, "4432ebb5e8b44f30");
}

#[test]
fn a_manifest_that_cannot_be_read_leaves_everything() {
    for manifest in [
        "[",
        "package = 1",
        "[package]\nname = 1",
        "[workspace]\nmembers = 'a'",
        "[target]\na.b = 1",
    ] {
        let inventory = inventory(&[("Cargo.lock", LOCK), ("Cargo.toml", manifest)]);
        assert_eq!(
            applications_of(&inventory)[0].packages.len(),
            5,
            "{manifest}"
        );
        assert_eq!(inventory.problems, [], "{manifest}");
    }
}

#[test]
fn a_lock_file_that_cannot_be_read_is_a_problem() {
    for lock in [
        "[",
        "package = 1",
        "[[package]]\nname = 1",
        "[[package]]\ndependencies = [1]",
        "\u{0}",
    ] {
        let inventory = inventory(&[("Cargo.lock", lock)]);
        assert_eq!(inventory.problems.len(), 1, "{lock}");
    }
    assert_eq!(inventory(&[("Cargo.lock", "version = 4")]).problems, []);
}

#[test]
fn cycles_end() {
    let lock = "[[package]]\nname = 'a'\nversion = '1.0.0'\ndependencies = ['b']\n\
        [[package]]\nname = 'b'\nversion = '1.0.0'\ndependencies = ['a']\n";
    check(
        &[
            ("Cargo.lock", lock),
            ("Cargo.toml", "package.name = 'x'\ndependencies.a = '1'"),
        ],
        &[
            "Cargo.lock x root ",
            "Cargo.lock a@1.0.0 direct b@1.0.0",
            "Cargo.lock b@1.0.0 indirect a@1.0.0",
        ],
    );
}

#[test]
fn a_root_in_the_lock_file_of_an_sbom_is_not_joined() {
    let sbom = r#"{"bomFormat": "CycloneDX", "components": [
        {"type": "application", "name": "srv/Cargo.lock", "bom-ref": "l", "properties": [{"name": "Type", "value": "cargo"}]},
        {"type": "library", "name": "tempfile", "purl": "pkg:cargo/tempfile@3.0.0", "bom-ref": "t"}],
        "dependencies": [{"ref": "l", "dependsOn": ["t"]}]}"#;
    let inventory = inventory(&[
        ("a.cdx.json", sbom),
        ("srv/Cargo.toml", "package.name = 'x'"),
    ]);
    assert_eq!(
        applications_of(&inventory)[0].packages[0].id,
        "tempfile@3.0.0"
    );
}

#[test]
fn a_long_chain_needs_no_stack() {
    let count = 20_000;
    let entry = |n: usize| {
        format!(
            "[[package]]\nname='p{n}'\nversion='1.0.0'\ndependencies=['p{}']\n",
            n + 1
        )
    };
    let lock: String = (0..count).map(entry).collect();
    let inventory = inventory(&[
        ("Cargo.lock", &lock),
        ("Cargo.toml", "package.name = 'x'\ndependencies.p0 = '1'"),
    ]);
    assert_eq!(applications_of(&inventory)[0].packages.len(), count + 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_files_are_accepted_or_refused(
        at in 0..LOCK.len(), byte in any::<u8>(),
        manifest in "(\\[(package|dependencies|workspace|target\\.a\\.dependencies)\\]\n|(name|version|a|members) = ('[a-z0-9.^*/]{0,6}'|\\['[a-z*/.]{0,6}'\\]|\\{version='1'\\})\n){0,8}",
    ) {
        let mut lock = LOCK.as_bytes().to_vec();
        lock[at] = byte;
        let layer = FakeLayer::new()
            .file("Cargo.lock", &lock)
            .file("a/Cargo.toml", manifest.as_bytes())
            .file("Cargo.toml", manifest.as_bytes());
        let _ = layer.inventory();
    }
}
