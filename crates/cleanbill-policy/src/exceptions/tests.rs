use cleanbill_core::report::{ImageReport, ResultSet, SuppressedFinding};
use cleanbill_core::severity::{FixStatus, Severity};
use cleanbill_core::vulnerability::{Epss, Finding};
use proptest::prelude::*;

use super::*;
use crate::time::parse_date;

const DAY: Duration = Duration::from_secs(86_400);

fn at(date: &str) -> SystemTime {
    SystemTime::from(parse_date(date).unwrap())
}

fn finding(id: &str, package: &str, version: &str) -> Finding {
    let mut finding = Finding {
        vulnerability_id: id.to_owned(),
        package_name: package.to_owned(),
        package_id: format!("{package}@{version}"),
        installed_version: version.to_owned(),
        severity: Severity::High,
        ..Finding::default()
    };
    let purl = format!("pkg:deb/debian/{package}@{version}?distro=debian-12.5");
    finding.package_identifier.purl = purl.parse().ok();
    finding
}

fn report_of(findings: Vec<Finding>) -> ScanReport {
    ScanReport {
        images: vec![ImageReport {
            artifact_name: "ghcr.io/team/app:1".to_owned(),
            results: vec![ResultSet {
                target: "app (debian 12.5)".to_owned(),
                kind: "debian".to_owned(),
                findings,
                ..ResultSet::default()
            }],
            ..ImageReport::default()
        }],
        ..ScanReport::default()
    }
}

