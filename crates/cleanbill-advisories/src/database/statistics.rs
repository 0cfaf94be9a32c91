//! What a database holds, in numbers.

use std::collections::BTreeSet;

use super::{CPE_BUCKET, DATA_SOURCE_BUCKET, LookupError, VULNERABILITY_BUCKET, text};
use crate::boltdb::{Bucket, Content};

/// Counts the top-level buckets of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Buckets of a distribution's release, `debian 12`.
    pub os_bucket_count: u64,
    /// Buckets of a language ecosystem, `npm::GitHub Security Advisory npm`.
    pub ecosystem_bucket_count: u64,
    /// Advisory buckets whose source the database does not name: findings from them have no data
    /// source.
    pub buckets_without_data_source: Vec<String>,
}

pub(super) fn count(root: Bucket<'_>) -> Result<Statistics, LookupError> {
    let sources = data_source_keys(&root)?;
    let mut statistics = Statistics::default();
    for entry in root.entries() {
        let entry = entry.map_err(LookupError::damaged(b""))?;
        let is_service = [DATA_SOURCE_BUCKET, VULNERABILITY_BUCKET, CPE_BUCKET]
            .iter()
            .any(|service| service.as_bytes() == entry.key);
        if is_service || !matches!(entry.content, Content::Bucket(_)) {
            continue;
        }
        if entry.key.windows(2).any(|pair| pair == b"::") {
            statistics.ecosystem_bucket_count += 1;
        } else {
            statistics.os_bucket_count += 1;
        }
        if !sources.contains(entry.key) {
            statistics.buckets_without_data_source.push(text(entry.key));
        }
    }
    Ok(statistics)
}

fn data_source_keys<'a>(root: &Bucket<'a>) -> Result<BTreeSet<&'a [u8]>, LookupError> {
    let bucket = root
        .bucket(DATA_SOURCE_BUCKET.as_bytes())
        .map_err(LookupError::damaged(DATA_SOURCE_BUCKET.as_bytes()))?;
    let entries = bucket.into_iter().flat_map(|bucket| bucket.entries());
    entries
        .map(|entry| entry.map(|entry| entry.key))
        .collect::<Result<_, _>>()
        .map_err(LookupError::damaged(DATA_SOURCE_BUCKET.as_bytes()))
}
