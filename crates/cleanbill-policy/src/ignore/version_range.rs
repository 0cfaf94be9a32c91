//! Ranges of installed versions, compared as the package's own manager compares them.

use cleanbill_core::vulnerability::Finding;
use std::borrow::Cow;
use std::cmp::Ordering;

use cleanbill_version::{Version, VersionScheme};

/// Holds alternatives (`||`) of conjunctions (`,`) of bounds: `>= 1.2, < 1.4 || 2.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionRange {
    alternatives: Vec<Vec<Bound>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    operator: Operator,
    version: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Greater,
}

/// The longer ones first, for `<` begins `<=`.
const OPERATORS: [(&str, Operator); 7] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

/// Types of package URLs and how versions of such packages compare.
const SCHEMES: [(&str, VersionScheme); 9] = [
    ("apk", VersionScheme::Apk),
    ("deb", VersionScheme::Deb),
    ("rpm", VersionScheme::Rpm),
    ("npm", VersionScheme::Npm),
    ("pypi", VersionScheme::Pep440),
    ("gem", VersionScheme::Gem),
    ("cocoapods", VersionScheme::Gem),
    ("maven", VersionScheme::Maven),
    ("bitnami", VersionScheme::Bitnami),
];

impl VersionRange {
    /// Reads a range.
    ///
    /// # Errors
    ///
    /// It is none; the text says what is wrong. Whether a bound is a version depends on the
    /// package, so that is not known yet.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let alternatives = text
            .split("||")
            .map(conjunction)
            .collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }

    /// Says whether the installed version of a finding is in the range. One that cannot be
    /// compared is not: an exception covers nothing by accident.
    pub(crate) fn holds(&self, finding: &Finding) -> bool {
        let scheme = scheme_of(finding);
        let version = finding.installed_version.as_str();
        let mut alternatives = self.alternatives.iter();
        alternatives.any(|bounds| bounds.iter().all(|bound| bound.holds(scheme, version)))
    }

    /// Returns a bound that nothing of this kind of packages is above or below, since it is no
    /// version of theirs.
    pub(crate) fn unread(&self, purl_type: &str) -> Option<&str> {
        let scheme = scheme_of_type(purl_type);
        self.find_bound(|version| {
            !is_version_of_any(version)
                || Version::parse(scheme, &padded(scheme, version)).is_none()
        })
    }

    /// Returns a bound that is no version of any kind of packages.
    pub(crate) fn unread_by_all(&self) -> Option<&str> {
        self.find_bound(|version| !is_version_of_any(version))
    }

    /// Finds a version that others are compared with, and not only held to be the same.
    fn find_bound(&self, is_wanted: impl Fn(&str) -> bool) -> Option<&str> {
        let mut bounds = self.alternatives.iter().flatten();
        let found = bounds.find(|bound| {
            !matches!(bound.operator, Operator::Equal | Operator::NotEqual)
                && is_wanted(&bound.version)
        })?;
        Some(&found.version)
    }
}

/// Says whether a bound may be a version. Maven and RPM compare every text with every other one, but
/// nothing is older than `latest`.
fn is_version_of_any(version: &str) -> bool {
    version.contains(|c: char| c.is_ascii_digit())
}

fn conjunction(text: &str) -> Result<Vec<Bound>, String> {
    text.split(',').map(bound).collect()
}

fn bound(text: &str) -> Result<Bound, String> {
    let text = text.trim();
    let found = OPERATORS
        .iter()
        .find_map(|(mark, operator)| Some((*operator, text.strip_prefix(mark)?.trim_start())));
    let (operator, version) = found.unwrap_or((Operator::Equal, text));
    let is_version = !version.is_empty()
        && !version
            .contains(|c: char| c.is_whitespace() || c.is_control() || "<>=!*^|".contains(c));
    if is_version {
        return Ok(Bound {
            operator,
            version: version.to_owned(),
        });
    }
    Err(match text {
        "" => "a bound is empty".to_owned(),
        text => format!("'{text}' is no bound"),
    })
}

impl Bound {
    fn holds(&self, scheme: VersionScheme, version: &str) -> bool {
        let order = match version == self.version {
            true => Some(Ordering::Equal),
            false => scheme.compare(version, &padded(scheme, &self.version)),
        };
        order.is_some_and(|order| match self.operator {
            Operator::Less => order.is_lt(),
            Operator::AtMost => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::AtLeast => order.is_ge(),
            Operator::Greater => order.is_gt(),
        })
    }
}

