//! The inventory of a layer while it is being made.
//!
//! Everything in it remembers the file that gave it, because a layer may hold two entries of one
//! path and a container sees the later one: what the earlier entry gave is then forgotten.

mod applications;
mod by_path;
mod dpkg;
mod finish;
mod java;
mod license_files;
mod license_texts;
mod reported;
mod siblings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use cleanbill_core::distro::{Distro, RepositoryHint};
use cleanbill_core::inventory::{DistroRecord, Link, MarkerSet, PathSet};
use cleanbill_core::java::JavaArchives;
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Limits, Package, Problem};

use crate::archive::LayerSpending;
use crate::room::Room;
use crate::subtree::keys_below;
pub(crate) use applications::is_joined;
use applications::{ApplicationKey, ApplicationsDraft};
use by_path::PackagesDraft;
pub(crate) use dpkg::DpkgDraft;
pub(crate) use finish::{complete_packages, finish_packages};
use license_files::LicenseFilesDraft;
pub(crate) use license_texts::LicenseTexts;
use siblings::Siblings;

/// Holds what extractors found in a layer so far.
pub(crate) struct LayerDraft {
    limits: Arc<Limits>,
    /// The file that is being read.
    source: String,
    /// The extractor that reads it.
    extractor: &'static str,
    /// Every file that was read, with what it gave, unless that is a database, or an application of a
    /// type that reports join, at its own path: there may be a hundred thousand of them.
    sources: BTreeMap<Arc<str>, Option<Box<Trace>>>,
    databases: PackagesDraft,
    applications: ApplicationsDraft,
    /// Java archives that wait for an index, one for each path.
    java_archives: BTreeMap<Arc<str>, JavaArchives>,
    package_count: u64,
    packages_size_bytes: u64,
    distro_records: Vec<Sourced<DistroRecord>>,
    repository_hint: Option<Sourced<RepositoryHint>>,
    license_files: LicenseFilesDraft,
    /// What is left for licences and for the paths of files.
    licenses_room: Room,
    paths_room: Room,
    content_sets: BTreeMap<String, Vec<String>>,
    build_labels: BTreeMap<String, BuildLabel>,
    /// Files of packages that are not read, with their kind.
    unread: BTreeMap<String, Unread>,
    /// What the layer's archives have cost, those behind links included.
    pub(crate) archives: Arc<LayerSpending>,
    /// What dpkg keeps beside its status file.
    pub(crate) dpkg: DpkgDraft,
    /// Files that say which packages of another file count.
    pub(crate) siblings: Siblings,
    /// Texts of licences that packages name by file.
    pub(crate) license_texts: LicenseTexts,
    /// Licences stay as they are written.
    keeps_license_names: bool,
    problems: Vec<Problem>,
    problems_left_out: u64,
}

/// Pairs a thing with the file that gave it.
struct Sourced<T> {
    source: Arc<str>,
    value: T,
}

/// Lists where a file put things.
#[derive(Default)]
struct Trace {
    databases: Vec<String>,
    applications: Vec<ApplicationKey>,
}

/// Names the build of a Red Hat image.
struct BuildLabel {
    nvr: String,
    arch: String,
}

/// Holds what the walk of a layer establishes beside the extractors.
#[derive(Default)]
pub(crate) struct LayerFrame {
    pub(crate) size_bytes: Option<u64>,
    pub(crate) opaque_directories: MarkerSet,
    pub(crate) whiteouts: MarkerSet,
    pub(crate) links: Vec<Link>,
    pub(crate) paths: PathSet,
}

