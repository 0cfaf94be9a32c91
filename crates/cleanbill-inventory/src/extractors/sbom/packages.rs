//! Which packages a document lists, and what they belong to.
//!
//! Packages below the operating system are the distribution's; those below an application are
//! that application's; the rest is grouped by type. A package belongs to the first that claims
//! it, so cycles end by themselves.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::{Limits, Package};

use super::bom::{Bom, Component, ComponentKind};
use super::error::SbomError;
use super::package::{self, Class};
use crate::room::Room;

/// Applications of these types have no path of their own: reports join them.
const AGGREGATED: [&str; 5] = ["python-pkg", "conda-pkg", "gemspec", "node-pkg", "jar"];

/// Holds what a document lists.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The distribution, by its name and release, if a component is one.
    pub(crate) distro: Option<(String, String)>,
    /// What the document says about the image that it describes.
    pub(crate) image: ImageFacts,
    /// The packages of the distribution; `None` if there are none.
    pub(super) os_packages: Option<Vec<Package>>,
    /// The packages of applications, by type and path. The path may be empty.
    pub(super) applications: BTreeMap<(String, String), Vec<Package>>,
    /// Package URLs that could not be read.
    pub(super) malformed_urls: u64,
    /// Why packages, or what they need, were left out, if any were.
    pub(super) left_out: Option<String>,
}

/// Holds what Trivy noted about an image, in its own words.
#[derive(Debug, Default)]
pub(crate) struct ImageFacts {
    pub(crate) image_id: String,
    pub(crate) repo_tags: Vec<String>,
    pub(crate) repo_digests: Vec<String>,
    pub(crate) diff_ids: Vec<String>,
}

impl ImageFacts {
    /// Reads them of the component that the document describes.
    fn of(bom: &mut Bom) -> Self {
        let mut facts = Self::default();
        let root = bom
            .components
            .iter_mut()
            .find(|component| component.is_root);
        let properties = root.map(|root| std::mem::take(&mut root.properties));
        for (name, value) in properties.unwrap_or_default() {
            match name.as_str() {
                "ImageID" => facts.image_id = value,
                "RepoTag" => facts.repo_tags.push(value),
                "RepoDigest" => facts.repo_digests.push(value),
                "DiffID" => facts.diff_ids.push(value),
                _ => {}
            }
        }
        facts
    }
}

/// Collects the packages of a document, as many as a layer may have.
///
/// # Errors
///
/// A property is malformed, or packages of several package managers belong to nothing.
pub(super) fn collect(bom: Bom, limits: &Limits) -> Result<Contents, SbomError> {
    let packages_max = limits.packages_per_layer_max;
    let mut room = Room::new(limits);
    let (mut package_count, mut left_out) = (0, None);
    check_root(&bom)?;
    let mut packages = Vec::with_capacity(bom.components.len());
    let mut applications = Vec::new();
    let mut operating_system = None;
    for (number, component) in bom.components.iter().enumerate() {
        let application = application_of(component);
        packages.push(match component.kind {
            ComponentKind::OperatingSystem => {
                operating_system.get_or_insert(number);
                None
            }
            ComponentKind::Application if application.is_some() => {
                applications.extend(application.map(|key| (number, key)));
                None
            }
            _ if package_count >= packages_max => {
                left_out.get_or_insert_with(|| {
                    format!("more than {packages_max} packages (packages_per_layer_max)")
                });
                None
            }
            _ => package::read(component)?,
        });
        package_count += u64::from(packages.last().is_some_and(Option::is_some));
    }
    let mut collector = Collector { bom, packages };
    collector.link(&mut room);
    let mut contents = Contents {
        malformed_urls: collector.bom.malformed_urls,
        image: ImageFacts::of(&mut collector.bom),
        left_out: left_out.or(room.exceeded()),
        ..Contents::default()
    };
    if let Some(number) = operating_system {
        let system = collector.bom.components.get(number);
        contents.distro = system.map(|system| (system.name.clone(), system.version.clone()));
        let packages = collector.take_below(number);
        contents.os_packages = (!packages.is_empty()).then_some(packages);
    }
    for (number, key) in applications {
        let packages = collector.take_below(number);
        contents
            .applications
            .entry(key)
            .or_default()
            .extend(packages);
    }
    collector.take_orphans(&mut contents)?;
    Ok(contents)
}

/// The reference gives up on a document whose size property is no number.
fn check_root(bom: &Bom) -> Result<(), SbomError> {
    let roots = bom.components.iter().filter(|component| component.is_root);
    let mut properties = roots.flat_map(|root| &root.properties);
    let is_malformed =
        properties.any(|(name, value)| name == "Size" && value.parse::<i64>().is_err());
    if !is_malformed {
        return Ok(());
    }
    Err(SbomError::Malformed {
        what: "property Size".to_owned(),
        reason: "it is no number".to_owned(),
    })
}

/// Returns type and path of the application that a component is, if Trivy noted a type.
fn application_of(component: &Component) -> Option<(String, String)> {
    let kind = |(name, value): &(String, String)| (name == "Type").then(|| value.clone());
    let kind = component.properties.iter().rev().find_map(kind)?;
    if kind.is_empty() {
        return None;
    }
    let path = if AGGREGATED.contains(&kind.as_str()) {
        ""
    } else {
        &component.name
    };
    Some((kind, path.to_owned()))
}

struct Collector {
    bom: Bom,
    /// The package of each component, until something has claimed it.
    packages: Vec<Option<Package>>,
}

impl Collector {
    /// Gives each package the ids of those that it needs.
    fn link(&mut self, room: &mut Room) {
        for number in 0..self.packages.len() {
            if !matches!(self.packages.get(number), Some(Some(_))) {
                continue;
            }
            let children = self.bom.children(number).iter();
            let children = children.filter_map(|&child| self.packages.get(child)?.as_ref());
            let depends_on = room.copy(children.map(|child| child.id.as_str()));
            if let Some(Some(package)) = self.packages.get_mut(number) {
                package.depends_on = depends_on;
            }
        }
    }

    /// Takes the packages that a component needs or contains, directly or through packages.
    fn take_below(&mut self, root: usize) -> Vec<Package> {
        let mut taken = Vec::new();
        // Each component on the way with the number of its children that were looked at.
        let mut stack = vec![(root, 0)];
        while let Some((parent, looked_at)) = stack.last_mut() {
            let Some(&child) = self.bom.children(*parent).get(*looked_at) else {
                stack.pop();
                continue;
            };
            *looked_at += 1;
            if let Some(package) = self.packages.get_mut(child).and_then(Option::take) {
                taken.push(package);
                stack.push((child, 0));
            }
        }
        taken
    }

    /// Groups the packages that nothing has claimed.
    fn take_orphans(&mut self, contents: &mut Contents) -> Result<(), SbomError> {
        let mut os_kinds = BTreeSet::new();
        for package in self.packages.iter_mut().filter_map(Option::take) {
            let purl = package.identifier.purl.as_ref();
            match purl.and_then(package::class_of) {
                Some(Class::Os) => {
                    os_kinds.extend(purl.map(|purl| purl.kind.clone()));
                    contents.os_packages.get_or_insert_default().push(package);
                }
                Some(Class::Language(kind)) => {
                    let key = (kind.to_owned(), String::new());
                    contents.applications.entry(key).or_default().push(package);
                }
                None => {}
            }
        }
        if os_kinds.len() > 1 {
            let kinds: Vec<String> = os_kinds.into_iter().collect();
            return Err(SbomError::SeveralOsTypes {
                kinds: kinds.join(", "),
            });
        }
        Ok(())
    }
}
