use cleanbill_core::base_image::BaseImage;
use cleanbill_core::package::Package;
use cleanbill_core::report::{ImageReport, ResultClass, ResultSet};
use cleanbill_core::vulnerability::Finding;
use proptest::prelude::*;

use super::*;
use crate::gate::{Gate, Verdict};
use crate::gate_file;

/// `NAME INSTALLED FIXED SEVERITY`, `-` for no fix.
fn finding(line: &str) -> Finding {
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap();
    let (name, installed, fixed, severity) = (word(), word(), word(), word());
    Finding {
        vulnerability_id: "CVE-1".to_owned(),
        package_name: name.to_owned(),
        installed_version: installed.to_owned(),
        fixed_version: fixed.replace('-', ""),
        severity: severity.parse().unwrap(),
        ..Finding::default()
    }
}

fn report(lines: &[&str]) -> ScanReport {
    ScanReport {
        images: vec![ImageReport {
            results: vec![ResultSet {
                class: ResultClass::LanguagePackages,
                kind: "npm".to_owned(),
                findings: lines.iter().map(|line| finding(line)).collect(),
                ..ResultSet::default()
            }],
            ..ImageReport::default()
        }],
        ..ScanReport::default()
    }
}

fn verdict(rules: &str, report: &ScanReport) -> Verdict {
    let text = format!("version: 1\n{rules}");
    Gate {
        rules: Some(gate_file::parse(&text, "gate.yaml").unwrap().rules),
        ..Gate::default()
    }
    .verdict(report)
}

fn words(upgrades: &[Upgrade]) -> Vec<String> {
    let words = |one: &Upgrade| {
        format!(
            "{} {} to {}: {} {}",
            one.name, one.installed, one.fixed, one.findings, one.severity
        )
    };
    upgrades.iter().map(words).collect()
}

#[track_caller]
fn check(rules: &str, lines: &[&str], expected: &[&str], left: u64) {
    let plan = verdict(rules, &report(lines)).plan.unwrap();
    assert_eq!(words(&plan.upgrades), expected);
    assert_eq!(
        plan.left.iter().map(|left| left.too_many).sum::<u64>(),
        left
    );
    assert!(plan.is_smallest);
}

#[test]
fn where_none_is_allowed_every_package_is_needed() {
    check(
        "thresholds: {critical: 0, high: 0}",
        &[
            "a 1 2 CRITICAL",
            "a 1 3 HIGH",
            "b 1 2 HIGH",
            "c 1 2 LOW",
            "a 1 9 LOW",
        ],
        &["a 1 to 3: 2 CRITICAL", "b 1 to 2: 1 HIGH"],
        0,
    );
}

#[test]
fn where_some_are_allowed_the_fewest_packages_are_taken() {
    let lines = [
        "a 1 2 HIGH",
        "b 1 2 HIGH",
        "b 1 3 HIGH",
        "b 1 3 HIGH",
        "c 1 2 HIGH",
    ];
    check("thresholds: {high: 2}", &lines, &["b 1 to 3: 3 HIGH"], 0);
    check(
        "thresholds: {high: 1}",
        &lines,
        &["b 1 to 3: 3 HIGH", "a 1 to 2: 1 HIGH"],
        0,
    );
    // One package that serves two rules is better than two that serve one each.
    let lines = [
        "a 1 2 HIGH",
        "a 1 2 HIGH",
        "a 1 2 HIGH",
        "b 1 2 LOW",
        "b 1 2 LOW",
        "b 1 2 LOW",
        "c 1 2 HIGH",
        "c 1 2 HIGH",
        "c 1 2 LOW",
        "c 1 2 LOW",
    ];
    check(
        "thresholds: {high: 3, low: 3}",
        &lines,
        &["c 1 to 2: 4 HIGH"],
        0,
    );
}

#[test]
fn what_has_no_fix_is_left() {
    check(
        "thresholds: {high: 0}",
        &["a 1 - HIGH", "b 1 2 HIGH", "c 1 - HIGH"],
        &["b 1 to 2: 1 HIGH"],
        2,
    );
    check(
        "thresholds: {high: 1}",
        &["a 1 - HIGH", "b 1 2 HIGH"],
        &["b 1 to 2: 1 HIGH"],
        0,
    );
}

