//! The page of the documentation: written from the table, so that the two cannot drift.

use std::fmt::Write as _;

use super::families::{FAMILIES, Family};

/// Returns `docs/metrics.md`.
pub fn page() -> String {
    let mut page = String::from(include_str!("page/above.md"));
    page.push_str("\n| Metric | Kind | Labels | Says |\n|---|---|---|---|\n");
    for family in FAMILIES {
        row(&mut page, family);
    }
    page.push('\n');
    page.push_str(include_str!("page/below.md"));
    page
}

fn row(page: &mut String, family: &Family) {
    let labels: Vec<String> = family
        .labels
        .iter()
        .map(|label| format!("`{label}`"))
        .collect();
    let (name, kind) = (family.name, family.kind.name());
    // Writing into memory does not fail.
    let _ = writeln!(
        page,
        "| `{name}` | {kind} | {} | {} |",
        labels.join(", "),
        family.help()
    );
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_page_is_what_the_table_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(committed == page(), "run `cargo xtask gen`");
    }

    #[test]
    fn what_the_text_around_the_table_names_exists() {
        for part in [include_str!("page/above.md"), include_str!("page/below.md")] {
            let names = part
                .split(|char: char| !(char.is_ascii_lowercase() || char == '_'))
                .filter(|word| word.starts_with("cleanbill_"));
            for name in names {
                let is_known = FAMILIES.iter().any(|family| family.name == name);
                assert!(is_known, "{name}");
            }
        }
    }
}
