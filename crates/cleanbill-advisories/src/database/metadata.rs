//! `metadata.json`: how old the database is and when it expects a successor.

use jiff::Timestamp;

use super::json::{self, object};

/// Describes an advisory database. Times that are not known are [`Metadata::ZERO_TIME`].
///
/// Source: spec 01 section 1.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The version of the schema.
    pub version: i64,
    /// When a newer database may exist.
    pub next_update: Timestamp,
    /// When the database was built.
    pub updated_at: Timestamp,
    /// When it was fetched; zero in what is published.
    pub downloaded_at: Timestamp,
}

/// Says that bytes are not a `metadata.json`.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// It is not JSON of the right shape.
    #[error("it is not the JSON object that it should be")]
    Json(#[source] serde_json::Error),
    /// A member is not a time.
    #[error("'{text}' in {member} is not a time")]
    Time {
        /// The member's name.
        member: &'static str,
        /// What it holds.
        text: String,
        /// Why that is no time.
        source: jiff::Error,
    },
}

impl Metadata {
    /// `0001-01-01T00:00:00Z`, which Go programs write for a time that is not set.
    pub const ZERO_TIME: Timestamp = Timestamp::constant(-62_135_596_800, 0);

    /// Parses the bytes of the file. What follows the first JSON value is ignored, as in trivy-db.
    ///
    /// # Errors
    ///
    /// No JSON object, a member of the wrong type or a malformed time.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        let raw: RawMetadata = json::parse_first(bytes).map_err(MetadataError::Json)?;
        Ok(Self {
            version: raw.version,
            next_update: parse_time("NextUpdate", raw.next_update)?,
            updated_at: parse_time("UpdatedAt", raw.updated_at)?,
            downloaded_at: parse_time("DownloadedAt", raw.downloaded_at)?,
        })
    }

    /// Prints the file as trivy-db does.
    pub fn to_json(&self) -> String {
        let version = match self.version {
            0 => String::new(),
            version => format!("\"Version\":{version},"),
        };
        format!(
            "{{{version}\"NextUpdate\":\"{}\",\"UpdatedAt\":\"{}\",\"DownloadedAt\":\"{}\"}}\n",
            self.next_update, self.updated_at, self.downloaded_at
        )
    }
}

#[derive(Debug, Default)]
struct RawMetadata {
    version: i64,
    next_update: String,
    updated_at: String,
    downloaded_at: String,
}

object!(RawMetadata {
    "Version" => version,
    "NextUpdate" => next_update,
    "UpdatedAt" => updated_at,
    "DownloadedAt" => downloaded_at,
});

fn parse_time(member: &'static str, text: String) -> Result<Timestamp, MetadataError> {
    if text.is_empty() {
        return Ok(Metadata::ZERO_TIME);
    }
    text.parse().map_err(|source| MetadataError::Time {
        member,
        text,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_parsed() {
        for text in [
            r#"{"Version":2,"NextUpdate":"2026-11-22T06:29:12.2Z","UpdatedAt":"2026-11-21T06:29:12.2Z","DownloadedAt":"2026-11-21T09:00:00Z"}"#,
            r#"{"Version":2,"NextUpdate":"2026-11-22T06:29:12.123456789Z","UpdatedAt":"2026-11-21T06:29:12Z","DownloadedAt":"0001-01-01T00:00:00Z"}"#,
            r#"{"NextUpdate":"0001-01-01T00:00:00Z","UpdatedAt":"0001-01-01T00:00:00Z","DownloadedAt":"0001-01-01T00:00:00Z"}"#,
        ] {
            let metadata = Metadata::parse(text.as_bytes()).unwrap();
            assert_eq!(metadata.to_json(), format!("{text}\n"));
        }
    }

    #[test]
    fn absent_and_null_members_are_zero() {
        let metadata = Metadata::parse(br#"{"version":1,"NextUpdate":null} trailing"#).unwrap();
        assert_eq!(metadata.version, 1);
        assert_eq!(metadata.next_update, Metadata::ZERO_TIME);
        assert_eq!(metadata.downloaded_at, Metadata::ZERO_TIME);
    }

    #[test]
    fn times_with_an_offset_become_utc() {
        let metadata = Metadata::parse(br#"{"UpdatedAt":"2026-11-21T08:00:00+02:00"}"#).unwrap();
        assert_eq!(metadata.updated_at.to_string(), "2026-11-21T06:00:00Z");
    }

    #[test]
    fn errors_name_the_member() {
        for (text, expected) in [
            ("", "it is not the JSON object that it should be"),
            ("[]", "it is not the JSON object that it should be"),
            (
                r#"{"Version":"2"}"#,
                "it is not the JSON object that it should be",
            ),
            (
                r#"{"UpdatedAt":"yesterday"}"#,
                "'yesterday' in UpdatedAt is not a time",
            ),
        ] {
            let error = Metadata::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
        }
    }
}
