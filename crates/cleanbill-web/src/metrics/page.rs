//! The page of the documentation: written from the table, so that the two cannot drift.

use std::fmt::Write as _;

use super::families::{FAMILIES, Family};
use super::report;

/// Returns `docs/metrics.md`.
pub fn page() -> String {
    let mut page = String::from(include_str!("page/above.md"));
    table(&mut page, FAMILIES);
    page.push_str(include_str!("page/below.md"));
    page.push_str(include_str!("page/report.md"));
    table(&mut page, report::FAMILIES);
    page.push_str(include_str!("page/report_below.md"));
    page
}

fn table(page: &mut String, families: &[&Family]) {
    page.push_str("\n| Metric | Kind | Labels | Says |\n|---|---|---|---|\n");
    for family in families {
        row(page, family);
    }
    page.push('\n');
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
        for part in [
            include_str!("page/above.md"),
            include_str!("page/below.md"),
            include_str!("page/report.md"),
            include_str!("page/report_below.md"),
        ] {
            let names = part
                .split(|char: char| !(char.is_ascii_lowercase() || char == '_'))
                .filter(|word| word.starts_with("cleanbill_"));
            for name in names {
                let mut all = FAMILIES.iter().chain(report::FAMILIES);
                // What names begin with is a name of all of them.
                let is_beginning = name.ends_with('_');
                let is_known = all.any(|family| {
                    family.name == name || is_beginning && family.name.starts_with(name)
                });
                assert!(is_known, "{name}");
            }
        }
    }
}
