//! `Directory.Packages.props` and its likes: the versions that the projects of a repository use.
//!
//! Source: Trivy 0.74.0 `pkg/dependency/parser/nuget/packagesprops/parse.go`.

use cleanbill_core::Package;

use super::{PROPS_KIND, unique};
use crate::extractor::ExtractError;
use crate::extractors::language::{package, package_id};
use crate::xml::{Element, XmlReader};

/// Reads the packages of a file. Variables are not resolved: what has one is left out.
///
/// # Errors
///
/// It is malformed, or something else.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Package>, ExtractError> {
    let mut reader = XmlReader::new(bytes)?;
    if reader.root()?.name() != "Project" {
        return Err(ExtractError::Malformed(
            "its root is not 'Project'".to_owned(),
        ));
    }
    let mut packages = Vec::new();
    while let Some(group) = reader.child()? {
        if group.name() != "ItemGroup" {
            reader.skip()?;
            continue;
        }
        while let Some(element) = reader.child()? {
            if matches!(element.name(), "PackageReference" | "PackageVersion") {
                packages.extend(read(&element));
            }
            reader.skip()?;
        }
    }
    Ok(unique(packages))
}

fn read(element: &Element<'_>) -> Option<Package> {
    let attribute = |name| element.attribute(name).unwrap_or_default().into_owned();
    let include = attribute("Include");
    // The older attribute counts where the newer one is not stated.
    let name = match include.is_empty() {
        true => attribute("Update"),
        false => include,
    };
    let version = attribute("Version");
    let (name, version) = (name.trim(), version.trim());
    let is_variable = |text: &str| text.starts_with("$(") && text.ends_with(')');
    let is_stated = |text: &str| !text.is_empty() && !is_variable(text);
    (is_stated(name) && is_stated(version)).then(|| Package {
        id: package_id(PROPS_KIND, name, version),
        ..package(name, version)
    })
}
