//! The application inventory of Bottlerocket.
//!
//! Source: spec 02 section 2.5.

use cleanbill_core::Package;
use serde::Deserialize;

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput};
use crate::json::decode_classic;

/// Finds the packages of `application-inventory.json`.
pub(crate) struct Bottlerocket;

const PATHS: &[&str] = &[
    "aarch64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
    "x86_64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
];

impl Extractor for Bottlerocket {
    fn name(&self) -> &'static str {
        "bottlerocket-inventory"
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
        let packages = parse(&file.read_small()?).map_err(ExtractError::Malformed)?;
        draft.add_database(file.path, packages);
        Ok(())
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Inventory {
    content: Vec<Application>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Application {
    name: String,
    version: String,
    release: String,
    epoch: String,
    architecture: String,
}

fn parse(bytes: &[u8]) -> Result<Vec<Package>, String> {
    let inventory: Inventory = decode_classic(bytes).map_err(|error| error.to_string())?;
    inventory
        .content
        .into_iter()
        .map(Application::package)
        .collect()
}

impl Application {
    fn package(self) -> Result<Package, String> {
        // Releases before 1.20 state no epoch.
        let epoch = match self.epoch.as_str() {
            "" => 0,
            text => text
                .parse()
                .map_err(|_| format!("the epoch of {} is no number", self.name))?,
        };
        let mut package = Package {
            name: self.name,
            epoch,
            version: self.version,
            release: self.release,
            arch: self.architecture,
            ..Package::default()
        };
        if !package.name.is_empty() && !package.version.is_empty() {
            package.id = format!("{}@{}", package.name, package.installed_version());
        }
        Ok(package)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn applications_are_packages() {
        let packages = parse(
            br#"{"Content": [
                {"Name": "glibc", "Architecture": "x86_64", "Version": "2.43", "Release": "1", "Epoch": "1"},
                {"Name": "kernel", "Version": "6.1", "Release": null, "Other": [{}]},
                {"Name": "nameless"}
            ]} trailing"#,
        )
        .unwrap();
        let ids: Vec<_> = packages.iter().map(|package| package.id.as_str()).collect();
        assert_eq!(ids, ["glibc@1:2.43-1", "kernel@6.1", ""]);
        assert_eq!(packages[0].arch, "x86_64");
        assert_eq!(packages[0].epoch, 1);
    }

    #[test]
    fn a_wrong_type_or_epoch_spoils_the_file() {
        for text in [
            "",
            "[]",
            r#"{"Content": {}}"#,
            r#"{"Content": [{"Name": 1}]}"#,
            r#"{"Content": [{"Name": "a", "Epoch": "x"}]}"#,
            r#"{"Content": [{"Name": "a", "Epoch": 1}]}"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(parse(b"{}").unwrap(), []);
        assert_eq!(parse(br#"{"Content": null}"#).unwrap(), []);
    }

    proptest! {
        #[test]
        fn any_bytes_are_accepted_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
