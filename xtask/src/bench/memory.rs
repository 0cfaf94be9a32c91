//! Measures the peak memory of scans of layers that are larger than any honest one.
//!
//! What is found is not counted: a layer with many packages has a large inventory, whatever reads
//! it.

mod documents;
mod found;
mod jars;
mod lists;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cleanbill_store::JavaIndexFile;

use super::content::{ContentWriter, Texture};
use super::image::{Hashed, StoredBlob, config, place, write_layout};
use super::layer::LayerWriter;
use super::places::{PEAK_MEGABYTES_MAX, SCANNED, Tools};
use super::report::{Check, Fact, Report, megabytes};
use super::series::Series;

/// Changes with everything that changes the layers.
const RECIPE: u32 = 5;

/// The largest window that the limits permit: 128 MiB.
const WINDOW_LOG: u32 = 27;

const MEGABYTE: usize = 1_000_000;

/// An image of layers that are too large.
struct Case {
    name: &'static str,
    /// What of the memory is not counted, because a limit of its own bounds it.
    uncounted_megabytes: f64,
    window_log: Option<u32>,
    layers: &'static [WriteLayer],
}

type WriteLayer = fn(&mut LayerWriter<&mut dyn Write>, scale: usize) -> io::Result<()>;

const fn case(name: &'static str, layers: &'static [WriteLayer]) -> Case {
    Case {
        name,
        uncounted_megabytes: 0.0,
        window_log: None,
        layers,
    }
}

const CASES: [Case; 21] = [
    case("a million files", &[million_files]),
    case("3 GB layer", &[three_gigabytes]),
    case("200 MB status file, 2,000 packages", &[long_status]),
    case("200 MB status file of one line", &[one_line_status]),
    case(
        "200 MB status file without an end of paragraph",
        &[one_paragraph_status],
    ),
    Case {
        uncounted_megabytes: 128.0 * 1.048_576,
        window_log: Some(WINDOW_LOG),
        ..case("zstd window of 128 MiB", &[wide_window])
    },
    case(
        "SPDX document of 122 MB, most of it files",
        &[documents::spdx_of_files],
    ),
    case(
        "SPDX document of 122 MB, most of it annotations",
        &[documents::spdx_of_annotations],
    ),
    case(
        "CycloneDX document of 120 MB, 20,000 components",
        &[documents::cyclonedx_of_components],
    ),
    case(
        "CycloneDX document of 120 MB, 40 million empty components",
        &[documents::cyclonedx_of_nothing],
    ),
    case(
        "installed.json of Composer of 120 MB, 20,000 packages",
        &[documents::composer],
    ),
    case(
        "*.deps.json of .NET of 120 MB, 20,000 libraries",
        &[documents::deps_json],
    ),
    case("package.json of 120 MB", &[documents::package_json]),
    case(
        "200 MB of dpkg's lists of files, one package",
        &[lists::dpkg_files],
    ),
    case(
        "200 MB of apk's list of files, one package",
        &[lists::apk_files],
    ),
    case("160,000 packages of dpkg", &[lists::dpkg_packages]),
    case(
        "160,000 packages of an SPDX document",
        &[documents::spdx_of_packages],
    ),
    case("150,000 files package.json", &[documents::package_jsons]),
    case(
        "150,000 files package.json in two layers",
        &[
            documents::lower_package_jsons,
            documents::upper_package_jsons,
        ],
    ),
    case(
        "100,000 jars of which only the Java index knows the name",
        &[jars::unnamed],
    ),
    case(
        "150,000 files package.json and one such jar",
        &[jars::beside_package_jsons],
    ),
];

/// Measures every case once; peaks do not vary.
pub(crate) fn run(
    tools: &Tools,
    is_quick: bool,
    only: Option<&str>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let scale = if is_quick { 20 } else { 1 };
    let log = tools.directory.join("last-run.log");
    tools.add_java_index()?;
    let index = tools.java_index();
    let index = index.map(|path| JavaIndexFile::open(&path)).transpose()?;
    let cases = CASES.iter().enumerate();
    for (number, case) in cases.filter(|(_, case)| only.is_none_or(|text| case.name.contains(text)))
    {
        let layout = layout(&tools.directory, number, case, scale)
            .with_context(|| format!("cannot build: {}", case.name))?;
        let program = tools.scan("memory", &["--input", &layout.to_string_lossy()]);
        let cache = tools.directory.join("cache/memory");
        let _ = fs::remove_dir_all(&cache);
        let mut costs = Vec::new();
        for contender in ["cold", "known image"] {
            let cost = program.measure(&log, SCANNED)?;
            costs.push((contender, cost));
            report.add(Series {
                place: case.name.to_owned(),
                contender: format!("cleanbill, {contender}"),
                command: program.line(),
                median: cost,
                runs: vec![cost],
            });
        }
        let found_bytes = found::size_bytes(&cache, &layout, index.as_ref())?;
        report.facts.push(Fact::new(
            format!("{}: what is found", case.name),
            megabytes(found_bytes),
            "MB",
        ));
        report.checks.extend(costs.iter().map(|(contender, cost)| {
            let beside = cost.peak_anonymous_bytes.saturating_sub(found_bytes);
            Check::at_most(
                format!(
                    "{}, {contender}: anonymous, beside what is found",
                    case.name
                ),
                megabytes(beside),
                PEAK_MEGABYTES_MAX + case.uncounted_megabytes,
                "MB",
            )
        }));
    }
    Ok(())
}

