//! Builds the benchmark's image, in every form in which it is scanned.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cleanbill_testkit::tar::RawHeader;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::java;
use super::layer::{LayerKind, LayerPlan, write_layer, write_padded};

/// Changes with everything that changes the image.
const RECIPE: u32 = 3;

/// The name under which engines and registries know the image.
pub(crate) const NAME: &str = "cleanbill-bench/image-b:1";

/// Like image B of the design: 1.5 GB, 81,000 entries, 138 packages of the distribution, those of
/// three languages, and one layer that has 40 % of the bytes.
const LAYERS: [LayerPlan; 8] = [
    LayerPlan {
        created_by: "ADD rootfs.tar.xz / # buildkit",
        directory: "usr/lib",
        size_bytes: 120_000_000,
        entry_count: 9_000,
        kind: LayerKind::Debian { package_count: 88 },
    },
    LayerPlan {
        created_by: "RUN apt-get update && apt-get install -y curl git python3",
        directory: "usr/share",
        size_bytes: 180_000_000,
        entry_count: 14_000,
        kind: LayerKind::Debian { package_count: 138 },
    },
    LayerPlan {
        created_by: "RUN pip install -r requirements.txt",
        directory: "usr/local/lib/python3.11/site-packages",
        size_bytes: 200_000_000,
        entry_count: 16_000,
        kind: LayerKind::Python {
            distribution_count: 150,
        },
    },
    LayerPlan {
        created_by: "RUN npm ci",
        directory: "srv/app/node_modules",
        size_bytes: 600_000_000,
        entry_count: 35_000,
        kind: LayerKind::Node {
            module_count: 1_538,
        },
    },
    LayerPlan {
        created_by: "COPY target/lib /srv/lib",
        directory: "srv/lib",
        size_bytes: java::JARS_SIZE_BYTES,
        entry_count: 250,
        kind: LayerKind::Java,
    },
    LayerPlan {
        created_by: "COPY models /srv/models",
        directory: "srv/models",
        size_bytes: 110_000_000,
        entry_count: 250,
        kind: LayerKind::Plain,
    },
    LayerPlan {
        created_by: "COPY . /srv/app",
        directory: "srv/app/src",
        size_bytes: 100_000_000,
        entry_count: 5_500,
        kind: LayerKind::Plain,
    },
    LayerPlan {
        created_by: "RUN rm -rf /var/lib/apt/lists/*",
        directory: "var/cache",
        size_bytes: 50_000_000,
        entry_count: 1_000,
        kind: LayerKind::CleanUp,
    },
];

/// Says which of the images is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Divides sizes and entries.
    pub(crate) scale: usize,
    /// Whether there are packages of languages, not only those of the distribution.
    pub(crate) languages: bool,
}

/// Tells where the image lies, and what the floor program needs to know of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BenchImage {
    pub(crate) gzip_layout: PathBuf,
    pub(crate) zstd_layout: PathBuf,
    pub(crate) archive: PathBuf,
    /// The digest of the configuration.
    pub(crate) id: String,
    /// The layers, base first.
    pub(crate) layers: Vec<BenchLayer>,
}

/// Tells where a layer lies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BenchLayer {
    pub(crate) diff_id: String,
    pub(crate) size_bytes: u64,
    pub(crate) gzip: StoredBlob,
    pub(crate) zstd: StoredBlob,
    /// Where in the archive the tar begins.
    pub(crate) archive_offset: u64,
}

/// A blob of an OCI layout.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredBlob {
    pub(crate) digest: String,
    pub(crate) size_bytes: u64,
}

impl BenchImage {
    /// Returns the image in `directory`, building it if it is not there yet.
    pub(crate) fn obtain(directory: &Path, shape: Shape) -> anyhow::Result<Self> {
        let name = |recipe: u32| {
            let end = if shape.languages { "" } else { "-os" };
            directory.join(format!("image-{recipe}-{}{end}", shape.scale))
        };
        let root = name(RECIPE);
        let facts = root.join("image.json");
        if let Ok(bytes) = fs::read(&facts) {
            return serde_json::from_slice(&bytes).context("image.json is damaged");
        }
        println!("building the image in {} (once)", root.display());
        // What is there is half built, or by an older recipe.
        for recipe in 1..=RECIPE {
            let _ = fs::remove_dir_all(name(recipe));
        }
        let image = build(&root, shape).context("cannot build the image")?;
        fs::write(&facts, serde_json::to_vec_pretty(&image)?)?;
        Ok(image)
    }

