//! Advisories for language packages, with their ranges parsed.

use cleanbill_version::{Range, RangeError, Version, VersionScheme};

use crate::Advisory;

/// Is an advisory for a language package.
#[derive(Clone, Debug)]
pub struct LanguageRow {
    advisory: Advisory,
    affected: Affected,
}

/// Says which versions an advisory affects. Source: spec 04 section 2.4.
#[derive(Clone, Debug)]
enum Affected {
    /// An empty text among the affected or patched versions stands for "all, no fix".
    Every,
    /// Those in the first range and not in the second.
    Ranges {
        vulnerable: Option<Range>,
        secure: Option<Range>,
    },
    /// Nothing is stated, or one of the ranges cannot be read.
    None,
}

impl LanguageRow {
    /// Parses the ranges of an advisory. What cannot be read is in the hands of those who wrote the
    /// advisory: as in the reference, such a row affects no version.
    pub fn new(advisory: Advisory, scheme: VersionScheme) -> Self {
        let affected = affected(&advisory, scheme).unwrap_or_else(|error| {
            let bucket = &*advisory.bucket;
            let id = &advisory.vulnerability_id;
            tracing::debug!(bucket, advisory.id = id, %error, "advisory left out");
            Affected::None
        });
        Self { advisory, affected }
    }

    /// Returns the advisory.
    pub fn advisory(&self) -> &Advisory {
        &self.advisory
    }

    /// Says whether it depends on the version whether a package is affected.
    pub(super) fn needs_version(&self) -> bool {
        matches!(self.affected, Affected::Ranges { .. })
    }

    /// Says whether a version is affected; `None` is one that cannot be read.
    pub(super) fn affects(&self, version: Option<&Version>) -> bool {
        let (vulnerable, secure) = match &self.affected {
            Affected::Every => return true,
            Affected::None => return false,
            Affected::Ranges { vulnerable, secure } => (vulnerable, secure),
        };
        let Some(version) = version else {
            return false;
        };
        // The scheme of both is that of the shelf.
        let is_in = |range: &Range| range.contains(version) == Ok(true);
        vulnerable.as_ref().is_none_or(is_in) && !secure.as_ref().is_some_and(is_in)
    }

    /// Returns the text of the fixed versions. Source: spec 04 section 2.5.
    pub(super) fn fixed_version(&self) -> String {
        let patched = &self.advisory.patched_versions;
        if !patched.is_empty() {
            return join_unique(patched.iter().map(String::as_str));
        }
        let ranges = self.advisory.vulnerable_versions.iter();
        let bounds = ranges.flat_map(|range| range.split(',')).map(str::trim);
        let ends = bounds
            .filter(|bound| !bound.starts_with("<="))
            .filter_map(|bound| bound.strip_prefix('<'));
        join_unique(ends.map(str::trim))
    }

    /// Returns what the advisory demands of an affected version, for people.
    pub(super) fn constraint(&self) -> String {
        if !self.needs_version() {
            return String::new();
        }
        let vulnerable = self.advisory.vulnerable_versions.join(" || ");
        let secure = secure_versions(&self.advisory);
        match (vulnerable.is_empty(), secure.is_empty()) {
            (false, true) => vulnerable,
            (false, false) => format!("{vulnerable}, not ({secure})"),
            (true, _) => format!("not ({secure})"),
        }
    }
}

fn affected(advisory: &Advisory, scheme: VersionScheme) -> Result<Affected, RangeError> {
    let stated = [&advisory.vulnerable_versions, &advisory.patched_versions];
    if stated.into_iter().flatten().any(String::is_empty) {
        return Ok(Affected::Every);
    }
    let parse = |text: &str| Range::parse(scheme, text).map(Some);
    let has_secure = has_secure_versions(advisory);
    if advisory.vulnerable_versions.is_empty() && !has_secure {
        return Ok(Affected::None);
    }
    Ok(Affected::Ranges {
        vulnerable: match advisory.vulnerable_versions.as_slice() {
            [] => None,
            ranges => parse(&ranges.join(" || "))?,
        },
        secure: match has_secure {
            true => parse(&secure_versions(advisory))?,
            false => None,
        },
    })
}

fn has_secure_versions(advisory: &Advisory) -> bool {
    !advisory.patched_versions.is_empty() || !advisory.unaffected_versions.is_empty()
}

fn secure_versions(advisory: &Advisory) -> String {
    let versions = advisory.patched_versions.iter();
    let versions: Vec<&str> = versions
        .chain(&advisory.unaffected_versions)
        .map(String::as_str)
        .collect();
    versions.join(" || ")
}

fn join_unique<'a>(versions: impl Iterator<Item = &'a str>) -> String {
    let mut unique: Vec<&str> = Vec::new();
    for version in versions {
        if !unique.contains(&version) {
            unique.push(version);
        }
    }
    unique.join(", ")
}
