//! What Maven leaves in an archive: `pom.properties` and `pom.xml`.

use cleanbill_core::java::JavaArtifact;
use quick_xml::events::{BytesRef, Event};
use quick_xml::{Reader, escape};

use super::parse::TEXT_LINE_SIZE_BYTES_MAX;
use crate::archive::ArchiveError;
use crate::licenses;

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
        Ok(text) => text.to_owned(),
        // The other encoding of old files. Names of licences are plain letters anyway.
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    };
    let mut reader = Reader::from_str(&text);
    let mut licenses = Licenses::default();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                licenses.open(tag.local_name().as_ref());
            }
            Ok(Event::End(_)) => licenses.close(),
            Ok(Event::Text(text)) => licenses.text(&text),
            Ok(Event::CData(text)) => licenses.text(&text),
            Ok(Event::GeneralRef(reference)) => {
                let Some(text) = resolve(&reference) else {
                    return Vec::new();
                };
                licenses.text(&text);
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return Vec::new(),
        }
        if licenses.is_ended {
            break;
        }
    }
    if licenses.is_ended {
        licenses.names
    } else {
        Vec::new()
    }
}

/// Returns what a reference (`&amp;`, `&#38;`) stands for.
fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character.to_string()),
        Ok(None) => escape::resolve_predefined_entity(reference).map(str::to_owned),
        Err(_) => None,
    }
}

/// Follows the elements `project/licenses/license/{name,url}`, whatever the root is called.
#[derive(Default)]
struct Licenses {
    depth: u64,
    /// How many of the open elements, from the root on, lie on the way.
    on_way: u64,
    field: Field,
    name: String,
    url: String,
    names: Vec<String>,
    is_ended: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Other,
    Name,
    Url,
}

impl Licenses {
    fn open(&mut self, tag: &str) {
        if self.depth == self.on_way {
            let is_way = match self.depth {
                0 => true,
                1 => tag == "licenses",
                2 => tag == "license",
                _ => false,
            };
            self.on_way += u64::from(is_way);
            if self.depth == 3 {
                self.field = match tag {
                    "name" => Field::Name,
                    "url" => Field::Url,
                    _ => Field::Other,
                };
                match self.field {
                    Field::Name => self.name.clear(),
                    Field::Url => self.url.clear(),
                    Field::Other => {}
                }
            }
        }
        self.depth += 1;
    }

    fn text(&mut self, text: &str) {
        // Directly in the field, not in an element below it.
        if self.depth == 4 && self.on_way == 3 {
            match self.field {
                Field::Name => self.name.push_str(text),
                Field::Url => self.url.push_str(text),
                Field::Other => {}
            }
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 3 {
            self.field = Field::Other;
        }
        if self.depth < self.on_way {
            if self.on_way == 3 {
                self.add();
            }
            self.on_way = self.depth;
        }
        self.is_ended = self.depth == 0;
    }

    fn add(&mut self) {
        let (name, url) = (
            std::mem::take(&mut self.name),
            std::mem::take(&mut self.url),
        );
        let name = name.trim();
        if name.is_empty() {
            self.names.extend(licenses::spdx_id_by_url(&url));
        } else {
            self.names.push(name.to_owned());
        }
    }
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
