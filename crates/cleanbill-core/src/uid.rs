//! The structural hash that identifies a package inside an image.
//!
//! Source: spec 03 section 6.2: FNV-1 over a canonical walk of Trivy's `Package` type, as
//! `mitchellh/hashstructure` version 2 does it.

use crate::package::{BuildInfo, Location, Package, Relationship};
use crate::purl::PackageUrl;

/// Computes the UID of a package of an application (`application_path` is empty for OS packages).
///
/// The package is hashed as the extractor left it: before layer, package URL, build information
/// and dpkg licences are filled in.
pub fn package_uid(application_path: &str, package: &Package) -> String {
    let entries = [
        pair(hash_str("filePath"), hash_str(application_path)),
        pair(hash_str("pkg"), hash_package(package)),
    ];
    format!("{:x}", finish(entries[0] ^ entries[1]))
}

fn hash_package(package: &Package) -> u64 {
    let mut hash = StructHash::new("Package");
    hash.text("ID", &package.id);
    hash.text("Name", &package.name);
    hash.value("Identifier", hash_identifier(package));
    hash.text("Version", &package.version);
    hash.text("Release", &package.release);
    hash.integer("Epoch", package.epoch);
    hash.text("Arch", &package.arch);
    hash.boolean("Dev", package.dev);
    hash.text("SrcName", &package.src_name);
    hash.text("SrcVersion", &package.src_version);
    hash.text("SrcRelease", &package.src_release);
    hash.integer("SrcEpoch", package.src_epoch);
    hash.list("Licenses", &package.licenses, |text| hash_str(text));
    hash.text("Maintainer", &package.maintainer);
    hash.text("Modularitylabel", &package.modularity_label);
    hash.value(
        "BuildInfo",
        package.build_info.as_ref().map(hash_build_info),
    );
    let class = package.repository_class.name();
    hash.value(
        "Repository",
        (!class.is_empty()).then(|| {
            let mut repository = StructHash::new("PackageRepository");
            repository.text("Class", class);
            repository.0
        }),
    );
    hash.boolean("Indirect", package.indirect);
    hash.integer(
        "Relationship",
        match package.relationship {
            Relationship::Unknown => 0,
            Relationship::Root => 1,
            Relationship::Workspace => 2,
            Relationship::Direct => 3,
            Relationship::Indirect => 4,
        },
    );
    hash.list("DependsOn", &package.depends_on, |text| hash_str(text));
    hash.value(
        "Layer",
        package.layer.map(|layer| {
            let mut hash = StructHash::new("Layer");
            hash.text(
                "Digest",
                &layer.digest.map(|d| d.to_string()).unwrap_or_default(),
            );
            hash.text("DiffID", &layer.diff_id.to_string());
            hash.0
        }),
    );
    hash.text("FilePath", &package.file_path);
    hash.text("Digest", &package.digest);
    hash.list("Locations", &package.locations, hash_location);
    hash.fold(
        "InstalledFiles",
        package.installed_files.iter().map(hash_str),
    );
    hash.text("AnalyzedBy", &package.analyzed_by);
    hash.0
}

fn hash_identifier(package: &Package) -> Option<u64> {
    let identifier = &package.identifier;
    let is_zero =
        identifier.uid.is_empty() && identifier.purl.is_none() && identifier.bom_ref.is_empty();
    (!is_zero).then(|| {
        let mut hash = StructHash::new("PkgIdentifier");
        hash.text("UID", &identifier.uid);
        hash.value("PURL", identifier.purl.as_ref().map(hash_purl));
        hash.text("BOMRef", &identifier.bom_ref);
        hash.0
    })
}

fn hash_purl(purl: &PackageUrl) -> u64 {
    let mut hash = StructHash::new("PackageURL");
    hash.text("Type", &purl.kind);
    hash.text("Namespace", &purl.namespace);
    hash.text("Name", &purl.name);
    hash.text("Version", &purl.version);
    hash.list("Qualifiers", &purl.qualifiers, |(key, value)| {
        let mut qualifier = StructHash::new("Qualifier");
        qualifier.text("Key", key);
        qualifier.text("Value", value);
        qualifier.0
    });
    hash.text("Subpath", &purl.subpath);
    hash.0
}

