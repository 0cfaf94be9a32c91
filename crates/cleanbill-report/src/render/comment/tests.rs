use std::sync::Arc;

use cleanbill_core::Severity;
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::ExceptionTerms;
use cleanbill_core::vulnerability::VulnerabilityDetails;
use proptest::prelude::*;

use super::*;
use crate::sample;

const STYLES: [CommentStyle; 3] = [
    CommentStyle::GitHub,
    CommentStyle::GitLab,
    CommentStyle::Bitbucket,
];

fn finding(id: &str, package: &str, severity: Severity, fixed: &str) -> Finding {
    Finding {
        vulnerability_id: id.to_owned(),
        package_name: package.to_owned(),
        installed_version: "1.0-1".to_owned(),
        fixed_version: fixed.to_owned(),
        severity,
        primary_url: format!("https://avd.aquasec.com/nvd/{}", id.to_lowercase()),
        details: Some(Arc::new(VulnerabilityDetails {
            title: format!("{package}: a title that says what {id} is about"),
            ..VulnerabilityDetails::default()
        })),
        ..Finding::default()
    }
}

fn image(name: &str, findings: Vec<Finding>) -> ImageReport {
    ImageReport::of_findings(name, findings)
}

/// Makes findings of as many packages as real images have: a few each.
fn many(count: usize) -> Vec<Finding> {
    let severities = [
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];
    (0..count)
        .map(|number| {
            let severity = severities[number % 7 % 4];
            let fixed = if number % 3 == 0 { "" } else { "1.0-2+deb12u1" };
            finding(
                &format!("CVE-2024-{}", 10_000 + number),
                &format!("package-{}", number / 4),
                severity,
                fixed,
            )
        })
        .collect()
}

fn plain(report: &ScanReport) -> Comment<'_> {
    Comment {
        report,
        comparison: None,
        reasons: None,
        plan: &[],
        plan_title: "To pass",
        selection: "",
        run: None,
        report_url: "",
        tool_version: "1.2.3",
    }
}

fn written(subject: &Comment<'_>, style: CommentStyle) -> String {
    comment(subject, style, "web")
}

fn change() -> (ScanReport, ScanReport) {
    let mut new = finding("CVE-2026-3", "curl", Severity::Critical, "8.1");
    new.known_exploited = Some(Box::default());
    let mut web = image(
        "shop/web:pr-7",
        vec![
            new,
            finding("CVE-2026-1", "openssl", Severity::High, "3.0.2"),
            finding("CVE-2026-2", "zlib", Severity::Low, ""),
        ],
    );
    web.results[0].suppressed = vec![SuppressedFindingSample::build()];
    let before = image(
        "shop/web:main",
        vec![finding("CVE-2026-9", "perl", Severity::Medium, "5.1")],
    );
    (sample::report(vec![web]), sample::report(vec![before]))
}

struct SuppressedFindingSample;

impl SuppressedFindingSample {
    fn build() -> cleanbill_core::report::SuppressedFinding {
        cleanbill_core::report::SuppressedFinding {
            status: "ignored".to_owned(),
            statement: "not reachable".to_owned(),
            terms: ExceptionTerms {
                owner: "payments".to_owned(),
                expires: "2026-12-31".to_owned(),
                ..ExceptionTerms::default()
            },
            finding: finding("CVE-2026-5", "tar", Severity::High, ""),
            ..Default::default()
        }
    }
}

#[test]
fn a_change_is_told() {
    let (report, before) = change();
    let comparison = Comparison {
        new: vec![HashSet::from([(0, 0)])],
        fixed: before.images[0]
            .findings()
            .map(|finding| (&before.images[0], finding))
            .collect(),
    };
    let reasons = ["1 finding of severity CRITICAL, none allowed".to_owned()];
    let subject = Comment {
        comparison: Some(&comparison),
        reasons: Some(&reasons),
        plan: &["upgrade curl from 1.0-1 to 8.1".to_owned()],
        plan_title: "To pass, upgrade 1 package",
        run: Some((
            "GitHub Actions",
            "https://github.com/shop/web/actions/runs/7",
        )),
        ..plain(&report)
    };
    insta::assert_snapshot!("change_github", written(&subject, CommentStyle::GitHub));
    insta::assert_snapshot!(
        "change_bitbucket",
        written(&subject, CommentStyle::Bitbucket)
    );
}

