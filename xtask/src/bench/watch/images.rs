//! Builds the images, as archives that an engine loads.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cleanbill_testkit::digest;
use cleanbill_testkit::tar::RawHeader;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::content::Random;
use super::super::image::config;
use super::super::judging::{editions, npm_packages};
use super::super::layer::{LayerKind, LayerPlan, LayerWriter, write_layer, write_padded};
use super::local_engine::NAMESPACE;

/// Changes with everything that changes the images.
const RECIPE: u32 = 1;

/// The image that gets a new layer: 200 MB.
pub(super) const APP: &str = "cleanbill-watchbench/app:1";

/// Images of a host that knows many.
const FLEET: usize = 500;

/// Bases of the fleet and of the first pass.
const BASES: usize = 10;

/// Images on each base in the first pass.
const CHILDREN: usize = 10;

/// Packages of npm that an image has beside those of its base.
const OWN_PACKAGES: usize = 60;

const APP_LAYERS: [LayerPlan; 3] = [
    LayerPlan {
        created_by: "ADD rootfs.tar.xz / # buildkit",
        directory: "usr/lib",
        size_bytes: 100_000_000,
        entry_count: 7_000,
        kind: LayerKind::Debian { package_count: 138 },
    },
    LayerPlan {
        created_by: "RUN npm ci",
        directory: "srv/app/node_modules",
        size_bytes: 70_000_000,
        entry_count: 5_000,
        kind: LayerKind::Node { module_count: 300 },
    },
    LayerPlan {
        created_by: "COPY . /srv/app",
        directory: "srv/app/src",
        size_bytes: 30_000_000,
        entry_count: 800,
        kind: LayerKind::Plain,
    },
];

/// Tells where the archives lie, and what is in them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Images {
    /// Small images on a few bases.
    pub(super) fleet: PathBuf,
    pub(super) fleet_count: usize,
    /// Images that share bases, for the first pass.
    pub(super) pass: PathBuf,
    pub(super) pass_layers: Vec<StoredLayer>,
    /// The layers of [`APP`], without what says which image they make.
    pub(super) app_blobs: PathBuf,
    pub(super) app_layers: Vec<StoredLayer>,
}

/// A layer of an archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredLayer {
    pub(super) diff_id: String,
    pub(super) size_bytes: u64,
}

impl Images {
    /// Returns the images in `directory`, building them if they are not there yet.
    pub(super) fn obtain(directory: &Path, scale: usize) -> anyhow::Result<Self> {
        let root = directory.join(format!("watch-images-{RECIPE}-{scale}"));
        let facts = root.join("images.json");
        if let Ok(bytes) = fs::read(&facts) {
            return serde_json::from_slice(&bytes).context("images.json is damaged");
        }
        println!("building images in {} (once)", root.display());
        fs::create_dir_all(&root)?;
        let images = Self::build(&root, scale).context("cannot build the images")?;
        fs::write(&facts, serde_json::to_vec_pretty(&images)?)?;
        Ok(images)
    }

    fn build(root: &Path, scale: usize) -> anyhow::Result<Self> {
        let (fleet, pass) = (root.join("fleet.tar"), root.join("pass.tar"));
        let fleet_count = FLEET / scale;
        let per_base = fleet_count.div_ceil(BASES);
        family(&fleet, "fleet", per_base, [2_000_000, 100_000])?;
        let size = 40_000_000 / scale;
        let pass_layers = family(&pass, "pass", CHILDREN, [size, 2_000_000 / scale])?;
        let app_blobs = root.join("app.tar");
        let mut archive = ImageArchive::create(&app_blobs)?;
        let app_layers = APP_LAYERS.iter().zip(1_000..).map(|(plan, seed)| {
            let plan = LayerPlan {
                size_bytes: plan.size_bytes / scale,
                entry_count: (plan.entry_count / scale).max(600),
                ..*plan
            };
            archive.layer(&layer(&plan, seed)?)
        });
        let app_layers = app_layers.collect::<anyhow::Result<_>>()?;
        archive.end_without_images()?;
        Ok(Self {
            fleet,
            fleet_count: per_base * BASES,
            pass,
            pass_layers,
            app_blobs,
            app_layers,
        })
    }

    /// Returns the names of the images of the first pass.
    pub(super) fn pass_names() -> impl Iterator<Item = String> {
        (0..BASES).flat_map(|base| (0..CHILDREN).map(move |child| name("pass", base, child)))
    }
}

/// Returns the bytes that go in front of the blobs of [`APP`]: what says that they are an image,
/// and another layer for it if there is one.
pub(super) fn app_head(
    directory: &Path,
    images: &Images,
    name: &str,
    own: Option<&[u8]>,
) -> anyhow::Result<Vec<u8>> {
    let path = directory.join("head.tar");
    let mut archive = ImageArchive::create(&path)?;
    let mut layers = images.app_layers.clone();
    if let Some(own) = own {
        layers.push(archive.layer(own)?);
    }
    archive.image(name, &layers)?;
    archive.end_images()?;
    Ok(fs::read(&path)?)
}

/// Returns a package of Python with a flaw that the advisory databases know, and its version.
pub(super) fn flawed_package(number: usize) -> (String, &'static str) {
    (editions::flawed_package(number), "1.0.0")
}

