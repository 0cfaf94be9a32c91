//! The sample images and the sample advisory database of `cleanbill demo`.
//!
//! Everything in them is made up: packages, versions, vulnerabilities (`CVE-2099-…`: there is no
//! such year yet). They show what a report looks like when there is something to upgrade, nothing
//! to do, an end of life, and something that could not be assessed.

use cleanbill_core::vulnerability::DataSource;
use serde_json::json;

use crate::{AdvisoryDatabaseBuilder, ImageBuilder, docker_archive_of};

/// Returns the files of the demo by name.
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let database = database();
    vec![
        ("images.tar", images()),
        ("metadata.json", database.metadata_json().to_vec()),
        ("trivy.db", database.database()),
    ]
}

const DEBIAN_BASE: &str = "/bin/sh -c #(nop) ADD rootfs.tar.xz in /";

fn images() -> Vec<u8> {
    let web = debian_base("shop/web:1.4")
        .layer(|layer| {
            layer.file(
                "var/lib/dpkg/status",
                debian_status(&[
                    ("bash", "5.2.15-2+b2", ""),
                    ("libc6", "2.36-9+deb12u3", "glibc"),
                    ("libssl3", "3.0.11-1~deb12u1", "openssl"),
                    ("openssl", "3.0.11-1~deb12u1", ""),
                    ("perl-base", "5.36.0-7", "perl"),
                    ("zlib1g", "1:1.2.13.dfsg-1", "zlib"),
                    ("curl", "7.88.1-10+deb12u4", ""),
                    ("libcurl4", "7.88.1-10+deb12u4", "curl"),
                    ("libnghttp2-14", "1.52.0-1", "nghttp2"),
                    ("nginx", "1.22.1-9", ""),
                ]),
            )
        })
        .created_by("RUN apt-get update && apt-get install -y nginx curl")
        .layer(|layer| layer.file("srv/shop/index.html", "<h1>Shop</h1>\n"))
        .created_by("COPY public /srv/shop");
    let worker = alpine_base("shop/worker:2.0")
        .layer(|layer| {
            layer.file(
                "lib/apk/db/installed",
                alpine_installed(&[
                    ("busybox", "1.36.1-r28", ""),
                    ("libcrypto3", "3.3.0-r2", "openssl"),
                    ("musl", "1.2.5-r0", ""),
                    ("zlib", "1.3.1-r1", ""),
                    ("libxml2", "2.12.6-r1", ""),
                ]),
            )
        })
        .created_by("RUN apk add --no-cache libxml2");
    let cache = alpine_base("shop/cache:7.2");
    let billing = ImageBuilder::new()
        .tag("legacy/billing:0.9")
        .layer(|layer| {
            layer.file("etc/debian_version", "9.13\n").file(
                "var/lib/dpkg/status",
                debian_status(&[("bash", "4.4-5", ""), ("openssl", "1.1.0l-1~deb9u6", "")]),
            )
        })
        .created_by(DEBIAN_BASE);
    let mystery = ImageBuilder::new()
        .tag("vendor/appliance:3")
        .layer(|layer| {
            layer
                .file("etc/os-release", "ID=acmelinux\nVERSION_ID=3\n")
                .file(
                    "var/lib/dpkg/status",
                    debian_status(&[("openssl", "3.0.11-1", "")]),
                )
        })
        .created_by("ADD acme-rootfs.tar /");
    docker_archive_of(&[&web, &worker, &cache, &billing, &mystery])
}

fn debian_base(tag: &str) -> ImageBuilder {
    ImageBuilder::new()
        .tag(tag)
        .layer(|layer| {
            layer
                .file("etc/debian_version", "12.5\n")
                .file(
                    "etc/os-release",
                    "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n",
                )
                .file(
                    "var/lib/dpkg/status",
                    debian_status(&[
                        ("bash", "5.2.15-2+b2", ""),
                        ("libc6", "2.36-9+deb12u3", "glibc"),
                        ("libssl3", "3.0.11-1~deb12u1", "openssl"),
                        ("openssl", "3.0.11-1~deb12u1", ""),
                        ("perl-base", "5.36.0-7", "perl"),
                        ("zlib1g", "1:1.2.13.dfsg-1", "zlib"),
                    ]),
                )
        })
        .created_by(DEBIAN_BASE)
}

