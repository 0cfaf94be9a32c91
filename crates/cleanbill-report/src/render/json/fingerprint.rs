//! The identity of a finding that outlives tags, images and versions of the package, so that
//! baselines and alerts can follow it.

use cleanbill_core::Digest;
use cleanbill_core::vulnerability::Finding;

/// Names how the identity is made up. Another make-up gets another number.
const SCHEME: &str = "cleanbill-finding-v1";

/// Returns the identity of a finding of a result of this type: `sha256:` and the digest of scheme,
/// result type, package name, package path and vulnerability id, with NUL between them.
pub(in crate::render) fn of(result_kind: &str, finding: &Finding) -> String {
    let parts = [
        SCHEME,
        result_kind,
        &finding.package_name,
        &finding.package_path,
        &finding.vulnerability_id,
    ];
    Digest::of(parts.join("\0").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        Finding {
            vulnerability_id: "CVE-2026-1".to_owned(),
            package_name: "qs".to_owned(),
            package_path: "srv/qs/package.json".to_owned(),
            ..Finding::default()
        }
    }

    #[test]
    fn the_digest_is_that_of_the_parts() {
        // Computed with `printf 'cleanbill-finding-v1\0node-pkg\0qs\0…' | sha256sum`.
        assert_eq!(
            of("node-pkg", &finding()),
            "sha256:220c46a675f13430451c493b2c4ac0d00544ec1193e9bf57b25690ea7ac7d28e"
        );
    }

    #[track_caller]
    fn check(original: &str, is_same: bool, kind: &str, change: impl Fn(&mut Finding)) {
        let mut changed = finding();
        change(&mut changed);
        assert_eq!(of(kind, &changed) == original, is_same);
    }

    #[test]
    fn only_the_identity_counts() {
        let original = of("node-pkg", &finding());
        check(&original, true, "node-pkg", |finding| {
            finding.package_id = "qs@2".to_owned();
            finding.installed_version = "2".to_owned();
            finding.fixed_version = "3".to_owned();
            finding.fingerprint = "sha256:1".to_owned();
        });
        check(&original, false, "yarn", |_| ());
        check(&original, false, "node-pkg", |finding| {
            finding.package_name.clear();
        });
        check(&original, false, "node-pkg", |finding| {
            finding.package_path.clear();
        });
        check(&original, false, "node-pkg", |finding| {
            finding.vulnerability_id.push('0');
        });
    }
}
