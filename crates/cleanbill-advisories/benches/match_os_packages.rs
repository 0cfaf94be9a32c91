//! Judges an installation of 5,000 packages, built from 1,500 sources with ten advisories each.
//!
//! `cargo bench -p cleanbill-advisories --bench match_os_packages`

use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_advisories::{
    Advisory, AdvisorySource, CpeKey, LanguageRow, LookupError, OsPackages, Shelf,
    deduplicate_and_sort, match_os_packages,
};
use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::package::Package;
use cleanbill_core::vulnerability::VulnerabilityDetails;
use divan::Bencher;
use divan::counter::ItemsCount;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

const PACKAGES: u32 = 5_000;
const SOURCES: u32 = 1_500;
const ADVISORIES: u32 = 10;

fn main() {
    divan::main();
}

/// Holds the advisories of one bucket in memory: what is measured is matching, not looking up.
struct InMemory(HashMap<String, Vec<Advisory>>);

impl AdvisorySource for InMemory {
    fn advisories(&self, _: &str, package: &str) -> Result<Vec<Advisory>, LookupError> {
        Ok(self.0.get(package).cloned().unwrap_or_default())
    }

    fn language_rows(&self, _: &Shelf, _: &str) -> Result<Arc<[LanguageRow]>, LookupError> {
        Ok(Arc::default())
    }

    fn vulnerability(&self, _: &str) -> Result<Option<VulnerabilityDetails>, LookupError> {
        Ok(None)
    }

    fn cpe_indices(&self, _: CpeKey, _: &str) -> Result<Vec<i64>, LookupError> {
        Ok(vec![0])
    }

    fn has_bucket(&self, _: &str) -> Result<bool, LookupError> {
        Ok(true)
    }
}

/// One advisory in ten has a fix that is not installed.
fn advisories() -> InMemory {
    let of_source = |source: u32| {
        let rows = (0..ADVISORIES).map(|number| Advisory {
            vulnerability_id: format!("CVE-2026-{}", source * ADVISORIES + number),
            fixed_version: format!("1:2.{}-1+deb12u3", if number == 0 { 40 } else { number }),
            ..Advisory::default()
        });
        (format!("source-{source}"), rows.collect())
    };
    InMemory((0..SOURCES).map(of_source).collect())
}

fn packages() -> Vec<Package> {
    let package = |number: u32| Package {
        id: format!("package-{number}@1:2.36-9+deb12u4"),
        name: format!("package-{number}"),
        version: "2.36".to_owned(),
        release: "9+deb12u4".to_owned(),
        epoch: 1,
        src_name: format!("source-{}", number % SOURCES),
        src_version: "2.36".to_owned(),
        src_release: "9+deb12u4".to_owned(),
        src_epoch: 1,
        ..Package::default()
    };
    (0..PACKAGES).map(package).collect()
}

#[divan::bench(args = ["debian", "photon"])]
fn judge(bencher: Bencher<'_, '_>, family: &str) {
    let source = advisories();
    let packages = packages();
    let distro = Distro {
        family: Family::new(family),
        name: "12".to_owned(),
        ..Distro::default()
    };
    let input = OsPackages {
        distro: &distro,
        repository_hint: None,
        packages: &packages,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    bencher
        .counter(ItemsCount::new(PACKAGES))
        .bench(|| match_os_packages(&source, &input).map(|m| deduplicate_and_sort(m.findings)));
}
