//! Gets the advisory database that a scan needs: the one on disk, or a newer one.

use cleanbill_advisories::{Database, Metadata, OpenError};
use cleanbill_core::ImageReference;
use cleanbill_engine::{AdvisoryStore, ArtifactSource, DatabaseKind, Due, FetchError, due};
use cleanbill_image::{ReadContext, RegistryClient};
use jiff::Timestamp;

use super::Setting;
use crate::cli::{DatabaseArgs, RegistryArgs};
use crate::error::CommandError;
use crate::registries::Registries;
use crate::{places, stop};

/// Returns the store that the flags name.
pub(crate) fn store(
    setting: &Setting,
    arguments: &DatabaseArgs,
) -> Result<AdvisoryStore, CommandError> {
    let cache = places::cache_directory(setting.global.cache_dir.clone(), &setting.environment);
    places::database_directory(arguments.db_path.clone(), &cache).map(AdvisoryStore::new)
}

/// Returns the database, after fetching a newer one where that is due and allowed. A fetch that
/// fails is no failure while an older database is there: the report says how old it is.
///
/// # Errors
///
/// There is no usable database: exit code 4.
pub(crate) fn obtain(
    setting: &Setting,
    arguments: &DatabaseArgs,
    registry: &RegistryArgs,
    context: &ReadContext,
) -> Result<Database, CommandError> {
    let store = store(setting, arguments)?;
    if arguments.skip_db_update || arguments.offline {
        return store
            .open()
            .map_err(|error| unusable(&store, error, arguments));
    }
    match update_if_due(setting, &store, arguments, registry, context, false) {
        Ok(_) => {}
        Err(error) if store.open().is_ok() => {
            tracing::warn!(
                "{}; going on with the database that is there",
                error.one_line()
            );
        }
        Err(error) => return Err(error),
    }
    store
        .open()
        .map_err(|error| unusable(&store, error, arguments))
}

/// Fetches the database if it is due (or `is_forced`); `None` if it is not.
///
/// # Errors
///
/// It could not be fetched: exit code 4. The one in use stays.
pub(crate) fn update_if_due(
    setting: &Setting,
    store: &AdvisoryStore,
    arguments: &DatabaseArgs,
    registry: &RegistryArgs,
    context: &ReadContext,
    is_forced: bool,
) -> Result<Option<Metadata>, CommandError> {
    let is_due = || -> Result<bool, CommandError> {
        let state = store.open().map(|database| database.metadata().clone());
        match due(&state, Timestamp::now()) {
            Ok(Due::Keep) => Ok(is_forced),
            Ok(Due::Fetch(reason)) => {
                tracing::debug!(reason, "the advisory database is fetched");
                Ok(true)
            }
            Err(found) => Err(CommandError::database(OpenError::SchemaTooNew { found })
                .hint("use a newer version of cleanbill")),
        }
    };
    let fetch = Fetch {
        setting,
        store,
        repositories: &arguments.db_repository,
        is_offline: arguments.offline,
        registry,
        context,
    };
    fetch.run_if(is_due).map_err(|error| {
        error.hint("name a mirror with --db-repository, or carry a database here: cleanbill db import FILE")
    })
}

/// Fetches a database from the repositories that were named, else from the public ones.
pub(crate) struct Fetch<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) store: &'a AdvisoryStore,
    pub(crate) repositories: &'a [String],
    pub(crate) is_offline: bool,
    pub(crate) registry: &'a RegistryArgs,
    pub(crate) context: &'a ReadContext,
}

impl Fetch<'_> {
    /// Fetches it if it is due; `None` if it is not.
    ///
    /// # Errors
    ///
    /// It could not be fetched: exit code 4. The one in use stays.
    pub(crate) fn run_if(
        &self,
        is_due: impl Fn() -> Result<bool, CommandError>,
    ) -> Result<Option<Metadata>, CommandError> {
        if !is_due()? {
            return Ok(None);
        }
        let registries = Registries::new(self.setting, self.registry, self.is_offline)?;
        let client = registries.client(self.context, [])?;
        let lock = self.store.lock().map_err(CommandError::database)?;
        let _at_exit = stop::remove_unfinished(self.store, &lock);
        // Another process may have fetched it while this one waited for the lock.
        if !is_due()? {
            return Ok(None);
        }
        let kind = self.store.kind();
        let repositories: Vec<String> = if self.repositories.is_empty() {
            kind.default_repositories.map(str::to_owned).to_vec()
        } else {
            self.repositories
                .iter()
                .map(|repository| with_tag(repository, kind))
                .collect()
        };
        cleanbill_engine::update(
            self.store,
            &lock,
            &Artifacts { client, kind },
            &repositories,
            &self.context.limits,
            Timestamp::now(),
        )
        .map(Some)
        .map_err(CommandError::database)
    }
}

/// Appends the tag that the reference appends to a repository without one.
pub(crate) fn with_tag(repository: &str, kind: &DatabaseKind) -> String {
    match repository.parse::<ImageReference>() {
        Ok(reference) if reference.tag.is_none() && reference.digest.is_none() => {
            format!("{repository}:{}", kind.tag)
        }
        _ => repository.to_owned(),
    }
}

/// Says that there is no usable database, and what to do.
fn unusable(store: &AdvisoryStore, error: OpenError, arguments: &DatabaseArgs) -> CommandError {
    let why = if arguments.offline {
        "--offline"
    } else {
        "--skip-db-update"
    };
    let is_forbidden = arguments.offline || arguments.skip_db_update;
    let error = CommandError::database(anyhow::Error::new(error).context(format!(
        "there is no usable advisory database in {}{}",
        store.directory().display(),
        if is_forbidden {
            format!(", and {why} forbids fetching one")
        } else {
            String::new()
        }
    )));
    error.hint("fetch it with: cleanbill db update; or carry one here: cleanbill db import FILE")
}

/// Opens database artifacts in registries.
pub(crate) struct Artifacts {
    pub(crate) client: RegistryClient,
    /// What the artifacts must be.
    pub(crate) kind: &'static DatabaseKind,
}

impl ArtifactSource for Artifacts {
    fn open(&self, repository: &str) -> Result<Box<dyn std::io::Read + Send>, FetchError> {
        let failed =
            |is_temporary: bool, source: Box<dyn std::error::Error + Send + Sync>| FetchError {
                repository: repository.to_owned(),
                is_temporary,
                source,
            };
        let reference: ImageReference = repository
            .parse()
            .map_err(|error| failed(false, Box::new(error)))?;
        let artifact = self
            .client
            .open_artifact(&reference)
            .map_err(|error| failed(error.is_temporary(), Box::new(error)))?;
        if artifact.media_type != self.kind.media_type {
            let reason = format!(
                "it holds a {}, not the {} ({})",
                artifact.media_type, self.kind.name, self.kind.media_type
            );
            return Err(failed(false, reason.into()));
        }
        artifact
            .read()
            .map_err(|error| failed(error.is_temporary(), Box::new(error)))
    }
}
