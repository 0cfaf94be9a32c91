//! Lock files of Cargo.
//!
//! Source: spec 04 section 1.9, and Trivy 0.74.0 `pkg/dependency/parser/rust/cargo/parse.go`.

use std::collections::HashMap;

use cleanbill_core::Package;
use cleanbill_core::package::Location;
use toml::Table;

use super::super::package;
use super::super::tables::{
    TomlError, blocks, parse as parse_toml, tables_member, text, text_member, texts_member,
};
use super::id_of;
use crate::room::Room;

/// Holds an entry of a lock file.
struct Entry<'a> {
    name: &'a str,
    version: &'a str,
    dependencies: Vec<&'a str>,
}

/// Reads the packages of a lock file.
///
/// # Errors
///
/// It is no TOML, or a member that counts has the wrong type.
pub(super) fn parse(bytes: &[u8], room: &mut Room) -> Result<Vec<Package>, TomlError> {
    let text = text(bytes)?;
    let table = parse_toml(text)?;
    let entries = tables_member(&table, "package")?
        .into_iter()
        .map(Entry::read)
        .collect::<Result<Vec<_>, _>>()?;
    let versions: HashMap<&str, &str> = entries
        .iter()
        .map(|entry| (entry.name, entry.version))
        .collect();
    let locations: HashMap<String, Location> = blocks(text)
        .into_iter()
        .filter(|block| !block.name.is_empty())
        .map(|block| (id_of(block.name, block.version), block.location))
        .collect();
    Ok(entries
        .iter()
        .map(|entry| entry.package(&versions, &locations, room))
        .collect())
}

impl<'a> Entry<'a> {
    fn read(table: &'a Table) -> Result<Self, TomlError> {
        text_member(table, "source")?;
        Ok(Self {
            name: text_member(table, "name")?,
            version: text_member(table, "version")?,
            dependencies: texts_member(table, "dependencies")?.unwrap_or_default(),
        })
    }

    fn package(
        &self,
        versions: &HashMap<&str, &str>,
        locations: &HashMap<String, Location>,
        room: &mut Room,
    ) -> Package {
        let id = id_of(self.name, self.version);
        let dependencies = self.dependencies.iter();
        let needed = dependencies.filter_map(|text| dependency(text, versions));
        let mut depends_on = room.join(needed, id_of);
        depends_on.sort_unstable();
        Package {
            locations: locations.get(&id).copied().into_iter().collect(),
            depends_on,
            id,
            ..package(self.name, self.version)
        }
    }
}

/// Returns the name and version of a dependency: `name`, where the lock file has one version of it,
/// `name version`, or in old files `name version (source)`.
fn dependency<'a>(text: &'a str, versions: &HashMap<&str, &'a str>) -> Option<(&'a str, &'a str)> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let version = match (words.next(), words.next(), words.next()) {
        (None, ..) => versions.get(name)?,
        (Some(version), _, None) => version,
        _ => return None,
    };
    Some((name, version))
}
