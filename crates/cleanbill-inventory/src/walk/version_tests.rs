//! Guards the version number: what the extractors find in these layers may change only together
//! with it, or inventories that were stored before would count as current.

use cleanbill_core::Digest;
use cleanbill_testkit::rpm::{RpmHeader, ndb};
use cleanbill_testkit::zip::ZipBuilder;

use super::EXTRACTORS_VERSION;
use crate::extractors::EXTRACTORS;
use crate::testing::FakeLayer;

/// The version, and the digest of what it finds in [`layers`].
const EXPECTED: (u32, &str) = (
    7,
    "sha256:59aed3b6acb59374371e81897eba44e1aa37cdac3698eea9a4dcee05b95ef8dd",
);

const APK: &str = "C:Q1\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nt:1\nc:ab\np:so:libc.musl=1\n\n\
    P:busybox\nV:1.36.1-r2\nA:x86_64\nL:GPL-2.0-only\no:busybox\nD:so:libc.musl\nF:bin\nR:busybox\n\n";

const DPKG: &str = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\n\
    Source: openssl (3.0.11-1)\nVersion: 1:3.0.11-1+b2\nMaintainer: A <a@debian.org>\n\
    Depends: libc6 (>= 2.34), debconf | cdebconf\n\n\
    Package: broken\nStatus: install ok installed\nVersion: no digit\n\n";

const MANIFEST_LINE: &str = "glibc\t2.35-3.cm2\t1\t2\tMicrosoft Corporation\t(none)\t3\tx86_64\t2\t\
    glibc-2.35-3.cm2.src.rpm\n";

const BOTTLEROCKET: &str = r#"{"Content": [
    {"Name": "glibc", "Architecture": "x86_64", "Version": "2.43", "Release": "1", "Epoch": "1"}]}"#;

const DOCKERFILE: &str =
    "FROM a\nLABEL com.redhat.component=ubi8-container \\\n architecture=x86_64\n";

const CYCLONE_DX: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
    {"type": "library", "bom-ref": "a", "name": "qs", "version": "6.5.0", "purl": "pkg:npm/qs@6.5.0"},
    {"type": "library", "bom-ref": "b", "name": "bash", "version": "5.2-1", "purl": "pkg:deb/debian/bash@5.2-1"}]}"#;

const SPDX: &str = r#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "a", "packages": [
    {"SPDXID": "SPDXRef-a", "name": "flask", "versionInfo": "2.0", "licenseConcluded": "BSD-3-Clause",
     "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                       "referenceLocator": "pkg:pypi/flask@2.0"}]}]}"#;

const GEMSPEC: &str = "Gem::Specification.new do |s|\n  s.name = \"rake\".freeze\n\
    s.version = \"13.0.6\"\n  s.licenses = [\"MIT\".freeze]\nend\n";

const COMPOSER: &str = r#"{"packages": [
    {"name": "a/b", "version": "v1.0", "require": {"php": "*", "c/d": "^2"}},
    {"name": "c/d", "version": "2.1", "license": ["MIT"]}]}"#;

const DEPS_JSON: &str = r#"{"runtimeTarget": {"name": "t"},
    "targets": {"t": {"App/1.0": {"dependencies": {"A": "2.0"}, "runtime": {}}, "A/2.0": {"native": {}}}},
    "libraries": {"App/1.0": {"type": "project"}, "A/2.0": {"type": "package"}}}"#;

const NUGET_LOCK: &str = r#"{"version": 1, "dependencies": {"net8.0": {
    "A": {"type": "Direct", "resolved": "1.0", "dependencies": {"B": "1"}},
    "B": {"type": "Transitive", "resolved": "2.0"}}}}"#;

const PACKAGES_PROPS: &str =
    "<Project><ItemGroup><PackageVersion Include='A' Version='1'/></ItemGroup></Project>";

const CARGO_LOCK: &str = "[[package]]\nname = 'app'\nversion = '0.1.0'\ndependencies = ['libc']\n\n\
    [[package]]\nname = 'libc'\nversion = '0.2.1'\n\n[[package]]\nname = 'dev'\nversion = '1.0.0'\n";

const CARGO_TOML: &str =
    "[package]\nname = 'app'\nversion = '0.1.0'\n[dependencies]\nlibc = '0.2'\n";

const JULIA_MANIFEST: &str = "julia_version = '1.9.0'\nmanifest_format = '2.0'\n\n\
    [[deps.A]]\ndeps = ['B']\nuuid = 'a-1'\nversion = '1.2.3'\n\n[[deps.B]]\nuuid = 'b-1'\n";

fn rpm_database() -> Vec<u8> {
    let (license, source_rpm, vendor) = (1014, 1044, 1011);
    let bash = RpmHeader::new("bash", "4.4.19", "7.el8", "x86_64")
        .string(license, "GPLv3+")
        .string(source_rpm, "bash-4.4.19-7.el8.src.rpm")
        .string(vendor, "Red Hat, Inc.");
    ndb(&[bash.build()])
}

