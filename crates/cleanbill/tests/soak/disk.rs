//! A small file system for the state, which can be full.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use crate::place::{Place, run};

pub(crate) struct SmallDisk {
    path: PathBuf,
    is_mounted: bool,
    pub(crate) is_full: bool,
    pub(crate) fills: u64,
}

impl SmallDisk {
    pub(crate) fn mount(place: &Place) -> Self {
        let path = place.path("disk");
        let target = path.display().to_string();
        let call = ["-t", "tmpfs", "-o", "size=64m", "tmpfs", &target];
        let is_mounted = run("mount", call);
        if !is_mounted {
            crate::skip("the disk is never full: nothing can be mounted here");
        }
        Self {
            path,
            is_mounted,
            is_full: false,
            fills: 0,
        }
    }

    /// Takes all the room there is.
    pub(crate) fn fill(&mut self) {
        if !self.is_mounted {
            return;
        }
        self.is_full = true;
        self.fills += 1;
        let mut ballast = File::create(self.path.join("ballast")).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while ballast.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub(crate) fn free(&mut self) {
        if self.is_full {
            fs::remove_file(self.path.join("ballast")).unwrap();
            self.is_full = false;
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.is_mounted {
            let target = self.path.display().to_string();
            run("umount", ["-l", &target]);
        }
    }
}
