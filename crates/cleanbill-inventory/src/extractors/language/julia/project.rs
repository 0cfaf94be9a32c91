//! What a `Project.toml` says about the packages of a manifest.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::extractors::language::tables::{TomlError, parse, table_member, text, wrong};

/// Holds what counts of one project file: UUIDs of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JuliaProject {
    /// What the project depends on.
    pub(super) dependencies: BTreeSet<String>,
    /// What only its tests depend on.
    pub(super) extras: BTreeSet<String>,
}

impl JuliaProject {
    /// Reads a project file.
    ///
    /// # Errors
    ///
    /// It is no TOML, or a member that counts has the wrong type.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, TomlError> {
        let table = parse(text(bytes)?)?;
        Ok(Self {
            dependencies: uuids(&table, "deps")?,
            extras: uuids(&table, "extras")?,
        })
    }

    /// Returns about how many bytes it takes.
    pub(crate) fn size_bytes(&self) -> u64 {
        let uuids = self.dependencies.iter().chain(&self.extras);
        uuids.map(|uuid| uuid.len() as u64 + 32).sum::<u64>() + size_of::<Self>() as u64
    }
}

fn uuids(table: &Table, name: &str) -> Result<BTreeSet<String>, TomlError> {
    let inner = table_member(table, name)?.into_iter().flatten();
    inner
        .map(|(name, uuid)| match uuid {
            Value::String(uuid) => Ok(uuid.clone()),
            _ => Err(wrong(name, "a text")),
        })
        .collect()
}
