//! The matcher of families that differ in a few points only.

use std::borrow::Cow;

use cleanbill_core::package::{Package, RepositoryClass};
use cleanbill_core::vulnerability::{DataSource, Evidence, Finding};
use cleanbill_version::{Version, VersionScheme};

use super::session::{Session, Shelf, UNCOMPARABLE, finding};
use super::{MatchError, Matcher, OsPackages, modular};
use crate::Advisory;
use crate::database::RowForm;

/// Says how the packages of a family are matched. Source: the table of spec 02 section 6.
pub(super) struct Rule {
    /// Names the bucket that holds the advisories.
    pub(super) bucket: fn(&OsPackages<'_>) -> String,
    /// The name under which a package is looked up there.
    pub(super) name: NameRule,
    /// The version of a package that is compared.
    pub(super) compared: Compared,
    /// The rules by which versions are compared.
    pub(super) scheme: VersionScheme,
    /// Advisories without a fixed version are reported.
    pub(super) reports_unfixed: bool,
    /// Advisories hold for the architectures that they list.
    pub(super) is_by_architecture: bool,
    /// How the fixed version is printed.
    pub(super) printed_fix: PrintedFix,
    /// Packages that others than the distribution supply are judged too.
    pub(super) covers_third_party: bool,
    /// Says why a package cannot be judged, if so.
    pub(super) obstacle: fn(&Package) -> Option<&'static str>,
    /// Says whether a row concerns a package, beyond the comparison of versions.
    pub(super) concerns: fn(&Package, &Version, &Row) -> bool,
    /// Sets the fields of a finding that only this family fills in.
    pub(super) refine: fn(&mut Finding, &Package, &Advisory),
}

/// Says which name of a package is looked up.
#[derive(Clone, Copy)]
pub(super) enum NameRule {
    Binary,
    Source,
    SourceOrBinary,
    Modular,
}

/// Says which version of a package is compared.
#[derive(Clone, Copy)]
pub(super) enum Compared {
    Installed,
    Source,
}

/// Says how a fixed version is printed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum PrintedFix {
    AsWritten,
    /// In the form of the comparer: rpm leaves out an epoch of zero.
    Normalised,
}

/// An advisory as far as it holds for the same architectures, with its version parsed once.
pub(super) struct Row {
    pub(super) advisory: Advisory,
    /// The architectures; `None` if it holds for all.
    arches: Option<Vec<String>>,
    /// The fixed version; `None` if there is none or it cannot be parsed.
    fixed: Option<Version>,
}

impl Rule {
    /// What most families have in common; the bucket must be set.
    pub(super) const COMMON: Rule = Rule {
        bucket: |_| String::new(),
        name: NameRule::Binary,
        compared: Compared::Installed,
        scheme: VersionScheme::Rpm,
        reports_unfixed: false,
        is_by_architecture: false,
        printed_fix: PrintedFix::AsWritten,
        covers_third_party: false,
        obstacle: |_| None,
        concerns: |_, _, _| true,
        refine: |_, _, _| {},
    };

    fn looked_up_name<'a>(&self, package: &'a Package) -> Cow<'a, str> {
        match self.name {
            NameRule::Binary => Cow::Borrowed(&package.name),
            NameRule::Source => Cow::Borrowed(&package.src_name),
            NameRule::SourceOrBinary => Cow::Borrowed(source_or_binary(package)),
            NameRule::Modular => modular::name(package),
        }
    }

    fn compared_version(&self, package: &Package) -> String {
        match self.compared {
            Compared::Installed => package.installed_version(),
            Compared::Source => package.source_version(),
        }
    }

    /// Says what [`Rule::rows`] makes of advisories: it depends on nothing else of the rule.
    fn form(&self) -> RowForm {
        RowForm::Fixed {
            scheme: self.scheme,
            is_by_architecture: self.is_by_architecture,
        }
    }

    fn rows(&self, advisories: Vec<Advisory>) -> Vec<Row> {
        let parse = |text: &str| Version::parse(self.scheme, text);
        let mut rows = Vec::with_capacity(advisories.len());
        for advisory in advisories {
            if self.is_by_architecture {
                rows.extend(by_architecture(advisory, parse));
            } else {
                rows.push(Row {
                    fixed: parse(&advisory.fixed_version),
                    arches: None,
                    advisory,
                });
            }
        }
        rows
    }

    /// A fixed version that cannot be parsed is in the hands of those who wrote the advisory: as in
    /// the reference, such a row is not reported.
    fn applies(&self, package: &Package, version: &Version, row: &Row) -> bool {
        let is_for_arch = row
            .arches
            .as_ref()
            .is_none_or(|arches| arches.contains(&package.arch));
        if !is_for_arch || !(self.concerns)(package, version, row) {
            return false;
        }
        if row.advisory.fixed_version.is_empty() && self.reports_unfixed {
            return true;
        }
        // Of rpm versions those that begin with a tilde are before one that is empty.
        row.fixed
            .as_ref()
            .is_some_and(|fixed| version.is_before(fixed))
    }

    fn finding(&self, package: &Package, row: &Row, place: Place<'_>) -> Finding {
        let advisory = &row.advisory;
        let mut finding = finding(
            package,
            &advisory.vulnerability_id,
            advisory.data_source.as_deref(),
        );
        finding.fixed_version = match &row.fixed {
            Some(fixed) if self.printed_fix == PrintedFix::Normalised => fixed.to_string(),
            _ => advisory.fixed_version.clone(),
        };
        finding.evidence = place.evidence(self.scheme, &advisory.fixed_version);
        (self.refine)(&mut finding, package, advisory);
        finding
    }
}

