//! The package list of distroless images of Mariner and Azure Linux: the output of a query of
//! rpm, one package a line.
//!
//! Source: spec 02 section 2.4.

use cleanbill_core::Package;

use super::rpm::source_rpm;
use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput};

/// Finds the packages of `container-manifest-2`.
pub(crate) struct RpmManifest;

const PATHS: &[&str] = &["var/lib/rpmmanifest/container-manifest-2"];

impl Extractor for RpmManifest {
    fn name(&self) -> &'static str {
        "rpmqa"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        PATHS.contains(&path)
    }

    fn places(&self) -> &'static [&'static str] {
        PATHS
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        let bytes = file.read_small()?;
        let packages = parse(&String::from_utf8_lossy(&bytes))
            .map_err(|error| ExtractError::Malformed(error.to_string()))?;
        draft.add_database(file.path, packages);
        Ok(())
    }
}

/// Says why a manifest cannot be read. One bad line makes all others worthless, as for the
/// reference.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
struct ManifestError {
    line: usize,
    reason: &'static str,
}

fn parse(text: &str) -> Result<Vec<Package>, ManifestError> {
    let numbered = text.lines().enumerate();
    numbered
        .map(|(index, line)| {
            parse_line(line).map_err(|reason| ManifestError {
                line: index + 1,
                reason,
            })
        })
        .collect()
}

fn parse_line(line: &str) -> Result<Package, &'static str> {
    let fields: Vec<&str> = line.splitn(11, '\t').collect();
    let &[name, version, _, _, _, _, _, arch, epoch, source_rpm] = fields.as_slice() else {
        return Err("it does not have ten fields");
    };
    let (version, release) = version
        .split_once('-')
        .filter(|(_, release)| !release.contains('-'))
        .ok_or("the version is not of the form version-release")?;
    let (src_name, src_version, src_release) = source_rpm::split(source_rpm)
        .ok_or("the source package is not of the form n-v-r.src.rpm")?;
    let epoch = epoch.parse().map_err(|_| "the epoch is no number")?;
    Ok(Package {
        name: name.to_owned(),
        epoch,
        version: version.to_owned(),
        release: release.to_owned(),
        arch: arch.to_owned(),
        src_name: src_name.to_owned(),
        src_epoch: epoch,
        src_version: src_version.to_owned(),
        src_release: src_release.to_owned(),
        ..Package::default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GLIBC: &str = "glibc\t2.35-3.cm2\t1\t2\tMicrosoft Corporation\t(none)\t10\tx86_64\t2\tglibc-2.35-3.cm2.src.rpm";

    #[test]
    fn a_line_is_a_package() {
        let packages = parse(&format!("{GLIBC}\r\n{GLIBC}\n")).unwrap();
        assert_eq!(packages.len(), 2);
        let glibc = &packages[0];
        assert_eq!(glibc.installed_version(), "2:2.35-3.cm2");
        assert_eq!(glibc.source_version(), "2:2.35-3.cm2");
        assert_eq!((glibc.arch.as_str(), glibc.id.as_str()), ("x86_64", ""));
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn one_bad_line_spoils_the_file() {
        for (from, to) in [
            ("x86_64\t", ""),
            ("x86_64\t", "x86_64\tmore\t"),
            ("2.35-3.cm2\t", "2.35\t"),
            ("2.35-3.cm2\t", "2.35-3-4\t"),
            ("\t2\tglibc", "\ttwo\tglibc"),
            ("glibc-2.35-3.cm2.src.rpm", "(none)"),
        ] {
            let text = format!("{GLIBC}\n{}\n", GLIBC.replacen(from, to, 1));
            assert_eq!(parse(&text).unwrap_err().line, 2, "{from:?} -> {to:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_accepted_or_refused(text in "[a-z0-9.\\-\t\n]{0,200}") {
            let _ = parse(&text);
        }
    }
}
