//! Packages of NuGet: `packages.lock.json`, `packages.config` and `Directory.Packages.props`.
//!
//! Licences are not looked up: the reference reads them from the NuGet folder of the host that
//! scans, which says nothing about the image.
//!
//! Source: spec 04 section 1.6.

mod config;
mod lock;
mod props;
#[cfg(test)]
mod tests;

use cleanbill_core::{Package, package, path};

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::room::Room;

/// Finds packages in lock files and in the older `packages.config`.
pub(crate) struct NuGet;

/// Finds packages in the central list of a repository's versions.
pub(crate) struct PackagesProps;

const KIND: &str = "nuget";
const PROPS_KIND: &str = "packages-props";
const PROPS_SUFFIX: &str = "packages.props";

impl Extractor for NuGet {
    fn name(&self) -> &'static str {
        KIND
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        matches!(
            path::base_name(path),
            "packages.lock.json" | "packages.config"
        )
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let mut room = Room::new(file.limits);
        let packages = match path::base_name(file.path) {
            "packages.config" => config::parse(&file.read_small()?)?,
            _ => lock::parse(&file.keep()?, file.limits, &mut room)?,
        };
        add(KIND, file.path, packages, draft);
        room.check()
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Ignore
    }
}

impl Extractor for PackagesProps {
    fn name(&self) -> &'static str {
        PROPS_KIND
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        let start = path.len().checked_sub(PROPS_SUFFIX.len());
        start
            .and_then(|start| path.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(PROPS_SUFFIX))
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let packages = props::parse(&file.read_small()?)?;
        add(PROPS_KIND, file.path, packages, draft);
        Ok(())
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Ignore
    }
}

/// A file without packages is as if it were not there.
fn add(kind: &str, path: &str, packages: Vec<Package>, draft: &mut LayerDraft) {
    if !packages.is_empty() {
        draft.add_application(kind, path, packages);
    }
}

/// Sorts packages by name and version, and joins those of one: one that is direct anywhere is direct.
/// The lines of all are kept.
fn unique(mut packages: Vec<Package>) -> Vec<Package> {
    let mut order: Vec<u32> = (0..).take(packages.len()).collect();
    order.sort_by_key(|number| {
        let package = packages.get(*number as usize);
        package.map(|package| (key(package), package.indirect))
    });
    package::arrange(&mut packages, order);
    packages.dedup_by(|later, known| {
        let is_known = key(later) == key(known);
        if is_known {
            known.locations.append(&mut later.locations);
        }
        is_known
    });
    for package in &mut packages {
        let locations = &mut package.locations;
        locations.sort_by_key(|location| location.start_line);
    }
    packages
}

fn key(package: &Package) -> (&str, &str) {
    (&package.name, &package.version)
}