fn alpine_base(tag: &str) -> ImageBuilder {
    let packages: &[(&str, &str, &str)] = match tag {
        "shop/cache:7.2" => &[("busybox", "1.36.1-r29", ""), ("musl", "1.2.5-r1", "")],
        _ => &[
            ("busybox", "1.36.1-r28", ""),
            ("libcrypto3", "3.3.0-r2", "openssl"),
            ("musl", "1.2.5-r0", ""),
        ],
    };
    ImageBuilder::new()
        .tag(tag)
        .layer(|layer| {
            layer
                .file("etc/alpine-release", "3.22.1\n")
                .file("lib/apk/db/installed", alpine_installed(packages))
        })
        .created_by("ADD alpine-minirootfs.tar.gz / # buildkit")
}

/// Writes a dpkg status file of (package, version, source) triples.
fn debian_status(packages: &[(&str, &str, &str)]) -> String {
    let block = |(name, version, source): &(&str, &str, &str)| {
        let source = if source.is_empty() {
            String::new()
        } else {
            format!("Source: {source}\n")
        };
        format!(
            "Package: {name}\nStatus: install ok installed\nMaintainer: Debian Developers \
             <debian-devel@lists.debian.org>\nArchitecture: amd64\n{source}Version: {version}\n\n"
        )
    };
    packages.iter().map(block).collect()
}

/// Writes an apk database of (package, version, origin) triples.
fn alpine_installed(packages: &[(&str, &str, &str)]) -> String {
    let block = |(name, version, origin): &(&str, &str, &str)| {
        let origin = if origin.is_empty() { name } else { origin };
        format!("P:{name}\nV:{version}\nA:x86_64\nL:MIT\no:{origin}\n\n")
    };
    packages.iter().map(block).collect()
}

