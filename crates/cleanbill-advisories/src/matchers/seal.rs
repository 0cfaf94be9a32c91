//! Seal Security: patched packages, named `seal-…`, among those of a distribution.

use cleanbill_core::package::{Package, RepositoryClass};
use cleanbill_version::VersionScheme;

use super::ranges::{Filed, OnError, RangeRule};
use super::rule::{bucket_name, source_or_binary};
use super::session::{Session, Shelf};
use super::{MatchError, Matcher, OsPackages, of_family};
use crate::Advisory;

/// Source: spec 02 section 6.10, Trivy `pkg/detector/ospkg/seal`, trivy-db `pkg/vulnsrc/seal`.
pub(super) struct Seal;

/// Says whether Seal supports the distribution and patched one of the packages.
pub(super) fn is_present(input: &OsPackages<'_>) -> bool {
    let is_supported = matches!(
        input.distro.family.as_str(),
        "alpine" | "cbl-mariner" | "centos" | "redhat" | "debian" | "oracle" | "ubuntu"
    );
    is_supported && input.packages.iter().any(is_patched)
}

fn is_patched(package: &Package) -> bool {
    let is_named = |name: &str| name.to_lowercase().starts_with("seal-");
    is_named(&package.name) || is_named(&package.src_name)
}

impl Matcher for Seal {
    fn covers(&self, package: &Package) -> bool {
        package.repository_class != RepositoryClass::ThirdParty || is_patched(package)
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
        let (patched, others): (Vec<&Package>, Vec<&Package>) =
            packages.iter().partition(|package| is_patched(package));
        judge_others(input, &others, session)?;
        judge_patched(input, &patched, session)
    }
}

/// The rest of the image is judged as the distribution judges it, but by its stated release: the
/// repositories are not regarded.
fn judge_others(
    input: &OsPackages<'_>,
    packages: &[&Package],
    session: &mut Session<'_>,
) -> Result<(), MatchError> {
    let input = OsPackages {
        repository_hint: None,
        ..*input
    };
    match of_family(input.distro.family.as_str()) {
        Some(matcher) => matcher.judge(&input, packages, session),
        None => Ok(()),
    }
}

fn judge_patched(
    input: &OsPackages<'_>,
    packages: &[&Package],
    session: &mut Session<'_>,
) -> Result<(), MatchError> {
    let (base, scheme) = match input.distro.family.as_str() {
        "alpine" => ("alpine", VersionScheme::Apk),
        "debian" | "ubuntu" => ("debian", VersionScheme::Deb),
        _ => ("Red Hat", VersionScheme::Rpm),
    };
    let rule = RangeRule {
        scheme,
        on_error: OnError::Stop,
        rated_by: |source| &source.base_id,
    };
    let mut shelf = Shelf::new();
    for &package in packages {
        let name = source_or_binary(package);
        let bucket = bucket(base, package);
        let rows = shelf.rows(session, &bucket, name, split)?;
        let mut advisories = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            match row {
                Row::Range(advisory) => advisories.push(Filed {
                    bucket: &bucket,
                    name,
                    advisory,
                }),
                Row::Malformed(id) => session.problem(format!(
                    "advisory '{id}' for '{name}' in '{bucket}' was left out: its ranges and \
                     patched versions do not belong together"
                )),
            }
        }
        rule.judge(package, &package.source_version(), &advisories, session);
    }
    Ok(())
}

/// Packages of Debian and Alpine share a bucket; those of rpm distributions say in their release
/// for which Red Hat they were built.
fn bucket(base: &str, package: &Package) -> String {
    let release = if package.src_name.is_empty() {
        &package.release
    } else {
        &package.src_release
    };
    let release = match base {
        "Red Hat" => enterprise_release(release),
        _ => "",
    };
    format!("seal {}", bucket_name(base, release))
}

/// Returns `10` of `9.el10_0.1`, `6` of `10.el6+sp1`, nothing without an `el`.
fn enterprise_release(release: &str) -> &str {
    let (_, after) = release.split_once("el").unwrap_or_default();
    let end = after.find(['_', '+']).unwrap_or(after.len());
    after.get(..end).unwrap_or_default()
}

/// An advisory of one range with the version that ends it.
enum Row {
    Range(Box<Advisory>),
    /// The id of an advisory that cannot be split. The reference gives up on the image.
    Malformed(String),
}

/// Splits advisories into one per range. One without ranges is left with none, and so says nothing.
fn split(advisories: Vec<Advisory>) -> Vec<Row> {
    let mut rows = Vec::with_capacity(advisories.len());
    for advisory in advisories {
        if advisory.vulnerable_versions.len() == 1 {
            rows.push(Row::Range(Box::new(advisory)));
            continue;
        }
        for (index, range) in advisory.vulnerable_versions.iter().enumerate() {
            rows.push(match advisory.patched_versions.get(index) {
                Some(patched) if range.contains(patched.as_str()) => {
                    Row::Range(Box::new(Advisory {
                        vulnerable_versions: vec![range.clone()],
                        patched_versions: vec![patched.clone()],
                        ..advisory.clone()
                    }))
                }
                _ => Row::Malformed(advisory.vulnerability_id.clone()),
            });
        }
    }
    rows
}

#[cfg(test)]
mod tests;
