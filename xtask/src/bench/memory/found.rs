//! How much memory what was found takes: it is the result, and not counted.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use cleanbill_core::Package;
use cleanbill_core::package::LayerId;
use cleanbill_inventory::{EXTRACTORS_VERSION, MergeOptions, merge_owned};
use cleanbill_store::{LayerCache, LayerKey};

/// The file of a layout that names its only layer.
pub(super) const DIFF_ID_FILE: &str = "diff-id";

/// What an allocator takes beside the bytes of a text, on average: a header, and what is rounded up.
const TEXT_OVERHEAD: u64 = 16;

/// Returns the bytes of the packages that a scan has found: those of the layer that it has put into
/// its cache, as a report has them.
pub(super) fn size_bytes(cache: &Path, layout: &Path) -> anyhow::Result<u64> {
    let diff_id = fs::read_to_string(layout.join(DIFF_ID_FILE))?;
    let key = LayerKey {
        diff_id: diff_id.trim().parse()?,
        variant: String::new(),
    };
    let cache = LayerCache::open(cache, EXTRACTORS_VERSION)?;
    let inventory = cache.layer_get(&key, 0)?;
    let inventory = inventory.context("the scan has not kept what it found")?;
    let id = LayerId {
        digest: None,
        diff_id: key.diff_id,
    };
    let layers = vec![Arc::new(inventory)];
    let merged = merge_owned(&[id], layers, Vec::new(), &MergeOptions::default()).inventory;
    let of_applications = merged.applications.iter().flat_map(|one| &one.packages);
    let packages = merged.packages.iter().chain(of_applications);
    let size = |package: &Package| package.size_bytes() + TEXT_OVERHEAD * texts_of(package);
    Ok(packages.map(size).sum())
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
