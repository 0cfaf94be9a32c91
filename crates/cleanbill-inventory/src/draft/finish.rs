//! Completing the inventory of a layer when all its files have been read.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use cleanbill_core::count;
use cleanbill_core::inventory::{
    Application, ApplicationGroup, Applications, DistroRecord, LayerInventory, PackagesByPath,
};
use cleanbill_core::java::JavaArchives;
use cleanbill_core::package::{self, BuildInfo};
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Package, Problem, uid};

use super::{LayerDraft, LayerFrame, LicenseTexts, Sourced, Unread, reported};
use crate::room::Room;

impl LayerDraft {
    /// Completes the inventory: joins what several files say about the same packages, computes
    /// the identifiers, and sorts everything.
    pub(crate) fn finish(mut self, frame: LayerFrame) -> LayerInventory {
        let reported = reported::paths(&self.applications);
        reported::drop_reported(&mut self.applications, &reported);
        self.java_archives
            .retain(|path, _| !reported.contains(&**path));
        // Nothing is forgotten any more.
        self.sources.clear();
        let package_databases = self.finish_databases();
        let applications = Applications {
            alone: self.finish_alone(),
            groups: self.finish_groups(),
        };
        let build_info = self.finish_build_info();
        self.finish_unread(&package_databases);
        let problems = self.finish_problems();
        LayerInventory {
            size_bytes: frame.size_bytes,
            distro_records: finish_distro_records(self.distro_records),
            repository_hint: self.repository_hint.map(|hint| hint.value),
            package_databases,
            applications,
            java_archives: finish_archives(self.java_archives),
            license_files: self.license_files.finish(),
            build_info,
            opaque_directories: frame.opaque_directories,
            whiteouts: frame.whiteouts,
            links: frame.links,
            paths: frame.paths,
            problems,
        }
    }

    fn finish_databases(&mut self) -> PackagesByPath {
        let mut room = Room::new(&self.limits);
        let dpkg = self.dpkg.index();
        let databases = std::mem::take(&mut self.databases);
        let databases = databases.finish(&mut |_, packages| {
            dpkg.complete(packages, &mut room);
            finish_packages("", packages);
        });
        if let Some(message) = room.exceeded() {
            self.add_problem(Problem::new(ProblemKind::LimitExceeded, message));
        }
        databases
    }

    fn finish_alone(&mut self) -> Vec<Application> {
        let mut applications = Vec::new();
        let siblings = std::mem::take(&mut self.siblings);
        let mut joiner = siblings.joiner();
        for ((path, kind), application) in self.applications.take_alone() {
            let Sourced { source, mut value } = application;
            if source == path
                && let Some(problem) = joiner.complete(&kind, &path, &mut value)
            {
                self.add_problem(problem);
            }
            complete(
                &self.license_texts,
                self.keeps_license_names,
                &path,
                &mut value,
            );
            applications.push(Application {
                kind: kind.to_string(),
                path: path.to_string(),
                packages: value,
            });
        }
        applications
    }

    fn finish_groups(&mut self) -> Vec<ApplicationGroup> {
        let (texts, keeps_names) = (&self.license_texts, self.keeps_license_names);
        let complete = |path: &str, packages: &mut [Package]| {
            complete(texts, keeps_names, path, packages);
        };
        self.applications.take_groups(complete)
    }

    /// Combines content sets and build label. Source: spec 02 section 2.7.
    fn finish_build_info(&mut self) -> Option<BuildInfo> {
        let content_sets = std::mem::take(&mut self.content_sets).pop_last();
        let label = std::mem::take(&mut self.build_labels).pop_last();
        if content_sets.is_none() && label.is_none() {
            return None;
        }
        let (nvr, arch) = label
            .map(|(_, label)| (label.nvr, label.arch))
            .unwrap_or_default();
        Some(BuildInfo {
            content_sets: content_sets.map(|(_, names)| names).unwrap_or_default(),
            nvr,
            arch,
        })
    }

    /// Says which packages were not read, and which files of language packages make no sense:
    /// those that a package of the distribution owns are none of their own. Source: spec 04 section 0.3.
    fn finish_unread(&mut self, databases: &PackagesByPath) {
        if self.unread.is_empty() {
            return;
        }
        let owned: HashSet<&str> = databases
            .packages()
            .iter()
            .flat_map(|package| package.installed_files.iter())
            .map(|path| path.strip_prefix('/').unwrap_or(path))
            .collect();
        let mut kinds: BTreeMap<Unread, (u64, &str)> = BTreeMap::new();
        for (path, unread) in &self.unread {
            if !owned.contains(path.as_str()) {
                kinds.entry(*unread).or_insert((0, path)).0 += 1;
            }
        }
        let problems: Vec<Problem> = kinds
            .into_iter()
            .map(|(unread, (count, example))| unread.problem(count, example))
            .collect();
        problems
            .into_iter()
            .for_each(|problem| self.add_problem(problem));
    }

    fn finish_problems(&mut self) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.problems);
        problems.sort();
        if self.problems_left_out > 0 {
            problems.push(Problem::new(
                ProblemKind::LimitExceeded,
                format!(
                    "{} in this layer",
                    count(self.problems_left_out, "more problem")
                ),
            ));
        }
        problems
    }
}

/// Orders records as they count: as the layer has them, but those that name no release of their
/// own (Ubuntu's extended maintenance, the mark of a supplier) last. Source: spec 02 section 1.4.
fn finish_distro_records(records: Vec<Sourced<DistroRecord>>) -> Vec<DistroRecord> {
    let mut records: Vec<_> = records.into_iter().map(|record| record.value).collect();
    records.sort_by_key(|record| record.distro.extended || record.distro.family.is_empty());
    records
}

/// Joins archives, sorted by path.
fn finish_archives(archives: BTreeMap<Arc<str>, JavaArchives>) -> JavaArchives {
    let mut joined = JavaArchives::default();
    for one in archives.into_values() {
        joined.append(&one);
    }
    joined.shrink();
    joined
}

/// Completes the packages of an application.
fn complete(texts: &LicenseTexts, keeps_names: bool, path: &str, packages: &mut [Package]) {
    for package in packages.iter_mut() {
        texts.resolve(path, &mut package.licenses);
    }
    if keeps_names {
        finish_packages(path, packages);
    } else {
        complete_packages(path, packages);
    }
}

/// Completes the packages of an application: normalises licences, computes identifiers, and sorts.
pub(crate) fn complete_packages(application_path: &str, packages: &mut [Package]) {
    for package in packages.iter_mut() {
        package.licenses = crate::licenses::normalize_list(&package.licenses);
    }
    finish_packages(application_path, packages);
}

/// Computes the UIDs, which depend on nothing beyond the layer, and sorts. Source: spec 03
/// section 6.2.
pub(crate) fn finish_packages(application_path: &str, packages: &mut [Package]) {
    for package in packages.iter_mut() {
        if package.identifier.uid.is_empty() {
            package.identifier.uid = uid::package_uid(application_path, package);
        }
    }
    package::sort(packages);
}