/// Returns a layer that adds a flawed package.
pub(super) fn flawed_layer(number: usize) -> anyhow::Result<Vec<u8>> {
    let (package, version) = flawed_package(number);
    let mut bytes = Vec::new();
    let mut layer = LayerWriter::new(&mut bytes, number as u64);
    layer.file(
        &format!("usr/lib/python3/dist-packages/{package}-{version}.dist-info/METADATA"),
        format!("Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n").as_bytes(),
    )?;
    layer.finish()?;
    Ok(bytes)
}

fn name(family: &str, base: usize, child: usize) -> String {
    format!("{NAMESPACE}/{family}-{base}-{child}:1")
}

/// Writes images that share bases; sizes are those of a base and of what is put on it. Returns
/// the layers, each once.
fn family(
    path: &Path,
    family: &str,
    per_base: usize,
    sizes: [usize; 2],
) -> anyhow::Result<Vec<StoredLayer>> {
    let [base_size, own_size] = sizes;
    let mut archive = ImageArchive::create(path)?;
    let mut layers = Vec::new();
    for base in 0..BASES {
        let plan = LayerPlan {
            size_bytes: base_size,
            // Beside the package database, a file for every 20 kB.
            entry_count: 500 + base_size / 20_000,
            kind: LayerKind::Debian {
                package_count: 120 + base,
            },
            ..APP_LAYERS[0]
        };
        let seed = Random::of(&format!("{family} {base}")).next();
        let below = archive.layer(&layer(&plan, seed)?)?;
        layers.push(below.clone());
        for child in 0..per_base {
            let own = own_layer(&name(family, base, child), own_size)?;
            let own = archive.layer(&own)?;
            archive.image(&name(family, base, child), &[below.clone(), own.clone()])?;
            layers.push(own);
        }
    }
    archive.end()?;
    Ok(layers)
}

fn layer(plan: &LayerPlan, seed: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_layer(plan, seed, &mut bytes)?;
    Ok(bytes)
}

/// Writes what an image has beside its base: packages of npm, and files.
fn own_layer(name: &str, size: usize) -> anyhow::Result<Vec<u8>> {
    let mut random = Random::of(name);
    let mut bytes = Vec::new();
    let mut layer = LayerWriter::new(&mut bytes, random.next());
    for (package, version) in npm_packages(&mut random, OWN_PACKAGES) {
        let manifest =
            format!("{{\"name\":\"{package}\",\"version\":\"{version}\",\"license\":\"MIT\"}}\n");
        let path = format!("srv/app/node_modules/{package}/package.json");
        layer.file(&path, manifest.as_bytes())?;
    }
    let mut content = Vec::new();
    for number in 0..size.div_ceil(50_000) {
        let texture = layer.content.texture();
        layer.content.write(texture, size.min(50_000), &mut content);
        layer.file(&format!("srv/app/src/file-{number:04}"), &content)?;
    }
    layer.finish()?;
    Ok(bytes)
}

/// Writes what `docker save` of several images would.
struct ImageArchive {
    out: BufWriter<File>,
    written: BTreeSet<String>,
    manifest: Vec<Value>,
}

impl ImageArchive {
    fn create(path: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            out: BufWriter::with_capacity(1 << 20, File::create(path)?),
            written: BTreeSet::new(),
            manifest: Vec::new(),
        })
    }

    fn member(&mut self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let header = RawHeader::file(name, content.len() as u64);
        self.out.write_all(&header.to_block())?;
        Ok(write_padded(&mut self.out, content)?)
    }

    fn layer(&mut self, tar: &[u8]) -> anyhow::Result<StoredLayer> {
        let diff_id = digest(tar);
        if self.written.insert(diff_id.clone()) {
            self.member(&member_of(&diff_id), tar)?;
        }
        Ok(StoredLayer {
            diff_id,
            size_bytes: tar.len() as u64,
        })
    }

    /// Adds an image of layers, base first; those that are not in this archive must be in what
    /// follows it.
    fn image(&mut self, name: &str, layers: &[StoredLayer]) -> anyhow::Result<()> {
        let config = config(
            layers.iter().map(|layer| &*layer.diff_id),
            layers.iter().map(|_| "COPY made-up-files /"),
        );
        let member = format!("{}.json", digest(&config).trim_start_matches("sha256:"));
        self.member(&member, &config)?;
        self.manifest.push(json!({
            "Config": member,
            "RepoTags": [name],
            "Layers": layers
                .iter()
                .map(|layer| member_of(&layer.diff_id))
                .collect::<Vec<_>>(),
        }));
        Ok(())
    }

    /// Writes which images there are, and lets something follow.
    fn end_images(mut self) -> anyhow::Result<()> {
        let manifest = serde_json::to_vec(&self.manifest)?;
        self.member("manifest.json", &manifest)?;
        Ok(self.out.flush()?)
    }

    fn end_without_images(mut self) -> anyhow::Result<()> {
        self.out.write_all(&[0; 1024])?;
        Ok(self.out.flush()?)
    }

    fn end(mut self) -> anyhow::Result<()> {
        let manifest = serde_json::to_vec(&self.manifest)?;
        self.member("manifest.json", &manifest)?;
        self.end_without_images()
    }
}

fn member_of(diff_id: &str) -> String {
    format!("{}/layer.tar", diff_id.trim_start_matches("sha256:"))
}
