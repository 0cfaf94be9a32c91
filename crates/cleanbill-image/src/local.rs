//! The images of this host, whoever keeps them.

use std::sync::Arc;

use cleanbill_core::{DiffId, Digest, ImageReference};

use crate::containerd::Containerd;
use crate::docker::{AccessPreference, Engine, ImageSummary};
use crate::oci::Platform;
use crate::podman::PodmanStorage;
use crate::{Capabilities, Image, ImageError, ReadContext};

/// Opens the images of one place.
#[derive(Clone, Debug)]
pub enum LocalImages {
    /// An engine that answers requests.
    Engine(Box<Engine>),
    /// What containerd keeps.
    Containerd(Containerd),
    /// What Podman and CRI-O keep.
    Podman(PodmanStorage),
}

/// Settles how what others keep is read without asking them.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// The platform to take of an image for several; the host's by default.
    pub platform: Option<Platform>,
    /// How layers may be reached. A store is always read in place.
    pub access: AccessPreference,
    /// What this process may read.
    pub capabilities: Capabilities,
    /// Bounds and counters.
    pub context: ReadContext,
}

impl LocalImages {
    /// Opens an image by tag, digest, or id (whole or its beginning).
    ///
    /// # Errors
    ///
    /// There is no such image, or its layers cannot be reached.
    pub fn open(&self, name: &str) -> Result<Image, ImageError> {
        match self {
            LocalImages::Engine(engine) => engine.open(name),
            LocalImages::Containerd(containerd) => containerd.open(name),
            LocalImages::Podman(storage) => storage.open(name),
        }
    }

    /// Opens the image that a container was made from, by the container's name or id.
    ///
    /// # Errors
    ///
    /// As [`Self::open`]; there is no such container.
    pub fn open_container(&self, container: &str) -> Result<Image, ImageError> {
        match self {
            LocalImages::Engine(engine) => engine.open_container(container),
            LocalImages::Containerd(containerd) => containerd.open_container(container),
            LocalImages::Podman(storage) => storage.open_container(container),
        }
    }

    /// Lists the images, each id once, sorted.
    ///
    /// # Errors
    ///
    /// The list cannot be had.
    pub fn list_images(&self, include_dangling: bool) -> Result<Vec<ImageSummary>, ImageError> {
        match self {
            LocalImages::Engine(engine) => engine.list_images(include_dangling),
            LocalImages::Containerd(containerd) => containerd.list_images(),
            LocalImages::Podman(storage) => storage.list_images(include_dangling),
        }
    }

    /// Returns the layers of an image by its id, base first; `None` where they cannot be had without
    /// opening the image.
    ///
    /// # Errors
    ///
    /// The engine has no such image any more, or does not answer.
    pub fn diff_ids(&self, id: &Digest) -> Result<Option<Vec<DiffId>>, ImageError> {
        match self {
            LocalImages::Engine(engine) => engine.diff_ids(id).map(Some),
            LocalImages::Containerd(_) | LocalImages::Podman(_) => Ok(None),
        }
    }

    /// Says in a few words which place it is.
    pub fn place(&self) -> String {
        match self {
            LocalImages::Engine(engine) => engine.client().endpoint().to_string(),
            LocalImages::Containerd(containerd) => containerd.place(),
            LocalImages::Podman(storage) => storage.place(),
        }
    }
}

/// Finds things by a name as a person writes it.
pub(crate) struct Wanted {
    /// The full name, with the tag `latest` if none is written.
    reference: Option<ImageReference>,
    /// The name as written, with a tag.
    ending: Option<String>,
    /// The beginning of an id, in hex digits.
    id: Option<String>,
}

/// Hex digits that an id must have at least, to be told from a word.
const ID_DIGITS_MIN: usize = 4;

impl Wanted {
    pub(crate) fn new(name: &str) -> Self {
        let digits = name.strip_prefix("sha256:").unwrap_or(name);
        let is_id = (ID_DIGITS_MIN..=64).contains(&digits.len())
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let reference: Option<ImageReference> = name.parse().ok();
        let ending = reference.as_ref().map(|reference| {
            let has_tag = reference.tag.is_some() || reference.digest.is_some();
            if has_tag {
                format!("/{name}")
            } else {
                format!("/{name}:latest")
            }
        });
        Self {
            reference,
            ending,
            id: is_id.then(|| digits.to_owned()),
        }
    }

    /// Says whether a stored name is the full form of what is wanted.
    pub(crate) fn is_name(&self, stored: &str) -> bool {
        let stored = stored.parse::<ImageReference>().ok();
        match (&self.reference, stored) {
            (Some(wanted), Some(stored)) => wanted.to_string() == stored.to_string(),
            _ => false,
        }
    }

