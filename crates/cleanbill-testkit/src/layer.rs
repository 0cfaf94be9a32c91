//! Builds layers.

use crate::tar::{RawHeader, RawTar};

/// Builds the tar of a layer entry by entry. The same calls give the same bytes.
#[derive(Clone, Debug, Default)]
pub struct LayerBuilder {
    tar: RawTar,
    is_unfinished: bool,
    cut_at: Option<usize>,
}

impl LayerBuilder {
    /// Begins an empty layer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a regular file.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        self.named(path, &RawHeader::file(path, content.len() as u64), content)
    }

    /// Adds a directory.
    #[must_use]
    pub fn directory(self, path: &str) -> Self {
        let name = format!("{}/", path.trim_end_matches('/'));
        self.named(&name, &RawHeader::file(&name, 0).typeflag(b'5'), &[])
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.linked(path, target, b'2')
    }

    /// Adds a hard link to a file of the layer, or of a lower one.
    #[must_use]
    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.linked(path, target, b'1')
    }

    /// Hides a path of lower layers.
    #[must_use]
    pub fn whiteout(self, path: &str) -> Self {
        match path.rsplit_once('/') {
            Some((directory, name)) => self.file(&format!("{directory}/.wh.{name}"), []),
            None => self.file(&format!(".wh.{path}"), []),
        }
    }

    /// Hides what lower layers have in a directory; the empty path is the root.
    #[must_use]
    pub fn opaque(self, directory: &str) -> Self {
        let name = format!("{directory}/.wh..wh..opq");
        self.file(name.trim_start_matches('/'), [])
    }

    /// Adds a character device.
    #[must_use]
    pub fn character_device(self, path: &str, major: u32, minor: u32) -> Self {
        let header = RawHeader::file(path, 0)
            .typeflag(b'3')
            .patch(329, format!("{major:07o}").as_bytes())
            .patch(337, format!("{minor:07o}").as_bytes());
        self.named(path, &header, &[])
    }

    /// Adds a FIFO.
    #[must_use]
    pub fn fifo(self, path: &str) -> Self {
        self.named(path, &RawHeader::file(path, 0).typeflag(b'6'), &[])
    }

    /// Adds a file whose header states another size than its content has.
    #[must_use]
    pub fn lying_file(mut self, path: &str, stated_size: u64, content: impl AsRef<[u8]>) -> Self {
        self.tar = self
            .tar
            .entry(&RawHeader::file(path, stated_size), content.as_ref());
        self
    }

    /// Adds a file of zeros, which compresses a thousandfold.
    #[must_use]
    pub fn bomb(self, path: &str, size_bytes: usize) -> Self {
        self.file(path, vec![0; size_bytes])
    }

    /// Adds links that lead in a circle: `<path>` to `<path>.1` and back.
    #[must_use]
    pub fn link_loop(self, path: &str) -> Self {
        let other = format!("{path}.1");
        self.symlink(path, &format!("/{other}"))
            .symlink(&other, &format!("/{path}"))
    }

    /// Adds anything that an archive can hold.
    #[must_use]
    pub fn raw(mut self, write: impl FnOnce(RawTar) -> RawTar) -> Self {
        self.tar = write(self.tar);
        self
    }

    /// Leaves out the two blocks of zeros at the end.
    #[must_use]
    pub fn without_end(mut self) -> Self {
        self.is_unfinished = true;
        self
    }

    /// Keeps only the first bytes of the archive.
    #[must_use]
    pub fn truncated(mut self, size_bytes: usize) -> Self {
        self.cut_at = Some(size_bytes);
        self
    }

    /// Returns the tar.
    pub fn build(self) -> Vec<u8> {
        let mut bytes = if self.is_unfinished {
            self.tar.unfinished()
        } else {
            self.tar.finish()
        };
        if let Some(size) = self.cut_at {
            bytes.truncate(size);
        }
        bytes
    }

    /// Writes an entry; a name that does not fit the header goes into a PAX header, as most
    /// builders do.
    fn named(mut self, path: &str, header: &RawHeader, content: &[u8]) -> Self {
        if path.len() > 100 {
            self.tar = self.tar.pax(&[("path", path)]);
        }
        self.tar = self.tar.entry(header, content);
        self
    }

    fn linked(mut self, path: &str, target: &str, typeflag: u8) -> Self {
        if target.len() > 100 {
            self.tar = self.tar.gnu_long_link(target);
        }
        self.named(
            path,
            &RawHeader::file(path, 0).typeflag(typeflag).link(target),
            &[],
        )
    }
}
