//! How much memory what was found takes: it is the result, and not counted.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use cleanbill_core::Package;
use cleanbill_core::inventory::LayerInventory;
use cleanbill_inventory::EXTRACTORS_VERSION;
use cleanbill_store::{LayerCache, LayerKey};

/// The file of a layout that names its only layer.
pub(super) const DIFF_ID_FILE: &str = "diff-id";

/// What an allocator takes beside the bytes of a text, on average: a header, and what is rounded up.
const TEXT_OVERHEAD: u64 = 16;

/// Returns the bytes of the packages that a scan has put into its cache.
pub(super) fn size_bytes(cache: &Path, layout: &Path) -> anyhow::Result<u64> {
    let diff_id = fs::read_to_string(layout.join(DIFF_ID_FILE))?;
    let key = LayerKey {
        diff_id: diff_id.trim().parse()?,
        variant: String::new(),
    };
    let cache = LayerCache::open(cache, EXTRACTORS_VERSION)?;
    let inventory = cache.layer_get(&key, 0)?;
    let inventory = inventory.context("the scan has not kept what it found")?;
    Ok(inventory.packages_size_bytes() + TEXT_OVERHEAD * text_count(&inventory))
}

fn text_count(inventory: &LayerInventory) -> u64 {
    let of_databases = inventory.package_databases.iter().map(|one| &one.packages);
    let of_applications = inventory.applications.iter().map(|one| &one.packages);
    of_databases
        .chain(of_applications)
        .flatten()
        .map(texts_of)
        .sum()
}

/// Counts the texts of a package that are allocated one by one.
fn texts_of(package: &Package) -> u64 {
    let identifier = &package.identifier;
    let stated = [
        &package.id,
        &package.name,
        &package.version,
        &package.release,
        &package.arch,
        &package.src_name,
        &package.src_version,
        &package.src_release,
        &package.maintainer,
        &package.file_path,
        &package.digest,
        &package.analyzed_by,
        &identifier.uid,
        &identifier.bom_ref,
    ];
    let stated = stated.iter().filter(|text| !text.is_empty()).count();
    let of_url = identifier.purl.as_ref().map_or(0, |purl| {
        [&purl.kind, &purl.namespace, &purl.name, &purl.version]
            .iter()
            .filter(|text| !text.is_empty())
            .count()
            + 2 * purl.qualifiers.len()
    });
    (stated + of_url + package.depends_on.len() + package.licenses.len()) as u64
}
