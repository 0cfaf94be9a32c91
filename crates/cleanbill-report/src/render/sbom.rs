//! What the SBOM formats have in common: the components of an image and how they hang together.
//!
//! The tree, the names of properties and what they hold are those of Trivy, because its readers and
//! those of other tools know them: what is written here is found again by `trivy sbom`. Source:
//! Trivy `pkg/sbom/io/encode.go`.

pub(super) mod component;
pub(super) mod license;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use cleanbill_core::Package;
use cleanbill_core::report::{ImageReport, ResultClass, ResultSet, ScanReport};
use cleanbill_core::vulnerability::Finding;

use super::{RenderOptions, uuid};

/// The index of the image itself.
pub(super) const ROOT: usize = 0;

/// Holds the components of an image. They are numbered; the image is the first.
pub(super) struct Bom<'a> {
    components: Vec<Component<'a>>,
    packages: HashMap<PackageKey<'a>, usize>,
}

/// One part of an image.
pub(super) struct Component<'a> {
    /// What it is.
    pub(super) part: Part<'a>,
    /// Its reference, which no other component has.
    pub(super) reference: String,
    /// What lies directly below it, sorted.
    pub(super) children: Vec<usize>,
}

/// What a component stands for.
pub(super) enum Part<'a> {
    /// The image, or whatever else was scanned.
    Image(&'a ImageReport),
    /// The distribution.
    OperatingSystem(&'a ImageReport, &'a ResultSet),
    /// A program or a lock file.
    Application(&'a ResultSet),
    /// A package of a result.
    Package(&'a ResultSet, &'a Package),
    /// A package that the report does not list, but a finding names.
    Unlisted(&'a ResultSet, Box<Package>),
}

/// Identifies a package in an image: the result and the UID, or what stands in for it.
type PackageKey<'a> = (usize, &'a str, &'a str, &'a str);

impl<'a> Part<'a> {
    /// Returns the package with its result.
    pub(super) fn package(&self) -> Option<(&'a ResultSet, &Package)> {
        match self {
            Part::Package(set, package) => Some((set, package)),
            Part::Unlisted(set, package) => Some((set, package)),
            _ => None,
        }
    }
}

impl<'a> Bom<'a> {
    /// Collects the components of an image.
    pub(super) fn of(image: &'a ImageReport) -> Self {
        let mut builder = Builder {
            bom: Self {
                components: Vec::new(),
                packages: HashMap::new(),
            },
            taken: HashMap::new(),
            repeated: repeated_purls(image),
        };
        let reference = image.package_url().map(|purl| purl.to_string());
        builder.add(
            Part::Image(image),
            reference.unwrap_or_else(|| image.artifact_type.name().to_owned()),
        );
        for (index, set) in image.results.iter().enumerate() {
            let parent = builder.add_result(image, set);
            builder.add_packages(index, set, parent);
            builder.add_unlisted(index, set, parent);
        }
        let mut bom = builder.bom;
        for component in &mut bom.components {
            component.children.sort_unstable();
            component.children.dedup();
        }
        bom
    }

    /// Iterates over all components, the image first.
    pub(super) fn components(&self) -> &[Component<'a>] {
        &self.components
    }

    /// Returns the references of what lies directly below a component.
    pub(super) fn children(&self, component: &Component<'a>) -> impl Iterator<Item = &str> {
        component
            .children
            .iter()
            .filter_map(|child| self.reference(*child))
    }

    /// Returns the reference of a component.
    pub(super) fn reference(&self, index: usize) -> Option<&str> {
        Some(&self.components.get(index)?.reference)
    }

    /// Finds the component of a finding's package.
    pub(super) fn package_of(&self, result: usize, finding: &Finding) -> Option<usize> {
        self.packages.get(&key_of_finding(result, finding)).copied()
    }
}

struct Builder<'a> {
    bom: Bom<'a>,
    /// References with the number that was last tried to make another one of it.
    taken: HashMap<String, u64>,
    repeated: HashSet<String>,
}

impl<'a> Builder<'a> {
    fn add(&mut self, part: Part<'a>, wanted: String) -> usize {
        let reference = self.claim(wanted);
        self.bom.components.push(Component {
            part,
            reference,
            children: Vec::new(),
        });
        self.bom.components.len() - 1
    }

    /// Makes a reference unique by a number at its end.
    fn claim(&mut self, wanted: String) -> String {
        let mut number = match self.taken.get(&wanted) {
            Some(number) => *number,
            None => {
                self.taken.insert(wanted.clone(), 1);
                return wanted;
            }
        };
        let reference = loop {
            number += 1;
            let reference = format!("{wanted} {number}");
            if !self.taken.contains_key(&reference) {
                break reference;
            }
        };
        self.taken.insert(reference.clone(), 1);
        self.taken.insert(wanted, number);
        reference
    }

    fn add_child(&mut self, parent: usize, child: usize) {
        if let Some(parent) = self.bom.components.get_mut(parent) {
            parent.children.push(child);
        }
    }

    /// Adds the distribution or the application, and returns what packages lie under.
    fn add_result(&mut self, image: &'a ImageReport, set: &'a ResultSet) -> usize {
        if set.is_aggregated() {
            return ROOT;
        }
        let component = match set.class {
            ResultClass::OsPackages => self.add(
                Part::OperatingSystem(image, set),
                "operating-system".to_owned(),
            ),
            ResultClass::LanguagePackages => self.add(
                Part::Application(set),
                format!("{}:{}", set.kind, set.target),
            ),
        };
        self.add_child(ROOT, component);
        component
    }