fn hash_build_info(build_info: &BuildInfo) -> u64 {
    let mut hash = StructHash::new("BuildInfo");
    hash.list("ContentSets", &build_info.content_sets, |text| {
        hash_str(text)
    });
    hash.text("Nvr", &build_info.nvr);
    hash.text("Arch", &build_info.arch);
    hash.0
}

fn hash_location(location: &Location) -> u64 {
    let mut hash = StructHash::new("Location");
    hash.integer("StartLine", location.start_line as i64);
    hash.integer("EndLine", location.end_line as i64);
    hash.0
}

/// Folds the fields of a struct; zero fields leave no trace.
struct StructHash(u64);

impl StructHash {
    fn new(type_name: &str) -> Self {
        Self(hash_str(type_name))
    }

    fn text(&mut self, field: &str, text: &str) {
        self.value(field, (!text.is_empty()).then(|| hash_str(text)));
    }

    fn integer(&mut self, field: &str, number: i64) {
        self.value(field, (number != 0).then(|| fnv1(&number.to_le_bytes())));
    }

    fn boolean(&mut self, field: &str, flag: bool) {
        self.value(field, flag.then(|| fnv1(&[1])));
    }

    fn list<T>(&mut self, field: &str, items: &[T], hash: impl Fn(&T) -> u64) {
        self.fold(field, items.iter().map(hash));
    }

    /// Adds a list by the hashes of its items.
    fn fold(&mut self, field: &str, hashes: impl ExactSizeIterator<Item = u64>) {
        let is_empty = hashes.len() == 0;
        let folded = hashes.fold(0, pair);
        self.value(field, (!is_empty).then_some(folded));
    }

    fn value(&mut self, field: &str, hash: Option<u64>) {
        if let Some(hash) = hash {
            self.0 = finish(self.0 ^ pair(hash_str(field), hash));
        }
    }
}

fn hash_str(text: &str) -> u64 {
    fnv1(text.as_bytes())
}

fn pair(a: u64, b: u64) -> u64 {
    fnv1_from(fnv1(&a.to_le_bytes()), &b.to_le_bytes())
}

fn finish(a: u64) -> u64 {
    fnv1(&a.to_le_bytes())
}

fn fnv1(bytes: &[u8]) -> u64 {
    fnv1_from(0xcbf2_9ce4_8422_2325, bytes)
}

fn fnv1_from(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, &byte| {
        hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, version: &str, release: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            release: release.to_owned(),
            ..Package::default()
        }
    }

    #[test]
    fn the_vectors_of_the_specification_hold() {
        assert_eq!(
            package_uid("", &named("musl", "1.2.4", "4.5.8")),
            "108c0f3943d7bc9"
        );
        assert_eq!(
            package_uid("", &named("openssl", "1.2.3", "4.5.6")),
            "9d77cb17d1fc8736"
        );
        assert_eq!(
            package_uid("app/Gemfile.lock", &named("gemlibrary1", "1.2.3", "")),
            "a3363562b587cfa2"
        );
        let libssl = Package {
            id: "libssl1.1@1.1.1n-0+deb11u3".to_owned(),
            ..named("libssl1.1", "1.1.1n", "0+deb11u3")
        };
        assert_eq!(package_uid("", &libssl), "522a5c3b263d1357");
        let socat = Package {
            arch: "x86_64".to_owned(),
            src_name: "socat".to_owned(),
            src_version: "1.7.3.2".to_owned(),
            src_release: "2.el7".to_owned(),
            file_path: "bar/socat-1.7.3.2-2.el7.x86_64.rpm".to_owned(),
            ..named("socat", "1.7.3.2", "2.el7")
        };
        assert_eq!(package_uid("", &socat), "bfb68335f6284b36");
        let asap = Package {
            id: "asap@2.0.6".to_owned(),
            locations: vec![Location {
                start_line: 6,
                end_line: 10,
            }],
            analyzed_by: "npm".to_owned(),
            ..named("asap", "2.0.6", "")
        };
        assert_eq!(package_uid("package-lock.json", &asap), "a9ed9c990b55c97e");
        let jquery = Package {
            id: "jquery@3.3.9".to_owned(),
            licenses: vec!["MIT".to_owned()],
            locations: vec![Location {
                start_line: 11,
                end_line: 15,
            }],
            analyzed_by: "npm".to_owned(),
            ..named("jquery", "3.3.9", "")
        };
        assert_eq!(package_uid("package-lock.json", &jquery), "5624abe72853740");
    }
}
