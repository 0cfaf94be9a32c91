use cleanbill_core::distro::Family;
use cleanbill_core::inventory::{ApplicationView, LayerInventory};

use super::*;
use crate::testing::applications_of;

fn draft(limits: Limits) -> LayerDraft {
    LayerDraft::new(Arc::new(limits))
}

fn package(name: &str) -> Package {
    Package {
        name: name.to_owned(),
        ..Package::default()
    }
}

fn names(inventory: &LayerInventory) -> Vec<&str> {
    let databases = inventory.package_databases.iter();
    databases
        .flat_map(|database| {
            database
                .packages
                .iter()
                .map(|package| package.name.as_str())
        })
        .collect()
}

/// Fills every list from a file `a/sbom` and, except what only one file can give, from `b`.
fn filled() -> LayerDraft {
    let mut draft = draft(Limits::default());
    for (source, name) in [("b", "b"), ("a/sbom", "a")] {
        draft.begin(source, "x");
        draft.add_database(&format!("{source}/inner"), vec![package(name)]);
        draft.add_application("jar", source, vec![package(name)]);
        let distro = Distro {
            family: Family::new(name),
            ..Distro::default()
        };
        draft.add_distro_record(source, distro, false);
        draft.add_license_file(name, &[]);
        draft.add_content_sets(source, vec![name.to_owned()]);
        draft.add_build_label(source, name.to_owned(), String::new());
        draft.add_problem(Problem::at(ProblemKind::UnreadableFile, source, "x"));
        draft.set_repository_hint(RepositoryHint::default());
    }
    draft
}

#[test]
fn paths_and_licences_are_bounded() {
    let mut draft = draft(Limits {
        packages_size_bytes_max: 20_000,
        ..Limits::default()
    });
    let name = |n: usize| format!("{n}{}", "p".repeat(1_000));
    let begun = (0..100).filter(|n| draft.begin(&name(*n), "x")).count();
    assert!((1..20).contains(&begun), "{begun}");
    assert!(draft.begin(&name(0), "x"), "it is known");
    for n in 0..100 {
        draft.begin(&n.to_string(), "x");
        draft.add_license_file("a", &[name(n)]);
    }
    let inventory = draft.finish(LayerFrame::default());
    let [problem] = inventory.problems.as_slice() else {
        panic!("{:?}", inventory.problems);
    };
    assert!(
        problem.message.contains("paths of the files"),
        "{problem:?}"
    );
    assert!((1..20).contains(&inventory.license_files.len()));
}

#[test]
fn a_later_entry_takes_everything_that_an_earlier_one_gave() {
    for (path, is_directory) in [("a/sbom", false), ("a/sbom", true), ("a", false)] {
        let mut draft = filled();
        draft.forget(path, is_directory);
        let inventory = draft.finish(LayerFrame::default());
        assert_eq!(names(&inventory), ["b"]);
        assert_eq!(applications_of(&inventory).len(), 1);
        assert_eq!(inventory.distro_records.len(), 1);
        assert_eq!(inventory.license_files.len(), 1);
        assert_eq!(inventory.problems.len(), 1);
        assert_eq!(inventory.repository_hint, None);
        let build_info = inventory.build_info.expect("build information");
        assert_eq!(
            (build_info.content_sets, build_info.nvr.as_str()),
            (vec!["b".to_owned()], "b")
        );
    }
}

#[test]
fn a_directory_takes_nothing_of_what_lies_below_it() {
    let mut draft = filled();
    draft.forget("a", true);
    draft.forget("c", false);
    assert_eq!(names(&draft.finish(LayerFrame::default())), ["a", "b"]);
}

#[test]
fn build_information_of_two_files_is_combined() {
    let mut draft = draft(Limits::default());
    assert_eq!(
        filled()
            .finish(LayerFrame::default())
            .build_info
            .map(|info| info.nvr)
            .as_deref(),
        Some("b")
    );
    draft.begin("x", "x");
    draft.add_build_label("x", "n-1".to_owned(), "x86_64".to_owned());
    let build_info = draft
        .finish(LayerFrame::default())
        .build_info
        .expect("build information");
    assert_eq!(
        (build_info.nvr.as_str(), build_info.arch.as_str()),
        ("n-1", "x86_64")
    );
    assert!(build_info.content_sets.is_empty());
}

#[test]
fn packages_beyond_the_limit_are_left_out_and_told() {
    let mut draft = draft(Limits {
        packages_per_layer_max: 3,
        ..Limits::default()
    });
    draft.begin("x", "x");
    draft.add_database("x", vec![package("a"), package("b")]);
    draft.add_application("jar", "y", vec![package("c"), package("d")]);
    let inventory = draft.finish(LayerFrame::default());
    assert_eq!(names(&inventory), ["a", "b"]);
    assert_eq!(
        inventory
            .applications
            .iter()
            .map(|application| application.packages.len())
            .sum::<usize>(),
        1
    );
    assert_eq!(inventory.problems.len(), 1);
}

