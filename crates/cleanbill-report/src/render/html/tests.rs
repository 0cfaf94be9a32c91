use cleanbill_core::Digest;
use cleanbill_core::report::ImageReport;

use super::{SCRIPT, STYLE, base64};
use crate::sample::{self, options, rendered};
use crate::{Format, RenderOptions};

fn page(images: Vec<ImageReport>) -> String {
    rendered(Format::Html, &sample::report(images), &options())
}

#[test]
fn the_policy_allows_our_style_and_script_and_nothing_else() {
    let page = page(sample::all());
    for (element, text) in [("style", STYLE), ("script", SCRIPT)] {
        let source = format!(
            "{element}-src 'sha256-{}'",
            base64(Digest::of(text.as_bytes()).as_bytes())
        );
        assert!(page.contains(&source), "{source}");
        assert_eq!(page.matches(&format!("<{element}")).count(), 1);
        assert!(page.contains(&format!("<{element}>{text}</{element}>")));
    }
    assert!(page.contains("default-src 'none'"));
    for forbidden in [" style=", " src=", " onclick", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn base64_is_padded() {
    for (bytes, expected) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
    ] {
        assert_eq!(base64(bytes.as_bytes()), expected);
    }
}

#[test]
fn only_what_is_clean_is_green() {
    let is_green = |image: ImageReport| page(vec![image]).contains("<p class=\"none is-good\">");
    assert!(is_green(sample::clean()));
    assert!(!is_green(sample::partial()));
    assert!(!is_green(sample::failed()));
    assert!(!is_green(ImageReport::default()), "no packages");
    let mut old = sample::clean();
    old.is_end_of_life = true;
    assert!(!is_green(old));
    let filtered = RenderOptions {
        selection: "CRITICAL".to_owned(),
        ..options()
    };
    let page = rendered(
        Format::Html,
        &sample::report(vec![sample::clean()]),
        &filtered,
    );
    assert!(
        !page.contains("<p class=\"none is-good\">"),
        "not everything is shown"
    );
    assert!(page.contains("Shown are only: CRITICAL"));
}

#[test]
fn exploited_findings_are_marked_and_can_be_filtered() {
    let filter = "name=\"exploited\"";
    let card = "<span>exploited</span>";
    let page = rendered(
        Format::Html,
        &sample::report_with_lists(sample::exploited()),
        &options(),
    );
    assert_eq!(page.matches("data-x=\"1\"").count(), 1);
    for text in [
        filter,
        card,
        ">exploited</span>",
        "to be fixed by 2026-04-22",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert_eq!(page.matches("data-name=\"EPSS\"").count(), 2);
    // There was a catalogue, but nothing of it is in the image.
    let none = rendered(
        Format::Html,
        &sample::report_with_lists(sample::findings()),
        &options(),
    );
    assert!(none.contains(card) && !none.contains(filter));
}

#[test]
fn suppressed_findings_are_there_with_their_reason() {
    let page = page(vec![sample::suppressed()]);
    for text in [
        "2 findings suppressed",
        "accepted until the next release",
        ".trivyignore.yaml",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let mut image = sample::hostile();
    let evil = "</td><script>alert(1)</script><img src=x onerror=alert(1)>";
    image.artifact_name = evil.to_owned();
    image.metadata.layers[0].created_by = evil.to_owned();
    for finding in image
        .results
        .iter_mut()
        .flat_map(|result| &mut result.findings)
    {
        finding.package_name = evil.to_owned();
        finding.primary_url = "javascript:alert(1)".to_owned();
        let mut details = finding.details.as_deref().cloned().unwrap_or_default();
        details.title = evil.to_owned();
        details.description = evil.to_owned();
        details.references = vec![
            "javascript:alert(1)".to_owned(),
            "https://a/\"><b".to_owned(),
        ];
        finding.details = Some(details.into());
    }
    let page = page(vec![image]);
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img"));
    assert!(!page.contains("javascript:"));
}
