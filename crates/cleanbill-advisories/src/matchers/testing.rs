//! A small advisory database and short ways to write packages and advisories.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cleanbill_core::distro::{Distro, Family, RepositoryHint};
use cleanbill_core::package::Package;
use cleanbill_core::vulnerability::{DataSource, VulnerabilityDetails};

use super::{
    AdvisorySource, LanguageRow, MatchError, OsMatch, OsPackages, Shelf, match_os_packages,
};
use crate::database::{CpeKey, LookupError};
use crate::{Advisory, AdvisoryEntry};

/// Answers from maps.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) buckets: BTreeMap<String, BTreeMap<String, BTreeMap<String, Advisory>>>,
    pub(crate) sources: HashMap<String, DataSource>,
    pub(crate) records: HashMap<String, VulnerabilityDetails>,
    pub(crate) cpes: HashMap<String, Vec<i64>>,
    /// What was looked up, in order.
    pub(crate) asked: RefCell<Vec<String>>,
}

impl AdvisorySource for Fake {
    fn advisories(&self, bucket: &str, package: &str) -> Result<Vec<Advisory>, LookupError> {
        self.asked.borrow_mut().push(format!("{bucket}/{package}"));
        let rows = self
            .buckets
            .get(bucket)
            .and_then(|packages| packages.get(package));
        let source = self.sources.get(bucket).cloned().map(Into::into);
        Ok(rows
            .into_iter()
            .flatten()
            .map(|(id, advisory)| Advisory {
                vulnerability_id: id.clone(),
                bucket: bucket.into(),
                data_source: source.clone(),
                ..advisory.clone()
            })
            .collect())
    }

    fn language_rows(
        &self,
        shelf: &Shelf,
        package: &str,
    ) -> Result<Arc<[LanguageRow]>, LookupError> {
        let buckets = self
            .buckets
            .keys()
            .filter(|name| name.starts_with(shelf.prefix));
        let mut by_id = BTreeMap::new();
        for bucket in buckets {
            for advisory in self.advisories(bucket, package)? {
                by_id.insert(advisory.vulnerability_id.clone(), advisory);
            }
        }
        let rows = by_id.into_values();
        Ok(rows
            .map(|row| LanguageRow::new(row, shelf.scheme))
            .collect())
    }

    fn vulnerability(&self, id: &str) -> Result<Option<VulnerabilityDetails>, LookupError> {
        self.asked.borrow_mut().push(id.to_owned());
        Ok(self.records.get(id).cloned())
    }

    fn cpe_indices(&self, kind: CpeKey, key: &str) -> Result<Vec<i64>, LookupError> {
        let cpes = self.cpes.get(&format!("{kind:?} {key}"));
        Ok(cpes.cloned().unwrap_or_default())
    }

    fn has_bucket(&self, name: &str) -> Result<bool, LookupError> {
        Ok(self.buckets.contains_key(name))
    }
}

/// One image and one database.
pub(crate) struct Case {
    pub(crate) distro: Distro,
    pub(crate) hint: Option<RepositoryHint>,
    pub(crate) packages: Vec<Package>,
    pub(crate) database: Fake,
}

impl Case {
    pub(crate) fn new(family: &str, name: &str) -> Self {
        Self {
            distro: Distro {
                family: Family::new(family),
                name: name.to_owned(),
                extended: false,
                supplier: String::new(),
            },
            hint: None,
            packages: Vec::new(),
            database: Fake::default(),
        }
    }

    pub(crate) fn package(mut self, package: Package) -> Self {
        self.packages.push(package);
        self
    }

    pub(crate) fn advisory(
        mut self,
        bucket: &str,
        package: &str,
        id: &str,
        advisory: Advisory,
    ) -> Self {
        let packages = self.database.buckets.entry(bucket.to_owned()).or_default();
        let rows = packages.entry(package.to_owned()).or_default();
        rows.insert(id.to_owned(), advisory);
        self
    }

    pub(crate) fn source(mut self, bucket: &str, id: &str, base: &str) -> Self {
        let source = DataSource {
            id: id.to_owned(),
            base_id: base.to_owned(),
            ..DataSource::default()
        };
        self.database.sources.insert(bucket.to_owned(), source);
        self
    }

    /// Binds a repository (`Repository name`) or an image (`Nvr name`) to platforms.
    pub(crate) fn cpes(mut self, key: &str, cpes: &[i64]) -> Self {
        self.database.cpes.insert(key.to_owned(), cpes.to_vec());
        self
    }

    pub(crate) fn with_input<T>(&self, run: impl FnOnce(&OsPackages<'_>) -> T) -> T {
        run(&OsPackages {
            distro: &self.distro,
            repository_hint: self.hint.as_ref(),
            packages: &self.packages,
            now: "2026-11-22T00:00:00Z".parse().unwrap(),
        })
    }

    pub(crate) fn try_run(&self) -> Result<OsMatch, MatchError> {
        self.with_input(|input| match_os_packages(&self.database, input))
    }

    #[track_caller]
    pub(crate) fn run(&self) -> OsMatch {
        self.try_run().unwrap()
    }

    /// Runs and lists the findings as `id package installed -> fixed`.
    #[track_caller]
    pub(crate) fn found(&self) -> Vec<String> {
        self.run()
            .findings
            .iter()
            .map(|finding| {
                format!(
                    "{} {} {} -> {}",
                    finding.vulnerability_id,
                    finding.package_name,
                    finding.installed_version,
                    finding.fixed_version
                )
            })
            .collect()
    }
}

/// A package of apk: no epoch, no release, and the source is the package itself.
pub(crate) fn apk(name: &str, version: &str) -> Package {
    Package {
        id: format!("{name}@{version}"),
        name: name.to_owned(),
        version: version.to_owned(),
        arch: "x86_64".to_owned(),
        src_name: name.to_owned(),
        src_version: version.to_owned(),
        ..Package::default()
    }
}

/// A package of dpkg whose source has its name and version.
pub(crate) fn deb(name: &str, version: &str) -> Package {
    apk(name, version)
}

/// A package of rpm, of which `[epoch:]version[-release]` is given, whose source has its name and
/// version.
pub(crate) fn rpm(name: &str, text: &str) -> Package {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
    let epoch = epoch.parse().unwrap();
    Package {
        epoch,
        version: version.to_owned(),
        release: release.to_owned(),
        src_epoch: epoch,
        src_version: version.to_owned(),
        src_release: release.to_owned(),
        ..apk(name, text)
    }
}

/// An advisory with a fixed version.
pub(crate) fn fixed(version: &str) -> Advisory {
    Advisory {
        fixed_version: version.to_owned(),
        ..Advisory::default()
    }
}

/// An advisory without a fix.
pub(crate) fn unfixed() -> Advisory {
    Advisory::default()
}

/// An advisory with ranges.
pub(crate) fn ranged(vulnerable: &[&str], patched: &[&str]) -> Advisory {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Advisory {
        vulnerable_versions: texts(vulnerable),
        patched_versions: texts(patched),
        ..Advisory::default()
    }
}

/// An advisory with an entry for each fixed version and its architectures.
pub(crate) fn by_arch(entries: &[(&str, &[&str])]) -> Advisory {
    Advisory {
        entries: entries
            .iter()
            .map(|(version, arches)| AdvisoryEntry {
                fixed_version: (*version).to_owned(),
                arches: arches.iter().map(|&arch| arch.to_owned()).collect(),
                vendor_ids: vec!["RLSA-1".to_owned()],
                ..AdvisoryEntry::default()
            })
            .collect(),
        ..Advisory::default()
    }
}
