use cleanbill_report::escape::link::web_address;
use proptest::prelude::*;

use super::{HTML_SIZE_BYTES_MAX, mail};
use crate::notify::samples::{self, any_message, check_golden};

/// Elements and attributes that the page is made of.
const ELEMENTS: [&str; 24] = [
    "!doctype", "html", "head", "meta", "title", "style", "body", "table", "tr", "td", "h1", "h2",
    "p", "div", "span", "strong", "code", "a", "br", "tbody", "ul", "li", "em", "hr",
];
const ATTRIBUTES: [&str; 14] = [
    "lang",
    "charset",
    "name",
    "content",
    "class",
    "style",
    "role",
    "width",
    "cellpadding",
    "cellspacing",
    "align",
    "href",
    "rel",
    "html",
];

/// Checks that the page consists of our own elements, properly closed, and loads nothing.
#[track_caller]
fn check_html(html: &str) {
    assert!(html.len() <= HTML_SIZE_BYTES_MAX, "{} bytes", html.len());
    let (before, rest) = html.split_once("<style>").unwrap();
    let (style, after) = rest.split_once("</style>").unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"));
    let mut open = Vec::new();
    for tag in format!("{before}{after}").split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap();
        assert!(!text.contains('>'), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{tag}");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(ELEMENTS.contains(&name), "{tag}");
        check_attributes(attributes);
        if !["!doctype", "meta", "br"].contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert_eq!(open, Vec::<String>::new());
    let harmless: String = html.chars().filter(|char| *char != '\n').collect();
    assert_eq!(harmless, cleanbill_report::text::clean(&harmless));
}

#[track_caller]
fn check_attributes(attributes: &str) {
    let mut rest = attributes;
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').unwrap();
        assert!(ATTRIBUTES.contains(&name.trim()), "{attributes}");
        if name.trim() == "href" {
            assert!(
                web_address(&value.replace("&amp;", "&")).is_some(),
                "{value}"
            );
        }
        assert!(!value.contains("url("), "{value}");
        rest = after;
    }
    assert!(["", "html"].contains(&rest.trim()), "{attributes}");
}

#[test]
fn both_parts_are_as_they_were() {
    for (name, message) in samples::all() {
        let mail = mail(&message);
        check_html(&mail.html);
        assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
        if name == "many" {
            let sizes = format!("text {}, html {}\n", mail.text.len(), mail.html.len());
            check_golden("mail_many.txt", &sizes);
            continue;
        }
        check_golden(
            &format!("mail_{name}.txt"),
            &format!("{}\n\n{}", mail.subject, mail.text),
        );
        check_golden(&format!("mail_{name}.html"), &mail.html);
    }
}

#[track_caller]
fn check_subject(message: &crate::notify::Notification, expected: &str) {
    assert_eq!(mail(message).subject, expected);
}

#[test]
fn subjects_have_the_older_form() {
    check_subject(
        &samples::changes(),
        "[Image Scanner] Scan report: 5 images; new=3, resolved=1, errors=1; KNOWN EXPLOITED",
    );
    check_subject(
        &samples::errors(),
        "[Image Scanner] Scan report: 3 images; new=0, resolved=0, errors=3",
    );
    check_subject(
        &samples::quiet(),
        "[Image Scanner] All quiet: 42 images assessed, database 5 h old",
    );
}

#[test]
fn lines_have_the_older_form() {
    let text = mail(&samples::changes()).text;
    for line in [
        "- shop/web:1.4: new 2; resolved 0 | counts: 12 | CRITICAL: 1, HIGH: 4, MEDIUM: 6, LOW: 3, UNKNOWN: 0",
        "- old/thing:latest: ERROR (see /var/log/security-scans/scan-2026-11-22T06-30-00Z--old__thing__latest.log)",
    ] {
        assert!(
            text.lines().any(|found| found.starts_with(line)),
            "{line}\n{text}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_text_becomes_markup(message in any_message()) {
        let mail = mail(&message);
        check_html(&mail.html);
        prop_assert!(!mail.subject.chars().any(char::is_control));
        let text: String = mail.text.chars().filter(|char| *char != '\n').collect();
        prop_assert_eq!(&text, &cleanbill_report::text::clean(&text));
    }
}
