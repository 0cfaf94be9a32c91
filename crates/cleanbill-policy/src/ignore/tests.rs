use cleanbill_core::package::PackageIdentifier;
use cleanbill_core::report::ImageReport;
use cleanbill_core::severity::FixStatus;
use cleanbill_core::vulnerability::Finding;
use jiff::Timestamp;

use super::IgnoreFileKind::{Grype, Osv, Plain, Yaml};
use super::active::ActiveRules;
use super::rule::Candidate;
use super::*;

fn at(date: &str) -> SystemTime {
    SystemTime::from(time::parse_date(date).unwrap())
}

fn finding(id: &str, path: &str, purl: &str) -> Finding {
    let mut finding = Finding {
        vulnerability_id: id.to_owned(),
        package_path: path.to_owned(),
        ..Finding::default()
    };
    finding.package_identifier.purl = (!purl.is_empty()).then(|| purl.parse().unwrap());
    finding
}

fn rules(kind: IgnoreFileKind, text: &str) -> IgnoreRules {
    IgnoreRules::parse(kind, text, "f").unwrap()
}

/// Returns the statement of the rule that covers a finding on 1 January 2026.
fn cover(rules: IgnoreRules, candidate: &Candidate<'_>) -> Option<String> {
    let files = [rules];
    let active = ActiveRules::of(&files, &ImageReport::default(), at("2026-01-01"));
    let cover = active.find(candidate);
    cover.map(|cover| cover.statement.to_owned())
}

fn covers(yaml: &str, target: &str, finding: &Finding) -> Option<String> {
    let candidate = Candidate {
        target,
        finding,
        source_name: "",
    };
    cover(rules(Yaml, yaml), &candidate)
}

/// Lists what becomes of the rules of a file that nothing matches: line, title, and why a rule is
/// not understood.
#[track_caller]
fn check_entries(kind: IgnoreFileKind, text: &str, expected: &[(u64, &str, &str)]) {
    let files = [rules(kind, text)];
    let reports = report(&files, &IgnoreUsage::default(), at("2026-01-01"));
    let actual: Vec<(u64, &str, &str)> = reports
        .iter()
        .map(|report| {
            let outcome = match &report.outcome {
                ExceptionOutcome::NotUnderstood(reason) => reason.as_str(),
                ExceptionOutcome::Expired => "expired",
                _ => "",
            };
            (report.line, report.rule.as_str(), outcome)
        })
        .collect();
    assert_eq!(actual, expected);
}

#[test]
fn the_plain_form_has_one_id_a_line() {
    check_entries(
        Plain,
        "# why\n\n  CVE-1  \r\nCVE-2 exp:2025-01-01 key:value\nCVE-3 exp:soon\nCVE-4 note\n",
        &[
            (3, "CVE-1", ""),
            (4, "CVE-2", "expired"),
            (5, "CVE-3", "'soon' is no date (expected exp:YYYY-MM-DD)"),
            (6, "CVE-4", ""),
        ],
    );
}

#[test]
fn a_rule_expires_at_midnight_when_its_day_begins() {
    let files = [rules(Plain, "CVE-1 exp:2026-01-02")];
    let covered = |now| {
        let finding = finding("CVE-1", "", "");
        let candidate = Candidate {
            target: "",
            finding: &finding,
            source_name: "",
        };
        ActiveRules::of(&files, &ImageReport::default(), now)
            .find(&candidate)
            .is_some()
    };
    assert!(covered(at("2026-01-01")));
    assert!(covered(at("2026-01-02")));
    assert!(!covered(
        at("2026-01-02") + std::time::Duration::from_nanos(1)
    ));
}

#[test]
fn ids_are_compared_exactly() {
    let yaml = "vulnerabilities: [{id: CVE-1, statement: s}]";
    assert_eq!(
        covers(yaml, "t", &finding("CVE-1", "", "")),
        Some("s".to_owned())
    );
    assert_eq!(covers(yaml, "t", &finding("cve-1", "", "")), None);
    assert_eq!(
        covers(
            "vulnerabilities: [{statement: s}]",
            "t",
            &finding("CVE-1", "", "")
        ),
        None,
        "a rule without an id covers nothing"
    );
}

