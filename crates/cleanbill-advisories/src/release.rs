//! How much of a release's name selects its advisories and its end of life.
//!
//! Source: spec 02 sections 4.1, 6.3 and 6.4.

use jiff::Timestamp;

use crate::end_of_life;

/// Returns the text before the first dot: `12.5` → `12`.
pub(crate) fn major(release: &str) -> &str {
    release.split_once('.').map_or(release, |(major, _)| major)
}

/// Returns the first two dotted parts: `3.17.2` → `3.17`.
pub(crate) fn minor(release: &str) -> &str {
    release
        .match_indices('.')
        .nth(1)
        .and_then(|(end, _)| release.get(..end))
        .unwrap_or(release)
}

/// Returns the Amazon Linux that a release names: `2`, `2022`, `2023`, or else `1`.
pub(crate) fn amazon(release: &str) -> &str {
    match major(release.split_whitespace().next().unwrap_or_default()) {
        known @ ("2" | "2022" | "2023") => known,
        _ => "1",
    }
}

/// Returns the Ubuntu whose advisories apply.
///
/// Extended maintenance has advisories of its own only after standard support has ended: until
/// then `22.04-ESM` means `22.04`.
pub(crate) fn ubuntu(release: &str, now: Timestamp) -> &str {
    if end_of_life::end("ubuntu", release).is_some() {
        return release;
    }
    let base = release.trim_end_matches(['-', 'E', 'S', 'M']);
    match end_of_life::end("ubuntu", base) {
        Some(end) if now < end => base,
        _ => release,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_cut_at_dots() {
        for (release, expected_major, expected_minor) in [
            ("12.5", "12", "12.5"),
            ("3.17.2", "3", "3.17"),
            ("3.21.0_alpha20240807", "3", "3.21"),
            ("trixie/sid", "trixie/sid", "trixie/sid"),
            ("22.04-ESM", "22", "22.04-ESM"),
            ("", "", ""),
        ] {
            assert_eq!(major(release), expected_major, "major of '{release}'");
            assert_eq!(minor(release), expected_minor, "minor of '{release}'");
        }
    }

    #[test]
    fn amazon_has_four_releases() {
        for (release, expected) in [
            ("AMI release 2018.03", "1"),
            ("2 (Karoo)", "2"),
            ("2022", "2022"),
            ("2023.3.20240304 (Amazon Linux)", "2023"),
            ("", "1"),
        ] {
            assert_eq!(amazon(release), expected, "of '{release}'");
        }
    }

    #[test]
    fn extended_maintenance_counts_after_standard_support() {
        let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        for (release, expected) in [
            ("22.04", "22.04"),
            ("22.04-ESM", "22.04"),
            ("18.04-ESM", "18.04-ESM"),
            ("19.04-ESM", "19.04-ESM"),
            ("99.04-ESM", "99.04-ESM"),
        ] {
            assert_eq!(ubuntu(release, now), expected, "of '{release}'");
        }
        let later: Timestamp = "2027-04-23T23:59:59Z".parse().unwrap();
        assert_eq!(ubuntu("22.04-ESM", later), "22.04-ESM");
    }
}
