//! The image in a registry on the loopback.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::image::{BenchImage, StoredBlob};
use super::places::{COLD, Contender, FLOOR_OVER_HTTP, Place, SCANNED, Tools, on_path};
use super::process::command;

const KINDS: [&str; 2] = ["gzip", "zstd"];

/// A registry that ends with this value.
pub(crate) struct Registry {
    process: Child,
    address: String,
    /// Its port on the loopback.
    pub(crate) port: u16,
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a registry and pushes the image; `None` where no registry is installed.
pub(crate) fn start(tools: &Tools, image: &BenchImage) -> anyhow::Result<Option<Registry>> {
    let Some(curl) = on_path("curl") else {
        println!("no registry: curl is not installed");
        return Ok(None);
    };
    let Some(registry) = Registry::serve(&tools.directory.join("registry"))? else {
        return Ok(None);
    };
    let pusher = Pusher {
        curl,
        base: format!("http://{}/v2/bench/image-b", registry.address),
    };
    for (kind, layout) in KINDS
        .into_iter()
        .zip([&image.gzip_layout, &image.zstd_layout])
    {
        pusher.push(layout, kind)?;
    }
    Ok(Some(registry))
}

impl Registry {
    /// Starts a registry that keeps what it is given in a directory; `None` where none is installed.
    pub(crate) fn serve(directory: &Path) -> anyhow::Result<Option<Self>> {
        let Some(program) = on_path("docker-registry") else {
            println!("no registry: docker-registry is not installed");
            return Ok(None);
        };
        fs::create_dir_all(directory)?;
        let port = free_port()?;
        let configuration = directory.join("config.yml");
        fs::write(
            &configuration,
            format!(
                "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
                 http: {{addr: \"127.0.0.1:{port}\"}}\n",
                directory.join("data").display()
            ),
        )?;
        let log = File::create(directory.join("registry.log"))?;
        let process = command(&program)
            .arg("serve")
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start the registry")?;
        let registry = Self {
            process,
            address: format!("127.0.0.1:{port}"),
            port,
        };
        registry.wait()?;
        Ok(Some(registry))
    }

    fn wait(&self) -> anyhow::Result<()> {
        for _ in 0..100 {
            if TcpStream::connect(&self.address).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        anyhow::bail!("the registry did not start")
    }

    /// Returns what is run against the registry.
    pub(crate) fn places(&self, tools: &Tools, image: &BenchImage) -> Vec<Place> {
        let address = |blob: &StoredBlob| {
            let StoredBlob { digest, size_bytes } = blob;
            let blobs = format!("http://{}/v2/bench/image-b/blobs", self.address);
            format!("{blobs}/{digest}@0+{size_bytes}")
        };
        let place = |kind: &str| {
            let reference = format!("{}/bench/image-b:{kind}", self.address);
            let cache = format!("registry-{kind}-cold");
            let program = tools.scan(
                &cache,
                &[
                    "--source",
                    "registry",
                    "--platform",
                    "linux/amd64",
                    &reference,
                ],
            );
            let fresh = vec![tools.directory.join("cache").join(cache)];
            let blobs = image.layers.iter().map(|layer| match kind {
                "gzip" => address(&layer.gzip),
                _ => address(&layer.zstd),
            });
            let floor = Contender {
                name: FLOOR_OVER_HTTP,
                ..tools.floor(blobs)
            };
            let cold = Contender {
                name: COLD,
                program,
                fresh,
                statuses: SCANNED,
            };
            let mut contenders = vec![floor, cold];
            contenders.extend(tools.peers(
                &["--image-src", "remote", "--insecure", &reference],
                &format!("registry:{reference}"),
            ));
            Place {
                name: format!("registry, {kind}"),
                contenders,
            }
        };
        KINDS.into_iter().map(place).collect()
    }
}

/// Pushes OCI layouts with curl.
struct Pusher {
    curl: PathBuf,
    base: String,
}

impl Pusher {
    /// Returns the status of an answer, whatever it is.
    fn status(&self, url: &str) -> anyhow::Result<String> {
        let output = command(&self.curl)
            .args([
                "--silent",
                "--head",
                "--output",
                "/dev/null",
                "--write-out",
                "%{http_code}",
                url,
            ])
            .output()?;
        ensure!(output.status.success(), "no answer from {url}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn push(&self, layout: &Path, tag: &str) -> anyhow::Result<()> {
        let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json"))?)?;
        let digest = index.pointer("/manifests/0/digest").and_then(Value::as_str);
        let path = BenchImage::blob_path(layout, digest.context("no manifest in the index")?);
        let manifest: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let layers = manifest
            .get("layers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for descriptor in manifest.get("config").into_iter().chain(layers) {
            let digest = descriptor
                .get("digest")
                .and_then(Value::as_str)
                .context("no digest")?;
            self.push_blob(layout, digest)?;
        }
        let media_type = manifest
            .get("mediaType")
            .and_then(Value::as_str)
            .unwrap_or_default();
        self.request(&[
            "--request",
            "PUT",
            "--header",
            &format!("Content-Type: {media_type}"),
            "--data-binary",
            &format!("@{}", path.display()),
            &format!("{}/manifests/{tag}", self.base),
        ])?;
        Ok(())
    }

    fn push_blob(&self, layout: &Path, digest: &str) -> anyhow::Result<()> {
        if self.status(&format!("{}/blobs/{digest}", self.base))? == "200" {
            return Ok(());
        }
        let upload = format!("{}/blobs/uploads/", self.base);
        let answer = self.request(&[
            "--request",
            "POST",
            "--output",
            "/dev/null",
            "--write-out",
            "%header{location}",
            &upload,
        ])?;
        let separator = if answer.contains('?') { '&' } else { '?' };
        self.request(&[
            "--header",
            "Content-Type: application/octet-stream",
            "--upload-file",
            &BenchImage::blob_path(layout, digest).display().to_string(),
            &format!("{answer}{separator}digest={digest}"),
        ])?;
        Ok(())
    }

    fn request(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = command(&self.curl)
            .args(["--silent", "--show-error", "--fail"])
            .args(arguments)
            .output()
            .context("cannot run curl")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "the registry refused: {}",
            errors.trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