impl Matcher for Rule {
    fn covers(&self, package: &Package) -> bool {
        self.covers_third_party || package.repository_class != RepositoryClass::ThirdParty
    }

    fn judge(
        &self,
        input: &OsPackages<'_>,
        packages: &[&Package],
        session: &mut Session<'_>,
    ) -> Result<(), MatchError> {
        let bucket = (self.bucket)(input);
        let mut shelf = Shelf::new();
        for &package in packages {
            if let Some(reason) = (self.obstacle)(package) {
                session.could_not_judge(package, reason);
                continue;
            }
            let name = self.looked_up_name(package);
            let rows = shelf.shared_rows(session, self.form(), &bucket, &name, |found| {
                self.rows(found)
            })?;
            if rows.is_empty() {
                continue;
            }
            let text = self.compared_version(package);
            let Some(version) = Version::parse(self.scheme, &text) else {
                session.could_not_judge(package, UNCOMPARABLE);
                continue;
            };
            let place = Place {
                bucket: &bucket,
                name: &name,
                version: &text,
            };
            for row in rows.iter() {
                if self.applies(package, &version, row) {
                    session.report(self.finding(package, row, place));
                }
            }
        }
        Ok(())
    }
}

/// Where was looked, and for what.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) bucket: &'a str,
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

impl Place<'_> {
    /// Says that the version is before the fixed one; if there is none, nothing was compared.
    pub(super) fn evidence(self, scheme: VersionScheme, fixed_version: &str) -> Evidence {
        if fixed_version.is_empty() {
            return self.evidence_of(scheme, "");
        }
        self.evidence_of(scheme, &format!("< {fixed_version}"))
    }

    /// Says that the version satisfies a constraint.
    pub(super) fn evidence_of(self, scheme: VersionScheme, constraint: &str) -> Evidence {
        Evidence {
            bucket: self.bucket.to_owned(),
            looked_up_name: self.name.to_owned(),
            compared_version: self.version.to_owned(),
            scheme: if constraint.is_empty() {
                ""
            } else {
                scheme.name()
            },
            constraint: constraint.to_owned(),
        }
    }
}

/// Returns the name of the source package, else that of the package itself.
pub(super) fn source_or_binary(package: &Package) -> &str {
    if package.src_name.is_empty() {
        &package.name
    } else {
        &package.src_name
    }
}

/// Names a bucket after what it covers; a release that is empty leaves no blank.
pub(super) fn bucket_name(prefix: &str, release: &str) -> String {
    if release.is_empty() {
        prefix.to_owned()
    } else {
        format!("{prefix} {release}")
    }
}

/// Splits an advisory into one row per entry. The outer version is for readers that know no
/// entries, and counts only if there are none. Source: spec 01 section 4.4.
fn by_architecture(mut advisory: Advisory, parse: impl Fn(&str) -> Option<Version>) -> Vec<Row> {
    // The reference prints an empty data source for these families where the database names none.
    advisory
        .data_source
        .get_or_insert_with(|| DataSource::default().into());
    let entries = std::mem::take(&mut advisory.entries);
    if entries.is_empty() {
        return vec![Row {
            fixed: parse(&advisory.fixed_version),
            arches: None,
            advisory,
        }];
    }
    entries
        .into_iter()
        .map(|entry| Row {
            fixed: parse(&entry.fixed_version),
            arches: Some(entry.arches),
            advisory: Advisory {
                fixed_version: entry.fixed_version,
                ..advisory.clone()
            },
        })
        .collect()
}
