//! One run of a matcher over the packages of one image.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cleanbill_core::package::Package;
use cleanbill_core::problem::{Problem, ProblemKind};
use cleanbill_core::vulnerability::{DataSource, Finding};

use super::AdvisorySource;
use crate::Advisory;
use crate::database::{LookupError, PreparedRows, RowForm};

/// Why a package without a version is not judged.
pub(super) const NO_VERSION: &str = "they have no version";
/// Why a package is not judged whose version its scheme does not accept.
pub(super) const UNCOMPARABLE: &str = "their versions cannot be compared";

/// Names that a message lists before it only counts.
const NAMES_LISTED_MAX: usize = 5;

/// Collects what a run finds.
pub(super) struct Session<'a> {
    pub(super) source: &'a dyn AdvisorySource,
    findings: Vec<Finding>,
    problems: BTreeSet<Problem>,
    not_judged: BTreeMap<&'static str, Vec<String>>,
    buckets: BTreeSet<String>,
}

impl<'a> Session<'a> {
    pub(super) fn new(source: &'a dyn AdvisorySource) -> Self {
        Self {
            source,
            findings: Vec::new(),
            problems: BTreeSet::new(),
            not_judged: BTreeMap::new(),
            buckets: BTreeSet::new(),
        }
    }

    pub(super) fn report(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Notes that advisories of a bucket were needed, so that its absence is told.
    pub(super) fn needs_bucket(&mut self, bucket: &str) {
        if !self.buckets.contains(bucket) {
            self.buckets.insert(bucket.to_owned());
        }
    }

    /// Notes that a package was left out although advisories for it may apply.
    pub(super) fn could_not_judge(&mut self, package: &Package, reason: &'static str) {
        self.not_judged.entry(reason).or_default().push(format!(
            "{} {}",
            package.name,
            package.installed_version()
        ));
    }

    /// Notes anything else that was left out.
    pub(super) fn problem(&mut self, message: String) {
        self.problems
            .insert(Problem::new(ProblemKind::MatchingFailed, message));
    }

    /// Notes that a supported family has no advisories.
    pub(super) fn has_no_advisories(&mut self, message: &str) {
        self.problems
            .insert(Problem::new(ProblemKind::UnsupportedDistro, message));
    }

    /// Returns the findings and the problems.
    pub(super) fn finish(mut self) -> Result<(Vec<Finding>, Vec<Problem>), LookupError> {
        for bucket in &self.buckets {
            if !self.source.has_bucket(bucket)? {
                self.problems.insert(Problem::new(
                    ProblemKind::NoAdvisories,
                    format!("the advisory database holds no advisories for '{bucket}'"),
                ));
            }
        }
        for (reason, packages) in &self.not_judged {
            self.problems.insert(Problem::new(
                ProblemKind::MatchingFailed,
                not_judged_message(reason, packages),
            ));
        }
        Ok((self.findings, self.problems.into_iter().collect()))
    }
}

/// Says which packages were left out, and why.
pub(super) fn not_judged_message(reason: &str, packages: &[String]) -> String {
    let listed = packages.iter().take(NAMES_LISTED_MAX);
    let listed = listed.map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match packages.len().saturating_sub(NAMES_LISTED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("packages could not be judged because {reason}: {listed}{more}")
}

/// Builds a finding with what every family fills in alike.
///
/// Source: spec 02 section 6, "Common finding fields".
pub(super) fn finding(
    package: &Package,
    vulnerability_id: &str,
    data_source: Option<&DataSource>,
) -> Finding {
    Finding {
        vulnerability_id: vulnerability_id.to_owned(),
        package_id: package.id.clone(),
        package_name: package.name.clone(),
        source_name: package.src_name.as_str().into(),
        package_identifier: package.identifier.clone(),
        installed_version: package.installed_version(),
        layer: package.layer,
        data_source: data_source.cloned(),
        ..Finding::default()
    }
}

/// Keeps what was looked up: many binary packages are built from one source package.
pub(super) struct Shelf<T> {
    rows: HashMap<String, HashMap<String, Arc<Vec<T>>>>,
}

impl<T> Shelf<T> {
    pub(super) fn new() -> Self {
        Self {
            rows: HashMap::new(),
        }
    }

    /// Returns what `prepare` made of the advisories of a package, looking them up on first use.
    pub(super) fn rows(
        &mut self,
        session: &mut Session<'_>,
        bucket: &str,
        name: &str,
        prepare: impl Fn(Vec<Advisory>) -> Vec<T>,
    ) -> Result<Arc<Vec<T>>, LookupError> {
        self.look_up(session, bucket, name, |source| {
            let advisories = source.advisories(bucket, name)?;
            Ok(Arc::new(prepare(advisories)))
        })
    }

    fn look_up(
        &mut self,
        session: &mut Session<'_>,
        bucket: &str,
        name: &str,
        look_up: impl FnOnce(&dyn AdvisorySource) -> Result<Arc<Vec<T>>, LookupError>,
    ) -> Result<Arc<Vec<T>>, LookupError> {
        if let Some(rows) = self.rows.get(bucket).and_then(|names| names.get(name)) {
            return Ok(Arc::clone(rows));
        }
        session.needs_bucket(bucket);
        let rows = if name.is_empty() {
            Arc::default()
        } else {
            look_up(session.source)?
        };
        self.rows
            .entry(bucket.to_owned())
            .or_default()
            .insert(name.to_owned(), Arc::clone(&rows));
        Ok(rows)
    }
}

impl<T: Send + Sync + 'static> Shelf<T> {
    /// As [`Shelf::rows`], where the source may have kept what `prepare` made for another image.
    /// What it makes depends on `form` and the advisories alone.
    pub(super) fn shared_rows(
        &mut self,
        session: &mut Session<'_>,
        form: RowForm,
        bucket: &str,
        name: &str,
        prepare: impl Fn(Vec<Advisory>) -> Vec<T>,
    ) -> Result<Arc<Vec<T>>, LookupError> {
        self.look_up(session, bucket, name, |source| {
            let wrapped = |advisories| PreparedRows::new(prepare(advisories));
            let prepared = source.prepared_rows(form, bucket, name, &wrapped)?;
            match prepared.get() {
                Some(rows) => Ok(rows),
                None => Ok(Arc::new(prepare(source.advisories(bucket, name)?))),
            }
        })
    }
}
