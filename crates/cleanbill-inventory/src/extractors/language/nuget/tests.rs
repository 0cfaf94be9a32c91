use cleanbill_core::Package;
use proptest::prelude::*;

use super::*;
use crate::testing::FakeLayer;

const LOCK: &str = r#"{
  "version": 1,
  "dependencies": {
    "net6.0": {
      "A": {
        "type": "Transitive",
        "resolved": "1.0.0"
      },
      "Own": { "type": "Project", "dependencies": { "A": "1" } }
    },
    "net8.0": {
      "A": {
        "type": "Direct",
        "resolved": "1.0.0",
        "dependencies": { "B": "[2, )", "Gone": "1" }
      },
      "B": { "type": "Transitive", "resolved": "2.0.0" }
    }
  }
}"#;

/// Lists packages as `<id> <name> <version> <relationship> <what it needs> <lines>`.
#[track_caller]
fn check(path: &str, content: &str, expected: &[&str]) {
    let inventory = FakeLayer::new().file(path, content.as_bytes()).inventory();
    assert_eq!(inventory.problems, []);
    let line = |package: &Package| {
        let lines: Vec<_> = package
            .locations
            .iter()
            .map(|l| format!("{}-{}", l.start_line, l.end_line))
            .collect();
        format!(
            "{} {} {} {} {} {}",
            package.id,
            package.name,
            package.version,
            package.relationship.name(),
            package.depends_on.join(","),
            lines.join(",")
        )
    };
    let packages = inventory.applications.iter().flat_map(|a| a.packages);
    assert_eq!(packages.map(line).collect::<Vec<_>>(), expected);
}

#[test]
fn frameworks_of_a_lock_file_are_joined() {
    check(
        "src/packages.lock.json",
        LOCK,
        &[
            "A@1.0.0 A 1.0.0 direct B@2.0.0,Gone 5-8,12-16",
            "B@2.0.0 B 2.0.0 indirect  17-17",
        ],
    );
}

#[test]
fn the_older_configuration_has_no_ids() {
    check(
        "packages.config",
        r#"<?xml version="1.0" encoding="utf-8"?>
        <packages xmlns="x">
          <package id="A" version="1.0" targetFramework="net46" />
          <package id="Dev" version="1.0" developmentDependency="true" />
          <package id="Kept" version="1.0" developmentDependency=" false " />
          <package version="1.0" /><other><package id="Inner" version="1" /></other>
          <package id="A" version="1.0"></package>
        </packages>"#,
        &[" A 1.0   ", " Kept 1.0   "],
    );
}

#[test]
fn central_versions_are_read() {
    check(
        "src/directory.PACKAGES.props",
        r#"<Project><ItemGroup Condition="x">
            <PackageVersion Include=" A " Version="1.0" />
            <PackageReference Update="B" Version="2.0" />
            <PackageReference Include="C" Update="D" Version="3.0" />
            <PackageVersion Include="V" Version="$(V)" /><PackageVersion Include="$(V)" Version="1" />
            <PackageVersion Include="N" ><Version>1</Version></PackageVersion>
            <Choose><PackageVersion Include="Inner" Version="1" /></Choose>
          </ItemGroup>
          <PropertyGroup><PackageVersion Include="P" Version="1" /></PropertyGroup>
          <ItemGroup><PackageVersion Include="A" Version="1.0" /></ItemGroup></Project>"#,
        &["A@1.0 A 1.0   ", "B@2.0 B 2.0   ", "C@3.0 C 3.0   "],
    );
}

#[test]
fn files_that_make_no_sense_are_a_problem() {
    for (path, content) in [
        ("packages.lock.json", ""),
        ("packages.lock.json", "{\"dependencies\": []}"),
        (
            "packages.lock.json",
            "{\"dependencies\": {\"a\": {\"b\": null}}}",
        ),
        ("packages.config", "<project/>"),
        (
            "packages.config",
            "<packages><package id='a' developmentDependency='no'/></packages>",
        ),
        ("packages.config", "<packages>"),
        ("a.packages.props", "<project/>"),
        ("a.packages.props", "<Project>&x;</Project>"),
    ] {
        let inventory = FakeLayer::new().file(path, content.as_bytes()).inventory();
        assert_eq!(inventory.problems.len(), 1, "{path} {content}");
    }
    check("packages.lock.json", "{}", &[]);
}

#[test]
fn files_are_wanted_by_their_names() {
    for (path, expected) in [
        ("a/Directory.Packages.props", true),
        ("packages.props", true),
        ("Mypackages.props", true),
        ("packages.props.x", false),
        ("é.props", false),
    ] {
        assert_eq!(PackagesProps.wants(path, 1), expected, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_files_are_accepted_or_refused(at in 0..LOCK.len(), byte in any::<u8>(), cut in 0..LOCK.len()) {
        let mut lock = LOCK.as_bytes().to_vec();
        lock[at] = byte;
        let _ = FakeLayer::new().file("packages.lock.json", &lock).inventory();
        let _ = FakeLayer::new().file("packages.lock.json", &lock[..cut]).inventory();
    }
}
