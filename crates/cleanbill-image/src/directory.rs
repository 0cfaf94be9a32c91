//! Layers that lie unpacked in a directory of the host: of the overlay driver, or a whole root
//! file system.
//!
//! The tree belongs to someone else and may change while it is read. It is walked by descriptors,
//! one component at a time, and no link is followed, so nothing outside is ever reached. A file is
//! opened only when its content is asked for, and without waiting: a FIFO in its place does not
//! stop us.
//!
//! Files of a live system come and go. A layer of the overlay driver never changes, but it can be
//! removed as a whole; what is then missing or cannot be read is an error, for the walk stands for
//! the layer wherever else it occurs.

mod file;
mod names;

use std::borrow::Cow;
use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cleanbill_core::layer::{
    EntryHeader, EntryKind, EntryVisitor, LayerError, LayerReader, LayerSummary,
};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::ReadContext;
use file::LazyFile;
use names::Names;

/// Tells how the overlay driver marks what it hides.
///
/// Source: Linux `Documentation/filesystems/overlayfs.rst`, "whiteouts and opaque directories".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OverlayAttributes {
    /// By attributes `trusted.overlay.*`. Without `CAP_SYS_ADMIN` they read as absent, not as
    /// forbidden: check the capability first.
    Trusted,
    /// By attributes `user.overlay.*`, as rootless engines do.
    User,
}

impl OverlayAttributes {
    const fn opaque(self) -> &'static CStr {
        match self {
            Self::Trusted => c"trusted.overlay.opaque",
            Self::User => c"user.overlay.opaque",
        }
    }

    const fn whiteout(self) -> &'static CStr {
        match self {
            Self::Trusted => c"trusted.overlay.whiteout",
            Self::User => c"user.overlay.whiteout",
        }
    }

    const fn redirect(self) -> &'static CStr {
        match self {
            Self::Trusted => c"trusted.overlay.redirect",
            Self::User => c"user.overlay.redirect",
        }
    }

    const fn metacopy(self) -> &'static CStr {
        match self {
            Self::Trusted => c"trusted.overlay.metacopy",
            Self::User => c"user.overlay.metacopy",
        }
    }
}

/// How much memory the names of all directories on the way to an entry may take together. A
/// million honest names have room; what a directory has beyond comes in the order in which the file
/// system has it, some hundred names sorted at a time.
const NAMES_SIZE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Offers a directory as a layer. Entries come sorted by name (see [`NAMES_SIZE_BYTES_MAX`]), a
/// directory before its content. Hard links are regular files here: which name came first is not
/// known.
#[derive(Debug)]
pub(crate) struct DirectoryLayer {
    root: PathBuf,
    overlay: Option<OverlayAttributes>,
    /// Directories of the root that are not entered.
    skipped: &'static [&'static str],
    names_size_bytes_max: usize,
    context: ReadContext,
}

impl DirectoryLayer {
    /// Takes a directory of the overlay driver: character devices 0:0 are whiteouts, attributes
    /// mark opaque directories. Names like `.wh.x` mean nothing there.
    pub(crate) fn overlay(
        root: &Path,
        attributes: OverlayAttributes,
        context: &ReadContext,
    ) -> Self {
        Self {
            root: root.to_owned(),
            overlay: Some(attributes),
            skipped: &[],
            names_size_bytes_max: NAMES_SIZE_BYTES_MAX,
            context: context.clone(),
        }
    }

    /// Takes a root file system. What the kernel makes up in `proc`, `sys` and `dev` is not
    /// entered, as in Trivy.
    pub(crate) fn rootfs(root: &Path, context: &ReadContext) -> Self {
        Self {
            root: root.to_owned(),
            overlay: None,
            skipped: &["dev", "proc", "sys"],
            names_size_bytes_max: NAMES_SIZE_BYTES_MAX,
            context: context.clone(),
        }
    }
}

impl LayerReader for DirectoryLayer {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        let root = fs::File::open(&self.root).map_err(|source| self.root_error(source))?;
        // Kept open, so that no other directory can get its inode number meanwhile.
        let kept = self.overlay.map(|_| root.try_clone()).transpose();
        let kept = kept.map_err(|source| self.root_error(source))?;
        let mut walk = Walk {
            layer: self,
            visitor,
            path: Vec::new(),
            frames: Vec::new(),
            names_size_bytes: 0,
            entry_count: 0,
            name_buffer: Vec::with_capacity(names::BUFFER_SIZE),
        };
        walk.enter(OwnedFd::from(root))?;
        walk.run()?;
        if let Some(root) = kept {
            self.check_in_place(&root)
                .map_err(|source| self.root_error(source))?;
        }
        Ok(LayerSummary::default())
    }
}

impl DirectoryLayer {
    /// Checks that the path still leads to the directory that was walked.
    fn check_in_place(&self, walked: &fs::File) -> io::Result<()> {
        let (walked, present) = (walked.metadata()?, fs::symlink_metadata(&self.root)?);
        if (walked.dev(), walked.ino()) == (present.dev(), present.ino()) {
            return Ok(());
        }
        Err(io::Error::other(
            "the directory was replaced while it was read",
        ))
    }