fn parsed(text: &str) -> Exceptions {
    Exceptions::parse(text, "exceptions.yaml").unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// Returns what covers a finding on 22 November 2026.
fn cover(text: &str, finding: &Finding) -> Option<SuppressedFinding> {
    let mut report = report_of(vec![finding.clone()]);
    parsed(text).apply(&mut report, at("2026-11-22"));
    report.images[0].results[0].suppressed.pop()
}

#[track_caller]
fn check(scope: &str, finding: &Finding, expected: bool) {
    let text = format!("- {{id: CVE-2024-0001, reason: why, {scope}}}");
    assert_eq!(cover(&text, finding).is_some(), expected, "{scope}");
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = Exceptions::parse(text, "f").unwrap_err();
    assert_eq!(error.to_string(), expected, "{text}");
}

#[test]
fn an_exception_covers_with_its_reason_and_terms() {
    let text = "# who decided\n- id: cve-2024-0001\n  reason: >\n    not reachable,\n    see review\n  \
                owner: payments\n  ticket: SEC-1\n  expires: 2026-12-31\n  created: 2026-11-01\n";
    let covered = cover(text, &finding("CVE-2024-0001", "openssl", "3.0.1")).unwrap();
    assert_eq!(covered.status, "ignored");
    assert_eq!(covered.statement, "not reachable, see review");
    assert_eq!(covered.source, "exceptions.yaml:2");
    assert_eq!(
        covered.terms.words(),
        "owner payments, ticket SEC-1, until 2026-12-31"
    );
    let exceptions = parsed(text);
    let one = &exceptions.list()[0];
    assert_eq!((one.line, one.title().as_str()), (2, "CVE-2024-0001"));
    assert_eq!(one.scope(), "");
    assert_eq!(
        one.expires_in(at("2026-12-31")),
        Some(DAY - Duration::from_nanos(1))
    );
}

#[test]
fn both_forms_of_the_file_and_all_names_of_ids_are_read() {
    let finding = finding("CVE-2024-0001", "openssl", "3.0.1");
    for text in [
        "exceptions:\n  - {cve: CVE-2024-0001, reason: r}\n",
        "version: 1\nexceptions: [{ids: [CVE-2023-0001, CVE-2024-0001], reason: r}]",
        "- {id: [CVE-2024-0001], reason: r}",
        "- {ids: CVE-2024-0001, reason: r}",
    ] {
        assert!(cover(text, &finding).is_some(), "{text}");
    }
    for text in ["", "# nothing\n", "exceptions:\n", "[]", "version: 1\n"] {
        assert_eq!(parsed(text).list(), &[], "{text}");
    }
}

#[test]
fn a_finding_is_known_by_its_aliases() {
    let finding = Finding {
        vendor_ids: vec!["DSA-5514-2".to_owned(), "GHSA-aaaa-bbbb-cccc".to_owned()],
        ..finding("CVE-2024-0001", "openssl", "3.0.1")
    };
    for (id, expected) in [
        ("DSA-5514-2", true),
        ("DSA-5514", true),
        ("DSA-551", false),
        ("DSA", false),
        ("ghsa-AAAA-bbbb-cccc", true),
        ("GHSA-aaaa-bbbb-cccd", false),
        ("CVE-2024-0002", false),
    ] {
        let text = format!("- {{id: {id}, reason: r}}");
        assert_eq!(cover(&text, &finding).is_some(), expected, "{id}");
    }
}

#[test]
fn the_scope_limits_what_is_covered() {
    let finding = Finding {
        package_path: "app/lib/x.jar".to_owned(),
        ..finding("CVE-2024-0001", "openssl", "3.0.1")
    };
    check("image: ghcr.io/team/*", &finding, true);
    check("image: [other, 'ghcr.io/team/app:1']", &finding, true);
    check("image: ghcr.io/other/*", &finding, false);
    check("package: openssl", &finding, true);
    check("package: [bash, 'open*']", &finding, true);
    check("package: libssl3", &finding, false);
    check("package: 'pkg:deb/debian/openssl'", &finding, true);
    check("package: 'pkg:deb/debian/openssl@3.0.2'", &finding, false);
    check("version: '>= 3.0, < 3.0.2'", &finding, true);
    check("version: 3.0.1", &finding, true);
    check("version: '< 3'", &finding, false);
    check("path: /app/lib/*.jar", &finding, true);
    check("path: other/**", &finding, false);
    check("path: 'app (debian 12.5)'", &finding, true);
    check("ecosystem: deb", &finding, true);
    check("ecosystem: Debian", &finding, true);
    check("ecosystem: 'debian:12'", &finding, true);
    check("ecosystem: 'debian:11'", &finding, false);
    check("ecosystem: python", &finding, false);
    check("package: openssl, version: '< 3'", &finding, false);
    let any = "- {id: '*', package: openssl, reason: r}";
    assert!(cover(any, &finding).is_some());
}

#[test]
fn names_of_source_packages_count_where_packages_are_listed() {
    let mut report = report_of(vec![finding("CVE-2024-0001", "libssl3", "3.0.1")]);
    let result = &mut report.images[0].results[0];
    result.findings[0].package_identifier.uid = "u".to_owned();
    let mut package = cleanbill_core::Package {
        src_name: "openssl".to_owned(),
        ..Default::default()
    };
    package.identifier.uid = "u".to_owned();
    result.packages.push(package);
    let text = "- {id: CVE-2024-0001, package: openssl, reason: r}";
    let usage = parsed(text).apply(&mut report, at("2026-11-22"));
    assert_eq!(usage.covered(), 1);
}

#[test]
fn an_exception_ends_when_its_day_is_over() {
    let text = "- {id: CVE-2024-0001, reason: r, expires: 2026-11-22}";
    let on = |now: SystemTime| {
        let mut report = report_of(vec![finding("CVE-2024-0001", "openssl", "3.0.1")]);
        let usage = parsed(text).apply(&mut report, now);
        let left = report.images[0].results[0].findings.pop();
        (
            usage,
            left.map(|finding| finding.lapsed_exception.into_string()),
        )
    };
    let (usage, left) = on(at("2026-11-22") + DAY - Duration::from_secs(1));
    assert_eq!((usage.covered(), left), (1, None));
    let (usage, left) = on(at("2026-11-23"));
    assert_eq!(usage.covered(), 0);
    assert_eq!(usage.expired().count(), 1);
    assert_eq!(usage.reports[0].lapsed_findings, 1);
    assert_eq!(
        left.as_deref(),
        Some("exceptions.yaml:1 has expired on 2026-11-22")
    );
    let exceptions = parsed(text);
    let near = |now: &str, days: u32| exceptions.expiring(at(now), DAY * days).len();
    assert_eq!(near("2026-11-15", 7), 0, "eight days, with the last one");
    assert_eq!(near("2026-11-16", 7), 1);
    assert_eq!(near("2026-11-23", 7), 0, "it has expired");
}

#[test]
fn an_exception_ends_for_a_finding_that_is_worse_or_can_be_fixed() {
    let lapsed = |text: &str, finding: &Finding| {
        let mut report = report_of(vec![finding.clone()]);
        let usage = parsed(text).apply(&mut report, at("2026-11-22"));
        let left = report.images[0].results[0].findings.pop();
        assert_eq!(usage.reports[0].lapsed_findings, u64::from(left.is_some()));
        left.map(|finding| finding.lapsed_exception.into_string())
    };
    let open = finding("CVE-2024-0001", "openssl", "3.0.1");
    let fixed = Finding {
        fixed_version: "3.0.2".to_owned(),
        status: FixStatus::Fixed,
        ..open.clone()
    };
    let exploited = Finding {
        known_exploited: Some(Box::default()),
        ..open.clone()
    };
    let likely = |score| Finding {
        epss: Some(Epss {
            score,
            ..Epss::default()
        }),
        ..open.clone()
    };
    let until = "- {id: CVE-2024-0001, reason: r, until: fixed}";
    let unless = "- {id: CVE-2024-0001, reason: r, unless: [kev, 'epss > 0.5']}";
    let because = |why: &str| Some(format!("exceptions.yaml:1 has ended: {why}"));
    assert_eq!(lapsed(until, &open), None);
    assert_eq!(lapsed(until, &fixed), because("a fix is available"));
    assert_eq!(lapsed(until, &exploited), None);
    assert_eq!(lapsed(unless, &fixed), None);
    assert_eq!(
        lapsed(unless, &exploited),
        because("it is known to be exploited")
    );
    assert_eq!(lapsed(unless, &likely(0.5)), None);
    assert_eq!(
        lapsed(unless, &likely(0.51)),
        because("its EPSS score is above 0.5")
    );
}

#[test]
fn another_exception_that_still_counts_covers() {
    let text = "- {id: CVE-2024-0001, reason: old, expires: 2025-01-01}\n\
                - {id: CVE-2024-0001, reason: new}\n";
    let covered = cover(text, &finding("CVE-2024-0001", "openssl", "3.0.1")).unwrap();
    assert_eq!(
        (covered.statement.as_str(), covered.source.as_str()),
        ("new", "exceptions.yaml:2")
    );
}

#[test]
fn a_report_is_held_against_what_the_file_says_today() {
    let ids = ["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003"];
    let findings: Vec<Finding> = ids.iter().map(|id| finding(id, "openssl", "3")).collect();
    let mut report = report_of(findings.clone());
    let both = "- {ids: [CVE-2024-0001, CVE-2024-0002], reason: r}";
    parsed(both).apply(&mut report, at("2026-11-22"));
    assert_eq!(report.images[0].results[0].findings, &findings[2..]);
    let again = report.clone();
    parsed(both).apply(&mut report, at("2026-11-22"));
    assert_eq!(report, again, "twice is once");
    parsed("- {id: CVE-2024-0002, reason: r}").apply(&mut report, at("2026-11-22"));
    let result = &report.images[0].results[0];
    assert_eq!(result.findings, [findings[0].clone(), findings[2].clone()]);
    assert_eq!(result.suppressed.len(), 1);
    assert_eq!(report.exceptions.len(), 1);
    let other = Exceptions::parse("", "other.yaml").unwrap();
    other.apply(&mut report, at("2026-11-22"));
    assert_eq!(
        report.images[0].results[0].suppressed.len(),
        1,
        "other files stay"
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, expected) in [
        (
            "- {id: CVE-2024-0001}",
            "line 1, column 3: the exception has no reason: say why the findings are accepted (reason: …)",
        ),
        (
            "- id: CVE-2024-0001\n  reason: ' '",
            "line 2, column 11: the exception has no reason: say why the findings are accepted (reason: …)",
        ),
        (
            "- reason: r",
            "line 1, column 3: the exception names no vulnerability (id: CVE-…), so it would cover everything",
        ),
        (
            "- id:\n  reason: r",
            "line 1, column 5: id: the exception names no vulnerability, so it would cover everything",
        ),
        (
            "- {id: '*', reason: r}",
            "line 1, column 8: id: '*' covers every vulnerability, also those that nobody knows yet: limit it with package or path",
        ),
        (
            "- {id: '*', package: '*', reason: r}",
            "line 1, column 22: package: '*' together with id '*' covers everything",
        ),
        (
            "- {id: '*', package: '?*', reason: r}",
            "line 1, column 22: package: '*' together with id '*' covers everything",
        ),
        (
            "- {id: '*', path: '**/**', reason: r}",
            "line 1, column 19: path: every path together with id '*' covers everything",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, expires: }",
            "line 1, column 41: expires: the value is empty; leave the key out if nothing is meant",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, package: ''}",
            "line 1, column 43: package: the value is empty",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, path: []}",
            "line 1, column 40: path: the value is empty; leave the key out if nothing is meant",
        ),
        (
            "- {id: '*', path: '**', reason: r}",
            "line 1, column 19: path: every path together with id '*' covers everything",
        ),
        (
            "- {ids: ['*', CVE-2024-0001], package: a, reason: r}",
            "line 1, column 9: ids: '*' is any vulnerability, so the others say nothing",
        ),
        (
            "- {id: CVE-2024-*, reason: r}",
            "line 1, column 8: id: 'CVE-2024-*' is a pattern: only whole ids are accepted, or '*' together with package or path",
        ),
        (
            "- {id: CVE-24-1, reason: r}",
            "line 1, column 8: id: 'CVE-24-1' is no CVE id (expected CVE-YEAR-NUMBER, the number with four digits or more)",
        ),
        (
            "- {id: CVE-2024-0001 CVE-2024-0002, reason: r}",
            "line 1, column 8: id: 'CVE-2024-0001 CVE-2024-0002' is no id of a vulnerability; several are a list: [CVE-…, CVE-…]",
        ),
        (
            "- {ids: [CVE-2024-0001, cve-2024-0001], reason: r}",
            "line 1, column 9: ids: 'CVE-2024-0001' stands here twice",
        ),
        (
            "- {id: CVE-2024-0001, cve: CVE-2024-0002, reason: r}",
            "line 1, column 28: 'cve' says the same as 'id': keep one of them",
        ),
        (
            "- {id: CVE-2024-0001, reasn: r, reason: r}",
            "line 1, column 23: 'reasn' is not known; did you mean reason?",
        ),
        (
            "- {id: CVE-2024-0001, justification: r, reason: r}",
            "line 1, column 23: 'justification' is not known; did you mean reason?",
        ),
        (
            "- {id: CVE-2024-0001, expires_at: 2027-01-01, reason: r}",
            "line 1, column 23: 'expires_at' is not known; did you mean expires?",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, expires: 2026-02-30}",
            "line 1, column 43: expires: '2026-02-30' is no date (expected YYYY-MM-DD)",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, expires: 1/2/2027}",
            "line 1, column 43: expires: '1/2/2027' is no date (expected YYYY-MM-DD)",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, created: soon}",
            "line 1, column 43: created: 'soon' is no date (expected YYYY-MM-DD)",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, created: 2026-02-01, expires: 2026-01-01}",
            "line 1, column 64: expires: '2026-01-01' is before '2026-02-01', when it was created",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, until: 2027-01-01}",
            "line 1, column 41: until: expected fixed; a date belongs to expires (expires: 2027-01-01)",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, until: later}",
            "line 1, column 41: until: expected fixed, not 'later'",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, unless: cvss>7}",
            "line 1, column 42: unless: expected kev or epss>0.5, not 'cvss>7'",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, unless: epss>50}",
            "line 1, column 42: unless: 'epss>50': an EPSS score is a number from 0 to 1",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, version: ^1.2}",
            "line 1, column 43: version: '^1.2' is no bound (expected a version, or bounds such as '>= 1.2, < 1.4')",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, ecosystem: npm, version: '< 1.x'}",
            "line 1, column 59: version: '1.x' is no version of a package of type npm",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, version: '>= 1.2, < latest'}",
            "line 1, column 43: version: 'latest' is no version of any package",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, package: 'pkg:pypi/a', version: < newest}",
            "line 1, column 66: version: 'newest' is no version of a package of type pypi",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, package: 'pkg:npm'}",
            "line 1, column 43: package: 'pkg:npm' is no package URL: 'pkg:npm' is no package URL: it has no name",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, ecosystem: nmp}",
            "line 1, column 45: ecosystem: 'nmp' is not known; did you mean npm?",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, path: '[a'}",
            "line 1, column 40: path: '[a' is not a valid pattern: unbalanced '[', '{' or '\\'",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, image: ''}",
            "line 1, column 41: image: the value is empty",
        ),
        (
            "- {id: CVE-2024-0001, reason: [a, b]}",
            "line 1, column 31: reason: expected a single value, this is a list",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, package: {name: a}}",
            "line 1, column 43: package: expected a value or a list of them, this is a mapping",
        ),
        (
            "- CVE-2024-0001",
            "line 1, column 3: expected an exception (id: …, reason: …), this is a single value",
        ),
        (
            "CVE-2024-0001",
            "line 1, column 1: expected a list of exceptions",
        ),
        (
            "exception:\n- {id: CVE-2024-0001, reason: r}",
            "line 1, column 1: 'exception' is not known; did you mean exceptions?",
        ),
        (
            "exceptions: 1",
            "line 1, column 13: exceptions: expected a list, this is a single value",
        ),
        (
            "version: 2\nexceptions: []",
            "line 1, column 10: version: expected 1",
        ),
        (
            "id: CVE-2024-0001\nreason: r",
            "line 1, column 1: 'id' belongs to an exception of the list: put '- ' before the first key of each",
        ),
        (
            "- {id: CVE-2024-0001, reason: r, reason: s}",
            "line 1, column 34: this key stands here twice",
        ),
    ] {
        check_error(text, expected);
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = "- {id: CVE-2024-0001}\n- {reason: r}\n- {id: CVE-2024-0002, reason: fine}\n";
    let error = Exceptions::parse(text, "f").unwrap_err();
    assert_eq!(error.problems.len(), 2);
    let shown = error.to_string();
    assert!(
        shown.starts_with("2 errors\n  line 1, column 3: "),
        "{shown}"
    );
    assert!(shown.contains("\n  line 2, column 3: "), "{shown}");
    let many = "- {a: 1}\n".repeat(100);
    let shown = Exceptions::parse(&many, "f").unwrap_err().to_string();
    assert!(shown.ends_with("\n  and 280 more"), "{shown}");
}

