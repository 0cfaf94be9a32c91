use cleanbill_core::problem::{Problem, ProblemKind};
use cleanbill_core::report::ScanReport;

use crate::sample::{self, options, rendered};
use crate::{Format, RenderOptions, text, trivy_reader};

fn table(report: &ScanReport, width: usize) -> String {
    rendered(
        Format::Table,
        report,
        &RenderOptions {
            width: Some(width),
            ..options()
        },
    )
}

fn all() -> ScanReport {
    sample::report(vec![
        sample::clean(),
        sample::findings(),
        sample::suppressed(),
        sample::partial(),
        sample::failed(),
        sample::hostile(),
    ])
}

#[test]
fn three_layouts_fit_three_widths() {
    let report = sample::report(vec![sample::findings()]);
    insta::assert_snapshot!("width_50", table(&report, 50));
    insta::assert_snapshot!("width_80", table(&report, 80));
    insta::assert_snapshot!("width_200", table(&report, 200));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 50, 60, 72, 80, 100, 120, 200] {
        check_width(&all(), width);
    }
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/oracle/expected"
    );
    for name in ["everything", "real-python", "os-debian-9"] {
        let Ok(bytes) = std::fs::read(format!("{folder}/{name}.json")) else {
            eprintln!("skipped: cannot read {folder}/{name}.json");
            return;
        };
        let report = trivy_reader::read(&serde_json::from_slice(&bytes).unwrap());
        [60, 80, 120, 200]
            .into_iter()
            .for_each(|width| check_width(&report, width));
    }
}

#[track_caller]
fn check_width(report: &ScanReport, width: usize) {
    for full in [false, true] {
        let options = RenderOptions {
            width: Some(width),
            full,
            show_suppressed: true,
            list_all_packages: Some(true),
            ..options()
        };
        for line in rendered(Format::Table, report, &options).lines() {
            assert!(text::width(line) <= width, "{width}: {line}");
            assert_eq!(line.trim_end(), line, "trailing spaces");
        }
    }
}

#[test]
fn hostile_text_reaches_no_terminal() {
    for color in [false, true] {
        let options = RenderOptions {
            color,
            hyperlinks: color,
            ..options()
        };
        let text = rendered(Format::Table, &all(), &options);
        for forged in ["\u{1b}[2J", "\u{1b}]0;", "\u{7}", "\u{202e}", "\r"] {
            assert!(!text.contains(forged), "{forged:?}");
        }
        assert_eq!(text.contains('\u{1b}'), color);
    }
}

#[test]
fn colors_and_links_add_nothing_but_escapes() {
    let report = sample::report(vec![sample::findings()]);
    let plain = table(&report, 120);
    let options = RenderOptions {
        width: Some(120),
        color: true,
        hyperlinks: true,
        ..options()
    };
    let colored = rendered(Format::Table, &report, &options);
    let links = colored.matches("\u{1b}]8;;https://avd.aquasec.com/nvd/cve-2026-1001\u{1b}\\");
    assert_eq!(links.count(), 1);
    assert!(colored.contains("\u{1b}[1m\u{1b}[97m\u{1b}[41m1 critical,\u{1b}[0m"));
    assert_eq!(without_escapes(&colored), plain);
}

fn without_escapes(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\u{1b}' {
            plain.push(char);
            continue;
        }
        match chars.next() {
            Some('[') => while chars.next().is_some_and(|c| !c.is_ascii_alphabetic()) {},
            Some(']') => {
                while chars.next().is_some_and(|c| c != '\u{1b}') {}
                chars.next();
            }
            _ => {}
        }
    }
    plain
}

#[test]
fn long_lists_are_folded_to_their_number() {
    let mut image = sample::many(40, 12);
    image.problems = (0..30)
        .map(|number| Problem::new(ProblemKind::UnreadableFile, format!("file {number}")))
        .collect();
    let report = sample::report(vec![image]);
    let folded = table(&report, 120);
    for note in [
        "… 20 more packages with 160 findings (--full shows all)",
        "… 32 more packages with 128 findings (--full shows all)",
        "… 20 more problems (--full shows all)",
        "+4",
    ] {
        assert!(folded.contains(note), "{note}: {folded}");
    }
    let options = RenderOptions {
        full: true,
        ..options()
    };
    let full = rendered(Format::Table, &report, &options);
    assert!(!full.contains("--full"), "{full}");
    assert_eq!(full.matches("package-").count(), 80);
}

#[test]
fn suppressed_findings_are_counted_or_listed() {
    let mut image = sample::suppressed();
    image.results[0].suppressed[0].finding.package_path = "app/go.mod".to_owned();
    let report = sample::report(vec![image]);
    let hint = "2 findings suppressed (--show-suppressed shows them)";
    assert!(table(&report, 120).contains(hint));
    let options = RenderOptions {
        show_suppressed: true,
        ..options()
    };
    let text = rendered(Format::Table, &report, &options);
    assert!(!text.contains("--show-suppressed"));
    assert!(text.contains("ignored: accepted until the next release (.trivyignore.yaml)"));
    assert!(text.contains("in app/go.mod:"), "{text}");
}

#[test]
fn what_is_excepted_is_named_in_a_line_each() {
    let mut image = sample::excepted();
    let suppressed = &mut image.results[0].suppressed;
    let one = suppressed.remove(0);
    for number in 0..9 {
        let mut one = one.clone();
        one.finding.package_name = format!("openssl{}", number / 2);
        suppressed.push(one);
    }
    let mut long = one;
    long.statement = "why ".repeat(100);
    suppressed.push(long.clone());
    long.finding.package_name = "openssl9".to_owned();
    suppressed.push(long);
    let text = table(&sample::report(vec![image]), 80);
    let lines: Vec<&str> = text.lines().collect();
    let title = "11 excepted findings:";
    let first = lines.iter().position(|line| *line == title);
    let named = &lines[first.unwrap() + 1..];
    assert!(named[0].ends_with("why …"), "{text}");
    let twice = "  CVE-2026-1001 openssl0 (×2): accepted until the next release (owner payment…";
    assert_eq!(named[1], twice);
    assert_eq!(named[5], "  … 2 more (--show-suppressed shows all)");
    let hint = "1 finding suppressed (--show-suppressed shows them)";
    assert!(named.contains(&hint), "{text}");
}

#[test]
fn an_image_without_packages_is_not_clean() {
    let mut image = sample::clean();
    image.results.clear();
    let text = table(&sample::report(vec![image]), 80);
    assert!(text.contains("nothing to assess: no packages"));
    assert!(!text.contains("no known vulnerabilities"));
}

#[test]
fn only_an_image_without_reservation_is_green() {
    let green = "✓ no known vulnerabilities";
    let text = |image| table(&sample::report(vec![image]), 80);
    assert!(text(sample::clean()).contains(green));
    let mut end_of_life = sample::clean();
    end_of_life.is_end_of_life = true;
    let mut stale = sample::clean();
    stale.problems = vec![Problem::new(ProblemKind::StaleDatabase, "9 days old")];
    for image in [end_of_life, stale, sample::partial(), sample::failed()] {
        assert!(!text(image).contains(green));
    }
}

#[test]
fn a_selection_is_said() {
    let report = sample::report(vec![sample::clean()]);
    let options = RenderOptions {
        selection: "HIGH, CRITICAL".to_owned(),
        ..options()
    };
    let text = rendered(Format::Table, &report, &options);
    assert!(text.contains("no known vulnerabilities (shown: HIGH, CRITICAL)"));
}

#[test]
fn no_image_is_said() {
    assert_eq!(table(&ScanReport::default(), 80), "No image was scanned.\n");
}