#[test]
fn records_without_a_release_come_last() {
    let mut draft = draft(Limits::default());
    for (path, family, extended) in [
        ("esm", "ubuntu", true),
        ("mark", "", false),
        ("debian", "debian", false),
    ] {
        draft.begin(path, "x");
        let distro = Distro {
            family: Family::new(family),
            extended,
            ..Distro::default()
        };
        draft.add_distro_record(path, distro, false);
    }
    let inventory = draft.finish(LayerFrame::default());
    let paths: Vec<_> = inventory
        .distro_records
        .iter()
        .map(|record| record.path.as_str())
        .collect();
    assert_eq!(paths, ["debian", "esm", "mark"]);
}

/// Lists type, path and names of packages of applications.
fn shown(inventory: &LayerInventory) -> Vec<String> {
    let shown = |one: &ApplicationView<'_>| {
        let names: Vec<_> = one.packages.iter().map(|one| one.name.as_str()).collect();
        format!("{} {}: {}", one.kind, one.path, names.join(" "))
    };
    applications_of(inventory).iter().map(shown).collect()
}

#[test]
fn applications_lie_together_by_path_and_keep_their_packages() {
    let mut draft = draft(Limits::default());
    for (path, names) in [
        ("b/b", &["y", "x"][..]),
        ("b", &["w"]),
        ("a", &[]),
        ("c", &["v"]),
        ("b-a", &["u"]),
    ] {
        draft.begin(path, "x");
        let packages = names.iter().map(|name| package(name)).collect();
        draft.add_application("node-pkg", path, packages);
        draft.add_application("gobinary", path, vec![package("go")]);
    }
    let inventory = draft.finish(LayerFrame::default());
    let [group] = inventory.applications.groups.as_slice() else {
        panic!("{:?}", inventory.applications);
    };
    let paths: Vec<_> = group.iter().map(|one| one.path).collect();
    assert_eq!(paths, ["a", "b", "b-a", "b/b", "c"]);
    let mut packages = group.packages().packages().iter();
    assert!(packages.all(|one| !one.identifier.uid.is_empty()));
    assert_eq!(inventory.applications.alone.len(), 5);
    let of_node = shown(&inventory)
        .into_iter()
        .filter(|text| text.starts_with("node"));
    assert_eq!(
        of_node.collect::<Vec<_>>(),
        [
            "node-pkg a: ",
            "node-pkg b: w",
            "node-pkg b-a: u",
            "node-pkg b/b: x y",
            "node-pkg c: v"
        ]
    );
}

#[test]
fn a_later_application_replaces_an_earlier_one_wherever_it_lies() {
    let few = || vec![package("few")];
    let many = || {
        (0..9)
            .map(|number| package(&format!("p{number}")))
            .collect()
    };
    let kinds: [&dyn Fn() -> Vec<Package>; 2] = [&few, &many];
    for (earlier, later) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let mut draft = draft(Limits::default());
        for (source, kind) in [("a", earlier), ("b", later)] {
            draft.begin(source, "x");
            draft.add_application("jar", "shared", kinds[kind]());
            draft.add_application("jar", source, vec![package("own")]);
        }
        let applied = draft.finish(LayerFrame::default());
        let names = kinds[later]().into_iter().map(|package| package.name);
        let expected = [
            "jar a: own".to_owned(),
            "jar b: own".to_owned(),
            format!("jar shared: {}", names.collect::<Vec<_>>().join(" ")),
        ];
        assert_eq!(shown(&applied), expected);
        let count: usize = applied
            .applications
            .groups
            .iter()
            .map(|one| one.packages().len())
            .sum();
        assert_eq!(count, if later == 0 { 3 } else { 2 });
    }
}

#[test]
fn what_is_forgotten_leaves_the_applications_of_others() {
    let mut draft = draft(Limits::default());
    for source in ["a", "b", "c"] {
        draft.begin(source, "x");
        draft.add_application("jar", "of a, b or c", vec![package(source)]);
        draft.add_application("jar", source, vec![package(source)]);
    }
    draft.forget("b", false);
    draft.begin("b", "x");
    draft.add_application("jar", "b", vec![package("another")]);
    draft.forget("a", false);
    let inventory = draft.finish(LayerFrame::default());
    assert_eq!(
        shown(&inventory),
        ["jar b: another", "jar c: c", "jar of a, b or c: c"]
    );
}

#[test]
fn what_a_file_gave_is_forgotten_at_all_paths_and_of_all_types() {
    let many = || (0..9).map(|number| package(&number.to_string())).collect();
    let mut draft = draft(Limits::default());
    for source in ["a", "b"] {
        draft.begin(source, "x");
        for kind in ["jar", "cargo"] {
            for path in [source, "elsewhere"] {
                draft.add_application(kind, path, vec![package(source)]);
                draft.add_application(kind, &format!("{path}/many"), many());
            }
        }
    }
    draft.forget("b", false);
    let inventory = draft.finish(LayerFrame::default());
    let kept: Vec<_> = applications_of(&inventory)
        .iter()
        .map(|one| format!("{} {}", one.kind, one.path))
        .collect();
    assert_eq!(kept, ["cargo a", "jar a", "cargo a/many", "jar a/many"]);
}
