//! A clock that jumps, for one program only: libfaketime between it and the C library. The program
//! is the one that is built anyway; nothing in it knows of this. Time that passes (the monotonic
//! clock) and times of files stay what they are, as they do when somebody sets the clock.

use std::path::PathBuf;

use crate::place::Place;

pub(crate) struct Clock {
    library: Option<PathBuf>,
    file: PathBuf,
    /// How far it is ahead, in seconds.
    pub(crate) offset_s: i64,
    pub(crate) jumps: u64,
}

impl Clock {
    pub(crate) fn new(place: &Place) -> Self {
        let clock = Self {
            library: library(),
            file: place.path("clock"),
            offset_s: 0,
            jumps: 0,
        };
        match clock.library {
            Some(_) => clock.write(place),
            None => crate::skip("the clock does not jump: libfaketime is not installed"),
        }
        clock
    }

    pub(crate) fn jump_to(&mut self, place: &Place, offset_s: i64) {
        if self.library.is_some() {
            self.offset_s = offset_s;
            self.jumps += 1;
            self.write(place);
        }
    }

    fn write(&self, place: &Place) {
        place.replace("clock", format!("{:+}\n", self.offset_s));
    }

    /// Returns what the program needs in its environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let Some(library) = &self.library else {
            return Vec::new();
        };
        vec![
            ("LD_PRELOAD", library.clone()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone()),
            ("FAKETIME_CACHE_DURATION", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}

fn library() -> Option<PathBuf> {
    let directories = std::fs::read_dir("/usr/lib").ok()?;
    directories
        .flatten()
        .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.is_file())
}

/// Removes what libfaketime leaves behind of a process that was killed; a later process of the same
/// number would stumble over it.
pub(crate) fn forget(pid: u32) {
    for name in [
        format!("/dev/shm/faketime_shm_{pid}"),
        format!("/dev/shm/sem.faketime_sem_{pid}"),
    ] {
        // It was never there if the clock does not jump.
        let _ = std::fs::remove_file(name);
    }
}
