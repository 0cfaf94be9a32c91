//! Layers in the directories of the graph driver overlay2.
//!
//! The engine says which directories an image has, and its own record says which layer each of
//! them holds ([`super::layer_database`]); both must agree, because the engine may run in another
//! mount namespace, where the same paths lead elsewhere.
//!
//! Source: moby `daemon/graphdriver/overlay2/overlay.go`; the kernel's
//! `Documentation/filesystems/overlayfs.rst`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use cleanbill_core::layer::{EntryVisitor, LayerError, LayerReader, LayerSummary};
use tracing::warn;

use super::layer_database::{LayerDatabase, LayerRecord};
use super::metadata::Inspected;
use super::model::{EngineInfo, GraphDriverData};
use super::place::{InPlace, NotInPlace, Surroundings, parse_config};
use super::{host_file, tar_split};
use crate::directory::{DirectoryLayer, OverlayAttributes};
use crate::{ImageError, LayerSink, LayerSource, ReadContext};

const DRIVER: &str = "overlay2";
const ACCESS: &str = "overlay2 in place";

/// Finds an image's directories, or says why they are not to be read.
pub(super) fn find(
    inspected: &Inspected,
    surroundings: &Surroundings<'_>,
) -> Result<InPlace, NotInPlace> {
    let driver = &inspected.answer.graph_driver;
    if driver.name != DRIVER {
        let name = if driver.name.is_empty() {
            "unknown"
        } else {
            &driver.name
        };
        return Err(NotInPlace::new(format!(
            "the storage driver is {name}, not {DRIVER}"
        )));
    }
    let attributes = readable_attributes(surroundings)?;
    let records = records(inspected, surroundings.info, &driver.data)?;
    let database = database(surroundings.info);
    let config = host_file::read(
        &database.config_path(&inspected.id),
        surroundings.context.limits.manifest_size_bytes_max,
    );
    let config = config
        .ok()
        .map(|bytes| parse_config(&bytes, &inspected.id, &surroundings.context.limits))
        .transpose()?;
    let layers = records.into_iter().map(|record| OverlayLayer {
        record,
        attributes,
        stream_size_bytes: OnceLock::new(),
        context: surroundings.context.clone(),
    });
    let layers = Arc::new(OverlayLayers {
        layers: layers.collect(),
    });
    Ok(InPlace {
        access: ACCESS,
        layers,
        digests: Vec::new(),
        config,
    })
}

/// Says why no image of the engine can be read in place, if that is so.
pub(super) fn check(surroundings: &Surroundings<'_>) -> Result<(), NotInPlace> {
    if surroundings.info.driver != DRIVER {
        let driver = &surroundings.info.driver;
        return Err(NotInPlace::new(format!(
            "the storage driver is {driver}, not {DRIVER}"
        )));
    }
    readable_attributes(surroundings)?;
    let readable = database(surroundings.info).check();
    readable.map_err(|reason| NotInPlace::new(format!("the engine's layer records: {reason}")))
}

/// Tells by which attributes the driver marks directories that hide lower layers, provided that
/// this process sees them and can read every file, and that no layer refers to another.
fn readable_attributes(surroundings: &Surroundings<'_>) -> Result<OverlayAttributes, NotInPlace> {
    if surroundings.info.driver_status("Native Overlay Diff") == Some("false") {
        return Err(NotInPlace::new(
            "the kernel may have written layers that refer to each other (redirect_dir, metacopy)",
        ));
    }
    let capabilities = surroundings.capabilities;
    if !capabilities.can_read_any_file {
        return Err(NotInPlace::new(
            "reading all files needs CAP_DAC_READ_SEARCH outside of user namespaces, as root has",
        ));
    }
    // A rootless engine may not set attributes of the class `trusted`.
    if surroundings.info.driver_status("userxattr") == Some("true") {
        return Ok(OverlayAttributes::User);
    }
    if !capabilities.can_read_trusted_attributes {
        return Err(NotInPlace::new(
            "reading the marks of hidden directories needs CAP_SYS_ADMIN, as root of the host has",
        ));
    }
    Ok(OverlayAttributes::Trusted)
}

fn database(info: &EngineInfo) -> LayerDatabase {
    LayerDatabase::new(Path::new(&info.docker_root_dir), DRIVER)
}

