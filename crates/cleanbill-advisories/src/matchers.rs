//! Which advisories apply to which packages.
//!
//! A matcher knows one family of distributions: in which bucket its advisories are, under which
//! name a package is found there, which of its versions is compared and by which rules. Most
//! families differ in these points only and are rows of data ([`rule::Rule`]); the others are
//! modules of their own. To add a family, add a line to [`MATCHERS`].

mod alma;
mod alpine;
mod amazon;
mod apk_rolling;
mod azure;
mod bottlerocket;
mod coreos;
mod debian;
mod echo;
mod language;
mod modular;
mod oracle;
mod photon;
mod ranges;
mod rapidfort;
mod redhat;
mod rocky;
mod rootio;
mod rule;
mod seal;
mod session;
mod suse;
#[cfg(test)]
pub(crate) mod testing;
mod ubuntu;

use std::sync::Arc;

use cleanbill_core::distro::{Distro, Family, RepositoryHint};
use cleanbill_core::package::{Package, RepositoryClass};
use cleanbill_core::problem::Problem;
use cleanbill_core::vulnerability::{Finding, VulnerabilityDetails};
use jiff::Timestamp;

use crate::Advisory;
use crate::database::{CpeKey, Database, LookupError, PreparedRows, RowForm};
use crate::details::tidied;
use crate::end_of_life::{self, Support};
use session::Session;

pub use language::{LanguageMatch, LanguageRow, Shelf, match_language_packages};

/// Answers what matchers ask. The one in use is [`Database`]; tests have small ones of their own.
pub trait AdvisorySource {
    /// Returns the advisories of a package in the order of their keys; none if the bucket or the
    /// package is absent.
    ///
    /// # Errors
    /// The database is corrupt.
    fn advisories(&self, bucket: &str, package: &str) -> Result<Vec<Advisory>, LookupError>;

    /// Returns the advisories of a language package in the order of their keys, with their ranges
    /// parsed; none if the package is absent.
    ///
    /// # Errors
    /// The database is corrupt.
    fn language_rows(
        &self,
        shelf: &Shelf,
        package: &str,
    ) -> Result<Arc<[LanguageRow]>, LookupError>;

    /// Returns what `prepare` makes of the advisories of a package; the form says what that is. It may
    /// have been made before.
    ///
    /// # Errors
    /// The database is corrupt.
    fn prepared_rows(
        &self,
        _form: RowForm,
        bucket: &str,
        package: &str,
        prepare: &dyn Fn(Vec<Advisory>) -> PreparedRows,
    ) -> Result<PreparedRows, LookupError> {
        self.advisories(bucket, package).map(prepare)
    }

    /// Returns the record of a vulnerability, if there is one.
    ///
    /// # Errors
    /// The database is corrupt.
    fn vulnerability(&self, id: &str) -> Result<Option<VulnerabilityDetails>, LookupError>;

    /// Returns the record of a vulnerability in the form that reports print, if there is one.
    ///
    /// # Errors
    /// The database is corrupt.
    fn details(&self, id: &str) -> Result<Option<Arc<VulnerabilityDetails>>, LookupError> {
        let record = self.vulnerability(id)?;
        Ok(record.map(|record| Arc::new(tidied(record))))
    }

    /// Returns the CPE indices of a repository or image build; none if it is unknown.
    ///
    /// # Errors
    /// The database is corrupt.
    fn cpe_indices(&self, kind: CpeKey, key: &str) -> Result<Vec<i64>, LookupError>;

    /// Says whether a bucket exists.
    ///
    /// # Errors
    /// The database is corrupt.
    fn has_bucket(&self, name: &str) -> Result<bool, LookupError>;
}

impl AdvisorySource for Database {
    fn advisories(&self, bucket: &str, package: &str) -> Result<Vec<Advisory>, LookupError> {
        Database::advisories(self, bucket, package)
    }

    fn language_rows(
        &self,
        shelf: &Shelf,
        package: &str,
    ) -> Result<Arc<[LanguageRow]>, LookupError> {
        Database::language_rows(self, shelf, package)
    }

    fn prepared_rows(
        &self,
        form: RowForm,
        bucket: &str,
        package: &str,
        prepare: &dyn Fn(Vec<Advisory>) -> PreparedRows,
    ) -> Result<PreparedRows, LookupError> {
        Database::prepared_rows(self, form, bucket, package, prepare)
    }

    fn vulnerability(&self, id: &str) -> Result<Option<VulnerabilityDetails>, LookupError> {
        Database::vulnerability(self, id)
    }

    fn details(&self, id: &str) -> Result<Option<Arc<VulnerabilityDetails>>, LookupError> {
        Database::details(self, id)
    }

    fn cpe_indices(&self, kind: CpeKey, key: &str) -> Result<Vec<i64>, LookupError> {
        Database::cpe_indices(self, kind, key)
    }

    fn has_bucket(&self, name: &str) -> Result<bool, LookupError> {
        Database::has_bucket(self, name)
    }
}

/// Holds the OS packages of an image and what decides where their advisories are.
#[derive(Clone, Copy, Debug)]
pub struct OsPackages<'a> {
    /// The distribution.
    pub distro: &'a Distro,
    /// The release that the package repositories are of (apk); `None` if unknown or if the user
    /// has named the distribution.
    pub repository_hint: Option<&'a RepositoryHint>,
    /// The packages.
    pub packages: &'a [Package],
    /// The time of the scan: it decides whether extended maintenance of Ubuntu has begun, and
    /// whether support has ended.
    pub now: Timestamp,
}

