//! Fetches the advisory database or the Java index from the first repository that can give it.

use std::io::Read;

use cleanbill_advisories::Metadata;
use cleanbill_core::{Limits, error_chain};
use jiff::Timestamp;

use crate::advisory_store::{AdvisoryStore, AdvisoryStoreError, UpdateLock};

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
    /// Another repository may have better luck (spec 01 section 1.2).
    pub is_temporary: bool,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Says why the database could not be updated. The one in use stays.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// No repository gave its archive.
    #[error("no repository gave the {name}: {}", describe(.errors))]
    Fetch {
        /// What was asked for.
        name: &'static str,
        /// What each repository said.
        errors: Vec<FetchError>,
    },
    /// What came could not take the place of the old one.
    #[error("the {name} from {repository} was not taken")]
    Install {
        /// What was asked for.
        name: &'static str,
        /// The repository.
        repository: String,
        /// Why.
        #[source]
        source: Box<AdvisoryStoreError>,
    },
}

fn describe(errors: &[FetchError]) -> String {
    errors
        .iter()
        .map(|error| error_chain(error))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Fetches the database from the first of `repositories` that can give it and installs it.
///
/// # Errors
///
/// See [`UpdateError`]. The next repository is tried only after a temporary failure.
///
/// Source: spec 01 section 1.2.
pub fn update(
    store: &AdvisoryStore,
    lock: &UpdateLock,
    source: &dyn ArtifactSource,
    repositories: &[String],
    limits: &Limits,
    now: Timestamp,
) -> Result<Metadata, UpdateError> {
    let mut failures = Vec::new();
    for repository in repositories {
        match source.open(repository) {
            Ok(mut archive) => {
                return store
                    .install_archive(lock, archive.as_mut(), limits, now)
                    .map_err(|source| UpdateError::Install {
                        name: store.kind().name,
                        repository: repository.clone(),
                        source: Box::new(source),
                    });
            }
            Err(error) => {
                let is_temporary = error.is_temporary;
                failures.push(error);
                if !is_temporary {
                    break;
                }
            }
        }
    }
    Err(UpdateError::Fetch {
        name: store.kind().name,
        errors: failures,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use cleanbill_testkit::AdvisoryDatabaseBuilder;

    use super::*;

    /// Fails the way that the repository's name says.
    struct Fake {
        archive: Vec<u8>,
        asked: RefCell<Vec<String>>,
    }

    impl ArtifactSource for Fake {
        fn open(&self, repository: &str) -> Result<Box<dyn Read + Send>, FetchError> {
            self.asked.borrow_mut().push(repository.to_owned());
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
        };
        let repositories: Vec<String> = repositories.iter().map(|r| (*r).to_owned()).collect();
        let now = "2026-11-22T06:30:00Z".parse().unwrap();
        let outcome = update(&store, &lock, &fake, &repositories, &Limits::default(), now);
        assert_eq!(*fake.asked.borrow(), asked);
        assert_eq!(store.open().is_ok(), is_updated);
        outcome
    }

    #[test]
    fn the_next_repository_is_tried_after_a_temporary_failure_only() {
        check(&["busy", "good", "busy"], &["busy", "good"], true).unwrap();
        let error = check(&["busy", "denied", "good"], &["busy", "denied"], false).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no repository gave the advisory database: busy: 503 Service Unavailable; \
             denied: 503 Service Unavailable"
        );
        let error = check(&["broken", "good"], &["broken"], false).unwrap_err();
        assert!(matches!(error, UpdateError::Install { .. }), "{error}");
    }
}