#[test]
fn paths_match_target_or_package_file() {
    let yaml = "vulnerabilities: [{id: CVE-1, paths: ['**/*-lock.json', 'a/b']}]";
    assert!(covers(yaml, "app/package-lock.json", &finding("CVE-1", "", "")).is_some());
    assert!(covers(yaml, "Python", &finding("CVE-1", "a/b", "")).is_some());
    assert!(
        covers(
            yaml,
            "alpine:3.10 (alpine 3.10.2)",
            &finding("CVE-1", "", "")
        )
        .is_none()
    );
}

#[test]
fn a_rule_for_the_target_comes_before_one_for_the_file() {
    let yaml = "vulnerabilities:\n- {id: CVE-1, paths: [file], statement: file}\n\
                - {id: CVE-1, paths: [target], statement: target}";
    let statement = covers(yaml, "target", &finding("CVE-1", "file", ""));
    assert_eq!(statement, Some("target".to_owned()));
}

#[test]
fn package_urls_name_packages() {
    let yaml =
        "vulnerabilities: [{id: CVE-1, purls: ['pkg:pypi/Foo_Bar@1', 'pkg:apk/a/b?arch=x']}]";
    let covered = |purl| covers(yaml, "t", &finding("CVE-1", "", purl)).is_some();
    assert!(covered("pkg:pypi/foo-bar@1"));
    assert!(!covered("pkg:pypi/foo-bar@2"));
    assert!(covered("pkg:apk/a/b@7?arch=x&distro=1"));
    assert!(!covered("pkg:apk/a/b@7?arch=y"));
    assert!(
        covered(""),
        "a finding without a package URL is covered by any"
    );
}

#[test]
fn yaml_values_have_several_forms() {
    let yaml = "vulnerabilities:\n- id: CVE-1\n  expired_at: 2020-01-01\n- id: CVE-2\n  \
                expired_at: '2099-01-01T00:00:00Z'\n  statement:\n  paths:\nextra: 1\n";
    assert_eq!(covers(yaml, "t", &finding("CVE-1", "", "")), None);
    assert_eq!(
        covers(yaml, "t", &finding("CVE-2", "", "")),
        Some(String::new())
    );
    check_entries(
        Yaml,
        yaml,
        &[
            (2, "CVE-1", "expired"),
            (4, "CVE-2", ""),
            (8, "extra", "the key means nothing"),
        ],
    );
    check_entries(Yaml, "", &[]);
}

#[test]
fn what_means_nothing_in_yaml_is_reported() {
    check_entries(
        Yaml,
        "misconfigurations:\n- id: AVD-1\nvulnerabilities:\n- id: CVE-1\n  expires_at: 2020-01-01\n\
         licences: []\n",
        &[
            (
                2,
                "AVD-1",
                "it is one of the misconfigurations, which are not looked for",
            ),
            (4, "CVE-1", ""),
            (
                5,
                "expires_at",
                "the key means nothing; is it 'expired_at'?",
            ),
            (6, "licences", "the key means nothing; is it 'licenses'?"),
        ],
    );
}

#[test]
fn malformed_files_say_where() {
    let error = |kind, text: &str| {
        let error = IgnoreRules::parse(kind, text, "f").unwrap_err();
        cleanbill_core::error_chain(&error)
    };
    let check = |kind, text: &str, expected: &[&str]| {
        let actual = error(kind, text);
        for part in expected {
            assert!(actual.contains(part), "'{part}' is not in: {actual}");
        }
    };
    let place = "line 2, column 3: the entry 'a'";
    check(
        Yaml,
        "vulnerabilities:\n- {id: a, paths: ['[']}",
        &[place, "has a malformed path"],
    );
    check(
        Yaml,
        "misconfigurations:\n- {id: a, purls: [x]}",
        &[place, "has a malformed package URL"],
    );
    check(
        Yaml,
        "vulnerabilities:\n- {id: a, expired_at: soon}",
        &[
            place,
            "expires at 'soon', which is no date (expected YYYY-MM-DD)",
        ],
    );
    check(
        Yaml,
        "a: 1\nvulnerabilities: [",
        &["not valid YAML", "line 2"],
    );
    check(Grype, "ignore:\n  - a: [\n", &["not valid YAML", "line"]);
    check(Osv, "a = 1\nb = [\n", &["not valid TOML", "line 2"]);
}

