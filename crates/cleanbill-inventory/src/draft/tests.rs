use cleanbill_core::distro::Family;
use cleanbill_core::inventory::LayerInventory;

use super::*;

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
        draft.add_license_file(LicenseFile {
            path: source.to_owned(),
            ..LicenseFile::default()
        });
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
        draft.add_license_file(LicenseFile {
            path: n.to_string(),
            licenses: vec![name(n)],
            ..LicenseFile::default()
        });
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
        assert_eq!(inventory.applications.len(), 1);
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
