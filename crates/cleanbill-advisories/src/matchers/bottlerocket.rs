//! Bottlerocket.

use cleanbill_core::package::Package;

use super::rule::Rule;
use super::session::NO_VERSION;

/// Source: spec 02 section 6, Trivy `pkg/detector/ospkg/bottlerocket`.
pub(super) static BOTTLEROCKET: Rule = Rule {
    bucket: |_| "bottlerocket".to_owned(),
    obstacle,
    ..Rule::COMMON
};

/// Every version would count as fixed later than none.
fn obstacle(package: &Package) -> Option<&'static str> {
    package.installed_version().is_empty().then_some(NO_VERSION)
}

#[cfg(test)]
mod tests {
    use crate::matchers::testing::{Case, fixed, rpm};

    #[test]
    fn a_package_without_a_version_is_told() {
        let matched = Case::new("bottlerocket", "1.20")
            .package(rpm("runc", "1:1.1.12"))
            .package(rpm("kernel", ""))
            .advisory("bottlerocket", "runc", "CVE-1", fixed("1:1.1.13"))
            .advisory("bottlerocket", "kernel", "CVE-2", fixed("6.1"));
        assert_eq!(matched.found(), ["CVE-1 runc 1:1.1.12 -> 1:1.1.13"]);
        assert_eq!(matched.run().problems.len(), 1);
    }
}
