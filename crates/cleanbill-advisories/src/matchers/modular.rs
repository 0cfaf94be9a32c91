//! Names of packages that belong to a module (Red Hat and its rebuilds).

use std::borrow::Cow;

use cleanbill_core::package::Package;

/// Returns the name under which a package of a module is looked up: `nodejs:12::npm`.
///
/// Source: spec 02 section 6, "Modular name".
pub(super) fn name(package: &Package) -> Cow<'_, str> {
    let label = package.modularity_label.as_str();
    let stream = label
        .match_indices(':')
        .nth(1)
        .and_then(|(end, _)| label.get(..end));
    match stream {
        Some(stream) => Cow::Owned(format!("{stream}::{}", package.name)),
        None => Cow::Borrowed(&package.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parts_of_the_label_stand_in_front() {
        for (label, expected) in [
            ("nodejs:12:8030020201124152102:229f0a1c", "nodejs:12::npm"),
            ("nodejs:12:", "nodejs:12::npm"),
            ("nodejs:12", "npm"),
            ("nodejs", "npm"),
            ("::", ":::npm"),
            ("", "npm"),
        ] {
            let package = Package {
                name: "npm".to_owned(),
                modularity_label: label.to_owned(),
                ..Package::default()
            };
            assert_eq!(name(&package), expected, "of '{label}'");
        }
    }
}
