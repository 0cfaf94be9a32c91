//! Documentation that would go stale if nothing looked at it.

use std::path::Path;

use cleanbill_core::Limits;
use cleanbill_core::problem::ProblemKind;

fn document(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(name)).unwrap()
}

/// Prints a limit as the table does.
fn amount(name: &str, value: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    if name.contains("bytes")
        && let Some((unit, word)) = UNITS.iter().find(|(unit, _)| value.is_multiple_of(*unit))
    {
        return format!("{} {word}", value / unit);
    }
    let digits = value.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect();
    groups.join(",")
}

#[test]
fn every_limit_is_documented_with_its_default() {
    let page = document("docs/limits.md");
    // The fields, as the derived form prints them: none can be forgotten here.
    let limits = format!("{:#?}", Limits::default());
    let mut count = 0;
    for line in limits.lines() {
        let Some((name, value)) = line.trim().trim_end_matches(',').split_once(": ") else {
            continue;
        };
        let row = format!("| `{name}` | {}", amount(name, value.parse().unwrap()));
        assert!(page.contains(&row), "docs/limits.md lacks '{row}'");
        count += 1;
    }
    assert!(count > 15, "{limits}");
    assert_eq!(page.matches("| `").count(), count, "a limit that is gone");
}

#[test]
fn every_problem_kind_is_documented() {
    let page = document("docs/not-assessed.md");
    let gaps = page.find("## Gaps").unwrap();
    let notices = page.find("## Notices").unwrap();
    for kind in problem_kinds() {
        let at = page.find(&format!("| `{kind}` |"));
        let at = at.unwrap_or_else(|| panic!("docs/not-assessed.md lacks {kind}"));
        assert!(at > gaps);
        assert_eq!(
            at < notices,
            kind.is_gap(),
            "{kind} stands in the wrong table"
        );
    }
}

/// Lists every kind: the error about one that does not exist names those that do.
fn problem_kinds() -> Vec<ProblemKind> {
    let error = serde_json::from_str::<ProblemKind>("\"none\"").unwrap_err();
    let words = error.to_string();
    let named = words.split('`').skip(3).step_by(2);
    let kinds: Vec<ProblemKind> = named
        .map(|name| serde_json::from_str(&format!("\"{name}\"")).unwrap())
        .collect();
    assert!(kinds.len() > 5, "{words}");
    kinds
}

#[test]
fn links_of_the_documentation_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec!["README.md".to_owned(), "ARCHITECTURE.md".to_owned()];
    for directory in ["docs", "docs/reference", "docs/decisions"] {
        for entry in std::fs::read_dir(root.join(directory)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                pages.push(format!("{directory}/{name}"));
            }
        }
    }
    for page in pages {
        let text = document(&page);
        let directory = Path::new(&page).parent().unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = link.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            assert!(
                root.join(directory).join(path).exists(),
                "{page} links to {link}"
            );
        }
    }
}
