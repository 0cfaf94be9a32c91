//! Fetches the advisory database or the Java index from the first repository that can give it.

use std::io::Read;

use cleanbill_advisories::Metadata;
use cleanbill_core::error_chain;
use cleanbill_image::ReadContext;
use jiff::Timestamp;

use crate::advisory_store::{AdvisoryStore, AdvisoryStoreError, UpdateLock};
use crate::is_transient;

/// Gives the archive of an advisory database.
pub trait ArtifactSource {
    /// Opens the archive of a repository (`host/path:tag`).
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    fn open(&self, repository: &str) -> Result<Box<dyn Read + Send>, FetchError>;
}

/// Says why a repository could not give its archive.
#[derive(Debug, thiserror::Error)]
#[error("{repository}")]
pub struct FetchError {
    /// The repository.
    pub repository: String,
    /// Trying again later may help.
    pub is_temporary: bool,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Says why the database could not be updated: no repository gave one. The one in use stays.
#[derive(Debug, thiserror::Error)]
#[error("no repository gave the {name}: {}", describe(.errors))]
pub struct UpdateError {
    /// What was asked for.
    pub name: &'static str,
    /// What came of each repository that was asked.
    pub errors: Vec<FetchError>,
}

impl UpdateError {
    /// Says whether trying again later may help.
    pub fn is_temporary(&self) -> bool {
        self.errors.iter().any(|error| error.is_temporary)
    }
}

fn describe(errors: &[FetchError]) -> String {
    errors
        .iter()
        .map(|error| error_chain(error))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Fetches the database from the first of `repositories` that can give it and installs it. The next
/// one is asked after every failure: one that is not reached, has none, or gives what cannot be
/// used; only a run that was stopped, and a disk that cannot be written, end the search.
///
/// # Errors
///
/// See [`UpdateError`].
pub fn update(
    store: &AdvisoryStore,
    lock: &UpdateLock,
    source: &dyn ArtifactSource,
    repositories: &[String],
    context: &ReadContext,
    now: Timestamp,
) -> Result<Metadata, UpdateError> {
    let mut errors = Vec::new();
    for repository in repositories {
        let error = match fetch(store, lock, source, repository, context, now) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        let is_local = matches!(
            error.source.downcast_ref(),
            Some(AdvisoryStoreError::File { .. })
        );
        errors.push(error);
        if is_local || context.check().is_err() {
            break;
        }
    }
    Err(UpdateError {
        name: store.kind().name,
        errors,
    })
}

fn fetch(
    store: &AdvisoryStore,
    lock: &UpdateLock,
    source: &dyn ArtifactSource,
    repository: &str,
    context: &ReadContext,
    now: Timestamp,
) -> Result<Metadata, FetchError> {
    let mut archive = source.open(repository)?;
    store
        .install_archive(lock, archive.as_mut(), &context.limits, now)
        .map_err(|error| FetchError {
            repository: repository.to_owned(),
            is_temporary: is_transient(&error),
            source: Box::new(error),
        })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::atomic::Ordering;

    use cleanbill_testkit::AdvisoryDatabaseBuilder;

    use super::*;

    /// Fails the way that the repository's name says.
    struct Fake {
        archive: Vec<u8>,
        asked: RefCell<Vec<String>>,
        context: ReadContext,
    }

    impl ArtifactSource for Fake {
        fn open(&self, repository: &str) -> Result<Box<dyn Read + Send>, FetchError> {
            self.asked.borrow_mut().push(repository.to_owned());
            if repository == "stopped" {
                self.context.cancelled.store(true, Ordering::Relaxed);
            }
            match repository {
                "good" => Ok(Box::new(std::io::Cursor::new(self.archive.clone()))),
                "broken" => Ok(Box::new(std::io::Cursor::new(b"no archive".to_vec()))),
                other => Err(FetchError {
                    repository: other.to_owned(),
                    is_temporary: other == "busy",
                    source: "503 Service Unavailable".into(),
                }),
            }
        }
    }

    #[track_caller]
    fn check(
        repositories: &[&str],
        asked: &[&str],
        is_updated: bool,
    ) -> Result<Metadata, UpdateError> {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("source");
        std::fs::create_dir(&source).unwrap();
        let builder = AdvisoryDatabaseBuilder::new().advisory(
            "alpine 3.20",
            "musl",
            "CVE-1-1",
            r#"{"FixedVersion":"2"}"#,
        );
        builder.write_to(&source).unwrap();
        let mut archive = Vec::new();
        AdvisoryStore::new(source).export(&mut archive).unwrap();

        let store = AdvisoryStore::new(directory.path().join("db"));
        let lock = store.lock().unwrap();
        let fake = Fake {
            archive,
            asked: RefCell::default(),
            context: ReadContext::default(),
        };
        let repositories: Vec<String> = repositories.iter().map(|r| (*r).to_owned()).collect();
        let now = "2026-11-22T06:30:00Z".parse().unwrap();
        let outcome = update(&store, &lock, &fake, &repositories, &fake.context, now);
        assert_eq!(*fake.asked.borrow(), asked);
        assert_eq!(store.open().is_ok(), is_updated);
        outcome
    }

    #[test]
    fn the_next_repository_is_tried_after_every_failure() {
        check(&["busy", "good", "busy"], &["busy", "good"], true).unwrap();
        check(
            &["broken", "denied", "good"],
            &["broken", "denied", "good"],
            true,
        )
        .unwrap();
        let error = check(&["denied", "broken"], &["denied", "broken"], false).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with(
                "no repository gave the advisory database: denied: 503 Service Unavailable; \
                 broken: "
            ),
            "{text}"
        );
        assert!(!error.is_temporary());
        let error = check(&["busy", "denied"], &["busy", "denied"], false).unwrap_err();
        assert!(error.is_temporary());
    }

    #[test]
    fn a_run_that_was_stopped_asks_no_more() {
        check(&["stopped", "good"], &["stopped"], false).unwrap_err();
    }
}
