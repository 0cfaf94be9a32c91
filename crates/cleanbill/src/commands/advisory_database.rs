//! Gets the advisory database that a scan needs: the one on disk, or a newer one.

use cleanbill_advisories::{Database, Metadata, OpenError};
use cleanbill_core::ImageReference;
use cleanbill_engine::{AdvisoryStore, ArtifactSource, DatabaseKind, Due, FetchError, due};
use cleanbill_image::{ReadContext, RegistryClient};
use jiff::Timestamp;

use super::Setting;
use crate::cli::{DatabaseArgs, DatabasePlaceArgs, NetworkArgs, RepositoryArgs};
use crate::error::CommandError;
use crate::registries::Registries;
use crate::{places, stop};

/// Returns the store that the flags name.
pub(crate) fn store(
    setting: &Setting,
    arguments: &DatabasePlaceArgs,
) -> Result<AdvisoryStore, CommandError> {
    let cache = places::cache_directory(setting.global.cache_dir.clone(), &setting.environment);
    places::database_directory(arguments.db_path.clone(), &cache).map(AdvisoryStore::new)
}

/// Opens the database that is there.
///
/// # Errors
///
/// There is no usable one: exit code 4.
pub(crate) fn open(
    setting: &Setting,
    arguments: &DatabasePlaceArgs,
) -> Result<Database, CommandError> {
    let store = store(setting, arguments)?;
    store.open().map_err(|error| unusable(&store, error, None))
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
    network: &NetworkArgs,
    context: &ReadContext,
) -> Result<Database, CommandError> {
    let store = store(setting, &arguments.place)?;
    let forbidden_by = match (network.offline, arguments.skip_db_update) {
        (true, _) => Some("--offline"),
        (_, true) => Some("--skip-db-update"),
        _ => None,
    };
    let open = || {
        store
            .open()
            .map_err(|error| unusable(&store, error, forbidden_by))
    };
    if forbidden_by.is_some() {
        return open();
    }
    let repositories = &arguments.repositories;
    match update_if_due(setting, &store, repositories, network, context, false) {
        Ok(_) => {}
        Err(error) if store.open().is_ok() => {
            tracing::warn!(
                "{}; going on with the database that is there",
                error.one_line()
            );
        }
        Err(error) => return Err(error),
    }
    open()
}

/// Fetches the database if it is due (or `is_forced`); `None` if it is not.
///
/// # Errors
///
/// It could not be fetched: exit code 4. The one in use stays.
pub(crate) fn update_if_due(
    setting: &Setting,
    store: &AdvisoryStore,
    arguments: &RepositoryArgs,
    network: &NetworkArgs,
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
        network,
        context,
        hint: "name a mirror with --db-repository, or carry a database here: cleanbill db import FILE",
    };
    fetch.run_if(is_due)
}

/// Fetches a database from the repositories that were named, else from the public ones.
pub(crate) struct Fetch<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) store: &'a AdvisoryStore,
    pub(crate) repositories: &'a [String],
    pub(crate) network: &'a NetworkArgs,
    pub(crate) context: &'a ReadContext,
    /// What to do when no repository has one.
    pub(crate) hint: &'static str,
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
        let client = Registries::new(self.setting, self.network).client(self.context, [])?;
        let lock = self.store.lock().map_err(|error| {
            CommandError::database(error)
                .hint("name a directory that can be written: --cache-dir DIR or --db-path DIR")
        })?;
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
            self.context,
            Timestamp::now(),
        )
        .map(Some)
        .map_err(|error| CommandError::database(error).hint(self.hint))
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
fn unusable(store: &AdvisoryStore, error: OpenError, forbidden_by: Option<&str>) -> CommandError {
    let error = CommandError::database(anyhow::Error::new(error).context(format!(
        "there is no usable advisory database in {}{}",
        store.directory().display(),
        forbidden_by
            .map(|flag| format!(", and {flag} forbids fetching one"))
            .unwrap_or_default()
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
