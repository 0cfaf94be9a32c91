//! Whether a new database should be fetched.

use cleanbill_advisories::{Metadata, OpenError};
use jiff::{SignedDuration, Timestamp};

/// How long after a fetch no new one is tried.
const PAUSE_AFTER_DOWNLOAD: SignedDuration = SignedDuration::from_hours(1);

/// How long after a fetch no new Java index is tried.
const PAUSE_AFTER_JAVA_INDEX: SignedDuration = SignedDuration::from_hours(24);

/// The version of the Java index's schema.
const JAVA_INDEX_VERSION: i64 = 1;

/// Says what is to be done about the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is used as it is.
    Keep,
    /// A new one should be fetched; the text says why.
    Fetch(&'static str),
}

/// Applies the age rules of Trivy to what is on disk.
///
/// # Errors
///
/// The database is made for newer programs: fetching would not help.
///
/// Source: spec 01 section 1.4.
pub fn due(state: &Result<Metadata, OpenError>, now: Timestamp) -> Result<Due, i64> {
    let metadata = match state {
        Ok(metadata) => metadata,
        Err(OpenError::SchemaTooNew { found }) => return Err(*found),
        Err(OpenError::SchemaTooOld { .. }) => {
            return Ok(Due::Fetch("the database has an older schema"));
        }
        Err(OpenError::Missing { .. }) => return Ok(Due::Fetch("there is no database yet")),
        Err(_) => return Ok(Due::Fetch("the database cannot be used")),
    };
    if metadata.downloaded_at == Metadata::ZERO_TIME {
        return Ok(Due::Fetch("nothing says when the database was fetched"));
    }
    let is_fresh = now < metadata.next_update
        || now.duration_since(metadata.downloaded_at) < PAUSE_AFTER_DOWNLOAD;
    Ok(if is_fresh {
        Due::Keep
    } else {
        Due::Fetch("a newer database is due")
    })
}

/// Applies the age rules of Trivy to the Java index; `None` if there is none that can be used.
///
/// Source: spec 01 section 1.5.
pub fn java_index_due(metadata: Option<&Metadata>, now: Timestamp) -> Due {
    let Some(metadata) = metadata else {
        return Due::Fetch("there is no usable Java index");
    };
    if metadata.version != JAVA_INDEX_VERSION {
        return Due::Fetch("the Java index has another schema");
    }
    let is_fresh = now < metadata.next_update
        || now.duration_since(metadata.downloaded_at) < PAUSE_AFTER_JAVA_INDEX;
    if is_fresh {
        Due::Keep
    } else {
        Due::Fetch("a newer Java index is due")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(hours: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hours * 3600).unwrap()
    }

    #[track_caller]
    fn check(next_update: i64, downloaded_at: Option<i64>, expected: bool) {
        let metadata = Metadata {
            version: 2,
            next_update: hours(next_update),
            updated_at: hours(-24),
            downloaded_at: downloaded_at.map_or(Metadata::ZERO_TIME, hours),
        };
        let due = due(&Ok(metadata), hours(0)).unwrap();
        assert_eq!(matches!(due, Due::Fetch(_)), expected, "{due:?}");
    }

    #[test]
    fn the_rules_are_those_of_the_reference() {
        check(1, Some(-20), false);
        check(0, Some(-20), true);
        check(-5, Some(-20), true);
        check(-5, Some(0), false);
        check(-5, Some(-1), true);
        check(5, None, true);
    }

    #[test]
    fn what_cannot_be_used_is_fetched_again_unless_it_is_too_new() {
        let missing = OpenError::Missing {
            path: "trivy.db".into(),
        };
        assert!(matches!(due(&Err(missing), hours(0)), Ok(Due::Fetch(_))));
        let old = OpenError::SchemaTooOld { found: 1 };
        assert!(matches!(due(&Err(old), hours(0)), Ok(Due::Fetch(_))));
        assert_eq!(
            due(&Err(OpenError::SchemaTooNew { found: 3 }), hours(0)),
            Err(3)
        );
    }

    #[track_caller]
    fn check_java(version: i64, next_update: i64, downloaded_at: i64, expected: bool) {
        let metadata = Metadata {
            version,
            next_update: hours(next_update),
            updated_at: hours(-72),
            downloaded_at: hours(downloaded_at),
        };
        let due = java_index_due(Some(&metadata), hours(0));
        assert_eq!(matches!(due, Due::Fetch(_)), expected, "{due:?}");
    }

    #[test]
    fn the_rules_of_the_java_index_are_those_of_the_reference() {
        check_java(1, 1, -100, false);
        check_java(1, 0, -23, false);
        check_java(1, 0, -24, true);
        check_java(2, 1, 0, true);
        assert!(matches!(java_index_due(None, hours(0)), Due::Fetch(_)));
    }
}
