//! Telling packages of the distribution from those of others.

/// Says from the maintainer whether somebody other than the distribution supplies a package.
///
/// dpkg does not record where a package came from; the list is that of spec 02 section 2.2.
pub(super) fn is_third_party(maintainer: &str) -> bool {
    MAINTAINERS.contains(&maintainer)
        || MAINTAINER_PARTS
            .iter()
            .any(|part| maintainer.contains(part))
}

const MAINTAINERS: &[&str] = &["GitHub", "HashiCorp"];

const MAINTAINER_PARTS: &[&str] = &[
    "support@docker.com",
    "@nvidia.com",
    "Google Cloud CLI Authors",
    "sapmachine@sap.com",
    "@hashicorp.com",
    "@microsoft.com",
    "@mongodb.com",
    "developers@lists.mariadb.org",
    "dev@couchdb.apache.org",
    "info@elastic.co",
    "nginx-packaging@f5.com",
    "@konghq.com",
    "@cloudflare.com",
    "support@influxdb.com",
    "support@gitlab.com",
    "contact@grafana.com",
    "@datadoghq.com",
    "@nodesource.com",
    "info@tailscale.com",
    "@openrobotics.org",
    "@osrfoundation.org",
];
