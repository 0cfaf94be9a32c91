//! What is found in a layer and, merged, in an image.

mod applications;
mod by_path;
mod ends;
mod license_files;

use serde::{Deserialize, Serialize};

use crate::distro::{Distro, Family, RepositoryHint};
use crate::java::JavaArchives;
use crate::package::{BuildInfo, Package};
use crate::problem::Problem;
use crate::text_list::TextList;

pub use applications::{Application, ApplicationGroup, ApplicationView, Applications};
pub use by_path::{PackagesByPath, PackagesView};
pub use ends::Ends;
pub use license_files::{LicenseFile, LicenseFiles};

/// Holds everything that extractors found in one layer. It depends on the layer's bytes and the
/// extractors' version only, so it is made once per layer, ever.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerInventory {
    /// Bytes of the uncompressed tar stream, where known.
    pub size_bytes: Option<u64>,
    /// What files say about the distribution, in the order in which they count.
    pub distro_records: Vec<DistroRecord>,
    /// The release of the package repositories (apk), if a file names one.
    pub repository_hint: Option<RepositoryHint>,
    /// Package databases. Merging replaces one as a whole. The packages of dpkg carry the installed
    /// files of the same layer.
    pub package_databases: PackagesByPath,
    /// Language applications.
    pub applications: Applications,
    /// Java archives that the Java index may know more about, sorted by path. Those that need no
    /// index are among the applications.
    pub java_archives: JavaArchives,
    /// Licences from `usr/share/doc/<package>/copyright` (dpkg).
    pub license_files: LicenseFiles,
    /// Where Red Hat built the layer.
    pub build_info: Option<BuildInfo>,
    /// Directories whose content of lower layers is hidden.
    pub opaque_directories: MarkerSet,
    /// Paths that are hidden in lower layers.
    pub whiteouts: MarkerSet,
    /// Links whose own path, or a parent of it, an extractor wants.
    pub links: Vec<Link>,
    /// Which paths exist in the layer.
    pub paths: PathSet,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl LayerInventory {
    /// Returns about how many bytes the packages take, those that Java archives may become included.
    pub fn packages_size_bytes(&self) -> u64 {
        let of_databases = self.package_databases.packages().iter();
        let of_applications = self.applications.iter();
        let of_applications = of_applications.flat_map(|application| application.packages);
        let listed = of_databases.chain(of_applications);
        let listed: u64 = listed.map(Package::size_bytes).sum();
        listed.saturating_add(self.java_archives.packages_size_bytes())
    }

    /// Forgets all packages.
    pub fn clear_packages(&mut self) {
        self.package_databases = PackagesByPath::default();
        self.applications = Applications::default();
        self.java_archives = JavaArchives::default();
    }
}

/// States what one file says about the distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistroRecord {
    /// The file.
    pub path: String,
    /// What it says; empty fields are not stated.
    pub distro: Distro,
    /// The record counts only when no other names a family (spec 02 section 1.2, "Cleanbill
    /// only": os-release with the id of Debian, Ubuntu or Amazon).
    pub is_fallback: bool,
}

/// Records a link that may lead an extractor elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The path of the link.
    pub path: String,
    /// What it points at. A hard link names a cleaned path. The target of a symbolic one is joined
    /// to its directory and has no empty components and no `.`, but `..` where it is written: what
    /// that means depends on the links before it. Empty for the root.
    pub target: String,
    /// A hard link names a file; a symbolic one may name a directory too.
    pub is_hard: bool,
}

/// Asks for the file at `target` (or every file below it) of a layer to be read as if it lay at
/// `path`: what a link demands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Alias {
    /// The path that extractors are shown.
    pub path: String,
    /// The path that the layer has.
    pub target: String,
}

impl Alias {
    /// Returns the path at which a path of the layer is shown, `None` if it is neither the target
    /// nor below it.
    pub fn shown_path(&self, real: &str) -> Option<String> {
        let rest = real.strip_prefix(self.target.as_str())?;
        if rest.is_empty() {
            return Some(self.path.clone());
        }
        if self.target.is_empty() {
            return Some(format!("{}/{rest}", self.path));
        }
        rest.starts_with('/')
            .then(|| format!("{}{rest}", self.path))
    }
}

/// Knows which paths a layer has, in eight bytes a path: 63 bits of a SHA-256, the lowest bit set
/// for directories (stated ones and the parents of anything). Needed to find the layer that holds
/// a link's target and to see that a file has replaced a directory, without keeping a million
/// names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathSet {
    sorted: Vec<u64>,
}

