//! Scans images: reads what is not known, judges, and records what failed.

use std::borrow::Cow;
use std::sync::Arc;

use cleanbill_advisories::Database;
use cleanbill_core::image::{ImageMetadata, LayerMetadata};
use cleanbill_core::package::LayerId;
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::ImageReport;
use cleanbill_core::{DiffId, error_chain};
use cleanbill_image::Image;
use cleanbill_inventory::{ExtractOptions, MergeOptions};
use cleanbill_store::LayerCache;
use jiff::Timestamp;

use crate::inventories::{Inventoried, InventoryError, LayerInventories};
use crate::java::JavaIndexSource;
use crate::judge::{Judge, JudgeOptions, KnownImage};
use crate::progress::ScanObserver;
use crate::sbom::NoLayers;
use crate::transient::is_transient;

/// Says how images are scanned.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// How layers are read.
    pub extract: ExtractOptions,
    /// How layers are merged.
    pub merge: MergeOptions,
    /// How inventories are judged.
    pub judge: JudgeOptions,
    /// Layers that are read at a time.
    pub threads: usize,
    /// When the scan runs.
    pub now: Timestamp,
}

impl Default for ScanOptions {
    /// Reads everything on as many threads as there are processors, at the beginning of time.
    fn default() -> Self {
        Self {
            extract: ExtractOptions::default(),
            merge: MergeOptions::default(),
            judge: JudgeOptions::default(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            now: Timestamp::UNIX_EPOCH,
        }
    }
}

/// Scans images against one advisory database.
pub struct Scanner<'a> {
    inventories: LayerInventories<'a>,
    database: &'a Database,
    options: &'a ScanOptions,
    observer: &'a dyn ScanObserver,
}

impl<'a> Scanner<'a> {
    /// Builds a scanner.
    pub fn new(
        cache: &'a LayerCache,
        database: &'a Database,
        options: &'a ScanOptions,
        observer: &'a dyn ScanObserver,
    ) -> Self {
        let inventories = LayerInventories::new(
            cache,
            options.extract.clone(),
            options.threads,
            options.now.as_second(),
        );
        Self {
            inventories,
            database,
            options,
            observer,
        }
    }

    /// Names the Java index, which is opened if an image needs it.
    #[must_use]
    pub fn with_java_index(mut self, source: &'a dyn JavaIndexSource) -> Self {
        self.inventories = self.inventories.with_java_index(source);
        self
    }

    /// Returns the collector of inventories: sources that stream layers while they are opened
    /// feed its sink.
    pub fn inventories(&self) -> &LayerInventories<'a> {
        &self.inventories
    }

    /// Returns who is told how the scan goes on.
    pub fn observer(&self) -> &'a dyn ScanObserver {
        self.observer
    }

    /// Scans one opened image. What fails is in the report.
    pub fn scan(&self, image: &Image) -> ImageReport {
        self.attempt(image).0
    }

    /// Scans one opened image. What fails is in the report; beside it is said whether opening and
    /// reading it again may help.
    pub fn attempt(&self, image: &Image) -> (ImageReport, bool) {
        let span = tracing::info_span!("scan", image.name = image.name, source = image.source);
        let _entered = span.enter();
        tracing::debug!(access = image.access, "image opened");
        let read = self.read(image);
        let attempt = match read {
            Ok((image, inventoried)) => (self.judge(&image, inventoried), false),
            Err(error) => (unread_report(image, &error), is_transient(&error)),
        };
        self.observer.image_done(&image.name);
        attempt
    }

    /// Finds out what is installed in an opened image, so that it can be judged as often as
    /// needed.
    ///
    /// # Errors
    ///
    /// The report of an image that could not be read.
    pub fn inventory(&self, image: &Image) -> Result<KnownImage, Box<ImageReport>> {
        let span = tracing::info_span!("scan", image.name = image.name, source = image.source);
        let _entered = span.enter();
        tracing::debug!(access = image.access, "image opened");
        let known = self.read(image);
        let known = known.map_err(|error| Box::new(unread_report(image, &error)));
        self.observer.image_done(&image.name);
        known.map(|(image, inventoried)| KnownImage::new(&image, inventoried))
    }

    fn read<'i>(&self, image: &'i Image) -> Result<(Cow<'i, Image>, Inventoried), InventoryError> {
        let merge = &self.options.merge;
        let inventoried = self
            .inventories
            .image_inventory(image, merge, self.observer)?;
        Ok((image.completed()?, inventoried))
    }

    /// Returns how images are scanned.
    pub(crate) fn options(&self) -> &'a ScanOptions {
        self.options
    }

    /// Judges an image by its layers alone, from what is known of them: none is opened. `None` if
    /// something is not known.
    pub(crate) fn judge_known_layers(
        &self,
        name: &str,
        diff_ids: &[DiffId],
    ) -> Option<ImageReport> {
        let layers = diff_ids.iter().map(|diff_id| LayerMetadata {
            id: LayerId {
                digest: None,
                diff_id: *diff_id,
            },
            size_bytes: None,
            created_by: String::new(),
        });
        let image = Image {
            name: name.to_owned(),
            source: "cache",
            access: "from the cache".to_owned(),
            metadata: ImageMetadata {
                layers: layers.collect(),
                ..ImageMetadata::default()
            },
            layers: Arc::new(NoLayers),
        };
        let merge = &self.options.merge;
        let inventoried = self.inventories.known_inventory(&image, merge)?;
        Some(self.judge(&image, inventoried))
    }

    /// Judges what is installed in an image.
    pub(crate) fn judge(&self, image: &Image, inventoried: Inventoried) -> ImageReport {
        self.judge_known(KnownImage::new(image, inventoried))
    }

    /// Judges an image that need not be there any more.
    pub fn judge_known(&self, image: KnownImage) -> ImageReport {
        let judge = Judge {
            database: self.database,
            options: &self.options.judge,
            now: self.options.now,
        };
        judge.judge_known(image)
    }
}

fn unread_report(image: &Image, error: &InventoryError) -> ImageReport {
    ImageReport {
        source: image.source.to_owned(),
        metadata: image.metadata.clone(),
        ..failed_report(&image.name, error)
    }
}

/// Reports an image that could not be opened or read.
pub fn failed_report(name: &str, error: &(dyn std::error::Error + 'static)) -> ImageReport {
    ImageReport {
        artifact_name: name.to_owned(),
        status: AssessmentStatus::Failed,
        problems: vec![Problem::new(ProblemKind::ImageFailed, error_chain(error))],
        ..ImageReport::default()
    }
}
