use proptest::prelude::*;

use super::*;
use crate::testing::{FakeLayer, applications_of};

const DEPS: &str = r#"{
  "runtimeTarget": { "name": ".NETCoreApp,Version=v8.0", "signature": "" },
  "targets": {
    ".NETCoreApp,Version=v8.0": {
      "App/1.0.0": { "dependencies": { "Lib": "1.0.0", "A": "2.0", "runtimepack.R": "8.0" }, "runtime": {} },
      "Lib/1.0.0": { "dependencies": { "B": "3.0" }, "runtime": {} },
      "A/2.0": { "dependencies": { "B": "3.0", "C": "4.0" }, "native": {} },
      "B/3.0": { "runtimeTargets": {} },
      "C/4.0": { "dependencies": {}, "runtime": null },
      "runtimepack.R/8.0": { "runtime": {} }
    }
  },
  "libraries": {
    "App/1.0.0": {
      "type": "project"
    },
    "Lib/1.0.0": { "type": "Project" },
    "A/2.0": { "type": "package" },
    "B/3.0": {
      "type": "package",
      "serviceable": true
    },
    "C/4.0": { "type": "package" },
    "runtimepack.R/8.0": { "type": "runtimepack" },
    "Elsewhere/1.0": { "type": "package" },
    "Reference/1.0": { "type": "referenceassembly" },
    "NoVersion": { "type": "package" }
  }
}"#;

/// Lists packages as `<id> <relationship> <what it needs> <lines>`.
#[track_caller]
fn check(content: &str, expected: &[&str]) {
    let layer = FakeLayer::new().file("app/App.deps.json", content.as_bytes());
    let inventory = layer.inventory();
    assert_eq!(inventory.problems, []);
    let line = |package: &Package| {
        let [location] = package.locations.as_slice() else {
            panic!("{package:?}");
        };
        format!(
            "{} {} {} {}-{}",
            package.id,
            package.relationship.name(),
            package.depends_on.join(","),
            location.start_line,
            location.end_line,
        )
    };
    let packages = inventory.applications.iter().flat_map(|a| a.packages);
    assert_eq!(packages.map(line).collect::<Vec<_>>(), expected);
}

#[test]
fn libraries_that_run_are_listed_with_their_graph() {
    check(
        DEPS,
        &[
            "App/1.0.0 root A/2.0,Lib/1.0.0,R/8.0 14-16",
            "Lib/1.0.0 workspace B/3.0 17-17",
            "A/2.0 direct B/3.0 18-18",
            "R/8.0 direct  24-24",
            "B/3.0 indirect  19-22",
            "Elsewhere/1.0 indirect  25-25",
        ],
    );
}

#[test]
fn without_the_target_everything_is_listed_and_no_graph() {
    let deps = DEPS.replace("\"name\": \".NETCoreApp", "\"name\": \"Other");
    check(
        &deps.replace("\"Project\"", "\"package\""),
        &[
            "App/1.0.0 root  14-16",
            "A/2.0   18-18",
            "B/3.0   19-22",
            "C/4.0   23-23",
            "Elsewhere/1.0   25-25",
            "Lib/1.0.0   17-17",
            "R/8.0   24-24",
        ],
    );
}

#[test]
fn only_the_first_library_of_a_line_has_one() {
    let libraries = r#"{"libraries": {"A/1": {"type": "package"}, "B/1": {"type": "package"}}}"#;
    check(libraries, &["A/1   1-1", "B/1   0-0"]);
}

#[test]
fn of_two_libraries_of_one_name_the_one_that_sorts_last_counts() {
    let libraries = r#"{"libraries": {
        "runtimepack.R/1": {"type": "runtimepack"},
        "R/1": {"type": "package"},
        "z/1": {"type": "package"},
        "runtimepack.z/1": {"type": "runtimepack"},
        "z/2": {"type": "package"}
    }}"#;
    check(libraries, &["R/1   2-2", "z/1   4-4", "z/2   6-6"]);
    let targets = r#", "runtimeTarget": {"name": "x"}, "targets": {"x": {
        "runtimepack.R/1": {}, "R/1": {"runtime": {}},
        "z/1": {"runtime": {}}, "runtimepack.z/1": {}
    }}}"#;
    let libraries = libraries.trim_end_matches('}').to_owned();
    check(
        &format!("{libraries}}}{targets}"),
        &["z/1   4-4", "z/2   6-6"],
    );
}

#[test]
fn two_projects_on_top_are_no_root() {
    let deps = DEPS.replace("\"Lib\": \"1.0.0\", ", "");
    let layer = FakeLayer::new().file("App.deps.json", deps.as_bytes());
    let inventory = layer.inventory();
    let packages = &applications_of(&inventory)[0].packages;
    assert!(
        packages
            .iter()
            .all(|package| package.relationship.name().is_empty())
    );
    assert!(packages.iter().all(|package| !package.indirect));
}

#[test]
fn files_that_make_no_sense_are_a_problem() {
    for content in [
        "",
        "{} {}",
        "{\"libraries\": {\"a/1\": null}}",
        "{\"targets\": {\"a\": []}}",
        "{\"libraries\": 1}",
    ] {
        let layer = FakeLayer::new().file("a.deps.json", content.as_bytes());
        assert_eq!(layer.inventory().problems.len(), 1, "{content}");
    }
    check("{}", &[]);
    check("{\"Libraries\": {\"a/1\": {\"type\": \"package\"}}}", &[]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_files_are_accepted_or_refused(at in 0..DEPS.len(), byte in any::<u8>(), cut in 0..DEPS.len()) {
        let mut deps = DEPS.as_bytes().to_vec();
        deps[at] = byte;
        let _ = FakeLayer::new().file("a.deps.json", &deps).inventory();
        let _ = FakeLayer::new().file("a.deps.json", &deps[..cut]).inventory();
    }
}
