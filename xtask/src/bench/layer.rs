//! Writes the layers of the benchmark's image, entry by entry.

use std::io::{self, Write};

use cleanbill_testkit::tar::RawHeader;

use super::content::{ContentWriter, Texture};
use super::{debian, java};

const BLOCK_SIZE: usize = 512;

/// Files of a directory, on average.
const FILES_PER_DIRECTORY: usize = 16;

/// Says what a layer holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LayerKind {
    /// Debian packages with their database: as many as the list begins with.
    Debian { package_count: usize },
    /// Python distributions.
    Python { distribution_count: usize },
    /// An npm tree.
    Node { module_count: usize },
    /// Jars.
    Java,
    /// Anything else.
    Plain,
    /// Anything else, and what is left of `rm -rf /var/lib/apt/lists`.
    CleanUp,
}

/// Describes a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerPlan {
    /// The history line.
    pub(crate) created_by: &'static str,
    /// The directory that most files are in.
    pub(crate) directory: &'static str,
    /// Bytes of all files, roughly.
    pub(crate) size_bytes: usize,
    /// Entries.
    pub(crate) entry_count: usize,
    /// What it holds.
    pub(crate) kind: LayerKind,
}

/// Writes the tar of a layer.
pub(crate) fn write_layer(plan: &LayerPlan, seed: u64, out: impl Write) -> io::Result<()> {
    let mut layer = LayerWriter::new(out, seed);
    layer.directory(plan.directory)?;
    match plan.kind {
        LayerKind::Debian { package_count } => debian::write(&mut layer, plan, package_count)?,
        LayerKind::Python { distribution_count } => {
            for number in 0..distribution_count {
                let directory =
                    format!("{}/dist_{number:04}-1.{number}.0.dist-info", plan.directory);
                layer.directory(&directory)?;
                let metadata = format!(
                    "Metadata-Version: 2.1\nName: dist-{number:04}\nVersion: 1.{number}.0\n\
                     License: MIT\n\nA made-up distribution.\n"
                );
                layer.file(&format!("{directory}/METADATA"), metadata.as_bytes())?;
            }
        }
        LayerKind::Node { module_count } => {
            for number in 0..module_count {
                let directory = format!("{}/module-{number:04}", plan.directory);
                layer.directory(&directory)?;
                let manifest = format!(
                    "{{\"name\":\"module-{number:04}\",\"version\":\"2.{number}.1\",\"license\":\"MIT\"}}\n"
                );
                layer.file(&format!("{directory}/package.json"), manifest.as_bytes())?;
            }
        }
        LayerKind::Java => java::write(&mut layer, plan)?,
        LayerKind::Plain => {}
        LayerKind::CleanUp => {
            for number in 0..8 {
                layer.file(&format!("var/lib/apt/lists/.wh.list-{number}"), b"")?;
            }
        }
    }
    fill(&mut layer, plan)?;
    layer.finish()
}

/// Adds files until the layer has the entries and bytes that the plan says.
fn fill<W: Write>(layer: &mut LayerWriter<W>, plan: &LayerPlan) -> io::Result<()> {
    let mut content = Vec::new();
    let mut directory = plan.directory.to_owned();
    for number in 0.. {
        let left = plan.entry_count.saturating_sub(layer.entry_count);
        if left == 0 {
            return Ok(());
        }
        if number % (FILES_PER_DIRECTORY + 1) == 0 && left > 1 {
            directory = format!("{}/part-{number:06}", plan.directory);
            layer.directory(&directory)?;
            continue;
        }
        let average = plan.size_bytes.saturating_sub(layer.size_bytes) / left;
        let size = if left == 1 {
            average
        } else {
            spread(average, layer.content.below(100))
        };
        let texture = layer.content.texture();
        layer.content.write(texture, size, &mut content);
        let suffix = match texture {
            Texture::Text => "txt",
            Texture::Program => "bin",
            Texture::Compressed => "png",
        };
        layer.file(&format!("{directory}/file-{number:06}.{suffix}"), &content)?;
    }
    Ok(())
}

/// Spreads file sizes as in real images: most are small, a few have most of the bytes.
fn spread(average: usize, percentile: usize) -> usize {
    match percentile {
        0..60 => average / 8,
        60..90 => average / 2,
        90..98 => average * 3,
        _ => average * 26,
    }
}

/// Writes entries and counts them.
pub(crate) struct LayerWriter<W> {
    out: W,
    pub(crate) entry_count: usize,
    pub(crate) size_bytes: usize,
    pub(crate) content: ContentWriter,
}

impl<W: Write> LayerWriter<W> {
    /// Begins a layer whose contents follow from `seed`.
    pub(crate) fn new(out: W, seed: u64) -> Self {
        Self {
            out,
            entry_count: 0,
            size_bytes: 0,
            content: ContentWriter::new(seed),
        }
    }

    pub(crate) fn directory(&mut self, path: &str) -> io::Result<()> {
        let name = format!("{path}/");
        self.header(
            &RawHeader::file(&name, 0)
                .typeflag(b'5')
                .patch(100, b"0000755"),
        )
    }

    pub(crate) fn file(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        self.header(&RawHeader::file(path, content.len() as u64))?;
        write_padded(&mut self.out, content)?;
        self.size_bytes += content.len();
        Ok(())
    }

    fn header(&mut self, header: &RawHeader) -> io::Result<()> {
        self.entry_count += 1;
        self.out.write_all(&header.to_block())
    }

    /// Ends the layer.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.write_all(&[0; 2 * BLOCK_SIZE])?;
        self.out.flush()
    }
}

/// Writes a content and fills up its last block.
pub(crate) fn write_padded(out: &mut impl Write, content: &[u8]) -> io::Result<()> {
    out.write_all(content)?;
    let padding = content.len().next_multiple_of(BLOCK_SIZE) - content.len();
    out.write_all([0; BLOCK_SIZE].get(..padding).unwrap_or_default())
}
