//! Rust programs that were built with audit data.
//!
//! Source: spec 04 section 1.9; the cargo-auditable format, `PARSING.md`. What counts is what
//! go-rustaudit reads.

use std::collections::HashMap;
use std::fmt::Display;

use cleanbill_core::package::Relationship;
use cleanbill_core::{Limits, Package};
use serde::Deserialize;

use super::super::package_id;
use super::layout::Layout;
use super::source::Source;
use crate::bounded;
use crate::extractor::ExtractError;
use crate::inflate::{Wrapping, inflate};
use crate::json::decode_classic;
use crate::room::Room;

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
        id_of(&self.name, &self.version)
    }

    /// Returns the crates that it needs and that are part of the program.
    fn needed<'a>(&'a self, crates: &'a [Crate]) -> impl Iterator<Item = &'a Self> {
        let items = self.dependencies.iter();
        items
            .filter_map(|index| at(crates, *index))
            .filter(|item| item.is_runtime())
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
    room: &mut Room,
) -> Result<Option<Vec<Package>>, ExtractError> {
    let Some(section) = layout.section(SECTIONS) else {
        return Ok(None);
    };
    let compressed = source
        .read(section.offset, section.size_bytes)
        .map_err(|error| error.reading("Rust's audit data"))?;
    let json = inflated(&compressed, limits.program_data_size_bytes_max)?;
    let data: AuditData = decode_classic(&json).map_err(|error| match error.is_limit() {
        true => error.into(),
        false => malformed(error),
    })?;
    packages(&data.packages, room).map(Some)
}

fn inflated(compressed: &[u8], max: u64) -> Result<Vec<u8>, ExtractError> {
    let json =
        bounded::read_all(&mut inflate(compressed, Wrapping::Zlib), max).map_err(malformed)?;
    json.ok_or_else(|| {
        ExtractError::LimitExceeded(format!(
            "Rust's audit data has more than {max} bytes (program_data_size_bytes_max)"
        ))
    })
}

fn malformed(error: impl Display) -> ExtractError {
    ExtractError::Malformed(format!("Rust's audit data: {error}"))
}

/// Returns the crates that are part of the program. Those of one id (a version from two registries)
/// have the dependencies of the last that has any, as in the reference implementation.
fn packages(crates: &[Crate], room: &mut Room) -> Result<Vec<Package>, ExtractError> {
    let runtime = || crates.iter().filter(|item| item.is_runtime());
    for index in runtime().flat_map(|item| &item.dependencies) {
        if at(crates, *index).is_none() {
            return Err(ExtractError::Malformed(format!(
                "Rust's audit data has no package {index}"
            )));
        }
    }
    let needing = runtime().filter(|item| item.needed(crates).next().is_some());
    let needing: HashMap<String, &Crate> = needing.map(|item| (item.id(), item)).collect();
    let packages = runtime().map(|item| {
        let needed = needing.get(&item.id()).into_iter();
        let needed = needed.flat_map(|item| item.needed(crates));
        let needed = needed.map(|item| (item.name.as_str(), item.version.as_str()));
        package(item, room.join(needed, id_of))
    });
    Ok(packages.collect())
}

fn at(crates: &[Crate], index: u64) -> Option<&Crate> {
    crates.get(usize::try_from(index).ok()?)
}

fn package(item: &Crate, depends_on: Vec<String>) -> Package {
    Package {
        id: item.id(),
        depends_on,
        name: item.name.clone(),
        version: item.version.clone(),
        relationship: if item.root {
            Relationship::Root
        } else {
            Relationship::Unknown
        },
        analyzed_by: KIND.to_owned(),
        ..Package::default()
    }
}

fn id_of(name: &str, version: &str) -> String {
    package_id(KIND, name, version)
}