fn database() -> AdvisoryDatabaseBuilder {
    let debian = DataSource {
        id: "debian".to_owned(),
        name: "Debian Security Tracker".to_owned(),
        url: "https://salsa.debian.org/security-tracker-team/security-tracker".to_owned(),
        base_id: String::new(),
    };
    let alpine = DataSource {
        id: "alpine".to_owned(),
        name: "Alpine Secdb".to_owned(),
        url: "https://secdb.alpinelinux.org/".to_owned(),
        base_id: String::new(),
    };
    let mut builder = AdvisoryDatabaseBuilder::new()
        .metadata(
            r#"{"Version":2,"NextUpdate":"2125-01-01T00:00:00Z","UpdatedAt":"2026-11-01T00:00:00Z","DownloadedAt":"2026-11-01T00:00:00Z"}"#,
        )
        .data_source("debian 12", &debian)
        .data_source("debian 9", &debian)
        .data_source("alpine 3.22", &alpine);
    for advisory in ADVISORIES {
        builder = builder.advisory(
            advisory.bucket,
            advisory.package,
            advisory.id,
            advisory.value,
        );
    }
    for (id, severity, title) in VULNERABILITIES {
        let record = json!({
            "Title": title,
            "Description": format!("{title}. This vulnerability is made up for the demo."),
            "Severity": (["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
                .get(*severity)
                .copied()
                .unwrap_or("UNKNOWN")),
            "VendorSeverity": {"nvd": severity},
            "References": [format!("https://example.com/{id}")],
            "PublishedDate": "2026-10-01T00:00:00Z",
        });
        builder = builder.vulnerability(id, record);
    }
    builder
}

struct SampleAdvisory {
    bucket: &'static str,
    package: &'static str,
    id: &'static str,
    value: &'static str,
}

const fn advisory(
    bucket: &'static str,
    package: &'static str,
    id: &'static str,
    value: &'static str,
) -> SampleAdvisory {
    SampleAdvisory {
        bucket,
        package,
        id,
        value,
    }
}

const ADVISORIES: &[SampleAdvisory] = &[
    advisory(
        "debian 12",
        "openssl",
        "CVE-2099-1001",
        r#"{"FixedVersion":"3.0.13-1~deb12u1","VendorIDs":["DSA-9001-1"]}"#,
    ),
    advisory(
        "debian 12",
        "openssl",
        "CVE-2099-1002",
        r#"{"FixedVersion":"3.0.14-1~deb12u2"}"#,
    ),
    advisory(
        "debian 12",
        "openssl",
        "CVE-2099-1003",
        r#"{"Status":5,"Severity":1}"#,
    ),
    advisory(
        "debian 12",
        "curl",
        "CVE-2099-2001",
        r#"{"FixedVersion":"7.88.1-10+deb12u5"}"#,
    ),
    advisory(
        "debian 12",
        "curl",
        "CVE-2099-2002",
        r#"{"FixedVersion":"7.88.1-10+deb12u8"}"#,
    ),
    advisory(
        "debian 12",
        "nginx",
        "CVE-2099-3001",
        r#"{"FixedVersion":"1.22.1-9+deb12u1"}"#,
    ),
    advisory("debian 12", "zlib", "CVE-2099-4001", r#"{"Status":2}"#),
    advisory(
        "debian 12",
        "perl",
        "CVE-2099-5001",
        r#"{"Status":6,"Severity":1}"#,
    ),
    advisory(
        "debian 12",
        "glibc",
        "CVE-2099-6001",
        r#"{"FixedVersion":"2.36-9+deb12u7"}"#,
    ),
    advisory(
        "debian 12",
        "nghttp2",
        "CVE-2099-7001",
        r#"{"FixedVersion":"1.52.0-1+deb12u1"}"#,
    ),
    advisory("debian 9", "openssl", "CVE-2099-1001", r#"{"Status":7}"#),
    advisory(
        "alpine 3.22",
        "openssl",
        "CVE-2099-1001",
        r#"{"FixedVersion":"3.3.1-r0"}"#,
    ),
    advisory(
        "alpine 3.22",
        "libxml2",
        "CVE-2099-8001",
        r#"{"FixedVersion":"2.12.7-r0"}"#,
    ),
    advisory(
        "alpine 3.22",
        "busybox",
        "CVE-2099-9001",
        r#"{"FixedVersion":"1.36.1-r29"}"#,
    ),
    advisory(
        "alpine 3.22",
        "musl",
        "CVE-2099-9002",
        r#"{"FixedVersion":"1.2.5-r1"}"#,
    ),
];

const VULNERABILITIES: &[(&str, usize, &str)] = &[
    ("CVE-2099-1001", 4, "openssl: crafted certificates run code"),
    (
        "CVE-2099-1002",
        3,
        "openssl: endless loop while parsing keys",
    ),
    (
        "CVE-2099-1003",
        1,
        "openssl: timing of a rarely used cipher",
    ),
    (
        "CVE-2099-2001",
        3,
        "curl: heap overflow in a proxy handshake",
    ),
    ("CVE-2099-2002", 2, "curl: cookie is sent to another site"),
    (
        "CVE-2099-3001",
        3,
        "nginx: memory disclosure in the mp4 module",
    ),
    (
        "CVE-2099-4001",
        2,
        "zlib: integer overflow with huge headers",
    ),
    (
        "CVE-2099-5001",
        1,
        "perl: buffer overrun in a deprecated module",
    ),
    ("CVE-2099-6001", 3, "glibc: out-of-bounds write in iconv"),
    ("CVE-2099-7001", 3, "nghttp2: unbounded continuation frames"),
    ("CVE-2099-8001", 4, "libxml2: use after free in the reader"),
    ("CVE-2099-9001", 2, "busybox: stack overflow in awk"),
    ("CVE-2099-9002", 2, "musl: out-of-bounds write in iconv"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_advisory_has_a_record_and_nothing_depends_on_the_run() {
        for advisory in ADVISORIES {
            assert!(
                VULNERABILITIES.iter().any(|(id, ..)| *id == advisory.id),
                "{}",
                advisory.id
            );
        }
        assert_eq!(files(), files());
    }
}
