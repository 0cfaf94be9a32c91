//! Language packages in layers.

use super::*;

const CONTROL: &str = "Package: python3-yaml\nVersion: 5.4-1\nArchitecture: amd64\n";
const MD5SUMS: &str = "var/lib/dpkg/info/python3-yaml.md5sums";
const YAML: &str = "usr/lib/python3/dist-packages/PyYAML-5.4.egg-info";

fn node(name: &str, version: &str) -> Vec<u8> {
    format!(r#"{{"name": "{name}", "version": "{version}"}}"#).into()
}

fn python(name: &str, version: &str) -> Vec<u8> {
    format!("Name: {name}\nVersion: {version}\n").into()
}

fn composer(packages: &str) -> Vec<u8> {
    format!(r#"{{"packages": [{packages}]}}"#).into()
}

fn debian() -> FakeLayer {
    FakeLayer::new()
        .file("etc/debian_version", b"11.1\n")
        .file(STATUS, CONTROL.as_bytes())
}

/// Lists `type path: purl/layer of file`.
fn list(layers: &[FakeLayer], options: &MergeOptions) -> Vec<String> {
    let (inventory, _) = merge_all(layers, options);
    let mut listed = Vec::new();
    for application in &inventory.applications {
        for package in &application.packages {
            let layer = (0..9).find(|index| package.layer == Some(id(*index)));
            let purl = package.identifier.purl.as_ref().expect("a URL");
            listed.push(format!(
                "{} {}: {purl}/{} of {}",
                application.kind,
                application.path,
                layer.expect("a layer"),
                package.file_path
            ));
        }
    }
    listed
}

#[track_caller]
fn check(layers: &[FakeLayer], expected: &[&str]) {
    assert_eq!(list(layers, &MergeOptions::default()), expected);
}

#[test]
fn a_file_that_names_nothing_leaves_what_a_lower_layer_had_there() {
    let lower = || FakeLayer::new().file("a/package.json", &node("qs", "6"));
    let found = ["node-pkg : pkg:npm/qs@6/0 of a/package.json"];
    check(
        &[lower(), FakeLayer::new().file("a/package.json", b"{}")],
        &found,
    );
    check(&[lower(), FakeLayer::new().whiteout("a/package.json")], &[]);
    let lower = FakeLayer::new().file(
        "b/installed.json",
        &composer(r#"{"name": "d/e", "version": "1"}"#),
    );
    check(
        &[
            lower,
            FakeLayer::new().file("b/installed.json", &composer("")),
        ],
        &["composer-vendor b/installed.json: pkg:composer/d/e@1/0 of "],
    );
}

#[test]
fn applications_of_some_types_are_joined_and_sorted() {
    let layer = FakeLayer::new()
        .file("b/package.json", &node("qs", "6"))
        .file("a/package.json", &node("qs", "6"))
        .file("c/package.json", &node("@A/b", "1"))
        .file(
            "b/installed.json",
            &composer(r#"{"name": "d/e", "version": "1"}"#),
        )
        .file(
            "a/installed.json",
            &composer(r#"{"name": "d/e", "version": "1"}"#),
        );
    check(
        &[layer],
        &[
            "composer-vendor a/installed.json: pkg:composer/d/e@1/0 of ",
            "composer-vendor b/installed.json: pkg:composer/d/e@1/0 of ",
            "node-pkg : pkg:npm/%40a/b@1/0 of c/package.json",
            "node-pkg : pkg:npm/qs@6/0 of a/package.json",
            "node-pkg : pkg:npm/qs@6/0 of b/package.json",
        ],
    );
}

#[test]
fn a_package_belongs_to_the_lowest_layer_that_has_it_at_its_path() {
    let layers = [
        FakeLayer::new().file("a/package.json", &node("qs", "6")),
        FakeLayer::new().file("a/package.json", &node("qs", "7")),
        FakeLayer::new()
            .file("a/package.json", &node("qs", "6"))
            .file("b/package.json", &node("qs", "6")),
    ];
    check(
        &layers,
        &[
            "node-pkg : pkg:npm/qs@6/0 of a/package.json",
            "node-pkg : pkg:npm/qs@6/2 of b/package.json",
        ],
    );
}

#[test]
fn upper_layers_replace_and_delete() {
    let base = FakeLayer::new()
        .file("a/package.json", &node("a", "1"))
        .file("b/c/package.json", &node("c", "1"))
        .file("d/package.json", &node("d", "1"))
        .file("e/package.json", &node("e", "1"));
    let upper = FakeLayer::new()
        .whiteout("a/package.json")
        .opaque("b")
        .file("b/x", b"")
        .file("d/package.json", &node("d", "2"))
        // What makes no sense leaves what was there, as in the reference.
        .file("e/package.json", b"{");
    check(
        &[base, upper],
        &[
            "node-pkg : pkg:npm/d@2/1 of d/package.json",
            "node-pkg : pkg:npm/e@1/0 of e/package.json",
        ],
    );
}

#[test]
fn files_of_the_distribution_are_not_listed_twice() {
    let owned = format!("d41d8cd98f00b204e9800998ecf8427e  {YAML}\n");
    let mine = "opt/x.egg-info";
    let layer = debian()
        .file(MD5SUMS, owned.as_bytes())
        .file(YAML, &python("PyYAML", "5.4"))
        .file(mine, &python("x", "1"))
        .file(
            "usr/lib/python2.7/argparse.egg-info",
            &python("argparse", "1.2.1"),
        );
    let others = "python-pkg : pkg:pypi/x@1/0 of opt/x.egg-info";
    check(std::slice::from_ref(&layer), &[others]);

    let comprehensive = MergeOptions {
        is_comprehensive: true,
        ..MergeOptions::default()
    };
    assert_eq!(list(&[layer], &comprehensive).len(), 3);
}

#[test]
fn only_the_owners_of_the_same_layer_count() {
    let owned = format!("d41d8cd98f00b204e9800998ecf8427e  {YAML}\n");
    let listed = |layer| format!("python-pkg : pkg:pypi/pyyaml@5.4/{layer} of {YAML}");
    let file = FakeLayer::new().file(YAML, &python("PyYAML", "5.4"));
    let lists = debian().file(MD5SUMS, owned.as_bytes());
    check(&[file.clone(), lists.clone()], &[&listed(0)]);
    check(&[lists, file.clone()], &[&listed(1)]);
    // The list alone, without the status file that names the package.
    check(
        &[file.clone().file(MD5SUMS, owned.as_bytes())],
        &[&listed(0)],
    );
    // Of a supplier other than the distribution.
    let control = format!("{CONTROL}Maintainer: GitHub\n");
    let third_party = file
        .file(STATUS, control.as_bytes())
        .file(MD5SUMS, owned.as_bytes());
    check(&[third_party], &[&listed(0)]);
}

#[test]
fn an_application_is_owned_by_its_path_too() {
    let installed = "P:php-x\nV:1\nF:usr/share/php\nR:installed.json\n\n";
    let vendored = composer(r#"{"name": "d/e", "version": "1"}"#);
    let layer = FakeLayer::new()
        .file(APK, installed.as_bytes())
        .file("usr/share/php/installed.json", &vendored)
        .file("srv/installed.json", &vendored);
    check(
        &[layer],
        &["composer-vendor srv/installed.json: pkg:composer/d/e@1/0 of "],
    );
}

#[test]
fn the_files_of_owned_directories_are_not_owned() {
    let installed = "P:x\nV:1\nF:opt\nF:opt/a\n\n";
    let layer = FakeLayer::new()
        .file(APK, installed.as_bytes())
        .file("opt/a/package.json", &node("a", "1"));
    check(
        &[layer],
        &["node-pkg : pkg:npm/a@1/0 of opt/a/package.json"],
    );
}

#[test]
fn what_only_development_needs_is_left_out() {
    let text = br#"{"packages": [{"name": "a/b", "version": "1"}],
        "packages-dev": [{"name": "c/d", "version": "1"}]}"#;
    let only_dev = br#"{"packages-dev": [{"name": "c/d", "version": "1"}]}"#;
    let layer = FakeLayer::new()
        .file("a/installed.json", text)
        .file("b/installed.json", only_dev);
    check(
        &[layer],
        &["composer-vendor a/installed.json: pkg:composer/a/b@1/0 of "],
    );
}

#[test]
fn files_that_an_sbom_reports_are_not_read_again() {
    let sbom = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
        {"type": "library", "name": "a", "version": "1", "purl": "pkg:pypi/a@1", "properties": [
            {"name": "aquasecurity:trivy:FilePath", "value": "lib/a.dist-info/METADATA"}]}]}"#;
    let layer = FakeLayer::new()
        .file("lib/a.dist-info/METADATA", &python("a", "1"))
        .file("lib/b.dist-info/METADATA", &python("b", "1"))
        .file("opt/a.cdx.json", sbom.as_bytes());
    let (inventory, _) = merge_all(&[layer], &MergeOptions::default());
    let packages = inventory.applications[0].packages.iter();
    let found: Vec<_> = packages
        .map(|package| (&*package.file_path, &*package.analyzed_by))
        .collect();
    let expected = [
        ("lib/a.dist-info/METADATA", "sbom"),
        ("lib/b.dist-info/METADATA", "python-pkg"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn equal_packages_stay_in_the_order_of_their_applications() {
    // The tree has what lies below a directory right after it, texts have `a-b` before `a/`.
    let sbom = |bom_ref: &str, more: usize| {
        let more: String = (0..more)
            .map(|n| format!(r#", {{"type": "library", "name": "z{n}", "version": "1", "purl": "pkg:npm/z{n}@1"}}"#))
            .collect();
        format!(
            r#"{{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
                {{"bom-ref": "{bom_ref}", "type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1"}}{more}]}}"#
        )
    };
    // Few packages of one lie in a group, many have a list of their own.
    for (first, second) in [(0, 0), (0, 12), (12, 0), (12, 12)] {
        let layer = FakeLayer::new()
            .file("a-b/x.cdx.json", sbom("second", second).as_bytes())
            .file("a/x.cdx.json", sbom("first", first).as_bytes());
        let upper = FakeLayer::new().file("0/x.cdx.json", sbom("before", 0).as_bytes());
        let (inventory, _) = merge_all(&[layer, upper], &MergeOptions::default());
        let packages = inventory.applications[0].packages.iter();
        let named = packages.filter(|package| package.name == "a");
        let refs: Vec<_> = named.map(|one| one.identifier.bom_ref.as_str()).collect();
        assert_eq!(refs, ["before", "first", "second"], "{first} and {second}");
    }
}

#[test]
fn packages_that_are_hidden_take_no_room() {
    let files = (0..500).map(|n| (format!("a/{n}/package.json"), node(&format!("p{n}"), "1")));
    let lower = files.fold(FakeLayer::new(), |layer, (path, text)| {
        layer.file(&path, &text)
    });
    let upper = FakeLayer::new()
        .opaque("a")
        .file("a/0/package.json", &node("p0", "2"));
    let (inventory, _) = merge_all(&[lower, upper], &MergeOptions::default());
    let packages = &inventory.applications[0].packages;
    assert_eq!(packages.len(), 1);
    assert!(packages.capacity() < 10, "{}", packages.capacity());
}

#[test]
fn language_packages_can_be_left_out() {
    let options = MergeOptions {
        includes_applications: false,
        ..MergeOptions::default()
    };
    let layer = base().file("a/package.json", &node("a", "1"));
    assert!(list(&[layer], &options).is_empty());
}

/// A layer in which a package manager has linked files of its store into projects.
fn linked(store: &str, names: &[&str]) -> FakeLayer {
    let layer = FakeLayer::new().file(store, &node("a", "1"));
    let linked = |layer: FakeLayer, name: &&str| layer.hard_link(name, store);
    names.iter().fold(layer, linked)
}

#[test]
fn a_file_is_found_under_each_of_its_names() {
    let layer = linked("a/package.json", &["b/package.json", "c/package.json"]);
    let expected = [
        "node-pkg : pkg:npm/a@1/0 of a/package.json",
        "node-pkg : pkg:npm/a@1/0 of b/package.json",
        "node-pkg : pkg:npm/a@1/0 of c/package.json",
    ];
    check(std::slice::from_ref(&layer), &expected);

    // The other names are there still when the first is deleted.
    let upper = FakeLayer::new().whiteout("a");
    let rest = [
        "node-pkg : pkg:npm/a@1/0 of b/package.json",
        "node-pkg : pkg:npm/a@1/0 of c/package.json",
    ];
    check(&[layer, upper], &rest);
}

#[test]
fn a_file_whose_first_name_says_nothing_is_found_under_the_others() {
    let layer = linked("store/1f/2e3d", &["b/package.json", "c/package.json"]);
    let expected = [
        "node-pkg : pkg:npm/a@1/0 of b/package.json",
        "node-pkg : pkg:npm/a@1/0 of c/package.json",
    ];
    check(&[layer], &expected);

    let layer = FakeLayer::new()
        .file("store/2e3d", &node("a", "1"))
        .symlink("b/package.json", "../store/2e3d");
    check(&[layer], &["node-pkg : pkg:npm/a@1/0 of b/package.json"]);
}

#[test]
fn a_store_of_any_size_may_be_linked_into_projects() {
    let names: Vec<String> = (0..500).map(|n| format!("b/{n}/package.json")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let layer = linked("a/package.json", &names);
    let limits = Limits {
        link_components_max: 10,
        aliases_per_image_max: 0,
        ..Limits::default()
    };
    let options = MergeOptions {
        limits: Arc::new(limits),
        ..MergeOptions::default()
    };
    let (inventory, readings) = merge_all(&[layer], &options);
    let packages: usize = inventory
        .applications
        .iter()
        .map(|a| a.packages.len())
        .sum();
    assert_eq!(packages, 501);
    assert_eq!((inventory.problems, readings), (vec![], 0));
}

#[test]
fn a_file_of_a_lower_layer_may_have_another_name() {
    let lower = FakeLayer::new().file("a/package.json", &node("a", "1"));
    let upper = FakeLayer::new().hard_link("b/package.json", "a/package.json");
    let expected = [
        "node-pkg : pkg:npm/a@1/0 of a/package.json",
        "node-pkg : pkg:npm/a@1/1 of b/package.json",
    ];
    check(&[lower, upper], &expected);
}

#[test]
fn names_have_identifiers_of_their_own() {
    let layer = linked("a/package.json", &["b/package.json"]);
    let direct = FakeLayer::new()
        .file("a/package.json", &node("a", "1"))
        .file("b/package.json", &node("a", "1"));
    let uids = |layer: FakeLayer| {
        let (inventory, _) = merge_all(&[layer], &MergeOptions::default());
        let packages = inventory.applications.into_iter().flat_map(|a| a.packages);
        packages
            .map(|package| package.identifier.uid)
            .collect::<Vec<_>>()
    };
    assert_eq!(uids(layer), uids(direct));
}

#[test]
fn a_hard_link_to_nothing_is_a_problem() {
    let layer = FakeLayer::new().hard_link("b/package.json", "missing");
    let (inventory, _) = merge_all(&[layer], &MergeOptions::default());
    let kinds: Vec<_> = inventory
        .problems
        .iter()
        .map(|problem| problem.kind)
        .collect();
    assert_eq!(kinds, [ProblemKind::DanglingLink]);
    let layer = FakeLayer::new().symlink("b/package.json", "missing");
    let (inventory, _) = merge_all(&[layer], &MergeOptions::default());
    assert_eq!(inventory.problems, []);
}

#[test]
fn second_names_are_bounded_by_the_packages_behind_them() {
    let names: Vec<String> = (0..50).map(|n| format!("b/{n}/package.json")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let limits = Limits {
        packages_per_layer_max: 10,
        ..Limits::default()
    };
    let options = MergeOptions {
        limits: Arc::new(limits),
        ..MergeOptions::default()
    };
    let (inventory, _) = merge_all(&[linked("a/package.json", &names)], &options);
    let packages: usize = inventory
        .applications
        .iter()
        .map(|a| a.packages.len())
        .sum();
    assert_eq!(packages, 11);
    let told: Vec<_> = inventory
        .problems
        .iter()
        .map(|p| (p.kind, p.message.as_str()))
        .collect();
    let [(ProblemKind::LimitExceeded, message)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(message.starts_with("40 hard links"), "{message}");
}
