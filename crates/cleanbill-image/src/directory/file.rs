//! A file that is opened when it is read.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;

use cleanbill_core::layer::EntryBody;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{OverlayAttributes, attribute};
use crate::ReadContext;

/// Reads a file of a directory, which is opened at the first read.
pub(super) struct LazyFile<'a> {
    directory: BorrowedFd<'a>,
    name: &'a CStr,
    overlay: Option<OverlayAttributes>,
    context: &'a ReadContext,
    file: Option<File>,
}

impl<'a> LazyFile<'a> {
    pub(super) fn new(
        directory: BorrowedFd<'a>,
        name: &'a CStr,
        overlay: Option<OverlayAttributes>,
        context: &'a ReadContext,
    ) -> Self {
        Self {
            directory,
            name,
            overlay,
            context,
            file: None,
        }
    }

    fn opened(&mut self) -> io::Result<&mut File> {
        match &mut self.file {
            Some(file) => Ok(file),
            empty => {
                let file = open(self.directory, self.name)?;
                if let Some(attributes) = self.overlay
                    && attribute(&file, attributes.metacopy())?.is_some()
                {
                    return Err(io::Error::other(
                        "the content lies in another layer (overlay metacopy)",
                    ));
                }
                Ok(empty.insert(file))
            }
        }
    }
}

impl Read for LazyFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.context.check()?;
        let count = self.opened()?.read(buffer)?;
        self.context.count(count as u64);
        Ok(count)
    }
}

impl EntryBody for LazyFile<'_> {
    fn file(&mut self) -> io::Result<Option<&File>> {
        self.context.check()?;
        Ok(Some(self.opened()?))
    }
}

/// Opens a regular file and nothing else: no link is followed, and what has been put in its place
/// meanwhile (a FIFO, a device) neither makes us wait nor is read.
pub(super) fn open(directory: BorrowedFd<'_>, name: &CStr) -> Result<File, Errno> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Errno::INVAL);
    }
    Ok(File::from(file))
}
