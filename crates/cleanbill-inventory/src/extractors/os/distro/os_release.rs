//! `os-release`, the file that nearly every distribution has. Source: os-release(5) as far as the
//! reference implementation follows it.

use super::Statement;
use crate::extractor::{ExtractError, FileInput};
use crate::lines::{Lines, text};

/// Takes `ID`, `VERSION_ID` and `NAME`. Without a release the file says nothing.
pub(super) fn os_release(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    let (mut id, mut name, mut version_id) = (String::new(), String::new(), String::new());
    let mut lines = Lines::new(file);
    while let Some(line) = lines.next()? {
        let line = text(line);
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        match key.trim() {
            "ID" => value.clone_into(&mut id),
            "NAME" => value.clone_into(&mut name),
            "VERSION_ID" => value.clone_into(&mut version_id),
            _ => {}
        }
    }
    if version_id.is_empty() {
        return Ok(None);
    }
    if let Some(family) = family(&id, &name) {
        return Ok(Some(Statement::new(family, version_id)));
    }
    Ok(fallback_family(&id).map(|family| Statement {
        is_fallback: true,
        ..Statement::new(family, version_id)
    }))
}

fn family(id: &str, name: &str) -> Option<&'static str> {
    Some(match id {
        "activestate" => "activestate",
        "rhel" => "redhat",
        "centos" if name == "CentOS Stream" => "centos-stream",
        "centos" => "centos",
        "rocky" => "rocky",
        "almalinux" => "alma",
        "ol" => "oracle",
        "fedora" => "fedora",
        "alpine" => "alpine",
        "bottlerocket" => "bottlerocket",
        "opensuse-tumbleweed" => "opensuse-tumbleweed",
        "opensuse-leap" | "opensuse" => "opensuse-leap",
        "sles" => "sles",
        "sle-micro" | "sl-micro" | "sle-micro-rancher" => "slem",
        "photon" => "photon",
        "wolfi" => "wolfi",
        "chainguard" => "chainguard",
        "azurelinux" => "azurelinux",
        "mariner" => "cbl-mariner",
        "echo" => "echo",
        "minimos" => "minimos",
        "coreos" => "coreos",
        _ => return None,
    })
}

/// Names families that the reference implementation takes from other files only. Images made
/// without those files (distroless ones, for example) would stay without a distribution.
fn fallback_family(id: &str) -> Option<&'static str> {
    match id {
        "debian" => Some("debian"),
        "ubuntu" => Some("ubuntu"),
        "amzn" => Some("amazon"),
        _ => None,
    }
}