/// Builds an OCI layout, unless it is there.
fn layout(directory: &Path, number: usize, case: &Case, scale: usize) -> anyhow::Result<PathBuf> {
    let layout = directory.join(format!("memory-{RECIPE}-{number}-{scale}"));
    if layout.join("oci-layout").exists() {
        return Ok(layout);
    }
    println!("building: {}", case.name);
    let _ = fs::remove_dir_all(&layout);
    fs::create_dir_all(layout.join("blobs/sha256"))?;
    let (mut blobs, mut diff_ids) = (Vec::new(), Vec::new());
    for write in case.layers {
        let (blob, diff_id) = build_layer(&layout, case.window_log, |out| {
            let mut layer = LayerWriter::new(out, number as u64);
            if diff_ids.is_empty() {
                layer.file("etc/debian_version", b"12.5\n")?;
            }
            write(&mut layer, scale)?;
            layer.finish()
        })?;
        blobs.push(blob);
        diff_ids.push(diff_id);
    }
    fs::write(layout.join(found::DIFF_IDS_FILE), diff_ids.join("\n"))?;
    let history = case.layers.iter().map(|_| "ADD everything /");
    let config = config(diff_ids.iter().map(String::as_str), history);
    write_layout(&layout, &config, "tar+zstd", blobs.iter())?;
    Ok(layout)
}

/// Puts a layer into a layout. Returns it, and the digest of what it is when it is not compressed.
fn build_layer(
    layout: &Path,
    window_log: Option<u32>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<(StoredBlob, String)> {
    let unnamed = layout.join("unnamed");
    let out = Hashed::new(BufWriter::new(File::create(&unnamed)?));
    let mut encoder = zstd::stream::write::Encoder::new(out, 1)?;
    if let Some(window_log) = window_log {
        encoder.window_log(window_log)?;
        encoder.long_distance_matching(true)?;
    }
    let mut plain = Hashed::new(&mut encoder);
    write(&mut plain)?;
    let diff_id = plain.finish()?.digest;
    let blob = place(encoder.finish()?.finish()?, &unnamed, layout)?;
    Ok((blob, diff_id))
}

fn million_files(layer: &mut LayerWriter<&mut dyn Write>, scale: usize) -> io::Result<()> {
    for number in 0..1_000_000 / scale {
        layer.file(&format!("srv/{:04}/{number:07}.txt", number / 500), b"")?;
    }
    Ok(())
}

fn three_gigabytes(layer: &mut LayerWriter<&mut dyn Write>, scale: usize) -> io::Result<()> {
    let mut content = Vec::new();
    for number in 0..3_000 / scale {
        layer
            .content
            .write(Texture::Program, MEGABYTE, &mut content);
        layer.file(&format!("srv/file-{number:05}.bin"), &content)?;
    }
    Ok(())
}

fn long_status(layer: &mut LayerWriter<&mut dyn Write>, scale: usize) -> io::Result<()> {
    let mut status = Vec::new();
    let mut description = Vec::new();
    let mut content = ContentWriter::new(0);
    for number in 0..2_000 / scale {
        write!(
            status,
            "Package: package-{number:04}\nStatus: install ok installed\nMaintainer: A B <a@b>\n\
             Architecture: amd64\nVersion: 1.{number}-1\nDescription: made up\n"
        )?;
        content.write(Texture::Text, 100_000, &mut description);
        for line in description.split(|byte| *byte == b'\n') {
            status.push(b' ');
            status.extend(line.trim_ascii());
            status.extend(b".\n");
        }
        status.push(b'\n');
    }
    layer.file("var/lib/dpkg/status", &status)
}

fn one_line_status(layer: &mut LayerWriter<&mut dyn Write>, scale: usize) -> io::Result<()> {
    let mut status = b"Package: ".to_vec();
    status.resize(200 * MEGABYTE / scale, b'x');
    layer.file("var/lib/dpkg/status", &status)
}

fn one_paragraph_status(layer: &mut LayerWriter<&mut dyn Write>, scale: usize) -> io::Result<()> {
    let mut status = b"Package: a\nStatus: install ok installed\nVersion: 1\nDepends: b".to_vec();
    let mut number = 0;
    while status.len() < 200 * MEGABYTE / scale {
        write!(status, ",\n package-{number}")?;
        number += 1;
    }
    layer.file("var/lib/dpkg/status", &status)
}

fn wide_window(layer: &mut LayerWriter<&mut dyn Write>, scale: usize) -> io::Result<()> {
    let mut content = Vec::new();
    for number in 0..400 / scale {
        layer.content.write(Texture::Text, MEGABYTE, &mut content);
        layer.file(&format!("srv/file-{number:05}.txt"), &content)?;
    }
    Ok(())
}
