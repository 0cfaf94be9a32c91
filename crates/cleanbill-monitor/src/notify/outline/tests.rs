use proptest::prelude::*;

use super::{
    Detail, Line, Markdown, Markup, Outline, Piece, PlainText, SlackText, join_lines, write_line,
};
use crate::notify::message::{ExpiringException, Notification};
use crate::notify::samples;

#[track_caller]
fn check(markup: &dyn Markup, text: &str, expected: &str) {
    assert_eq!(markup.text(text), expected);
}

#[test]
fn slack_reads_no_markup_in_texts() {
    check(&SlackText, "a < b & c", "a &lt; b &amp; c");
    check(&SlackText, "<!here>", "&lt;!here&gt;");
    check(&SlackText, "*a* _b_ ~c~ `d`", "∗a∗ ˍbˍ ∼c∼ ˋdˋ");
    check(&SlackText, "see: x", "see: x");
    check(&SlackText, ":skull:", ":\u{2060}skull:");
    check(&SlackText, "06:30 sha256:ab", "06:30 sha256:ab");
    assert_eq!(SlackText.code("a`<b>_c_"), "`aˋ&lt;b&gt;_c_`");
    assert_eq!(
        SlackText.link("a|b>", "https://x/?a&b"),
        "<https://x/?a&amp;b|a|b&gt;>"
    );
}

#[test]
fn markdown_reads_no_markup_in_texts() {
    check(&Markdown::COMMON, "[a](b)", r"\[a\]\(b\)");
    check(&Markdown::COMMON, "<b> & *", r"\<b\> \& \*");
    check(&Markdown::MATTERMOST, "<b> & *", r"‹b› & \*");
    check(&Markdown::COMMON, "@everyone", "@\u{2060}everyone");
    check(&Markdown::COMMON, "http://x", "http:\u{2060}//x");
    check(&Markdown::COMMON, "www.x", "www\u{2060}.x");
    check(&Markdown::COMMON, "1.2.3", "1.2.3");
    assert_eq!(Markdown::COMMON.code("a`b|*"), "`aˋb|*`");
    assert_eq!(
        Markdown::COMMON.link("x", "https://x/(a)[b]"),
        "[x](https://x/%28a%29%5Bb%5D)"
    );
}

#[test]
fn exceptions_that_expire_soon_are_named_at_the_end() {
    let one = |number: usize, owner: &str| ExpiringException {
        source: format!("exceptions.yaml:{number}"),
        rule: format!("CVE-2026-{number:04}"),
        owner: owner.to_owned(),
        expires: "2026-11-30".to_owned(),
    };
    let footer = |exceptions_expiring: Vec<ExpiringException>| {
        let message = Notification {
            exceptions_expiring,
            ..Notification::default()
        };
        Outline::new(&message, 0, Detail::CHAT).footer
    };
    let named = footer(vec![one(1, "pay*ments"), one(2, "")]);
    let expected = "Exceptions that expire soon: CVE-2026-0001 (pay*ments) on 2026-11-30; \
                    CVE-2026-0002 on 2026-11-30.";
    assert!(named.contains(&Line::text(expected)), "{named:?}");
    let many = footer((1..=7).map(|number| one(number, "")).collect());
    let ends = |line: &Line| matches!(line.pieces.as_slice(), [Piece::Text(text)] if text.ends_with("; and 2 more."));
    assert!(many.iter().any(ends), "{many:?}");
    assert_eq!(footer(Vec::new()).len(), named.len() - 1);
}

#[test]
fn lines_are_left_out_whole() {
    let lines = ["one", "two", "three"].map(str::to_owned);
    assert_eq!(join_lines(&lines, 100, str::len), "one\ntwo\nthree");
    assert_eq!(join_lines(&lines, 13, str::len), "one\ntwo\nthree");
    assert_eq!(join_lines(&lines, 12, str::len), "one\ntwo\n…");
    assert_eq!(join_lines(&lines, 1, str::len), "one\n…");
    assert_eq!(join_lines(&[], 1, str::len), "");
}

#[test]
fn lines_of_hostile_texts_stay_short() {
    for detail in [Detail::BRIEF, Detail::CHAT, Detail::MAIL] {
        let outline = Outline::new(&samples::hostile(), usize::MAX, detail);
        let lines = outline.entries.iter().flat_map(|entry| &entry.lines);
        for line in lines.chain(&outline.summary).chain(&outline.footer) {
            for markup in [&SlackText as &dyn Markup, &Markdown::COMMON, &PlainText] {
                let text = write_line(line, markup);
                assert!(text.encode_utf16().count() <= 2_900, "{text}");
                assert!(!text.contains(['\n', '\r']), "{text}");
            }
        }
    }
}

#[track_caller]
fn check_start(text: &str, is_kept_apart: bool) {
    let line = Line::text(text);
    for markup in [
        &SlackText as &dyn Markup,
        &Markdown::COMMON,
        &Markdown::MATTERMOST,
    ] {
        let written = write_line(&line, markup);
        assert_eq!(written.starts_with('\u{2060}'), is_kept_apart, "{written}");
    }
    assert_eq!(write_line(&line, &PlainText), text);
}

#[test]
fn titles_begin_no_block() {
    for text in [
        "> quote", "- item", "+ item", "* item", "# title", "---", "===", "1. a", "1) a",
    ] {
        check_start(text, true);
    }
    for text in ["openssl: a", "5 images", "2026-11-22", "漢", ""] {
        check_start(text, false);
    }
}

#[test]
fn an_empty_name_is_still_seen() {
    let line = Line::of(vec![
        Piece::Code(String::new()),
        Piece::Strong(String::new()),
    ]);
    assert_eq!(write_line(&line, &PlainText), "?");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn slack_texts_hold_no_control_sequence(text in "[<>&*_~`@:#! a-c|]{0,30}") {
        let written = SlackText.text(&text);
        prop_assert!(!written.contains(['<', '>', '*', '_', '~', '`']));
        prop_assert!(!written.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").contains('&'));
        let code = SlackText.code(&text);
        prop_assert_eq!(code.matches('`').count(), 2);
        prop_assert!(!code.contains(['<', '>']));
    }

    #[test]
    fn markdown_texts_hold_no_markup(text in "[-<>&*_~`@:#!\\[\\]()\\\\|/. a-cw]{0,30}") {
        for markdown in [Markdown::COMMON, Markdown::MATTERMOST] {
            let written = markdown.text(&text);
            let mut chars = written.chars().peekable();
            while let Some(char) = chars.next() {
                match char {
                    '\\' => { chars.next(); }
                    '`' | '*' | '_' | '~' | '[' | ']' | '(' | ')' | '|' | '#' | '<' | '>' =>
                        prop_assert!(false, "{} of {}", char, written),
                    '@' => prop_assert_eq!(chars.peek(), Some(&'\u{2060}')),
                    _ => {}
                }
            }
            prop_assert!(!written.contains("://"));
            prop_assert!(!written.to_ascii_lowercase().contains("www."));
            prop_assert_eq!(markdown.code(&text).matches('`').count(), 2);
        }
    }
}
