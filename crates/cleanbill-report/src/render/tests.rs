//! Golden reports of every format, and what holds for all of them.

use super::*;
use crate::format::FORMATS;
use crate::sample::{self, options, rendered};

/// Renders each kind of report with its packages and suppressed findings.
fn check(format: Format) {
    let one = |image| sample::report(vec![image]);
    let several = sample::report(vec![
        sample::findings(),
        sample::clean(),
        sample::partial(),
        sample::failed(),
    ]);
    let plain = options();
    let everything = RenderOptions {
        show_suppressed: true,
        list_all_packages: Some(true),
        ..options()
    };
    for (name, report, options) in [
        ("clean", one(sample::clean()), &plain),
        ("findings", one(sample::findings()), &plain),
        (
            "exploited",
            sample::report_with_lists(sample::exploited()),
            &plain,
        ),
        ("suppressed", one(sample::suppressed()), &everything),
        ("excepted", one(sample::excepted()), &plain),
        ("partial", one(sample::partial()), &plain),
        ("failed", one(sample::failed()), &plain),
        ("several", several, &plain),
    ] {
        if report.images.len() > 1 && !format.info().holds_several_images {
            continue;
        }
        let text = rendered(format, &report, options);
        insta::assert_snapshot!(format!("{format}_{name}"), body(&text));
    }
}

/// Leaves out the style and the script of a page.
fn body(text: &str) -> String {
    let without = |text: &str, from: &str, to: &str| match (text.find(from), text.find(to)) {
        (Some(begin), Some(end)) => format!("{}…{}", &text[..begin + from.len()], &text[end..]),
        _ => text.to_owned(),
    };
    let text = without(text, "<style>", "</style>");
    let text = without(&text, "<script>", "</script>");
    without(&text, "Content-Security-Policy", "<meta name=\"viewport\"")
}

#[test]
fn tables_are_as_before() {
    check(Format::Table);
}

#[test]
fn json_reports_are_as_before() {
    check(Format::Json);
}

#[test]
fn trivy_json_reports_are_as_before() {
    check(Format::TrivyJson);
}

#[test]
fn cyclonedx_reports_are_as_before() {
    check(Format::CycloneDx);
}

#[test]
fn spdx_reports_are_as_before() {
    check(Format::Spdx);
}

#[test]
fn openvex_reports_are_as_before() {
    check(Format::OpenVex);
}

#[test]
fn sarif_reports_are_as_before() {
    check(Format::Sarif);
}

#[test]
fn gitlab_reports_are_as_before() {
    check(Format::Gitlab);
}

#[test]
fn junit_reports_are_as_before() {
    check(Format::Junit);
}

#[test]
fn csv_reports_are_as_before() {
    check(Format::Csv);
}

#[test]
fn markdown_reports_are_as_before() {
    check(Format::Markdown);
}

#[test]
fn html_reports_are_as_before() {
    check(Format::Html);
}

#[test]
fn a_format_for_one_image_refuses_several() {
    for count in [0, 2] {
        let report = sample::report(vec![sample::clean(); count]);
        let error = render(Format::TrivyJson, &report, &options(), &mut Vec::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("trivy-json holds one image, but the report has {count}")
        );
    }
}

#[test]
fn packages_are_listed_as_the_format_does_unless_told() {
    let report = sample::report(vec![sample::clean()]);
    for (format, by_default) in [
        (Format::Table, false),
        (Format::Json, false),
        (Format::TrivyJson, true),
    ] {
        for (list_all_packages, expected) in
            [(None, by_default), (Some(true), true), (Some(false), false)]
        {
            let options = RenderOptions {
                list_all_packages,
                ..options()
            };
            let text = rendered(format, &report, &options);
            assert_eq!(
                text.contains("musl"),
                expected,
                "{format} {list_all_packages:?}"
            );
        }
    }
}

