//! Judges an image inventory against the advisory database.

mod known;
mod language;
mod series;

use cleanbill_advisories::{
    Database, MatchError, OsPackages, SeveritySources, Support, match_os_packages, support,
};
use cleanbill_core::count;
use cleanbill_core::distro::{Distro, RepositoryHint};
use cleanbill_core::inventory::ImageInventory;
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::{ImageReport, ResultClass, ResultSet};
use cleanbill_core::vulnerability::Finding;
use cleanbill_core::{Package, error_chain};
use cleanbill_image::Image;
use jiff::Timestamp;

use crate::inventories::Inventoried;
use crate::problems::summarize;

pub use known::KnownImage;
pub use series::{JudgeObserver, KnownImages};

/// Says which packages are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageTypes {
    /// Packages of the distribution.
    pub os: bool,
    /// Packages of language ecosystems.
    pub library: bool,
}

impl Default for PackageTypes {
    fn default() -> Self {
        Self {
            os: true,
            library: true,
        }
    }
}

/// Says how inventories are judged.
#[derive(Clone, Debug, Default)]
pub struct JudgeOptions {
    /// Whose severities count, in order.
    pub severity_sources: SeveritySources,
    /// Which packages are judged.
    pub package_types: PackageTypes,
}

/// Problems that say nothing about the packages of the distribution.
const OF_LANGUAGE_PACKAGES: [ProblemKind; 2] =
    [ProblemKind::IgnoredFile, ProblemKind::UnidentifiedArchives];

/// Judges inventories: a pure function of inventory, database, options and time.
pub struct Judge<'a> {
    /// The advisory database.
    pub database: &'a Database,
    /// How it is judged.
    pub options: &'a JudgeOptions,
    /// When, for ends of life.
    pub now: Timestamp,
}

impl Judge<'_> {
    /// Judges one image. Findings are neither filtered nor sorted yet: that is what
    /// [`crate::apply_policy`] does.
    pub fn judge(&self, image: &Image, inventoried: Inventoried) -> ImageReport {
        self.judge_known(KnownImage::new(image, inventoried))
    }

    /// Judges one image that need not be there any more, as [`Judge::judge`] does.
    pub fn judge_known(&self, image: KnownImage) -> ImageReport {
        let KnownImage {
            name,
            source,
            mut metadata,
            inventoried,
        } = image;
        let ImageInventory {
            distro,
            repository_hint,
            packages,
            applications,
            mut problems,
        } = inventoried.inventory;
        problems.extend(self.no_packages(distro.as_ref(), packages.len(), applications.len()));
        let mut results = Vec::new();
        let mut distro_support = None;
        if let Some(distro) = &distro {
            let mut judged = support(distro, self.now);
            if self.options.package_types.os {
                let hint = repository_hint.as_ref();
                let findings = self.judge_os(distro, hint, &packages, &mut judged, &mut problems);
                results.extend(findings.map(|findings| ResultSet {
                    target: format!("{name} ({} {})", distro.family, distro.release()),
                    class: ResultClass::OsPackages,
                    kind: distro.family.to_string(),
                    packages,
                    findings,
                    ..ResultSet::default()
                }));
            }
            problems.extend(end_of_life(distro, &judged));
            distro_support = Some(judged);
        }
        if self.options.package_types.library {
            results.extend(self.judge_applications(applications, &mut problems));
        } else {
            problems.retain(|problem| !OF_LANGUAGE_PACKAGES.contains(&problem.kind));
        }
        for (layer, size_bytes) in metadata
            .layers
            .iter_mut()
            .zip(inventoried.layer_sizes_bytes)
        {
            layer.size_bytes = layer.size_bytes.or(size_bytes);
        }
        let problems = summarize(problems);
        let status = if problems.iter().any(|problem| problem.kind.is_gap()) {
            AssessmentStatus::Partial
        } else {
            AssessmentStatus::Complete
        };
        let mut report = ImageReport {
            artifact_name: name,
            source,
            metadata,
            distro,
            repository_hint,
            is_end_of_life: distro_support.is_some_and(|support| support.is_over()),
            results,
            status,
            problems,
            ..ImageReport::default()
        };
        cleanbill_report::assign_fingerprints(&mut report);
        report
    }

    /// Says that there was nothing to judge: no finding does not mean that all is well.
    fn no_packages(
        &self,
        distro: Option<&Distro>,
        package_count: usize,
        application_count: usize,
    ) -> Option<Problem> {
        let types = self.options.package_types;
        let message = match distro {
            Some(distro) if types.os && package_count == 0 => format!(
                "the image names {} {} but lists no packages of it: what was installed without a \
                 package manager, or whose list was removed, is not judged",
                distro.family,
                distro.release()
            ),
            None if types.os
                && package_count == 0
                && (application_count == 0 || !types.library) =>
            {
                "no packages are listed: programs that were copied into the image are not judged"
                    .to_owned()
            }
            _ => return None,
        };
        Some(Problem::new(ProblemKind::NoPackages, message))
    }

    /// Judges the packages of the distribution; `None` where there is no result to print.
    /// `support` is what the release gets; a supplier of its own may support it for longer.
    fn judge_os(
        &self,
        distro: &Distro,
        repository_hint: Option<&RepositoryHint>,
        packages: &[Package],
        support: &mut Support,
        problems: &mut Vec<Problem>,
    ) -> Option<Vec<Finding>> {
        let input = OsPackages {
            distro,
            repository_hint,
            packages,
            now: self.now,
        };
        match match_os_packages(self.database, &input) {
            Ok(matched) if !matched.is_supported => {
                problems.extend(unsupported(distro, packages.len()));
                None
            }
            Ok(matched) => {
                *support = matched.support;
                problems.extend(matched.problems);
                Some(self.with_details(matched.findings, problems))
            }
            Err(error) => {
                problems.push(matching_failed(&error));
                Some(Vec::new())
            }
        }
    }
}

/// Says that a release is past its end of life.
fn end_of_life(distro: &Distro, support: &Support) -> Option<Problem> {
    let Support::EndOfLife { since } = support else {
        return None;
    };
    Some(Problem::new(
        ProblemKind::EndOfLife,
        format!(
            "{} {} has had no security updates since {}: new vulnerabilities may be missing from \
             its advisories",
            distro.family,
            distro.release(),
            since.strftime("%Y-%m-%d")
        ),
    ))
}

/// Says that nothing is known about a distribution's packages. Where none could be named, the
/// inventory has said so.
fn unsupported(distro: &Distro, package_count: usize) -> Option<Problem> {
    if package_count == 0 || distro.family.is_unknown() {
        return None;
    }
    Some(Problem::new(
        ProblemKind::UnsupportedDistro,
        format!(
            "there are no advisories for {} {}: {} not judged",
            distro.family,
            distro.release(),
            count(package_count as u64, "package"),
        ),
    ))
}

fn matching_failed(error: &MatchError) -> Problem {
    Problem::new(ProblemKind::MatchingFailed, error_chain(error))
}
