//! Flags of `explain`.

use std::path::PathBuf;

use clap::Args;

use super::database_args::DatabaseArgs;
use super::network_args::RegistryArgs;
use super::scan_args::{DetectionArgs, FilterArgs, ScanArgs, SourceArgs};

/// What is explained, and for which images.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The vulnerability: CVE-2024-3094, GHSA-…, DSA-…
    #[arg(value_name = "VULNERABILITY")]
    pub(crate) id: String,

    /// Images, as for scan
    pub(crate) images: Vec<String>,

    /// Explain a saved report (json or trivy-json) in place of an image (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,

    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) detection: DetectionArgs,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

impl ExplainArgs {
    /// Says whether images are asked for, beside saved reports.
    pub(crate) fn names_images(&self) -> bool {
        let SourceArgs {
            all,
            container,
            input,
            rootfs,
            sbom,
            ..
        } = &self.source;
        *all || !(self.images.is_empty()
            && container.is_empty()
            && input.is_empty()
            && rootfs.is_empty()
            && sbom.is_empty())
    }

    /// Returns the scan that shows what is to be explained: of every kind of package, so that what
    /// `--pkg-types` leaves out is found too.
    pub(crate) fn into_scan(self) -> ScanArgs {
        ScanArgs {
            images: self.images,
            named: Vec::new(),
            source: self.source,
            registry: self.registry,
            database: self.database,
            engine: super::engine_args::EngineArgs {
                engine: "native".to_owned(),
                ..Default::default()
            },
            detection: DetectionArgs {
                pkg_types: ["os", "library"].map(str::to_owned).to_vec(),
                ..self.detection
            },
            filter: self.filter,
            output: Default::default(),
            verdict: Default::default(),
            retry: Default::default(),
            sort: "package".to_owned(),
        }
    }
}
