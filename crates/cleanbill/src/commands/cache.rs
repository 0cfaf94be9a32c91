//! `cleanbill cache`: what the cache holds, and how it is made smaller.

use cleanbill_store::LayerCache;
use indicatif::HumanBytes;
use jiff::Timestamp;

use super::{Setting, print};
use crate::cli::CacheCommand;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::places;

const SECONDS_PER_DAY: i64 = 86_400;

pub(crate) fn run(setting: &Setting, command: &CacheCommand) -> Result<Exit, CommandError> {
    let directory = places::cache_directory(setting.global.cache_dir.clone(), &setting.environment);
    let cache = LayerCache::open(&directory, cleanbill_inventory::EXTRACTORS_VERSION)
        .map_err(CommandError::usage)?;
    let failed = |error| CommandError::usage(error);
    match command {
        CacheCommand::Info { json } => {
            let info = cache.info().map_err(failed)?;
            let database = directory_size(&directory.join("db"));
            let text = if *json {
                let value = serde_json::json!({
                    "directory": directory,
                    "layers": info.layers,
                    "layers_of_other_versions": info.layers_of_other_versions,
                    "inventory_size_bytes": info.inventory_size_bytes,
                    "layer_file_size_bytes": info.file_size_bytes,
                    "database_size_bytes": database,
                });
                format!("{value:#}\n")
            } else {
                format!(
                    "Directory:          {}\n\
                     Layer inventories:  {} in {} (file {})\n\
                     Of other versions:  {}\n\
                     Advisory database:  {}\n",
                    directory.display(),
                    info.layers,
                    HumanBytes(info.inventory_size_bytes),
                    HumanBytes(info.file_size_bytes),
                    info.layers_of_other_versions,
                    HumanBytes(database),
                )
            };
            print(text.as_bytes())
        }
        CacheCommand::Clear { all } => {
            let outcome = cache.clear().map_err(failed)?;
            let mut text = format!("Removed {} layer inventories.\n", outcome.removed);
            if *all {
                for (name, what) in [("db", "advisory database"), ("java-db", "Java index")] {
                    if remove_directory(&directory.join(name))? {
                        text.push_str(&format!("Removed the {what}.\n"));
                    }
                }
            }
            print(text.as_bytes())
        }
        CacheCommand::Prune {
            unused_days,
            max_size,
        } => {
            let since = Timestamp::now().as_second() - i64::from(*unused_days) * SECONDS_PER_DAY;
            let outcome = cache.prune(Some(since), *max_size).map_err(failed)?;
            let text = format!(
                "Removed {} layer inventories, kept {}.\n",
                outcome.removed, outcome.kept
            );
            print(text.as_bytes())
        }
    }
}

/// Removes a directory. Says whether there was one.
fn remove_directory(path: &std::path::Path) -> Result<bool, CommandError> {
    match std::fs::remove_dir_all(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CommandError::usage(
            anyhow::Error::new(error).context(format!("cannot remove {}", path.display())),
        )),
    }
}

/// Sums the sizes of the files in a directory; one that is not there has none.
fn directory_size(directory: &std::path::Path) -> u64 {
    std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|metadata| metadata.len())
        .sum()
}
