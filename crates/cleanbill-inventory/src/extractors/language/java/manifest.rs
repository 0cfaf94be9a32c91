//! The manifest of an archive.

use cleanbill_core::java::JavaArtifact;
use cleanbill_core::spdx;

use super::parse::TEXT_LINE_SIZE_BYTES_MAX;
use crate::archive::{ArchiveError, texts_size_bytes};
use crate::licenses;

/// Bytes of a manifest that are read. Source: Trivy 0.74.0 `maxManifestSize`.
pub(super) const SIZE_BYTES_MAX: u64 = 10 << 20;

/// Holds the attributes of the main section that say what an archive is. Values are as written,
/// with the blanks around them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    implementation: Attributes,
    specification: Attributes,
    implementation_vendor_id: String,
    bundle_name: String,
    bundle_version: String,
    bundle_symbolic_name: String,
    bundle_license: String,
    plugin_licenses: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Attributes {
    title: String,
    version: String,
    vendor: String,
}

impl Manifest {
    /// Reads the main section, which ends at the first empty line.
    ///
    /// # Errors
    ///
    /// A line of it is too long, or it goes beyond what is read.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let mut manifest = Self::default();
        let mut attribute: Vec<u8> = Vec::new();
        let mut is_ended = false;
        for line in Lines(bytes) {
            if line.len() >= TEXT_LINE_SIZE_BYTES_MAX {
                return Err(ArchiveError::Malformed(
                    "a line of the manifest is too long".to_owned(),
                ));
            }
            match line.split_first() {
                None => {
                    is_ended = true;
                    break;
                }
                Some((b' ', continued)) => attribute.extend_from_slice(continued),
                Some(_) => {
                    manifest.add(&attribute);
                    attribute.clear();
                    attribute.extend_from_slice(line);
                }
            }
        }
        if !is_ended && bytes.len() as u64 > SIZE_BYTES_MAX {
            return Err(ArchiveError::Malformed(
                "the manifest is too long".to_owned(),
            ));
        }
        manifest.add(&attribute);
        Ok(manifest)
    }

    /// Takes one unfolded line.
    fn add(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        // A value that stands for one in another file: `Bundle-Name: %bundleName`.
        let is_stated = line
            .split_whitespace()
            .nth(1)
            .is_some_and(|value| !value.starts_with('%'));
        if !is_stated {
            return;
        }
        if line.starts_with("Plugin-License-Name") {
            self.plugin_licenses.extend(plugin_license(&line));
            return;
        }
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let target = match name {
            "Implementation-Version" => &mut self.implementation.version,
            "Implementation-Title" => &mut self.implementation.title,
            "Implementation-Vendor" => &mut self.implementation.vendor,
            "Implementation-Vendor-Id" => &mut self.implementation_vendor_id,
            "Specification-Version" => &mut self.specification.version,
            "Specification-Title" => &mut self.specification.title,
            "Specification-Vendor" => &mut self.specification.vendor,
            "Bundle-Version" => &mut self.bundle_version,
            "Bundle-Name" => &mut self.bundle_name,
            "Bundle-SymbolicName" => &mut self.bundle_symbolic_name,
            "Bundle-License" => &mut self.bundle_license,
            _ => return,
        };
        value.clone_into(target);
    }

    /// Returns about how many bytes its texts take.
    pub(super) fn size_bytes(&self) -> usize {
        let attributes = [&self.implementation, &self.specification];
        let texts = attributes
            .iter()
            .flat_map(|found| [&found.title, &found.version, &found.vendor])
            .chain([
                &self.implementation_vendor_id,
                &self.bundle_name,
                &self.bundle_version,
                &self.bundle_symbolic_name,
                &self.bundle_license,
            ]);
        size_of_val(self)
            + texts.map(String::len).sum::<usize>()
            + texts_size_bytes(&self.plugin_licenses)
    }

    /// Returns what the manifest claims the archive to be, if it states everything.
    pub(super) fn artifact(&self) -> Option<JavaArtifact> {
        let bundle_group = match self.bundle_symbolic_name.rfind('.') {
            Some(dot) if dot > 0 => self.bundle_symbolic_name.get(..dot).unwrap_or_default(),
            _ => &self.bundle_symbolic_name,
        };
        let claimed = JavaArtifact {
            group: first([
                &self.implementation_vendor_id,
                bundle_group,
                &self.implementation.vendor,
                &self.specification.vendor,
            ]),
            artifact: first([
                &self.implementation.title,
                &self.specification.title,
                &self.bundle_name,
            ]),
            version: first([
                &self.implementation.version,
                &self.specification.version,
                &self.bundle_version,
            ]),
        };
        claimed.is_complete().then_some(claimed)
    }

    /// Returns the licences that it names: those of Jenkins plugins, else those of OSGi bundles
    /// that are known.
    pub(super) fn licenses(&self) -> Vec<String> {
        if !self.plugin_licenses.is_empty() {
            return self.plugin_licenses.clone();
        }
        split_unquoted(&self.bundle_license, ',')
            .into_iter()
            .filter_map(bundle_license)
            .collect()
    }
}

/// Returns the first text that is stated, without the blanks around it.
fn first<const N: usize>(texts: [&str; N]) -> String {
    let stated = texts.into_iter().find(|text| !text.is_empty());
    stated.unwrap_or_default().trim().to_owned()
}