/// Files for every extractor.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let mut files: Vec<_> = [
        ("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n"),
        ("etc/alpine-release", "3.20.3\n"),
        ("etc/debian_version", "12.5\n"),
        ("etc/redhat-release", "Rocky Linux release 8.9 (Green Obsidian)\n"),
        ("etc/system-release", "Amazon Linux release 2 (Karoo)\n"),
        ("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\n"),
        ("etc/apk/repositories", "https://dl-cdn.alpinelinux.org/alpine/v3.20/main\n"),
        ("lib/apk/db/installed", APK),
        ("var/lib/dpkg/status", DPKG),
        ("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n"),
        ("var/lib/dpkg/available", "Package: libssl3\nVersion: 1:3.0.11-1+b2\nSHA256: 00ff\n"),
        ("var/lib/dpkg/info/libssl3.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/lib/libssl.so\n"),
        ("usr/share/doc/libssl3/copyright", "License: Apache-2.0\n"),
        ("var/lib/rpm/rpmdb.sqlite-wal", "changes"),
        ("var/lib/rpmmanifest/container-manifest-2", MANIFEST_LINE),
        (
            "x86_64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
            BOTTLEROCKET,
        ),
        ("root/buildinfo/content_manifests/a-1.json", r#"{"content_sets": ["b", "a"]}"#),
        ("root/buildinfo/Dockerfile-ubi8-8.3-227", DOCKERFILE),
        ("opt/a.cdx.json", CYCLONE_DX),
        ("opt/a.spdx.json", SPDX),
        ("srv/qs/package.json", r#"{"name": "qs", "version": "6.5.0", "license": "BSD-3-Clause"}"#),
        ("usr/lib/ruby/specifications/rake-13.0.6.gemspec", GEMSPEC),
        ("srv/a.jar", "PK"),
        ("usr/lib/flask-2.0.dist-info/METADATA", "Name: Flask\nVersion: 2.0\nLicense-File: COPYING\n"),
        ("usr/lib/flask-2.0.dist-info/COPYING", "Mozilla Public License Version 2.0\n1. Definitions"),
        ("srv/vendor/composer/installed.json", COMPOSER),
        ("opt/envs/a/conda-meta/zlib-1.2-h1.json", r#"{"name": "zlib", "version": "1.2"}"#),
        ("srv/a.deps.json", DEPS_JSON),
        ("srv/packages.lock.json", NUGET_LOCK),
        ("srv/packages.config", "<packages><package id='A' version='1'/></packages>"),
        ("srv/Directory.Packages.props", PACKAGES_PROPS),
        ("srv/Cargo.lock", CARGO_LOCK),
        ("srv/Cargo.toml", CARGO_TOML),
        ("srv/julia/Manifest.toml", JULIA_MANIFEST),
        ("srv/julia/Project.toml", "[deps]\nA = 'a-1'\n"),
        ("opt/a.egg", "no archive"),
        ("var/lib/pacman/local/bash-5.2-1/desc", "%NAME%\nbash\n"),
    ]
    .into_iter()
    .map(|(path, text)| (path, text.as_bytes().to_vec()))
    .collect();
    let egg = ZipBuilder::new().file("EGG-INFO/PKG-INFO", "Name: kitchen\nVersion: 1.2.6\n");
    files.push(("usr/lib/kitchen-1.2.6.egg", egg.build()));
    files.push((
        "app/tool.exe",
        crate::extractors::language::program::testing::sample(),
    ));
    files.push(("var/lib/rpm/Packages.db", rpm_database()));
    files
}

/// A layer of whole files, one of nonsense in their places, and one of marks and links.
fn layers() -> [FakeLayer; 3] {
    let (mut whole, mut nonsense) = (FakeLayer::new(), FakeLayer::new());
    for (path, content) in files() {
        whole = whole.file(path, &content);
        nonsense = nonsense.file(path, b"\x00{\xff");
    }
    let marks = FakeLayer::new()
        .directory("etc")
        .opaque("etc")
        .symlink("etc/os-release", "../usr/lib/os-release")
        .file("usr/lib/os-release", b"ID=debian\nVERSION_ID=\"12\"\n")
        .hard_link("var/lib/dpkg/status", "var/lib/dpkg/status-old")
        .symlink("var/lib/rpm", "../../usr/lib/sysimage/rpm")
        .symlink("lib", "usr/lib")
        .whiteout("var/lib/dpkg/status.d/gone")
        .file("opt/caf\u{fffd}.spdx.json", SPDX.as_bytes())
        .lossy();
    [whole, nonsense, marks]
}

#[test]
fn what_is_found_changes_with_the_version_only() {
    let found: Vec<_> = layers().map(FakeLayer::inventory).into();
    let text = serde_json::to_string(&found).unwrap();
    let digest = Digest::of(text.as_bytes()).to_string();
    assert!(
        (EXTRACTORS_VERSION, digest.as_str()) == EXPECTED,
        "the extractors find something else: raise EXTRACTORS_VERSION (unless no released version \
         has the present one), then expect ({EXTRACTORS_VERSION}, \"{digest}\")"
    );
}

#[test]
fn every_extractor_has_a_file() {
    for extractor in EXTRACTORS {
        let has_file = files()
            .iter()
            .any(|(path, content)| extractor.wants(path, content.len() as u64));
        assert!(has_file, "{}", extractor.name());
    }
}
