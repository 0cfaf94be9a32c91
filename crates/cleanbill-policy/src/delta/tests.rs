use proptest::prelude::*;

use super::*;
use cleanbill_core::Digest;

fn finding(id: &str, package: &str, severity: Severity) -> KnownFinding {
    KnownFinding {
        key: FindingKey {
            vulnerability_id: id.to_owned(),
            kind: "debian".to_owned(),
            package_name: package.to_owned(),
            package_path: String::new(),
        },
        installed_version: "1.0".to_owned(),
        severity,
        ..KnownFinding::default()
    }
}

fn state(image: &[u8], database: &str, findings: &[KnownFinding]) -> ImageState {
    let mut packages: Vec<KnownPackage> = findings.iter().map(package_of).collect();
    packages.extend(["openssl", "zlib"].map(|name| KnownPackage {
        kind: "debian".to_owned(),
        name: name.to_owned(),
        path: String::new(),
        version: "1.0".to_owned(),
    }));
    packages.sort();
    packages.dedup();
    let mut findings = findings.to_vec();
    findings.sort_by(|a, b| a.key.cmp(&b.key));
    ImageState {
        name: "app:1".to_owned(),
        image_id: Some(Digest::of(image)),
        database_updated_at: database.to_owned(),
        packages,
        findings,
        ..ImageState::default()
    }
}

const URGENT: [Severity; 2] = [Severity::High, Severity::Critical];

#[track_caller]
fn check(before: Option<&ImageState>, after: &ImageState, expected: &[(&str, &str, &str)]) {
    check_filters(&URGENT, before, after, expected);
}

