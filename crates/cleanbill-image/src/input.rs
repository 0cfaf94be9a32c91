//! Files and directories that the user names: `--input FILE[:TAG|@DIGEST]`.

use std::fmt;
use std::path::Path;

use cleanbill_core::Digest;

use crate::oci::Platform;
use crate::{Image, ImageError, LayerSink, ReadContext, archive, oci_layout};

/// Says how an input is to be opened.
#[derive(Clone, Debug, Default)]
pub struct InputOptions {
    /// Bounds and counters.
    pub context: ReadContext,
    /// The platform to choose in a layout. Without one the first image of a name is taken, whatever
    /// it is for, as Trivy does.
    pub platform: Option<Platform>,
}

/// Opens a Docker archive (plain, gzip or zstd) or an OCI layout (a directory or such an archive).
/// `argument` is a path, which may be followed by `:TAG` or `@DIGEST` to choose among several
/// images. An archive of several images gives all of them, and so does a layout of several names, with
/// path and tag as names.
///
/// A compressed archive is one stream, of which the list of images may come last: its layers are
/// handed to `sink` as they come by, before any image is known.
///
/// # Errors
///
/// There is no such file, it holds no such image, or it is malformed.
pub fn open_input(
    argument: &str,
    options: &InputOptions,
    sink: &mut dyn LayerSink,
) -> Result<Vec<Image>, ImageError> {
    let (path, selection) = split(argument, |path| Path::new(path).symlink_metadata().is_ok())?;
    let selection = selection.as_ref();
    if !Path::new(path).is_dir() {
        return archive::open(argument, path, selection, options, sink);
    }
    if !oci_layout::is_layout(Path::new(path)) {
        return Err(ImageError::NotFound {
            what: format!("{} of an OCI layout", oci_layout::INDEX_FILE),
            place: format!("directory {path} (a root file system is scanned with --rootfs)"),
        });
    }
    let platform = options.platform.as_ref();
    oci_layout::open_directory(
        argument,
        Path::new(path),
        selection,
        platform,
        &options.context,
    )
}

/// Chooses among the images of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// By tag, in full or not.
    Tag(String),
    /// By the digest of the manifest, or of the configuration.
    Digest(Digest),
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// Splits an argument at the `:` or `@` that follows the longest path there is. A file whose name
/// contains a colon is so found before a tag is.
fn split(
    argument: &str,
    exists: impl Fn(&str) -> bool,
) -> Result<(&str, Option<Selection>), ImageError> {
    if exists(argument) {
        return Ok((argument, None));
    }
    for (position, separator) in argument.rmatch_indices([':', '@']) {
        let (path, rest) = argument.split_at(position);
        let Some(name) = rest.strip_prefix(separator).filter(|name| !name.is_empty()) else {
            continue;
        };
        if path.is_empty() || !exists(path) {
            continue;
        }
        if separator == ":" {
            return Ok((path, Some(Selection::Tag(name.to_owned()))));
        }
        let digest = name
            .parse()
            .map_err(
                |error: cleanbill_core::digest::DigestError| ImageError::Malformed {
                    what: format!("the end of '{argument}'"),
                    reason: error.to_string(),
                },
            )?;
        return Ok((path, Some(Selection::Digest(digest))));
    }
    let source = rustix::io::Errno::NOENT.into();
    Err(ImageError::Read {
        what: argument.to_owned(),
        source,
    })
}

#[cfg(test)]
mod oracle;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(argument: &str, files: &[&str], path: &str, selection: Option<&str>) {
        let (found, selected) = split(argument, |path| files.contains(&path)).unwrap();
        assert_eq!(
            (found, selected.map(|one| one.to_string()).as_deref()),
            (path, selection)
        );
    }

    #[test]
    fn arguments_are_split_behind_the_longest_path() {
        check("a.tar", &["a.tar"], "a.tar", None);
        check("a.tar:1", &["a.tar"], "a.tar", Some("1"));
        check("a.tar:1", &["a.tar", "a.tar:1"], "a.tar:1", None);
        check("a.tar:org/b:1", &["a.tar"], "a.tar", Some("org/b:1"));
        check("a:b:1", &["a", "a:b"], "a:b", Some("1"));
        let digest = Digest::of(b"");
        check(
            &format!("d@{digest}"),
            &["d"],
            "d",
            Some(&digest.to_string()),
        );
        check(
            &format!("d:{digest}"),
            &["d"],
            "d",
            Some(&digest.to_string()),
        );
        check("u@h.tar", &["u@h.tar", "u"], "u@h.tar", None);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let error = split("a.tar:1", |_| false).unwrap_err();
        assert_eq!(error.to_string(), "cannot read a.tar:1");
        let error = split("a.tar@sha256:1", |path| path == "a.tar").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the end of 'a.tar@sha256:1' is malformed: 'sha256:1' is not a digest: expected \
             sha256:<64 hex digits>"
        );
        assert!(split("a.tar:", |path| path == "a.tar").is_err());
    }
}
