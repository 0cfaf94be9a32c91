//! Packages: what extractors find and matchers judge.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::digest::{DiffId, Digest};
use crate::purl::PackageUrl;
use crate::text_list::TextList;

/// Describes one installed package.
///
/// The fields are those of Trivy's `types.Package`, in its order, because the UID hashes them in
/// that order (spec 03 section 6.2). Empty and zero mean "not stated".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The id that findings and dependencies refer to, see spec 03 section 6.4.
    pub id: String,
    /// The name, in its original case.
    pub name: String,
    /// The identifiers made from the other fields.
    pub identifier: PackageIdentifier,
    /// The upstream version.
    pub version: String,
    /// The distribution's revision.
    pub release: String,
    /// The epoch.
    pub epoch: i64,
    /// The architecture; rpm packages without one have the text `None`.
    pub arch: String,
    /// A development dependency (language packages).
    pub dev: bool,
    /// The source package that it was built from.
    pub src_name: String,
    /// The version of the source package.
    pub src_version: String,
    /// The release of the source package.
    pub src_release: String,
    /// The epoch of the source package.
    pub src_epoch: i64,
    /// The licence names, normalised.
    pub licenses: Vec<String>,
    /// The maintainer (dpkg, apk) or vendor (rpm).
    pub maintainer: String,
    /// The module that an rpm belongs to (`nodejs:12:8030020201124152102:229f0a1c`).
    pub modularity_label: String,
    /// Where Red Hat built it.
    pub build_info: Option<BuildInfo>,
    /// Whether the distribution or somebody else supplies it.
    pub repository_class: RepositoryClass,
    /// An indirect dependency (language packages).
    pub indirect: bool,
    /// The place in the dependency graph (language packages).
    pub relationship: Relationship,
    /// The ids of the packages that it needs, sorted.
    pub depends_on: Vec<String>,
    /// The layer that introduced it. Unset in a layer inventory.
    pub layer: Option<LayerId>,
    /// The file that it was found in, for language packages and SBOMs.
    pub file_path: String,
    /// The digest that the package database states, `sha1:…`, `md5:…`, `sha256:…`.
    pub digest: String,
    /// The lines in a lock file.
    pub locations: Vec<Location>,
    /// The files that it owns, with a leading slash where the package database has one.
    pub installed_files: TextList,
    /// The extractor, by the name that reports print (`apk`, `dpkg`, `rpm` …).
    pub analyzed_by: String,
}

/// Holds the identifiers of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageIdentifier {
    /// The structural hash of [`crate::uid`]; empty until computed.
    pub uid: String,
    /// The package URL.
    pub purl: Option<PackageUrl>,
    /// The reference inside a CycloneDX document that was read.
    pub bom_ref: String,
}

/// Says where Red Hat built a package. Source: spec 02 section 2.7.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildInfo {
    /// The content sets (repositories).
    pub content_sets: Vec<String>,
    /// Name, version and release of the image build.
    pub nvr: String,
    /// The architecture of the image build.
    pub arch: String,
}

/// Says who supplies a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RepositoryClass {
    /// Not stated.
    #[default]
    Unknown,
    /// The distribution itself.
    Official,
    /// Somebody else; the distribution's advisories say nothing about it.
    ThirdParty,
}

impl RepositoryClass {
    /// Returns the word that reports print, empty if unknown.
    pub const fn name(self) -> &'static str {
        match self {
            RepositoryClass::Unknown => "",
            RepositoryClass::Official => "official",
            RepositoryClass::ThirdParty => "third-party",
        }
    }
}

/// Says where a language package stands in the dependency graph.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Relationship {
    /// Not stated.
    #[default]
    Unknown,
    /// The project itself.
    Root,
    /// A member of the project's workspace.
    Workspace,
    /// A direct dependency.
    Direct,
    /// An indirect dependency.
    Indirect,
}

impl Relationship {
    /// Returns the word that reports print, empty if unknown.
    pub const fn name(self) -> &'static str {
        match self {
            Relationship::Unknown => "",
            Relationship::Root => "root",
            Relationship::Workspace => "workspace",
            Relationship::Direct => "direct",
            Relationship::Indirect => "indirect",
        }
    }

    /// Returns the rank for sorting: unknown comes last.
    pub const fn rank(self) -> u8 {
        match self {
            Relationship::Root => 1,
            Relationship::Workspace => 2,
            Relationship::Direct => 3,
            Relationship::Indirect => 4,
            Relationship::Unknown => 5,
        }
    }
}

/// Gives a range of lines, counted from 1, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The first line.
    pub start_line: u64,
    /// The last line.
    pub end_line: u64,
}

/// Identifies a layer of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LayerId {
    /// The digest of the blob as it is stored compressed; `None` where it is stored uncompressed.
    pub digest: Option<Digest>,
    /// The digest of the uncompressed tar stream.
    pub diff_id: DiffId,
}

impl Package {
    /// Returns `[epoch:]version[-release]` of the package itself.
    ///
    /// Source: spec 02 section 4.1.
    pub fn installed_version(&self) -> String {
        format_version(self.epoch, &self.version, &self.release)
    }

    /// Returns the bytes of the longest of the fields that identify the package.
    pub fn longest_field_size_bytes(&self) -> u64 {
        [&self.name, &self.version, &self.release, &self.arch]
            .iter()
            .chain(&[&self.src_name, &self.src_version, &self.src_release])
            .map(|field| field.len() as u64)
            .max()
            .unwrap_or(0)
    }

