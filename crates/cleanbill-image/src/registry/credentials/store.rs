//! Writing credentials into Docker's `config.json`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::CredentialError;
use super::config_file::read_bytes;
use crate::http::Secret;

/// Puts an entry into the file, which is replaced as a whole and readable for its owner only.
/// Everything else in it stays, in alphabetical order.
///
/// # Errors
///
/// The file cannot be read or written, or is no JSON object.
pub(super) fn write_inline(
    path: &Path,
    key: &str,
    username: &str,
    password: &Secret,
) -> Result<(), CredentialError> {
    let mut document = read_document(path)?;
    let malformed = || CredentialError::Malformed {
        path: path.to_owned(),
        reason: "'auths' is no object".to_owned(),
    };
    let auths = document
        .entry("auths")
        .or_insert_with(|| Value::Object(Map::new()));
    if auths.is_null() {
        *auths = Value::Object(Map::new());
    }
    let pair = Zeroizing::new(format!("{username}:{}", password.expose()));
    let entry = serde_json::json!({ "auth": BASE64_STANDARD.encode(pair.as_bytes()) });
    auths
        .as_object_mut()
        .ok_or_else(malformed)?
        .insert(key.to_owned(), entry);
    replace(path, &print(&document)).map_err(|source| CredentialError::Write {
        path: path.to_owned(),
        source,
    })
}

fn read_document(path: &Path) -> Result<Map<String, Value>, CredentialError> {
    let bytes = match read_bytes(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(source) => {
            return Err(CredentialError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    if bytes.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(&bytes).map_err(|error| CredentialError::Malformed {
        path: path.to_owned(),
        reason: format!("line {}, column {}", error.line(), error.column()),
    })
}

/// Prints with tabs, as Docker does.
fn print(document: &Map<String, Value>) -> Zeroizing<Vec<u8>> {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    document
        .serialize(&mut serializer)
        .expect("a JSON value prints, and a vector takes all");
    bytes.push(b'\n');
    Zeroizing::new(bytes)
}

/// Replaces a file in one step. A link stays a link: the file it points at is replaced.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(directory) = target.parent() {
        fs::create_dir_all(directory)?;
    }
    let temporary = temporary_beside(&target);
    let result = write_private(&temporary, content).and_then(|()| fs::rename(&temporary, &target));
    if result.is_err() {
        // Nothing of it may stay behind; the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn temporary_beside(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    target.with_file_name(name)
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
