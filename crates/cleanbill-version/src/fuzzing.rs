//! Entry points for fuzz targets and their replay: arbitrary bytes in, broken promises out as a
//! panic. Not part of the crate's interface.

use std::cmp::Ordering;

use crate::{VersionScheme, range};

/// An entry point with the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point of the crate, by the name of its folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("version_apk", apk),
    ("version_bitnami", bitnami),
    ("version_deb", deb),
    ("version_gem", gem),
    ("version_generic", generic),
    ("version_maven", maven),
    ("version_npm", npm),
    ("version_pep440", pep440),
    ("version_range", range),
    ("version_rpm", rpm),
];

/// Compares the first three lines as versions of apk packages.
pub fn apk(data: &[u8]) {
    check_order(VersionScheme::Apk, data);
}

/// Compares the first three lines as versions of Debian packages.
pub fn deb(data: &[u8]) {
    check_order(VersionScheme::Deb, data);
}

/// Compares the first three lines as versions of rpm packages.
pub fn rpm(data: &[u8]) {
    check_order(VersionScheme::Rpm, data);
}

/// Compares the first three lines as versions of Ruby gems.
pub fn gem(data: &[u8]) {
    check_order(VersionScheme::Gem, data);
}

/// Compares the first three lines as versions of Python packages.
pub fn pep440(data: &[u8]) {
    check_order(VersionScheme::Pep440, data);
}

/// Compares the first three lines as versions of Cargo, Go and others.
pub fn generic(data: &[u8]) {
    check_comparison(VersionScheme::Generic, data);
}

/// Compares the first three lines as versions of npm packages.
pub fn npm(data: &[u8]) {
    check_comparison(VersionScheme::Npm, data);
}

/// Compares the first three lines as versions of Maven artifacts.
pub fn maven(data: &[u8]) {
    check_comparison(VersionScheme::Maven, data);
}

/// Compares the first three lines as versions of Bitnami's components.
pub fn bitnami(data: &[u8]) {
    check_comparison(VersionScheme::Bitnami, data);
}

/// Judges: the first line is a version, the second a constraint. For OS packages a bound alone,
/// without a constraint around it, must mean what comparing means; in ecosystems an alternative
/// must not take away what another accepts.
pub fn range(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let [version, constraint, _] = first_lines(&text);
    for scheme in VersionScheme::ALL {
        let alone = range::satisfies(scheme, version, constraint);
        let either = format!("{constraint} || {constraint}");
        if !OF_OS_PACKAGES.contains(&scheme)
            && let (Ok(alone), Ok(either)) = (alone, range::satisfies(scheme, version, &either))
        {
            assert_eq!(alone, either, "{scheme}: {version} against {constraint}");
        }
    }
    for scheme in OF_OS_PACKAGES {
        let at_least = range::satisfies(scheme, version, &format!(">={constraint}"));
        let below = range::satisfies(scheme, version, &format!("<{constraint}"));
        let is_one_bound = constraint.starts_with(|c: char| c.is_ascii_digit())
            && !constraint.contains(|c: char| c == ',' || c.is_whitespace());
        if let (true, Ok(at_least), Ok(below)) = (is_one_bound, at_least, below) {
            assert_ne!(at_least, below, "{scheme}: {version} against {constraint}");
        }
    }
}

const OF_OS_PACKAGES: [VersionScheme; 3] =
    [VersionScheme::Apk, VersionScheme::Deb, VersionScheme::Rpm];

/// Demands of three versions what an order is.
fn check_order(scheme: VersionScheme, data: &[u8]) {
    check_comparison(scheme, data);
    let text = String::from_utf8_lossy(data);
    let versions = first_lines(&text);
    for (a, b, c) in [
        (0, 1, 2),
        (0, 2, 1),
        (1, 0, 2),
        (1, 2, 0),
        (2, 0, 1),
        (2, 1, 0),
    ] {
        let order = |left, right| compare(scheme, &versions, left, right);
        if let (Some(ab), Some(bc), Some(ac)) = (order(a, b), order(b, c), order(a, c)) {
            let follows = !(ab.is_le() && bc.is_le()) || ac.is_le();
            assert!(follows, "{scheme}: {versions:?} transitive");
        }
    }
}

fn compare(
    scheme: VersionScheme,
    versions: &[&str; 3],
    left: usize,
    right: usize,
) -> Option<Ordering> {
    let of = |index: usize| versions.get(index).copied().unwrap_or_default();
    scheme.compare(of(left), of(right))
}

/// Demands of three versions what any comparison is, though it may not be transitive.
fn check_comparison(scheme: VersionScheme, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let versions = first_lines(&text);
    let order = |left: usize, right: usize| compare(scheme, &versions, left, right);
    for one in 0..3 {
        let own = order(one, one);
        assert!(
            own.is_none_or(Ordering::is_eq),
            "{scheme}: {versions:?} reflexive"
        );
        for other in 0..3 {
            let reversed = order(other, one).map(Ordering::reverse);
            assert_eq!(
                order(one, other),
                reversed,
                "{scheme}: {versions:?} antisymmetric"
            );
            let both = own.and(order(other, other));
            assert_eq!(
                both.is_some(),
                order(one, other).is_some(),
                "{scheme}: {versions:?} total"
            );
        }
    }
}

fn first_lines(text: &str) -> [&str; 3] {
    let mut lines = text.split('\n');
    [(); 3].map(|()| lines.next().unwrap_or_default())
}
