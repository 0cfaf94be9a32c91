//! `packages.config`: what a project of the older kind uses.
//!
//! Source: Trivy 0.74.0 `pkg/dependency/parser/nuget/config/parse.go`.

use cleanbill_core::Package;

use super::unique;
use crate::extractor::ExtractError;
use crate::extractors::language::package;
use crate::xml::{Element, XmlReader};

/// Reads the packages of a configuration; those for development are none.
///
/// # Errors
///
/// It is malformed, or something else.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Package>, ExtractError> {
    let mut reader = XmlReader::new(bytes)?;
    if reader.root()?.name() != "packages" {
        return Err(malformed("its root is not 'packages'"));
    }
    let mut packages = Vec::new();
    while let Some(element) = reader.child()? {
        if element.name() == "package" {
            packages.extend(read(&element)?);
        }
        reader.skip()?;
    }
    Ok(unique(packages))
}

fn read(element: &Element<'_>) -> Result<Option<Package>, ExtractError> {
    let attribute = |name| element.attribute(name).unwrap_or_default().into_owned();
    let is_for_development = match attribute("developmentDependency").trim() {
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
        "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
        _ => {
            return Err(malformed(
                "a developmentDependency is neither true nor false",
            ));
        }
    };
    let id = attribute("id");
    let is_package = !id.is_empty() && !is_for_development;
    Ok(is_package.then(|| package(id, attribute("version"))))
}

fn malformed(reason: &str) -> ExtractError {
    ExtractError::Malformed(reason.to_owned())
}
