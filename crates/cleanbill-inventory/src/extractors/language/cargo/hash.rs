//! The id of a `Cargo.toml` that names no package: a hash of what the reference reads of it.
//!
//! Source: `mitchellh/hashstructure` version 2 over the type `cargoToml` of Trivy 0.74.0
//! `pkg/fanal/analyzer/language/rust/cargo/cargo.go`. Dates, which no dependency has, are hashed
//! as text.

use toml::{Table, Value};

use super::super::tables::{TomlError, table_member, text_member};

/// Computes the id of a manifest without a package name.
///
/// # Errors
///
/// A member that counts has the wrong type.
pub(super) fn id_of(manifest: &Table) -> Result<String, TomlError> {
    let mut hash = Struct::new("cargoToml");
    if let Some(version) = table_member(manifest, "package")?
        .and_then(|package| super::super::tables::member(package, "version"))
    {
        let mut package = Struct::new("Package");
        package.field("Version", of_value(version));
        hash.field("Package", package.0);
    }
    if let Some(dependencies) = table_member(manifest, "dependencies")? {
        hash.field("Dependencies", of_table(dependencies));
    }
    if let Some(target) = table_member(manifest, "target")? {
        hash.field("Target", of_table(target));
    }
    if let Some(workspace) = table_member(manifest, "workspace")? {
        hash.field_unless_empty("Workspace", &of_workspace(workspace)?);
    }
    Ok(format!("{:x}", hash.0))
}

fn of_workspace(workspace: &Table) -> Result<Struct, TomlError> {
    let mut hash = Struct::new("cargoTomlWorkspace");
    if let Some(dependencies) = table_member(workspace, "dependencies")? {
        hash.field("Dependencies", of_table(dependencies));
    }
    if let Some(members) = super::super::tables::member(workspace, "members") {
        hash.field("Members", of_value(members));
    }
    if let Some(package) = table_member(workspace, "package")? {
        let version = text_member(package, "version")?;
        let mut package = Struct::new("");
        if !version.is_empty() {
            package.field("Version", of_text(version));
        }
        hash.field_unless_empty("Package", &package);
    }
    Ok(hash)
}

/// Folds the fields of a struct; fields that are not stated leave no trace.
struct Struct(u64, bool);

impl Struct {
    fn new(name: &str) -> Self {
        Self(of_text(name), true)
    }

    fn field(&mut self, name: &str, value: u64) {
        self.0 = finish(self.0 ^ pair(of_text(name), value));
        self.1 = false;
    }

    fn field_unless_empty(&mut self, name: &str, value: &Struct) {
        if !value.1 {
            self.field(name, value.0);
        }
    }
}

/// Hashes a value. The parser has bounded how deep it goes.
fn of_value(value: &Value) -> u64 {
    match value {
        Value::String(text) => of_text(text),
        Value::Integer(number) => fnv1(&number.to_le_bytes()),
        Value::Float(number) => fnv1(&number.to_bits().to_le_bytes()),
        Value::Boolean(flag) => fnv1(&[u8::from(*flag)]),
        Value::Datetime(date) => of_text(&date.to_string()),
        Value::Array(items) => items
            .iter()
            .fold(0, |hash, item| pair(hash, of_value(item))),
        Value::Table(table) => of_table(table),
    }
}

fn of_table(table: &Table) -> u64 {
    finish(table.iter().fold(0, |hash, (key, value)| {
        hash ^ pair(of_text(key), of_value(value))
    }))
}

fn of_text(text: &str) -> u64 {
    fnv1(text.as_bytes())
}

fn pair(a: u64, b: u64) -> u64 {
    let mut bytes = [0; 16];
    let (first, second) = bytes.split_at_mut(8);
    first.copy_from_slice(&a.to_le_bytes());
    second.copy_from_slice(&b.to_le_bytes());
    fnv1(&bytes)
}

fn finish(hash: u64) -> u64 {
    fnv1(&hash.to_le_bytes())
}

fn fnv1(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
            hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
        })
}