    fn root_error(&self, source: io::Error) -> LayerError {
        read_error(&self.root.display().to_string(), source)
    }
}

/// A directory that is being walked.
struct Frame {
    directory: OwnedFd,
    names: Names,
    /// Bytes of the path of the directory.
    path_length: usize,
    /// Files may be whiteouts, marked by an attribute.
    has_marked_whiteouts: bool,
}

struct Walk<'a> {
    layer: &'a DirectoryLayer,
    visitor: &'a mut dyn EntryVisitor,
    /// The path of the current entry below the root.
    path: Vec<u8>,
    frames: Vec<Frame>,
    /// What the names in all frames take.
    names_size_bytes: usize,
    entry_count: u64,
    name_buffer: Vec<u8>,
}

/// What an entry is, apart from its name.
struct Found {
    kind: EntryKind,
    size_bytes: u64,
    mode: u32,
    link_target: String,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), LayerError> {
        while let Some(frame) = self.frames.last_mut() {
            let Some((name, file_type)) = frame.names.next() else {
                self.leave_or_read_on()?;
                continue;
            };
            self.path.truncate(frame.path_length);
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name.to_bytes());
            self.count_entry()?;
            self.entry(&name, file_type)?;
        }
        Ok(())
    }

    /// Shows one entry to the visitor and enters it if it is a directory.
    fn entry(&mut self, name: &CStr, file_type: FileType) -> Result<(), LayerError> {
        let found = match self.look(name, file_type) {
            Ok(found) => found,
            Err(error) => return self.missing(error),
        };
        let Some(frame) = self.frames.last() else {
            return Ok(());
        };
        let mut body = LazyFile::new(
            frame.directory.as_fd(),
            name,
            self.layer.overlay,
            &self.layer.context,
        );
        let path = String::from_utf8_lossy(&self.path);
        let header = EntryHeader {
            path: &path,
            path_is_lossy: matches!(path, Cow::Owned(_)),
            kind: found.kind,
            size_bytes: found.size_bytes,
            mode: found.mode,
            link_target: &found.link_target,
        };
        let visited = match found.kind {
            EntryKind::File => self.visitor.visit(&header, &mut body),
            _ => self.visitor.visit(&header, &mut io::empty()),
        };
        visited.map_err(|source| self.error(source))?;
        if found.kind == EntryKind::Directory && !self.is_skipped() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let Some(frame) = self.frames.last() else {
                return Ok(());
            };
            return match rustix::fs::openat(&frame.directory, name, flags, Mode::empty()) {
                Ok(directory) => self.enter(directory),
                Err(error) => self.missing(error),
            };
        }
        Ok(())
    }

    /// Finds out what an entry is.
    fn look(&self, name: &CStr, mut file_type: FileType) -> Result<Found, Errno> {
        let Some(frame) = self.frames.last() else {
            return Err(Errno::NOENT);
        };
        let stat = || rustix::fs::statat(&frame.directory, name, AtFlags::SYMLINK_NOFOLLOW);
        if file_type == FileType::Unknown {
            file_type = FileType::from_raw_mode(stat()?.st_mode);
        }
        let (mut size_bytes, mut mode, mut link_target) = (0, 0, String::new());
        let kind = match file_type {
            FileType::RegularFile => {
                let stat = stat()?;
                size_bytes = u64::try_from(stat.st_size).unwrap_or(0);
                mode = Mode::from_raw_mode(stat.st_mode).bits();
                let may_be_whiteout = frame.has_marked_whiteouts && size_bytes == 0;
                if may_be_whiteout && self.is_marked_whiteout(frame, name)? {
                    EntryKind::Whiteout
                } else {
                    EntryKind::File
                }
            }
            FileType::Directory => EntryKind::Directory,
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(&frame.directory, name, Vec::new())?;
                link_target = target.to_string_lossy().into_owned();
                EntryKind::Symlink
            }
            // Images contain real devices; only 0:0 is a mark.
            FileType::CharacterDevice if self.layer.overlay.is_some() && stat()?.st_rdev == 0 => {
                EntryKind::Whiteout
            }
            _ => EntryKind::Other,
        };
        Ok(Found {
            kind,
            size_bytes,
            mode,
            link_target,
        })
    }

    /// Source: overlayfs.rst, "xwhiteouts": where devices cannot be made, an empty file with an
    /// attribute hides, in directories that announce it.
    fn is_marked_whiteout(&self, frame: &Frame, name: &CStr) -> Result<bool, Errno> {
        let Some(attributes) = self.layer.overlay else {
            return Ok(false);
        };
        let file = file::open(frame.directory.as_fd(), name)?;
        Ok(attribute(&file, attributes.whiteout())?.is_some())
    }

    /// Reads the names in a directory, and what its attributes say about it.
    fn enter(&mut self, directory: OwnedFd) -> Result<(), LayerError> {
        let depth_max = self.layer.context.limits.directory_depth_max;
        if self.frames.len() as u64 >= u64::from(depth_max) {
            return Err(self.limit_exceeded("directory_depth_max", u64::from(depth_max)));
        }
        let mut has_marked_whiteouts = false;
        if let Some(attributes) = self.layer.overlay {
            let opaque = attribute(&directory, attributes.opaque());
            let redirect = attribute(&directory, attributes.redirect());
            let opaque = opaque.map_err(|error| self.error(error.into()))?;
            if redirect
                .map_err(|error| self.error(error.into()))?
                .is_some()
            {
                return Err(LayerError::Malformed {
                    what: self.place(),
                    reason: "the directory is merged under another name (overlay redirect)"
                        .to_owned(),
                });
            }
            has_marked_whiteouts = opaque.as_deref() == Some(b"x");
            if opaque.as_deref() == Some(b"y") {
                self.opaque()?;
            }
        }
        let names = match self.read_names(&directory) {
            Ok(names) => names,
            Err(error) => return self.unreadable(error),
        };
        let path_length = self.path.len();
        self.frames.push(Frame {
            directory,
            names,
            path_length,
            has_marked_whiteouts,
        });
        Ok(())
    }

    /// Reads names while there is room for them.
    fn read_names(&mut self, directory: &OwnedFd) -> io::Result<Names> {
        let room = self
            .layer
            .names_size_bytes_max
            .saturating_sub(self.names_size_bytes);
        let names = Names::read(directory, &mut self.name_buffer, room)?;
        self.names_size_bytes += names.size_bytes();
        Ok(names)
    }

    /// Goes on with the names of the present directory that had no room, or back to the one above.
    fn leave_or_read_on(&mut self) -> Result<(), LayerError> {
        let Some(mut frame) = self.frames.pop() else {
            return Ok(());
        };
        self.names_size_bytes -= frame.names.size_bytes();
        if frame.names.is_complete() {
            return Ok(());
        }
        self.path.truncate(frame.path_length);
        frame.names = Names::default();
        match self.read_names(&frame.directory) {
            Ok(names) => frame.names = names,
            Err(error) => return self.unreadable(error),
        }
        self.frames.push(frame);
        Ok(())
    }

    fn opaque(&mut self) -> Result<(), LayerError> {
        let path = String::from_utf8_lossy(&self.path);
        let header = EntryHeader {
            path: &path,
            path_is_lossy: matches!(path, Cow::Owned(_)),
            kind: EntryKind::OpaqueDirectory,
            size_bytes: 0,
            mode: 0,
            link_target: "",
        };
        let visited = self.visitor.visit(&header, &mut io::empty());
        visited.map_err(|source| self.error(source))
    }

    fn is_skipped(&self) -> bool {
        self.frames.len() == 1
            && self
                .layer
                .skipped
                .iter()
                .any(|name| name.as_bytes() == self.path.as_slice())
    }

    fn count_entry(&mut self) -> Result<(), LayerError> {
        self.layer
            .context
            .check()
            .map_err(|source| self.error(source))?;
        self.entry_count += 1;
        let limits = &self.layer.context.limits;
        if self.entry_count > limits.entries_per_layer_max {
            return Err(self.limit_exceeded("entries_per_layer_max", limits.entries_per_layer_max));
        }
        if self.path.len() as u64 > limits.path_size_bytes_max {
            return Err(self.limit_exceeded("path_size_bytes_max", limits.path_size_bytes_max));
        }
        Ok(())
    }

    /// Judges that an entry cannot be looked at: what has vanished from a live system since its
    /// directory was read is not there.
    fn missing(&mut self, error: Errno) -> Result<(), LayerError> {
        if self.layer.overlay.is_none() && error == Errno::NOENT {
            return Ok(());
        }
        self.unreadable(error.into())
    }

    /// Tells the visitor what cannot be read; it decides whether to go on, except in a layer.
    fn unreadable(&mut self, error: io::Error) -> Result<(), LayerError> {
        if self.layer.overlay.is_some() {
            return Err(self.error(error));
        }
        let path = String::from_utf8_lossy(&self.path);
        self.visitor
            .unreadable(&path, error)
            .map_err(|source| self.error(source))
    }

    fn limit_exceeded(&self, name: &str, value: u64) -> LayerError {
        LayerError::exceeded(self.place(), name, value)
    }

    fn error(&self, source: io::Error) -> LayerError {
        read_error(&self.place(), source)
    }

    fn place(&self) -> String {
        format!(
            "'{}' in {}",
            String::from_utf8_lossy(&self.path),
            self.layer.root.display()
        )
    }
}

fn read_error(what: &str, source: io::Error) -> LayerError {
    LayerError::Read {
        what: what.to_owned(),
        source,
    }
}

/// Reads a short attribute; `None` if it is not set, or the file system has none.
fn attribute(file: impl AsFd, name: &CStr) -> Result<Option<Vec<u8>>, Errno> {
    let mut value = [0; 64];
    match rustix::fs::fgetxattr(file, name, &mut value) {
        Ok(length) => Ok(value.get(..length).map(<[u8]>::to_vec)),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        // Longer than any value that means something: it is set.
        Err(Errno::RANGE) => Ok(Some(Vec::new())),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod removal_tests;
#[cfg(test)]
mod tests;
