//! What a document says, whatever its format.
//!
//! Components are taken one by one: what is kept of one is the package that it is, or the
//! application that packages belong to. A document may list a million components that are neither.

mod index;

use cleanbill_core::purl::PackageUrl;
use cleanbill_core::{Limits, Package};

use super::error::SbomError;
use super::package;
pub(super) use index::Index;

/// Holds packages, and which component needs or contains which.
#[derive(Debug)]
pub(super) struct Bom {
    pub(super) packages: Vec<Package>,
    /// Applications by type and path, in the order of the document.
    pub(super) applications: Vec<(String, String)>,
    /// The distribution, by its name and release, if a component is one.
    pub(super) system: Option<(String, String)>,
    /// What the document says about the image that it describes.
    pub(super) image: ImageFacts,
    /// Package URLs that could not be read; their components are left out.
    pub(super) malformed_urls: u64,
    /// The document ends within a package.
    pub(super) is_cut: bool,
    /// Why packages, or what they need, were left out, if any were.
    pub(super) left_out: Option<String>,
    relationships: Vec<Related>,
    has_root: bool,
    packages_max: u64,
    elements_max: u64,
}

/// Is a package needed by, or contained in, something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Related {
    parent: Node,
    /// The place among all relationships.
    number: u32,
    child: u32,
}

/// Is a component that others may belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    /// The package of a number.
    Package(u32),
    /// The distribution.
    System,
    /// The application of a number.
    Application(u32),
    /// Neither: nothing belongs to it.
    Other,
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
    /// Names and values, sorted once it is added. Trivy's names come without their prefix.
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

/// Holds what Trivy noted about an image, in its own words.
#[derive(Debug, Default)]
pub(crate) struct ImageFacts {
    pub(crate) image_id: String,
    pub(crate) repo_tags: Vec<String>,
    pub(crate) repo_digests: Vec<String>,
    pub(crate) diff_ids: Vec<String>,
}

/// Applications of these types have no path of their own: reports join them.
const AGGREGATED: [&str; 5] = ["python-pkg", "conda-pkg", "gemspec", "node-pkg", "jar"];

impl Bom {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            packages: Vec::new(),
            applications: Vec::new(),
            system: None,
            image: ImageFacts::default(),
            malformed_urls: 0,
            is_cut: false,
            left_out: None,
            relationships: Vec::new(),
            has_root: false,
            packages_max: limits.packages_per_layer_max,
            elements_max: limits.sbom_elements_max,
        }
    }

    /// Adds a component.
    ///
    /// # Errors
    ///
    /// A property is malformed.
    pub(super) fn add(&mut self, mut component: Component) -> Result<Node, SbomError> {
        component.properties.sort();
        if component.is_root {
            check_size(&component.properties)?;
        }
        let node = self.keep(&mut component)?;
        if component.is_root && !self.has_root {
            self.has_root = true;
            self.image = ImageFacts::of(component.properties);
        }
        Ok(node)
    }

    fn keep(&mut self, component: &mut Component) -> Result<Node, SbomError> {
        match component.kind {
            ComponentKind::OperatingSystem if self.system.is_some() => return Ok(Node::Other),
            ComponentKind::OperatingSystem => {
                let name = std::mem::take(&mut component.name);
                self.system = Some((name, std::mem::take(&mut component.version)));
                return Ok(Node::System);
            }
            ComponentKind::Application => {
                if let Some(application) = application_of(component) {
                    self.applications.push(application);
                    return Ok(Node::Application(last_number(&self.applications)));
                }
            }
            ComponentKind::Library | ComponentKind::Other => {}
        }
        if self.packages.len() as u64 >= self.packages_max {
            let max = self.packages_max;
            self.left_out.get_or_insert_with(|| {
                format!("more than {max} packages (packages_per_layer_max)")
            });
            return Ok(Node::Other);
        }
        let Some(package) = package::read(component)? else {
            return Ok(Node::Other);
        };
        self.packages.push(package);
        Ok(Node::Package(last_number(&self.packages)))
    }

    /// Records that one component needs or contains another. Only packages are asked for.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub(super) fn relate(&mut self, parent: Node, child: Node) -> Result<(), SbomError> {
        let (false, Node::Package(child)) = (parent == Node::Other, child) else {
            return Ok(());
        };
        let number = self.relationships.len();
        check_count(number as u64, self.elements_max)?;
        self.relationships.push(Related {
            parent,
            // The limit is far below 2³².
            number: u32::try_from(number).unwrap_or(u32::MAX),
            child,
        });
        Ok(())
    }

    /// Orders relationships, once all are recorded, so that they are found.
    pub(super) fn seal(&mut self) {
        self.relationships.sort_unstable();
    }

    /// Returns the packages that a component needs or contains, in the order of the document.
    pub(super) fn children(&self, parent: Node) -> impl Iterator<Item = u32> + '_ {
        (self.first_child(parent)..).map_while(move |place| self.child_at(parent, place))
    }

    /// Returns the place of a component's first relationship, and the child at a place, if it is
    /// one of the component's.
    pub(super) fn first_child(&self, parent: Node) -> usize {
        self.relationships
            .partition_point(|related| related.parent < parent)
    }

    /// See [`Bom::first_child`].
    pub(super) fn child_at(&self, parent: Node, place: usize) -> Option<u32> {
        let related = self.relationships.get(place)?;
        (related.parent == parent).then_some(related.child)
    }
}

fn last_number<T>(items: &[T]) -> u32 {
    // Limits keep the count far below 2³².
    u32::try_from(items.len().saturating_sub(1)).unwrap_or(u32::MAX)
}

/// Checks how many components, files or relationships a document has.
///
/// # Errors
///
/// Too many.
pub(super) fn check_count(count: u64, max: u64) -> Result<(), SbomError> {
    if count < max {
        return Ok(());
    }
    Err(SbomError::TooManyElements { max })
}

/// The reference gives up on a document whose size property is no number.
fn check_size(properties: &[(String, String)]) -> Result<(), SbomError> {
    let mut sizes = properties.iter().filter(|(name, _)| name == "Size");
    if sizes.all(|(_, value)| value.parse::<i64>().is_ok()) {
        return Ok(());
    }
    Err(SbomError::Malformed {
        what: "property Size".to_owned(),
        reason: "it is no number".to_owned(),
    })
}

/// Returns type and path of the application that a component is, if Trivy noted a type.
fn application_of(component: &Component) -> Option<(String, String)> {
    let kind = |(name, value): &(String, String)| (name == "Type").then(|| value.clone());
    let kind = component.properties.iter().rev().find_map(kind)?;
    if kind.is_empty() {
        return None;
    }
    let path = if AGGREGATED.contains(&kind.as_str()) {
        ""
    } else {
        &component.name
    };
    Some((kind, path.to_owned()))
}

impl ImageFacts {
    /// Reads them of the component that the document describes.
    fn of(properties: Vec<(String, String)>) -> Self {
        let mut facts = Self::default();
        for (name, value) in properties {
            match name.as_str() {
                "ImageID" => facts.image_id = value,
                "RepoTag" => facts.repo_tags.push(value),
                "RepoDigest" => facts.repo_digests.push(value),
                "DiffID" => facts.diff_ids.push(value),
                _ => {}
            }
        }
        facts
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
