//! Echo: rebuilt Debian packages, rolling.

use cleanbill_core::package::Package;
use cleanbill_core::severity::FixStatus;
use cleanbill_core::vulnerability::Finding;
use cleanbill_version::VersionScheme;

use super::debian::rate;
use super::rule::{Compared, NameRule, Rule};
use crate::Advisory;

/// The reference gives up on the image at the first version that it cannot parse; here only that
/// package is left out, and told. Source: spec 02 section 6.12, Trivy `pkg/detector/ospkg/echo`.
pub(super) static ECHO: Rule = Rule {
    bucket: |_| "echo".to_owned(),
    name: NameRule::Source,
    compared: Compared::Source,
    scheme: VersionScheme::Deb,
    reports_unfixed: true,
    covers_third_party: true,
    refine,
    ..Rule::COMMON
};

fn refine(finding: &mut Finding, package: &Package, advisory: &Advisory) {
    finding.installed_version = package.source_version();
    finding.status = FixStatus::from_number(advisory.status);
    rate(finding, advisory.severity, "echo");
}

#[cfg(test)]
mod tests {
    use cleanbill_core::package::RepositoryClass;
    use cleanbill_core::severity::Severity;

    use super::*;
    use crate::matchers::testing::{Case, deb};

    #[test]
    fn the_source_version_is_printed_and_third_parties_are_covered() {
        let package = Package {
            src_name: "gh".to_owned(),
            src_version: "2.0".to_owned(),
            src_release: "1".to_owned(),
            repository_class: RepositoryClass::ThirdParty,
            ..deb("gh-cli", "9.9-9")
        };
        let advisory = Advisory {
            fixed_version: "2.0-2".to_owned(),
            severity: 4,
            status: 4,
            ..Advisory::default()
        };
        let case = Case::new("echo", "1").package(package);
        let matched = case.advisory("echo", "gh", "CVE-1", advisory).run();
        let finding = &matched.findings[0];
        assert_eq!(finding.installed_version, "2.0-1");
        assert_eq!(finding.package_name, "gh-cli");
        assert_eq!(finding.severity, Severity::Critical);
        assert_eq!(finding.severity_source, "echo");
        assert_eq!(finding.status, FixStatus::UnderInvestigation);
    }
}
