//! Packages that Seal Security has patched. Its advisories replace those of the ecosystem.
//!
//! Source: spec 04 section 2.3, Trivy `pkg/detector/library/seal/seal.go`.

use cleanbill_version::VersionScheme;

use super::ecosystem::{Ecosystem, Shelf};

/// Says how sure it is that a package is the supplier's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Supply {
    Certain,
    /// Its version ends as the supplier's do, but others' may too: it is his if he has advisories
    /// for it.
    Possible,
}

/// Says how the supplier marks its packages in an ecosystem.
struct Marks {
    /// Where the advisories of the ecosystem are.
    ecosystem: &'static str,
    /// Where the supplier's are.
    shelf: Shelf,
    /// Says whether a name is the supplier's own.
    is_named: fn(&str) -> bool,
    /// What stands in a version before `sp1` or `sp1p2`.
    separator: &'static str,
    /// What a version may end with after the mark.
    ending: &'static str,
    /// What the mark in a version means.
    marked: Supply,
}

const MARKS: &[Marks] = &[
    Marks {
        ecosystem: "maven::",
        shelf: shelf("seal maven::", VersionScheme::Maven),
        is_named: |name| {
            let number = name.strip_prefix("seal.sp").unwrap_or_default();
            number.starts_with(|c: char| c.is_ascii_digit())
        },
        separator: "+",
        ending: "",
        marked: Supply::Certain,
    },
    Marks {
        ecosystem: "pip::",
        shelf: shelf("seal pip::", VersionScheme::Pep440Local),
        is_named: |name| name.starts_with("seal-"),
        separator: "+",
        ending: "",
        marked: Supply::Certain,
    },
    Marks {
        ecosystem: "npm::",
        shelf: shelf("seal npm::", VersionScheme::Npm),
        is_named: |name| name.starts_with("@seal-security/"),
        separator: "-",
        ending: "",
        marked: Supply::Possible,
    },
    Marks {
        ecosystem: "go::",
        shelf: shelf("seal go::", VersionScheme::Generic),
        is_named: |name| name.starts_with("sealsecurity.io/"),
        separator: "-",
        ending: "+incompatible",
        marked: Supply::Possible,
    },
    Marks {
        ecosystem: "rubygems::",
        shelf: shelf("seal rubygems::", VersionScheme::Gem),
        is_named: |name| name.starts_with("seal-"),
        separator: ".0.1.",
        ending: "",
        marked: Supply::Possible,
    },
];

const fn shelf(prefix: &'static str, scheme: VersionScheme) -> Shelf {
    Shelf { prefix, scheme }
}

/// Returns where the supplier's advisories for a package are, if it is or may be his.
pub(super) fn supply(
    ecosystem: &Ecosystem,
    name: &str,
    version: &str,
) -> Option<(&'static Shelf, Supply)> {
    let marks = MARKS
        .iter()
        .find(|marks| marks.ecosystem == ecosystem.shelf.prefix)?;
    if (marks.is_named)(name) {
        return Some((&marks.shelf, Supply::Certain));
    }
    let version = version.strip_suffix(marks.ending).unwrap_or(version);
    is_marked(version, marks.separator).then_some((&marks.shelf, marks.marked))
}

/// Says whether a version ends with the separator and `sp1` or `sp1p2`.
fn is_marked(version: &str, separator: &str) -> bool {
    let ends_marked = |text: &str| {
        let before = text.strip_suffix("sp");
        before.is_some_and(|before| before.ends_with(separator))
    };
    let Some(before) = without_digits(version) else {
        return false;
    };
    let private = || before.strip_suffix('p').and_then(without_digits);
    ends_marked(before) || private().is_some_and(ends_marked)
}

/// Cuts off the digits at the end; `None` if there are none.
fn without_digits(text: &str) -> Option<&str> {
    let before = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (before.len() < text.len()).then_some(before)
}
