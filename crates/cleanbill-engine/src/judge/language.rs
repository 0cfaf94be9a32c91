//! Judges language packages.

use cleanbill_advisories::{MatchError, fill_details, match_language_packages};
use cleanbill_core::inventory::Application;
use cleanbill_core::problem::Problem;
use cleanbill_core::report::{ResultClass, ResultSet};
use cleanbill_core::vulnerability::Finding;

use super::{Judge, matching_failed};

/// Titles of results that join packages of many files. Source: spec 04 section 0.5.
const TITLES: &[(&str, &str)] = &[
    ("python-pkg", "Python"),
    ("conda-pkg", "Conda"),
    ("gemspec", "Ruby"),
    ("node-pkg", "Node.js"),
    ("jar", "Java"),
    ("kubernetes", "Kubernetes"),
];

impl Judge<'_> {
    /// Judges applications. Returns one result for each that has packages, ordered by target, then
    /// type.
    ///
    /// Source: spec 03 section 5.2.
    pub(super) fn judge_applications(
        &self,
        applications: Vec<Application>,
        problems: &mut Vec<Problem>,
    ) -> Vec<ResultSet> {
        let mut results: Vec<ResultSet> = applications
            .into_iter()
            .filter_map(|application| self.judge_application(application, problems))
            .collect();
        results.sort_by(|a, b| (&a.target, &a.kind).cmp(&(&b.target, &b.kind)));
        results
    }

    /// Judges one application; `None` if it has no packages. Those that are needed for development
    /// only do not count: they are stated, but not installed.
    fn judge_application(
        &self,
        application: Application,
        problems: &mut Vec<Problem>,
    ) -> Option<ResultSet> {
        let target = target(&application);
        let Application {
            kind,
            path,
            mut packages,
        } = application;
        packages.retain(|package| !package.dev);
        if packages.is_empty() {
            return None;
        }
        let (findings, not_judged) = match match_language_packages(self.database, &kind, &packages)
        {
            Ok(matched) => (matched.findings, matched.problems),
            Err(error) => (Vec::new(), vec![matching_failed(&error)]),
        };
        problems.extend(not_judged.into_iter().map(|problem| Problem {
            path: path.clone(),
            ..problem
        }));
        Some(ResultSet {
            target,
            class: ResultClass::LanguagePackages,
            kind,
            packages,
            findings: self.with_details(findings, problems),
            ..ResultSet::default()
        })
    }

    /// Fills in what is known about the vulnerabilities.
    pub(super) fn with_details(
        &self,
        mut findings: Vec<Finding>,
        problems: &mut Vec<Problem>,
    ) -> Vec<Finding> {
        let sources = &self.options.severity_sources;
        if let Err(error) = fill_details(self.database, &mut findings, sources) {
            problems.push(matching_failed(&MatchError::from(error)));
        }
        findings
    }
}

/// Returns the path of an application, or a title if it joins many.
fn target(application: &Application) -> String {
    let title = TITLES.iter().find(|(kind, _)| *kind == application.kind);
    match title {
        Some((_, title)) if application.path.is_empty() => (*title).to_owned(),
        _ => application.path.clone(),
    }
}