/// Says what a layer has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// A directory, stated or implied by what lies below it.
    Directory,
    /// A file, link or device.
    NonDirectory,
}

impl PathSet {
    /// Builds the set; a path that is given as both kinds counts as a directory.
    pub fn from_keys(mut keys: Vec<u64>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self { sorted: keys }
    }

    /// Returns the key of a cleaned path.
    pub fn key(path: &str, kind: PathKind) -> u64 {
        Self::key_of_hash(crate::Digest::of(path.as_bytes()).as_bytes(), kind)
    }

    /// Returns the key of a cleaned path whose SHA-256 is known: a walk that meets many paths of
    /// one directory hashes the directory's part once.
    pub fn key_of_hash(sha256: &[u8; 32], kind: PathKind) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = *sha256;
        let hash = u64::from_le_bytes([a, b, c, d, e, f, g, h]) & !1;
        hash | u64::from(kind == PathKind::Directory)
    }

    /// Says what the layer has at a cleaned path.
    pub fn get(&self, path: &str) -> Option<PathKind> {
        self.get_by_key(Self::key(path, PathKind::Directory))
    }

    /// Says what the layer has at the path that a key (of either kind) was made of: many sets can
    /// be asked about one path for the price of one hash.
    pub fn get_by_key(&self, key: u64) -> Option<PathKind> {
        let has = |key| self.sorted.binary_search(&key).is_ok();
        if has(key | 1) {
            return Some(PathKind::Directory);
        }
        has(key & !1).then_some(PathKind::NonDirectory)
    }

    /// Returns the number of paths.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Says whether no path is known.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Returns the keys, sorted.
    pub fn keys(&self) -> &[u64] {
        &self.sorted
    }
}

/// Knows the paths at which a layer has a mark (a whiteout, an opaque directory), as a [`PathSet`]
/// knows paths: eight bytes each, and as many for each directory above one. Whoever looks for
/// marks on the way to a path can stop where there is none below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkerSet(PathSet);

impl MarkerSet {
    /// Builds the set from keys of marked paths ([`PathKind::NonDirectory`]) and of the
    /// directories above them ([`PathKind::Directory`]); a path may be both.
    pub fn from_keys(keys: Vec<u64>) -> Self {
        Self(PathSet::from_keys(keys))
    }

    /// Says whether the path that a key (of either kind) was made of is marked.
    pub fn has_key(&self, key: u64) -> bool {
        self.0.sorted.binary_search(&(key & !1)).is_ok()
    }

    /// Says whether a path below the one that a key (of either kind) was made of is marked.
    pub fn has_below_key(&self, key: u64) -> bool {
        self.0.sorted.binary_search(&(key | 1)).is_ok()
    }

    /// Says whether a cleaned path is marked.
    pub fn has(&self, path: &str) -> bool {
        self.has_key(PathSet::key(path, PathKind::NonDirectory))
    }

    /// Says whether there is no mark.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Holds what is installed in an image: its layers' inventories merged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageInventory {
    /// The distribution, if one could be named.
    pub distro: Option<Distro>,
    /// The release of the package repositories (apk).
    pub repository_hint: Option<RepositoryHint>,
    /// OS packages, each with its layer and identifiers, sorted as reports list them.
    pub packages: Vec<Package>,
    /// Language applications, those that reports join already joined, sorted by type and path.
    pub applications: Vec<Application>,
    /// What could not be read, of all layers.
    pub problems: Vec<Problem>,
}

impl ImageInventory {
    /// Forgets which files packages own: most bytes of an inventory, and nothing is judged by
    /// them. What is kept to be judged again by a later database does without.
    pub fn forget_files(&mut self) {
        let of_applications = self.applications.iter_mut().map(|one| &mut one.packages);
        for package in (of_applications.flatten()).chain(&mut self.packages) {
            package.installed_files = TextList::default();
        }
    }

    /// Returns the family, empty if unknown.
    pub fn family(&self) -> Family {
        self.distro
            .as_ref()
            .map(|distro| distro.family.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_set_tells_kinds_apart() {
        let set = PathSet::from_keys(vec![
            PathSet::key("a", PathKind::Directory),
            PathSet::key("a", PathKind::NonDirectory),
            PathSet::key("a/b", PathKind::NonDirectory),
        ]);
        assert_eq!(set.get("a"), Some(PathKind::Directory));
        assert_eq!(set.get("a/b"), Some(PathKind::NonDirectory));
        assert_eq!(set.get("a/c"), None);
    }
}