    /// Returns about how many bytes its texts take.
    pub fn size_bytes(&self) -> u64 {
        let lists = [&self.licenses, &self.depends_on];
        let listed: usize = lists
            .iter()
            .flat_map(|list| list.iter())
            .map(|text| text.len() + 24)
            .sum();
        let identifier = &self.identifier;
        let texts = [
            &self.id,
            &self.name,
            &self.version,
            &self.release,
            &self.arch,
            &self.src_name,
            &self.src_version,
            &self.src_release,
            &self.maintainer,
            &self.modularity_label,
            &self.file_path,
            &self.digest,
            &self.analyzed_by,
            &identifier.uid,
            &identifier.bom_ref,
        ];
        let stated: usize = texts.iter().map(|text| text.len()).sum();
        let url = identifier.purl.as_ref().map_or(0, PackageUrl::size_bytes);
        let lines = size_of_val(self.locations.as_slice());
        let files = self.installed_files.size_bytes();
        (size_of::<Self>() + listed + files + stated + url + lines) as u64
    }

    /// Returns `[epoch:]version[-release]` of the source package.
    pub fn source_version(&self) -> String {
        format_version(self.src_epoch, &self.src_version, &self.src_release)
    }
}

fn format_version(epoch: i64, version: &str, release: &str) -> String {
    let mut text = if epoch == 0 {
        String::with_capacity(version.len() + release.len() + 1)
    } else {
        format!("{epoch}:")
    };
    text.push_str(version);
    if !release.is_empty() {
        text.push('-');
        text.push_str(release);
    }
    text
}

/// Sorts packages as reports list them: relationship, name, version, id, path. Equal ones stay in
/// their order.
///
/// Numbers are sorted, and the packages moved once: each has a thousand bytes.
///
/// Source: spec 03 section 7.2.
pub fn sort(packages: &mut [Package]) {
    let is_after = |a: &Package, b: &Package| compare(a, b).is_gt();
    let mut pairs = packages.windows(2);
    if !pairs.any(|pair| matches!(pair, [a, b] if is_after(a, b))) {
        return;
    }
    let mut order: Vec<u32> = (0_u32..).take(packages.len()).collect();
    order.sort_by(|a, b| {
        let pair = packages.get(*a as usize).zip(packages.get(*b as usize));
        pair.map_or(Ordering::Equal, |(a, b)| compare(a, b))
    });
    arrange(packages, order);
}

fn compare(a: &Package, b: &Package) -> Ordering {
    let key = |package: &Package| package.relationship.rank();
    key(a)
        .cmp(&key(b))
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| a.version.cmp(&b.version))
        .then_with(|| a.id.cmp(&b.id))
        .then_with(|| a.file_path.cmp(&b.file_path))
}

/// Appends packages. The first list is not copied. Of the others the end is moved first, as its place
/// can be given back before the rest is moved.
pub fn append(packages: &mut Vec<Package>, mut more: Vec<Package>) {
    /// How many packages are there twice meanwhile.
    const STEP: usize = 1_000;
    if packages.is_empty() {
        *packages = more;
        return;
    }
    let begin = packages.len();
    packages.reserve(more.len());
    while !more.is_empty() {
        let rest = more.len().saturating_sub(STEP);
        packages.extend(more.drain(rest..).rev());
        more.shrink_to_fit();
    }
    if let Some(appended) = packages.get_mut(begin..) {
        appended.reverse();
    }
}

/// Moves items into an order, without a second list of them. `order` holds the number of each
/// item, in the place where the item shall be.
pub fn arrange<T>(items: &mut [T], mut order: Vec<u32>) {
    for begin in 0..items.len() {
        let mut place = begin;
        // Follows the circle that the item is in; every item of it is in its place afterwards.
        while let Some(from) = order.get(place).map(|from| *from as usize) {
            if let Some(done) = order.get_mut(place) {
                *done = u32::try_from(place).unwrap_or(u32::MAX);
            }
            if from == begin || from >= items.len() {
                break;
            }
            items.swap(place, from);
            place = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_sorted_and_stay_in_order_where_they_are_equal() {
        let package = |name: &str, arch: usize| Package {
            name: name.to_owned(),
            arch: arch.to_string(),
            ..Package::default()
        };
        for names in [
            "",
            "a",
            "ab",
            "ba",
            "cab",
            "bcaacbab",
            "ddccbbaa",
            "abcabcabc",
        ] {
            let mut packages: Vec<Package> = (0..)
                .zip(names.chars())
                .map(|(number, name)| package(&name.to_string(), number))
                .collect();
            let mut expected = packages.clone();
            expected.sort_by(|a, b| a.name.cmp(&b.name));
            sort(&mut packages);
            assert_eq!(packages, expected, "{names}");
        }
    }

    #[test]
    fn versions_are_written_with_epoch_and_release() {
        let package = |epoch, version: &str, release: &str| Package {
            epoch,
            version: version.to_owned(),
            release: release.to_owned(),
            ..Package::default()
        };
        assert_eq!(package(0, "1.2", "3").installed_version(), "1.2-3");
        assert_eq!(package(5, "1.2", "").installed_version(), "5:1.2");
        assert_eq!(package(0, "", "").installed_version(), "");
    }
}
