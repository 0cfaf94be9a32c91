//! The licences of packages, from `usr/share/doc/<package>/copyright`.

use std::sync::LazyLock;

use regex::Regex;

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, FileInput};
use crate::licenses;
use crate::lines::{Lines, text};

pub(super) const DIRECTORY: &str = "usr/share/doc/";

/// Returns the package that a copyright file belongs to; files in deeper directories belong to
/// none.
pub(super) fn package_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix(DIRECTORY)?.strip_suffix("/copyright")?;
    (!name.contains('/')).then_some(name)
}

/// Collects the values of `License:` lines, and the names of the texts in `common-licenses` that
/// are mentioned. What cannot be read costs a licence, not a finding, so it is no problem.
pub(super) fn extract(
    file: &mut FileInput<'_>,
    draft: &mut LayerDraft,
) -> Result<(), ExtractError> {
    let path = file.path;
    let package_name = package_name(path).ok_or(ExtractError::Ignored)?;
    if file.size_bytes > file.limits.file_size_bytes_max {
        return Err(ExtractError::Ignored);
    }
    let mut found = Vec::new();
    let mut lines = Lines::new(file);
    loop {
        match lines.next() {
            Ok(Some(line)) => collect(&text(line), &mut found),
            Ok(None) | Err(ExtractError::LimitExceeded(_)) => break,
            Err(error) => return Err(error),
        }
    }
    let licenses = licenses::normalize_list(&found);
    if !licenses.is_empty() {
        draft.add_license_file(package_name, &licenses);
    }
    Ok(())
}

static COMMON_LICENSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("/?usr/share/common-licenses/([0-9A-Za-z_.+-]+[0-9A-Za-z+])")
        .expect("the pattern is a constant that a test compiles")
});

fn collect(line: &str, found: &mut Vec<String>) {
    if let Some(name) = line.strip_prefix("License:") {
        found.extend(licenses::split(bare_name(name.trim())));
    } else if line.contains("/usr/share/common-licenses/")
        && let Some(mention) = COMMON_LICENSE.captures(line)
    {
        let (_, [name]) = mention.extract();
        found.push(name.to_owned());
    }
}

/// Cuts what often stands around a name.
fn bare_name(text: &str) -> &str {
    let name = text.split('(').next().unwrap_or(text);
    let name = name
        .strip_prefix("The main library is licensed under ")
        .unwrap_or(name);
    name.strip_suffix(" license").unwrap_or(name).trim()
}