/// Returns the value of `Plugin-License-Name` or `Plugin-License-Name-<something>`.
fn plugin_license(line: &str) -> Option<String> {
    let (name, value) = line.split_once(':')?;
    let rest = name.strip_prefix("Plugin-License-Name")?;
    let value = value.trim();
    let is_named = rest.is_empty() || rest.starts_with('-');
    (is_named && !value.is_empty()).then(|| value.to_owned())
}

/// Returns the SPDX identifier of one entry of `Bundle-License`: an identifier or a known address,
/// then attributes, of which `link` may be a known address too.
///
/// Source: OSGi Core 8 section 3.2.1.9.
fn bundle_license(entry: &str) -> Option<String> {
    let unquote = |text: &str| text.trim_matches([' ', '"']).to_owned();
    let mut fields = split_unquoted(entry, ';').into_iter();
    let name = unquote(fields.next().unwrap_or_default());
    let link = fields
        .rev()
        .filter_map(|attribute| attribute.split_once('='))
        .find(|(key, _)| key.trim() == "link")
        .map(|(_, value)| unquote(value))
        .unwrap_or_default();
    spdx::license_id(&name)
        .map(str::to_owned)
        .or_else(|| licenses::spdx_id_by_url(&name))
        .or_else(|| licenses::spdx_id_by_url(&link))
}

/// Splits at a separator that stands outside of double quotes; inside them a backslash takes the
/// next character as it is.
fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, character) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if character == '\\' {
            is_escaped = is_quoted;
        } else if character == '"' {
            is_quoted = !is_quoted;
        } else if character == separator && !is_quoted {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + separator.len_utf8();
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Splits text at CR LF, LF or a lone CR.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (line, rest) = self.0.split_at_checked(end.unwrap_or(self.0.len()))?;
        self.0 = rest
            .strip_prefix(b"\r\n")
            .or_else(|| rest.get(1..))
            .unwrap_or_default();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str, &str)>) {
        let found = Manifest::parse(text.as_bytes()).unwrap().artifact();
        let found = found
            .as_ref()
            .map(|a| (a.group.as_str(), a.artifact.as_str(), a.version.as_str()));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn the_attributes_count_in_their_order() {
        check(
            "Manifest-Version: 1.0\r\nImplementation-Title: t\r\nImplementation-Version: 1\r\n\
             Implementation-Vendor: v\r\nImplementation-Vendor-Id: g\r\nSpecification-Title: s\r\n",
            Some(("g", "t", "1")),
        );
        check(
            "Bundle-SymbolicName: org.x.core\nBundle-Name: c\nBundle-Version: 2\n",
            Some(("org.x", "c", "2")),
        );
        check(
            "Bundle-SymbolicName: core;singleton:=true\nBundle-Name: c\nBundle-Version: 2\n",
            Some(("core;singleton:=true", "c", "2")),
        );
        check(
            "Specification-Vendor: Sun, Inc.\rSpecification-Title: a b\rSpecification-Version: 3",
            Some(("Sun, Inc.", "a b", "3")),
        );
    }

    #[test]
    fn what_is_not_stated_does_not_count() {
        check(
            "Bundle-SymbolicName: g.a\nBundle-Name: %name\nBundle-Version: 2\n",
            None,
        );
        // Without a blank after the colon there is no second word.
        check(
            "Bundle-SymbolicName:g.a\nBundle-Name: a\nBundle-Version: 2\n",
            None,
        );
        check(
            "Bundle-Name: a\n\nBundle-SymbolicName: g.a\nBundle-Version: 2\n",
            None,
        );
        check("", None);
    }

    #[test]
    fn a_blank_continues_a_line() {
        check(
            "Implementation-Vendor-Id: org.a\n pache\nImplementation-Title: a\n \n \
             b\nImplementation-Version: 1\n  .2\n",
            Some(("org.apache", "ab", "1 .2")),
        );
    }

    #[test]
    fn a_long_line_makes_it_unreadable() {
        let long = format!("A: {}\n", "x".repeat(TEXT_LINE_SIZE_BYTES_MAX));
        assert!(Manifest::parse(long.as_bytes()).is_err());
        assert!(Manifest::parse(format!("A: b\n\n{long}").as_bytes()).is_ok());
    }

    #[test]
    fn licences_are_those_of_the_plugin_or_known_ones_of_the_bundle() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(
                Manifest::parse(text.as_bytes()).unwrap().licenses(),
                expected,
                "{text}"
            );
        };
        check(
            "Plugin-License-Name: MIT License\nPlugin-License-Name-2: X\n",
            &["MIT License", "X"],
        );
        check("Plugin-License-Names: a b\nPlugin-License-Url: c d\n", &[]);
        check(
            "Bundle-License: https://www.apache.org/licenses/LICENSE-2.0.txt\n",
            &["Apache-2.0"],
        );
        check(
            "Bundle-License: \"mit\";description=\"a, b; c\", x;link=\"http://www.apache.org/licenses/LICENSE-2.0\"\n",
            &["MIT", "Apache-2.0"],
        );
        check("Bundle-License: <<EXTERNAL>>, Some Text\n", &[]);
    }
}