#[test]
fn what_was_not_assessed_shows_in_every_format() {
    // OpenVEX says what exceptions say and has no place for more.
    for info in FORMATS.iter().filter(|info| info.format != Format::OpenVex) {
        for image in [sample::partial(), sample::failed()] {
            let status = image.status.name();
            let problem = image.problems.last().unwrap().kind.name();
            let text = rendered(info.format, &sample::report(vec![image]), &options());
            assert!(text.contains(problem), "{}: {text}", info.name);
            let marks = [status, "NOT ASSESSED"];
            assert!(
                marks.iter().any(|mark| text.contains(mark)),
                "{}: {text}",
                info.name
            );
            assert!(
                !text.contains("no known vulnerabilities"),
                "{}: {text}",
                info.name
            );
        }
    }
}

#[test]
fn what_is_not_known_about_exploitation_is_not_said() {
    let words = [
        "epss",
        "EPSS",
        "exploited",
        "Exploited",
        "kev",
        "KEV",
        "percentile",
    ];
    for info in FORMATS {
        let text = rendered(
            info.format,
            &sample::report(vec![sample::findings()]),
            &options(),
        );
        let text = match info.format {
            // The names of the columns are always there.
            Format::Csv => text.split_once("\r\n").unwrap().1.to_owned(),
            _ => body(&text),
        };
        for word in words {
            assert!(!text.contains(word), "{}: {word}: {text}", info.name);
        }
    }
}

#[test]
fn what_is_exploited_shows_in_every_format_that_has_a_place_for_it() {
    // Trivy's schema, SPDX and OpenVEX have none.
    let silent = [Format::TrivyJson, Format::Spdx, Format::OpenVex];
    let report = sample::report_with_lists(sample::exploited());
    for format in FORMATS.iter().map(|info| info.format) {
        let text = rendered(format, &report, &options());
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let expected = !silent.contains(&format);
        assert_eq!(
            says(&["exploited", "knownExploited", "cleanbill:kev"]),
            expected,
            "{format}: {text}"
        );
        let due = says(&["2026-04-22"]);
        let is_short = matches!(format, Format::Table | Format::Markdown);
        assert_eq!(due, expected && !is_short, "{format}: {text}");
        let score = says(&["0.94213", "94.2 %", "94.2&nbsp;%"]);
        assert_eq!(
            score,
            expected && format != Format::Table,
            "{format}: {text}"
        );
    }
}

#[test]
fn what_is_excepted_is_listed_without_being_asked_for() {
    let report = sample::report(vec![sample::excepted()]);
    for info in FORMATS {
        let (format, text) = (info.format, rendered(info.format, &report, &options()));
        if format == Format::Spdx {
            continue;
        }
        for said in [
            "CVE-2026-1001",
            "accepted until the next release",
            "payments",
            "SEC-1",
            "2026-12-31",
        ] {
            assert!(text.contains(said), "{format}: {said}: {text}");
        }
        let shows_all = matches!(format, Format::Html | Format::OpenVex);
        let has_other = text.contains("vulnerable_code_not_present")
            || text.contains("vulnerable code not present");
        assert_eq!(has_other, shows_all, "{format}: {text}");
    }
}

#[test]
fn what_counts_again_says_so_on_pages() {
    let mut image = sample::findings();
    image.results[0].findings[2].lapsed_exception =
        "exceptions.yaml:3 has expired on 2026-11-01".into();
    let report = sample::report(vec![image]);
    for format in [Format::Table, Format::Markdown, Format::Html] {
        let text = rendered(format, &report, &options());
        let said = "exceptions.yaml:3 has expired on 2026-11-01: CVE-2026-1001 counts again";
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.replace('\\', "").contains(said), "{format}: {text}");
    }
}

#[test]
fn a_writer_that_fails_is_reported() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("disk full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for info in FORMATS {
        let report = sample::report(vec![sample::findings()]);
        let error = render(info.format, &report, &options(), &mut Full).unwrap_err();
        assert!(matches!(error, RenderError::Write(_)));
    }
}
