//! Whatever is remembered comes back exactly.

use cleanbill_core::change::{FindingKey, ImageState, KnownFinding, KnownPackage};
use cleanbill_core::package::LayerId;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::severity::FixStatus;
use cleanbill_core::{DiffId, Digest, Severity};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::kit::look;
use crate::state::*;

/// Any text, with quotes, NULs and what is no letter anywhere.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-c]{1,2}", any::<String>()]
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

fn package() -> impl Strategy<Value = KnownPackage> {
    (text(), text(), text(), text()).prop_map(|(kind, name, path, version)| KnownPackage {
        kind,
        name,
        path,
        version,
    })
}

fn key() -> impl Strategy<Value = FindingKey> {
    (text(), text(), text(), text()).prop_map(
        |(vulnerability_id, kind, package_name, package_path)| FindingKey {
            vulnerability_id,
            kind,
            package_name,
            package_path,
        },
    )
}

fn layer() -> impl Strategy<Value = LayerId> {
    (digest(), option::of(digest())).prop_map(|(diff_id, digest)| LayerId {
        diff_id: DiffId(diff_id),
        digest,
    })
}

prop_compose! {
    fn finding()(
        (installed_version, fixed_version, title, primary_url) in (text(), text(), text(), text()),
        (advisory_source, published, created_by, covered_by) in (text(), text(), text(), text()),
        fix_status in select(FixStatus::ALL.to_vec()),
        severity in select(Severity::ALL.to_vec()),
        (is_known_exploited, known_exploited_since) in (any::<bool>(), text()),
        // Scores are published with five digits.
        epss in option::of(0..=100_000_u32),
        layer in option::of(layer()),
    ) -> KnownFinding {
        KnownFinding {
            key: FindingKey::default(),
            installed_version, fixed_version, fix_status, severity, is_known_exploited,
            known_exploited_since,
            epss_score: epss.map(|score| f64::from(score) / 1e5),
            title, primary_url, advisory_source, published, layer, created_by, covered_by,
            lapsed_exception: String::new(),
        }
    }
}

prop_compose! {
    fn state(name: &'static str)(
        image_id in option::of(digest()),
        (distro, reason, database_updated_at, rules) in (text(), text(), text(), text()),
        status in select(AssessmentStatus::ALL.to_vec()),
        packages in vec(package(), 0..6),
        findings in btree_map(key(), finding(), 0..6),
    ) -> ImageState {
        let findings = findings.into_iter().map(|(key, finding)| KnownFinding { key, ..finding });
        ImageState {
            name: name.to_owned(),
            image_id, distro, status, reason, database_updated_at, rules, packages,
            findings: findings.collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_last_state_comes_back_exactly(states in vec(state("a:1"), 1..5)) {
        let store = StateStore::in_memory().unwrap();
        for state in &states {
            let commit = ScanCommit { state: state.clone(), ..look("a:1", vec![], 10) };
            store.scan_commit(&commit).unwrap();
            let back = store.read().image_state("a:1").unwrap();
            prop_assert_eq!(back.as_ref(), Some(state));
            // What can be searched is what is remembered.
            for finding in &state.findings {
                let found = store.read().affected(&[&finding.key.vulnerability_id]).unwrap();
                let one = found.iter().find(|one| one.key == finding.key).unwrap();
                prop_assert_eq!(&one.installed_version, &finding.installed_version);
                prop_assert_eq!(&one.fixed_version, &finding.fixed_version);
                prop_assert_eq!(one.severity, finding.severity);
                prop_assert_eq!(&one.covered_by, &finding.covered_by);
            }
            let summary = store.read().status_summary().unwrap();
            let counting = state.findings.iter().filter(|finding| finding.counts()).count();
            prop_assert_eq!(summary.findings.total(), counting as u64);
        }
        let rows: i64 = lock(&store.writer)
            .query_row("SELECT count(*) FROM finding", [], |row| row.get(0))
            .unwrap();
        prop_assert_eq!(rows as usize, states.last().unwrap().findings.len());
    }
}