    /// Says whether a stored name ends in what is wanted, in whichever registry.
    pub(crate) fn is_ending(&self, stored: &str) -> bool {
        self.ending
            .as_ref()
            .is_some_and(|ending| stored.ends_with(ending.as_str()))
    }

    /// Says whether an id begins with what is wanted.
    pub(crate) fn is_id(&self, id: &Digest) -> bool {
        self.id
            .as_ref()
            .is_some_and(|digits| id.to_hex().starts_with(digits.as_str()))
    }
}

/// Chooses the one of a list that is wanted: the first by its full name, else the only one of the
/// others that fit.
///
/// # Errors
///
/// None fits, or several do.
pub(crate) fn choose<'a, T>(
    items: &'a [T],
    name: &str,
    place: &str,
    names: impl Fn(&T) -> &[String],
    ids: impl Fn(&T) -> Vec<Digest>,
) -> Result<&'a T, ImageError> {
    let wanted = Wanted::new(name);
    let has = |item: &&T, fits: &dyn Fn(&str) -> bool| names(item).iter().any(|name| fits(name));
    if let Some(item) = items
        .iter()
        .find(|item| has(item, &|stored| wanted.is_name(stored)))
    {
        return Ok(item);
    }
    let is_local = |stored: &str| stored.starts_with("localhost/") && wanted.is_ending(stored);
    if let Some(item) = items.iter().find(|item| has(item, &is_local)) {
        return Ok(item);
    }
    let fitting: Vec<&T> = items
        .iter()
        .filter(|item| {
            has(item, &|stored| wanted.is_ending(stored))
                || ids(item).iter().any(|id| wanted.is_id(id))
        })
        .collect();
    match fitting[..] {
        [item] => Ok(item),
        [] => Err(ImageError::NotFound {
            what: format!("image {name}"),
            place: place.to_owned(),
        }),
        _ => {
            let named = fitting.iter().map(|item| match names(item).first() {
                Some(name) => name.clone(),
                None => ids(item)
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            });
            Err(ambiguous("image", name, named.collect(), place))
        }
    }
}

/// Candidates that an error names.
const CANDIDATES_NAMED_MAX: usize = 5;

/// Chooses the container of a list that is wanted: the first by its name or whole id, else the only
/// one whose id begins so.
///
/// # Errors
///
/// None fits, or the beginning is that of several ids.
pub(crate) fn choose_container<'a, T>(
    items: &'a [T],
    container: &str,
    place: &str,
    names: impl Fn(&T) -> &[String],
    id: impl Fn(&T) -> &str,
) -> Result<&'a T, ImageError> {
    let is_exact =
        |item: &&T| id(item) == container || names(item).iter().any(|name| name == container);
    if let Some(item) = items.iter().find(is_exact) {
        return Ok(item);
    }
    let fits = |item: &&T| !container.is_empty() && id(item).starts_with(container);
    let fitting: Vec<&T> = items.iter().filter(fits).collect();
    match fitting[..] {
        [item] => Ok(item),
        [] => Err(ImageError::NotFound {
            what: format!("container {container}"),
            place: place.to_owned(),
        }),
        _ => {
            let named = fitting.iter().map(|item| match names(item).first() {
                Some(name) => format!("{name} ({})", id(item)),
                None => id(item).to_owned(),
            });
            Err(ambiguous("container", container, named.collect(), place))
        }
    }
}

/// Says that a name may mean several things, and which.
fn ambiguous(kind: &str, name: &str, mut candidates: Vec<String>, place: &str) -> ImageError {
    candidates.sort();
    let others = candidates.len().saturating_sub(CANDIDATES_NAMED_MAX);
    candidates.truncate(CANDIDATES_NAMED_MAX);
    let mut list = candidates.join(", ");
    if others > 0 {
        list.push_str(&format!(" and {others} more"));
    }
    ImageError::NotFound {
        what: format!("one {kind} {name} (it may be {list})"),
        place: place.to_owned(),
    }
}

/// Reads the text that a key has in a TOML file: of the top level, or of one table. Only plain
/// lines `key = "text"` count, which is what these files have.
pub(crate) fn setting(text: &str, table: &str, key: &str) -> Option<String> {
    let mut current = "";
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            current = name.split(']').next().unwrap_or_default();
        } else if current == table
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
        {
            let value = value.trim();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            return value.get(1..)?.split(quote).next().map(str::to_owned);
        }
    }
    None
}

impl From<Engine> for LocalImages {
    fn from(engine: Engine) -> Self {
        Self::Engine(Box::new(engine))
    }
}

/// Shares what layers are read with.
pub(crate) type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

#[cfg(test)]
mod tests;