    /// Returns the path of a blob of one of the layouts.
    pub(crate) fn blob_path(layout: &Path, digest: &str) -> PathBuf {
        layout
            .join("blobs/sha256")
            .join(digest.trim_start_matches("sha256:"))
    }
}

fn build(root: &Path, shape: Shape) -> anyhow::Result<BenchImage> {
    let layouts = [root.join("gzip"), root.join("zstd")];
    for layout in &layouts {
        fs::create_dir_all(layout.join("blobs/sha256"))?;
    }
    let [gzip_layout, zstd_layout] = &layouts;
    let path = root.join("archive.tar");
    let mut archive = Archive {
        out: BufWriter::new(File::create(&path)?),
        offset: 0,
    };
    let mut layers = Vec::new();
    for (number, plan) in LAYERS.iter().enumerate() {
        let plan = LayerPlan {
            size_bytes: plan.size_bytes / shape.scale,
            entry_count: (plan.entry_count / shape.scale).max(20),
            kind: match plan.kind {
                LayerKind::Python { .. } | LayerKind::Node { .. } | LayerKind::Java
                    if !shape.languages =>
                {
                    LayerKind::Plain
                }
                kind => kind,
            },
            ..*plan
        };
        let tar = root.join("layer.tar");
        let mut hashed = Hashed::new(BufWriter::new(File::create(&tar)?));
        write_layer(&plan, number as u64, &mut hashed)?;
        let plain = hashed.finish()?;
        let (gzip, zstd) = std::thread::scope(|scope| {
            let gzip = scope.spawn(|| store_gzip(&tar, gzip_layout));
            let zstd = store_zstd(&tar, zstd_layout);
            (gzip.join(), zstd)
        });
        let gzip = gzip.map_err(|_| anyhow::anyhow!("the compressing thread panicked"))??;
        let name = format!("layer-{number}/layer.tar");
        let archive_offset = archive.add(&name, plain.size_bytes, &mut File::open(&tar)?)?;
        layers.push(BenchLayer {
            diff_id: plain.digest,
            size_bytes: plain.size_bytes,
            gzip,
            zstd: zstd?,
            archive_offset,
        });
        fs::remove_file(&tar)?;
    }
    let config = config(
        layers.iter().map(|layer| &*layer.diff_id),
        LAYERS.map(|plan| plan.created_by),
    );
    archive.finish(&config, layers.len())?;
    let gzip_layers = layers.iter().map(|layer| &layer.gzip);
    write_layout(gzip_layout, &config, "tar+gzip", gzip_layers)?;
    write_layout(
        zstd_layout,
        &config,
        "tar+zstd",
        layers.iter().map(|layer| &layer.zstd),
    )?;
    Ok(BenchImage {
        gzip_layout: gzip_layout.clone(),
        zstd_layout: zstd_layout.clone(),
        archive: path,
        id: digest(&config),
        layers,
    })
}

/// Writes the configuration of an image.
pub(crate) fn config<'a>(
    diff_ids: impl IntoIterator<Item = &'a str>,
    history: impl IntoIterator<Item = &'static str>,
) -> Vec<u8> {
    let created = "2026-11-01T00:00:00Z";
    let history: Vec<Value> = history
        .into_iter()
        .map(|line| json!({"created": created, "created_by": line}))
        .collect();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": {"Cmd": ["/srv/app/run"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids.into_iter().collect::<Vec<_>>()},
        "history": history,
    });
    config.to_string().into_bytes()
}

fn store_gzip(tar: &Path, layout: &Path) -> anyhow::Result<StoredBlob> {
    let unnamed = layout.join("unnamed");
    let out = Hashed::new(BufWriter::new(File::create(&unnamed)?));
    let mut encoder = GzEncoder::new(out, flate2::Compression::new(6));
    io::copy(
        &mut BufReader::with_capacity(1 << 20, File::open(tar)?),
        &mut encoder,
    )?;
    place(encoder.finish()?.finish()?, &unnamed, layout)
}

