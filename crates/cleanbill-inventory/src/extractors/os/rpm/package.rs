//! What a header says about a package, and which package needs which.
//!
//! Source: spec 02 section 2.3.

use std::collections::{BTreeSet, HashMap};

use cleanbill_core::package::RepositoryClass;
use cleanbill_core::{Limits, Package, TextList};

use super::budget::Budget;
use super::error::DatabaseError;
use super::files;
use super::header::{Header, HeaderError, tag};
use super::source_rpm;

/// The vendors whose packages the advisories of a distribution speak about, by the beginning of
/// their names.
const OFFICIAL_VENDORS: [&str; 13] = [
    "Amazon Linux",
    "Amazon.com",
    "CentOS",
    "Fedora Project",
    "Oracle America",
    "Red Hat",
    "AlmaLinux",
    "CloudLinux",
    "VMware",
    "SUSE",
    "openSUSE",
    "Microsoft Corporation",
    "Rocky",
];

/// Bytes that a feature takes beside its name.
const FEATURE_OVERHEAD: u64 = 80;
/// Bytes that the number of a feature takes in a set.
const REQUIRE_OVERHEAD: u64 = 8;
/// Bytes that an id takes beside its text.
const ID_OVERHEAD: u64 = 40;

/// Gathers the packages of a database.
///
/// Dependencies are names of features (`libc.so.6()(64bit)`, `rtld(GNU_HASH)`), which any package
/// may provide: they can be resolved only once all headers are known. Until then each feature is
/// kept once, as packages by the hundred need the same ones.
pub(super) struct PackageList {
    packages_max: u64,
    budget: Budget,
    packages: Vec<Package>,
    features: HashMap<Box<[u8]>, u32>,
    /// The package that provides a feature, by the feature's number. The last one counts.
    providers: Vec<Option<u32>>,
    /// The features that each package needs.
    requires: Vec<BTreeSet<u32>>,
}

impl PackageList {
    /// Starts an empty list.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            packages_max: limits.packages_per_layer_max,
            budget: Budget::new(limits.rpm_database_size_bytes_max),
            packages: Vec::new(),
            features: HashMap::new(),
            providers: Vec::new(),
            requires: Vec::new(),
        }
    }

    /// Adds the package of a header blob.
    ///
    /// # Errors
    ///
    /// The header makes no sense, or there are too many packages.
    pub(super) fn add(&mut self, blob: &[u8]) -> Result<(), DatabaseError> {
        let number = self.packages.len() as u64;
        if number >= self.packages_max {
            let max = self.packages_max;
            return Err(DatabaseError::TooManyPackages { max });
        }
        self.add_header(blob)
            .map_err(|source| DatabaseError::Header {
                ordinal: number + 1,
                source,
            })
    }

    fn add_header(&mut self, blob: &[u8]) -> Result<(), HeaderError> {
        let header = Header::parse(blob)?;
        let package = read_package(&header, &mut self.budget)?;
        let number = self.packages.len() as u32;
        for feature in header.strings(tag::PROVIDE_NAME)? {
            let feature = self.feature(feature)?;
            if let Some(provider) = self.providers.get_mut(feature as usize) {
                *provider = Some(number);
            }
        }
        let mut requires = BTreeSet::new();
        for feature in header.strings(tag::REQUIRE_NAME)? {
            if requires.insert(self.feature(feature)?) {
                self.budget.take(0, REQUIRE_OVERHEAD)?;
            }
        }
        self.requires.push(requires);
        self.packages.push(package);
        Ok(())
    }

    /// Returns the number of a feature.
    fn feature(&mut self, name: &[u8]) -> Result<u32, HeaderError> {
        if let Some(&number) = self.features.get(name) {
            return Ok(number);
        }
        self.budget.take(name.len(), FEATURE_OVERHEAD)?;
        let number = self.providers.len() as u32;
        self.features.insert(name.into(), number);
        self.providers.push(None);
        Ok(number)
    }

    /// Resolves the dependencies and returns the packages.
    ///
    /// # Errors
    ///
    /// The dependencies take too much memory.
    pub(super) fn finish(mut self) -> Result<Vec<Package>, DatabaseError> {
        let mut dependencies = Vec::with_capacity(self.packages.len());
        for (number, features) in std::mem::take(&mut self.requires).iter().enumerate() {
            let resolved = self.resolve(number, features);
            dependencies.push(resolved.map_err(|source| DatabaseError::Dependencies { source })?);
        }
        for (package, depends_on) in self.packages.iter_mut().zip(dependencies) {
            package.depends_on = depends_on;
        }
        Ok(self.packages)
    }

    fn resolve(
        &mut self,
        number: usize,
        features: &BTreeSet<u32>,
    ) -> Result<Vec<String>, HeaderError> {
        let providers: BTreeSet<u32> = features
            .iter()
            .filter_map(|&feature| *self.providers.get(feature as usize)?)
            .collect();
        let own_id = self.packages.get(number).map(|package| package.id.as_str());
        let mut ids = BTreeSet::new();
        for provider in providers {
            let id = self
                .packages
                .get(provider as usize)
                .map(|package| package.id.as_str());
            let Some(id) = id.filter(|_| id != own_id) else {
                continue;
            };
            self.budget.take(id.len(), ID_OVERHEAD)?;
            ids.insert(id);
        }
        Ok(ids.into_iter().map(str::to_owned).collect())
    }
}

fn read_package(header: &Header<'_>, budget: &mut Budget) -> Result<Package, HeaderError> {
    let name = header.string(tag::NAME)?;
    let version = header.string(tag::VERSION)?;
    let release = header.string(tag::RELEASE)?;
    let arch = header.string(tag::ARCH)?;
    let epoch = i64::from(header.int32(tag::EPOCH)?.unwrap_or(0));
    let vendor = stated(header.string(tag::VENDOR)?);
    let license = stated(header.string(tag::LICENSE)?);
    let source_rpm = stated(header.string(tag::SOURCE_RPM)?);
    let (src_name, src_version, src_release) = source_rpm::split(&source_rpm).unwrap_or_default();
    let is_official = is_official(&vendor, &release);
    let installed_files = if is_official {
        files::installed_files(header, budget)?
    } else {
        TextList::default()
    };
    Ok(Package {
        id: format!("{name}@{version}-{release}.{arch}"),
        epoch,
        arch: if arch.is_empty() {
            "None".to_owned()
        } else {
            arch
        },
        src_name: src_name.to_owned(),
        src_version: src_version.to_owned(),
        src_release: src_release.to_owned(),
        // The name of a source package has no epoch; the one of the binary package counts.
        src_epoch: epoch,
        licenses: if license.is_empty() {
            Vec::new()
        } else {
            vec![license]
        },
        maintainer: vendor,
        modularity_label: header.string(tag::MODULARITY_LABEL)?,
        repository_class: if is_official {
            RepositoryClass::Official
        } else {
            RepositoryClass::ThirdParty
        },
        digest: match header.raw(tag::SIGMD5) {
            [] => String::new(),
            digest => format!("md5:{}", hex::encode(digest)),
        },
        installed_files,
        name,
        version,
        release,
        ..Package::default()
    })
}

/// Maps what rpm prints for an absent value to nothing.
fn stated(value: String) -> String {
    if value == "(none)" {
        String::new()
    } else {
        value
    }
}

/// Says whether the distribution supplies the package. Packages of Amazon Linux 1 may name no
/// vendor.
fn is_official(vendor: &str, release: &str) -> bool {
    if vendor.is_empty() {
        return release.contains("amzn");
    }
    OFFICIAL_VENDORS
        .iter()
        .any(|official| vendor.starts_with(official))
}
