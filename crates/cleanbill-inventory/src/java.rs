//! Resolving Java archives: from facts about them to packages.
//!
//! Some archives can be named only by the Java index. [`resolve`] asks it for one layer, before
//! the layers are merged, as merging decides by packages. What it says is an addition to the layer:
//! [`ResolvedArchives`]. Where there is no index, archives that needed it take part in merging without
//! a name, which shows how many of them the image really has: [`UnidentifiedArchives`].
//! Source: spec 04 section 1.7.

mod resolved;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::Infallible;

use cleanbill_core::Package;
use cleanbill_core::inventory::LayerInventory;
use cleanbill_core::java::{
    JavaArchive, JavaArtifact, JavaClues, JavaIdentity, JavaIndex, JavaItem, JavaLookupError,
};
use cleanbill_version::maven::Version;

use crate::draft::complete_packages;
pub(crate) use resolved::ResolvedArchive;
pub use resolved::{ResolvedArchives, UnidentifiedArchives};

/// The type of applications that archives become, and the name of their extractor.
pub(crate) const KIND: &str = "jar";

/// Returns the Java archives of a layer as applications, `None` if it has none that wait for an
/// index.
///
/// # Errors
///
/// The index cannot be read.
pub fn resolve(
    inventory: &LayerInventory,
    index: &dyn JavaIndex,
) -> Result<Option<ResolvedArchives>, JavaLookupError> {
    resolve_with(inventory, &|clues| identify(clues, index))
}

/// As [`resolve`], with no name for each archive that the index would be asked for.
pub fn resolve_without_index(inventory: &LayerInventory) -> Option<ResolvedArchives> {
    let Ok(resolved) = resolve_with(inventory, &ask_nobody);
    resolved
}

/// Says what the clues lead to.
enum Identified {
    Artifact(JavaArtifact),
    Nothing,
    /// Nobody was asked.
    Unasked,
}

type Identify<'a, E> = &'a dyn Fn(&JavaClues) -> Result<Identified, E>;

fn ask_nobody(_: &JavaClues) -> Result<Identified, Infallible> {
    Ok(Identified::Unasked)
}

fn resolve_with<E>(
    inventory: &LayerInventory,
    identify: Identify<'_, E>,
) -> Result<Option<ResolvedArchives>, E> {
    if inventory.java_archives.is_empty() {
        return Ok(None);
    }
    let mut resolved = ResolvedArchives::new();
    for archive in inventory.java_archives.iter() {
        let mut found = found_in(&archive, identify)?;
        for package in &mut found.packages {
            KIND.clone_into(&mut package.analyzed_by);
        }
        complete_packages(&archive.path, &mut found.packages);
        resolved.push(&archive.path, found);
    }
    resolved.shrink();
    Ok(Some(resolved))
}

/// Says whether the index may know more about an archive or one inside it.
pub(crate) fn needs_index(archive: &JavaArchive) -> bool {
    matches!(archive.identity, JavaIdentity::Ask(_))
        || archive.items.iter().any(|item| match item {
            JavaItem::Archive(archive) => needs_index(archive),
            JavaItem::Artifact(_) => false,
        })
}

/// Returns the packages of an archive that needs no index, and of those inside it.
pub(crate) fn packages(archive: &JavaArchive) -> Vec<Package> {
    let Ok(found) = found_in(archive, &ask_nobody);
    found.packages
}

/// Holds what an archive and those inside it are.
#[derive(Default)]
struct Found {
    packages: Vec<Package>,
    /// The paths of those of which nobody was asked what they are.
    unidentified: Vec<String>,
}

fn found_in<E>(archive: &JavaArchive, identify: Identify<'_, E>) -> Result<Found, E> {
    let mut found = Found::default();
    collect(archive, identify, &mut found)?;
    found.packages = without_repeated(found.packages);
    Ok(found)
}

