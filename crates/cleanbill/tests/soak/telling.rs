//! What people were told: messages read as they were received, one after the other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::Finding;

/// What a message says of one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    finding: Finding,
    is_open: bool,
}

/// Returns what somebody knows who has read all of this.
pub(crate) fn known(messages: impl IntoIterator<Item = Vec<Told>>) -> BTreeSet<Finding> {
    let mut known = BTreeSet::new();
    for told in messages.into_iter().flatten() {
        if told.is_open {
            known.insert(told.finding);
        } else {
            known.remove(&told.finding);
        }
    }
    known
}

/// Reads the body of a webhook.
pub(crate) fn read_call(body: &str) -> Vec<Told> {
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(body.get("vulnerabilities_left_out").is_none(), "{body}");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut told = Vec::new();
    for group in list(&body["vulnerabilities"]) {
        assert!(group.get("hits_left_out").is_none(), "{group}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for hit in list(&group["hits"]) {
            let happening = text(&hit["happening"]);
            told.push(Told {
                finding: (text(&hit["image"]), text(&group["id"])),
                is_open: is_open(&happening.replace('_', " "), &text(&group["severity"])),
            });
        }
    }
    told
}

/// Reads the plain text of a mail, as a person would.
pub(crate) fn read_mail(text: &str) -> Vec<Told> {
    assert!(
        !text.contains("Not shown") && !text.contains(" more"),
        "{text}"
    );
    let section = text.split("What changed\n").nth(1).unwrap_or_default();
    let section = section
        .split("Images with changes\n")
        .next()
        .unwrap_or_default();
    let mut told = Vec::new();
    let (mut severity, mut id) = ("", "");
    for line in section.lines() {
        if let Some((first, rest)) = line.split_once(" CVE-") {
            if !first.contains(' ') && first.chars().all(|char| char.is_ascii_uppercase()) {
                severity = first;
                id = rest.split(' ').next().unwrap_or_default();
            }
        } else if let Some((what, images)) = line
            .strip_prefix("- ")
            .and_then(|line| line.split_once(" – in "))
        {
            let happening = match what {
                _ if what.ends_with(": resolved") => "resolved",
                _ if what.contains(": was ") => "severity changed",
                _ => "new",
            };
            told.extend(images.split(", ").map(|image| Told {
                finding: (image.to_owned(), format!("CVE-{id}")),
                is_open: is_open(happening, severity),
            }));
        }
    }
    told
}

/// Says whether somebody who hears this has something to do. What fell below the filter is told as
/// rated anew.
fn is_open(happening: &str, severity: &str) -> bool {
    match happening {
        "resolved" => false,
        "severity changed" => matches!(severity, "HIGH" | "CRITICAL"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(image: &str, id: &str, is_open: bool) -> Told {
        Told {
            finding: (image.to_owned(), id.to_owned()),
            is_open,
        }
    }

    #[test]
    fn a_mail_is_read_as_people_read_it() {
        let mail = "\
[Image Scanner] Scan report: 2 images; new=2, resolved=1, errors=0

What changed
------------

CRITICAL CVE-2099-1000 · new · resolved
bash
- bash 1.0-1: upgrade to 2.0-1 – in soak/app:1, soak/app:2
- bash 1.0-1: resolved – in soak/app:3
Why: the image changed from sha256:6db7d803e74f to sha256:f39592393ef0

MEDIUM CVE-2099-1001 · severity changed
- curl 1.0-1: was HIGH, upgrade to 2.0-1 – in soak/app:1

Images with changes
-------------------
- soak/app:1: new 1; resolved 0 | counts: 1 – in vain
";
        let expected = [
            told("soak/app:1", "CVE-2099-1000", true),
            told("soak/app:2", "CVE-2099-1000", true),
            told("soak/app:3", "CVE-2099-1000", false),
            told("soak/app:1", "CVE-2099-1001", false),
        ];
        assert_eq!(read_mail(mail), expected);
    }

    #[test]
    fn what_is_resolved_is_not_known_any_more() {
        let body = |happening: &str, severity: &str| {
            let hit = format!(r#"{{"image":"a:1","happening":"{happening}"}}"#);
            format!(
                r#"{{"vulnerabilities":[{{"id":"CVE-1","severity":"{severity}","hits":[{hit}]}}]}}"#
            )
        };
        let new = read_call(&body("new", "HIGH"));
        assert_eq!(known([new.clone()]).len(), 1);
        for last in [body("resolved", "HIGH"), body("severity_changed", "MEDIUM")] {
            assert!(known([new.clone(), read_call(&last)]).is_empty());
        }
        let rated = read_call(&body("severity_changed", "CRITICAL"));
        assert_eq!(known([new, rated]).len(), 1);
    }
}
