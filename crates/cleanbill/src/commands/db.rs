//! `cleanbill db`: the advisory database.

use std::path::Path;

use anyhow::Context as _;
use cleanbill_advisories::Metadata;
use cleanbill_engine::{AdvisoryStore, database_info};
use cleanbill_image::ReadContext;
use indicatif::HumanBytes;
use jiff::Timestamp;

use super::advisory_database::{self, Artifacts, with_tag};
use super::{Setting, print};
use crate::cli::{DatabaseArgs, DbCommand, RegistryArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::registries::Registries;
use crate::{progress, stop};

pub(crate) fn run(setting: &Setting, command: DbCommand) -> Result<Exit, CommandError> {
    match command {
        DbCommand::Update {
            database,
            registry,
            force,
        } => update(setting, &database, &registry, force),
        DbCommand::Status { database, json } => status(setting, &database, json),
        DbCommand::Import {
            source,
            database,
            registry,
        } => import(setting, &source, &database, &registry),
        DbCommand::Export { file, database } => export(setting, &file, &database),
    }
}

fn update(
    setting: &Setting,
    arguments: &DatabaseArgs,
    registry: &RegistryArgs,
    is_forced: bool,
) -> Result<Exit, CommandError> {
    if arguments.offline {
        return Err(
            CommandError::usage_text("--offline forbids fetching the advisory database")
                .hint("carry one here: cleanbill db import FILE"),
        );
    }
    let store = advisory_database::store(setting, arguments)?;
    let context = context();
    let bar = progress::Download::start(
        !setting.global.no_progress && !setting.global.quiet,
        &context,
    );
    let updated =
        advisory_database::update_if_due(setting, &store, arguments, registry, &context, is_forced);
    bar.finish();
    let text = match updated? {
        Some(metadata) => format!("Fetched the advisory database, {}.\n", built(&metadata)),
        None => {
            let database = store.open().map_err(CommandError::database)?;
            format!(
                "The advisory database is up to date, {}; --force fetches it all the same.\n",
                built(database.metadata())
            )
        }
    };
    print(text.as_bytes())
}

fn status(
    setting: &Setting,
    arguments: &DatabaseArgs,
    is_json: bool,
) -> Result<Exit, CommandError> {
    let store = advisory_database::store(setting, arguments)?;
    let database = store.open().map_err(|error| {
        CommandError::database(error).hint("fetch it with: cleanbill db update")
    })?;
    let statistics = database.statistics().map_err(CommandError::database)?;
    let info = database_info(database.metadata(), Timestamp::now());
    let size = std::fs::metadata(store.directory().join("trivy.db")).map_or(0, |m| m.len());
    let text = if is_json {
        let value = serde_json::json!({
            "directory": store.directory(),
            "schema_version": info.schema_version,
            "updated_at": info.updated_at,
            "next_update": info.next_update,
            "downloaded_at": info.downloaded_at,
            "age_hours": info.age_hours,
            "size_bytes": size,
            "os_bucket_count": statistics.os_bucket_count,
            "ecosystem_bucket_count": statistics.ecosystem_bucket_count,
        });
        format!("{value:#}\n")
    } else {
        format!(
            "Directory:    {}\n\
             Schema:       {}\n\
             Built:        {} ({} h ago)\n\
             Next build:   {}\n\
             Fetched:      {}\n\
             Size:         {}\n\
             Advisories:   {} distribution releases, {} language sources\n",
            store.directory().display(),
            info.schema_version,
            info.updated_at,
            info.age_hours,
            or_unknown(&info.next_update),
            or_unknown(&info.downloaded_at),
            HumanBytes(size),
            statistics.os_bucket_count,
            statistics.ecosystem_bucket_count,
        )
    };
    print(text.as_bytes())
}

fn import(
    setting: &Setting,
    source: &str,
    arguments: &DatabaseArgs,
    registry: &RegistryArgs,
) -> Result<Exit, CommandError> {
    let store = advisory_database::store(setting, arguments)?;
    let context = context();
    let lock = store.lock().map_err(CommandError::usage)?;
    let now = Timestamp::now();
    let metadata = if let Some(repository) = source.strip_prefix("oci:") {
        let client = Registries::new(setting, registry, arguments.offline)?.client(&context, [])?;
        cleanbill_engine::update(
            &store,
            &lock,
            &Artifacts { client },
            &[with_tag(repository)],
            &context.limits,
            now,
        )
        .map_err(CommandError::database)?
    } else if Path::new(source).is_dir() {
        let path = Path::new(source);
        // A Trivy cache directory has the database one level down.
        let nested = path.join("db");
        let path = if path.join("trivy.db").exists() {
            path
        } else {
            nested.as_path()
        };
        store
            .install_directory(&lock, path, now)
            .map_err(CommandError::usage)?
    } else {
        let file = std::fs::File::open(source)
            .with_context(|| format!("cannot open {source}"))
            .map_err(|error| {
                CommandError::usage(error).hint(
                    "expected an archive (db.tar.gz), a directory with trivy.db and \
                     metadata.json, or oci:REGISTRY/REPOSITORY:TAG",
                )
            })?;
        store
            .install_archive(&lock, &mut context.watch(file), &context.limits, now)
            .map_err(CommandError::usage)?
    };
    let text = format!(
        "Imported the advisory database into {}, {}.\n",
        store.directory().display(),
        built(&metadata)
    );
    print(text.as_bytes())
}

fn export(setting: &Setting, path: &Path, arguments: &DatabaseArgs) -> Result<Exit, CommandError> {
    let store = advisory_database::store(setting, arguments)?;
    let metadata = write_export(&store, path)?;
    let text = format!(
        "Wrote the advisory database to {}, {}.\n",
        path.display(),
        built(&metadata)
    );
    print(text.as_bytes())
}

/// Writes the archive beside its place and renames it there.
fn write_export(store: &AdvisoryStore, path: &Path) -> Result<Metadata, CommandError> {
    let cannot_write = || format!("cannot write {}", path.display());
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".cleanbill-export-")
        .tempfile_in(directory)
        .with_context(cannot_write)
        .map_err(CommandError::usage)?;
    let mut out = std::io::BufWriter::new(file.as_file_mut());
    let metadata = store.export(&mut out).map_err(CommandError::database)?;
    std::io::Write::flush(&mut out)
        .with_context(cannot_write)
        .map_err(CommandError::usage)?;
    drop(out);
    file.persist(path)
        .map_err(|error| error.error)
        .with_context(cannot_write)
        .map_err(CommandError::usage)?;
    Ok(metadata)
}

fn context() -> ReadContext {
    ReadContext {
        cancelled: stop::flag(),
        ..ReadContext::default()
    }
}

fn built(metadata: &Metadata) -> String {
    let info = database_info(metadata, Timestamp::now());
    format!(
        "built {} ({} h ago)",
        or_unknown(&info.updated_at),
        info.age_hours
    )
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "unknown" } else { text }
}
