//! Files that are replaced at once or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Marks a file that is being written. One that stays was left by a process that was killed.
pub(crate) const PART: &str = ".part-";

/// Writes a file beside its place, and moves it there when it is on the disk. A file that was there
/// keeps its permissions.
///
/// # Errors
///
/// The directory cannot be written, or the disk is full; what was there stays.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(format!("{PART}{}", std::process::id()));
    let part = directory.join(part);
    let write = || {
        let mut file = File::create(&part)?;
        if let Ok(old) = fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    if let Err(error) = write() {
        // What is left of it takes space that may be short; the error that counts is the first.
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    // The rename itself must survive that the machine loses power.
    File::open(directory)?.sync_all()
}
