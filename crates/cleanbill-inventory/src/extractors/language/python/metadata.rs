//! What the metadata of a Python package says.

use cleanbill_core::Package;

use super::header::Header;
use crate::extractors::language::package;
use crate::licenses;

/// Reads name, version and licences. A licence that is named by a file has the prefix
/// [`licenses::FILE_PREFIX`].
///
/// # Errors
///
/// The metadata states no name or no version.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Package>, String> {
    let header = Header::read(bytes);
    let (name, version) = (header.get("Name"), header.get("Version"));
    if name.is_empty() || version.is_empty() {
        return Err("it states no name or no version".to_owned());
    }
    Ok(Some(Package {
        licenses: licenses::split(&license(&header)),
        ..package(name, version)
    }))
}

/// Returns the licence: an SPDX expression if there is one, else what the classifiers say, else
/// what the free text says, else the file.
fn license(header: &Header) -> String {
    let expression = header.get("License-Expression");
    if !expression.is_empty() {
        return expression.to_owned();
    }
    let names: Vec<&str> = header.all("Classifier").filter_map(classified).collect();
    if !names.is_empty() {
        return names.join(", ");
    }
    let free_text = header.get("License");
    if !free_text.is_empty() {
        return free_text.to_owned();
    }
    match header.get("License-File") {
        "" => String::new(),
        file => format!("{}{file}", licenses::FILE_PREFIX),
    }
}

/// Returns the licence that a classifier names. `License :: OSI Approved` alone names none.
fn classified(classifier: &str) -> Option<&str> {
    let rest = classifier.strip_prefix("License :: ")?;
    let name = rest.rsplit(" :: ").next().unwrap_or(rest);
    (name != "OSI Approved").then_some(name)
}
