//! Which distribution an image is built on.
//!
//! Source: spec 02 sections 1.2 and 1.3. A file that does not have the expected form says
//! nothing, as in the reference implementation.

mod amazon;
mod os_release;
mod redhat;
mod repositories;
mod ubuntu;

use cleanbill_core::distro::{Distro, Family};

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::lines::{Lines, text};

pub(crate) use repositories::ApkRepositories;

/// Reads the release files of distributions.
pub(crate) struct DistroRelease;

impl Extractor for DistroRelease {
    fn name(&self) -> &'static str {
        "distro"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        reader_for(path).is_some()
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let path = file.path;
        let read = reader_for(path).ok_or(ExtractError::Ignored)?;
        if let Some(statement) = read(file)? {
            draft.add_distro_record(path, statement.distro, statement.is_fallback);
        }
        Ok(())
    }

    fn places(&self) -> &'static [&'static str] {
        PLACES
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Follow
    }
}

/// What a file says.
struct Statement {
    distro: Distro,
    is_fallback: bool,
}

impl Statement {
    fn new(family: &str, name: impl Into<String>) -> Self {
        Self {
            distro: Distro {
                family: Family::new(family),
                name: name.into(),
                ..Distro::default()
            },
            is_fallback: false,
        }
    }
}

type ReadFn = fn(&mut FileInput<'_>) -> Result<Option<Statement>, ExtractError>;

const PLACES: &[&str] = &[
    "aarch64-bottlerocket-linux-gnu/sys-root/usr/lib/os-release",
    "etc/almalinux-release",
    "etc/alpine-release",
    "etc/centos-release",
    "etc/debian_version",
    "etc/fedora-release",
    "etc/lsb-release",
    "etc/oracle-release",
    "etc/os-release",
    "etc/redhat-release",
    "etc/rocky-release",
    "etc/system-release",
    "usr/lib/fedora-release",
    "usr/lib/os-release",
    "usr/lib/system-release",
    "usr/share/rapidfort/curated.json",
    "var/lib/ubuntu-advantage/status.json",
    "x86_64-bottlerocket-linux-gnu/sys-root/usr/lib/os-release",
];

fn reader_for(path: &str) -> Option<ReadFn> {
    let read: ReadFn = match path {
        "etc/alpine-release" => alpine_release,
        "etc/debian_version" => debian_version,
        "etc/lsb-release" => ubuntu::lsb_release,
        "var/lib/ubuntu-advantage/status.json" => ubuntu::extended_maintenance,
        "etc/system-release" | "usr/lib/system-release" => amazon::system_release,
        "etc/redhat-release" => redhat::redhat_release,
        "etc/centos-release" => redhat::centos_release,
        "etc/rocky-release" => redhat::rocky_release,
        "etc/almalinux-release" => redhat::almalinux_release,
        "etc/fedora-release" | "usr/lib/fedora-release" => redhat::fedora_release,
        "etc/oracle-release" => redhat::oracle_release,
        "usr/share/rapidfort/curated.json" => rapidfort_mark,
        "etc/os-release"
        | "usr/lib/os-release"
        | "aarch64-bottlerocket-linux-gnu/sys-root/usr/lib/os-release"
        | "x86_64-bottlerocket-linux-gnu/sys-root/usr/lib/os-release" => os_release::os_release,
        _ => return None,
    };
    Some(read)
}

fn alpine_release(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    Ok(first_line(file)?.map(|line| Statement::new("alpine", line)))
}

fn debian_version(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    Ok(first_line(file)?.map(|line| Statement::new("debian", line)))
}

/// The file's existence says that RapidFort hardened the image.
fn rapidfort_mark(_file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    let mut statement = Statement::new("", "");
    statement.distro.supplier = "rapidfort".to_owned();
    Ok(Some(statement))
}

fn first_line(file: &mut FileInput<'_>) -> Result<Option<String>, ExtractError> {
    Ok(Lines::new(file).next()?.map(text))
}

#[cfg(test)]
mod tests;
