//! What Maven leaves in an archive: `pom.properties` and `pom.xml`.

use std::borrow::Cow;

use cleanbill_core::java::JavaArtifact;

use super::parse::TEXT_LINE_SIZE_BYTES_MAX;
use crate::archive::ArchiveError;
use crate::licenses;
use crate::xml::{XmlError, XmlReader};

/// Reads `pom.properties`. Of repeated keys the last counts.
///
/// # Errors
///
/// A line is too long.
pub(super) fn parse_properties(bytes: &[u8]) -> Result<JavaArtifact, ArchiveError> {
    let mut artifact = JavaArtifact::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.len() >= TEXT_LINE_SIZE_BYTES_MAX {
            return Err(ArchiveError::Malformed(
                "a line of pom.properties is too long".to_owned(),
            ));
        }
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        let keys = [
            ("groupId=", &mut artifact.group),
            ("artifactId=", &mut artifact.artifact),
            ("version=", &mut artifact.version),
        ];
        for (key, target) in keys {
            if let Some(value) = line.strip_prefix(key) {
                value.clone_into(target);
            }
        }
    }
    Ok(artifact)
}

/// Returns `group:artifact` of `META-INF/maven/<group>/<artifact>/pom.xml`.
pub(super) fn name_by_path(entry: &str) -> Option<String> {
    let inner = entry.strip_prefix("META-INF/maven/")?;
    let (group, artifact) = inner.strip_suffix("/pom.xml")?.split_once('/')?;
    (!group.is_empty() && !artifact.is_empty()).then(|| format!("{group}:{artifact}"))
}

/// Returns the licences that a `pom.xml` names: by name, else by an address that is known. A file
/// that is not well-formed names none.
pub(super) fn parse_licenses(bytes: &[u8]) -> Vec<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        // The other encoding of old files. Names of licences are plain letters anyway.
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    };
    read_project(text.as_bytes()).unwrap_or_default()
}

/// Reads `project/licenses/license`, whatever the root is called.
fn read_project(bytes: &[u8]) -> Result<Vec<String>, XmlError> {
    let mut reader = XmlReader::new(bytes)?;
    let mut names = Vec::new();
    reader.root()?;
    while let Some(element) = reader.child()? {
        if element.name() != "licenses" {
            reader.skip()?;
            continue;
        }
        while let Some(element) = reader.child()? {
            match element.name() {
                "license" => names.extend(read_license(&mut reader)?),
                _ => reader.skip()?,
            }
        }
    }
    Ok(names)
}

/// Reads `name` and `url`; of several the last counts.
fn read_license(reader: &mut XmlReader<'_>) -> Result<Option<String>, XmlError> {
    let (mut name, mut url) = (String::new(), String::new());
    while let Some(element) = reader.child()? {
        match element.name() {
            "name" => name = reader.text()?,
            "url" => url = reader.text()?,
            _ => reader.skip()?,
        }
    }
    Ok(match name.trim() {
        "" => licenses::spdx_id_by_url(&url),
        name => Some(name.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read() {
        let parse = |text: &str| parse_properties(text.as_bytes()).unwrap();
        let full = parse("#Generated\r\nversion=1.0\r\n groupId=org.x\r\nartifactId=a=b\r\n");
        assert_eq!(full.name(), "org.x:a=b");
        assert_eq!(full.version, "1.0");
        assert!(!parse("groupId = g\nartifactId=a\nversion=1\n").is_complete());
        assert_eq!(parse("version=1\nversion=2").version, "2");
        assert!(parse_properties(&[b'x'; TEXT_LINE_SIZE_BYTES_MAX]).is_err());
    }

    #[test]
    fn the_path_of_a_pom_names_its_artifact() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(name_by_path(path).as_deref(), expected, "{path}");
        };
        check("META-INF/maven/g/a/pom.xml", Some("g:a"));
        check("META-INF/maven/g/a/b/pom.xml", Some("g:a/b"));
        check("META-INF/maven/g/pom.xml", None);
        check("META-INF/maven/g//pom.xml", None);
        check("x/META-INF/maven/g/a/pom.xml", None);
        check("pom.xml", None);
    }

    #[test]
    fn licences_of_a_pom_are_named() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(parse_licenses(text.as_bytes()), expected, "{text}");
        };
        check(
            "<?xml version=\"1.0\"?><project xmlns=\"http://maven\"><name>x</name><licenses>\
             <license><name> MIT &amp; <!-- c -->Co<b>not</b> </name><url>u</url></license>\
             <license><url>https://www.apache.org/licenses/LICENSE-2.0.txt</url></license>\
             <license><url>https://example.com</url></license>\
             </licenses></project>",
            &["MIT & Co", "Apache-2.0"],
        );
        check(
            "<p><other><licenses><license><name>a</name></license></licenses></other></p>",
            &[],
        );
        check(
            "<p><licenses><license><name>a</name></license></licenses>",
            &[],
        );
        check(
            "<p><licenses><license><name>a &unknown;</name></license></licenses></p>",
            &[],
        );
        check(
            "<p><licenses><license><name><![CDATA[a]]>b</name></license></licenses></p>trailing",
            &["ab"],
        );
        check("nothing", &[]);
    }
}