/// Holds what was found in the OS packages of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct OsMatch {
    /// Advisories for the family exist. If not, reports have no entry for OS packages.
    pub is_supported: bool,
    /// Whether the release still gets security updates, from its distribution or from the
    /// supplier who maintains it beyond its end.
    pub support: Support,
    /// The findings, without details, in no particular order.
    pub findings: Vec<Finding>,
    /// What could not be judged, and buckets that the database does not have.
    pub problems: Vec<Problem>,
}

/// Says why no package of an image could be judged.
#[derive(Debug, thiserror::Error)]
pub enum MatchError {
    /// The database could not be read.
    #[error("could not look up the advisories of packages")]
    LookupFailed(#[from] LookupError),
    /// Red Hat's advisories are bound to platforms, and none is known for a package.
    #[error(
        "the advisory database knows no platform (CPE) for package '{package}' \
         (repositories: {repositories}): without build information in the image, its advisories \
         cannot be told apart"
    )]
    NoCpeSet {
        /// The package.
        package: String,
        /// The content sets that were looked up, joined by a comma, or `none`.
        repositories: String,
    },
}

/// Judges the OS packages of an image.
///
/// # Errors
/// The database is corrupt, or (Red Hat, CentOS) the platform of a package is unknown. The
/// reference gives up on the whole image then; callers record it and go on with the rest.
pub fn match_os_packages(
    source: &dyn AdvisorySource,
    input: &OsPackages<'_>,
) -> Result<OsMatch, MatchError> {
    let Some(matcher) = choose(input) else {
        return Ok(OsMatch {
            is_supported: false,
            support: end_of_life::support(input.distro, input.now),
            findings: Vec::new(),
            problems: Vec::new(),
        });
    };
    let packages: Vec<&Package> = input
        .packages
        .iter()
        .filter(|package| !is_key(package) && matcher.covers(package))
        .collect();
    let mut session = Session::new(source);
    matcher.judge(input, &packages, &mut session)?;
    let (findings, problems) = session.finish()?;
    Ok(OsMatch {
        is_supported: true,
        support: if matcher.maintains_ended_releases() {
            Support::Supported
        } else {
            end_of_life::support(input.distro, input.now)
        },
        findings,
        problems,
    })
}

/// Says whether advisories for a family exist.
pub fn is_supported(family: &Family) -> bool {
    of_family(family.as_str()).is_some()
}

/// Judges packages of one family or supplier.
trait Matcher: Sync {
    /// Says whether its advisories describe a package. Those of a distribution do not describe
    /// what others supply (spec 02 section 3 item 7).
    fn covers(&self, package: &Package) -> bool {
        package.repository_class != RepositoryClass::ThirdParty
    }

    /// Says whether it covers releases whose distribution has ended their support.
    fn maintains_ended_releases(&self) -> bool {
        false
    }

    /// Adds the findings of packages to the session.
    fn judge(
        &self,
        input: &OsPackages<'_>,
        packages: &[&Package],
        session: &mut Session<'_>,
    ) -> Result<(), MatchError>;
}

/// Every family with advisories. Source: spec 02 section 6.
const MATCHERS: &[(&str, &dyn Matcher)] = &[
    ("alpine", &alpine::ALPINE),
    ("wolfi", &apk_rolling::WOLFI),
    ("chainguard", &apk_rolling::CHAINGUARD),
    ("minimos", &apk_rolling::MINIMOS),
    ("debian", &debian::DEBIAN),
    ("ubuntu", &ubuntu::UBUNTU),
    ("echo", &echo::ECHO),
    ("redhat", &redhat::RedHat),
    ("centos", &redhat::RedHat),
    ("rocky", &rocky::ROCKY),
    ("alma", &alma::ALMA),
    ("oracle", &oracle::ORACLE),
    ("amazon", &amazon::AMAZON),
    ("photon", &photon::PHOTON),
    ("azurelinux", &azure::AZURE_LINUX),
    ("cbl-mariner", &azure::CBL_MARINER),
    ("sles", &suse::SLES),
    ("slem", &suse::SLE_MICRO),
    ("opensuse-leap", &suse::LEAP),
    ("opensuse-tumbleweed", &suse::TUMBLEWEED),
    ("bottlerocket", &bottlerocket::BOTTLEROCKET),
    ("coreos", &coreos::CoreOs),
];

/// A supplier that rebuilds packages of distributions.
struct Supplier {
    /// Recognises its images.
    is_present: fn(&OsPackages<'_>) -> bool,
    matcher: &'static dyn Matcher,
}

/// Every supplier, in the order in which they are tried, before the family (spec 02 section 5).
const SUPPLIERS: &[Supplier] = &[
    Supplier {
        is_present: rapidfort::is_present,
        matcher: &rapidfort::RapidFort,
    },
    Supplier {
        is_present: rootio::is_present,
        matcher: &rootio::RootIo,
    },
    Supplier {
        is_present: seal::is_present,
        matcher: &seal::Seal,
    },
];

fn choose(input: &OsPackages<'_>) -> Option<&'static dyn Matcher> {
    SUPPLIERS
        .iter()
        .find(|supplier| (supplier.is_present)(input))
        .map(|supplier| supplier.matcher)
        .or_else(|| of_family(input.distro.family.as_str()))
}

fn of_family(family: &str) -> Option<&'static dyn Matcher> {
    MATCHERS
        .iter()
        .find(|(name, _)| *name == family)
        .map(|(_, matcher)| *matcher)
}

/// Signing keys are stored as packages in rpm databases; their versions mean nothing.
fn is_key(package: &Package) -> bool {
    package.name == "gpg-pubkey"
}

#[cfg(test)]
mod tests;
