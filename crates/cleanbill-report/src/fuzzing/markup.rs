//! Reads HTML and XML as strictly as nothing else does: what is not expected is a failure.

/// Elements that a page may have, with the ones that have no end.
const HTML_ELEMENTS: &[&str] = &[
    "html", "head", "meta", "title", "style", "body", "header", "div", "h1", "h2", "p", "span",
    "b", "form", "input", "label", "output", "main", "section", "ul", "li", "code", "table",
    "thead", "tbody", "tr", "th", "td", "a", "details", "summary", "dl", "dt", "dd", "footer",
    "script",
];
const HTML_VOID: &[&str] = &["meta", "input"];
const XML_ELEMENTS: &[&str] = &[
    "testsuites",
    "testsuite",
    "properties",
    "property",
    "testcase",
    "failure",
    "error",
    "skipped",
    "system-out",
];
const HTML_ATTRIBUTES: &[&str] = &[
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "id",
    "hidden",
    "role",
    "type",
    "placeholder",
    "aria-label",
    "aria-live",
    "value",
    "checked",
    "href",
    "rel",
    "data-s",
    "data-f",
    "data-o",
    "data-x",
    "data-k",
    "data-name",
    "open",
];
const XML_ATTRIBUTES: &[&str] = &[
    "name",
    "tests",
    "failures",
    "errors",
    "skipped",
    "time",
    "timestamp",
    "value",
    "classname",
    "type",
    "message",
    "version",
    "encoding",
];

/// Checks that a page is well formed and holds nothing but what was meant to be in it.
pub(super) fn check_html(page: &str) {
    let page = page.strip_prefix("<!doctype html>").expect("it is a page");
    check(page, HTML_ELEMENTS, HTML_VOID, HTML_ATTRIBUTES);
}

/// Checks that a document is well formed and holds nothing but what was meant to be in it.
pub(super) fn check_xml(document: &str) {
    let rest = document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    check(rest.expect("it is XML"), XML_ELEMENTS, &[], XML_ATTRIBUTES);
}

fn check(text: &str, elements: &[&str], void: &[&str], attributes: &[&str]) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        check_text(before);
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "elements are nested");
            continue;
        }
        let is_closed = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let name = tag.split(' ').next().unwrap_or_default();
        assert!(elements.contains(&name), "<{tag}> is no element of ours");
        check_attributes(tag.get(name.len()..).unwrap_or_default(), attributes);
        if matches!(name, "style" | "script") {
            let end = format!("</{name}>");
            let (_, after) = rest.split_once(&end).expect("style and script end");
            rest = after;
        } else if !is_closed && !void.contains(&name) {
            open.push(name);
        }
    }
    check_text(rest);
    assert!(open.is_empty(), "{open:?} are not closed");
}

fn check_text(text: &str) {
    for line in text.split('\n') {
        assert_eq!(crate::text::clean(line), line, "text is harmless");
    }
    let is_escape = |rest: &str| {
        ["amp;", "lt;", "gt;", "quot;", "#39;"]
            .iter()
            .any(|name| rest.starts_with(name))
    };
    assert!(
        text.split('&').skip(1).all(is_escape),
        "'{text}' has a bare ampersand"
    );
    assert!(!text.contains(['\u{fffe}', '\u{ffff}']));
}

fn check_attributes(text: &str, known: &[&str]) {
    let mut rest = text;
    while let Some(attribute) = rest.strip_prefix(' ') {
        let end = attribute.find(['=', ' ']).unwrap_or(attribute.len());
        let (name, after) = attribute.split_at(end);
        assert!(
            known.contains(&name),
            "{name} is no attribute of ours in '{text}'"
        );
        rest = match after.strip_prefix("=\"") {
            None => after,
            Some(value) => {
                let (value, after) = value.split_once('"').expect("a value ends");
                check_text(value);
                let is_link = value.starts_with("http://")
                    || value.starts_with("https://")
                    || value.starts_with('#');
                assert!(
                    name != "href" || is_link || value.to_ascii_lowercase().starts_with("http"),
                    "a link leads to {value}"
                );
                after
            }
        };
    }
    assert_eq!(rest, "", "attributes are quoted in '{text}'");
}
