//! The identity of a finding as Trivy computes it; our own is in `render/json/fingerprint.rs`.

use cleanbill_core::Digest;
use cleanbill_core::report::ImageReport;

/// Gives every finding of an image its fingerprint, suppressed ones too.
///
/// Source: spec 03 section 6.3; Trivy `pkg/fingerprint`.
pub fn assign_fingerprints(image: &mut ImageReport) {
    let artifact_id = image.artifact_id();
    for result in &mut image.results {
        let suppressed = result.suppressed.iter_mut().map(|one| &mut one.finding);
        for finding in result.findings.iter_mut().chain(suppressed) {
            let identity = format!(
                "{artifact_id}:{}:{}:{}",
                result.target, finding.package_id, finding.vulnerability_id
            );
            finding.fingerprint = Digest::of(identity.as_bytes()).to_string();
        }
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::report::ResultSet;
    use cleanbill_core::vulnerability::Finding;

    use super::*;

    #[test]
    fn the_vector_of_the_specification_holds() {
        let mut image = ImageReport {
            artifact_name: "testdata/fixtures/images/alpine-310.tar.gz".to_owned(),
            results: vec![ResultSet {
                target: "testdata/fixtures/images/alpine-310.tar.gz (alpine 3.10.2)".to_owned(),
                findings: vec![Finding {
                    package_id: "libcrypto1.1@1.1.1c-r0".to_owned(),
                    vulnerability_id: "CVE-2019-1549".to_owned(),
                    ..Finding::default()
                }],
                ..ResultSet::default()
            }],
            ..ImageReport::default()
        };
        let id = "sha256:961769676411f082461f9ef46626dd7a2d1e2b2a38e6a44364bcbecf51e66dd4";
        image.metadata.image_id = Some(id.parse().unwrap());
        image.metadata.repo_tags =
            vec!["ghcr.io/aquasecurity/trivy-test-images:alpine-310".to_owned()];
        assign_fingerprints(&mut image);
        assert_eq!(
            image.results[0].findings[0].fingerprint,
            "sha256:6843bc8bcd09d2629416906fb83f17f31dde9a2702183571f9d447c3185814ca"
        );
    }
}
