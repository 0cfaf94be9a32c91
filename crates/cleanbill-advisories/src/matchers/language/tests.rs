use cleanbill_core::digest::{DiffId, Digest};
use cleanbill_core::package::{LayerId, PackageIdentifier};
use cleanbill_core::vulnerability::DataSource;
use cleanbill_testkit::AdvisoryDatabaseBuilder;

use super::*;
use crate::matchers::testing::{Fake, ranged};
use crate::{Advisory, Database};

fn package(name: &str, version: &str) -> Package {
    Package {
        name: name.to_owned(),
        version: version.to_owned(),
        ..Package::default()
    }
}

fn layer() -> LayerId {
    LayerId {
        digest: None,
        diff_id: DiffId(Digest::of(b"layer")),
    }
}

/// A database with one advisory, `CVE-1`.
fn stating(bucket: &str, name: &str, advisory: Advisory) -> Fake {
    let mut database = Fake::default();
    add(&mut database, bucket, name, "CVE-1", advisory);
    database
}

fn add(database: &mut Fake, bucket: &str, name: &str, id: &str, advisory: Advisory) {
    let packages = database.buckets.entry(bucket.to_owned()).or_default();
    let rows = packages.entry(name.to_owned()).or_default();
    rows.insert(id.to_owned(), advisory);
}

#[track_caller]
fn run(database: &Fake, kind: &str, name: &str, version: &str) -> LanguageMatch {
    match_language_packages(database, kind, &[package(name, version)]).unwrap()
}

/// Checks the fixed versions of the findings.
#[track_caller]
fn check(database: &Fake, kind: &str, name: &str, version: &str, expected: &[&str]) {
    let matched = run(database, kind, name, version);
    let findings = matched.findings.iter();
    let fixed: Vec<&str> = findings.map(|finding| &*finding.fixed_version).collect();
    assert_eq!(fixed, expected, "{kind} {name} {version}");
}

/// The cases of spec 04 section 2.6.
#[test]
fn worked_cases() {
    let symfony =
        |ranges, patched| stating("composer::php", "symfony/symfony", ranged(ranges, patched));
    let kind = "composer-vendor";
    let database = symfony(&[">= 4.2.0, < 4.2.7"], &["4.2.7"]);
    check(&database, kind, "symfony/symfony", "4.2.6", &["4.2.7"]);
    let database = symfony(&[">= 4.4.0, < 4.4.7"], &[]);
    check(&database, kind, "symfony/symfony", "4.4.6", &["4.4.7"]);

    let unaffected = Advisory {
        unaffected_versions: vec!["< 4.1.0".to_owned()],
        ..ranged(&[], &[">= 4.2.2", "~> 4.1.11"])
    };
    let database = stating("rubygems::ruby", "activesupport", unaffected);
    let fixed = &[">= 4.2.2, ~> 4.1.11"];
    check(&database, "gemspec", "activesupport", "4.1.1", fixed);
    check(&database, "gemspec", "activesupport", "4.0.9", &[]);

    let database = stating(
        "pip::ghsa",
        "django",
        ranged(&["< 4.2.3"], &["4.2.3", "4.2.3"]),
    );
    check(&database, "python-pkg", "Django", "4.2.1", &["4.2.3"]);

    let name = "github.com/Masterminds/vcs";
    let database = stating("go::ghsa", name, ranged(&["<v1.13.2"], &[]));
    check(&database, "gobinary", name, "v1.13.1", &["v1.13.2"]);
    check(&database, "gobinary", name, "v1.13.1-sp1", &["v1.13.2"]);
    check(&database, "gobinary", &name.to_lowercase(), "v1.13.1", &[]);

    let sealed = ranged(&[">= 4.2.8+sp1, < 4.2.8+sp999"], &[]);
    let database = stating("seal pip::seal", "django", sealed);
    check(
        &database,
        "python-pkg",
        "django",
        "4.2.8+sp1",
        &["4.2.8+sp999"],
    );

    let everything = ranged(&["*"], &[]);
    check(
        &stating("cargo::ghsa", "a", everything.clone()),
        "cargo",
        "a",
        "1.0",
        &[],
    );
    check(
        &stating("npm::ghsa", "a", everything.clone()),
        "npm",
        "a",
        "1.0.0",
        &[""],
    );
    check(
        &stating("pip::ghsa", "a", everything),
        "pip",
        "a",
        "1.0",
        &[""],
    );

    for bucket in ["cargo::ghsa", "npm::ghsa", "maven::ghsa"] {
        let kind = bucket.trim_end_matches("::ghsa").replace("maven", "jar");
        let unfixed = ranged(&["<=99.999.99999"], &[""]);
        check(&stating(bucket, "a", unfixed), &kind, "a", "1.0.0", &[""]);
        let unfixed = ranged(&[""], &[""]);
        check(
            &stating(bucket, "a", unfixed),
            &kind,
            "a",
            "not a version",
            &[""],
        );
    }

    let secure_wins = ranged(&["<=1.2.2"], &[">=1.2.2"]);
    check(
        &stating("cargo::ghsa", "a", secure_wins),
        "cargo",
        "a",
        "1.2.2",
        &[],
    );

    let npm = |ranges, patched| stating("npm::ghsa", "a", ranged(ranges, patched));
    let database = npm(&["<2.0.18", "<3.0.16"], &["^2.0.18", "^3.0.16"]);
    check(&database, "node-pkg", "a", "2.0.18", &[]);
    let database = npm(&[">=1.4.4-lts.1, <2.0.0"], &["2.0.0"]);
    check(&database, "node-pkg", "a", "1.45.1-lts.1", &["2.0.0"]);

    let database = stating("maven::ghsa", "g:a", ranged(&["(,1.2.3]"], &["1.2.4"]));
    check(&database, "jar", "G:A", "1.2.3", &["1.2.4"]);
}