#[test]
fn names_tell_the_forms_apart() {
    for (name, kind) in [
        (".trivyignore", Plain),
        ("yaml", Plain),
        ("b/.trivyignore.yaml", Yaml),
        ("a.yml", Yaml),
        ("x/.grype.yaml", Grype),
        ("grype.yml", Grype),
        ("ci.grype.yaml", Grype),
        ("mygrype.yaml", Yaml),
        ("x/osv-scanner.toml", Osv),
    ] {
        assert_eq!(IgnoreFileKind::of(name, "vulnerabilities:"), kind, "{name}");
    }
}

/// A finding in a Debian package, and one in a Python package.
fn bash() -> Finding {
    Finding {
        vulnerability_id: "CVE-1".to_owned(),
        vendor_ids: vec!["DSA-1".to_owned()],
        package_name: "bash".to_owned(),
        installed_version: "5.2-1".to_owned(),
        status: FixStatus::WillNotFix,
        package_identifier: PackageIdentifier {
            purl: "pkg:deb/debian/bash@5.2-1?distro=debian-12.5".parse().ok(),
            ..PackageIdentifier::default()
        },
        ..Finding::default()
    }
}

fn flask() -> Finding {
    Finding {
        vulnerability_id: "CVE-2".to_owned(),
        vendor_ids: vec!["GHSA-2".to_owned()],
        package_name: "Flask".to_owned(),
        installed_version: "1.0".to_owned(),
        fixed_version: "1.1".to_owned(),
        status: FixStatus::Fixed,
        package_path: "app/lib/flask.dist-info/METADATA".to_owned(),
        package_identifier: PackageIdentifier {
            purl: "pkg:pypi/flask@1.0".parse().ok(),
            ..PackageIdentifier::default()
        },
        ..Finding::default()
    }
}

/// Says which of the two findings a rule covers.
#[track_caller]
fn check(kind: IgnoreFileKind, text: &str, covers_bash: bool, covers_flask: bool) {
    let covered = |finding: &Finding, source_name| {
        let candidate = Candidate {
            target: "t",
            finding,
            source_name,
        };
        cover(rules(kind, text), &candidate).is_some()
    };
    let actual = (covered(&bash(), "bash-src"), covered(&flask(), ""));
    assert_eq!(actual, (covers_bash, covers_flask), "{text}");
}

#[test]
fn conditions_of_grype_are_honoured() {
    let check = |rule: &str, bash, flask| {
        check(Grype, &format!("ignore: [{{{rule}}}]"), bash, flask);
    };
    check("vulnerability: CVE-1", true, false);
    check("vulnerability: GHSA-2", false, false);
    check("vulnerability: GHSA-2, include-aliases: true", false, true);
    check("fix-state: fixed", false, true);
    check("fix-state: wont-fix", true, false);
    check("fix-state: not-fixed", false, false);
    check("package: {name: 'ba.*'}", true, false);
    check("package: {name: 'ba'}", false, false);
    check("package: {name: 'bash|Flask'}", true, true);
    check("package: {version: '1.0'}", false, true);
    check("package: {version: 1.0}", false, true);
    check("package: {type: deb}", true, false);
    check("package: {type: python}", false, true);
    check("package: {language: python}", false, true);
    check("package: {upstream-name: bash-src}", true, false);
    check("package: {location: '/app/**'}", false, true);
    check("package: {location: '**'}", false, true);
    check("package: {type: deb, language: python}", false, false);
    check("vulnerability: CVE-1, package: {type: deb}", true, false);
    check("vulnerability: CVE-2, package: {type: deb}", false, false);
}

#[test]
fn what_grype_alone_knows_is_reported_and_covers_nothing() {
    let text = "\
only-fixed: true
only-notfixed: false
output: json
ignore:
  - vulnerability: CVE-1
    namespace: nvd:cpe
  - vex-status: not_affected
  - match-type: cpe-match
  - package: {type: hackage}
  - package: {name: '('}
  - package: {colour: blue}
  - reason: nothing else
  - fix-state: soon
  - vulnerability: [a]
fail-on-severity: high
";
    let vex = "the condition 'vex-status' is not supported; --vex applies what documents call \
               not_affected or fixed";
    check_entries(
        Grype,
        text,
        &[
            (
                1,
                "only-fixed",
                "this setting is not read; use --ignore-unfixed",
            ),
            (
                5,
                "CVE-1",
                "the condition 'namespace' is about Grype's own database",
            ),
            (7, "vex-status: not_affected", vex),
            (
                8,
                "match-type: cpe-match",
                "the condition 'match-type' is about Grype's own database",
            ),
            (
                9,
                "package: {\"type\":\"hackage\"}",
                "no package found here has the type 'hackage'",
            ),
            (
                10,
                "package: {\"name\":\"(\"}",
                "package.name '(' is no regular expression",
            ),
            (
                11,
                "package: {\"colour\":\"blue\"}",
                "the condition 'package.colour' is not known",
            ),
            (12, "", "the rule has no condition, so it covers nothing"),
            (
                13,
                "fix-state: soon",
                "fix-state 'soon' is not known (fixed, not-fixed, wont-fix, unknown)",
            ),
            (14, "vulnerability: [\"a\"]", "vulnerability is no text"),
            (
                15,
                "fail-on-severity",
                "this setting is not read; use --fail-on",
            ),
        ],
    );
    check(Grype, text, false, false);
}

