//! The passes over a document.
//!
//! Identifiers of packages and files are hashed in the first. The relationships then say which file
//! each package was found in and which package the document describes; the files, where they are;
//! and only then the packages can be taken, one by one.

use std::collections::{BTreeMap, HashSet};

use cleanbill_core::Limits;

use super::{Head, Origin, Relationship, Source, VERSIONS, Visit};
use crate::extractors::sbom::bom::{Bom, Index, Node};
use crate::extractors::sbom::error::SbomError;
use crate::room::Room;

/// Reads a document.
///
/// # Errors
///
/// See [`SbomError`].
pub(super) fn read(source: &dyn Source, limits: &Limits) -> Result<Bom, SbomError> {
    let head = source.head()?;
    if !VERSIONS.contains(&head.version.as_str()) {
        return Err(SbomError::UnsupportedFormat {
            format: format!("SPDX version '{}'", head.version),
        });
    }
    let mut passes = Passes {
        source,
        elements_max: limits.sbom_elements_max,
        stated: None,
        packages: Index::new(limits.sbom_elements_max),
        files: Index::new(limits.sbom_elements_max),
        root: None,
    };
    passes.find_implied()?;
    passes.find_elements()?;
    passes.find_files()?;
    let mut room = Room::new(limits);
    let origins = passes.origins(&mut room)?;
    let mut bom = Bom::new(limits);
    bom.is_cut = head.is_cut;
    passes.take_packages(&head, &origins, &mut bom)?;
    passes.relate(&mut bom)?;
    bom.left_out = bom.left_out.take().or(room.exceeded());
    Ok(bom)
}

struct Passes<'a> {
    source: &'a dyn Source,
    elements_max: u64,
    /// The relationships that are stated as such, if others are stated elsewhere.
    stated: Option<Index<()>>,
    packages: Index<Known>,
    /// The files that packages can be found in.
    files: Index<()>,
    /// The package that the document describes.
    root: Option<String>,
}

/// What is known of a package.
#[derive(Clone, Copy)]
struct Known {
    /// The hash of the file that it was found in.
    file: Option<u64>,
    node: Node,
}

impl Passes<'_> {
    /// Looks for relationships that are stated elsewhere.
    fn find_implied(&mut self) -> Result<(), SbomError> {
        let mut has_implied = false;
        self.source.implied(&mut |_| {
            has_implied = true;
            Ok(())
        })?;
        if has_implied {
            let mut stated = Index::new(self.elements_max);
            let mut add = |relationship| stated.add(forward(relationship), ());
            self.source.relationships(&mut add)?;
            stated.seal();
            self.stated = Some(stated);
        }
        Ok(())
    }

    /// Gives all relationships: those that are stated elsewhere come last, and only if they are not
    /// among the others.
    fn relationships(&self, visit: Visit<'_, Relationship>) -> Result<(), SbomError> {
        let mut count = 0;
        let max = self.elements_max;
        let mut visit_counted = |relationship| {
            count += 1;
            if count > max {
                return Err(SbomError::TooManyElements { max });
            }
            visit(relationship)
        };
        self.source.relationships(&mut visit_counted)?;
        let Some(stated) = &self.stated else {
            return Ok(());
        };
        let mut known = HashSet::new();
        self.source.implied(&mut |relationship| {
            let hash = stated.hash(&relationship);
            match stated.get(&relationship) {
                None if known.insert(hash) => visit_counted(relationship),
                _ => Ok(()),
            }
        })
    }

    fn find_elements(&mut self) -> Result<(), SbomError> {
        let Self {
            packages, files, ..
        } = self;
        self.source.packages(&mut |package| {
            let known = Known {
                file: None,
                node: Node::Other,
            };
            packages.add(package.id.as_str(), known)
        })?;
        packages.unique();
        self.source.files(&mut |file| match is_file(&file.id) {
            true => files.add(file.id.as_str(), ()),
            false => Ok(()),
        })?;
        files.seal();
        Ok(())
    }

    /// Finds the file of each package among the files beside them, of several the last, and the
    /// package that the document describes.
    fn find_files(&mut self) -> Result<(), SbomError> {
        let mut packages = std::mem::replace(&mut self.packages, Index::new(0));
        let mut root = None;
        self.relationships(&mut |related| {
            let child = related.child.as_str();
            if is_contains(&related.kind) && is_file(child) {
                if self.files.get(child).is_some()
                    && let Some(known) = packages.get_mut(related.parent.as_str())
                {
                    known.file = Some(self.files.hash(child));
                }
            } else if related.parent == "DOCUMENT" && related.kind == "DESCRIBES" {
                root.get_or_insert(related.child);
            }
            Ok(())
        })?;
        self.packages = packages;
        self.root = root;
        Ok(())
    }

    /// Reads the files that packages were found in, by their hashes.
    fn origins(&self, room: &mut Room) -> Result<BTreeMap<u64, Origin>, SbomError> {
        let wanted: HashSet<u64> = self
            .packages
            .values()
            .filter_map(|known| known.file)
            .collect();
        let mut origins = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(origins);
        }
        self.source.files(&mut |file| {
            let hash = self.files.hash(file.id.as_str());
            if wanted.contains(&hash) {
                let origin = file.origin();
                if room.take(origin.path.len() + origin.digest.len()) {
                    origins.insert(hash, origin);
                }
            }
            Ok(())
        })?;
        Ok(origins)
    }

    fn take_packages(
        &mut self,
        head: &Head,
        origins: &BTreeMap<u64, Origin>,
        bom: &mut Bom,
    ) -> Result<(), SbomError> {
        self.files = Index::new(0);
        let (packages, root) = (&mut self.packages, self.root.as_ref());
        self.source.packages(&mut |package| {
            let id = package.id.clone();
            // Of several packages of one id the first has the file.
            let known = packages.get_mut(id.as_str());
            let file = known.and_then(|known| known.file.take());
            let origin = file.and_then(|hash| origins.get(&hash).cloned());
            let mut component = package.convert(origin, head.is_trivy)?;
            component.is_root = root == Some(&id);
            let node = bom.add(component)?;
            if let Some(known) = packages.get_mut(id.as_str()) {
                known.node = node;
            }
            Ok(())
        })
    }

    fn relate(&self, bom: &mut Bom) -> Result<(), SbomError> {
        self.relationships(&mut |related| {
            if is_describes(&related.kind) {
                return Ok(());
            }
            let node = |id: &str| self.packages.get(id).map(|known| known.node);
            match (node(&related.parent), node(&related.child)) {
                (Some(parent), Some(child)) => bom.relate(parent, child),
                _ => Ok(()),
            }
        })
    }
}

fn is_describes(kind: &str) -> bool {
    matches!(kind, "DESCRIBES" | "DESCRIBE")
}

fn is_contains(kind: &str) -> bool {
    matches!(kind, "CONTAINS" | "CONTAIN")
}

fn is_file(id: &str) -> bool {
    id.starts_with("File")
}

/// Turns a relationship that is stated from its child's side round.
fn forward(relationship: Relationship) -> Relationship {
    let Relationship {
        parent,
        kind,
        child,
    } = relationship;
    let kind = match kind.as_str() {
        "CONTAINED_BY" => "CONTAINS".to_owned(),
        "DESCRIBED_BY" => "DESCRIBES".to_owned(),
        _ => {
            return Relationship {
                parent,
                kind,
                child,
            };
        }
    };
    Relationship {
        parent: child,
        kind,
        child: parent,
    }
}