#[test]
fn names_are_looked_up_as_the_ecosystem_writes_them() {
    for (kind, bucket, installed, looked_up) in [
        ("python-pkg", "pip::x", "Ruamel_Yaml.Lib", "ruamel-yaml.lib"),
        ("node-pkg", "npm::x", "@Scope/A_b", "@scope/a_b"),
        (
            "dotnet-core",
            "nuget::x",
            "Newtonsoft.Json",
            "newtonsoft.json",
        ),
        ("rustbinary", "cargo::x", "Abc", "abc"),
        ("julia", "julia::x", "HTTP", "HTTP"),
        ("cocoapods", "cocoapods::x", "AFNetworking", "AFNetworking"),
        (
            "swift",
            "swift::x",
            "https://github.com/A/b.git",
            "github.com/A/b",
        ),
        ("hex", "erlang::x", "Phoenix", "phoenix"),
        ("kubernetes", "k8s::x", "k8s.io/API", "k8s.io/api"),
    ] {
        let database = stating(bucket, looked_up, ranged(&["<2"], &[]));
        check(&database, kind, installed, "1.0.0", &["2"]);
    }
}

/// One malformed piece poisons everything; the order of the checks does not matter.
#[test]
fn what_cannot_be_read_affects_nothing() {
    for (ranges, patched) in [
        (&["<2", "latest"][..], &[][..]),
        (&["<2"][..], &["2.x"][..]),
        (&[][..], &[][..]),
    ] {
        let database = stating("go::x", "a", ranged(ranges, patched));
        let matched = run(&database, "gobinary", "a", "v1.0.0");
        assert_eq!(matched.findings, []);
        assert_eq!(matched.problems, []);
    }
}