fn store_zstd(tar: &Path, layout: &Path) -> anyhow::Result<StoredBlob> {
    let unnamed = layout.join("unnamed");
    let out = Hashed::new(BufWriter::new(File::create(&unnamed)?));
    let mut encoder = zstd::stream::write::Encoder::new(out, 3)?;
    io::copy(
        &mut BufReader::with_capacity(1 << 20, File::open(tar)?),
        &mut encoder,
    )?;
    place(encoder.finish()?.finish()?, &unnamed, layout)
}

/// Gives a blob its name.
pub(crate) fn place(blob: StoredBlob, unnamed: &Path, layout: &Path) -> anyhow::Result<StoredBlob> {
    fs::rename(unnamed, BenchImage::blob_path(layout, &blob.digest))?;
    Ok(blob)
}

/// Writes what an OCI layout needs beside its layers.
pub(crate) fn write_layout<'a>(
    layout: &Path,
    config: &[u8],
    media_type: &str,
    layers: impl Iterator<Item = &'a StoredBlob>,
) -> anyhow::Result<()> {
    let put = |bytes: &[u8]| fs::write(BenchImage::blob_path(layout, &digest(bytes)), bytes);
    put(config)?;
    let descriptor = |media_type: &str, digest: &str, size: u64| json!({"mediaType": media_type, "digest": digest, "size": size});
    let layer_type = format!("application/vnd.oci.image.layer.v1.{media_type}");
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": descriptor(
            "application/vnd.oci.image.config.v1+json", &digest(config), config.len() as u64,
        ),
        "layers": layers
            .map(|blob| descriptor(&layer_type, &blob.digest, blob.size_bytes))
            .collect::<Vec<_>>(),
    }))?;
    put(&manifest)?;
    let mut entry = descriptor(manifest_type, &digest(&manifest), manifest.len() as u64);
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": NAME});
    fs::write(
        layout.join("index.json"),
        serde_json::to_vec(&json!({"schemaVersion": 2, "manifests": [entry]}))?,
    )?;
    fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )?;
    Ok(())
}

/// Writes what `docker save` would.
struct Archive<W> {
    out: W,
    offset: u64,
}

impl<W: Write> Archive<W> {
    /// Adds a member and returns where its content begins.
    fn add(&mut self, name: &str, size: u64, content: &mut dyn Read) -> io::Result<u64> {
        self.out
            .write_all(&RawHeader::file(name, size).to_block())?;
        let begin = self.offset + 512;
        io::copy(content, &mut self.out)?;
        let padding = usize::try_from(size.next_multiple_of(512) - size).unwrap_or(0);
        self.out
            .write_all([0; 512].get(..padding).unwrap_or_default())?;
        self.offset = begin + size.next_multiple_of(512);
        Ok(begin)
    }

    fn finish(mut self, config: &[u8], layer_count: usize) -> anyhow::Result<()> {
        let name = format!("{}.json", digest(config).trim_start_matches("sha256:"));
        self.add(&name, config.len() as u64, &mut &*config)?;
        let manifest = serde_json::to_vec(&json!([{
            "Config": name,
            "RepoTags": [NAME],
            "Layers": (0..layer_count)
                .map(|number| format!("layer-{number}/layer.tar"))
                .collect::<Vec<_>>(),
        }]))?;
        self.add(
            "manifest.json",
            manifest.len() as u64,
            &mut manifest.as_slice(),
        )?;
        write_padded(&mut self.out, &[0; 1024])?;
        Ok(self.out.flush()?)
    }
}

/// Hashes and counts what is written.
pub(crate) struct Hashed<W> {
    out: W,
    hasher: Sha256,
    size_bytes: u64,
}

impl<W: Write> Hashed<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            hasher: Sha256::new(),
            size_bytes: 0,
        }
    }

    /// Returns what was written: its digest and size.
    pub(crate) fn finish(mut self) -> io::Result<StoredBlob> {
        self.out.flush()?;
        let digest = format!("sha256:{}", hex(&self.hasher.finalize()));
        Ok(StoredBlob {
            digest,
            size_bytes: self.size_bytes,
        })
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        self.size_bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn digest(bytes: &[u8]) -> String {
    cleanbill_testkit::digest(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