#[test]
fn several_images_are_told_apart() {
    let mut failed = image("shop/gone:1", Vec::new());
    failed.status = AssessmentStatus::Failed;
    failed.problems = vec![Problem::new(ProblemKind::ImageFailed, "no such image")];
    let report = sample::report(vec![
        image(
            "shop/web:1",
            vec![finding("CVE-2026-1", "openssl", Severity::High, "3.0.2")],
        ),
        failed,
    ]);
    insta::assert_snapshot!("several", written(&plain(&report), CommentStyle::GitLab));
}

#[track_caller]
fn check_title(report: &ScanReport, reasons: Option<&[String]>, expected: &str) {
    let subject = Comment {
        reasons,
        ..plain(report)
    };
    let text = written(&subject, CommentStyle::GitHub);
    assert_eq!(text.lines().nth(1).unwrap(), format!("### {expected}"));
}

#[test]
fn the_title_says_what_is_the_matter() {
    let clean = sample::report(vec![image("a", Vec::new())]);
    let found = sample::report(vec![image("a", many(2))]);
    let mut partial = clean.clone();
    partial.images[0].status = AssessmentStatus::Partial;
    check_title(&clean, None, "✅ Cleanbill: no known vulnerabilities");
    check_title(&clean, Some(&[]), "✅ Cleanbill: the gate passes");
    check_title(&found, None, "⚠️ Cleanbill: 2 findings");
    check_title(
        &found,
        Some(&[]),
        "✅ Cleanbill: the gate passes, 2 findings",
    );
    check_title(
        &found,
        Some(&["too many".to_owned()]),
        "❌ Cleanbill: the gate fails, 2 findings",
    );
    check_title(
        &partial,
        None,
        "❌ Cleanbill: 1 image is not assessed completely",
    );
    check_title(
        &partial,
        Some(&[]),
        "⚠️ Cleanbill: the gate passes, but 1 image is not assessed completely",
    );
    check_title(&ScanReport::default(), None, "⚠️ Cleanbill: no image");
}

#[test]
fn what_was_not_read_is_not_fixed() {
    let (mut report, before) = change();
    report.images[0].status = AssessmentStatus::Partial;
    let comparison = Comparison {
        new: vec![HashSet::new()],
        fixed: vec![(&before.images[0], &before.images[0].results[0].findings[0])],
    };
    let subject = Comment {
        comparison: Some(&comparison),
        ..plain(&report)
    };
    let text = written(&subject, CommentStyle::GitHub);
    assert!(text.contains("| Medium | · | · | ? | · |"), "{text}");
    assert!(text.contains("1 finding not found any more, perhaps not read"));
    assert!(!text.contains("fixed finding"));
}

#[test]
fn five_hundred_findings_fit_and_each_id_is_there() {
    let report = sample::report(vec![image("shop/web:1", many(500))]);
    let is_new: HashSet<(usize, usize)> = (0..500).map(|number| (0, number)).collect();
    let comparison = Comparison {
        new: vec![is_new],
        fixed: Vec::new(),
    };
    for comparison in [None, Some(&comparison)] {
        let subject = Comment {
            comparison,
            ..plain(&report)
        };
        let text = written(&subject, CommentStyle::GitHub);
        assert!(text.len() <= 60_000, "{}", text.len());
        assert!(!text.contains("left out"));
        for finding in report.images[0].findings() {
            assert!(text.contains(&finding.vulnerability_id));
        }
    }
}

#[test]
fn what_does_not_fit_is_counted() {
    let report = sample::report(vec![image("shop/web:1", many(20_000))]);
    for style in STYLES {
        let text = written(&plain(&report), style);
        assert!(text.len() <= style.size_bytes_max(), "{style:?}");
        assert!(text.contains(", left out for want of room."), "{style:?}");
        assert_eq!(
            text.matches("<details>").count(),
            text.matches("</details>").count()
        );
        assert!(text.contains("| **Total** | **20000** |"));
        assert!(text.contains("Cleanbill 1.2.3"));
    }
}