#[test]
fn packages_of_one_source_are_upgraded_together() {
    let mut report = report(&["libssl3 1 2 HIGH", "openssl 1 3 HIGH"]);
    let result = &mut report.images[0].results[0];
    result.class = ResultClass::OsPackages;
    for finding in &mut result.findings {
        finding.evidence.looked_up_name = "openssl".to_owned();
        finding.evidence.compared_version = "1".to_owned();
        finding.evidence.scheme = "deb";
    }
    let plan = verdict("thresholds: {high: 0}", &report).plan.unwrap();
    assert_eq!(words(&plan.upgrades), ["openssl 1 to 3: 2 HIGH"]);
    assert_eq!(plan.upgrades[0].packages.len(), 2);
}

#[test]
fn what_is_removed_need_not_be_upgraded() {
    let mut report = report(&["a 1 2 HIGH", "b 1 2 HIGH"]);
    report.images[0].results[0].packages = vec![Package {
        name: "a".to_owned(),
        version: "1".to_owned(),
        ..Package::default()
    }];
    let rules = "thresholds: {high: 0}\ndeny_packages: [a]";
    let plan = verdict(rules, &report).plan.unwrap();
    assert_eq!(words(&plan.upgrades), ["b 1 to 2: 1 HIGH"]);
}

#[test]
fn another_base_is_named_where_it_needs_fewer_upgrades() {
    let mut report = report(&["a 1 2 HIGH", "b 1 2 HIGH", "c 1 - HIGH", "d 1 2 HIGH"]);
    for (number, finding) in report.images[0].results[0].findings.iter_mut().enumerate() {
        finding.origin = Some(if number < 3 {
            Origin::Base
        } else {
            Origin::Own
        });
    }
    let mut removed = SeverityCounts::default();
    removed.set(Severity::High, 3);
    let mut added = SeverityCounts::default();
    added.set(Severity::Low, 2);
    report.images[0].base = Some(BaseImage {
        advice: vec![BaseAdvice {
            name: "debian:13".to_owned(),
            removed,
            added,
        }],
        ..BaseImage::default()
    });
    let plan = verdict("thresholds: {high: 0}", &report).plan.unwrap();
    assert_eq!(plan.left.len(), 1);
    let base = plan.base.unwrap();
    assert_eq!(base.name, "debian:13");
    assert_eq!(words(&base.upgrades), ["d 1 to 2: 1 HIGH"]);
    // It would break a rule that passes now.
    let plan = verdict("thresholds: {high: 0, low: 1}", &report)
        .plan
        .unwrap();
    assert_eq!(plan.base, None);
    // What it says was not counted that way.
    let plan = verdict("only_fixable: true\nthresholds: {high: 0}", &report)
        .plan
        .unwrap();
    assert_eq!(plan.base, None);
}

/// Tries every set.
fn fewest(weights: &[Vec<u64>], needs: &[u64]) -> usize {
    (0_u32..1 << weights.len())
        .filter(|set| {
            needs.iter().enumerate().all(|(number, need)| {
                let taken = weights
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| set & (1 << at) != 0);
                taken.map(|(_, row)| row[number]).sum::<u64>() >= *need
            })
        })
        .map(u32::count_ones)
        .min()
        .unwrap() as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_cover_is_one_and_the_smallest_if_it_says_so(
        weights in prop::collection::vec(prop::collection::vec(0_u64..6, 3), 0..10),
        shares in prop::collection::vec(0_u64..=100, 3),
    ) {
        let sum = |need: usize| weights.iter().map(|row| row[need]).sum::<u64>();
        let needs: Vec<u64> = (0..3).map(|need| sum(need) * shares[need] / 100).collect();
        let found = cover::cover(&weights, &needs, (0..weights.len()).collect());
        for (number, need) in needs.iter().enumerate() {
            let met: u64 = found.chosen.iter().map(|group| weights[*group][number]).sum();
            prop_assert!(met >= *need);
        }
        prop_assert!(found.is_smallest);
        prop_assert_eq!(found.chosen.len(), fewest(&weights, &needs));
    }
}
