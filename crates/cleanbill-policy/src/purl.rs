//! Package URLs in policy files, brought to the form that packages have.

use cleanbill_core::purl::{PackageUrl, PackageUrlError};

/// Reads a package URL and lowers what its type says is not case-sensitive, so that
/// `pkg:pypi/Django` names the package `django`.
///
/// Source: packageurl-go 0.1.6 (`typeAdjustNamespace`, `typeAdjustName`).
pub(crate) fn parse(text: &str) -> Result<PackageUrl, PackageUrlError> {
    let mut purl: PackageUrl = text.parse()?;
    normalize(&mut purl);
    Ok(purl)
}

/// Brings a package URL to the form in which URLs are compared.
pub(crate) fn normalize(purl: &mut PackageUrl) {
    const LOWER_NAMESPACE: &[&str] = &[
        "alpm",
        "apk",
        "bitbucket",
        "composer",
        "deb",
        "github",
        "golang",
        "rpm",
        "qpkg",
    ];
    const LOWER_NAME: &[&str] = &[
        "alpm",
        "apk",
        "bitbucket",
        "bitnami",
        "composer",
        "deb",
        "github",
        "golang",
    ];
    let kind = purl.kind.as_str();
    if LOWER_NAMESPACE.contains(&kind) {
        purl.namespace = purl.namespace.to_lowercase();
    }
    if LOWER_NAME.contains(&kind) {
        purl.name = purl.name.to_lowercase();
    } else if kind == "pypi" {
        purl.name = purl.name.replace('_', "-").to_lowercase();
    }
    purl.qualifiers.retain(|(_, value)| !value.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowers_by_type() {
        for (text, expected) in [
            ("pkg:pypi/Foo_Bar@1", "pkg:pypi/foo-bar@1"),
            ("pkg:deb/Debian/Bash", "pkg:deb/debian/bash"),
            ("pkg:rpm/RedHat/Bash", "pkg:rpm/redhat/Bash"),
            ("pkg:npm/Foo?a=", "pkg:npm/Foo"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
    }
}
