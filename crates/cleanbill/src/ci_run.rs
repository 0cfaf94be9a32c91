//! The run of a pipeline that this process is part of, from what its system says of it.
//!
//! The variables are not trusted further than for a link: whoever may start a pipeline may set
//! them. What is no web address is left out.

use cleanbill_report::escape::link::web_address;
use url::Url;

use crate::environment::Environment;

/// Describes a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CiRun {
    /// What people call the system.
    pub(crate) system: &'static str,
    /// Where the run can be looked at, if that is known.
    pub(crate) url: Option<String>,
}

/// One system: the variable that tells it, and how the address of a run is made.
struct System {
    name: &'static str,
    /// Set in its runs and nowhere else.
    mark: &'static str,
    url: fn(&Environment) -> Option<String>,
}

/// The systems, those first that are most particular about their mark.
///
/// Source: the pages on predefined variables in the manual of each.
const SYSTEMS: &[System] = &[
    System {
        name: "GitHub Actions",
        mark: "GITHUB_ACTIONS",
        url: github,
    },
    System {
        name: "GitLab CI",
        mark: "GITLAB_CI",
        url: |environment| first(environment, &["CI_JOB_URL", "CI_PIPELINE_URL"]),
    },
    System {
        name: "Bitbucket Pipelines",
        mark: "BITBUCKET_BUILD_NUMBER",
        url: bitbucket,
    },
    System {
        name: "Azure Pipelines",
        mark: "TF_BUILD",
        url: azure,
    },
    System {
        name: "CircleCI",
        mark: "CIRCLECI",
        url: |environment| first(environment, &["CIRCLE_BUILD_URL"]),
    },
    System {
        name: "Jenkins",
        mark: "JENKINS_URL",
        url: |environment| first(environment, &["RUN_DISPLAY_URL", "BUILD_URL"]),
    },
];

impl CiRun {
    /// Finds out which run this is; `None` outside of any.
    pub(crate) fn of(environment: &Environment) -> Option<Self> {
        let system = SYSTEMS
            .iter()
            .find(|system| environment.get(system.mark).is_some())?;
        Some(Self {
            system: system.name,
            url: (system.url)(environment).and_then(|text| harmless(&text)),
        })
    }

    /// Returns the address of the run that this is, if it is one and it is known.
    pub(crate) fn url(environment: &Environment) -> Option<String> {
        Self::of(environment)?.url
    }
}

fn first(environment: &Environment, names: &[&str]) -> Option<String> {
    let value = names.iter().find_map(|name| environment.get(name));
    value.map(str::to_owned)
}

fn github(environment: &Environment) -> Option<String> {
    let server = environment
        .get("GITHUB_SERVER_URL")
        .unwrap_or("https://github.com");
    let repository = environment.get("GITHUB_REPOSITORY")?;
    let run = environment.get("GITHUB_RUN_ID")?;
    Some(format!("{server}/{repository}/actions/runs/{run}"))
}

fn bitbucket(environment: &Environment) -> Option<String> {
    let repository = environment.get("BITBUCKET_REPO_FULL_NAME")?;
    let number = environment.get("BITBUCKET_BUILD_NUMBER")?;
    Some(format!(
        "https://bitbucket.org/{repository}/pipelines/results/{number}"
    ))
}

fn azure(environment: &Environment) -> Option<String> {
    let names = ["SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"];
    let collection = first(environment, &names)?;
    let project = environment
        .get("SYSTEM_TEAMPROJECTID")
        .or_else(|| environment.get("SYSTEM_TEAMPROJECT"))?;
    let build = environment.get("BUILD_BUILDID")?;
    let mut url = Url::parse(&collection).ok()?;
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend([project, "_build", "results"]);
    url.query_pairs_mut().append_pair("buildId", build);
    Some(url.to_string())
}

/// Returns an address that may become a link, without user info: systems put passwords there.
fn harmless(text: &str) -> Option<String> {
    let mut url = Url::parse(web_address(text)?).ok()?;
    // Both fail only for addresses that cannot have user info.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    web_address(url.as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], system: &str, url: Option<&str>) {
        let pairs = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let run = CiRun::of(&Environment::from_pairs(pairs.collect())).unwrap();
        assert_eq!((run.system, run.url.as_deref()), (system, url));
    }

    #[test]
    fn every_system_links_to_its_run() {
        let github = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "shop/web"),
            ("GITHUB_RUN_ID", "77"),
        ];
        let url = "https://github.com/shop/web/actions/runs/77";
        check(&github, "GitHub Actions", Some(url));
        let mut own = github.to_vec();
        own.push(("GITHUB_SERVER_URL", "https://git.corp"));
        let url = "https://git.corp/shop/web/actions/runs/77";
        check(&own, "GitHub Actions", Some(url));
        let url = "https://gitlab.corp/shop/web/-/jobs/9";
        check(
            &[("GITLAB_CI", "true"), ("CI_JOB_URL", url)],
            "GitLab CI",
            Some(url),
        );
        let url = "https://ci.corp/job/web/12/";
        let jenkins = [("JENKINS_URL", "https://ci.corp/"), ("BUILD_URL", url)];
        check(&jenkins, "Jenkins", Some(url));
        let azure = [
            ("TF_BUILD", "True"),
            (
                "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
                "https://dev.azure.com/shop/",
            ),
            ("SYSTEM_TEAMPROJECT", "Web shop"),
            ("BUILD_BUILDID", "31"),
        ];
        let url = "https://dev.azure.com/shop/Web%20shop/_build/results?buildId=31";
        check(&azure, "Azure Pipelines", Some(url));
        let url = "https://circleci.com/gh/shop/web/5";
        let circle = [("CIRCLECI", "true"), ("CIRCLE_BUILD_URL", url)];
        check(&circle, "CircleCI", Some(url));
        let bitbucket = [
            ("BITBUCKET_BUILD_NUMBER", "8"),
            ("BITBUCKET_REPO_FULL_NAME", "shop/web"),
        ];
        let url = "https://bitbucket.org/shop/web/pipelines/results/8";
        check(&bitbucket, "Bitbucket Pipelines", Some(url));
    }

    #[test]
    fn what_is_no_address_is_no_link() {
        let jenkins = |url| [("JENKINS_URL", "https://ci.corp/"), ("BUILD_URL", url)];
        for url in [
            "javascript:alert(1)",
            "https://ci.corp/) [x](https://evil.example",
            "https://ci.corp/\n# a",
            "",
        ] {
            check(&jenkins(url), "Jenkins", None);
        }
        check(
            &jenkins("https://me:hunter2@ci.corp/1"),
            "Jenkins",
            Some("https://ci.corp/1"),
        );
        check(&[("GITHUB_ACTIONS", "true")], "GitHub Actions", None);
    }

    #[test]
    fn outside_of_a_pipeline_there_is_no_run() {
        assert_eq!(CiRun::of(&Environment::default()), None);
    }
}