#[test]
fn ten_thousand_exceptions_are_read_and_found() {
    let line = |number: usize| {
        format!(
            "- {{id: CVE-2024-{number:05}, package: openssl, image: ghcr.io/*, reason: r, owner: o, \
             ticket: t, created: 2026-01-01, expires: 2027-01-01, until: fixed, unless: kev}}\n"
        )
    };
    let text: String = (0..10_000).map(line).collect();
    let findings = (0..20_000).map(|number| {
        let id = format!("CVE-2024-{:05}", number % 20_000);
        finding(&id, "openssl", "3")
    });
    let mut report = report_of(findings.collect());
    let usage = parsed(&text).apply(&mut report, at("2026-11-22"));
    assert_eq!(usage.covered(), 10_000);
}

#[test]
fn the_form_is_told_by_the_beginning() {
    use crate::ignore::IgnoreFileKind::{self, Exceptions, Plain, Yaml};
    for (name, text, kind) in [
        ("exceptions.yaml", "", Exceptions),
        ("a/exceptions.yml", "vulnerabilities:", Exceptions),
        ("accepted.yaml", "# why\n---\n- id: a", Exceptions),
        ("accepted.yaml", "\n-\n  id: a", Exceptions),
        ("accepted.yaml", "exceptions: []", Exceptions),
        ("accepted.yaml", "vulnerabilities: []", Yaml),
        ("accepted.yaml", "", Yaml),
        ("accepted", "- id: a", Plain),
    ] {
        assert_eq!(IgnoreFileKind::of(name, text), kind, "{name} {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_read_or_refused_with_places(text in "(?s).{0,200}") {
        if let Err(error) = Exceptions::parse(&text, "f") {
            prop_assert!(!error.problems.is_empty());
        }
    }

    #[test]
    fn no_finding_is_lost_and_more_exceptions_cover_more(
        ids in proptest::collection::vec((1_u32..20, 0_usize..4), 0..20),
        found in proptest::collection::vec((1_u32..20, 0_usize..4), 0..30),
        split in 0_usize..20,
    ) {
        let packages = ["bash", "openssl", "curl", "zlib"];
        let line = |(number, package): &(u32, usize)| {
            let package = packages[*package];
            format!("- {{id: CVE-2024-{number:04}, package: {package}, reason: r}}\n")
        };
        let findings: Vec<Finding> = found
            .iter()
            .map(|(number, package)| {
                finding(&format!("CVE-2024-{number:04}"), packages[*package], "1")
            })
            .collect();
        let apply = |ids: &[(u32, usize)]| {
            let mut report = report_of(findings.clone());
            let usage = parsed(&ids.iter().map(line).collect::<String>())
                .apply(&mut report, SystemTime::UNIX_EPOCH);
            let result = &report.images[0].results[0];
            assert_eq!(usage.covered(), result.suppressed.len() as u64);
            assert_eq!(result.findings.len() + result.suppressed.len(), findings.len());
            result.suppressed.len()
        };
        let some = apply(ids.get(..split.min(ids.len())).unwrap());
        let all = apply(&ids);
        prop_assert!(some <= all);
        let naive = found.iter().filter(|one| ids.contains(one)).count();
        prop_assert_eq!(all, naive);
    }
}

/// Returns a report that was saved on 1 November, with what the exceptions of then cover.
fn saved(text: &str) -> ScanReport {
    let mut report = report_of(vec![
        finding("CVE-2024-0001", "openssl", "3.0.1"),
        finding("CVE-2024-0002", "zlib", "1.3"),
    ]);
    parsed(text).apply(&mut report, at("2026-11-01"));
    report
}

const LAPSING: &str = "- {id: CVE-2024-0001, reason: r, owner: o, expires: 2026-11-15}\n\
                       - {id: CVE-2024-0002, reason: r, expires: 2026-12-31}\n";

#[test]
fn what_has_expired_since_a_report_was_saved_counts_again() {
    let mut report = saved(LAPSING);
    let result = |report: &ScanReport| {
        let result = &report.images[0].results[0];
        let ids = |one: &Finding| {
            (
                one.vulnerability_id.clone(),
                one.lapsed_exception.to_string(),
            )
        };
        let counting: Vec<_> = result.findings.iter().map(ids).collect();
        (counting, result.suppressed.len())
    };
    assert_eq!(result(&report), (Vec::new(), 2));
    assert_eq!(
        renew(&mut report, &[], at("2026-11-15")),
        Renewal::default()
    );
    let renewal = renew(&mut report, &[], at("2026-11-16"));
    let [expired] = renewal.expired.as_slice() else {
        panic!("{renewal:?}");
    };
    assert_eq!((expired.line, expired.lapsed_findings), (1, 1));
    assert_eq!(expired.terms.owner, "o");
    assert_eq!(report.exceptions[0].outcome, ExceptionOutcome::Expired);
    assert_eq!(report.exceptions[0].lapsed_findings, 1);
    assert!(renewal.doubtful.is_empty());
    let lapsed = "exceptions.yaml:1 has expired on 2026-11-15".to_owned();
    let counting = vec![("CVE-2024-0001".to_owned(), lapsed.clone())];
    assert_eq!(result(&report), (counting, 1));
    // A second look finds nothing more, and says what the report says.
    let second = renew(&mut report, &[], at("2026-11-16"));
    let ended = EndedException {
        words: lapsed,
        findings: 1,
        id: "CVE-2024-0001".to_owned(),
    };
    assert_eq!(second.ended, [ended]);
    assert_eq!((second.expired, second.doubtful), (vec![], vec![]));
}

#[test]
fn a_file_that_gives_more_time_is_believed() {
    let longer = parsed(&LAPSING.replace("2026-11-15", "2026-12-15"));
    for shows_suppressed in [true, false] {
        let mut report = saved(LAPSING);
        if !shows_suppressed {
            report.images[0].results[0].suppressed.clear();
        }
        let files = std::slice::from_ref(&longer);
        let renewal = renew(&mut report, files, at("2026-11-16"));
        assert_eq!((renewal.expired, renewal.doubtful), (vec![], vec![]));
        assert_eq!(report.images[0].results[0].findings, []);
        assert_eq!(renewal.covered, if shows_suppressed { 2 } else { 0 });
    }
}

#[test]
fn what_has_expired_and_is_not_in_the_report_is_doubtful() {
    let hidden = [DoubtfulException {
        name: "exceptions.yaml:1".to_owned(),
        doubt: Doubt::Hidden,
    }];
    let mut report = saved(LAPSING);
    report.images[0].results[0].suppressed.clear();
    let renewal = renew(&mut report.clone(), &[], at("2026-11-16"));
    assert_eq!(renewal.doubtful, hidden);
    let same = parsed(LAPSING);
    let renewal = renew(&mut report, std::slice::from_ref(&same), at("2026-11-16"));
    assert_eq!(renewal.doubtful, hidden, "the same file, of the same words");

    // Of two reports that were joined one holds what was covered, the other does not.
    let mut joined = saved(LAPSING);
    let mut other = saved(LAPSING);
    other.images[0].results[0].suppressed.clear();
    joined.images.extend(other.images);
    joined.exceptions.extend(other.exceptions);
    let renewal = renew(&mut joined, &[], at("2026-11-16"));
    assert_eq!(renewal.expired.len(), 1);
    assert_eq!(renewal.doubtful, hidden);
}

#[test]
fn without_the_lists_nobody_can_tell_what_ends_an_exception() {
    let text = "- {id: CVE-2024-0001, reason: r, unless: [kev, 'epss>0.5']}\n\
                - {id: CVE-2024-0009, reason: r, unless: kev}\n\
                - {id: CVE-2024-0002, reason: r, until: fixed}\n";
    let doubts = |epss_date: &str, kev_release: &str| {
        let mut report = saved("[]");
        report.database = Some(cleanbill_core::report::DatabaseInfo {
            epss_date: epss_date.to_owned(),
            kev_release: kev_release.to_owned(),
            ..Default::default()
        });
        let usage = parsed(text).apply(&mut report, at("2026-11-22"));
        assert_eq!(usage.covered(), 2);
        let doubtful = usage.doubtful.into_iter();
        doubtful
            .map(|one| (one.name, one.doubt))
            .collect::<Vec<_>>()
    };
    let one = |doubt| ("exceptions.yaml:1".to_owned(), doubt);
    assert_eq!(doubts("2026-11-20", "2026.11.20"), []);
    assert_eq!(doubts("2026-11-20", ""), [one(Doubt::KnownExploited)]);
    assert_eq!(doubts("", "2026.11.20"), [one(Doubt::Epss)]);
    assert_eq!(
        doubts("", ""),
        [one(Doubt::KnownExploited), one(Doubt::Epss)]
    );
}

#[test]
fn a_source_package_is_known_from_a_report_without_packages() {
    let text = "- {id: CVE-2024-0001, package: openssl, reason: why}\n";
    let exceptions = parsed(text);
    let mut of_source = finding("CVE-2024-0001", "libssl3", "3.0");
    of_source.source_name = "openssl".into();
    let mut report = report_of(vec![of_source, finding("CVE-2024-0001", "other", "1")]);
    let usage = exceptions.apply(&mut report, at("2026-11-22"));
    assert_eq!(usage.covered(), 1);
    // Again, as a saved report is held against the file.
    assert_eq!(exceptions.apply(&mut report, at("2026-11-22")).covered(), 1);
}

/// A report that was saved before findings named their source packages.
fn older_report(statement: &str) -> ScanReport {
    let mut report = report_of(Vec::new());
    report.images[0].results[0].suppressed = vec![SuppressedFinding {
        status: "ignored".to_owned(),
        statement: statement.to_owned(),
        source: "exceptions.yaml:9".to_owned(),
        finding: finding("CVE-2024-0001", "libssl3", "3.0"),
        ..SuppressedFinding::default()
    }];
    report
}

#[test]
fn what_an_unchanged_exception_covered_stays_covered_where_the_source_is_not_known() {
    let check = |text: &str, statement: &str, covered: u64| {
        let mut report = older_report(statement);
        let usage = parsed(text).apply(&mut report, at("2026-11-22"));
        assert_eq!(usage.covered(), covered, "{text}");
        let result = &report.images[0].results[0];
        assert_eq!(result.suppressed.len() as u64, covered, "{text}");
        assert_eq!(result.findings.len() as u64, 1 - covered, "{text}");
        result.suppressed.first().map(|one| one.source.clone())
    };
    let same = "- {id: CVE-2024-0001, package: openssl, reason: why}\n";
    // It may stand at another line now.
    assert_eq!(check(same, "why", 1).unwrap(), "exceptions.yaml:1");
    check(same, "another reason", 0);
    check(
        "- {id: CVE-2024-0002, package: openssl, reason: why}\n",
        "why",
        0,
    );
    check(
        "- {id: CVE-2024-0001, package: openssl, reason: why, expires: 2026-01-01}\n",
        "why",
        0,
    );
    // What the other conditions ask for is known.
    check(
        "- {id: CVE-2024-0001, version: '1.0', reason: why}\n",
        "why",
        0,
    );
    check("[]\n", "why", 0);
}

#[test]
fn what_has_ended_before_its_time_is_named_once() {
    let mut fixed = finding("CVE-2024-0001", "openssl", "3.0");
    fixed.fixed_version = "3.1".to_owned();
    let mut report = report_of(vec![fixed]);
    let files = [parsed("- {id: CVE-2024-0001, reason: why, until: fixed}\n")];
    for _ in 0..2 {
        let renewal = renew(&mut report, &files, at("2026-11-22"));
        let [ended] = renewal.ended.as_slice() else {
            panic!("{renewal:?}");
        };
        assert_eq!(
            ended.words,
            "exceptions.yaml:1 has ended: a fix is available"
        );
        assert_eq!((ended.findings, ended.id.as_str()), (1, "CVE-2024-0001"));
    }
    // The scan's word counts where no file is named, and not any more once the file is another.
    assert_eq!(renew(&mut report, &[], at("2026-11-22")).ended.len(), 1);
    let renewal = renew(&mut report, &[parsed("[]\n")], at("2026-11-22"));
    assert_eq!(renewal.ended, []);
    // What has expired is named as that.
    let files = [parsed(
        "- {id: CVE-2024-0001, reason: why, expires: 2026-01-01}\n",
    )];
    let renewal = renew(&mut report, &files, at("2026-11-22"));
    assert_eq!((renewal.expired.len(), renewal.ended.len()), (1, 0));
}

#[test]
fn each_exception_is_known_by_what_it_would_cover_alone() {
    let mut known = finding("CVE-2024-0001", "openssl", "3.0");
    known.vendor_ids = vec!["DSA-5514-1".to_owned()];
    let report = report_of(vec![known, finding("CVE-2024-0002", "zlib", "1")]);
    let matching = |text: &str| {
        let files = [parsed(text)];
        let mut report = report.clone();
        let before = Matching::of(&files, &report, at("2026-11-22"));
        files[0].apply(&mut report, at("2026-11-22"));
        // The same after they were applied.
        assert_eq!(Matching::of(&files, &report, at("2026-11-22")), before);
        let counts: Vec<u64> = (0..files[0].list().len())
            .map(|index| before.count(0, index))
            .collect();
        let overlaps = before.overlaps(&files).into_iter();
        let pairs: Vec<(usize, usize)> = overlaps.map(|one| (one.redundant.1, one.by.1)).collect();
        (counts, pairs)
    };
    let first = "- {id: CVE-2024-0001, reason: first, expires: 2026-12-01}\n";
    let second = "- {id: CVE-2024-0001, reason: second}\n";
    let alias = "- {id: DSA-5514, reason: alias}\n";
    let other = "- {id: CVE-2024-0009, reason: other}\n";
    // Those of one id are compared without a report.
    assert_eq!(
        matching(&format!("{first}{second}{other}")),
        (vec![1, 1, 0], vec![])
    );
    // The one that ends first says nothing more, wherever it stands.
    assert_eq!(
        matching(&format!("{first}{alias}")),
        (vec![1, 1], vec![(0, 1)])
    );
    assert_eq!(
        matching(&format!("{alias}{first}")),
        (vec![1, 1], vec![(1, 0)])
    );
    assert_eq!(
        matching(&format!("{second}{alias}")),
        (vec![1, 1], vec![(1, 0)])
    );
}
