use super::*;

fn at(date: &str) -> SystemTime {
    let timestamp = time::parse_date(date).unwrap();
    SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(timestamp.as_second() as u64)
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

#[track_caller]
fn covers(yaml: &str, target: &str, finding: &Finding) -> Option<String> {
    let raw: RawIgnoreFile = serde_saphyr::from_str(yaml).unwrap();
    let rules = IgnoreRules::from_raw(raw, "f").unwrap();
    let active = rules.active(at("2026-01-01"));
    active
        .find(target, finding)
        .map(|(_, rule)| rule.statement.clone())
}

#[test]
fn the_plain_form_has_one_id_a_line() {
    let text = "# why\n\n  CVE-1  \r\nCVE-2 exp:2026-01-01 key:value\nCVE-3 exp:soon\nCVE-4 note\n";
    let (rules, warnings) = IgnoreRules::parse_plain(text, "f");
    let ids: Vec<_> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["CVE-1", "CVE-2", "CVE-4"]);
    assert_eq!(
        warnings,
        [IgnoreWarning {
            line: 5,
            date: "soon".to_owned()
        }]
    );
    assert_eq!(
        warnings[0].to_string(),
        "line 5: 'soon' is no date (expected exp:YYYY-MM-DD); the line is left out"
    );
}

#[test]
fn a_rule_expires_at_midnight_when_its_day_begins() {
    let (rules, _) = IgnoreRules::parse_plain("CVE-1 exp:2026-01-02", "f");
    let covered = |now| {
        rules
            .active(now)
            .find("", &finding("CVE-1", "", ""))
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
}

#[test]
fn malformed_entries_are_errors() {
    let error = |yaml: &str| {
        let raw: RawIgnoreFile = serde_saphyr::from_str(yaml).unwrap();
        IgnoreRules::from_raw(raw, "f").unwrap_err()
    };
    assert!(matches!(
        error("vulnerabilities: [{id: a, paths: ['[']}]"),
        IgnoreFileError::Path { .. }
    ));
    assert!(matches!(
        error("misconfigurations: [{id: a, purls: [x]}]"),
        IgnoreFileError::Purl { .. }
    ));
    assert_eq!(
        error("vulnerabilities: [{id: a, expired_at: soon}]").to_string(),
        "the entry 'a' expires at 'soon', which is no date (expected YYYY-MM-DD)"
    );
}

#[test]
fn names_tell_the_forms_apart() {
    assert!(is_yaml("a.yml") && is_yaml("b/.trivyignore.yaml"));
    assert!(!is_yaml(".trivyignore") && !is_yaml("yaml"));
}
