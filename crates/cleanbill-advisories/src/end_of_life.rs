//! Which releases still get security updates.

mod table;

use cleanbill_core::distro::Distro;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::release;
use table::FAMILIES;

/// Says whether a release still gets security updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It does, or the family has no releases that end.
    Supported,
    /// It does not.
    EndOfLife {
        /// The instant at which support ended.
        since: Timestamp,
    },
    /// Nobody wrote down when this release ends; it may be newer than the table.
    Unknown,
}

impl Support {
    /// Says whether support has ended.
    pub const fn is_over(self) -> bool {
        matches!(self, Support::EndOfLife { .. })
    }
}

/// Says how much of a release's name is the key of its row.
#[derive(Clone, Copy)]
enum ReleaseKey {
    Major,
    Minor,
    Amazon,
    Ubuntu,
    AsStated,
}

/// Families without releases that end: rolling ones, and suppliers that publish no dates.
const ROLLING: &[&str] = &[
    "azurelinux",
    "bottlerocket",
    "cbl-mariner",
    "chainguard",
    "echo",
    "minimos",
    "opensuse-tumbleweed",
    "wolfi",
];

/// Says whether a distribution still gets security updates at the time `now`.
///
/// A supplier that maintains releases beyond their end (Root.io, Seal, RapidFort) is not
/// considered here: [`crate::OsMatch::support`] does. Source: spec 02 section 9.
pub fn support(distro: &Distro, now: Timestamp) -> Support {
    let family = distro.family.as_str();
    if ROLLING.contains(&family) {
        return Support::Supported;
    }
    let Some(table) = FAMILIES.iter().find(|table| table.name == family) else {
        return Support::Unknown;
    };
    let stated = distro.release();
    let key = match table.key {
        ReleaseKey::Major => release::major(&stated),
        ReleaseKey::Minor => release::minor(&stated),
        ReleaseKey::Amazon => release::amazon(&stated),
        ReleaseKey::Ubuntu => release::ubuntu(&stated, now),
        ReleaseKey::AsStated => &stated,
    };
    match end(family, key) {
        Some(since) if now >= since => Support::EndOfLife { since },
        Some(_) => Support::Supported,
        None => Support::Unknown,
    }
}

/// Returns the instant at which support of a release ends; `key` must be the key of its row.
pub(crate) fn end(family: &str, key: &str) -> Option<Timestamp> {
    let table = FAMILIES.iter().find(|table| table.name == family)?;
    let (_, last_day) = table.releases.iter().find(|(release, _)| *release == key)?;
    last_second(*last_day)
}

fn last_second(day: Date) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(day.at(23, 59, 59, 0)).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cleanbill_core::distro::Family;

    use super::*;

    fn at(family: &str, name: &str, now: &str) -> Support {
        let distro = Distro {
            family: Family::new(name_of(family)),
            name: name.to_owned(),
            extended: family.ends_with("+esm"),
            supplier: String::new(),
        };
        support(&distro, now.parse().unwrap())
    }

    fn name_of(family: &str) -> &str {
        family.trim_end_matches("+esm")
    }

    #[test]
    fn releases_end_with_the_last_second_of_a_day() {
        let since = "2022-06-30T23:59:59Z".parse().unwrap();
        assert_eq!(
            at("debian", "9.13", "2022-06-30T23:59:58Z"),
            Support::Supported
        );
        assert_eq!(
            at("debian", "9.13", "2022-06-30T23:59:59Z"),
            Support::EndOfLife { since }
        );
    }

    #[test]
    fn every_family_has_its_key() {
        for (family, name, is_over) in [
            ("alpine", "3.9.3", true),
            ("alpine", "edge", false),
            ("alpine", "3.23.1", false),
            ("debian", "12.5", false),
            ("debian", "trixie/sid", false),
            ("ubuntu", "18.04", true),
            ("ubuntu+esm", "18.04", false),
            ("ubuntu+esm", "16.04", true),
            ("ubuntu+esm", "22.04", false),
            ("ubuntu+esm", "19.04", false),
            ("redhat", "6.10", true),
            ("redhat", "8.9", false),
            ("centos", "8.4", true),
            ("alma", "9.3", false),
            ("rocky", "8.5", false),
            ("oracle", "7.9", true),
            ("amazon", "AMI release 2018.03", true),
            ("amazon", "2 (Karoo)", true),
            ("amazon", "2023.3.20240304 (Amazon Linux)", false),
            ("photon", "4.0", true),
            ("photon", "5.0", false),
            ("sles", "15.3", true),
            ("sles", "15.7", false),
            ("slem", "5.1", true),
            ("opensuse-leap", "15.5", true),
            ("opensuse-tumbleweed", "20240101", false),
            ("wolfi", "20230201", false),
            ("coreos", "4.0", false),
        ] {
            let found = at(family, name, "2026-11-22T00:00:00Z");
            assert_eq!(found.is_over(), is_over, "{family} {name}: {found:?}");
        }
    }

    #[test]
    fn what_is_in_no_table_is_unknown() {
        assert_eq!(at("debian", "99", "2026-11-22T00:00:00Z"), Support::Unknown);
        assert_eq!(
            at("amazon", "2022", "2026-11-22T00:00:00Z"),
            Support::Unknown
        );
        assert_eq!(
            at("coreos", "4.0", "2026-11-22T00:00:00Z"),
            Support::Unknown
        );
        assert_eq!(at("fedora", "38", "2026-11-22T00:00:00Z"), Support::Unknown);
    }

    #[test]
    fn the_table_is_sound() {
        for family in FAMILIES {
            let mut seen = HashSet::new();
            for (release, day) in family.releases {
                assert!(
                    seen.insert(release),
                    "{} {release} is listed twice",
                    family.name
                );
                assert!(
                    last_second(*day).is_some(),
                    "{} {release} has no instant",
                    family.name
                );
            }
            assert!(!ROLLING.contains(&family.name));
        }
    }
}
