//! The identifiers of the SPDX licence list: facts, in `spdx/`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The identifiers of licences, one a line, deprecated ones among them.
pub const LICENSE_IDS: &str = include_str!("spdx/licenses.txt");

/// The identifiers of exceptions to licences, one a line.
const EXCEPTION_IDS: &str = include_str!("spdx/exceptions.txt");

type Table = LazyLock<HashMap<String, &'static str>>;

static LICENSES: Table = LazyLock::new(|| index(LICENSE_IDS));
static EXCEPTIONS: Table = LazyLock::new(|| index(EXCEPTION_IDS));

/// Returns the identifier of a licence as the list spells it; letters count in any case.
///
/// Source: SPDX 2.3 annex D, "License expression syntax": identifiers match in any case.
pub fn license_id(text: &str) -> Option<&'static str> {
    LICENSES.get(&text.to_ascii_lowercase()).copied()
}

/// Returns the identifier of an exception as the list spells it; letters count in any case.
pub fn exception_id(text: &str) -> Option<&'static str> {
    EXCEPTIONS.get(&text.to_ascii_lowercase()).copied()
}

fn index(list: &'static str) -> HashMap<String, &'static str> {
    list.lines()
        .map(|id| (id.to_ascii_lowercase(), id))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_found_in_any_case() {
        assert_eq!(license_id("apache-2.0"), Some("Apache-2.0"));
        assert_eq!(license_id("GPL-2.0-or-later"), Some("GPL-2.0-or-later"));
        assert_eq!(license_id("Apache License"), None);
        assert_eq!(
            exception_id("classpath-exception-2.0"),
            Some("Classpath-exception-2.0")
        );
        assert_eq!(exception_id("MIT"), None);
    }
}
