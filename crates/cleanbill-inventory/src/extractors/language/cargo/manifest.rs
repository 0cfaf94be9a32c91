//! What a `Cargo.toml` says about the packages of a lock file.
//!
//! Source: spec 04 section 1.9, and Trivy 0.74.0
//! `pkg/fanal/analyzer/language/rust/cargo/cargo.go`.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::super::tables::{
    TomlError, member, parse, table_member, text, text_member, texts_member, wrong,
};
use super::{hash, id_of};

/// Holds what counts of one manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CargoManifest {
    /// The name of the package; empty if there is none.
    name: String,
    version: PackageVersion,
    /// What stands for the id where there is no name.
    nameless_id: String,
    /// The version that members may take over.
    workspace_version: String,
    /// Names of dependencies with their requirements; `None` where no version is required.
    pub(super) dependencies: BTreeMap<String, Option<String>>,
    /// Directories of members, or patterns of them.
    pub(super) members: Vec<String>,
}

/// Says where the version of a package is stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum PackageVersion {
    /// Here, or not at all if this is empty.
    Own(String),
    /// In the workspace.
    #[default]
    Workspace,
}

impl CargoManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// It is no TOML, or a member that counts has the wrong type.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, TomlError> {
        let table = parse(text(bytes)?)?;
        let empty = Table::new();
        let package = table_member(&table, "package")?.unwrap_or(&empty);
        let workspace = table_member(&table, "workspace")?.unwrap_or(&empty);
        let name = text_member(package, "name")?.to_owned();
        let nameless_id = match name.is_empty() {
            true => hash::id_of(&table)?,
            false => String::new(),
        };
        let members = texts_member(workspace, "members")?.unwrap_or_default();
        Ok(Self {
            name,
            version: PackageVersion::read(member(package, "version")),
            nameless_id,
            workspace_version: workspace_version(workspace)?,
            dependencies: dependencies(&table, workspace)?,
            members: members.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Returns the id of the package, as the lock file has it. `inherited` is the version of the
    /// workspace that it is a member of, or empty.
    pub(super) fn package_id(&self, inherited: &str) -> String {
        if self.name.is_empty() {
            return self.nameless_id.clone();
        }
        match &self.version {
            PackageVersion::Own(version) => id_of(&self.name, version),
            PackageVersion::Workspace if inherited.is_empty() => {
                id_of(&self.name, &self.workspace_version)
            }
            PackageVersion::Workspace => id_of(&self.name, inherited),
        }
    }

    /// Returns the version that members may take over.
    pub(super) fn workspace_version(&self) -> &str {
        &self.workspace_version
    }

    /// Returns about how many bytes it takes.
    pub(crate) fn size_bytes(&self) -> u64 {
        let dependencies: usize = self
            .dependencies
            .iter()
            .map(|(name, version)| name.len() + version.as_deref().map_or(0, str::len) + 64)
            .sum();
        let members: usize = self.members.iter().map(|text| text.len() + 24).sum();
        let own = match &self.version {
            PackageVersion::Own(text) => text.len(),
            PackageVersion::Workspace => 0,
        };
        let texts = self.name.len() + own + self.workspace_version.len() + self.nameless_id.len();
        (size_of::<Self>() + dependencies + members + texts) as u64
    }
}

impl PackageVersion {
    fn read(value: Option<&Value>) -> Self {
        match value {
            None => Self::Workspace,
            Some(Value::String(version)) => Self::Own(version.clone()),
            Some(Value::Table(table)) if table.get("workspace") == Some(&Value::Boolean(true)) => {
                Self::Workspace
            }
            Some(_) => Self::Own(String::new()),
        }
    }
}

fn workspace_version(workspace: &Table) -> Result<String, TomlError> {
    let package = table_member(workspace, "package")?;
    let version = package.map(|package| text_member(package, "version"));
    Ok(version.transpose()?.unwrap_or_default().to_owned())
}

/// Collects the dependencies of the package, for some targets only, and of the workspace; of
/// several with one name the last counts. Those for tests and builds do not count.
fn dependencies(
    table: &Table,
    workspace: &Table,
) -> Result<BTreeMap<String, Option<String>>, TomlError> {
    let mut groups = Vec::new();
    groups.extend(table_member(table, "dependencies")?);
    for (name, target) in table_member(table, "target")?.into_iter().flatten() {
        let target = target.as_table().ok_or_else(|| wrong(name, "a table"))?;
        if let Some((name, _)) = target.iter().find(|(_, value)| !value.is_table()) {
            return Err(wrong(name, "a table"));
        }
        groups.extend(target.get("dependencies").and_then(Value::as_table));
    }
    groups.extend(table_member(workspace, "dependencies")?);
    let pairs = groups.into_iter().flatten();
    Ok(pairs
        .map(|(name, value)| (name.clone(), requirement(value)))
        .collect())
}

/// Returns the version that a dependency requires: `"1.0"`, or `version` of a table.
fn requirement(value: &Value) -> Option<String> {
    let version = match value {
        Value::Table(table) => table.get("version")?,
        other => other,
    };
    version.as_str().map(str::to_owned)
}
