//! Images and a database that tests share. Everything in them is made up.

use cleanbill_testkit::{AdvisoryDatabaseBuilder, ImageBuilder};
use serde_json::json;

/// Three findings: critical (fixed), high (fixed), low (will not be fixed).
pub(crate) fn web() -> ImageBuilder {
    debian("shop/web:1")
        .layer(|layer| {
            layer.file(
                "var/lib/dpkg/status",
                dpkg_status(&[
                    ("bash", "5.2.15-2"),
                    ("curl", "7.88.1-10"),
                    ("openssl", "3.0.11-1"),
                ]),
            )
        })
        .created_by("RUN apt-get install -y curl")
}

/// One finding: medium (fixed).
pub(crate) fn worker() -> ImageBuilder {
    alpine(
        "shop/worker:2",
        &[("busybox", "1.36.1-r28"), ("musl", "1.2.5-r1")],
    )
}

/// No finding.
pub(crate) fn clean() -> ImageBuilder {
    alpine(
        "shop/clean:3",
        &[("busybox", "1.36.1-r29"), ("musl", "1.2.5-r1")],
    )
}

/// No advisories exist for its distribution.
pub(crate) fn mystery() -> ImageBuilder {
    ImageBuilder::new()
        .tag("vendor/appliance:1")
        .layer(|layer| {
            layer
                .file("etc/os-release", "ID=acmelinux\nVERSION_ID=3\n")
                .file(
                    "var/lib/dpkg/status",
                    dpkg_status(&[("openssl", "3.0.11-1")]),
                )
        })
}

/// Debian 9: its security updates have ended.
pub(crate) fn retired() -> ImageBuilder {
    ImageBuilder::new().tag("legacy/billing:1").layer(|layer| {
        layer
            .file("etc/debian_version", "9.13\n")
            .file("var/lib/dpkg/status", dpkg_status(&[("bash", "4.4-5")]))
    })
}

/// A base of Debian 12 with bash and openssl.
pub(crate) fn debian(tag: &str) -> ImageBuilder {
    ImageBuilder::new()
        .tag(tag)
        .layer(|layer| {
            layer.file("etc/debian_version", "12.5\n").file(
                "var/lib/dpkg/status",
                dpkg_status(&[("bash", "5.2.15-2"), ("openssl", "3.0.11-1")]),
            )
        })
        .created_by("ADD rootfs.tar.xz /")
}

/// An image of Alpine 3.22 with one layer.
pub(crate) fn alpine(tag: &str, packages: &[(&str, &str)]) -> ImageBuilder {
    let block = |(name, version): &(&str, &str)| {
        format!("P:{name}\nV:{version}\nA:x86_64\nL:MIT\no:{name}\n\n")
    };
    let installed: String = packages.iter().map(block).collect();
    ImageBuilder::new()
        .tag(tag)
        .layer(|layer| {
            layer
                .file("etc/alpine-release", "3.22.1\n")
                .file("lib/apk/db/installed", installed)
        })
        .created_by("ADD alpine-minirootfs.tar.gz /")
}

/// Writes a dpkg status file.
pub(crate) fn dpkg_status(packages: &[(&str, &str)]) -> String {
    let block = |(name, version): &(&str, &str)| {
        format!(
            "Package: {name}\nStatus: install ok installed\nMaintainer: A <a@example.com>\n\
             Architecture: amd64\nVersion: {version}\n\n"
        )
    };
    packages.iter().map(block).collect()
}

/// When the database of [`database`] was built; old enough for every `--max-db-age` of the tests.
pub(crate) const BUILT: &str = "2024-06-01T00:00:00Z";

/// The advisories of the images above. It is never due.
pub(crate) fn database() -> AdvisoryDatabaseBuilder {
    database_of("2125-01-01T00:00:00Z")
}

/// The same, to be replaced by a newer one from `next_update` on.
pub(crate) fn database_of(next_update: &str) -> AdvisoryDatabaseBuilder {
    let severity = |number: u8, title: &str| json!({"Title": title, "Severity": "UNKNOWN", "VendorSeverity": {"nvd": number}});
    AdvisoryDatabaseBuilder::new()
        .metadata(format!(
            r#"{{"Version":2,"NextUpdate":"{next_update}","UpdatedAt":"{BUILT}","DownloadedAt":"{BUILT}"}}"#
        ))
        .advisory("debian 12", "openssl", "CVE-2099-0001", r#"{"FixedVersion":"3.0.13-1"}"#)
        .advisory("debian 12", "curl", "CVE-2099-0002", r#"{"FixedVersion":"7.88.1-11"}"#)
        .advisory("debian 12", "openssl", "CVE-2099-0003", r#"{"Status":5,"Severity":1}"#)
        .advisory("debian 9", "zsh", "CVE-2099-0005", r#"{"FixedVersion":"9"}"#)
        .advisory("alpine 3.22", "busybox", "CVE-2099-0004", r#"{"FixedVersion":"1.36.1-r29"}"#)
        .vulnerability("CVE-2099-0001", severity(4, "openssl: crafted certificates run code"))
        .vulnerability("CVE-2099-0002", severity(3, "curl: heap overflow"))
        .vulnerability("CVE-2099-0003", severity(1, "openssl: timing"))
        .vulnerability("CVE-2099-0004", severity(2, "busybox: stack overflow in awk"))
}
