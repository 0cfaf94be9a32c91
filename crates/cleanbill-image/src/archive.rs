//! Archives in files: Docker archives, and OCI layouts in a tar.
//!
//! An archive that is not compressed is read by position: its table of contents by skipping from
//! header to header, then each layer where it lies, several at once. A compressed one is a stream:
//! its layers are walked as they come by, because what they are for may be said at its end.
//!
//! Source: Docker image-spec 1.3 ("Combined Image JSON + Filesystem Changeset Format"), moby
//! `image/tarexport`, go-containerregistry `pkg/v1/tarball`, spec 03 section 1.2.

mod docker;
mod index;
mod links;
mod stream;

use std::path::Path;
use std::sync::Arc;

use crate::blob::Compression;
use crate::file::open_regular;
use crate::input::{InputOptions, Selection};
use crate::members::ArchiveStore;
use crate::oci_layout;
use crate::tar::SectionSource;
use crate::{Image, ImageError, LayerSink};

use index::IndexedArchive;
use stream::StreamedArchive;

/// Opens an archive. `name` is what reports call it.
///
/// # Errors
///
/// It cannot be read, is neither kind of archive, holds no such image, or is malformed.
pub(crate) fn open(
    name: &str,
    path: &str,
    selection: Option<&Selection>,
    options: &InputOptions,
    sink: &mut dyn LayerSink,
) -> Result<Vec<Image>, ImageError> {
    let (file, size_bytes) = open_regular(Path::new(path))?;
    let file = Arc::new(file);
    let start = SectionSource::new(file.clone(), 0, size_bytes);
    match Compression::of_start(start, path)? {
        Compression::None => {
            let archive = IndexedArchive::open(path, file, size_bytes, &options.context)?;
            open_images(&archive, name, path, selection, options)
        }
        Compression::Gzip | Compression::Zstd => {
            let archive = StreamedArchive::open(path, &options.context, sink)?;
            open_images(&archive, name, path, selection, options)
        }
    }
}

/// A list of Docker's counts before one of OCI: archives that have both say the same in either,
/// and Docker's has the tags.
fn open_images(
    archive: &dyn ArchiveStore,
    name: &str,
    path: &str,
    selection: Option<&Selection>,
    options: &InputOptions,
) -> Result<Vec<Image>, ImageError> {
    if let Some(manifest) = archive.find_document(docker::MANIFEST_FILE)? {
        return docker::open(archive, &manifest, name, path, selection, &options.context);
    }
    if archive.find_document(oci_layout::INDEX_FILE)?.is_some() {
        let platform = options.platform.as_ref();
        return oci_layout::open(archive, name, selection, platform, &options.context);
    }
    Err(ImageError::NotFound {
        what: format!("{} or {}", docker::MANIFEST_FILE, oci_layout::INDEX_FILE),
        place: path.to_owned(),
    })
}

#[cfg(test)]
mod tests;