/// Adds the parts of a bound that its scheme wants and a person leaves out: `1.2` is `1.2.0`.
fn padded(scheme: VersionScheme, version: &str) -> Cow<'_, str> {
    if Version::parse(scheme, version).is_some() {
        return Cow::Borrowed(version);
    }
    let end = version.find(['-', '+']).unwrap_or(version.len());
    let (numbers, suffix) = version.split_at(end);
    let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
    let missing = 2_usize.saturating_sub(numbers.matches('.').count());
    Cow::Owned(format!("{numbers}{}{suffix}", ".0".repeat(missing)))
}

/// Returns how versions of the package compare: as the advisory was judged, else by the kind of
/// package.
fn scheme_of(finding: &Finding) -> VersionScheme {
    let named = |name: &str| {
        VersionScheme::ALL
            .into_iter()
            .find(|scheme| scheme.name() == name)
    };
    let by_purl = || {
        let purl = finding.package_identifier.purl.as_ref()?;
        Some(scheme_of_type(&purl.kind))
    };
    named(finding.evidence.scheme)
        .or_else(by_purl)
        .unwrap_or(VersionScheme::Generic)
}

fn scheme_of_type(purl_type: &str) -> VersionScheme {
    let found = SCHEMES.iter().find(|(known, _)| *known == purl_type);
    found.map_or(VersionScheme::Generic, |(_, scheme)| *scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(purl: &str, version: &str, range: &str, expected: bool) {
        let mut finding = Finding {
            installed_version: version.to_owned(),
            ..Finding::default()
        };
        finding.package_identifier.purl = purl.parse().ok();
        let range = VersionRange::parse(range).unwrap();
        assert_eq!(range.holds(&finding), expected, "{version} in {range:?}");
    }

    #[test]
    fn versions_compare_as_their_own_kind() {
        check("pkg:deb/debian/a@1", "1.0~rc1-1", "< 1.0-1", true);
        check("pkg:npm/a@1", "1.10.0", "< 1.9.0", false);
        check("pkg:npm/a@1", "1.10.0", "1.10.0", true);
        check("pkg:npm/a@1", "1.10.0", "=1.10.0", true);
        check("pkg:npm/a@1", "1.10.0", ">=1.2, <1.4 || 1.10.0", true);
        check("pkg:npm/a@1", "1.3.0", ">= 1.2.0, < 1.4.0", true);
        check("pkg:npm/a@1", "1.5.0", ">=1.2.0,<1.4.0", false);
        check("pkg:apk/alpine/a@1", "1.2.3-r1", "<= 1.2.3-r0", false);
        check("pkg:golang/a@1", "v1.2.3", "!= v1.2.4", true);
        check("pkg:npm/a@1", "0.0.8", "< 1", true);
        check("pkg:npm/a@1", "0.0.8", ">= 0, < v1.0", true);
        check("pkg:npm/a@1", "1.0.0", "< 1.0", false);
        check("pkg:npm/a@1", "1.0.0", "1.0", true);
        check("pkg:npm/a@1", "1.0.0-rc.1", "> 1-beta, < 1", true);
        check("pkg:npm/a@1", "1.0.0", "< latest", false);
        check("pkg:npm/a@1", "not a version", "< 9", false);
        check("pkg:npm/a@1", "not-a-version", "not-a-version", true);
    }

    #[test]
    fn what_is_no_version_of_a_kind_is_found() {
        let check = |purl_type: &str, range: &str, expected: Option<&str>| {
            let range = VersionRange::parse(range).unwrap();
            assert_eq!(range.unread(purl_type), expected, "{range:?}");
        };
        check("npm", "< 1 || >= 2.x", Some("2.x"));
        check("npm", "< 1, latest", None);
        check("pypi", "<= newest", Some("newest"));
        check("deb", "< 1:2.0~rc1-1", None);
        check("rpm", ">= 1.2, < latest", Some("latest"));
    }

    #[test]
    fn what_is_no_version_of_any_kind_is_found() {
        let check = |range: &str, expected: Option<&str>| {
            let range = VersionRange::parse(range).unwrap();
            assert_eq!(range.unread_by_all(), expected, "{range:?}");
        };
        check("< 2.x, latest", None);
        check(">= 1.2, < latest", Some("latest"));
        check("1.2 || > x", Some("x"));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for (text, reason) in [
            ("", "a bound is empty"),
            ("1.2 ||", "a bound is empty"),
            (">= 1.2 <2", "'>= 1.2 <2' is no bound"),
            ("<", "'<' is no bound"),
            ("^1.2", "'^1.2' is no bound"),
            ("1.*", "'1.*' is no bound"),
        ] {
            assert_eq!(VersionRange::parse(text).unwrap_err(), reason, "{text}");
        }
    }
}
