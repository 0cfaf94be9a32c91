//! Every extractor, in the order in which they look at a file.

pub(crate) mod language;
mod os;
pub(crate) mod sbom;
mod unread_package_manager;

use crate::extractor::Extractor;

/// To add an extractor, write its file below `extractors/` and add a line here.
pub(crate) const EXTRACTORS: &[&dyn Extractor] = &[
    &os::distro::DistroRelease,
    &os::distro::ApkRepositories,
    &os::apk::ApkInstalled,
    &os::dpkg::DpkgStatus,
    &os::dpkg::DpkgSideFiles,
    &os::dpkg::DpkgCopyright,
    &os::rpm::RpmDatabase,
    &os::rpm::RpmWriteAheadLog,
    &os::rpm_manifest::RpmManifest,
    &os::bottlerocket::Bottlerocket,
    &os::build_info::ContentManifest,
    &os::build_info::BuildDockerfile,
    &sbom::Sbom,
    &language::ruby::Gemspec,
    &language::python::PythonPackage,
    &language::python::PythonEgg,
    &language::node::NodePackage,
    &language::composer::ComposerVendor,
    &language::conda::CondaPackage,
    &language::dotnet::DotNetCore,
    &language::nuget::NuGet,
    &language::nuget::PackagesProps,
    &language::cargo::Cargo,
    &language::julia::Julia,
    &language::program::Program,
    &language::java::JavaArchives,
    &unread_package_manager::UnreadPackageManager,
];
