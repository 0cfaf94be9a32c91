//! Rust programs that were built with audit data.
//!
//! Source: spec 04 section 1.9; the cargo-auditable format, `PARSING.md`. What counts is what
//! go-rustaudit reads.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::Read as _;

use cleanbill_core::package::Relationship;
use cleanbill_core::{Limits, Package};
use flate2::read::ZlibDecoder;
use serde::Deserialize;

use super::super::package_id;
use super::layout::Layout;
use super::source::Source;
use crate::extractor::ExtractError;
use crate::json::decode_classic;

/// The type that reports print.
pub(super) const KIND: &str = "rustbinary";

/// The section's name, then those of an early version of the format (ELF, Mach-O, PE).
const SECTIONS: &[&[u8]] = &[b".dep-v0", b".rust-deps-v0", b"rust-deps-v0", b"rdep-v0"];
/// The kind of what is part of the program.
const RUNTIME: &str = "runtime";

#[derive(Default, Deserialize)]
#[serde(default)]
struct AuditData {
    packages: Vec<Crate>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Crate {
    name: String,
    version: String,
    /// Absent for what is part of the program.
    kind: Option<String>,
    dependencies: Vec<u64>,
    root: bool,
}

impl Crate {
    fn is_runtime(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == RUNTIME)
    }

    fn id(&self) -> String {
        package_id(KIND, &self.name, &self.version)
    }
}

/// Reads the crates. `None` if the program has no audit data.
///
/// # Errors
///
/// It has audit data that cannot be read.
pub(super) fn read(
    source: &Source<'_>,
    layout: &Layout,
    limits: &Limits,
) -> Result<Option<Vec<Package>>, ExtractError> {
    let Some(section) = layout.section(SECTIONS) else {
        return Ok(None);
    };
    let compressed = source
        .read(section.offset, section.size_bytes)
        .map_err(|error| error.reading("Rust's audit data"))?;
    let json = inflate(&compressed, limits.program_data_size_bytes_max)?;
    let data: AuditData = decode_classic(&json).map_err(malformed)?;
    packages(&data.packages).map(Some)
}

fn inflate(compressed: &[u8], max: u64) -> Result<Vec<u8>, ExtractError> {
    let mut json = Vec::new();
    ZlibDecoder::new(compressed)
        .take(max.saturating_add(1))
        .read_to_end(&mut json)
        .map_err(malformed)?;
    if json.len() as u64 > max {
        return Err(ExtractError::LimitExceeded(format!(
            "Rust's audit data has more than {max} bytes (program_data_size_bytes_max)"
        )));
    }
    Ok(json)
}

fn malformed(error: impl Display) -> ExtractError {
    ExtractError::Malformed(format!("Rust's audit data: {error}"))
}

/// Returns the crates that are part of the program. Those of one id (a version from two registries)
/// have the dependencies of the last that has any, as in the reference implementation.
fn packages(crates: &[Crate]) -> Result<Vec<Package>, ExtractError> {
    let runtime = crates.iter().filter(|item| item.is_runtime());
    let packages = runtime.map(|item| package(item, crates));
    let mut packages = packages.collect::<Result<Vec<_>, _>>()?;
    let with_needs = packages
        .iter()
        .filter(|package| !package.depends_on.is_empty());
    let needs: HashMap<String, Vec<String>> = with_needs
        .map(|package| (package.id.clone(), package.depends_on.clone()))
        .collect();
    for package in &mut packages {
        if let Some(depends_on) = needs.get(&package.id) {
            package.depends_on.clone_from(depends_on);
        }
    }
    Ok(packages)
}

fn package(item: &Crate, crates: &[Crate]) -> Result<Package, ExtractError> {
    let mut depends_on = Vec::new();
    for index in &item.dependencies {
        let needed = usize::try_from(*index)
            .ok()
            .and_then(|index| crates.get(index));
        let needed = needed.ok_or_else(|| {
            ExtractError::Malformed(format!("Rust's audit data has no package {index}"))
        })?;
        if needed.is_runtime() {
            depends_on.push(needed.id());
        }
    }
    Ok(Package {
        id: item.id(),
        name: item.name.clone(),
        version: item.version.clone(),
        relationship: if item.root {
            Relationship::Root
        } else {
            Relationship::Unknown
        },
        depends_on,
        analyzed_by: KIND.to_owned(),
        ..Package::default()
    })
}