#[test]
fn keys_are_plain() {
    for key in ["default", "team/web-1.2_x", "a"] {
        assert!(is_comment_key(key), "{key}");
    }
    for key in ["", "a b", "a-->", "a--b", "é", "a)", &"x".repeat(101)] {
        assert!(!is_comment_key(key), "{key}");
    }
}

/// Texts that try to get out of wherever they are put.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("</details><script>alert(1)</script>".to_owned()),
        Just("<!-- cleanbill-comment: web -->".to_owned()),
        Just("a | b\n# title\n- [x](https://evil.example) @team ![i](x)".to_owned()),
        Just("`".repeat(400)),
        Just("&".repeat(900)),
        Just("\n[//]: # (cleanbill-comment: web)\n".to_owned()),
        "\\PC{0,30}",
        "[<>|`*_\\[\\]()#@!&\n -]{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_text_gets_out_of_its_place(texts in prop::collection::vec(hostile(), 9), copies in 1_usize..80) {
        let [name, id, package, version, fixed, title, statement, url, reason] = &texts[..] else {
            unreachable!("nine texts")
        };
        let mut one = finding(id, package, Severity::High, fixed);
        one.installed_version.clone_from(version);
        one.primary_url.clone_from(url);
        one.details = Some(Arc::new(VulnerabilityDetails { title: title.clone(), ..VulnerabilityDetails::default() }));
        let mut web = image(name, vec![one.clone(); copies]);
        web.results[0].suppressed = vec![cleanbill_core::report::SuppressedFinding {
            statement: statement.clone(),
            finding: one.clone(),
            ..Default::default()
        }];
        web.status = AssessmentStatus::Partial;
        web.problems = vec![Problem::new(ProblemKind::ImageFailed, title.as_str())];
        let report = sample::report(vec![web.clone(), web]);
        let comparison = Comparison {
            new: vec![HashSet::from([(0, 0)]), HashSet::new()],
            fixed: vec![(&report.images[0], &one)],
        };
        let reasons = vec![reason.clone(); 12];
        let subject = Comment {
            comparison: Some(&comparison),
            reasons: Some(&reasons),
            plan: &reasons,
            selection: statement,
            run: Some(("GitHub Actions", url)),
            report_url: url,
            ..plain(&report)
        };
        for style in STYLES {
            let text = written(&subject, style);
            prop_assert!(text.len() <= style.size_bytes_max());
            let marker = style.marker("web");
            let mut lines = text.lines();
            prop_assert_eq!(lines.next(), Some(marker.as_str()));
            prop_assert!(!lines.any(|line| line.trim() == marker));
            // Whatever is HTML is ours; code is no HTML.
            let bare: String = without_code(&text);
            for (at, _) in bare.match_indices('<').skip(usize::from(style.folds())) {
                let rest = &bare[at..];
                let is_ours = ["<details><summary>", "<summary>", "</summary>\n", "</details>\n"];
                prop_assert!(is_ours.iter().any(|tag| rest.starts_with(tag)), "{}", rest);
            }
        }
    }
}

/// Removes what stands between equal runs of backticks, line by line.
fn without_code(text: &str) -> String {
    let mut bare = String::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(at) = rest.find('`') {
            // An escaped one begins nothing.
            if rest[..at].ends_with('\\') {
                bare.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
                continue;
            }
            bare.push_str(&rest[..at]);
            let run = rest[at..].chars().take_while(|char| *char == '`').count();
            let inner = &rest[at + run..];
            let mut end = None;
            let mut from = 0;
            while let Some(next) = inner[from..].find('`') {
                let start = from + next;
                let length = inner[start..]
                    .chars()
                    .take_while(|char| *char == '`')
                    .count();
                if length == run {
                    end = Some(start + length);
                    break;
                }
                from = start + length;
            }
            rest = match end {
                Some(end) => &inner[end..],
                None => inner,
            };
        }
        bare.push_str(rest);
        bare.push('\n');
    }
    bare
}