#[test]
fn entries_of_osv_scanner_are_honoured() {
    let ignored = |entry: &str, bash, flask| {
        check(Osv, &format!("[[IgnoredVulns]]\n{entry}"), bash, flask);
    };
    ignored("id = 'CVE-1'", true, false);
    ignored("id = 'GHSA-2'", false, true);
    ignored("id = 'CVE-1'\nignoreUntil = 2026-01-02", true, false);
    ignored("id = 'CVE-1'\nignoreUntil = 2025-12-31", false, false);
    ignored(
        "id = 'CVE-1'\nignoreUntil = 2025-12-31T23:00:00-05:00",
        true,
        false,
    );
    ignored(
        "id = 'CVE-1'\nignoreUntil = 2025-12-31T23:00:00",
        false,
        false,
    );

    let package = |entry: &str, bash, flask| {
        let text = format!("[[PackageOverrides]]\n{entry}\nvulnerability.ignore = true");
        check(Osv, &text, bash, flask);
    };
    package("", true, true);
    package("name = 'bash'", true, false);
    package("name = 'bash-src'", true, false);
    package("name = 'ba'", false, false);
    package("name = 'F.+'\nnameIsRegex = true", false, true);
    package("version = '1.0'", false, true);
    package("ecosystem = 'PyPI'", false, true);
    package("ecosystem = 'Debian'", true, false);
    package("ecosystem = 'Debian:12'", true, false);
    package("ecosystem = 'Debian:1'", false, false);
    package("ecosystem = 'Ubuntu:12'", false, false);
    package("name = 'bash'\neffectiveUntil = 2025-01-01", false, false);
    let ignore = "[[PackageOverrides]]\nname = 'bash'\nignore = true";
    check(Osv, ignore, true, false);
}

#[test]
fn what_osv_scanner_alone_knows_is_reported_and_covers_nothing() {
    let text = "\
GoVersionOverride = '1.22'
[[IgnoredVulns]]
reason = 'no id'
[[IgnoredVulns]]
id = 'CVE-1'
colour = 'blue'
[[PackageOverrides]]
name = 'bash'
license.override = ['MIT']
[[PackageOverrides]]
name = 'bash'
ecosystem = 'Hex'
ignore = true
[[PackageOverrides]]
group = 'dev'
ignore = true
";
    check_entries(
        Osv,
        text,
        &[
            (1, "GoVersionOverride", "this setting is not read"),
            (2, "", "the entry has no id"),
            (4, "CVE-1", "'colour' is not known"),
            (7, "bash", "the override does not ignore vulnerabilities"),
            (
                10,
                "bash Hex",
                "no package found here is of the ecosystem 'Hex'",
            ),
            (14, "", "groups of dependencies are not known here"),
        ],
    );
    check(Osv, text, false, false);
    check_entries(
        Osv,
        "IgnoredVulns = 1",
        &[(1, "IgnoredVulns", "IgnoredVulns is no list of tables")],
    );
}

#[test]
fn the_first_file_that_covers_counts() {
    let files = [
        rules(Plain, "CVE-9"),
        rules(Yaml, "vulnerabilities: [{id: CVE-1, statement: second}]"),
        rules(Plain, "CVE-1"),
    ];
    let active = ActiveRules::of(
        &files,
        &ImageReport::default(),
        SystemTime::from(Timestamp::UNIX_EPOCH),
    );
    let finding = bash();
    let cover = active.find(&Candidate {
        target: "",
        finding: &finding,
        source_name: "",
    });
    let cover = cover.unwrap();
    assert_eq!((cover.place, cover.statement), ((1, 0), "second"));
}