#[test]
fn what_is_not_judged_is_told() {
    let database = stating("npm::x", "a", ranged(&["<2"], &[]));
    let problem = |matched: LanguageMatch| {
        assert_eq!(matched.findings, []);
        let [problem] = &matched.problems[..] else {
            panic!("{:?}", matched.problems);
        };
        assert_eq!(problem.kind, ProblemKind::UnjudgedPackages);
        assert!(!problem.kind.is_gap());
        problem.message.clone()
    };
    let message = problem(run(&database, "node-pkg", "A", "v1.0.0"));
    assert!(
        message.ends_with("their versions cannot be compared: A v1.0.0"),
        "{message}"
    );
    let message = problem(run(&database, "conda-pkg", "a", "1"));
    assert!(message.contains("conda-pkg"), "{message}");
    // Nothing would have been compared.
    let unknown = run(&database, "node-pkg", "b", "v1.0.0");
    assert_eq!((unknown.is_supported, unknown.problems.len()), (true, 0));
    let message = problem(run(&database, "node-pkg", "a", ""));
    assert!(message.ends_with("they have no version: a"), "{message}");
    let unknown = run(&database, "node-pkg", "b", "");
    assert_eq!(unknown.problems, []);
    assert!(
        database
            .asked
            .borrow()
            .iter()
            .all(|asked| asked.ends_with(['a', 'b']))
    );
}

#[test]
fn seal_is_asked_about_its_own_packages() {
    for (kind, ecosystem, name, version, bucket) in [
        ("jar", "maven::", "seal.sp1.org.a:b", "1", "seal maven::"),
        ("jar", "maven::", "seal.space:b", "1", "maven::"),
        ("jar", "maven::", "a:b", "1+sp1", "seal maven::"),
        ("jar", "maven::", "a:b", "1+sp1p22", "seal maven::"),
        ("jar", "maven::", "a:b", "1+sp", "maven::"),
        ("jar", "maven::", "a:b", "1+sp1p", "maven::"),
        ("jar", "maven::", "a:b", "1-sp1", "maven::"),
        ("python-pkg", "pip::", "Seal_Django", "1", "seal pip::"),
        ("python-pkg", "pip::", "django", "4.2.8+sp1", "seal pip::"),
        (
            "node-pkg",
            "npm::",
            "@seal-security/ejs",
            "1.0.0",
            "seal npm::",
        ),
        (
            "gobinary",
            "go::",
            "sealsecurity.io/a",
            "v1.0.0",
            "seal go::",
        ),
        ("gemspec", "rubygems::", "seal-rack", "1", "seal rubygems::"),
        ("rustbinary", "cargo::", "seal-a", "1.0.0", "cargo::"),
    ] {
        let database = Fake::default();
        run(&database, kind, name, version);
        let mut database = Fake::default();
        let looked_up = name.to_lowercase().replace('_', "-");
        add(
            &mut database,
            &format!("{bucket}x"),
            &looked_up,
            "CVE-1",
            ranged(&[""], &[]),
        );
        let other = match bucket == ecosystem {
            true => format!("seal {ecosystem}"),
            false => ecosystem.to_owned(),
        };
        add(
            &mut database,
            &format!("{other}x"),
            &looked_up,
            "CVE-2",
            ranged(&[""], &[]),
        );
        let found = run(&database, kind, name, version).findings;
        let ids: Vec<&str> = found
            .iter()
            .map(|finding| &*finding.vulnerability_id)
            .collect();
        assert_eq!(ids, ["CVE-1"], "{kind} {name} {version}");
    }
}

/// A version that only may be the supplier's is, if he has advisories for it.
#[test]
fn a_possible_mark_counts_if_the_supplier_knows_the_package() {
    for (kind, ecosystem, version) in [
        ("node-pkg", "npm::", "3.1.8-sp1"),
        ("gobinary", "go::", "v1.1.1-sp1p2"),
        ("gobinary", "go::", "v2.0.0-sp1+incompatible"),
        ("gemspec", "rubygems::", "2.0.7.0.1.sp1"),
    ] {
        let mut database = stating(&format!("{ecosystem}x"), "a", ranged(&[""], &[]));
        let ids = |database: &Fake| {
            let found = run(database, kind, "a", version).findings;
            let ids = found.into_iter().map(|finding| finding.vulnerability_id);
            ids.collect::<Vec<_>>()
        };
        assert_eq!(ids(&database), ["CVE-1"], "{version}");
        add(
            &mut database,
            &format!("seal {ecosystem}x"),
            "a",
            "CVE-2",
            ranged(&[""], &[]),
        );
        assert_eq!(ids(&database), ["CVE-2"], "{version}");
    }
}

