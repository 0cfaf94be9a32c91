//! What Java archives say about themselves, and the index that knows the rest.
//!
//! Many archives do not name the artifact that they are. Trivy's Java index names it, by a digest
//! or by parts of a name; but the index changes, and an inventory of a layer may depend on the
//! layer's bytes only. So inventories keep these facts, and whoever has an index resolves them.

mod archives;

use serde::{Deserialize, Serialize};

use crate::Package;

pub use archives::{JavaArchives, PackArchiveError};

/// Holds what is known of one archive (`.jar`, `.war`, `.ear`, `.par`) and of those inside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JavaArchive {
    /// The path; of an archive inside another one, that archive's path and the entry's name.
    pub path: String,
    /// What the archive holds, in the order of its directory.
    pub items: Vec<JavaItem>,
    /// What it is itself, as far as its bytes tell.
    pub identity: JavaIdentity,
    /// Licences by `group:artifact`, from the `pom.xml` files of the archive, sorted by name.
    pub pom_licenses: Vec<(String, Vec<String>)>,
    /// The licences that the manifest or a licence file states for the archive itself.
    pub own_licenses: Vec<String>,
}

impl JavaArchive {
    /// Measures the packages that it and those inside it may become.
    pub fn extent(&self) -> JavaExtent {
        let licenses = self.pom_licenses.iter().flat_map(|(_, names)| names);
        let licenses = licenses.chain(&self.own_licenses);
        let itself = size_of::<Package>() + self.path.len();
        let mut total = JavaExtent {
            package_count: 1,
            size_bytes: (itself + licenses.map(String::len).sum::<usize>()) as u64,
        };
        for item in &self.items {
            let part = match item {
                JavaItem::Archive(archive) => archive.extent(),
                JavaItem::Artifact(artifact) => JavaExtent {
                    package_count: 1,
                    size_bytes: (itself + artifact.size_bytes()) as u64,
                },
            };
            total.package_count = total.package_count.saturating_add(part.package_count);
            total.size_bytes = total.size_bytes.saturating_add(part.size_bytes);
        }
        total
    }
}

/// Says how much the packages of an archive are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JavaExtent {
    /// How many there may be.
    pub package_count: u64,
    /// About how many bytes they take.
    pub size_bytes: u64,
}

/// Is one thing of interest inside an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JavaItem {
    /// A `pom.properties` file: an artifact that was built into the archive.
    Artifact(JavaArtifact),
    /// An archive inside the archive.
    Archive(Box<JavaArchive>),
}

/// Names an artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct JavaArtifact {
    /// The group.
    pub group: String,
    /// The artifact.
    pub artifact: String,
    /// The version.
    pub version: String,
}

impl JavaArtifact {
    /// Returns the name by which packages go, `group:artifact`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.group, self.artifact)
    }

    fn size_bytes(&self) -> usize {
        self.group.len() + self.artifact.len() + self.version.len()
    }

    /// Says whether group, artifact and version are stated.
    pub fn is_complete(&self) -> bool {
        !(self.group.is_empty() || self.artifact.is_empty() || self.version.is_empty())
    }
}

/// Says what an archive is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JavaIdentity {
    /// One of its `pom.properties` files names it as the file name does.
    Known,
    /// The index may tell.
    Ask(JavaClues),
}

impl Default for JavaIdentity {
    fn default() -> Self {
        Self::Ask(JavaClues::default())
    }
}

/// Holds what the index is asked with, in this order. Source: spec 04 section 1.7.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JavaClues {
    /// What the manifest claims, if it is complete: right only if the index knows such an
    /// artifact.
    pub manifest: Option<JavaArtifact>,
    /// The digest of the archive.
    pub sha1: [u8; 20],
    /// Artifact and version, if the file name has both.
    pub file_name: Option<(String, String)>,
}

/// Says why the index could not answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot look up a Java archive")]
pub struct JavaLookupError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Answers questions about published artifacts. Source: spec 01 section 6.
pub trait JavaIndex {
    /// Says whether any version of the artifact was published.
    ///
    /// # Errors
    ///
    /// The index cannot be read.
    fn has_artifact(&self, group: &str, artifact: &str) -> Result<bool, JavaLookupError>;

    /// Returns the artifact whose archive has this digest.
    ///
    /// # Errors
    ///
    /// The index cannot be read.
    fn artifact_by_sha1(&self, sha1: &[u8; 20]) -> Result<Option<JavaArtifact>, JavaLookupError>;

    /// Returns the group that most likely published a version of an artifact: of those that did,
    /// the one with most archives, counted once for each of that version; of equals the one that
    /// sorts first.
    ///
    /// # Errors
    ///
    /// The index cannot be read.
    fn group_of(&self, artifact: &str, version: &str) -> Result<Option<String>, JavaLookupError>;
}
