//! Gets the Java index: for `cleanbill db`, and for a scan that turns out to need it.

use std::path::PathBuf;

use cleanbill_advisories::Metadata;
use cleanbill_core::error_chain;
use cleanbill_engine::{AdvisoryStore, Due, JAVA_INDEX, JavaIndexSource, java_index_due};
use cleanbill_image::ReadContext;
use cleanbill_store::JavaIndexFile;
use jiff::Timestamp;

use super::Setting;
use super::advisory_database::Fetch;
use crate::cli::{DatabaseArgs, DatabasePlaceArgs, NetworkArgs, RepositoryArgs};
use crate::error::CommandError;
use crate::places;

/// What to do about an index that is missing.
pub(crate) const REMEDY: &str = "fetch it with: cleanbill db update --with java; or carry one \
                                 here: cleanbill db import FILE";

/// Returns the store that the flags name.
pub(crate) fn store(setting: &Setting, arguments: &DatabasePlaceArgs) -> AdvisoryStore {
    let cache = places::cache_directory(setting.global.cache_dir.clone(), &setting.environment);
    AdvisoryStore::java_index(places::java_index_directory(
        arguments.db_path.clone(),
        &cache,
    ))
}

/// Fetches the index if it is due (or `is_forced`); `None` if it is not.
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
    let is_due = || {
        let metadata = store.check().ok();
        match java_index_due(metadata.as_ref(), Timestamp::now()) {
            Due::Keep => Ok(is_forced),
            Due::Fetch(reason) => {
                tracing::debug!(reason, "the Java index is fetched");
                Ok(true)
            }
        }
    };
    let fetch = Fetch {
        setting,
        store,
        repositories: &arguments.java_db_repository,
        network,
        context,
        hint: "name a mirror with --java-db-repository, or carry an index here: cleanbill db import \
               FILE",
    };
    fetch.run_if(is_due)
}

/// Opens the index for a scan that needs it, after fetching a newer one where that is due and
/// allowed.
pub(crate) struct ScanIndex<'a> {
    setting: &'a Setting,
    arguments: &'a DatabaseArgs,
    network: &'a NetworkArgs,
    context: ReadContext,
}

impl<'a> ScanIndex<'a> {
    pub(crate) fn new(
        setting: &'a Setting,
        arguments: &'a DatabaseArgs,
        network: &'a NetworkArgs,
        context: &ReadContext,
    ) -> Self {
        Self {
            setting,
            arguments,
            network,
            context: context.clone(),
        }
    }

    /// Says which flag forbids fetching one.
    fn forbidden_by(&self) -> Option<&'static str> {
        match (self.network.offline, self.arguments.skip_java_db_update) {
            (true, _) => Some("--offline"),
            (_, true) => Some("--skip-java-db-update"),
            _ => None,
        }
    }
}

impl JavaIndexSource for ScanIndex<'_> {
    fn open(&self) -> Result<JavaIndexFile, Box<dyn std::error::Error + Send + Sync>> {
        let store = store(self.setting, &self.arguments.place);
        if self.forbidden_by().is_none() {
            let updated = update_if_due(
                self.setting,
                &store,
                &self.arguments.repositories,
                self.network,
                &self.context,
                false,
            );
            match updated {
                Ok(_) => {}
                Err(error) if store.check().is_ok() => tracing::warn!(
                    "{}; going on with the Java index that is there",
                    error.one_line()
                ),
                Err(error) => return Err(format!("{}; {REMEDY}", error.one_line()).into()),
            }
        }
        JavaIndexFile::open(&store.file()).map_err(|error| {
            let forbidden = self
                .forbidden_by()
                .map(|flag| format!(", and {flag} forbids fetching one"))
                .unwrap_or_default();
            format!("{}{forbidden}; {REMEDY}", error_chain(&error)).into()
        })
    }
}

/// Returns the index that lies in a directory or beside an advisory database in it.
pub(crate) fn in_directory(directory: &std::path::Path) -> Option<PathBuf> {
    [directory.to_owned(), directory.join("java-db")]
        .into_iter()
        .find(|directory| directory.join(JAVA_INDEX.file).exists())
}