#[test]
fn a_finding_names_package_and_advisory() {
    let advisory = Advisory {
        vendor_ids: vec!["GHSA-1".to_owned()],
        ..ranged(&[">=1.0.0, <1.5.0", "<0.5.0, >0.1.0"], &[])
    };
    let mut database = stating("npm::ghsa", "a", advisory);
    let source = DataSource {
        id: "ghsa".to_owned(),
        ..DataSource::default()
    };
    database
        .sources
        .insert("npm::ghsa".to_owned(), source.clone());
    let installed = Package {
        id: "A@1.0.0".to_owned(),
        file_path: "a/package.json".to_owned(),
        identifier: PackageIdentifier {
            uid: "1".to_owned(),
            ..PackageIdentifier::default()
        },
        layer: Some(layer()),
        ..package("A", "1.0.0")
    };
    let matched = match_language_packages(&database, "node-pkg", &[installed]).unwrap();
    let expected = Finding {
        vulnerability_id: "CVE-1".to_owned(),
        vendor_ids: vec!["GHSA-1".to_owned()],
        package_id: "A@1.0.0".to_owned(),
        package_name: "A".to_owned(),
        package_path: "a/package.json".to_owned(),
        package_identifier: PackageIdentifier {
            uid: "1".to_owned(),
            ..PackageIdentifier::default()
        },
        installed_version: "1.0.0".to_owned(),
        fixed_version: "1.5.0, 0.5.0".to_owned(),
        layer: Some(layer()),
        data_source: Some(source),
        evidence: Evidence {
            bucket: "npm::ghsa".to_owned(),
            looked_up_name: "a".to_owned(),
            compared_version: "1.0.0".to_owned(),
            scheme: "npm",
            constraint: ">=1.0.0, <1.5.0 || <0.5.0, >0.1.0".to_owned(),
        },
        ..Finding::default()
    };
    assert_eq!(matched.findings, [expected]);
}

#[test]
fn evidence_says_what_is_not_affected() {
    let constraint = |advisory: Advisory| {
        let found = run(&stating("npm::x", "a", advisory), "npm", "a", "1.0.0").findings;
        found[0].evidence.constraint.clone()
    };
    assert_eq!(constraint(ranged(&["<2"], &["2"])), "<2, not (2)");
    assert_eq!(
        constraint(ranged(&[], &[">=2", ">1.0.0 <2"])),
        "not (>=2 || >1.0.0 <2)"
    );
    assert_eq!(constraint(ranged(&["", "<2"], &[])), "");
}

/// A later bucket replaces an earlier one, with its source; what was looked up is kept.
#[test]
fn rows_of_the_database_are_those_of_the_last_bucket() {
    let builder = AdvisoryDatabaseBuilder::new()
        .advisory("npm::A", "a", "CVE-1", r#"{"VulnerableVersions":["<9"]}"#)
        .advisory("npm::A", "a", "CVE-2", r#"{"VulnerableVersions":["<9"]}"#)
        .advisory("npm::B", "a", "CVE-1", r#"{"VulnerableVersions":["<1"]}"#);
    let database = Database::open_bytes(builder.database(), builder.metadata_json()).unwrap();
    let packages = [package("a", "1.0.0"), package("A", "1.0.0")];
    let first = match_language_packages(&database, "npm", &packages).unwrap();
    let found = |matched: &LanguageMatch| -> Vec<String> {
        let findings = matched.findings.iter();
        let place =
            |finding: &Finding| format!("{} {}", finding.vulnerability_id, finding.evidence.bucket);
        findings.map(place).collect()
    };
    assert_eq!(found(&first), ["CVE-2 npm::A", "CVE-2 npm::A"]);
    let again = match_language_packages(&database, "npm", &packages).unwrap();
    assert_eq!(again, first);
}
