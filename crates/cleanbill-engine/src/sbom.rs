//! Scans of SBOMs: what a document lists, judged as if it were an image.

use std::sync::Arc;

use cleanbill_core::layer::LayerReader;
use cleanbill_core::report::{ArtifactType, ImageReport};
use cleanbill_image::{Image, ImageError, LayerSink, LayerSource};
use cleanbill_inventory::{SbomDocument, SbomFormat};

use crate::inventories::Inventoried;
use crate::scan::Scanner;

impl Scanner<'_> {
    /// Judges what an SBOM lists. `name` is what the report calls it.
    pub fn scan_sbom(&self, name: &str, document: SbomDocument) -> ImageReport {
        let span = tracing::info_span!("scan", image.name = name, source = "sbom");
        let _entered = span.enter();
        self.observer().image_opened(name, 0, 0);
        let image = Image {
            name: name.to_owned(),
            source: "sbom",
            access: "read whole".to_owned(),
            metadata: document.metadata,
            layers: Arc::new(NoLayers),
        };
        let inventoried = Inventoried {
            inventory: document.inventory,
            layer_sizes_bytes: Vec::new(),
        };
        let mut report = self.judge(&image, inventoried);
        report.artifact_type = match document.format {
            SbomFormat::CycloneDx => ArtifactType::CycloneDx,
            SbomFormat::Spdx => ArtifactType::Spdx,
        };
        cleanbill_report::assign_fingerprints(&mut report);
        self.observer().image_done(name);
        report
    }
}

/// The layers of what is judged without them, such as a document: there is nothing to open.
pub(crate) struct NoLayers;

impl LayerSource for NoLayers {
    fn open_layer(&self, index: usize) -> Result<Box<dyn LayerReader + Send + '_>, ImageError> {
        Err(ImageError::NotFound {
            what: format!("layer {index}"),
            place: "what is not read again".to_owned(),
        })
    }

    fn read_all(&self, _sink: &mut dyn LayerSink) -> Result<(), ImageError> {
        Ok(())
    }
}