    fn add_packages(&mut self, result: usize, set: &'a ResultSet, parent: usize) {
        let mut components = Vec::with_capacity(set.packages.len());
        for (index, first) in set.first_indices().into_iter().enumerate() {
            let known = components.get(first).copied();
            components.push(match (known, set.packages.get(index)) {
                (Some(known), _) => known,
                (None, Some(package)) => self.add_package(result, set, package),
                (None, None) => parent,
            });
        }
        let component = |index: usize| components.get(index).copied();
        for edge in set.edges() {
            let above = edge.parent.map_or(Some(parent), component);
            if let (Some(above), Some(below)) = (above, component(edge.child)) {
                self.add_child(above, below);
            }
        }
        self.attach_circles(parent, &components);
    }

    fn add_package(&mut self, result: usize, set: &'a ResultSet, package: &'a Package) -> usize {
        let reference = self.wanted_reference(package);
        let component = self.add(Part::Package(set, package), reference);
        let key = key(
            result,
            &package.identifier.uid,
            &package.name,
            &package.file_path,
        );
        self.bom.packages.entry(key).or_insert(component);
        component
    }

    /// Chooses the reference as the reference implementation does: the one that was read, else the
    /// package URL if it is the only one of its kind; the UID takes the place of a random one.
    fn wanted_reference(&self, package: &Package) -> String {
        let identifier = &package.identifier;
        if !identifier.bom_ref.is_empty() {
            return identifier.bom_ref.clone();
        }
        let purl = identifier.purl.as_ref().map(|purl| purl.to_string());
        match purl.filter(|purl| !self.repeated.contains(purl)) {
            Some(purl) => purl,
            None if !identifier.uid.is_empty() => identifier.uid.clone(),
            None => format!("{}@{}", package.name, package.installed_version()),
        }
    }

    /// Puts packages that only need each other under what contains them, so that every component
    /// can be reached.
    fn attach_circles(&mut self, parent: usize, components: &[usize]) {
        let mut reached: HashSet<usize> = HashSet::new();
        self.reach(parent, &mut reached);
        for &component in components {
            if !reached.contains(&component) {
                self.add_child(parent, component);
                self.reach(component, &mut reached);
            }
        }
    }

    fn reach(&self, from: usize, reached: &mut HashSet<usize>) {
        let mut pending = vec![from];
        while let Some(component) = pending.pop() {
            if reached.insert(component) {
                let component = self.bom.components.get(component);
                pending.extend(component.into_iter().flat_map(|c| &c.children));
            }
        }
    }

    /// Adds packages that only findings name: saved reports may list none.
    fn add_unlisted(&mut self, result: usize, set: &'a ResultSet, parent: usize) {
        let suppressed = set.suppressed.iter().map(|suppressed| &suppressed.finding);
        for finding in set.findings.iter().chain(suppressed) {
            let key = key_of_finding(result, finding);
            if self.bom.packages.contains_key(&key) {
                continue;
            }
            let package = Box::new(package_of(finding));
            let reference = self.wanted_reference(&package);
            let component = self.add(Part::Unlisted(set, package), reference);
            self.bom.packages.insert(key, component);
            self.add_child(parent, component);
        }
    }
}

fn key<'a>(result: usize, uid: &'a str, name: &'a str, path: &'a str) -> PackageKey<'a> {
    match uid {
        "" => (result, "", name, path),
        uid => (result, uid, "", ""),
    }
}

fn key_of_finding(result: usize, finding: &Finding) -> PackageKey<'_> {
    key(
        result,
        &finding.package_identifier.uid,
        &finding.package_name,
        &finding.package_path,
    )
}

fn package_of(finding: &Finding) -> Package {
    Package {
        id: finding.package_id.clone(),
        name: finding.package_name.clone(),
        identifier: finding.package_identifier.clone(),
        version: finding.installed_version.clone(),
        layer: finding.layer,
        file_path: finding.package_path.clone(),
        ..Package::default()
    }
}

/// Returns the package URLs that several packages of an image have.
fn repeated_purls(image: &ImageReport) -> HashSet<String> {
    let mut seen = HashSet::new();
    let mut repeated = HashSet::new();
    for set in &image.results {
        for (index, first) in set.first_indices().into_iter().enumerate() {
            let package = set.packages.get(index).filter(|_| index == first);
            let purl = package.and_then(|package| package.identifier.purl.as_ref());
            if let Some(purl) = purl.map(|purl| purl.to_string())
                && !seen.insert(purl.clone())
            {
                repeated.insert(purl);
            }
        }
    }
    repeated
}

/// Returns the identity of a document: a UUID made of the id and the time of the report, the image
/// and the format, so that it differs between documents and nothing else does.
pub(super) fn document_uuid(
    format: &str,
    report: &ScanReport,
    image: &ImageReport,
    options: &RenderOptions,
) -> String {
    let image_id = image.metadata.image_id.map(|id| id.to_string());
    uuid::of(&[
        format,
        &options.report_id,
        &report.created_at,
        &image.artifact_name,
        image_id.as_deref().unwrap_or_default(),
    ])
}
