//! RapidFort: curated images of Ubuntu, Alpine and Red Hat.

use cleanbill_core::package::Package;
use cleanbill_version::VersionScheme;

use super::ranges::{Filed, OnError, RangeRule};
use super::rule::{bucket_name, source_or_binary};
use super::session::{NO_VERSION, Session, Shelf};
use super::{MatchError, Matcher, OsPackages};
use crate::{Advisory, release};

/// Source: spec 02 section 6.11, Trivy `pkg/detector/ospkg/rapidfort`.
pub(super) struct RapidFort;

/// Says whether the image is marked as curated, and of a distribution that is.
pub(super) fn is_present(input: &OsPackages<'_>) -> bool {
    input.distro.supplier == "rapidfort"
        && matches!(input.distro.family.as_str(), "ubuntu" | "alpine" | "redhat")
}

impl Matcher for RapidFort {
    /// Curated images hold patched packages of others too, and the advisories cover them.
    fn covers(&self, _: &Package) -> bool {
        true
    }

    fn maintains_ended_releases(&self) -> bool {
        true
    }

    fn judge(
        &self,
        input: &OsPackages<'_>,
        packages: &[&Package],
        session: &mut Session<'_>,
    ) -> Result<(), MatchError> {
        let stated = input.distro.release();
        let base = Base::of(input.distro.family.as_str(), &stated);
        let mut shelf = Shelf::new();
        for &package in packages {
            judge_package(&base, package, &mut shelf, session)?;
        }
        Ok(())
    }
}

fn judge_package(
    base: &Base<'_>,
    package: &Package,
    shelf: &mut Shelf<Advisory>,
    session: &mut Session<'_>,
) -> Result<(), MatchError> {
    let version = version(package);
    let bucket = base.bucket(&version);
    let source_name = source_or_binary(package);
    let by_source = shelf.rows(session, &bucket, source_name, |found| found)?;
    let by_name = if package.name == source_name {
        Default::default()
    } else {
        shelf.rows(session, &bucket, &package.name, |found| found)?
    };
    let filed = |name, advisory| Filed {
        bucket: &bucket,
        name,
        advisory,
    };
    // Some advisories are filed under the binary package; those of the source come first.
    let is_known = |id: &str| by_source.iter().any(|known| known.vulnerability_id == id);
    let by_name = by_name
        .iter()
        .filter(|advisory| !is_known(&advisory.vulnerability_id))
        .map(|advisory| filed(&package.name, advisory));
    let by_source = by_source
        .iter()
        .map(|advisory| filed(source_name, advisory));
    let advisories: Vec<Filed<'_>> = by_source.chain(by_name).collect();
    if !version.is_empty() {
        base.rule.judge(package, &version, &advisories, session);
    } else if !advisories.is_empty() {
        session.could_not_judge(package, NO_VERSION);
    }
    Ok(())
}

/// An rpm that does not name its source has neither name nor version of one.
fn version(package: &Package) -> String {
    let source = package.source_version();
    if source.is_empty() {
        package.installed_version()
    } else {
        source
    }
}

/// The distribution that an image was curated from.
struct Base<'a> {
    family: &'a str,
    release: &'a str,
    rule: RangeRule,
}

impl<'a> Base<'a> {
    fn of(family: &'a str, stated: &'a str) -> Self {
        let (scheme, release) = match family {
            "ubuntu" => (VersionScheme::Deb, release::minor(stated)),
            "alpine" => (VersionScheme::Apk, release::minor(stated)),
            _ => (VersionScheme::Rpm, release::major(stated)),
        };
        Self {
            family,
            release,
            rule: RangeRule {
                scheme,
                on_error: OnError::Skip,
                rated_by: |source| &source.id,
            },
        }
    }

    /// Packages that RapidFort itself rebuilt belong to no release. An rpm belongs to the
    /// distribution that its release names, which may be another than that of the image.
    fn bucket(&self, version: &str) -> String {
        let (prefix, release) = match self.family {
            "ubuntu" if version.contains("+rf") || version.contains("rfubu") => ("ubuntu", ""),
            "ubuntu" => ("ubuntu", self.release),
            "alpine" => ("alpine", self.release),
            _ => match dist_tag(version) {
                Some(("el", release)) => ("Red Hat", release),
                Some(("fc", release)) => ("fedora", release),
                Some(_) => ("Red Hat", ""),
                None => ("Red Hat", self.release),
            },
        };
        format!("rapidfort {}", bucket_name(prefix, release))
    }
}

/// Returns the last `.el`, `.fc` or `.rf` of a version with the digits after it; a release may
/// hold such letters before its tag (`.rfc3339.el9`).
fn dist_tag(version: &str) -> Option<(&str, &str)> {
    version.rmatch_indices('.').find_map(|(dot, _)| {
        let (tag, rest) = version.get(dot + 1..)?.split_at_checked(2)?;
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = rest.get(..rest.len() - after.len())?;
        matches!(tag, "el" | "fc" | "rf").then_some((tag, number))
    })
}

#[cfg(test)]
mod tests;
