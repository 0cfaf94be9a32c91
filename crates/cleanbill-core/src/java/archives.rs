//! The archives of a layer, packed.

use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::JavaArchive;

/// Holds what is known of archives, in an order.
///
/// A layer may have a hundred thousand. Each takes about a hundred bytes here, several times that as
/// a [`JavaArchive`]. Written out it is a list of these.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct JavaArchives {
    /// One behind the other, each as postcard.
    packed: Vec<u8>,
    count: usize,
    packages_size_bytes: u64,
}

/// Says why an archive could not be added.
#[derive(Debug, thiserror::Error)]
#[error("cannot pack what is known of the Java archive {path}")]
pub struct PackArchiveError {
    path: String,
    #[source]
    source: postcard::Error,
}

impl JavaArchives {
    /// Appends an archive.
    ///
    /// # Errors
    ///
    /// It cannot be packed.
    pub fn push(&mut self, archive: &JavaArchive) -> Result<(), PackArchiveError> {
        let packed = postcard::to_stdvec(archive).map_err(|source| PackArchiveError {
            path: archive.path.clone(),
            source,
        })?;
        self.packed.extend(packed);
        self.count += 1;
        let size_bytes = archive.extent().size_bytes;
        self.packages_size_bytes = self.packages_size_bytes.saturating_add(size_bytes);
        Ok(())
    }

    /// Appends all archives of another list.
    pub fn append(&mut self, more: &Self) {
        self.packed.extend(&more.packed);
        self.count += more.count;
        let size_bytes = more.packages_size_bytes;
        self.packages_size_bytes = self.packages_size_bytes.saturating_add(size_bytes);
    }

    /// Gives memory back that more archives would need.
    pub fn shrink(&mut self) {
        self.packed.shrink_to_fit();
    }

    /// Iterates over the archives.
    pub fn iter(&self) -> impl Iterator<Item = JavaArchive> + '_ {
        let mut left = self.packed.as_slice();
        std::iter::from_fn(move || {
            if left.is_empty() {
                return None;
            }
            // Nothing but what was packed is ever unpacked.
            let unpacked = postcard::take_from_bytes(left);
            debug_assert!(unpacked.is_ok(), "what was packed can be unpacked");
            let (archive, rest) = unpacked.ok()?;
            left = rest;
            Some(archive)
        })
    }

    /// Says how many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns about how many bytes the packages take that they may become.
    pub fn packages_size_bytes(&self) -> u64 {
        self.packages_size_bytes
    }
}

impl fmt::Debug for JavaArchives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for JavaArchives {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq as _;
        let mut list = serializer.serialize_seq(Some(self.count))?;
        let mut written = 0;
        for archive in self.iter() {
            list.serialize_element(&archive)?;
            written += 1;
        }
        if written != self.count {
            return Err(S::Error::custom("a packed Java archive cannot be unpacked"));
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for JavaArchives {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ArchivesVisitor)
    }
}

struct ArchivesVisitor;

impl<'de> Visitor<'de> for ArchivesVisitor {
    type Value = JavaArchives;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of Java archives")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut archives = JavaArchives::default();
        while let Some(archive) = list.next_element()? {
            archives.push(&archive).map_err(A::Error::custom)?;
        }
        archives.shrink();
        Ok(archives)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{JavaArtifact, JavaClues, JavaIdentity, JavaItem};
    use super::*;

    fn archive(path: &str) -> JavaArchive {
        let artifact = JavaArtifact {
            group: "g".to_owned(),
            artifact: "a".to_owned(),
            version: "1".to_owned(),
        };
        let inside = JavaArchive {
            path: format!("{path}/b.jar"),
            identity: JavaIdentity::Known,
            ..JavaArchive::default()
        };
        JavaArchive {
            path: path.to_owned(),
            items: vec![
                JavaItem::Artifact(artifact.clone()),
                JavaItem::Archive(Box::new(inside)),
            ],
            identity: JavaIdentity::Ask(JavaClues {
                manifest: Some(artifact),
                sha1: [7; 20],
                file_name: Some(("a".to_owned(), "1".to_owned())),
            }),
            pom_licenses: vec![("g:a".to_owned(), vec!["MIT".to_owned()])],
            own_licenses: vec!["MIT".to_owned()],
        }
    }

    fn packed(paths: &[&str]) -> JavaArchives {
        let mut archives = JavaArchives::default();
        for path in paths {
            archives.push(&archive(path)).unwrap();
        }
        archives
    }

    #[test]
    fn archives_come_back_as_they_were() {
        let archives = packed(&["a", "", "c"]);
        assert!(archives.iter().eq(["a", "", "c"].map(archive)));
        assert_eq!(archives.len(), 3);
        let sizes = archives.iter().map(|one| one.extent().size_bytes);
        assert_eq!(archives.packages_size_bytes(), sizes.sum::<u64>());
        assert!(JavaArchives::default().is_empty());
        assert_eq!(JavaArchives::default().iter().next(), None);
    }

    #[test]
    fn lists_are_joined() {
        let mut archives = packed(&["a"]);
        archives.append(&packed(&["b", "c"]));
        assert_eq!(archives, packed(&["a", "b", "c"]));
    }

    #[test]
    fn written_out_it_is_a_list_of_archives() {
        let archives = packed(&["a", "b"]);
        let written = serde_json::to_value(&archives).unwrap();
        let list: Vec<JavaArchive> = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(list, ["a", "b"].map(archive));
        let read: JavaArchives = serde_json::from_value(written).unwrap();
        assert_eq!(read, archives);
        assert!(serde_json::from_str::<JavaArchives>("[1]").is_err());
    }
}
