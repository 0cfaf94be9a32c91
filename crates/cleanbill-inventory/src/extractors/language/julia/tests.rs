use cleanbill_core::Package;
use cleanbill_core::inventory::LayerInventory;
use cleanbill_core::problem::ProblemKind;
use proptest::prelude::*;

use crate::room::Room;
use crate::testing::{FakeLayer, applications_of, little_room};

const MANIFEST: &str = "julia_version = \"1.9.0\"\nmanifest_format = \"2.0\"\n\n\
    [[deps.A]]\ndeps = [\"B\"]\nuuid = \"a-1\"\nversion = \"1.2.3\"\n\n\
    [[deps.B]]\nuuid = \"b-1\"\n\n    [deps.B.weakdeps]\n    X = \"x\"\n\n\
    [[deps.C]]\nuuid = \"c-1\"\nversion = \"3.0.0\"\n\n    [deps.C.deps]\n    B = \"b-1\"\n    D = \"d-1\"\n\n\
    [[deps.D]]\nuuid = \"d-1\"\nversion = \"4.0.0\"\n";

fn inventory(files: &[(&str, &str)]) -> LayerInventory {
    let layer = files
        .iter()
        .fold(FakeLayer::new(), |layer, (path, content)| {
            layer.file(path, content.as_bytes())
        });
    layer.inventory()
}

/// Lists packages as `<name> <version> <id> <relationship> <dev> <what it needs> <lines>`.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let inventory = inventory(files);
    assert_eq!(inventory.problems, []);
    let line = |package: &Package| {
        let lines: Vec<_> = package
            .locations
            .iter()
            .map(|l| format!("{}-{}", l.start_line, l.end_line))
            .collect();
        format!(
            "{} {} {} {} {} {} {}",
            package.name,
            package.version,
            package.id,
            package.relationship.name(),
            package.dev,
            package.depends_on.join(","),
            lines.join(",")
        )
    };
    let applications = inventory.applications.iter();
    let lines: Vec<_> = applications
        .flat_map(|a| a.packages.iter().map(line))
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn one_long_id_is_not_written_out_for_all_that_need_it() {
    let mut manifest = format!(
        "manifest_format = '2.0'\n[[deps.Long]]\nuuid = '{}'\n",
        "u".repeat(4_096)
    );
    for n in 0..100 {
        manifest.push_str(&format!("[[deps.P{n}]]\nuuid = '{n}'\ndeps = ['Long']\n"));
    }
    let mut room = Room::new(&little_room());
    let packages = super::manifest::parse(manifest.as_bytes(), &mut room).unwrap();
    assert_eq!(packages.len(), 101);
    let needed: usize = packages
        .iter()
        .map(|package| package.depends_on.len())
        .sum();
    assert!((1..50).contains(&needed), "{needed}");
    assert!(room.exceeded().is_some());
}

#[test]
fn the_project_tells_what_counts() {
    let project = "name = \"P\"\n[deps]\nA = \"a-1\"\n[extras]\nC = \"c-1\"\nNone = \"n\"\n";
    check(
        &[
            ("srv/Manifest.toml", MANIFEST),
            ("srv/Project.toml", project),
        ],
        &[
            "A 1.2.3 a-1 direct false b-1 4-7",
            "C 3.0.0 c-1 direct true b-1,d-1 15-17",
            "B 1.9.0 b-1 indirect false  9-10",
            "B 1.9.0 b-1 indirect true  9-10",
            "D 4.0.0 d-1 indirect true  23-25",
        ],
    );
}

#[test]
fn older_manifests_do_not_state_the_version_of_julia() {
    let manifest =
        "[[A]]\ndeps = [\"B\"]\nuuid = \"a-1\"\nversion = \"1.2.3\"\n\n[[B]]\nuuid = \"b-1\"\n";
    check(
        &[
            ("Manifest.toml", manifest),
            ("Project.toml", "deps.A = 'a-1'"),
        ],
        &[
            "A 1.2.3 a-1 direct false b-1 1-4",
            "B unknown b-1 indirect false  6-7",
        ],
    );
}

#[test]
fn a_project_that_cannot_be_read_leaves_everything() {
    for project in ["[", "deps = 1", "deps.A = 1"] {
        let inventory = inventory(&[("Manifest.toml", MANIFEST), ("Project.toml", project)]);
        assert_eq!(
            applications_of(&inventory)[0].packages.len(),
            4,
            "{project}"
        );
        assert_eq!(inventory.problems, []);
    }
}

#[test]
fn without_a_project_nothing_is_listed_and_that_is_told() {
    let inventory = inventory(&[("Manifest.toml", MANIFEST), ("a/Project.toml", "")]);
    assert!(inventory.applications.iter().all(|a| a.packages.is_empty()));
    assert_eq!(inventory.problems[0].kind, ProblemKind::UnreadableFile);
    assert_eq!(inventory.problems[0].path, "Manifest.toml");
}

#[test]
fn manifests_that_contradict_themselves_are_a_problem() {
    for manifest in [
        "[[A]]\nuuid = 'a'\ndeps = ['B']",
        "[[A]]\nuuid = 'a'\n[[A]]\nuuid = 'b'\n[[B]]\nuuid = 'c'\ndeps = ['A']",
        "[[A]]\nuuid = 'a'\ndeps = 1",
        "manifest_format = '2.0'\n[deps.A]\nuuid = 'a'",
        "manifest_format = 2\n[[deps.A]]\nuuid = 'a'",
        "uuid = [",
    ] {
        let inventory = inventory(&[("Manifest.toml", manifest), ("Project.toml", "")]);
        assert_eq!(inventory.problems.len(), 1, "{manifest}");
    }
}

#[test]
fn files_of_other_tools_with_that_name_are_no_problem() {
    for manifest in [
        "name = 'a'",
        "[tool]\nx = 1",
        "[[tool]]\ndeps = 1",
        "not toml",
        "\u{0}",
    ] {
        let inventory = inventory(&[("Manifest.toml", manifest)]);
        assert_eq!(inventory.problems, [], "{manifest}");
        assert_eq!(applications_of(&inventory), [], "{manifest}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_files_are_accepted_or_refused(at in 0..MANIFEST.len(), byte in any::<u8>(), project in "(\\[(deps|extras)\\]\n|[a-c] = '?[a-d]-1'?\n){0,6}") {
        let mut manifest = MANIFEST.as_bytes().to_vec();
        manifest[at] = byte;
        let layer = FakeLayer::new()
            .file("Manifest.toml", &manifest)
            .file("Project.toml", project.as_bytes());
        let _ = layer.inventory();
    }
}
