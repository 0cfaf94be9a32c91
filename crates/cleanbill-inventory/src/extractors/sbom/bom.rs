//! What a document says, whatever its format.

use std::collections::HashMap;

use cleanbill_core::purl::PackageUrl;

/// Holds components and which of them need or contain which.
#[derive(Debug, Default)]
pub(super) struct Bom {
    pub(super) components: Vec<Component>,
    /// For each component those that it needs or contains, in the order of the document.
    relationships: HashMap<usize, Vec<usize>>,
    /// Package URLs that could not be read; their components are left out.
    pub(super) malformed_urls: u64,
}

/// Describes one component.
#[derive(Debug, Default)]
pub(super) struct Component {
    pub(super) kind: ComponentKind,
    pub(super) is_root: bool,
    pub(super) name: String,
    pub(super) group: String,
    /// What the document states; packages have the version of their URL.
    pub(super) version: String,
    pub(super) src_name: String,
    pub(super) src_version: String,
    pub(super) licenses: Vec<String>,
    pub(super) purl: Option<PackageUrl>,
    pub(super) bom_ref: String,
    /// The file that the component was found in, or empty.
    pub(super) file_path: String,
    /// The digest of the component or of its file, `sha1:…`, or empty.
    pub(super) digest: String,
    /// Names and values, sorted. Trivy's names come without their prefix.
    pub(super) properties: Vec<(String, String)>,
}

/// Tells the kinds of components apart that matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ComponentKind {
    OperatingSystem,
    Application,
    Library,
    #[default]
    Other,
}

impl Bom {
    /// Adds a component and returns its number.
    pub(super) fn add(&mut self, mut component: Component) -> usize {
        component.properties.sort();
        self.components.push(component);
        self.components.len() - 1
    }

    /// Records that one component needs or contains another.
    pub(super) fn relate(&mut self, parent: usize, child: usize) {
        self.relationships.entry(parent).or_default().push(child);
    }

    /// Returns what a component needs or contains.
    pub(super) fn children(&self, component: usize) -> &[usize] {
        self.relationships
            .get(&component)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

/// Writes a digest as packages carry it; `None` for algorithms that are not used.
pub(super) fn digest(algorithm: &str, value: &str) -> Option<String> {
    let algorithm = match algorithm {
        "MD5" => "md5",
        "SHA1" | "SHA-1" => "sha1",
        "SHA256" | "SHA-256" => "sha256",
        "SHA512" | "SHA-512" => "sha512",
        _ => return None,
    };
    Some(format!("{algorithm}:{value}"))
}
