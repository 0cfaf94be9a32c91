//! `cleanbill demo`: the whole loop on built-in sample images and a built-in sample database.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;

use cleanbill_advisories::Database;
use cleanbill_core::report::ScanReport;
use cleanbill_engine::{ScanOptions, Scanner, SilentObserver, apply_policy, database_info};
use cleanbill_image::{Image, InputOptions, open_input};
use cleanbill_inventory::EXTRACTORS_VERSION;
use cleanbill_policy::ignore::IgnoreUsage;
use cleanbill_policy::{Filter, Vex};
use cleanbill_store::LayerCache;
use jiff::Timestamp;

use super::Setting;
use crate::cli::DemoArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output::Outputs;

/// Built by `cargo xtask gen`.
const IMAGES: &[u8] = include_bytes!("../../demo/images.tar");
const DATABASE: &[u8] = include_bytes!("../../demo/trivy.db");
const METADATA: &[u8] = include_bytes!("../../demo/metadata.json");

pub(crate) fn run(setting: &Setting, arguments: &DemoArgs) -> Result<Exit, CommandError> {
    let outputs = Outputs::new(
        &arguments.output,
        String::new(),
        setting.global.color,
        &setting.environment,
    )?;
    let broken = |error: anyhow::Error| {
        CommandError::with_exit(
            Exit::Incomplete,
            error.context("the built-in samples are broken"),
        )
    };
    let database =
        Database::open_bytes(DATABASE.to_vec(), METADATA).map_err(|error| broken(error.into()))?;
    let archive = in_memory(IMAGES).map_err(|error| broken(error.into()))?;
    let path = format!("/dev/fd/{}", archive.as_raw_fd());
    let cache = LayerCache::in_memory(EXTRACTORS_VERSION).map_err(CommandError::usage)?;
    // The samples are judged as on the day of their database: support that ends later must not
    // change what the demo shows.
    let now = database.metadata().updated_at;
    let options = ScanOptions {
        now,
        ..ScanOptions::default()
    };
    let scanner = Scanner::new(&cache, &database, &options, &SilentObserver);
    let images = {
        let mut sink = scanner.inventories().sink("demo", &SilentObserver);
        open_input(&path, &InputOptions::default(), &mut sink)
            .map_err(|error| broken(error.into()))?
    };
    outputs.check(images.len())?;
    let mut report = ScanReport {
        created_at: Timestamp::now().to_string(),
        database: Some(database_info(database.metadata(), now)),
        ..ScanReport::default()
    };
    for image in &images {
        let name = image
            .metadata
            .repo_tags
            .first()
            .cloned()
            .unwrap_or_default();
        let mut image = scanner.scan(&Image {
            name,
            ..image.clone()
        });
        apply_policy(
            &mut image,
            &Filter::default(),
            &Vex::default(),
            now.into(),
            &mut IgnoreUsage::default(),
        );
        report.images.push(image);
    }
    outputs.write(&report, &uuid::Uuid::now_v7().to_string())?;
    Ok(Exit::Clean)
}

/// Offers bytes as a file that lies on no disk.
#[cfg(target_os = "linux")]
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let descriptor = rustix::fs::memfd_create("cleanbill-demo", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(descriptor);
    file.write_all(bytes)?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    Ok(file)
}
