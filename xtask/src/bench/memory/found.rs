//! How much memory what was found takes: it is the result, and not counted.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use cleanbill_core::Package;
use cleanbill_core::package::LayerId;
use cleanbill_inventory::{EXTRACTORS_VERSION, MergeOptions, OwnedLayer, java, merge_owned};
use cleanbill_store::{JavaIndexFile, LayerCache, LayerKey};

/// The file of a layout that names its layers, a line each.
pub(super) const DIFF_IDS_FILE: &str = "diff-ids";

/// Returns the bytes of the packages that a scan has found: those of the layers that it has put into
/// its cache, as a report has them, and what the index says of their Java archives.
pub(super) fn size_bytes(
    cache: &Path,
    layout: &Path,
    index: Option<&JavaIndexFile>,
) -> anyhow::Result<u64> {
    let cache = LayerCache::open(cache, EXTRACTORS_VERSION)?;
    let mut layers = Vec::new();
    for diff_id in fs::read_to_string(layout.join(DIFF_IDS_FILE))?.lines() {
        let key = LayerKey {
            diff_id: diff_id.parse()?,
            variant: String::new(),
        };
        let inventory = cache.layer_get(&key, 0)?;
        let inventory = inventory.context("the scan has not kept what it found")?;
        let id = LayerId {
            digest: None,
            diff_id: key.diff_id,
        };
        let archives = match index {
            Some(index) => java::resolve(&inventory, index)?,
            None => None,
        };
        layers.push(OwnedLayer {
            archives: archives.map(Arc::new),
            ..OwnedLayer::new(id, Arc::new(inventory))
        });
    }
    let merged = merge_owned(layers, Vec::new(), &MergeOptions::default()).inventory;
    let of_applications = merged.applications.iter().flat_map(|one| &one.packages);
    let packages = merged.packages.iter().chain(of_applications);
    let size = |package: &Package| {
        let of_texts = texts_of(package).map(|text| allocated_size_bytes(text) - text.len() as u64);
        package.size_bytes() + of_texts.sum::<u64>()
    };
    Ok(packages.map(size).sum())
}

/// Returns what the allocator of the GNU C library takes for a text: a header of 8 bytes, in steps of
/// 16 bytes, and 32 at least.
fn allocated_size_bytes(text: &str) -> u64 {
    match text.len() as u64 {
        0 => 0,
        length => (length + 8).next_multiple_of(16).max(32),
    }
}

/// Lists the texts of a package that are allocated one by one.
fn texts_of(package: &Package) -> impl Iterator<Item = &str> {
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
    let of_url = identifier.purl.iter().flat_map(|purl| {
        let stated = [&purl.kind, &purl.namespace, &purl.name, &purl.version];
        let qualifiers = purl.qualifiers.iter();
        let qualifiers = qualifiers.flat_map(|(name, value)| [name, value]);
        stated.into_iter().chain(qualifiers)
    });
    let lists = package.depends_on.iter().chain(&package.licenses);
    let texts = stated.into_iter().chain(of_url).chain(lists);
    texts.map(String::as_str)
}