/// Appends the packages of an archive: first what it holds, then itself.
fn collect<E>(
    archive: &JavaArchive,
    identify: Identify<'_, E>,
    found: &mut Found,
) -> Result<(), E> {
    let start = found.packages.len();
    for item in &archive.items {
        match item {
            JavaItem::Artifact(artifact) => found.packages.push(package(&archive.path, artifact)),
            JavaItem::Archive(archive) => collect(archive, identify, found)?,
        }
    }
    let inside = found.packages.get_mut(start..).unwrap_or_default();
    add_pom_licenses(inside, &archive.pom_licenses);
    if let JavaIdentity::Ask(clues) = &archive.identity {
        match identify(clues)? {
            Identified::Artifact(artifact) => {
                found.packages.push(package(&archive.path, &artifact));
            }
            Identified::Nothing => {}
            Identified::Unasked => found.unidentified.push(archive.path.clone()),
        }
    }
    let inside = found.packages.get_mut(start..).unwrap_or_default();
    add_own_licenses(inside, archive);
    Ok(())
}

/// Asks the index what an archive is: by what its manifest claims, by its digest, by its name.
fn identify(clues: &JavaClues, index: &dyn JavaIndex) -> Result<Identified, JavaLookupError> {
    if let Some(claimed) = &clues.manifest
        && index.has_artifact(&claimed.group, &claimed.artifact)?
    {
        return Ok(Identified::Artifact(claimed.clone()));
    }
    if let Some(known) = index.artifact_by_sha1(&clues.sha1)? {
        return Ok(Identified::Artifact(known));
    }
    if let Some((artifact, version)) = &clues.file_name
        && let Some(group) = index.group_of(artifact, version)?
    {
        return Ok(Identified::Artifact(JavaArtifact {
            group,
            artifact: artifact.clone(),
            version: version.clone(),
        }));
    }
    Ok(Identified::Nothing)
}

fn package(path: &str, artifact: &JavaArtifact) -> Package {
    Package {
        name: artifact.name(),
        version: artifact.version.clone(),
        file_path: path.to_owned(),
        ..Package::default()
    }
}

/// Gives packages the licences that a `pom.xml` of the archive names for them.
fn add_pom_licenses(packages: &mut [Package], licenses: &[(String, Vec<String>)]) {
    if licenses.is_empty() {
        return;
    }
    for package in packages {
        if package.licenses.is_empty()
            && let Ok(at) = licenses.binary_search_by(|(name, _)| name.cmp(&package.name))
            && let Some((_, names)) = licenses.get(at)
        {
            package.licenses.clone_from(names);
        }
    }
}

/// Gives the archive's own licences to its package, if there is no doubt which one that is.
fn add_own_licenses(packages: &mut [Package], archive: &JavaArchive) {
    if archive.own_licenses.is_empty() {
        return;
    }
    let mut own = packages
        .iter_mut()
        .filter(|package| package.file_path == archive.path);
    if let (Some(package), None) = (own.next(), own.next())
        && package.licenses.is_empty()
    {
        package.licenses.clone_from(&archive.own_licenses);
    }
}

/// Drops packages of which there is one of the same name, path and version: 2.17 is 2.17.0.
fn without_repeated(packages: Vec<Package>) -> Vec<Package> {
    let mut seen: HashMap<(String, String), Versions> = HashMap::new();
    packages
        .into_iter()
        .filter(|package| {
            let key = (package.name.clone(), package.file_path.clone());
            seen.entry(key).or_default().insert(&package.version)
        })
        .collect()
}

/// Holds versions of one package, so that an archive that states a hundred thousand, in whatever
/// order, costs no more than sorting them.
#[derive(Default)]
struct Versions {
    texts: HashSet<String>,
    known: BTreeSet<Ordered>,
}

impl Versions {
    /// Adds a version. Says whether none of the others is equal.
    fn insert(&mut self, text: &str) -> bool {
        self.texts.insert(text.to_owned()) && self.known.insert(Ordered(Version::parse(text)))
    }
}

/// Is a version in the order of Maven.
struct Ordered(Version);

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.compare(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}