fn records(
    inspected: &Inspected,
    info: &EngineInfo,
    stated: &GraphDriverData,
) -> Result<Vec<LayerRecord>, NotInPlace> {
    if inspected.diff_ids.is_empty() {
        return Err(NotInPlace::new("the engine states no layers"));
    }
    if !Path::new(&info.docker_root_dir).is_absolute() {
        return Err(NotInPlace::new(
            "the engine does not state its data directory",
        ));
    }
    let records = database(info)
        .find(&inspected.diff_ids)
        .map_err(|reason| NotInPlace::new(format!("the engine's layer records: {reason}")))?;
    let stated = stated_directories(stated);
    if !records.iter().map(|record| &record.directory).eq(&stated) {
        return Err(NotInPlace::new(format!(
            "the engine names other directories than its records ({} for {} layers)",
            stated.len(),
            records.len()
        )));
    }
    Ok(records)
}

/// Returns the directories as the engine states them, base first.
fn stated_directories(data: &GraphDriverData) -> Vec<PathBuf> {
    let lower = data
        .lower_dir
        .split(':')
        .filter(|path| !path.is_empty())
        .rev();
    let upper = Some(data.upper_dir.as_str()).filter(|path| !path.is_empty());
    lower.chain(upper).map(PathBuf::from).collect()
}

/// Holds the layers of one image, base first.
struct OverlayLayers {
    layers: Vec<OverlayLayer>,
}

/// Holds one layer.
struct OverlayLayer {
    record: LayerRecord,
    attributes: OverlayAttributes,
    /// Bytes of the tar stream, once computed; `None` inside if they cannot be known.
    stream_size_bytes: OnceLock<Option<u64>>,
    context: ReadContext,
}

impl LayerSource for OverlayLayers {
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError> {
        let layer = self.layers.get(index).ok_or_else(|| ImageError::NotFound {
            what: format!("layer {index}"),
            place: format!("an image of {} layers", self.layers.len()),
        })?;
        Ok(Box::new(layer.reader()))
    }

    fn stored_size_bytes(&self, index: usize) -> Option<u64> {
        self.layers.get(index)?.record.content_size_bytes()
    }

    fn read_all(&self, sink: &mut dyn LayerSink) -> Result<(), ImageError> {
        for layer in &self.layers {
            sink.layer(&mut layer.reader())?;
        }
        Ok(())
    }
}

impl OverlayLayer {
    fn reader(&self) -> OverlayReader<'_> {
        OverlayReader { layer: self }
    }

    /// Returns the bytes of the layer's tar stream, where the engine's log tells them. An unknown
    /// size leaves a number out of the report and is no reason to give the layer up.
    fn stream_size_bytes(&self) -> Option<u64> {
        *self.stream_size_bytes.get_or_init(|| {
            let path = &self.record.tar_split;
            match tar_split::stream_size_bytes(path, &self.context) {
                Ok(size_bytes) => Some(size_bytes),
                Err(error) => {
                    // Of a scan that was stopped nobody wants to know it.
                    if self.context.check().is_ok() {
                        warn!(path = %path.display(), %error, "the size of a layer is not known");
                    }
                    None
                }
            }
        })
    }

    /// Checks after a walk that the engine did not give the layer up meanwhile: part of its files
    /// may have been gone already when their directory was read.
    fn check_kept(&self, had_log: bool) -> Result<(), LayerError> {
        let removed = |reason: String| LayerError::Read {
            what: self.record.directory.display().to_string(),
            source: io::Error::other(format!("the layer was removed while it was read: {reason}")),
        };
        self.record
            .check_unchanged()
            .map_err(|reason| removed(reason.to_string()))?;
        let log = &self.record.tar_split;
        if had_log && !log.exists() {
            return Err(removed(format!("{} is gone", log.display())));
        }
        Ok(())
    }
}

/// Walks a layer's directory while another thread computes the size of its tar stream.
struct OverlayReader<'a> {
    layer: &'a OverlayLayer,
}

impl LayerReader for OverlayReader<'_> {
    fn walk(&mut self, visitor: &mut dyn EntryVisitor) -> Result<LayerSummary, LayerError> {
        let layer = self.layer;
        let mut directory =
            DirectoryLayer::overlay(&layer.record.directory, layer.attributes, &layer.context);
        let had_log = layer.record.tar_split.exists();
        let summary = std::thread::scope(|scope| {
            let size = scope.spawn(|| layer.stream_size_bytes());
            let summary = directory.walk(visitor)?;
            Ok(LayerSummary {
                size_bytes: size.join().unwrap_or(None),
                ..summary
            })
        })?;
        layer.check_kept(had_log)?;
        Ok(summary)
    }
}

#[cfg(test)]
mod tests;
