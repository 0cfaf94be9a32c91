//! Listening to matchers: which rows about one vulnerability they looked at.

use std::cell::RefCell;
use std::sync::Arc;

use cleanbill_core::vulnerability::VulnerabilityDetails;

use crate::Advisory;
use crate::database::{CpeKey, LookupError};
use crate::matchers::{AdvisorySource, LanguageRow, Shelf};

/// Is a source that passes everything on and remembers the rows about one vulnerability. What a
/// matcher was given and made no finding of, it has judged not to apply.
pub struct Recorder<'a> {
    inner: &'a dyn AdvisorySource,
    vulnerability_id: &'a str,
    rows: RefCell<Vec<ConsideredRow>>,
}

/// A row that a matcher looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsideredRow {
    /// The name under which the package was looked up.
    pub package: String,
    /// The row.
    pub advisory: Advisory,
}

impl<'a> Recorder<'a> {
    /// Listens for one vulnerability, by its id or one of the supplier's ids for it.
    pub fn new(inner: &'a dyn AdvisorySource, vulnerability_id: &'a str) -> Self {
        Self {
            inner,
            vulnerability_id,
            rows: RefCell::default(),
        }
    }

    /// Returns the rows in the order in which they were looked at, each once.
    pub fn into_rows(self) -> Vec<ConsideredRow> {
        let mut rows: Vec<ConsideredRow> = Vec::new();
        for row in self.rows.into_inner() {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows
    }

    fn record<'b>(&self, package: &str, advisories: impl Iterator<Item = &'b Advisory>) {
        let rows = advisories
            .filter(|advisory| self.is_about(advisory))
            .map(|advisory| ConsideredRow {
                package: package.to_owned(),
                advisory: advisory.clone(),
            });
        self.rows.borrow_mut().extend(rows);
    }

    fn is_about(&self, advisory: &Advisory) -> bool {
        let is_it = |id: &String| id.eq_ignore_ascii_case(self.vulnerability_id);
        is_it(&advisory.vulnerability_id)
            || advisory.vendor_ids.iter().any(is_it)
            || advisory.entries.iter().any(|entry| {
                entry.vendor_ids.iter().any(is_it) || entry.cves.iter().any(|cve| is_it(&cve.id))
            })
    }
}

impl AdvisorySource for Recorder<'_> {
    fn advisories(&self, bucket: &str, package: &str) -> Result<Vec<Advisory>, LookupError> {
        let advisories = self.inner.advisories(bucket, package)?;
        self.record(package, advisories.iter());
        Ok(advisories)
    }

    fn language_rows(
        &self,
        shelf: &Shelf,
        package: &str,
    ) -> Result<Arc<[LanguageRow]>, LookupError> {
        let rows = self.inner.language_rows(shelf, package)?;
        self.record(package, rows.iter().map(LanguageRow::advisory));
        Ok(rows)
    }

    fn vulnerability(&self, id: &str) -> Result<Option<VulnerabilityDetails>, LookupError> {
        self.inner.vulnerability(id)
    }

    fn cpe_indices(&self, kind: CpeKey, key: &str) -> Result<Vec<i64>, LookupError> {
        self.inner.cpe_indices(kind, key)
    }

    fn has_bucket(&self, name: &str) -> Result<bool, LookupError> {
        self.inner.has_bucket(name)
    }
}
