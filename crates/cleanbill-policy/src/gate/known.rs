//! What was there before: how findings that a change brings are told from those that it found.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cleanbill_core::ImageReference;
use cleanbill_core::report::{ImageReport, ResultSet, ScanReport};
use cleanbill_core::vulnerability::Finding;

/// Holds what is known of images: ids that were accepted, and findings of another report.
///
/// A finding is known by its vulnerability and its package, not by the version or the layer: a
/// rebuild that moves a package to another layer, or upgrades it without a fix, brings nothing. A
/// package that lies elsewhere now is the same package; one more copy of it is a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    images: BTreeMap<String, KnownImage>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KnownImage {
    /// Ids that are known whatever the package.
    ids: BTreeSet<String>,
    /// Paths of every finding, by vulnerability, kind of package and package.
    findings: HashMap<Key, Vec<String>>,
}

/// Vulnerability, kind of package, package.
type Key = (String, String, String);

impl Known {
    /// Adds the ids that were accepted for an image; without a name for any.
    pub fn add_ids<I: Into<String>>(&mut self, image: &str, ids: impl IntoIterator<Item = I>) {
        let image = self.images.entry(image.to_owned()).or_default();
        image.ids.extend(ids.into_iter().map(Into::into));
    }

    /// Adds everything that a report found, excepted or not.
    pub fn add_report(&mut self, report: &ScanReport) {
        for image in &report.images {
            let known = self.images.entry(image.artifact_name.clone()).or_default();
            for result in &image.results {
                let suppressed = result.suppressed.iter().map(|one| &one.finding);
                for finding in result.findings.iter().chain(suppressed) {
                    let paths = known.findings.entry(key(result, finding)).or_default();
                    paths.push(finding.package_path.clone());
                }
            }
        }
    }

    /// Returns the images that nothing is known of.
    pub(super) fn unknown_images<'a>(&self, report: &'a ScanReport) -> Vec<&'a str> {
        let names = report
            .images
            .iter()
            .map(|image| image.artifact_name.as_str());
        names.filter(|name| self.of(name).is_empty()).collect()
    }

    /// Returns the images that are compared with another one, since nothing else is known, with its
    /// name.
    pub(super) fn stand_ins<'a>(&'a self, report: &'a ScanReport) -> Vec<(&'a str, &'a str)> {
        let mut known = self.images.keys();
        let (Some(other), None) = (known.next(), known.next()) else {
            return Vec::new();
        };
        let is_another = |name: &str| {
            let wanted = repository(name);
            name != other && (wanted.is_none() || wanted != repository(other))
        };
        let names = report
            .images
            .iter()
            .map(|image| image.artifact_name.as_str());
        names
            .filter(|name| !other.is_empty() && is_another(name))
            .map(|name| (name, other.as_str()))
            .collect()
    }

    /// Returns the places (result, finding) of an image's findings that were not there before.
    pub fn new_findings(&self, image: &ImageReport) -> HashSet<(usize, usize)> {
        let known = self.of(&image.artifact_name);
        let is_known_id = |id: &String| known.iter().any(|known| known.ids.contains(id));
        let mut left: HashMap<&Key, Vec<&str>> = HashMap::new();
        for (key, paths) in known.iter().flat_map(|known| &known.findings) {
            let paths = paths.iter().map(String::as_str);
            left.entry(key).or_default().extend(paths);
        }
        let mut candidates = Vec::new();
        for (result_number, result) in image.results.iter().enumerate() {
            for (number, finding) in result.findings.iter().enumerate() {
                let mut ids = std::iter::once(&finding.vulnerability_id).chain(&finding.vendor_ids);
                if ids.any(is_known_id) {
                    continue;
                }
                let key = key(result, finding);
                // First those that lie where they lay.
                let paths = left.get_mut(&key);
                let place = paths.as_ref().and_then(|paths| {
                    let mut paths = paths.iter();
                    paths.position(|path| *path == finding.package_path)
                });
                match (paths, place) {
                    (Some(paths), Some(place)) => {
                        paths.swap_remove(place);
                    }
                    _ => candidates.push(((result_number, number), key)),
                }
            }
        }
        // Then those that were moved: a copy that is gone stands for one that has come.
        candidates.retain(|(_, key)| left.get_mut(key).and_then(Vec::pop).is_none());
        candidates.into_iter().map(|(place, _)| place).collect()
    }

    /// Returns what is known of an image: by its name, else of the same repository, else what is
    /// known of the only image; and what is known of no image in particular.
    fn of(&self, name: &str) -> Vec<&KnownImage> {
        let any = self.images.get("").into_iter();
        if let Some(image) = self.images.get(name) {
            return any.chain([image]).collect();
        }
        let wanted = repository(name);
        let same = self.images.iter().filter(|(other, _)| {
            let other = repository(other);
            other.is_some() && other == wanted
        });
        let same: Vec<&KnownImage> = any.chain(same.map(|(_, image)| image)).collect();
        if same.is_empty() && self.images.len() == 1 {
            return self.images.values().collect();
        }
        same
    }
}

fn repository(name: &str) -> Option<String> {
    let reference = name.parse::<ImageReference>().ok()?;
    Some(reference.familiar_repository())
}

fn key(result: &ResultSet, finding: &Finding) -> Key {
    (
        finding.vulnerability_id.clone(),
        result.kind.clone(),
        finding.package_name.clone(),
    )
}
