//! Manifests of Julia: what an environment has locked.
//!
//! There are two forms: in the older one each table is a list of packages of one name, in the
//! newer one these tables are members of `deps`, beside the version of Julia.
//!
//! Source: Trivy 0.74.0 `pkg/dependency/parser/julia/manifest/parse.go`.

use std::collections::{BTreeMap, HashMap};

use cleanbill_core::Package;
use cleanbill_core::package::Location;
use toml::{Table, Value};

use crate::extractors::language::package;
use crate::extractors::language::tables::{
    TomlError, blocks, member, parse as parse_toml, table_member, tables, text, text_member, texts,
    wrong,
};
use crate::room::Room;

/// Stands for the version of packages that come with a Julia whose version is not stated.
const UNKNOWN_VERSION: &str = "unknown";

/// Holds the packages by name.
type Entries<'a> = BTreeMap<&'a str, Vec<Entry<'a>>>;

struct Entry<'a> {
    uuid: &'a str,
    version: &'a str,
    dependencies: Option<&'a Value>,
}

/// Reads the packages of a manifest. Their id is their UUID.
///
/// # Errors
///
/// It is no TOML, a member that counts has the wrong type, or a dependency is not listed exactly
/// once.
pub(super) fn parse(bytes: &[u8], room: &mut Room) -> Result<Vec<Package>, TomlError> {
    let text = text(bytes)?;
    let table = parse_toml(text)?;
    let (entries, julia_version) = entries(&table)?;
    let locations: HashMap<&str, Location> = blocks(text)
        .into_iter()
        .filter(|block| !block.uuid.is_empty())
        .map(|block| (block.uuid, block.location))
        .collect();
    let mut packages = Vec::new();
    for (name, named) in &entries {
        for entry in named {
            let version = match entry.version {
                "" => julia_version,
                version => version,
            };
            packages.push(Package {
                id: entry.uuid.to_owned(),
                depends_on: entry.depends_on(&entries, room)?,
                locations: locations.get(entry.uuid).copied().into_iter().collect(),
                ..package(*name, version)
            });
        }
    }
    Ok(packages)
}

/// Returns the packages, and the version of Julia for those that come with it.
fn entries(table: &Table) -> Result<(Entries<'_>, &str), TomlError> {
    if text_member(table, "manifest_format").is_ok_and(str::is_empty) {
        // The older form. What is no list of packages there makes the file one of the newer form
        // that lacks its format; the reference then lists what it came across before.
        let lists = table
            .iter()
            .filter_map(|(name, value)| Some((name, tables(value)?)));
        return Ok((read_entries(lists)?, UNKNOWN_VERSION));
    }
    text_member(table, "manifest_format")?;
    let named = table_member(table, "deps")?.into_iter().flatten();
    let lists = named
        .map(|(name, value)| Some((name, tables(value)?)))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| wrong("deps", "a table of lists of tables"))?;
    Ok((
        read_entries(lists.into_iter())?,
        text_member(table, "julia_version")?,
    ))
}

fn read_entries<'a>(
    lists: impl Iterator<Item = (&'a String, Vec<&'a Table>)>,
) -> Result<Entries<'a>, TomlError> {
    let read = |table: &'a Table| {
        Ok(Entry {
            uuid: text_member(table, "uuid")?,
            version: text_member(table, "version")?,
            dependencies: member(table, "deps"),
        })
    };
    lists
        .map(|(name, tables)| {
            let entries = tables.into_iter().map(read).collect::<Result<_, _>>()?;
            Ok((name.as_str(), entries))
        })
        .collect()
}

impl Entry<'_> {
    /// Returns the UUIDs of what it needs: a list of names, or a table of names and UUIDs.
    fn depends_on(&self, entries: &Entries<'_>, room: &mut Room) -> Result<Vec<String>, TomlError> {
        let Some(dependencies) = self.dependencies else {
            return Ok(Vec::new());
        };
        let uuids = match (texts(dependencies), dependencies) {
            (Some(names), _) => uuids_of(&names, entries)?,
            (None, Value::Table(pairs)) => {
                let uuids: Option<Vec<_>> = pairs.values().map(Value::as_str).collect();
                uuids.ok_or_else(|| wrong("deps", "a table of texts"))?
            }
            _ => return Err(wrong("deps", "a list or a table of texts")),
        };
        let mut uuids = room.copy(uuids);
        uuids.sort_unstable();
        Ok(uuids)
    }
}

fn uuids_of<'a>(names: &[&str], entries: &Entries<'a>) -> Result<Vec<&'a str>, TomlError> {
    let uuid = |name: &&str| match entries.get(name).map(Vec::as_slice) {
        Some([entry]) => Ok(entry.uuid),
        _ => Err(wrong(name, "listed exactly once")),
    };
    names.iter().map(uuid).collect()
}
