//! CoreOS: known to the reference, but nobody publishes advisories for it.

use cleanbill_core::package::Package;

use super::session::Session;
use super::{MatchError, Matcher, OsPackages};

/// Finds nothing and says so. Source: spec 02 section 1.1, Trivy `pkg/detector/ospkg/coreos`.
pub(super) struct CoreOs;

impl Matcher for CoreOs {
    fn judge(
        &self,
        _: &OsPackages<'_>,
        _: &[&Package],
        session: &mut Session<'_>,
    ) -> Result<(), MatchError> {
        session.has_no_advisories("no advisories for CoreOS packages exist: none was judged");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::matchers::testing::{Case, rpm};

    #[test]
    fn nothing_found_is_not_clean() {
        let matched = Case::new("coreos", "4.12")
            .package(rpm("bash", "1-1"))
            .run();
        assert!(matched.is_supported);
        assert!(matched.findings.is_empty());
        assert!(matched.problems[0].kind.is_gap());
    }
}
