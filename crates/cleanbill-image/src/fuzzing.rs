//! Entry points for fuzz targets and their replay: arbitrary bytes in, broken promises out as a
//! panic. Not part of the crate's interface.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::AsRawFd;
use std::sync::Arc;

use cleanbill_core::layer::{EntryBody, EntryHeader, EntryVisitor, LayerError, LayerReader};
use cleanbill_core::{Limits, path};

use crate::blob::BlobSpec;
use crate::config::{LayerFacts, ParsedConfig};
use crate::layer::TarLayer;
use crate::oci::{Document, Platform, select_manifest};
use crate::{Image, InputOptions, LayerSink, ReadContext, open_input};

/// An entry point with the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point of the crate, by the name of its folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("image_archive", archive),
    ("image_containerd", containerd),
    ("image_documents", documents),
    ("image_layer", layer),
    ("image_podman", podman),
    ("image_tar", tar),
];

/// Bytes that are read of one file: a header may promise any number of them.
const BODY_SIZE_MAX: u64 = 1 << 20;

/// Walks a tar whose header blocks are given the right checksum first, as no mutation would hit
/// it. Whether files are read or skipped must not change what is seen.
pub fn tar(data: &[u8]) {
    let archive = with_checksums(data);
    let (read, read_entries) = walk(&archive, true);
    let (skipped, skipped_entries) = walk(&archive, false);
    if read.is_ok() && skipped.is_ok() {
        assert_eq!(read_entries, skipped_entries, "reading changes nothing");
    }
    assert!(
        skipped_entries.starts_with(&read_entries),
        "skipping shows as much"
    );
}

/// Walks a layer as it is stored: plain, gzip or zstd.
pub fn layer(data: &[u8]) {
    let (first, entries) = walk(data, true);
    let (second, again) = walk(data, true);
    assert_eq!(
        first.is_ok(),
        second.is_ok(),
        "the same bytes have the same outcome"
    );
    assert_eq!(entries, again, "the same bytes have the same entries");
}

/// Opens a file as an image, under the right checksums, and reads all of its layers. An archive
/// that is read by position and the same one as a stream must not hold different images.
pub fn archive(data: &[u8]) {
    let archive = with_checksums(data);
    let by_position = open(&archive);
    let as_stream = gzip(&archive).and_then(|archive| open(&archive));
    if let (Some(by_position), Some(as_stream)) = (by_position, as_stream) {
        assert_eq!(by_position, as_stream, "one archive holds the same images");
    }
}

/// Says what the images of a file are, once all of their layers have been read.
fn open(content: &[u8]) -> Option<Vec<String>> {
    let file = memory_file(content).ok()?;
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    let options = InputOptions {
        context: context(),
        platform: None,
    };
    let images = open_input(&name, &options, &mut Entries::new(true)).ok()?;
    let describe = |image: Image| {
        let layers_read = image.layers.read_all(&mut Entries::new(true)).is_ok();
        for index in 0..image.metadata.layers.len() {
            if let Ok(mut layer) = image.layers.open_layer(index) {
                let _ = layer.walk(&mut Entries::new(false));
            }
        }
        let metadata = image.metadata;
        let layers = metadata.layers.iter().map(|layer| layer.id.diff_id);
        let diff_ids: Vec<_> = layers.collect();
        let tags = metadata.repo_tags;
        format!(
            "{:?} {tags:?} {diff_ids:?} {layers_read}",
            metadata.image_id
        )
    };
    Some(images.into_iter().map(describe).collect())
}

/// Reads a metadata file of containerd's.
pub fn containerd(data: &[u8]) {
    if let Ok(file) = memory_file(data) {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        crate::containerd::try_metadata(path.as_ref(), &context());
    }
}

/// Reads a list of a store of Podman's: of images, of layers or of containers.
pub fn podman(data: &[u8]) {
    crate::podman::try_lists(data);
}

/// Stores bytes as gzip, as quickly as can be.
fn gzip(content: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(content).ok()?;
    encoder.finish().ok()
}

/// Reads a manifest, an index or a configuration, and chooses among platforms.
pub fn documents(data: &[u8]) {
    let limits = limits();
    for media_type in [None, Some("application/vnd.oci.image.index.v1+json")] {
        if let Ok(Document::Index(index)) = Document::parse(data, media_type, "it", &limits) {
            for platform in [None, Some(Platform::host())] {
                let _ = select_manifest(&index, platform.as_ref(), "it");
            }
        }
    }
    for layer_count in 0..4 {
        if let Ok(config) = ParsedConfig::parse(data, "it", layer_count, &limits) {
            assert_eq!(config.diff_ids().len(), layer_count);
            let facts = vec![LayerFacts::default(); layer_count];
            let metadata = config.into_metadata(Vec::new(), facts);
            assert_eq!(metadata.layers.len(), layer_count);
        }
    }
}

fn walk(data: &[u8], reads: bool) -> (Result<(), LayerError>, Vec<String>) {
    let spec = BlobSpec {
        what: "the layer".to_owned(),
        size_bytes: Some(data.len() as u64),
        ..BlobSpec::default()
    };
    let mut entries = Entries::new(reads);
    let walked = TarLayer::new(data, spec, context()).walk(&mut entries);
    (walked.map(|_| ()), entries.seen)
}

/// Writes down what it is shown.
struct Entries {
    reads: bool,
    seen: Vec<String>,
}

impl Entries {
    fn new(reads: bool) -> Self {
        Self {
            reads,
            seen: Vec::new(),
        }
    }
}

impl EntryVisitor for Entries {
    fn visit(&mut self, entry: &EntryHeader<'_>, body: &mut dyn EntryBody) -> io::Result<()> {
        let path = entry.path;
        // Only what would leave the root keeps `..`, in front.
        let inside = path.trim_start_matches("../");
        assert!(
            inside == ".." || inside == path::clean(inside),
            "the path '{path}' is clean"
        );
        if self.reads {
            let count = io::copy(&mut body.take(BODY_SIZE_MAX), &mut io::sink())?;
            assert!(count <= entry.size_bytes, "'{path}' has {count} bytes");
        }
        self.seen.push(format!("{entry:?}"));
        Ok(())
    }
}

impl LayerSink for Entries {
    fn layer(&mut self, reader: &mut dyn LayerReader) -> Result<(), LayerError> {
        reader.walk(self).map(|_| ())
    }
}

/// Bounds that small inputs can reach.
fn limits() -> Limits {
    Limits {
        entries_per_layer_max: 10_000,
        layer_size_bytes_max: 64 << 20,
        zstd_window_log_max: 23,
        layers_per_image_max: 100,
        ..Limits::default()
    }
}

fn context() -> ReadContext {
    ReadContext {
        limits: Arc::new(limits()),
        ..ReadContext::default()
    }
}

fn memory_file(content: &[u8]) -> io::Result<File> {
    let descriptor = rustix::fs::memfd_create("image", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(descriptor);
    file.write_all(content)?;
    Ok(file)
}

/// Sets the checksum of every block that says it is a header.
fn with_checksums(data: &[u8]) -> Vec<u8> {
    let mut archive = data.to_vec();
    for block in archive.as_chunks_mut::<512>().0 {
        let (before, rest) = block.split_at_mut(148);
        let (checksum, after) = rest.split_at_mut(8);
        if after.get(101..106) != Some(b"ustar".as_slice()) {
            continue;
        }
        let sum: u32 = before
            .iter()
            .chain(&*after)
            .map(|byte| u32::from(*byte))
            .sum();
        checksum.copy_from_slice(format!("{:06o}\0 ", sum + 8 * 32).as_bytes());
    }
    archive
}