/// Names packages that are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unread {
    /// Packages of a package manager of distributions for which there are no advisories.
    PackageManager(&'static str),
    /// Files that should describe language packages of a type, and make no sense.
    Malformed(&'static str),
}

impl Unread {
    fn problem(self, count: u64, example: &str) -> Problem {
        let (kind, message) = match self {
            Self::PackageManager(name) => (
                ProblemKind::UnsupportedFormat,
                format!(
                    "packages of {name} are not supported: {} in this layer",
                    cleanbill_core::count(count, "file")
                ),
            ),
            Self::Malformed(kind) => (
                ProblemKind::IgnoredFile,
                format!("malformed files of {kind} packages were ignored: {count} in this layer"),
            ),
        };
        Problem::at(kind, example, message)
    }
}

impl LayerDraft {
    /// Starts an empty inventory.
    pub(crate) fn new(limits: Arc<Limits>) -> Self {
        Self {
            source: String::new(),
            extractor: "",
            sources: BTreeMap::new(),
            databases: PackagesDraft::default(),
            applications: ApplicationsDraft::default(),
            java_archives: BTreeMap::new(),
            package_count: 0,
            packages_size_bytes: 0,
            distro_records: Vec::new(),
            repository_hint: None,
            license_files: LicenseFilesDraft::default(),
            licenses_room: Room::new(&limits),
            paths_room: Room::of_paths(&limits),
            content_sets: BTreeMap::new(),
            build_labels: BTreeMap::new(),
            unread: BTreeMap::new(),
            archives: Arc::default(),
            dpkg: DpkgDraft::default(),
            siblings: Siblings::default(),
            license_texts: LicenseTexts::default(),
            keeps_license_names: false,
            problems: Vec::new(),
            problems_left_out: 0,
            limits,
        }
    }

    /// Leaves the names of licences as they are written.
    pub(crate) fn keep_license_names(&mut self) {
        self.keeps_license_names = true;
    }

    /// Says which file is read next, and by which extractor.
    ///
    /// Returns whether there is room for its path; if not, it is not to be read.
    pub(crate) fn begin(&mut self, source: &str, extractor: &'static str) -> bool {
        source.clone_into(&mut self.source);
        self.extractor = extractor;
        if self.sources.contains_key(source) {
            return true;
        }
        let was_exceeded = self.paths_room.exceeded().is_some();
        if self.paths_room.take(source.len()) {
            self.sources.insert(source.into(), None);
            return true;
        }
        if let Some(message) = self.paths_room.exceeded().filter(|_| !was_exceeded) {
            self.add_problem(Problem::new(ProblemKind::LimitExceeded, message));
        }
        false
    }

    /// Puts a package database at a path, in place of what this layer had there. `AnalyzedBy` of
    /// packages that state none becomes the extractor's name.
    pub(crate) fn add_database(&mut self, path: &str, packages: Vec<Package>) {
        let packages = self.accept(packages);
        let source = self.shared_source();
        if path == &*source {
            let path = Arc::clone(&source);
            self.databases.insert(path, source, packages);
        } else {
            self.trace().databases.push(path.to_owned());
            self.databases.insert(path.into(), source, packages);
        }
    }

    /// Puts an application of a type at a path, in place of what this layer had there.
    pub(crate) fn add_application(&mut self, kind: &str, path: &str, packages: Vec<Package>) {
        let value = self.accept(packages);
        let source = self.shared_source();
        let is_own = path == &*source;
        let path = if is_own {
            Arc::clone(&source)
        } else {
            path.into()
        };
        let key = (path, self.applications.shared_kind(kind));
        if !is_own || !is_joined(kind) {
            self.trace().applications.push(key.clone());
        }
        self.applications.insert(key, source, value);
    }

    /// Records what a file says about the distribution. A fallback counts only when no other
    /// record of the image names a family.
    pub(crate) fn add_distro_record(&mut self, path: &str, distro: Distro, is_fallback: bool) {
        let record = DistroRecord {
            path: path.to_owned(),
            distro,
            is_fallback,
        };
        self.distro_records.push(self.sourced(record));
    }

    /// Records the release of the package repositories, in place of what another file said.
    pub(crate) fn set_repository_hint(&mut self, hint: RepositoryHint) {
        self.repository_hint = Some(self.sourced(hint));
    }

    /// Records that the file that is being read holds packages that are not read.
    pub(crate) fn add_unread(&mut self, unread: Unread) {
        self.unread.insert(self.source.clone(), unread);
    }

    /// Records the licences of a dpkg package that the file states. They decide nothing: what there
    /// is no room for goes unnamed.
    pub(crate) fn add_license_file(&mut self, package_name: &str, licenses: &[String]) {
        let mut names = licenses.iter();
        if names.all(|name| self.licenses_room.take(name.len())) {
            let path = self.shared_source();
            self.license_files.insert(path, package_name, licenses);
        }
    }

    /// Records the content sets that a file names. Of several files the one that sorts last
    /// counts.
    pub(crate) fn add_content_sets(&mut self, path: &str, content_sets: Vec<String>) {
        self.content_sets.insert(path.to_owned(), content_sets);
    }

    /// Records the image build that a file names. Of several files the one that sorts last
    /// counts.
    pub(crate) fn add_build_label(&mut self, path: &str, nvr: String, arch: String) {
        self.build_labels
            .insert(path.to_owned(), BuildLabel { nvr, arch });
    }

    /// Records a problem. Beyond the limit problems are only counted.
    pub(crate) fn add_problem(&mut self, problem: Problem) {
        if (self.problems.len() as u64) < self.limits.problems_per_layer_max {
            self.problems.push(problem);
        } else {
            self.problems_left_out += 1;
        }
    }

    /// Forgets what a file gave, and everything that files below it gave: a later entry of the
    /// layer has taken its place.
    pub(crate) fn forget(&mut self, path: &str, is_directory: bool) {
        for source in self.sources_replaced_by(path, is_directory) {
            self.forget_source(&source);
        }
    }

    fn sources_replaced_by(&self, path: &str, is_directory: bool) -> Vec<Arc<str>> {
        let mut replaced = Vec::new();
        if self.sources.contains_key(path) {
            replaced.push(path.into());
        }
        if !is_directory {
            replaced.extend(keys_below(&self.sources, path));
        }
        replaced
    }

    fn forget_source(&mut self, source: &str) {
        let trace = self.sources.remove(source).flatten().unwrap_or_default();
        let databases = trace.databases.iter().map(String::as_str);
        for path in databases.chain([source]) {
            if self.databases.source_of(path) == Some(source) {
                self.databases.remove(path);
            }
        }
        self.applications.forget(source, &trace.applications);
        self.java_archives.remove(source);
        self.distro_records
            .retain(|record| *record.source != *source);
        self.repository_hint.take_if(|hint| *hint.source == *source);
        self.license_files.remove(source);
        self.content_sets.remove(source);
        self.build_labels.remove(source);
        self.unread.remove(source);
        self.dpkg.forget(source);
        self.siblings.forget(source);
        self.license_texts.forget(source);
        self.problems.retain(|problem| problem.path != source);
    }

    /// Stamps packages with the extractor's name, and leaves out those beyond the limits.
    fn accept(&mut self, mut packages: Vec<Package>) -> Vec<Package> {
        let limits = Arc::clone(&self.limits);
        let before = packages.len();
        packages.retain(|package| {
            package.longest_field_size_bytes() <= limits.package_field_size_bytes_max
        });
        if packages.len() < before {
            self.exceeded(format!(
                "{} packages have a name or version longer than {} bytes \
                 (package_field_size_bytes_max)",
                before - packages.len(),
                limits.package_field_size_bytes_max
            ));
        }
        let max = limits.packages_per_layer_max;
        let room = usize::try_from(max.saturating_sub(self.package_count)).unwrap_or(usize::MAX);
        if packages.len() > room {
            packages.truncate(room);
            self.exceeded(format!(
                "the layer has more than {max} packages (packages_per_layer_max)"
            ));
        }
        let max = limits.packages_size_bytes_max;
        let before = packages.len();
        packages.retain(|package| {
            self.packages_size_bytes += package.size_bytes();
            self.packages_size_bytes <= max
        });
        if packages.len() < before {
            self.exceeded(format!(
                "the packages of the layer take more than {max} bytes (packages_size_bytes_max)"
            ));
        }
        self.package_count += packages.len() as u64;
        for package in &mut packages {
            if package.analyzed_by.is_empty() {
                self.extractor.clone_into(&mut package.analyzed_by);
            }
        }
        // A layer may have as many lists as packages, and a list that grows has room for four.
        packages.shrink_to_fit();
        packages
    }

    fn exceeded(&mut self, message: String) {
        self.add_problem(Problem::at(
            ProblemKind::LimitExceeded,
            self.source.clone(),
            message,
        ));
    }

    fn trace(&mut self) -> &mut Trace {
        let source = self.shared_source();
        self.sources
            .entry(source)
            .or_default()
            .get_or_insert_default()
    }

    /// Returns the path of the file that is being read, as others hold it.
    fn shared_source(&self) -> Arc<str> {
        let known = self.sources.get_key_value(self.source.as_str());
        known.map_or_else(|| self.source.as_str().into(), |(path, _)| Arc::clone(path))
    }

    fn sourced<T>(&self, value: T) -> Sourced<T> {
        Sourced {
            source: self.shared_source(),
            value,
        }
    }
}