/// Checks what is told where another filter was in force before.
#[track_caller]
fn check_filters(
    filter_before: &[Severity],
    before: Option<&ImageState>,
    after: &ImageState,
    expected: &[(&str, &str, &str)],
) {
    let filter_before = filter_before.iter().copied().collect();
    let filter = URGENT.into_iter().collect();
    let changes = delta_between_filters(before, filter_before, after, filter);
    let found: Vec<(&str, &str, &str)> = changes
        .iter()
        .map(|change| {
            let finding = change.finding.as_ref();
            let id = finding.map_or("", |finding| &finding.key.vulnerability_id);
            (change.kind.name(), id, change.cause.name())
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn everything_is_new_at_first() {
    let after = state(
        b"1",
        "d1",
        &[
            finding("CVE-1", "zlib", Severity::High),
            finding("CVE-2", "zlib", Severity::Low),
        ],
    );
    check(None, &after, &[("new", "CVE-1", "first_seen")]);
}

#[test]
fn nothing_changed_tells_nothing() {
    let same = state(b"1", "d1", &[finding("CVE-1", "zlib", Severity::High)]);
    check(Some(&same), &same, &[]);
    let rebuilt = ImageState {
        image_id: Some(Digest::of(b"2")),
        database_updated_at: "d2".to_owned(),
        ..same.clone()
    };
    check(Some(&same), &rebuilt, &[]);
}

#[test]
fn a_new_advisory_on_the_same_package_is_the_advisory() {
    let before = state(b"1", "d1", &[]);
    let after = state(b"1", "d2", &[finding("CVE-1", "openssl", Severity::High)]);
    check(
        Some(&before),
        &after,
        &[("new", "CVE-1", "advisory_changed")],
    );
    check(
        Some(&after),
        &before,
        &[("resolved", "CVE-1", "advisory_changed")],
    );
}

#[test]
fn a_new_package_is_the_image() {
    let before = state(b"1", "d1", &[]);
    let after = state(b"2", "d2", &[finding("CVE-1", "curl", Severity::High)]);
    check(Some(&before), &after, &[("new", "CVE-1", "image_changed")]);
    check(
        Some(&after),
        &before,
        &[("resolved", "CVE-1", "image_changed")],
    );
}

#[test]
fn an_old_package_of_a_new_image_is_the_advisory() {
    let before = state(b"1", "d1", &[]);
    let after = state(b"2", "d2", &[finding("CVE-1", "openssl", Severity::High)]);
    check(
        Some(&before),
        &after,
        &[("new", "CVE-1", "advisory_changed")],
    );
}

#[test]
fn an_upgrade_that_does_not_help_is_no_news() {
    let before = state(b"1", "d1", &[finding("CVE-1", "curl", Severity::High)]);
    let upgraded = KnownFinding {
        installed_version: "1.1".to_owned(),
        ..finding("CVE-1", "curl", Severity::High)
    };
    check(Some(&before), &state(b"2", "d1", &[upgraded]), &[]);
}

#[test]
fn an_incomplete_look_resolves_nothing() {
    let before = state(b"1", "d1", &[finding("CVE-1", "zlib", Severity::High)]);
    let partial = ImageState {
        status: AssessmentStatus::Partial,
        ..state(b"1", "d1", &[finding("CVE-2", "zlib", Severity::High)])
    };
    check(
        Some(&before),
        &partial,
        &[
            ("assessment_lost", "", "assessment"),
            ("new", "CVE-2", "assessment"),
        ],
    );
    let failed = ImageState {
        status: AssessmentStatus::Failed,
        ..state(b"1", "d1", &[])
    };
    check(
        Some(&before),
        &failed,
        &[("assessment_lost", "", "assessment")],
    );
    check(Some(&failed), &failed, &[]);
    check(None, &failed, &[("assessment_lost", "", "first_seen")]);
    let never_judged = state(b"1", "", &[]);
    check(
        Some(&never_judged),
        &before,
        &[("new", "CVE-1", "first_seen")],
    );
}

#[test]
fn a_finding_below_the_filter_changed_its_severity() {
    let high = state(b"1", "d1", &[finding("CVE-1", "zlib", Severity::High)]);
    let low = state(b"1", "d2", &[finding("CVE-1", "zlib", Severity::Low)]);
    let expected = [("severity_changed", "CVE-1", "advisory_changed")];
    check(Some(&high), &low, &expected);
    check(Some(&low), &high, &expected);
    check(Some(&low), &low, &[]);
}

#[test]
fn what_another_filter_lets_through_is_new_and_what_it_holds_back_is_not_resolved() {
    let high = finding("CVE-1", "zlib", Severity::High);
    let low = finding("CVE-2", "zlib", Severity::Low);
    let before = state(b"1", "d1", &[high.clone(), low.clone()]);
    let let_through = [("new", "CVE-1", "rules_changed")];
    let critical = [Severity::Critical];
    check_filters(&critical, Some(&before), &before, &let_through);
    check_filters(&Severity::ALL, Some(&before), &before, &[]);
    // Whatever else changed: it is the filter that brings it.
    let fixed = KnownFinding {
        fixed_version: "1.1".to_owned(),
        ..high
    };
    let after = state(b"2", "d2", &[fixed, low]);
    check_filters(&critical, Some(&before), &after, &let_through);
    // What nobody was told of is not resolved.
    check_filters(&critical, Some(&before), &state(b"2", "d2", &[]), &[]);
    // What is out of sight may still be there.
    let partial = ImageState {
        status: AssessmentStatus::Partial,
        ..state(b"1", "d1", &[])
    };
    let lost = ("assessment_lost", "", "assessment");
    let expected = [lost, let_through[0]];
    check_filters(&critical, Some(&before), &partial, &expected);
}

#[test]
fn a_fix_and_an_exploit_are_told_once() {
    let plain = finding("CVE-1", "zlib", Severity::High);
    let before = state(b"1", "d1", std::slice::from_ref(&plain));
    let after = state(
        b"1",
        "d2",
        &[KnownFinding {
            fixed_version: "2.0".to_owned(),
            is_known_exploited: true,
            ..plain
        }],
    );
    check(
        Some(&before),
        &after,
        &[
            ("fix_available", "CVE-1", "advisory_changed"),
            ("known_exploited", "CVE-1", "catalogue_changed"),
        ],
    );
    check(Some(&after), &after, &[]);
}

#[test]
fn a_listed_exploit_is_the_catalogue_whatever_else_changed() {
    let plain = finding("CVE-1", "zlib", Severity::High);
    let listed = KnownFinding {
        is_known_exploited: true,
        known_exploited_since: "2026-11-20".to_owned(),
        ..plain.clone()
    };
    let before = state(b"1", "d1", &[plain]);
    for (image, database) in [(b"1", "d1"), (b"1", "d2"), (b"2", "d1"), (b"2", "d2")] {
        let after = ImageState {
            rules: "another list".to_owned(),
            ..state(image, database, std::slice::from_ref(&listed))
        };
        let changes = delta(Some(&before), &after, SeverityFilter::ALL);
        let told: Vec<_> = changes.iter().map(|it| (&it.kind, &it.cause)).collect();
        let since = "2026-11-20".to_owned();
        let cause = Cause::CatalogueChanged { since };
        assert_eq!(told, [(&ChangeKind::KnownExploited, &cause)]);
        // What is not listed any more is no news.
        check(Some(&after), &before, &[]);
    }
}

#[test]
fn exceptions_accept_and_bring_back() {
    let plain = finding("CVE-1", "zlib", Severity::High);
    let open = state(b"1", "d1", std::slice::from_ref(&plain));
    let covered = state(
        b"1",
        "d1",
        &[KnownFinding {
            covered_by: ".trivyignore:3".to_owned(),
            ..plain
        }],
    );
    check(
        Some(&open),
        &covered,
        &[("accepted", "CVE-1", "exception_changed")],
    );
    check(
        Some(&covered),
        &open,
        &[("new", "CVE-1", "exception_changed")],
    );
    check(None, &covered, &[]);
}

#[test]
fn an_exception_that_has_expired_is_the_cause() {
    let plain = finding("CVE-1", "zlib", Severity::High);
    let covered = state(
        b"1",
        "d1",
        &[KnownFinding {
            covered_by: "exceptions.yaml:3".to_owned(),
            ..plain.clone()
        }],
    );
    let lapsed = KnownFinding {
        lapsed_exception: "exceptions.yaml:3 has expired on 2026-11-30".to_owned(),
        ..plain.clone()
    };
    let after = state(b"1", "d1", std::slice::from_ref(&lapsed));
    check(
        Some(&covered),
        &after,
        &[("new", "CVE-1", "exception_expired")],
    );
    // It is told once.
    check(Some(&after), &after, &[]);
    let before = state(b"1", "d1", std::slice::from_ref(&plain));
    check(Some(&before), &after, &[]);
}

#[test]
fn a_baseline_accepts_ids_and_does_not_resolve_what_is_below_the_filter() {
    let after = state(
        b"1",
        "d1",
        &[
            finding("CVE-1", "zlib", Severity::High),
            finding("CVE-2", "zlib", Severity::High),
            finding("CVE-3", "zlib", Severity::Low),
        ],
    );
    let accepted = ["CVE-1", "CVE-3", "CVE-4"].map(str::to_owned).into();
    let words = |after: &ImageState| -> Vec<(&'static str, String)> {
        delta_to_baseline(&accepted, after, URGENT.into_iter().collect())
            .into_iter()
            .map(|change| {
                let finding = change.finding.unwrap_or_default();
                (change.kind.name(), finding.key.vulnerability_id)
            })
            .collect()
    };
    let expected = [
        ("new", "CVE-2".to_owned()),
        ("resolved", "CVE-4".to_owned()),
    ];
    assert_eq!(words(&after), expected);
    let partial = ImageState {
        status: AssessmentStatus::Partial,
        ..after
    };
    let expected = [
        ("assessment_lost", String::new()),
        ("new", "CVE-2".to_owned()),
    ];
    assert_eq!(words(&partial), expected);
}

fn any_state() -> impl Strategy<Value = ImageState> {
    let finding = (0_u8..6, 0_u8..3, 0_u8..5, any::<bool>()).prop_map(
        |(id, package, severity, is_covered)| KnownFinding {
            covered_by: if is_covered { "rule" } else { "" }.to_owned(),
            ..finding(
                &format!("CVE-{id}"),
                &format!("package{package}"),
                Severity::from_number(i64::from(severity)),
            )
        },
    );
    (
        0_u8..2,
        0_u8..2,
        0_usize..3,
        prop::collection::vec(finding, 0..8),
    )
        .prop_map(|(image, database, status, findings)| {
            let mut state = state(&[image], &database.to_string(), &findings);
            state.findings.dedup_by(|a, b| a.key == b.key);
            state.status = AssessmentStatus::ALL[status];
            if state.status == AssessmentStatus::Failed {
                state.findings.clear();
            }
            state
        })
}

/// The ids that people believe to be open: what they were told of, less what was resolved or
/// accepted.
fn told(open: &mut BTreeSet<FindingKey>, changes: &[Change], filter: SeverityFilter) {
    for change in changes {
        let Some(finding) = &change.finding else {
            continue;
        };
        match change.kind {
            ChangeKind::Resolved | ChangeKind::Accepted => {
                open.remove(&finding.key);
            }
            _ if filter.passes(finding.severity) => {
                open.insert(finding.key.clone());
            }
            _ => {
                open.remove(&finding.key);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_state_does_not_differ_from_itself(state in any_state()) {
        prop_assert!(delta(Some(&state), &state, SeverityFilter::ALL).is_empty());
    }

    /// Who adds up what was told knows what is open, whatever could not be assessed in between.
    #[test]
    fn what_was_told_adds_up(states in prop::collection::vec(any_state(), 1..6)) {
        let filter: SeverityFilter = URGENT.into_iter().collect();
        let mut open = BTreeSet::new();
        let mut before: Option<ImageState> = None;
        for after in states {
            told(&mut open, &delta(before.as_ref(), &after, filter), filter);
            before = Some(remember(before, after));
        }
        let expected: BTreeSet<FindingKey> = before
            .iter()
            .flat_map(|state| &state.findings)
            .filter(|finding| finding.counts() && filter.passes(finding.severity))
            .map(|finding| finding.key.clone())
            .collect();
        prop_assert_eq!(open, expected);
    }

    /// What is collected over many looks and told at once says as much as the looks one by one.
    #[test]
    fn the_net_of_changes_adds_up(states in prop::collection::vec(any_state(), 1..6), held in 0_usize..6) {
        let filter: SeverityFilter = URGENT.into_iter().collect();
        let (mut open, mut open_net) = (BTreeSet::new(), BTreeSet::new());
        let mut before: Option<ImageState> = None;
        let mut collected = Vec::new();
        for (index, after) in states.into_iter().enumerate() {
            let changes = delta(before.as_ref(), &after, filter);
            told(&mut open, &changes, filter);
            collected.extend(changes);
            if index >= held {
                let collected = net(&std::mem::take(&mut collected), &|_, severity| filter.passes(severity));
                told(&mut open_net, &collected, filter);
            }
            before = Some(remember(before, after));
        }
        told(&mut open_net, &net(&collected, &|_, severity| filter.passes(severity)), filter);
        prop_assert_eq!(open_net, open);
    }

    #[test]
    fn the_net_of_one_look_is_the_look(before in any_state(), after in any_state()) {
        let mut changes = delta(Some(&before), &after, SeverityFilter::ALL);
        let found = net(&changes, &|_, _| true);
        changes.sort_by(|a, b| {
            let key = |change: &Change| change.finding.as_ref().map(|finding| finding.key.clone());
            key(a).cmp(&key(b))
        });
        prop_assert_eq!(found, changes);
    }
}

fn urgent(changes: &[Change]) -> Vec<Change> {
    net(changes, &|_, severity| URGENT.contains(&severity))
}

#[test]
fn what_came_and_fell_below_the_filter_is_no_news() {
    let states = [Severity::High, Severity::Low]
        .map(|severity| state(b"1", "d", &[finding("CVE-1", "zlib", severity)]));
    let none = state(b"1", "d", &[]);
    let filter: SeverityFilter = URGENT.into_iter().collect();
    let [high, low] = &states;
    let mut changes = delta(Some(&none), high, filter);
    changes.extend(delta(Some(high), low, filter));
    assert!(urgent(&changes).is_empty());
    let mut changes = delta(Some(low), high, filter);
    changes.extend(delta(Some(high), &none, filter));
    assert!(urgent(&changes).is_empty());
}

#[test]
fn a_lost_baseline_does_not_mix_with_the_assessment() {
    let of_image = |kind| Change {
        image: "app:1".to_owned(),
        kind,
        cause: Cause::Assessment,
        finding: None,
    };
    let lost = of_image(ChangeKind::BaselineLost {
        reason: "no JSON".to_owned(),
        is_beginning: false,
    });
    let unreadable = of_image(ChangeKind::AssessmentLost {
        status: AssessmentStatus::Failed,
        reason: String::new(),
    });
    let readable = of_image(ChangeKind::AssessmentRegained);
    let told = |changes: &[&Change]| {
        let changes: Vec<Change> = changes.iter().map(|change| (*change).clone()).collect();
        net(&changes, &|_, _| true)
    };
    assert_eq!(
        told(&[&unreadable, &lost, &readable]),
        std::slice::from_ref(&lost)
    );
    assert_eq!(told(&[&lost, &unreadable, &lost]), [unreadable, lost]);
}

#[test]
fn what_came_and_went_is_no_news() {
    let none = state(b"1", "d1", &[]);
    let some = state(b"1", "d2", &[finding("CVE-1", "zlib", Severity::High)]);
    let filter: SeverityFilter = URGENT.into_iter().collect();
    let looks = |states: &[&ImageState]| -> Vec<Change> {
        let pairs = states.windows(2);
        pairs
            .flat_map(|pair| delta(Some(pair[0]), pair[1], filter))
            .collect()
    };
    assert!(urgent(&looks(&[&none, &some, &none])).is_empty());
    assert!(urgent(&looks(&[&some, &none, &some])).is_empty());
    assert_eq!(urgent(&looks(&[&none, &some, &none, &some])).len(), 1);
    let failed = ImageState {
        status: AssessmentStatus::Failed,
        ..none.clone()
    };
    assert!(urgent(&looks(&[&none, &failed, &none])).is_empty());
    assert_eq!(urgent(&looks(&[&none, &failed])).len(), 1);
}
