//! `cleanbill db`: the advisory database and the Java index.

mod import;

use std::path::Path;

use anyhow::Context as _;
use cleanbill_advisories::Metadata;
use cleanbill_engine::{AdvisoryStore, database_info};
use cleanbill_image::ReadContext;
use indicatif::HumanBytes;
use jiff::Timestamp;

use super::exploitation::{self, List};
use super::{Setting, advisory_database, java_index, print};
use crate::cli::{DatabasePlaceArgs, DbCommand, Extra, ListArgs, NetworkArgs, RepositoryArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::{progress, stop};

pub(crate) fn run(setting: &Setting, command: DbCommand) -> Result<Exit, CommandError> {
    match command {
        DbCommand::Update {
            with,
            place,
            repositories,
            lists,
            network,
            force,
        } => {
            let update = Update {
                setting,
                place: &place,
                repositories: &repositories,
                lists: &lists,
                network: &network,
                is_forced: force,
            };
            update.run(&with)
        }
        DbCommand::Status { place, json } => status(setting, &place, json),
        DbCommand::Import {
            source,
            place,
            network,
        } => import::run(setting, &source, &place, &network),
        DbCommand::Export { file, java, place } => export(setting, &file, java, &place),
    }
}

/// What `db update` was told.
struct Update<'a> {
    setting: &'a Setting,
    place: &'a DatabasePlaceArgs,
    repositories: &'a RepositoryArgs,
    lists: &'a ListArgs,
    network: &'a NetworkArgs,
    is_forced: bool,
}

impl Update<'_> {
    fn run(&self, with: &[Extra]) -> Result<Exit, CommandError> {
        let Self {
            setting,
            repositories,
            network,
            is_forced,
            ..
        } = *self;
        if network.offline {
            return Err(CommandError::usage_text(
                "--offline forbids fetching the advisory database",
            )
            .hint("carry one here: cleanbill db import FILE"));
        }
        let store = advisory_database::store(setting, self.place)?;
        let mut text = fetched(setting, &store, |context| {
            let store = &store;
            advisory_database::update_if_due(
                setting,
                store,
                repositories,
                network,
                context,
                is_forced,
            )
        })?;
        if with.contains(&Extra::Java) {
            let store = java_index::store(setting, self.place);
            text.push_str(&fetched(setting, &store, |context| {
                let store = &store;
                java_index::update_if_due(setting, store, repositories, network, context, is_forced)
            })?);
        }
        for list in with.iter().filter_map(|extra| List::of(*extra)) {
            let context = context();
            text.push_str(&list.update(setting, &store, self.lists, network, &context)?);
        }
        print(text.as_bytes())
    }
}

/// Shows the progress of a fetch, and says what came of it.
fn fetched(
    setting: &Setting,
    store: &AdvisoryStore,
    fetch: impl FnOnce(&ReadContext) -> Result<Option<Metadata>, CommandError>,
) -> Result<String, CommandError> {
    let context = context();
    let is_shown = !setting.global.no_progress && !setting.global.quiet;
    let bar = progress::Download::start(is_shown, &context);
    let updated = fetch(&context);
    bar.finish();
    let name = store.kind().name;
    Ok(match updated? {
        Some(metadata) => format!("Fetched the {name}, {}.\n", built(&metadata)),
        None => {
            let metadata = store.check().map_err(CommandError::database)?;
            format!(
                "The {name} is up to date, {}; --force fetches it all the same.\n",
                built(&metadata)
            )
        }
    })
}

fn status(
    setting: &Setting,
    arguments: &DatabasePlaceArgs,
    is_json: bool,
) -> Result<Exit, CommandError> {
    let store = advisory_database::store(setting, arguments)?;
    let database = store.open().map_err(|error| {
        CommandError::database(error).hint("fetch it with: cleanbill db update")
    })?;
    let statistics = database.statistics().map_err(CommandError::database)?;
    let java_store = java_index::store(setting, arguments);
    let java = if java_store.file().exists() {
        Some(java_store.check().map_err(|error| {
            CommandError::database(error)
                .hint("fetch a new one with: cleanbill db update --with java --force")
        })?)
    } else {
        None
    };
    if is_json {
        let mut value = described(&store, database.metadata());
        value["os_bucket_count"] = statistics.os_bucket_count.into();
        value["ecosystem_bucket_count"] = statistics.ecosystem_bucket_count.into();
        value["java_index"] = match &java {
            Some(metadata) => described(&java_store, metadata),
            None => serde_json::Value::Null,
        };
        for (word, date) in exploitation::status(&store)? {
            value[word] = date.into();
        }
        return print(format!("{value:#}\n").as_bytes());
    }
    let mut text = listed(&store, database.metadata());
    text.push_str(&format!(
        "Advisories:   {} distribution releases, {} language sources\n\n",
        statistics.os_bucket_count, statistics.ecosystem_bucket_count,
    ));
    match &java {
        Some(metadata) => {
            text.push_str("Java index\n");
            text.push_str(&listed(&java_store, metadata));
        }
        None => text.push_str(
            "Java index:   none; it is fetched when an image needs it, or with: cleanbill db \
             update --with java\n",
        ),
    }
    for (word, date) in exploitation::status(&store)? {
        let date = date
            .unwrap_or_else(|| format!("none; fetch it with: cleanbill db update --with {word}"));
        text.push_str(&format!(
            "{:<14}{date}\n",
            format!("{}:", word.to_uppercase())
        ));
    }
    print(text.as_bytes())
}

fn described(store: &AdvisoryStore, metadata: &Metadata) -> serde_json::Value {
    let info = database_info(metadata, Timestamp::now());
    serde_json::json!({
        "directory": store.directory(),
        "schema_version": info.schema_version,
        "updated_at": info.updated_at,
        "next_update": info.next_update,
        "downloaded_at": info.downloaded_at,
        "age_hours": info.age_hours,
        "size_bytes": size_bytes(store),
    })
}

fn listed(store: &AdvisoryStore, metadata: &Metadata) -> String {
    let info = database_info(metadata, Timestamp::now());
    format!(
        "Directory:    {}\n\
         Schema:       {}\n\
         Built:        {} ({} h ago)\n\
         Next build:   {}\n\
         Fetched:      {}\n\
         Size:         {}\n",
        store.directory().display(),
        info.schema_version,
        info.updated_at,
        info.age_hours,
        or_unknown(&info.next_update),
        or_unknown(&info.downloaded_at),
        HumanBytes(size_bytes(store)),
    )
}

fn size_bytes(store: &AdvisoryStore) -> u64 {
    std::fs::metadata(store.file()).map_or(0, |metadata| metadata.len())
}

fn export(
    setting: &Setting,
    path: &Path,
    is_java: bool,
    arguments: &DatabasePlaceArgs,
) -> Result<Exit, CommandError> {
    let store = if is_java {
        java_index::store(setting, arguments)
    } else {
        advisory_database::store(setting, arguments)?
    };
    let metadata = write_export(&store, path)?;
    let text = format!(
        "Wrote the {} to {}, {}.\n",
        store.kind().name,
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
        .permissions(crate::output::permissions())
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
