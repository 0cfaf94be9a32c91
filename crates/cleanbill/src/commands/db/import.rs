//! `cleanbill db import`: what the source holds decides what is imported.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::path::Path;

use anyhow::Context as _;
use cleanbill_advisories::Metadata;
use cleanbill_engine::{ADVISORIES, AdvisoryStore, DatabaseKind, JAVA_INDEX, archive_kind};
use cleanbill_image::ReadContext;
use jiff::Timestamp;

use super::{built, context};
use crate::cli::{DatabasePlaceArgs, NetworkArgs};
use crate::commands::advisory_database::{self, Artifacts, with_tag};
use crate::commands::exploitation::List;
use crate::commands::{Setting, java_index, print};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::registries::Registries;
use crate::stop;

const EXPECTED: &str = "expected an archive (db.tar.gz, javadb.tar.gz), a directory with trivy.db \
                        or trivy-java.db and metadata.json, EPSS scores (CSV), a KEV catalogue (JSON), \
                        or oci:REGISTRY/REPOSITORY:TAG";

pub(super) fn run(
    setting: &Setting,
    source: &str,
    arguments: &DatabasePlaceArgs,
    network: &NetworkArgs,
) -> Result<Exit, CommandError> {
    let import = Import {
        setting,
        arguments,
        network,
        context: context(),
        now: Timestamp::now(),
    };
    let text = if let Some(repository) = source.strip_prefix("oci:") {
        import.repository(repository)?
    } else if Path::new(source).is_dir() {
        import.directory(Path::new(source))?
    } else {
        import.archive(source)?
    };
    print(text.as_bytes())
}

struct Import<'a> {
    setting: &'a Setting,
    arguments: &'a DatabasePlaceArgs,
    network: &'a NetworkArgs,
    context: ReadContext,
    now: Timestamp,
}

impl Import<'_> {
    fn store(&self, kind: &'static DatabaseKind) -> Result<AdvisoryStore, CommandError> {
        if kind.file == JAVA_INDEX.file {
            Ok(java_index::store(self.setting, self.arguments))
        } else {
            advisory_database::store(self.setting, self.arguments)
        }
    }

    fn repository(&self, repository: &str) -> Result<String, CommandError> {
        let client = Registries::new(self.setting, self.network).client(&self.context, [])?;
        // A repository without a tag is named like the public ones.
        let is_java = repository.contains("java");
        let kind = if is_java { &JAVA_INDEX } else { &ADVISORIES };
        let repository = with_tag(repository, kind);
        let kind = client
            .open_artifact(&repository.parse().map_err(CommandError::usage)?)
            .ok()
            .filter(|artifact| artifact.media_type == JAVA_INDEX.media_type)
            .map_or(&ADVISORIES, |_| &JAVA_INDEX);
        let store = self.store(kind)?;
        let lock = store.lock().map_err(CommandError::usage)?;
        let _at_exit = stop::remove_unfinished(&store, &lock);
        let metadata = cleanbill_engine::update(
            &store,
            &lock,
            &Artifacts { client, kind },
            &[repository],
            &self.context,
            self.now,
        )
        .map_err(CommandError::database)?;
        Ok(imported(&store, &metadata))
    }

    /// Imports what a directory holds: a Trivy cache directory has both, one level down.
    fn directory(&self, path: &Path) -> Result<String, CommandError> {
        let java = java_index::in_directory(path);
        let nested = path.join("db");
        let advisories = [path, nested.as_path()]
            .into_iter()
            .find(|path| path.join(ADVISORIES.file).exists());
        let mut text = String::new();
        if let Some(path) = &java {
            text.push_str(&self.install_directory(&JAVA_INDEX, path)?);
        }
        if advisories.is_some() || java.is_none() {
            let path = advisories.unwrap_or(&nested);
            text.push_str(&self.install_directory(&ADVISORIES, path)?);
        }
        Ok(text)
    }

    fn install_directory(
        &self,
        kind: &'static DatabaseKind,
        path: &Path,
    ) -> Result<String, CommandError> {
        let store = self.store(kind)?;
        let lock = store.lock().map_err(CommandError::usage)?;
        let _at_exit = stop::remove_unfinished(&store, &lock);
        let metadata = store
            .install_directory(&lock, path, self.now)
            .map_err(CommandError::usage)?;
        Ok(imported(&store, &metadata))
    }

    fn archive(&self, source: &str) -> Result<String, CommandError> {
        let cannot_open = |error: anyhow::Error| {
            let error = error.context(format!("cannot open {source}"));
            CommandError::usage(error).hint(EXPECTED)
        };
        // A pipe would be waited for, and cannot be read twice.
        let metadata = std::fs::metadata(source).map_err(|error| cannot_open(error.into()))?;
        if !metadata.is_file() {
            return Err(cannot_open(anyhow::Error::msg("it is no regular file")));
        }
        let mut file = File::open(source).map_err(|error| cannot_open(error.into()))?;
        let list = List::of_file(&mut file)
            .with_context(|| format!("cannot read {source}"))
            .map_err(CommandError::usage)?;
        if let Some(list) = list {
            let store = self.store(&ADVISORIES)?;
            let mut content = self.context.watch(file);
            return list
                .install(&store, &mut content, &self.context, "Imported")
                .map_err(CommandError::usage);
        }
        let kind = archive_kind(&mut self.context.watch(&file), &self.context.limits)
            .unwrap_or(&ADVISORIES);
        file.seek(SeekFrom::Start(0))
            .with_context(|| format!("cannot read {source}"))
            .map_err(CommandError::usage)?;
        let store = self.store(kind)?;
        let lock = store.lock().map_err(CommandError::usage)?;
        let _at_exit = stop::remove_unfinished(&store, &lock);
        let mut archive = self.context.watch(file);
        let metadata = store
            .install_archive(&lock, &mut archive, &self.context.limits, self.now)
            .map_err(|error| CommandError::usage(error).hint(EXPECTED))?;
        Ok(imported(&store, &metadata))
    }
}

fn imported(store: &AdvisoryStore, metadata: &Metadata) -> String {
    format!(
        "Imported the {} into {}, {}.\n",
        store.kind().name,
        store.directory().display(),
        built(metadata)
    )
}
